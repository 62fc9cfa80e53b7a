"""Moving averages over lanes: SMA, EMA, WMA, and MACD, which is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tickstock.analysis.indicator_kinds import INDICATOR_KINDS
from tickstock.analysis.results import Floats
from tickstock.analysis.smoothing import ExponentialAverage, MovingSums, exponential_bars, sum_of_rows

if TYPE_CHECKING:
    from tickstock.analysis.indicators import IndicatorStep


class SimpleMovingAverage:
    """SMA(p): the mean of the last p closes, first at index p - 1."""

    def __init__(self, period: int) -> None:
        self.period = self.reach = period
        self.names = INDICATOR_KINDS["SMA"].value_names((period,))
        self._sum = MovingSums(rows=1)

    def ensure_lanes(self, lanes: int) -> None:
        self._sum.ensure_lanes(lanes)

    def reset(self) -> None:
        self._sum.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        leaving = step.window.column("close", self.period)
        total = self._sum.update(step.lanes, step.close[np.newaxis], leaving)[0]
        return {self.names[0]: np.where(step.index >= self.period - 1, total / self.period, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class ExponentialMovingAverage:
    """EMA(p): the mean of the first p closes at index p - 1; from then on each close moves it by 2 / (p + 1) of the way."""

    reach = 0

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
        return {self.names[0]: np.where(step.index >= self.period - 1, average, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1 + exponential_bars(self.period, seed_weight)


class WeightedMovingAverage:
    """WMA(p): the last p closes weighted p for the newest down to 1, first at index p - 1."""

    def __init__(self, period: int) -> None:
        self.period = self.reach = period
        self.names = INDICATOR_KINDS["WMA"].value_names((period,))
        self._weights = np.arange(period, 0, -1.0)[:, np.newaxis]

    def ensure_lanes(self, lanes: int) -> None:
        """It remembers nothing: the window has all it needs."""

    def reset(self) -> None:
        """As there is nothing to forget, nothing is done."""

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        weighted = sum_of_rows(step.last_closes(self.period) * self._weights)
        mean = weighted / (self.period * (self.period + 1) // 2)
        return {self.names[0]: np.where(step.index >= self.period - 1, mean, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class MovingAverageConvergenceDivergence:
    """MACD(fast, slow, signal): EMA(fast) - EMA(slow), the EMA of that as its signal, and the difference of both.

    As TA-Lib has it, both averages begin at index slow - 1, the fast one as the mean of the last `fast` closes up to there; and
    nothing is published before the signal begins, at index slow + signal - 2.
    """

    reach = 0

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
        macd = np.where(step.index >= self._first, fast - slow, np.nan)
        signal = self._signal_average.update(step.lanes, step.index, fast - slow)[0]
        signal = np.where(step.index >= self._first, signal, np.nan)
        return dict(zip(self.names, (macd, signal, macd - signal), strict=True))

    def warm_from(self, seed_weight: float) -> int:
        of_slow = self._slow - 1 + exponential_bars(self._slow, seed_weight)
        return max(of_slow, self._first + exponential_bars(self._signal, seed_weight))
