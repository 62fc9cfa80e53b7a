"""Ranges and what moves within them, over lanes: ATR, Bollinger bands, the Donchian channel, ADX with its two lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tickstock.analysis.indicator_kinds import INDICATOR_KINDS
from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import Floats
from tickstock.analysis.smoothing import WilderAverage, sum_of_rows, wilder_bars

if TYPE_CHECKING:
    from tickstock.analysis.indicators import IndicatorStep


class AverageTrueRange:
    """ATR(p) after Wilder, first at index p: the true range needs the close before."""

    reach = 1

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
        return {self.names[0]: np.where(step.index >= self.period, average, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period + wilder_bars(self.period, seed_weight)


class BollingerBands:
    """The mean of the last p closes and the lines some population standard deviations beside it, first at index p - 1.

    The deviation is that of the window's closes from their mean: a difference of large sums of squares loses it at high prices.
    """

    def __init__(self, period: int, deviations: float) -> None:
        self.period = self.reach = period
        self.deviations = deviations
        self.names = INDICATOR_KINDS["BollingerBands"].value_names((period, deviations))

    def ensure_lanes(self, lanes: int) -> None:
        """It remembers nothing: the window has all it needs."""

    def reset(self) -> None:
        """As there is nothing to forget, nothing is done."""

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        window = step.last_closes(self.period)
        mean = np.where(step.index >= self.period - 1, sum_of_rows(window) / self.period, np.nan)
        distance = window - mean
        distance *= distance
        width = self.deviations * np.sqrt(sum_of_rows(distance) / self.period)
        return dict(zip(self.names, (mean + width, mean, mean - width), strict=True))

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class DonchianChannel:
    """The highest high and the lowest low of the last p bars, this one included, and their middle, first at index p - 1."""

    def __init__(self, period: int) -> None:
        self.period = self.reach = period
        self.names = INDICATOR_KINDS["Donchian"].value_names((period,))

    def ensure_lanes(self, lanes: int) -> None:
        """It remembers nothing: the window has all it needs."""

    def reset(self) -> None:
        """As there is nothing to forget, nothing is done."""

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        there = step.index >= self.period - 1
        upper = np.where(there, step.highest(self.period), np.nan)
        lower = np.where(there, step.lowest(self.period), np.nan)
        return dict(zip(self.names, (upper, (upper + lower) / 2.0, lower), strict=True))

    def warm_from(self, seed_weight: float) -> int:
        return self.period - 1


class AverageDirectionalIndex:
    """ADX(p) after Wilder with +DI and -DI: the lines first at index p, the index at 2p - 1.

    The directional moves and the true range are smoothed as sums: those of index 1 to p - 1, from then on s - s / p + x. DX is
    the lines' difference over their sum; its mean of index p to 2p - 1 seeds the index. As in TA-Lib a bar without any range
    or direction adds nothing to the seed and leaves the index as it is.
    """

    reach = 1

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
        ranged = np.where(true_range > 0.0, true_range, np.inf)
        plus_line, minus_line = 100.0 * (plus / ranged), 100.0 * (minus / ranged)
        total = plus_line + minus_line
        dx = np.where(total > 0.0, 100.0 * (np.abs(plus_line - minus_line) / np.where(total > 0.0, total, 1.0)), np.nan)
        average = self._averaged(step, dx)
        begun = step.index >= self.period
        average = np.where(step.index >= 2 * self.period - 1, average, np.nan)
        lines = (np.where(begun, line, np.nan) for line in (plus_line, minus_line))
        return dict(zip(self.names, (average, *lines), strict=True))

    def warm_from(self, seed_weight: float) -> int:
        return 2 * self.period - 1 + wilder_bars(self.period, seed_weight)

    def _smoothed(self, step: IndicatorStep) -> Floats:
        up = step.high - step.window.column("high", 1)
        down = step.window.column("low", 1) - step.low
        moves = np.stack(
            (
                np.where((up > 0.0) & (up > down), up, 0.0),
                np.where((down > 0.0) & (down > up), down, 0.0),
                step.true_range(),
            )
        )
        sums = self._state.take("sums", step.lanes)
        sums = sums - np.where(step.index >= self.period, sums / self.period, 0.0) + np.where(step.index > 0, moves, 0.0)
        self._state.put("sums", step.lanes, sums)
        return sums

    def _averaged(self, step: IndicatorStep, dx: Floats) -> Floats:
        """ADX; before index 2p - 1 the sum of what will seed it. `dx` is NaN where there is no direction."""
        period, index = self.period, step.index
        before = self._state.take("index", step.lanes)
        directed = ~np.isnan(dx)
        average = np.where(directed, (before * (period - 1) + dx) / period, before)
        if index.min(initial=2 * period) < 2 * period:
            total = before + np.where(directed & (index >= period), dx, 0.0)
            average = np.where(index < 2 * period - 1, total, np.where(index == 2 * period - 1, total / period, average))
        self._state.put("index", step.lanes, average)
        return average
