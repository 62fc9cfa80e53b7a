"""What happens in a minute, decided before its trades: the bar, the number of prints and their volume.

The bar comes first and the trades follow from it, so that years of minute bars can be served without making a single trade,
and any minute's trades can be made alone. That both agree, by the vendor's rules, is a property of `minute_trades` (and tested).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tickstock.simulator.randomness import Keys, derive, uniforms
from tickstock.simulator.trades import SHARE, Columns, Floats, Integers

UNIT = 10_000  # prices are counted in 1/10,000 dollar
FRACTION = SHARE // 10_000  # fractional sizes have four decimals


@dataclass(frozen=True)
class Rates:
    """What the plan needs to know of the symbol and the moment of each minute; one row a minute of one symbol."""

    trades: Floats  # expected prints
    volatility: Floats  # of the minute's log return
    lot: Integers  # shares of a round lot
    fractional: NDArray[np.bool_]
    odd_lots_only: NDArray[np.bool_]
    halted: NDArray[np.bool_]
    bad_print: NDArray[np.bool_]
    special_kind: NDArray[np.int16]  # condition of the first print; 0 when it is an ordinary one
    special_size: Integers  # shares that this print has beyond an ordinary one
    special_offset: Integers  # when in the minute it is printed, in milliseconds
    plain: bool = False  # every print moves the price: for measuring, not like a market


@dataclass(frozen=True)
class MinutePlan(Columns):
    """One row a minute of one symbol; prices in 1/10,000 dollar. Without eligible prints there is no bar."""

    key: Keys
    start_price: Integers  # where the path stands at the minute's start
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    step: Integers  # the price grid
    low_first: NDArray[np.bool_]
    eligible: Integers  # prints that move the price
    odd: Integers  # prints that do not
    lot: Integers
    extra_lots: Integers  # round lots of the eligible prints beyond one for each
    odd_extra: Integers  # millionths of a share of the other prints beyond one share for each
    special_kind: NDArray[np.int16]
    special_size: Integers
    special_offset: Integers

    def volume(self) -> Integers:
        """Millionths of a share."""
        shares = self.lot * (self.eligible + self.extra_lots) + self.special_size
        return shares * SHARE + self.odd * SHARE + self.odd_extra

    def typical_price(self) -> Floats:
        """The mean of the path that the prints follow: within a few hundredths of a per cent the VWAP, in dollars."""
        first = np.where(self.low_first, self.low, self.high)
        second = np.where(self.low_first, self.high, self.low)
        result: Floats = (self.open + 2 * first + 2 * second + self.close) / (6 * UNIT)
        return result


def plan_minutes(keys: Keys, start: Floats, end: Floats, rates: Rates) -> MinutePlan:
    """The plan of each minute, from the path's dollars at its start and its end."""
    count, split, lots, pieces = uniforms(derive(keys, 1), 4)
    up, down, shift, side = uniforms(derive(keys, 2), 4)
    total = np.floor(rates.trades * (0.7 + 0.6 * count) + split).astype(np.int64)
    total[rates.halted] = 0
    eligible = np.floor(total * (0.38 + 0.08 * split) + pieces).astype(np.int64)
    eligible = np.where((rates.lot == 1) | (eligible > total) | rates.plain, total, eligible)
    eligible = np.where(rates.special_kind > 0, np.maximum(eligible, 1), eligible)
    eligible = np.where(rates.bad_print, np.maximum(eligible, 4), eligible)
    odd = np.maximum(total - eligible, 0)
    eligible = np.where(rates.odd_lots_only, 0, eligible)

    step = np.where(start < 1.0, 1, UNIT // 100).astype(np.int64)
    unit = start * UNIT
    reach = unit * rates.volatility
    opening = _on_grid(unit + (shift - 0.5) * 0.5 * reach, step)
    closing = _on_grid(end * UNIT, step)
    opening = np.where(eligible > 1, opening, closing)
    high = np.maximum(opening, closing) + np.where(eligible > 2, _on_grid(-0.45 * reach * np.log(up), step, 0), 0)
    low = np.minimum(opening, closing) - np.where(eligible > 3, _on_grid(-0.45 * reach * np.log(down), step, 0), 0)
    high = np.where(rates.bad_print & (eligible > 3), _on_grid(high * 1.09, step), high)
    heavy = 0.35 / (1.05 - lots) + 0.3
    part = np.where(rates.fractional, np.floor(pieces * UNIT) / UNIT, 0.0)
    odd_mean = np.maximum(rates.lot - 1, 0) * 0.22 * (0.6 + 0.8 * lots)
    odd_extra = np.floor(odd * odd_mean).astype(np.int64) * SHARE + np.where(odd > 0, part * UNIT, 0).astype(np.int64) * FRACTION
    return MinutePlan(
        key=keys, start_price=_on_grid(unit, step), open=opening, high=high, low=np.maximum(low, step), close=closing, step=step,
        low_first=side < np.where(closing >= opening, 0.7, 0.3), eligible=eligible, odd=odd, lot=rates.lot,
        extra_lots=np.floor(eligible * heavy).astype(np.int64), odd_extra=odd_extra, special_kind=rates.special_kind,
        special_size=rates.special_size, special_offset=rates.special_offset,
    )  # fmt: skip


def _on_grid(units: Floats | Integers, step: Integers, least: int = 1) -> Integers:
    result: Integers = np.maximum(np.rint(units / step).astype(np.int64), least) * step
    return result
