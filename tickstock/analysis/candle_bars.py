"""Bars as the candle engine sees them: prices as whole numbers of 1/10,000 dollar in float64, on the live or the history axis.

With whole numbers every sum is exact, so that ties decide the same way whatever the order of the bars; running sums of bodies,
ranges and shadows then give the candle averages of any lag from two look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.lanes import BarRing, RingView
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers

UNITS_PER_DOLLAR = 10_000
TickSize = Callable[[Floats], Floats]  # the tick at each price
DEPTH = 16  # bars that are kept: five of a pattern, ten of the averages before it, and one
SUMS = ("bodies", "ranges", "shadows")  # running, of all bars up to each
FIELDS = ("open", "high", "low", "close", "volume", "timestamp", "session", *SUMS)


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
        for name in SUMS:
            fields[name] = before.column(name, 0) + fields[name]
        self._ring.append(lanes, fields)
        return self._ring.at(lanes)

    def fill(self, lanes: Integers, bars: BarColumns, session_start: Integers) -> None:
        """Begin untouched lanes with stored bars, a lane's in a row and in order of time: as if all had been appended.

        The running sums begin with the bars that are kept: only differences between those are ever taken.
        """
        of_lane = np.flatnonzero(np.diff(lanes, prepend=-1))
        lengths = np.diff(of_lane, append=len(lanes))
        place = np.arange(len(lanes)) - np.repeat(of_lane, lengths)
        kept = np.flatnonzero(place >= np.repeat(lengths, lengths) - DEPTH)
        fields = _fields(bars.rows(kept), session_start[kept])
        first = np.flatnonzero(np.diff(lanes[kept], prepend=-1))
        for name in SUMS:
            total = np.cumsum(fields[name])
            before = np.repeat(total[first] - fields[name][first], np.diff(first, append=len(kept)))
            fields[name] = total - before
        self._ring.put(lanes[kept], place[kept], fields)


class HistoryBars:
    """The bars of symbols, one symbol's behind the other's: a lane is each of their moments.

    Before each symbol's bars lie `DEPTH` moments of nothing, so that a lag is a shift for all of them; they are lanes without a
    bar, in which no pattern can be.
    """

    def __init__(self, bars: BarColumns, session_start: Integers, lengths: Sequence[int] | None = None) -> None:
        """`lengths` are the numbers of bars of the symbols, in their order; without it all bars are of one symbol."""
        fields = _fields(bars, session_start)
        lengths = [len(bars.close)] if lengths is None else lengths
        places = np.concatenate([np.arange(length) for length in lengths] or [np.empty(0, np.int64)])
        symbol = np.repeat(np.arange(len(lengths)), lengths)
        self._moment = np.arange(len(places)) + DEPTH * (symbol + 1)  # of each bar
        size = len(places) + DEPTH * len(lengths)
        self._bar = np.full(size, -1)
        self._bar[self._moment] = np.arange(len(places))
        self._padded: dict[str, NDArray[Any]] = {}
        for name, values in fields.items():
            padded = np.zeros(size, values.dtype)
            padded[self._moment] = values
            self._padded[name] = np.cumsum(padded) if name in SUMS else padded
        self._available = np.zeros(size, np.int64)
        self._available[self._moment] = places + 1

    def __len__(self) -> int:
        return len(self._bar)

    def moments(self, first: int, last: int) -> HistoryStretch:
        """The moments from `first` to before `last`, of which the first `DEPTH` are nothing."""
        return HistoryStretch(self._padded, self._available, max(first, DEPTH), last)

    def at(self, moments: Integers) -> HistoryMoments:
        """These moments."""
        return HistoryMoments(self._padded, self._available, moments)

    def moment_of(self, bars: Integers) -> Integers:
        """The moment of each of these bars, counted over all symbols."""
        return self._moment[bars]

    def bar_at(self, moments: Integers) -> Integers:
        """The bar of each of these moments, counted over all symbols."""
        return self._bar[moments]


class HistoryStretch:
    """Moments in a row."""

    def __init__(self, padded: dict[str, NDArray[Any]], available: Integers, first: int, last: int) -> None:
        self._padded = padded
        self._of_all = available
        self.first = first
        self._last = last
        self.available = available[first:last]

    def column(self, name: str, lag: int) -> NDArray[Any]:
        return self._padded[name][self.first - lag : self._last - lag]

    def select(self, chosen: Integers | Booleans) -> HistoryMoments:
        return HistoryMoments(self._padded, self._of_all, np.arange(self.first, self._last)[chosen])


class HistoryMoments:
    """Some moments."""

    def __init__(self, padded: dict[str, NDArray[Any]], available: Integers, moments: Integers) -> None:
        self._padded = padded
        self._of_all = available
        self._moments = moments
        self.available = available[moments]

    def column(self, name: str, lag: int) -> NDArray[Any]:
        return self._padded[name].take(self._moments - lag)

    def select(self, chosen: Integers | Booleans) -> HistoryMoments:
        return HistoryMoments(self._padded, self._of_all, self._moments[chosen])


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
