"""What goes into the analysis of a bar close and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tickstock.analysis.candlesticks import CandlestickPattern

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
