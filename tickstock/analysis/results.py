"""What goes into the analysis of a bar close and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tickstock.analysis.candlesticks import CandlestickPattern

# What is told of the bar of every pattern, and the figure that it is.
CONTEXT = {"volume_ratio": "BarVolumeRatio", "day_position": "day_position"}

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


class BarColumns(NamedTuple):
    """One closed bar for each of k lanes, as arrays of length k."""

    timestamp: Integers  # start of the bar, Unix milliseconds
    open: Floats  # dollars, as printed
    high: Floats
    low: Floats
    close: Floats
    volume: Floats | Integers  # shares

    def rows(self, index: Integers | Booleans) -> BarColumns:
        """The bars at these positions."""
        return BarColumns(
            self.timestamp[index], self.open[index], self.high[index], self.low[index], self.close[index], self.volume[index]
        )


@dataclass(slots=True)
class PatternHit:
    """A pattern found in a closed bar, or the new state of a chart pattern.

    `key` is the last part of the message's id: the bar time for a candlestick; for a chart pattern the bar times of its first
    and last defining pivot, joined by a dash, the same in every state.
    """

    lane: int
    pattern: str
    direction: str  # bullish | bearish | neutral
    state: str  # confirmed | forming | void
    quality: float
    price: float  # the bar's close
    bar_timestamp: int
    key: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class AlertHit:
    """A quantity crossed its threshold at a bar's close."""

    lane: int
    alert: str
    indicator: str
    value: float
    threshold: float
    direction: str
    bar_timestamp: int


@dataclass(slots=True)
class Candlesticks:
    """The detections of one candlestick pattern: parallel arrays, `place` counting among the lanes that were searched."""

    pattern: CandlestickPattern
    place: Integers
    side: Integers  # +1 bullish or white, -1 bearish or black, 0 neither
    marked: Booleans  # of the pattern's other value: an end that touches, the confirming bar
    quality: Floats
    trend: Integers  # +1 as the book asks, -1 against it, 0 flat
    after_gap: Booleans

    def directions(self) -> list[str]:
        """bullish, bearish or neutral, for each detection."""
        if self.pattern.direction != "either":
            return [self.pattern.direction] * len(self.place)
        return ["bullish" if side > 0 else "bearish" for side in self.side.tolist()]

    def details(self) -> list[dict[str, Any]]:
        """The `details` of each detection."""
        pattern, words = self.pattern, {1: "with", -1: "against", 0: "flat"}
        found: list[dict[str, Any]] = []
        columns = (self.side, self.marked, self.trend, self.after_gap)
        for side, marked, trend, after_gap in zip(*(column.tolist() for column in columns), strict=True):
            details: dict[str, Any] = {}
            if pattern.direction == "neutral" and side:
                details["colour"] = "white" if side > 0 else "black"
            if pattern.mark is not None:
                details |= pattern.mark.details(marked)
            if pattern.role != "indecision":
                details["trend_before"] = words[trend]
            if after_gap:
                details["after_gap"] = True
            found.append(details)
        return found


@dataclass(slots=True)
class BarResult:
    """All that one bar close gave, for the lanes that closed a bar."""

    lanes: Integers
    bars: BarColumns
    values: dict[str, Floats]  # by published name; NaN where a value does not exist yet
    figures: Mapping[str, Floats]  # of the trading day at the bar's end
    candlesticks: list[Candlesticks]
    shapes: list[PatternHit]
    alerts: list[AlertHit]
    suppressed: int  # candlesticks found in bars too thin to mean anything

    def pattern_hits(self) -> list[PatternHit]:
        """Every pattern as a hit of its own, with the context of its bar."""
        hits: list[PatternHit] = []
        for found in self.candlesticks:
            place = found.place
            columns = (self.lanes[place], found.quality, self.bars.close[place], self.bars.timestamp[place])
            hits += [
                PatternHit(
                    lane, found.pattern.name, direction, "confirmed", quality, price, timestamp, str(timestamp), details | context
                )
                for lane, quality, price, timestamp, direction, details, context in zip(
                    *(column.tolist() for column in columns),
                    found.directions(), found.details(), self._context(place), strict=True,
                )
            ]  # fmt: skip
        if self.shapes:
            for hit, context in zip(self.shapes, self._context(self.places_of_shapes()), strict=True):
                hit.details |= context
        return hits + self.shapes

    def places_of_shapes(self) -> Integers:
        """Where among the lanes each chart pattern's is."""
        order = np.argsort(self.lanes)
        return order[np.searchsorted(self.lanes, [hit.lane for hit in self.shapes], sorter=order)]

    def _context(self, place: Integers) -> list[dict[str, Any]]:
        """What is known of the bars at these places, rounded for the eye; what does not exist is left out."""
        there = [name for name, figure in CONTEXT.items() if figure in self.figures]
        columns = [self.figures[CONTEXT[name]].take(place).round(2).tolist() for name in there]
        rows = zip(*columns, strict=True) if columns else [()] * len(place)
        return [{name: value for name, value in zip(there, row, strict=True) if value == value} for row in rows]
