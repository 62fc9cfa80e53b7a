"""How often each pattern is found: `python -m benchmarks.pattern_rates [--write]`.

On real one-minute bars (three symbols, five days; they are not part of this repository, see --golden), on random walks and on
the simulated market. Printed per 1,000 bars: *found*, where the conditions of a candlestick hold, as TA-Lib says, or a chart
pattern forms; and *reported*, what is left of candlesticks without bars too thin to mean anything, and confirmed chart patterns.
`--write` puts them into docs/patterns.md and the quantiles of quality into tickstock/analysis/quality_ranks.py.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.catalogue_document import DOCS, between_markers, pattern_tables
from benchmarks.measured_bars import GOLDEN, Series, golden, simulated, walks
from tickstock.analysis import quality_ranks
from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candle_bars import HistoryBars
from tickstock.analysis.candlestick_detector import CandlestickDetector, matches
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.results import BarColumns
from tickstock.analysis.selection import PATTERNS, Enabled
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

RANKS, DOCUMENT = Path(quality_ranks.__file__), DOCS / "patterns.md"
MARKER = "<!-- patterns -->"
STRETCH = 16_384
WALKS, WALK_DAYS, SIMULATED_DAYS = 500, 10, 2
LEAST_DETECTIONS = 30
SHARES = np.arange(0.0, 1.0, 0.05)
BEST = 1.0  # the last step ends at the best there can be, so that what is better than all that was measured still has a rank


@dataclass
class Tally:
    """What was found in some bars."""

    bars: int
    found: Counter[str] = field(default_factory=Counter)  # conditions hold, or a shape forms
    reported: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # the quality of each

    def per_thousand(self, count: int) -> float:
        """A count as a rate."""
        return 1000 * count / self.bars


def tally(series: Sequence[Series]) -> Tally:
    """Search all bars for all patterns."""
    counted = Tally(sum(map(len, series)))
    _count_candlesticks(series, counted)
    _count_shapes(series, counted)
    return counted


def _count_candlesticks(series: Sequence[Series], counted: Tally) -> None:
    columns = BarColumns(*(np.concatenate([getattr(each.bars, name) for each in series]) for name in BarColumns._fields))
    history = HistoryBars(columns, np.concatenate([each.sessions for each in series]), [len(each) for each in series])
    detector = CandlestickDetector(CANDLESTICKS.values(), "1min")
    for first in range(0, len(history), STRETCH):
        moments = history.moments(first, min(first + STRETCH, len(history)))
        window = BarWindow(moments)
        for pattern in CANDLESTICKS.values():
            counted.found[pattern.name] += int(np.count_nonzero(matches(pattern, window)))
        for found in detector.detect(moments)[0]:
            counted.reported[found.pattern.name] += found.quality.tolist()


def _count_shapes(series: Sequence[Series], counted: Tally) -> None:
    """Bar by bar, the first of each symbol together, then the second: a shape depends on its own symbol's bars alone."""
    enabled = Enabled(frozenset(each.name for each in CHART_PATTERNS), (), frozenset())
    analysis = TimeframeAnalysis("1min", len(series), enabled)
    lengths = np.array([len(each) for each in series])
    columns = BarColumns(*(_side_by_side([getattr(each.bars, name) for each in series]) for name in BarColumns._fields))
    sessions = _side_by_side([each.sessions for each in series])
    known = set()  # a shape may be there and confirmed at once
    for number in range(lengths.max()):
        lanes = np.flatnonzero(lengths > number)
        bars = BarColumns(*(column[number, lanes] for column in columns))
        for hit in analysis.close_bars(lanes, bars, sessions[number, lanes]).shape_hits():
            known.add((hit.lane, hit.pattern, hit.key))
            if hit.state == "confirmed":
                counted.reported[hit.pattern].append(hit.quality)
    counted.found.update(pattern for _, pattern, _ in known)


