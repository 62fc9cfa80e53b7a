"""Bars from the database of the settings, each in its newest revision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tickstock.analysis.results import BarColumns
from tickstock.database.queries import TIMEFRAMES, Queries
from tickstock.database.windows import window_bars
from tickstock.history.bar_series import SESSIONS, BarSeries, bar_series
from tickstock.history.errors import NoBars
from tickstock.history.moments import LAST_MOMENT
from tickstock.market_hours import Calendar, new_york_time
from tickstock.settings import Settings, without_password


class StoredBars:
    """The bars of some symbols, one symbol at a time."""

    def __init__(
        self, settings: Settings, calendar: Calendar, symbols: Sequence[str], timeframe: str, since: int, until: int
    ) -> None:
        """The bars with `since` <= start < `until`, Unix milliseconds.

        Raises:
            DatabaseError: the database cannot be used.
            NoBars: no symbol has one.
        """
        self._url = settings.database
        self._sessions = SESSIONS[settings.analysis_sessions]
        self._calendar = calendar
        self._timeframe = timeframe
        self._bounds = (since, until)
        found = Queries(self._url).coverage(timeframe, since, until)
        self.counts = {symbol: found[symbol].bars for symbol in symbols if symbol in found}
        if not self.counts:
            raise NoBars(self._what_there_is(symbols))
        self.missing = [symbol for symbol in symbols if symbol not in found]

    def __iter__(self) -> Iterator[BarSeries]:
        for symbol in self.counts:
            read = window_bars(self._url, [symbol], self._timeframe, *self._bounds)
            bars = BarColumns(read.timestamp, read.open, read.high, read.low, read.close, read.volume)
            yield bar_series(symbol, self._timeframe, bars, self._calendar, self._sessions)

    def _what_there_is(self, symbols: Sequence[str]) -> str:
        queries, wanted = Queries(self._url), ", ".join(symbols)
        said = [f"The database {without_password(self._url)} has no {self._timeframe} bars of {wanted} in that time."]
        for timeframe in TIMEFRAMES:
            covered = queries.coverage(timeframe, 0, LAST_MOMENT)
            of_symbols = [covered[symbol] for symbol in symbols if symbol in covered]
            if of_symbols:
                first = new_york_time(min(each.first for each in of_symbols))
                last = new_york_time(max(each.last for each in of_symbols))
                count = sum(each.bars for each in of_symbols)
                said.append(f"It has {count:,} {timeframe} bars of them, from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}.")
        if len(said) == 1:
            others = sorted(queries.coverage("1min", 0, LAST_MOMENT))
            some = f"{', '.join(others[:8])}{' …' if len(others) > 8 else ''}" if others else "no symbol at all"
            said.append(f"It has 1min bars of {some}.")
        return " ".join(said)
