"""What the bars' volume says, over lanes: on-balance volume and the money flow index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tickstock.analysis.indicator_kinds import INDICATOR_KINDS
from tickstock.analysis.lanes import BarRing, LaneArrays
from tickstock.analysis.results import Floats
from tickstock.analysis.smoothing import SAME_PRICE, MovingSums

if TYPE_CHECKING:
    from tickstock.analysis.indicators import IndicatorStep


class OnBalanceVolume:
    """OBV: the volume of the session's first bar, then that of each rising bar added and of each falling one taken off."""

    reach = 1

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

    reach = 0

    def __init__(self, period: int) -> None:
        self.period = period
        self.names = INDICATOR_KINDS["MFI"].value_names((period,))
        self._flows = BarRing(("typical", "flow"), 1 << period.bit_length())
        self._sums = MovingSums(rows=2)

    def ensure_lanes(self, lanes: int) -> None:
        self._flows.ensure(lanes)
        self._sums.ensure_lanes(lanes)

    def reset(self) -> None:
        self._flows.reset()
        self._sums.reset()

    def update(self, step: IndicatorStep) -> Mapping[str, Floats]:
        typical = step.typical_price()
        before = self._flows.at(step.lanes).column("typical", 0)
        change = typical - before
        moved = (np.abs(change) > SAME_PRICE * typical) & (step.index > 0)
        flow = np.where(moved, np.sign(change) * (typical * step.volume), 0.0)
        self._flows.append(step.lanes, {"typical": typical, "flow": flow})
        leaving = self._flows.at(step.lanes).column("flow", self.period)
        rising, falling = self._sums.update(step.lanes, _in_and_out(flow), _in_and_out(leaving))
        total = rising + falling
        flowed = total > 0.0
        value = np.where(flowed, 100.0 * (rising / np.where(flowed, total, 1.0)), 0.0)
        return {self.names[0]: np.where(step.index >= self.period, value, np.nan)}

    def warm_from(self, seed_weight: float) -> int:
        return self.period


def _in_and_out(flow: Floats) -> Floats:
    return np.maximum(np.stack((flow, -flow)), 0.0)
