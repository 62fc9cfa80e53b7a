"""Moving averages over lanes: SMA, EMA, WMA, and MACD, which is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tickstock.analysis.indicator_kinds import INDICATOR_KINDS
from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import Floats
from tickstock.analysis.smoothing import ExponentialAverage, LastValues, MovingSums, exact_product, exact_sum, exponential_bars

if TYPE_CHECKING:
    from tickstock.analysis.indicators import IndicatorStep


class SimpleMovingAverage:
    """SMA(p): the mean of the last p closes, first at index p - 1."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["SMA"].value_names((period,))
        self._closes = LastValues(period)
        self._sum = MovingSums(rows=1)

    def ensure_lanes(self, lanes: int) -> None:
        self._closes.ensure_lanes(lanes)
        self._sum.ensure_lanes(lanes)

    def reset(self) -> None:
        self._closes.reset()
        self._sum.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        leaving = self._closes.replace_oldest(step.lanes, step.index, step.close)
        total = self._sum.update(step.lanes, step.close[np.newaxis], leaving)[0]
        return {self.names[0]: step.since(self.period - 1, total / self.period)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class ExponentialMovingAverage:
    """EMA(p): the mean of the first p closes at index p - 1; from then on each close moves it by 2 / (p + 1) of the way."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["EMA"].value_names((period,))
        self._average = ExponentialAverage((period,), starts=(0,))

    def ensure_lanes(self, lanes: int) -> None:
        self._average.ensure_lanes(lanes)

    def reset(self) -> None:
        self._average.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        average = self._average.update(step.lanes, step.index, step.close)[0]
        return {self.names[0]: step.since(self.period - 1, average)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1 + exponential_bars(self.period, seed_weight)


class WeightedMovingAverage:
    """WMA(p): the last p closes weighted p for the newest down to 1, first at index p - 1.

    With a new bar each weight falls by 1, so the sum of the closes before it goes off the weighted sum, and p times the new close
    comes to it. Both sums carry what rounding took from them.
    """

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["WMA"].value_names((period,))
        self._closes = LastValues(period)
        self._state = LaneArrays()
        for name in ("sum", "sum_lost", "weighted", "weighted_lost"):
            self._state.add(name)

    def ensure_lanes(self, lanes: int) -> None:
        self._closes.ensure_lanes(lanes)
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._closes.reset()
        self._state.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        names = ("sum", "sum_lost", "weighted", "weighted_lost")
        total, total_lost, weighted, weighted_lost = (self._state.take(name, step.lanes) for name in names)
        entering, lost_entering = exact_product(step.close, self.period)
        change, lost_in_change = exact_sum(entering, -total)
        weighted, lost = exact_sum(weighted, change)
        weighted_lost += lost + lost_in_change + lost_entering - total_lost
        leaving = self._closes.replace_oldest(step.lanes, step.index, step.close)
        change, lost_in_change = exact_sum(step.close, -leaving)
        total, lost = exact_sum(total, change)
        total_lost += lost + lost_in_change
        for name, value in zip(names, (total, total_lost, weighted, weighted_lost), strict=True):
            self._state.put(name, step.lanes, value)
        mean = (weighted + weighted_lost) / (self.period * (self.period + 1) // 2)
        return {self.names[0]: step.since(self.period - 1, mean)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class MovingAverageConvergenceDivergence:
    """MACD(fast, slow, signal): EMA(fast) - EMA(slow), the EMA of that as its signal, and the difference of both.

    As TA-Lib has it, both averages begin at index slow - 1, the fast one as the mean of the last `fast` closes up to there; and
    nothing is published before the signal begins, at index slow + signal - 2.
    """

    def __init__(self, fast: int, slow: int, signal: int) -> None:
        self.names = INDICATOR_KINDS["MACD"].value_names((fast, slow, signal))
        self._first = slow + signal - 2
        self._slow, self._signal = slow, signal
        self._averages = ExponentialAverage((fast, slow), starts=(slow - fast, 0))
        self._signal_average = ExponentialAverage((signal,), starts=(slow - 1,))

    def ensure_lanes(self, lanes: int) -> None:
        self._averages.ensure_lanes(lanes)
        self._signal_average.ensure_lanes(lanes)

    def reset(self) -> None:
        self._averages.reset()
        self._signal_average.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        fast, slow = self._averages.update(step.lanes, step.index, step.close)
        signal = self._signal_average.update(step.lanes, step.index, fast - slow)[0]
        macd, signal = step.since(self._first, fast - slow), step.since(self._first, signal)
        return dict(zip(self.names, (macd, signal, macd - signal), strict=True))

    def warm_from(self, seed_weight: float) -> int:
        of_slow = self._slow - 1 + exponential_bars(self._slow, seed_weight)
        return max(of_slow, self._first + exponential_bars(self._signal, seed_weight))
