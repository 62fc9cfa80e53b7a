"""Bars as the candle engine sees them: prices as whole numbers of 1/10,000 dollar in float64, on the live or the history axis.

With whole numbers every sum is exact, so that ties decide the same way whatever the order of the bars; running sums of bodies,
ranges and shadows then give the candle averages of any lag from two look-ups.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.lanes import BarRing, RingView
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers

UNITS_PER_DOLLAR = 10_000
TickSize = Callable[[Floats], Floats]  # the tick at each price
DEPTH = 16  # bars that are kept: five of a pattern, ten of the averages before it, and one
FIELDS = ("open", "high", "low", "close", "volume", "timestamp", "session", "bodies", "ranges", "shadows")


class LaggedBars(Protocol):
    """Bars of many lanes, read by lag."""

    available: Integers  # bars in the lane's series up to its lag 0

    def column(self, name: str, lag: int) -> NDArray[Any]:
        """A field `lag` bars ago; 0 where the series is shorter."""

    def select(self, chosen: Integers | Booleans) -> LaggedBars:
        """Only these of the lanes."""


class LiveBars:
    """The last bars of every lane: a lane is a symbol, now."""

    def __init__(self) -> None:
        self._ring = BarRing(FIELDS, DEPTH)

    def ensure_lanes(self, lanes: int) -> None:
        self._ring.ensure(lanes)

    def reset(self) -> None:
        self._ring.reset()

    def append(self, lanes: Integers, bars: BarColumns, session_start: Integers) -> RingView:
        """Put one bar behind the others of each of these lanes; returns the lanes with their new bars."""
        before = self._ring.at(lanes)
        fields = _fields(bars, session_start)
        for name in ("bodies", "ranges", "shadows"):
            fields[name] = before.column(name, 0) + fields[name]
        self._ring.append(lanes, fields)
        return self._ring.at(lanes)


class HistoryBars:
    """The bars of one symbol: a lane is each of its moments, in their order."""

    def __init__(self, bars: BarColumns, session_start: Integers) -> None:
        fields = _fields(bars, session_start)
        for name in ("bodies", "ranges", "shadows"):
            fields[name] = np.cumsum(fields[name])
        nothing = np.zeros(DEPTH)
        self._length = len(bars.close)
        self._padded = {name: np.concatenate((nothing, values)) for name, values in fields.items()}
        self.available: Integers = np.arange(1, self._length + 1)

    def column(self, name: str, lag: int) -> NDArray[Any]:
        return self._padded[name][DEPTH - lag : DEPTH - lag + self._length]

    def select(self, chosen: Integers | Booleans) -> HistoryMoments:
        return HistoryMoments(self._padded, np.arange(self._length)[chosen])


class HistoryMoments:
    """Some moments of one symbol's bars."""

    def __init__(self, padded: dict[str, NDArray[Any]], moments: Integers) -> None:
        self._padded = padded
        self._moments = moments
        self.available: Integers = moments + 1

    def column(self, name: str, lag: int) -> NDArray[Any]:
        return self._padded[name].take(self._moments + (DEPTH - lag))

    def select(self, chosen: Integers | Booleans) -> HistoryMoments:
        return HistoryMoments(self._padded, self._moments[chosen])


def to_units(dollars: Floats) -> Floats:
    """Prices as whole 1/10,000 dollars, half to even.

    A printed price that ends in half a unit (0.00015) is such a half only in decimal; its float64 times 10,000 may be a hair off,
    so what lies within rounding of a half is taken for one.
    """
    units = dollars * UNITS_PER_DOLLAR
    halves = np.rint(units * 2)
    near = np.abs(units * 2 - halves) <= 4 * np.spacing(np.abs(halves))
    rounded: Floats = np.rint(np.where(near, halves / 2, units))
    return rounded


def tick_in_units(price: Floats) -> Floats:
    """The tick at a price in units: a cent at or above one dollar, else 1/10,000 dollar."""
    return np.where(price >= UNITS_PER_DOLLAR, 100.0, 1.0)


def tick_in_dollars(price: Floats) -> Floats:
    """The tick at a price in dollars: a cent at or above one dollar, else 1/10,000 dollar."""
    return np.where(price >= 1.0, 0.01, 0.0001)


def _fields(bars: BarColumns, session_start: Integers) -> dict[str, NDArray[Any]]:
    prices = to_units(np.stack((bars.open, bars.high, bars.low, bars.close)))
    opening, high, low, close = prices
    body = np.abs(close - opening)
    bar_range = high - low
    return {
        "open": opening,
        "high": high,
        "low": low,
        "close": close,
        "volume": bars.volume,
        "timestamp": bars.timestamp,
        "session": session_start,
        "bodies": body,
        "ranges": bar_range,
        "shadows": bar_range - body,
    }
