"""Momentum over lanes: RSI, Stochastic, CCI, Williams %R, rate of change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tickstock.analysis.indicator_kinds import INDICATOR_KINDS
from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import Booleans, Floats, Integers
from tickstock.analysis.smoothing import SAME_PRICE, WilderAverage, sum_of_rows, wilder_bars

if TYPE_CHECKING:
    from tickstock.analysis.indicators import IndicatorStep

class RelativeStrengthIndex:
    """RSI(p) after Wilder, first at index p; 0 for a series that has not moved, as TA-Lib has it."""

    reach = 1

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["RSI"].value_names((period,))
        self._averages = WilderAverage(period, rows=2)

    def ensure_lanes(self, lanes: int) -> None:
        self._averages.ensure_lanes(lanes)

    def reset(self) -> None:
        self._averages.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        change = step.close - step.previous_close
        moves = np.maximum(np.stack((change, -change)), 0.0)
        gain, loss = self._averages.update(step.lanes, step.index, moves)
        value = 100.0 * _ratio(gain, gain + loss)
        return {self.names[0]: np.where(step.index >= self.period, value, np.nan)}

    def has_moved(self, lanes: Integers) -> Booleans:
        """Where the value says something: not where the series has been flat, which gives 0 by convention."""
        gain, loss = self._averages.current(lanes)
        moved: Booleans = gain + loss > 0.0
        return moved

    def warm_from(self, seed_weight: float) -> int:
        return self.period + wilder_bars(self.period, seed_weight)


class Stochastic:
    """Slow stochastic: %K is the mean of the last places of the close in the range of p bars, %D the mean of the last %K.

    Both come first at the index at which %D is there. A place in a range of nothing is 0, as TA-Lib has it.
    """

    def __init__(self, period: int, slow_k: int, slow_d: int) -> None:
        self.period = self.reach = period
        self.names = INDICATOR_KINDS["Stochastic"].value_names((period, slow_k, slow_d))
        self._first = period + slow_k + slow_d - 3
        self._places = _LastValues(slow_k)
        self._slow = _LastValues(slow_d)

    def ensure_lanes(self, lanes: int) -> None:
        self._places.ensure_lanes(lanes)
        self._slow.ensure_lanes(lanes)

    def reset(self) -> None:
        self._places.reset()
        self._slow.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        lowest = step.lowest(self.period)
        place = _ratio(step.close - lowest, (step.highest(self.period) - lowest) / 100.0)
        of_k = self._places.mean_with(step.lanes, place)
        of_d = self._slow.mean_with(step.lanes, of_k)
        there = step.index >= self._first
        return {name: np.where(there, value, np.nan) for name, value in zip(self.names, (of_k, of_d), strict=True)}

    def warm_from(self, seed_weight: float) -> int:
        return self._first


class CommodityChannelIndex:
    """CCI(p): the typical price less its mean, in 0.015 mean deviations, first at index p - 1; 0 where nothing deviates.

    At high prices the last bits of the mean show in the value; so they are summed in TA-Lib's order, from a ring of p.
    """

    reach = 0

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["CCI"].value_names((period,))
        self._state = LaneArrays()
        self._state.add("typical", rows=period)

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        typical = step.typical_price()
        self._state["typical"][step.index % self.period, step.lanes] = typical
        window = self._state.take("typical", step.lanes)
        mean = sum_of_rows(window) / self.period
        window -= mean
        deviation = sum_of_rows(np.abs(window, out=window)) / self.period
        distance = typical - mean
        distance[np.abs(distance) <= SAME_PRICE * mean] = 0.0
        deviation[deviation <= SAME_PRICE * mean] = 0.0
        value = _ratio(distance, 0.015 * deviation)
        return {self.names[0]: np.where(step.index >= self.period - 1, value, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class WilliamsR:
    """Williams %R(p): how far the close is below the highest high of p bars, in their range: 0 to -100, first at index p - 1."""

    def __init__(self, period: int) -> None:
        self.period = self.reach = period
        self.names = INDICATOR_KINDS["WilliamsR"].value_names((period,))

    def ensure_lanes(self, lanes: int) -> None:
        """It remembers nothing: the window has all it needs."""

    def reset(self) -> None:
        """As there is nothing to forget, nothing is done."""

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        highest = step.highest(self.period)
        value = _ratio(highest - step.close, (highest - step.lowest(self.period)) / -100.0)
        return {self.names[0]: np.where(step.index >= self.period - 1, value, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class RateOfChange:
    """ROC(p): by how many percent the close differs from the close p bars ago, first at index p."""

    def __init__(self, period: int) -> None:
        self.period = self.reach = period
        self.names = INDICATOR_KINDS["ROC"].value_names((period,))

    def ensure_lanes(self, lanes: int) -> None:
        """It remembers nothing: the window has all it needs."""

    def reset(self) -> None:
        """As there is nothing to forget, nothing is done."""

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        there = step.index >= self.period
        before = np.where(there, step.window.column("close", self.period), np.nan)
        return {self.names[0]: (step.close / before - 1.0) * 100.0}

    def warm_from(self, seed_weight: float) -> int:
        return self.period


class _LastValues:
    """The last few values of a quantity: few enough to be summed anew at each bar."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._state = LaneArrays()
        self._state.add("values", rows=count)

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def mean_with(self, lanes: Integers, value: Floats) -> Floats:
        """The mean of the last `count` values, this one included."""
        before = self._state.take("values", lanes)
        values = np.concatenate((value[np.newaxis], before[:-1]))
        self._state.put("values", lanes, values)
        return sum_of_rows(values) / self._count


def _ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole; 0 where the whole is nothing."""
    something = whole != 0.0
    ratio: Floats = np.where(something, part / np.where(something, whole, 1.0), 0.0)
    return ratio
