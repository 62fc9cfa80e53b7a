"""Ranges and what moves within them, over lanes: ATR, Bollinger bands, the Donchian channel, ADX with its two lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tickstock.analysis.indicator_kinds import INDICATOR_KINDS
from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import Booleans, Floats
from tickstock.analysis.smoothing import LastValues, MovingExtremes, WilderAverage, ratio, sum_of_rows, wilder_bars

if TYPE_CHECKING:
    from tickstock.analysis.indicators import IndicatorStep


class AverageTrueRange:
    """ATR(p) after Wilder, first at index p: the true range needs the close before."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["ATR"].value_names((period,))
        self._average = WilderAverage(period, rows=1)

    def ensure_lanes(self, lanes: int) -> None:
        self._average.ensure_lanes(lanes)

    def reset(self) -> None:
        self._average.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        average = self._average.update(step.lanes, step.index, step.true_range()[np.newaxis])[0]
        return {self.names[0]: step.since(self.period, average)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period + wilder_bars(self.period, seed_weight)


class BollingerBands:
    """The mean of the last p closes and the lines some population standard deviations beside it, first at index p - 1.

    The deviation is that of the window's closes from their mean: a difference of large sums of squares loses it at high prices.
    """

    def __init__(self, period: int, deviations: float) -> None:
        self.period = period
        self.deviations = deviations
        self.names = INDICATOR_KINDS["BollingerBands"].value_names((period, deviations))
        self._closes = LastValues(period)

    def ensure_lanes(self, lanes: int) -> None:
        self._closes.ensure_lanes(lanes)

    def reset(self) -> None:
        self._closes.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        window = self._closes.with_newest(step.lanes, step.index, step.close)
        mean = step.since(self.period - 1, sum_of_rows(window) / self.period)
        window -= mean
        window *= window
        width = self.deviations * np.sqrt(sum_of_rows(window) / self.period)
        return dict(zip(self.names, (mean + width, mean, mean - width), strict=True))

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class DonchianChannel:
    """The highest high and the lowest low of the last p bars, this one included, and their middle, first at index p - 1."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["Donchian"].value_names((period,))
        self._extremes = MovingExtremes(period)

    def ensure_lanes(self, lanes: int) -> None:
        self._extremes.ensure_lanes(lanes)

    def reset(self) -> None:
        self._extremes.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        extremes = self._extremes.update(step.lanes, step.index, step.high, step.low)
        upper, lower = (step.since(self.period - 1, value) for value in extremes)
        return dict(zip(self.names, (upper, (upper + lower) / 2.0, lower), strict=True))

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class AverageDirectionalIndex:
    """ADX(p) after Wilder with +DI and -DI: the lines first at index p, the index at 2p - 1.

    The directional moves and the true range are smoothed as sums: those of index 1 to p - 1, from then on s - s / p + x. DX is
    the lines' difference over their sum; its mean of index p to 2p - 1 seeds the index. As in TA-Lib a bar without any range
    or direction adds nothing to the seed and leaves the index as it is.
    """

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["ADX"].value_names((period,))
        self._state = LaneArrays()
        self._state.add("sums", rows=3)  # plus moves, minus moves, true range
        self._state.add("index")

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        plus, minus, true_range = self._smoothed(step)
        plus_line, minus_line = 100.0 * ratio(plus, true_range), 100.0 * ratio(minus, true_range)
        total = plus_line + minus_line
        dx = 100.0 * ratio(np.abs(plus_line - minus_line), total)
        average = self._averaged(step, dx, total > 0.0)
        lines = (step.since(self.period, line) for line in (plus_line, minus_line))
        return dict(zip(self.names, (step.since(2 * self.period - 1, average), *lines), strict=True))

    def warm_from(self, seed_weight: float) -> int:
        return 2 * self.period - 1 + wilder_bars(self.period, seed_weight)

    def _smoothed(self, step: IndicatorStep) -> Floats:
        """The sums of the moves up, of those down, and of the true range."""
        up = step.high - step.window.column("high", 1)
        down = step.window.column("low", 1) - step.low
        moves = np.stack((np.maximum(up, 0.0) * (up > down), np.maximum(down, 0.0) * (down > up), step.true_range()))
        before: Floats = self._state.take("sums", step.lanes)
        sums: Floats = before - before / self.period + moves
        if step.any_before(self.period):
            sums = np.where(step.index < self.period, before + np.where(step.index > 0, moves, 0.0), sums)
        self._state.put("sums", step.lanes, sums)
        return sums

    def _averaged(self, step: IndicatorStep, dx: Floats, directed: Booleans) -> Floats:
        """ADX; before index 2p - 1 the sum of what will seed it."""
        period, index = self.period, step.index
        before = self._state.take("index", step.lanes)
        average: Floats = np.where(directed, (before * (period - 1) + dx) / period, before)
        if step.any_before(2 * period):
            total = before + np.where(index >= period, dx, 0.0)
            seed = np.where(index == 2 * period - 1, total / period, total)
            average = np.where(index < 2 * period, seed, average)
        self._state.put("index", step.lanes, average)
        return average
