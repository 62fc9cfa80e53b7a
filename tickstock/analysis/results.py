"""What goes into the analysis of a bar close and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
class BarResult:
    """All that one bar close gave, for the lanes that closed a bar."""

    lanes: Integers
    values: dict[str, Floats]  # by published name; NaN where a value does not exist yet
    patterns: list[PatternHit]
    alerts: list[AlertHit]
    suppressed: int  # candlesticks found in bars too thin to mean anything
