"""Momentum over lanes: RSI, Stochastic, CCI, Williams %R, rate of change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tickstock.analysis.indicator_kinds import INDICATOR_KINDS
from tickstock.analysis.results import Booleans, Floats, Integers
from tickstock.analysis.smoothing import SAME_PRICE, LastValues, MovingExtremes, WilderAverage, ratio, sum_of_rows, wilder_bars

if TYPE_CHECKING:
    from tickstock.analysis.indicators import IndicatorStep


class RelativeStrengthIndex:
    """RSI(p) after Wilder, first at index p; 0 for a series that has not moved, as TA-Lib has it."""

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
        value = 100.0 * ratio(gain, gain + loss)
        return {self.names[0]: step.since(self.period, value)}

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
        self.names = INDICATOR_KINDS["Stochastic"].value_names((period, slow_k, slow_d))
        self._first = period + slow_k + slow_d - 3
        self._extremes = MovingExtremes(period)
        self._places = LastValues(slow_k)
        self._slow = LastValues(slow_d)

    def ensure_lanes(self, lanes: int) -> None:
        for part in (self._extremes, self._places, self._slow):
            part.ensure_lanes(lanes)

    def reset(self) -> None:
        for part in (self._extremes, self._places, self._slow):
            part.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        highest, lowest = self._extremes.update(step.lanes, step.index, step.high, step.low)
        place = ratio(step.close - lowest, (highest - lowest) / 100.0)
        of_k = sum_of_rows(self._places.with_newest(step.lanes, step.index, place)) / self._places.period
        of_d = sum_of_rows(self._slow.with_newest(step.lanes, step.index, of_k)) / self._slow.period
        return {name: step.since(self._first, value) for name, value in zip(self.names, (of_k, of_d), strict=True)}

    def warm_from(self, seed_weight: float) -> int:
        return self._first


class CommodityChannelIndex:
    """CCI(p): the typical price less its mean, in 0.015 mean deviations, first at index p - 1; 0 where nothing deviates.

    At high prices the last bits of the mean show in the value; so they are summed in TA-Lib's order, from a ring of p.
    """

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["CCI"].value_names((period,))
        self._typical = LastValues(period)

    def ensure_lanes(self, lanes: int) -> None:
        self._typical.ensure_lanes(lanes)

    def reset(self) -> None:
        self._typical.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        typical = step.typical_price()
        window = self._typical.with_newest(step.lanes, step.index, typical)
        mean = sum_of_rows(window) / self.period
        window -= mean
        deviation = sum_of_rows(np.abs(window, out=window)) / self.period
        distance = typical - mean
        noise = SAME_PRICE * mean
        distance *= np.abs(distance) > noise
        deviation *= deviation > noise
        value = ratio(distance, 0.015 * deviation)
        return {self.names[0]: step.since(self.period - 1, value)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class WilliamsR:
    """Williams %R(p): how far the close is below the highest high of p bars, in their range: 0 to -100, first at index p - 1."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["WilliamsR"].value_names((period,))
        self._extremes = MovingExtremes(period)

    def ensure_lanes(self, lanes: int) -> None:
        self._extremes.ensure_lanes(lanes)

    def reset(self) -> None:
        self._extremes.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        highest, lowest = self._extremes.update(step.lanes, step.index, step.high, step.low)
        value = ratio(highest - step.close, (highest - lowest) / -100.0)
        return {self.names[0]: step.since(self.period - 1, value)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class RateOfChange:
    """ROC(p): by how many percent the close differs from the close p bars ago, first at index p."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["ROC"].value_names((period,))
        self._closes = LastValues(period)

    def ensure_lanes(self, lanes: int) -> None:
        self._closes.ensure_lanes(lanes)

    def reset(self) -> None:
        self._closes.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        before = step.since(self.period, self._closes.replace_oldest(step.lanes, step.index, step.close))
        return {self.names[0]: (step.close / before - 1.0) * 100.0}

    def warm_from(self, seed_weight: float) -> int:
        return self.period
