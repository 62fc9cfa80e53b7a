"""Looks for patterns in all bars of a series at once, with the definitions that the live analysis uses."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from tickstock.analysis.candle_bars import HistoryBars
from tickstock.analysis.candlestick_detector import CandlestickDetector
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.outcome_tally import SIDES, OutcomeTally
from tickstock.analysis.results import Candlesticks, Floats, Integers, PatternHit
from tickstock.analysis.shape_history import chart_patterns_over_history
from tickstock.history.bar_series import BarSeries

STRETCH = 16_384  # moments that are searched together: what stays in the cache

Progress = Callable[[int], None]  # is told how many more bars were searched


class Detection(NamedTuple):
    """One pattern in one bar."""

    symbol: str
    timeframe: str
    pattern: str
    direction: str
    state: str
    bar_timestamp: int  # start of the bar
    price: float  # its close
    quality: float
    details: dict[str, Any]


class Places(NamedTuple):
    """Where one pattern is confirmed in one direction."""

    pattern: str
    side: int
    bar: Integers
    quality: Floats


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found in a series; `place` of the candlesticks counts its bars."""

    series: BarSeries
    candlesticks: list[list[Candlesticks]]  # by stretch of bars
    shapes: list[PatternHit]  # chart patterns, in the order of time
    suppressed: int  # candlesticks in bars too thin to mean anything

    def detections(self) -> Iterator[Detection]:
        """Each detection, in the order of time and then of the patterns' names."""
        shapes = deque(self.shapes)
        for stretch in self.candlesticks:
            told = [detection for each in stretch for detection in self._of_candlestick(each)]
            last = max((each.bar_timestamp for each in told), default=0)
            while shapes and shapes[0].bar_timestamp <= last:
                told.append(self._of_shape(shapes.popleft()))
            yield from sorted(told, key=lambda each: (each.bar_timestamp, each.pattern))
        yield from map(self._of_shape, shapes)

    def confirmed(self) -> Iterator[Places]:
        """The confirmed detections by pattern and direction, each in the order of time."""
        pieces: dict[tuple[str, int], list[tuple[Integers, Floats]]] = {}
        for each in chain.from_iterable(self.candlesticks):
            side = each.side if each.pattern.direction == "either" else np.full(len(each.place), SIDES[each.pattern.direction])
            for one in np.unique(side).tolist():
                pieces.setdefault((each.pattern.name, one), []).append((each.place[side == one], each.quality[side == one]))
        for hit in self.shapes:
            if hit.state == "confirmed":
                bar = np.searchsorted(self.series.bars.timestamp, [hit.bar_timestamp])
                pieces.setdefault((hit.pattern, SIDES[hit.direction]), []).append((bar, np.array([hit.quality])))
        for (pattern, one), parts in sorted(pieces.items()):
            bars, qualities = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            yield Places(pattern, one, bars, qualities)

    def add_to(self, tallies: Sequence[OutcomeTally]) -> None:
        """Take what followed all bars and these detections into tallies of the series' timeframe."""
        series, confirmed = self.series, list(self.confirmed())
        for tally in tallies:
            outcomes = tally.add_bars(series.symbol, series.bars, series.session_start)
            for each in confirmed:
                tally.add_detections(outcomes, each.pattern, each.side, each.bar, each.quality)

    def _of_candlestick(self, found: Candlesticks) -> Iterator[Detection]:
        series, bars = self.series, self.series.bars
        columns = (bars.timestamp[found.place], bars.close[found.place], found.quality)
        for direction, details, at, price, quality in zip(
            found.directions(), found.details(), *(column.tolist() for column in columns), strict=True
        ):
            yield Detection(
                series.symbol, series.timeframe, found.pattern.name, direction, "confirmed", at, price, quality, details
            )

    def _of_shape(self, hit: PatternHit) -> Detection:
        return Detection(
            self.series.symbol, self.series.timeframe, hit.pattern, hit.direction, hit.state, hit.bar_timestamp, hit.price,
            hit.quality, hit.details,
        )  # fmt: skip


def search(series: BarSeries, patterns: Collection[str], progress: Progress) -> Found:
    """Everything of these patterns in a series."""
    detector = CandlestickDetector([each for each in CANDLESTICKS.values() if each.name in patterns], series.timeframe)
    history = HistoryBars(series.bars, series.session_start)
    stretches: list[list[Candlesticks]] = []
    suppressed = 0
    for first in range(0, len(history), STRETCH):
        moments = history.moments(first, min(first + STRETCH, len(history)))
        found, thin = detector.detect(moments)
        stretches.append([replace(each, place=history.bar_at(each.place + moments.first)) for each in found])
        suppressed += thin
        progress(len(moments.available))
    shapes = chart_patterns_over_history(series.bars, series.session_start, series.timeframe, patterns)
    return Found(series, stretches, shapes, suppressed)
