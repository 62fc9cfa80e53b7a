"""Bars of one second, one minute or one day from trades, by the vendor's update rules.

A window with volume but without a price that may open it is not a bar; its volume counts towards the day all the same.
"""

from __future__ import annotations

import numpy as np

from tickstock.simulator.conditions import HIGH_LOW, OPEN_CLOSE, VOLUME, ConditionSets
from tickstock.simulator.trades import SHARE, Bars, Integers, Trades


def bars_of(trades: Trades, starts: Integers, conditions: ConditionSets) -> Bars:
    """The windows of each symbol that have a price.

    Args:
        trades: in the order of time; the symbols may be mixed.
        starts: the start of the window that each trade belongs to, in Unix milliseconds.
    """
    windows = all_windows(trades, starts, conditions)
    return windows.take(~np.isnan(windows.open))


def all_windows(trades: Trades, starts: Integers, conditions: ConditionSets) -> Bars:
    """As `bars_of`, with the windows without a price too: their open, high, low and close are NaN."""
    order = np.lexsort((starts, trades.symbol))  # stable: trades of a window keep their order
    trades, starts = trades.take(order), starts[order]
    count = len(trades)
    if not count:
        none = np.empty(0)
        return Bars(trades.symbol, starts, none, none, none, none, trades.size, none, trades.size)
    changed = (np.diff(trades.symbol) != 0) | (np.diff(starts) != 0)
    first = np.concatenate(([0], np.flatnonzero(changed) + 1))
    effects = conditions.effects(trades.kind, trades.extended_hours)
    moves_range, moves_last, counts = effects & HIGH_LOW != 0, effects & OPEN_CLOSE != 0, effects & VOLUME != 0
    rows = np.arange(count)
    opening = np.minimum.reduceat(np.where(moves_last, rows, count), first)
    closing = np.maximum.reduceat(np.where(moves_last, rows, -1), first)
    priced = closing >= 0
    volume = np.where(counts, trades.size, 0)
    high = np.maximum.reduceat(np.where(moves_range, trades.price, -np.inf), first)
    low = np.minimum.reduceat(np.where(moves_range, trades.price, np.inf), first)
    return Bars(
        symbol=trades.symbol[first],
        start=starts[first],
        open=np.where(priced, trades.price[np.minimum(opening, count - 1)], np.nan),
        high=np.where(priced, high, np.nan),
        low=np.where(priced, low, np.nan),
        close=np.where(priced, trades.price[closing], np.nan),
        volume=np.add.reduceat(volume, first),
        dollars=np.add.reduceat(volume / SHARE * trades.price, first),
        count=np.add.reduceat(counts.astype(np.int64), first),
    )
