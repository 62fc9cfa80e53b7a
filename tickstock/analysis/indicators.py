"""Indicators over lanes: one class per kind, each taking one bar of many lanes at a time; seeded and smoothed as TA-Lib does it.

A lane's value depends on that lane's bars alone and on nothing that drifts: moving sums carry what rounding took from them, so
that they still are the sum of the window after years of bars.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tickstock.analysis.lanes import LaneArrays, RingView
from tickstock.analysis.results import Booleans, Floats, Integers

TALIB_ZERO = 1e-14  # what TA-Lib takes for zero (TA_EPSILON): an average move below it is none


@dataclass(slots=True)
class IndicatorStep:
    """One new bar of k lanes, as indicators see it; prices as printed."""

    lanes: Integers
    index: Integers  # of the bar in the lane's series, from 0
    high: Floats
    low: Floats
    close: Floats
    volume: Floats  # shares
    previous_close: Floats  # 0 at index 0
    starts_session: Booleans  # the bar is the first of its session in this lane, on any timeframe
    window: RingView  # the last bars (high, low, close, volume), the new one at lag 0


class LaneState(Protocol):
    """A part of the analysis that remembers something of each lane."""

    def ensure_lanes(self, lanes: int) -> None:
        """Make room for lanes 0 to `lanes - 1`."""

    def reset(self) -> None:
        """Forget every bar."""


class Indicator(LaneState, Protocol):
    """A kind of indicator with its parameters; several instances stand side by side."""

    names: tuple[str, ...]  # as published
    reach: int  # how many bars back it reads the window

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        """The values at the new bar, by name; NaN before TA-Lib's first index."""

    def warm_from(self, seed_weight: float) -> int:
        """The index of the first bar at which what the seed still weighs is under `seed_weight`."""


class SimpleMovingAverage:
    """SMA(p): the mean of the last p closes, first at index p - 1."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.reach = period
        self.names: tuple[str, ...] = (f"SMA_{period}",)
        self._state = LaneArrays()
        self._state.add("sum")
        self._state.add("lost")  # what rounding took from the sum

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        leaving = np.where(step.index >= self.period, step.window.column("close", self.period), 0.0)
        change, lost_in_change = _exact_sum(step.close, -leaving)
        total, lost_in_total = _exact_sum(self._state.take("sum", step.lanes), change)
        lost = self._state.take("lost", step.lanes) + (lost_in_change + lost_in_total)
        self._state.put("sum", step.lanes, total)
        self._state.put("lost", step.lanes, lost)
        mean = (total + lost) / self.period
        return {self.names[0]: np.where(step.index >= self.period - 1, mean, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class RelativeStrengthIndex:
    """RSI(p) after Wilder, first at index p; 0 for a series that has not moved, as TA-Lib has it."""

    reach = 1

    def __init__(self, period: int) -> None:
        self.period = period
        self.names: tuple[str, ...] = (f"RSI_{period}",)
        self._averages = WilderAverage(period, rows=2)

    def ensure_lanes(self, lanes: int) -> None:
        self._averages.ensure_lanes(lanes)

    def reset(self) -> None:
        self._averages.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        change = step.close - step.previous_close
        moves = np.maximum(np.stack((change, -change)), 0.0)
        gain, loss = self._averages.update(step.lanes, step.index, moves)
        total = gain + loss
        moved = total >= TALIB_ZERO
        value = np.where(moved, 100.0 * (gain / np.where(moved, total, 1.0)), 0.0)
        return {self.names[0]: np.where(step.index >= self.period, value, np.nan)}

    def has_moved(self, lanes: Integers) -> Booleans:
        """Where the value says something: not where the series has been flat, which gives 0 by convention."""
        gain, loss = self._averages.current(lanes)
        moved: Booleans = gain + loss >= TALIB_ZERO
        return moved

    def warm_from(self, seed_weight: float) -> int:
        return self.period + bars_until_weight((self.period - 1) / self.period, seed_weight)


class AverageTrueRange:
    """ATR(p) after Wilder, first at index p: the true range needs the close before."""

    reach = 1

    def __init__(self, period: int) -> None:
        self.period = period
        self.names: tuple[str, ...] = (f"ATR_{period}",)
        self._average = WilderAverage(period, rows=1)

    def ensure_lanes(self, lanes: int) -> None:
        self._average.ensure_lanes(lanes)

    def reset(self) -> None:
        self._average.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        true_range = np.maximum(step.high, step.previous_close) - np.minimum(step.low, step.previous_close)
        average = self._average.update(step.lanes, step.index, true_range[np.newaxis])[0]
        return {self.names[0]: np.where(step.index >= self.period, average, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period + bars_until_weight((self.period - 1) / self.period, seed_weight)


class WilderAverage:
    """Wilder's smoothing of `rows` quantities: the mean of those at index 1 to p, from then on (avg (p - 1) + x) / p.

    Before index p it holds the sum so far; index 0 adds nothing. The order of operations is TA-Lib's.
    """

    def __init__(self, period: int, rows: int) -> None:
        self.period = period
        self._state = LaneArrays()
        self._state.add("average", rows=rows)

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def current(self, lanes: Integers) -> Floats:
        return self._state.take("average", lanes)

    def update(self, lanes: Integers, index: Integers, values: Floats) -> Floats:
        """Take the values [rows, k] of a bar and return the averages [rows, k]."""
        before = self._state.take("average", lanes)
        average: Floats = (before * (self.period - 1) + values) / self.period
        seeding = index <= self.period
        if seeding.any():
            total = before + np.where(index > 0, values, 0.0)
            average = np.where(seeding, np.where(index == self.period, total / self.period, total), average)
        self._state.put("average", lanes, average)
        return average


def bars_until_weight(decay: float, weight: float) -> int:
    """The smallest m with decay ** m < weight: how many bars a recursive average needs to forget its seed that far."""
    bars = math.ceil(math.log(weight) / math.log(decay))
    return bars if decay**bars < weight else bars + 1


def _exact_sum(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """The rounded sum and exactly what rounding took from it (Knuth's TwoSum)."""
    total = left + right
    right_part = total - left
    return total, (left - (total - right_part)) + (right - right_part)


def indicator_from(instance: str) -> Indicator:
    """The indicator that an instance's name stands for: RSI_14, SMA_20.

    Raises:
        KeyError: there is no such kind.
    """
    kind, *parameters = instance.split("_")
    made: Indicator = KINDS[kind](*(int(each) for each in parameters))
    return made


KINDS: Mapping[str, Callable[..., Indicator]] = {
    "RSI": RelativeStrengthIndex,
    "SMA": SimpleMovingAverage,
    "ATR": AverageTrueRange,
}
