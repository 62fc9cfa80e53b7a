"""Chart patterns drawn with a ruler and blurred by noise, and runs of the engine that look for chart patterns only."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from tests.analysis.series import Series, run, run_together, series
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.results import PatternHit
from tickstock.analysis.selection import Enabled
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

NAMES = tuple(entry.name for entry in CHART_PATTERNS)
MIRROR = {
    "HeadShoulders": "InverseHeadShoulders", "DoubleTop": "DoubleBottom", "TripleTop": "TripleBottom",
    "AscendingTriangle": "DescendingTriangle", "RisingWedge": "FallingWedge", "BullFlag": "BearFlag",
}  # fmt: skip
MIRROR |= {other: one for one, other in MIRROR.items()} | {name: name for name in ("SymmetricalTriangle", "RangeBreakout")}

Corners = list[tuple[int, float]]
START_UP: Corners = [(0, 100.0), (15, 100.0), (27, 96.0)]  # fourteen bars for the average range, then a low to rise from

DRAWINGS: dict[str, Corners] = {
    "HeadShoulders": [
        (0, 100.0), (15, 100.0), (30, 96.0), (45, 103.0), (57, 100.0), (69, 106.0), (81, 100.0), (93, 103.0), (110, 94.0),
    ],
    "DoubleTop": [*START_UP, (42, 103.0), (55, 99.5), (68, 103.0), (90, 93.0)],
    "TripleTop": [*START_UP, (42, 103.0), (55, 99.5), (68, 103.0), (81, 99.5), (94, 103.0), (114, 93.0)],
    "AscendingTriangle": [*START_UP, (40, 104.0), (60, 97.0), (80, 104.0), (97, 99.5), (112, 104.0), (121, 101.6), (135, 109.0)],
    "SymmetricalTriangle": [*START_UP, (40, 106.0), (62, 96.0), (84, 104.5), (104, 97.8), (120, 103.0), (128, 100.6), (144, 108)],
    "RisingWedge": [*START_UP, (40, 103.0), (58, 97.5), (80, 106.0), (98, 102.6), (120, 109.0), (145, 98.0)],
    "BullFlag": [(0, 100.0), (15, 100.0), (25, 97.5), (33, 105.0), (46, 103.6), (54, 110.0)],
}  # fmt: skip


def drawn(corners: Corners, seed: int, noise: float = 0.15) -> Series:
    """Bars along straight lines between corners, with noise."""
    generator = np.random.default_rng(seed)
    at, price = np.array(corners).T
    length = int(at[-1]) + 1
    close = np.interp(np.arange(length), at, price) + generator.normal(0, noise, length)
    opening = np.concatenate((close[:1], close[:-1]))
    upper, lower = np.abs(generator.normal(0, noise, (2, length)))
    return series(
        np.round(np.stack((opening, np.maximum(opening, close) + upper, np.minimum(opening, close) - lower, close), axis=1), 4)
    )


def mirrored(one: Series) -> Series:
    return one.with_prices(lambda price: 200.0 - price)


def shape_analysis(timeframe: str = "1min", lanes: int = 1, names: Collection[str] = NAMES) -> TimeframeAnalysis:
    """An engine for chart patterns only."""
    return TimeframeAnalysis(timeframe, lanes, Enabled(frozenset(names), (), frozenset()))


def shapes_of(one: Series, timeframe: str = "1min", names: Collection[str] = NAMES) -> list[PatternHit]:
    """The chart patterns of one symbol."""
    return [hit for result in run(one, timeframe, shape_analysis(timeframe, names=names)) for hit in result.shape_hits()]


def shapes_together(many: Sequence[Series], timeframe: str = "1min", names: Collection[str] = NAMES) -> list[PatternHit]:
    """The chart patterns of symbols of equally many bars."""
    results = run_together(many, timeframe, shape_analysis(timeframe, len(many), names))
    return [hit for result in results for hit in result.shape_hits()]


Event = tuple[int, str, str, str, str]


def by_lane(hits: Sequence[PatternHit]) -> dict[int, list[Event]]:
    """What is told of each lane: bar time, pattern, state, direction, key."""
    lanes: dict[int, list[Event]] = {}
    for hit in hits:
        lanes.setdefault(hit.lane, []).append((hit.bar_timestamp, hit.pattern, hit.state, hit.direction, hit.key))
    return lanes
