"""How many signals a trader gets: `python -m benchmarks.shown_signals [--write]`.

Patterns and alerts of 1min bars with the default settings, per symbol and hour: all that are reported, and those that the page's
default filter shows, which are to be at most three. On real bars (see --golden), on random walks and on the simulated market.
The last lines are the sums. `--write` puts the table into docs/patterns.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.catalogue_document import between_markers
from benchmarks.measured_bars import GOLDEN, Series, golden, minutes_of, simulated, walks
from benchmarks.pattern_rates import DOCUMENT
from tickstock.analysis.bar_result import BarResult
from tickstock.analysis.default_filter import SHOWN_FROM, is_best
from tickstock.analysis.results import BarColumns
from tickstock.analysis.selection import ALERTS, PATTERNS, Enabled, enabled_from
from tickstock.analysis.session_figures import SessionFigures
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, Calendar, ExchangeCalendar
from tickstock.settings import Settings

MARKER = "<!-- shown -->"
TIMEFRAME = "1min"
HOUR_MINUTES = 60
WALKS, WALK_DAYS, SIMULATED_DAYS = 60, 5, 7
SIMULATED_FIRST = 6  # day that counts: what a minute's usual volume is must be known


@dataclass
class Signals:
    """What was signalled in some bars."""

    bars: int = 0
    reported: Counter[str] = field(default_factory=Counter)
    shown: Counter[str] = field(default_factory=Counter)
    shown_in: Counter[tuple[int, int]] = field(default_factory=Counter)  # by symbol and hour
    hours: set[tuple[int, int]] = field(default_factory=set)

    def per_hour(self, count: int) -> float:
        """A count per symbol and hour of bars."""
        return HOUR_MINUTES * count / self.bars

    def add(self, name: str, lane: int, hour: int, shown: bool) -> None:
        """Count one signal."""
        self.reported[name] += 1
        if shown:
            self.shown[name] += 1
            self.shown_in[lane, hour] += 1

    def most(self) -> tuple[float, int]:
        """The share of symbols' hours with more than three shown, and the most in one."""
        counts = [self.shown_in[each] for each in self.hours]
        return sum(count > 3 for count in counts) / len(counts), max(counts)

    def busiest(self) -> float:
        """Shown per hour in the symbol that has most."""
        lanes = Counter(lane for lane, _ in self.hours)
        shown: Counter[int] = Counter()
        for (lane, _), count in self.shown_in.items():
            shown[lane] += count
        return max(shown[lane] / hours for lane, hours in lanes.items())


def signals(series: Sequence[Series], calendar: Calendar, enabled: Enabled, first_day: int = 0) -> Signals:
    """Run the bars through the analysis of 1min with the figures of the day, and count from some day on."""
    counted = Signals()
    analysis = TimeframeAnalysis(TIMEFRAME, len(series), enabled)
    figures = SessionFigures(calendar)
    figures.set_days(*_day_bars(series, calendar))
    days: dict[int, int] = {}
    for start, lanes, bars in minutes_of(series):
        session = calendar.session_at(start)
        assert session is not None
        figures.take(session, lanes, bars)
        if session.name != "regular":
            continue
        day = days.setdefault(session.start, len(days))
        result = analysis.close_bars(lanes, bars, session.start, figures.of(TIMEFRAME, lanes, bars, start + MINUTE_MS))
        if day >= first_day:
            _count(result, start, counted)
    return counted


def _count(result: BarResult, start: int, counted: Signals) -> None:
    hour = start // MINUTE_MS // HOUR_MINUTES
    counted.bars += len(result.lanes)
    counted.hours.update((lane, hour) for lane in result.lanes.tolist())
    for hit in result.pattern_hits():
        if hit.state == "confirmed":
            counted.add(hit.pattern, hit.lane, hour, is_best(hit.pattern, TIMEFRAME, hit.state, hit.quality))
    for alert in result.alerts:
        counted.add(alert.alert, alert.lane, hour, is_best(alert.alert, TIMEFRAME))


def _day_bars(series: Sequence[Series], calendar: Calendar) -> tuple[np.ndarray, BarColumns]:
    """The regular session's bar of each day and symbol."""
    lanes: list[int] = []
    rows: list[tuple[float, ...]] = []
    for lane, each in enumerate(series):
        for start in np.unique(each.sessions).tolist():
            session = calendar.session_at(start)
            if session is None or session.name != "regular":
                continue
            bars = each.bars.rows(np.flatnonzero(each.sessions == start))
            lanes.append(lane)
            rows.append((start, bars.open[0], bars.high.max(), bars.low.min(), bars.close[-1], bars.volume.sum()))
    timestamp, *prices = np.array(rows).T
    return np.array(lanes), BarColumns(timestamp.astype(np.int64), *prices)


def measured(folder: Path) -> dict[str, Signals]:
    """The signals of the three kinds of bars."""
    enabled = enabled_from(Settings())[TIMEFRAME]
    return {
        "real bars": signals(golden(folder, "_1m"), ExchangeCalendar(), enabled),
        "random walks": signals(walks(WALKS, WALK_DAYS), AlwaysOpenCalendar(), enabled),
        "simulated market": signals(simulated(SIMULATED_DAYS), AlwaysOpenCalendar(), enabled, SIMULATED_FIRST),
    }


def table(found: Mapping[str, Signals]) -> str:
    """A table of Markdown: what the default settings compute, and how much of it is shown."""
    enabled = enabled_from(Settings())[TIMEFRAME]
    names = [name for name in (*PATTERNS, *ALERTS) if name in enabled.patterns or name in enabled.alerts]
    rows = [["signal", "shown from rank", *(f"{kind}: {what}" for kind in found for what in ("reported", "shown"))]]
    rows.append(["---", *("---:" for _ in rows[0][1:])])
    for name in names:
        rows.append([name, _threshold(name), *(cell for each in found.values() for cell in _cells(each, name))])
    sums = [(sum(each.reported.values()), sum(each.shown.values()), each) for each in found.values()]
    rows.append(["**all**", "", *(f"**{each.per_hour(count):.2f}**" for *counts, each in sums for count in counts)])
    rows.append(["of the busiest symbol", "", *(cell for each in found.values() for cell in ("", f"{each.busiest():.2f}"))])
    shares = [cell for each in found.values() for cell in ("", f"{100 * each.most()[0]:.1f} %")]
    rows.append(["hours with more than three", "", *shares])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _threshold(name: str) -> str:
    if name not in SHOWN_FROM:
        return "not shown"
    return f"{SHOWN_FROM[name]:g}" if name in PATTERNS else "all"


def _cells(found: Signals, name: str) -> tuple[str, str]:
    reported, shown = found.per_hour(found.reported[name]), found.per_hour(found.shown[name])
    return (f"{reported:.2f}" if reported else "–", f"{shown:.2f}" if shown else "–")


def main(arguments: Iterable[str] | None = None) -> int:
    """Measure, print and, when asked, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="update docs/patterns.md")
    parser.add_argument("--golden", type=Path, default=GOLDEN, metavar="FOLDER", help="where the real bars are")
    options = parser.parse_args(None if arguments is None else list(arguments))
    found = measured(options.golden)
    told = table(found)
    print(told)
    if options.write:
        DOCUMENT.write_text(between_markers(DOCUMENT.read_text(encoding="utf-8"), MARKER, told), encoding="utf-8")
    for kind, each in found.items():
        print(f"{kind}: {each.per_hour(sum(each.shown.values())):.2f} signals shown per symbol and hour")
    return 0


if __name__ == "__main__":
    sys.exit(main())
