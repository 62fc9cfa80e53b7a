"""Indicators over lanes: each takes one bar of many lanes at a time; seeded and smoothed as TA-Lib does it.

The kinds themselves are in `moving_averages.py`, `oscillators.py`, `ranges.py` and `volume_indicators.py`; what is said of them
and how their values are called, in `indicator_kinds.py`. VWAP and the volume ratios are not among them: they are figures of the
trading day, from one-minute bars.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tickstock.analysis.indicator_kinds import read_instance
from tickstock.analysis.lanes import RingView
from tickstock.analysis.moving_averages import (
    ExponentialMovingAverage,
    MovingAverageConvergenceDivergence,
    SimpleMovingAverage,
    WeightedMovingAverage,
)
from tickstock.analysis.oscillators import CommodityChannelIndex, RateOfChange, RelativeStrengthIndex, Stochastic, WilliamsR
from tickstock.analysis.ranges import AverageDirectionalIndex, AverageTrueRange, BollingerBands, DonchianChannel
from tickstock.analysis.results import Booleans, Floats, Integers
from tickstock.analysis.volume_indicators import MoneyFlowIndex, OnBalanceVolume


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
    _shared: dict[tuple[str, int], Floats] = field(default_factory=dict)

    def highest(self, bars: int) -> Floats:
        """The highest high of the last bars; as far as there are any."""
        return self._extreme("high", bars, np.maximum)

    def lowest(self, bars: int) -> Floats:
        """The lowest low of the last bars; 0 where the series is shorter."""
        return self._extreme("low", bars, np.minimum)

    def typical_price(self) -> Floats:
        """The mean of high, low and close, in TA-Lib's order of operations: what is equal there must be equal here."""
        if ("typical", 1) not in self._shared:
            self._shared["typical", 1] = (self.high + self.low + self.close) / 3.0
        return self._shared["typical", 1]

    def true_range(self) -> Floats:
        """The range of the bar, from or to the close before where that lies outside."""
        if ("true_range", 1) not in self._shared:
            outer = np.maximum(self.high, self.previous_close) - np.minimum(self.low, self.previous_close)
            self._shared["true_range", 1] = outer
        return self._shared["true_range", 1]

    def last_closes(self, bars: int) -> Floats:
        """The closes of the last bars, [bars, k], the newest first; 0 where the series is shorter."""
        if ("close", bars) not in self._shared:
            self._shared["close", bars] = self.window.columns("close", range(bars))
        return self._shared["close", bars]

    def _extreme(self, name: str, bars: int, of_both: np.ufunc) -> Floats:
        if (name, bars) not in self._shared:
            known = max((of for field_name, of in self._shared if field_name == name and of < bars), default=0)
            value = of_both.reduce(self.window.columns(name, range(known, bars)), axis=0)
            self._shared[name, bars] = of_both(value, self._shared[name, known]) if known else value
        return self._shared[name, bars]


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


def indicator_from(instance: str) -> Indicator:
    """The indicator that an instance's name stands for: RSI_14, SMA_20.

    Raises:
        IndicatorNameError: there is no such kind, or it does not take these parameters.
        KeyError: it is a figure, which is not computed from the timeframe's bars.
    """
    kind, parameters = read_instance(instance)
    return KINDS[kind.name](*parameters)


KINDS: Mapping[str, Callable[..., Indicator]] = {
    "SMA": SimpleMovingAverage,
    "EMA": ExponentialMovingAverage,
    "WMA": WeightedMovingAverage,
    "MACD": MovingAverageConvergenceDivergence,
    "ADX": AverageDirectionalIndex,
    "RSI": RelativeStrengthIndex,
    "Stochastic": Stochastic,
    "CCI": CommodityChannelIndex,
    "WilliamsR": WilliamsR,
    "ROC": RateOfChange,
    "BollingerBands": BollingerBands,
    "ATR": AverageTrueRange,
    "Donchian": DonchianChannel,
    "OBV": OnBalanceVolume,
    "MFI": MoneyFlowIndex,
}
