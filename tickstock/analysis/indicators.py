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

FAR = 2**62  # an index that no series reaches


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
    starts_session: Booleans  # the bar is the first of its session in this lane; of its series, for day bars
    window: RingView  # the last two bars at least (high, low, close, volume), the new one at lag 0
    _shared: dict[str, Floats] = field(default_factory=dict)
    _youngest: int = field(init=False)  # the lowest index

    def __post_init__(self) -> None:
        self._youngest = int(self.index.min(initial=FAR))

    def since(self, first: int, value: Floats) -> Floats:
        """The value where the bar's index is at least `first`; NaN before."""
        return value if self._youngest >= first else np.where(self.index >= first, value, np.nan)

    def any_before(self, first: int) -> bool:
        """Whether a bar's index is below `first`."""
        return self._youngest < first

    def typical_price(self) -> Floats:
        """The mean of high, low and close, in TA-Lib's order of operations: what is equal there must be equal here."""
        if "typical_price" not in self._shared:
            self._shared["typical_price"] = (self.high + self.low + self.close) / 3.0
        return self._shared["typical_price"]

    def true_range(self) -> Floats:
        """The range of the bar, from or to the close before where that lies outside."""
        if "true_range" not in self._shared:
            top, bottom = np.maximum(self.high, self.previous_close), np.minimum(self.low, self.previous_close)
            self._shared["true_range"] = top - bottom
        return self._shared["true_range"]


class LaneState(Protocol):
    """A part of the analysis that remembers something of each lane."""

    def ensure_lanes(self, lanes: int) -> None:
        """Make room for lanes 0 to `lanes - 1`."""

    def reset(self) -> None:
        """Forget every bar."""


class Indicator(LaneState, Protocol):
    """A kind of indicator with its parameters; several instances stand side by side."""

    names: tuple[str, ...]  # as published

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
