"""What a command searches: series of bars from the database or from a CSV, and the patterns to look for."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from tickstock.analysis.resampling import resampled
from tickstock.analysis.selection import PATTERNS
from tickstock.database.queries import TIMEFRAMES
from tickstock.history.bar_series import SESSIONS, BarSeries, at_opening, bar_series
from tickstock.history.csv_bars import read_csv_bars
from tickstock.history.errors import HistoryError, NoBars
from tickstock.history.moments import LAST_MOMENT, ending, moment
from tickstock.history.progress_bar import ProgressBar
from tickstock.history.search import Found, search
from tickstock.history.stored_bars import StoredBars
from tickstock.market_hours import Calendar, calendar_named, new_york_time
from tickstock.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is searched."""
    parser.add_argument("--symbol", metavar="AAPL[,MSFT…]", help="the symbols; of a CSV, the name of its one symbol")
    parser.add_argument(
        "--from",
        dest="since",
        metavar="TIME",
        help="the first day or moment (2026-11-02, 2026-11-02T09:30); patterns look back at 15 bars or more",
    )
    parser.add_argument("--to", dest="until", metavar="TIME", help="the last day, or the moment before which it ends")
    parser.add_argument("--timeframe", default="1min", choices=TIMEFRAMES, help="default: 1min")
    parser.add_argument("--patterns", metavar="NAME[,NAME…]", help="default: all; python -m tickstock.history catalog lists them")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="bars of one symbol in place of the database")
    parser.add_argument(
        "--csv-timeframe", default="1min", choices=TIMEFRAMES,
        help="what the CSV holds; one-minute bars (the default) become bars of --timeframe",
    )  # fmt: skip
    parser.add_argument("--sessions", choices=tuple(SESSIONS), help="which bars are searched; default: as the settings say")
    parser.add_argument("--calendar", choices=("exchange", "always_open"), help="default: as the settings say")


@dataclass(frozen=True, slots=True)
class Selection:
    """Series of bars, one symbol at a time, and names of patterns."""

    symbols: tuple[str, ...]
    timeframe: str
    patterns: tuple[str, ...]
    counts: Mapping[str, int]  # bars by symbol, those outside the sessions too
    series: Iterator[BarSeries]
    notes: tuple[str, ...] = ()

    def found(self) -> Iterator[Found]:
        """Searches one series after the other; shows how far it is."""
        with ProgressBar(sum(self.counts.values()), "bars") as bar:
            for each in self.series:
                bar.advance(self.counts[each.symbol] - len(each))
                yield search(each, self.patterns, bar.advance)


def selection_from(arguments: argparse.Namespace, settings: Settings) -> Selection:
    """What the arguments choose.

    Raises:
        HistoryError: a name is unknown, a time cannot be read, or there are no bars.
        DatabaseError: the database cannot be used.
    """
    settings = replace(
        settings,
        analysis_sessions=arguments.sessions or settings.analysis_sessions,
        calendar=arguments.calendar or settings.calendar,
    )
    patterns = pattern_names(arguments.patterns)
    since, until = _bounds(arguments)
    symbols = tuple(dict.fromkeys(each for each in (arguments.symbol or "").replace(",", " ").split() if each))
    if arguments.csv is None:
        if not symbols:
            raise HistoryError("--symbol says which symbols are searched, such as --symbol AAPL,MSFT; or give a file with --csv")
        stored = StoredBars(settings, calendar_named(settings.calendar), symbols, arguments.timeframe, since, until)
        notes = (f"No {arguments.timeframe} bars in that time: {', '.join(stored.missing)}",) if stored.missing else ()
        found = tuple(stored.counts)
        return Selection(found, arguments.timeframe, patterns, stored.counts, iter(stored), notes)
    if len(symbols) > 1:
        raise HistoryError(f"A CSV holds the bars of one symbol; --symbol names {len(symbols)}")
    calendar, symbol = calendar_named(settings.calendar), symbols[0] if symbols else arguments.csv.stem
    series = _csv_series(arguments, calendar, symbol, since, until, settings.analysis_sessions)
    return Selection((symbol,), arguments.timeframe, patterns, {symbol: len(series)}, iter([series]))


def pattern_names(text: str | None) -> tuple[str, ...]:
    """The patterns that a list names; all of them without one.

    Raises:
        HistoryError: there is no such pattern; the nearest is suggested.
    """
    if text is None:
        return PATTERNS
    by_lower = {name.lower(): name for name in PATTERNS}
    names = []
    for word in text.replace(",", " ").split():
        if word.lower() not in by_lower:
            near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.5)
            hint = f"did you mean {by_lower[near[0]]}?" if near else "python -m tickstock.history catalog lists them"
            raise HistoryError(f"There is no pattern {word!r}; {hint}")
        names.append(by_lower[word.lower()])
    if not names:
        raise HistoryError("--patterns needs at least one name; python -m tickstock.history catalog lists them")
    return tuple(dict.fromkeys(names))


def _bounds(arguments: argparse.Namespace) -> tuple[int, int]:
    try:
        since = moment(arguments.since) if arguments.since else 0
        until = ending(arguments.until) if arguments.until else LAST_MOMENT
    except ValueError as problem:
        raise HistoryError(str(problem)) from None
    if since >= until:
        raise HistoryError(f"--from {arguments.since} must be before --to {arguments.until}")
    return since, until


def _csv_series(
    arguments: argparse.Namespace, calendar: Calendar, symbol: str, since: int, until: int, sessions: str
) -> BarSeries:
    bars = read_csv_bars(arguments.csv)
    first, last = (new_york_time(at) for at in (int(bars.timestamp[0]), int(bars.timestamp[-1])))
    if arguments.timeframe != arguments.csv_timeframe:
        if arguments.csv_timeframe != "1min":
            raise HistoryError(f"{arguments.timeframe} bars can be made of 1min bars, not of {arguments.csv_timeframe} bars")
        bars = resampled(bars, arguments.timeframe, calendar)
    if arguments.csv_timeframe == "1day":
        bars = at_opening(bars, calendar)
        if (np.diff(bars.timestamp) <= 0).any():
            raise HistoryError(f"{arguments.csv} has several rows of one day: it holds no day bars")
    bars = bars.rows((bars.timestamp >= since) & (bars.timestamp < until))
    series = bar_series(symbol, arguments.timeframe, bars, calendar, SESSIONS[sessions])
    if not len(series):
        raise NoBars(
            f"{arguments.csv} has no bars in that time and in {sessions} sessions; it goes from {first:%Y-%m-%d %H:%M} to "
            f"{last:%Y-%m-%d %H:%M} New York time"
        )
    return series
