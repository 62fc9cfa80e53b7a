"""What the bars' volume says, over lanes: on-balance volume and the money flow index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tickstock.analysis.indicator_kinds import INDICATOR_KINDS
from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import Floats
from tickstock.analysis.smoothing import SAME_PRICE, LastValues, MovingSums, ratio

if TYPE_CHECKING:
    from tickstock.analysis.indicators import IndicatorStep


class OnBalanceVolume:
    """OBV: the volume of the session's first bar, then that of each rising bar added and of each falling one taken off."""

    def __init__(self) -> None:
        self.names = INDICATOR_KINDS["OBV"].value_names(())
        self._state = LaneArrays()
        self._state.add("volume")

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        change = np.sign(step.close - step.previous_close) * step.volume
        value = np.where(step.starts_session, step.volume, self._state.take("volume", step.lanes) + change)
        self._state.put("volume", step.lanes, value)
        return {self.names[0]: value}

    def warm_from(self, seed_weight: float) -> int:
        return 0


class MoneyFlowIndex:
    """MFI(p): the share of bars with a rising typical price in the typical price x volume of the last p, first at index p."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["MFI"].value_names((period,))
        self._before = LastValues(1)  # the typical price of the bar before
        self._flows = LastValues(period)
        self._sums = MovingSums(rows=2)

    def ensure_lanes(self, lanes: int) -> None:
        for part in (self._before, self._flows, self._sums):
            part.ensure_lanes(lanes)

    def reset(self) -> None:
        for part in (self._before, self._flows, self._sums):
            part.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        typical = step.typical_price()
        change = typical - self._before.replace_oldest(step.lanes, step.index, typical)
        moved = (np.abs(change) > SAME_PRICE * typical) & (step.index > 0)
        flow = np.where(moved, np.sign(change) * (typical * step.volume), 0.0)
        leaving = self._flows.replace_oldest(step.lanes, step.index, flow)
        rising, falling = self._sums.update(step.lanes, _in_and_out(flow), _in_and_out(leaving))
        return {self.names[0]: step.since(self.period, 100.0 * ratio(rising, rising + falling))}

    def warm_from(self, seed_weight: float) -> int:
        return self.period


def _in_and_out(flow: Floats) -> Floats:
    return np.maximum(np.stack((flow, -flow)), 0.0)