def _side_by_side(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Columns of any lengths as one table."""
    joined = np.zeros((max(map(len, columns)), len(columns)), columns[0].dtype)
    for place, column in enumerate(columns):
        joined[: len(column), place] = column
    return joined


def quantiles(real: Tally, walk: Tally) -> tuple[dict[str, tuple[float, ...]], dict[str, str]]:
    """Of each pattern's quality, and where they come from: the real bars if those hold enough detections."""
    found: dict[str, tuple[float, ...]] = {}
    source: dict[str, str] = {}
    for name in PATTERNS:
        for where, counted in (("real bars", real), ("random walks", walk)):
            qualities = counted.reported[name]
            if len(qualities) >= LEAST_DETECTIONS:
                found[name] = (*(round(float(each), 4) for each in np.quantile(qualities, SHARES)), BEST)
                source[name] = where
                break
    return found, source


def ranks_module(real: Tally, walk: Tally) -> str:
    """The source of quality_ranks.py."""
    found, source = quantiles(real, walk)
    lines = [
        f'"""{quality_ranks.__doc__}"""',
        "",
        "from __future__ import annotations",
        "",
        "# By pattern, the quality below which 0, 5, 10 … 95 % of its unsuppressed detections lie, and the best there can be.",
        "# fmt: off",
        "QUALITY_QUANTILES: dict[str, tuple[float, ...]] = {",
    ]
    for name, values in found.items():
        figures = [f"{value:g}" if value % 1 else f"{value:.1f}" for value in values]
        lines += [f'    "{name}": (', f"        {', '.join(figures[:11])},", f"        {', '.join(figures[11:])},", "    ),"]
    lines += [
        "}",
        "# fmt: on",
        "",
        "# Where that was measured: on real bars, or, where they hold fewer than 30 detections, on random walks.",
        "MEASURED_ON: dict[str, str] = {",
        *(f'    "{name}": "{where}",' for name, where in source.items()),
        "}",
        "",
    ]
    return "\n".join(lines)


def table(tallies: Mapping[str, Tally]) -> str:
    """The rates as plain text, found and reported side by side."""
    lines = [f"{'pattern':24}" + "".join(f"{name:>20}" for name in tallies)]
    lines += [f"{name:24}" + "".join(f"{rate:>20}" for rate in _rates(tallies, name)) for name in PATTERNS]
    return "\n".join(lines)


def _rates(tallies: Mapping[str, Tally], name: str) -> list[str]:
    return [f"{_rate(each, each.found[name])} / {_rate(each, len(each.reported[name]))}" for each in tallies.values()]


def _rate(counted: Tally, count: int) -> str:
    rate = counted.per_thousand(count)
    return "0" if not count else f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"


def measured(folder: Path) -> dict[str, Tally]:
    """Rates on the three kinds of bars."""
    return {
        "real bars": tally(golden(folder)),
        "random walks": tally(walks(WALKS, WALK_DAYS)),
        "simulated market": tally(simulated(SIMULATED_DAYS)),
    }


def main(arguments: Iterable[str] | None = None) -> int:
    """Measure, print and, when asked, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="update docs/patterns.md and quality_ranks.py")
    parser.add_argument("--golden", type=Path, default=GOLDEN, metavar="FOLDER", help="where the real bars are")
    options = parser.parse_args(None if arguments is None else list(arguments))
    tallies = measured(options.golden)
    counts = ", ".join(f"{counted.bars:,} {name}" for name, counted in tallies.items())
    print(f"{table(tallies)}\n\nfound / reported per 1,000 one-minute bars, of {counts}")
    if options.write:
        RANKS.write_text(ranks_module(tallies["real bars"], tallies["random walks"]), encoding="utf-8")
        tables = pattern_tables(lambda name: _rates(tallies, name), list(tallies))
        text = between_markers(DOCUMENT.read_text(encoding="utf-8"), MARKER, tables)
        DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
