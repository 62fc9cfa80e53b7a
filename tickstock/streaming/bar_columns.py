"""Closed bars as arrays, one row a symbol, with what the `bars` table wants to know beside the prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstock.feed.massive_rest import RestBar
from tickstock.streaming.bar_builder import GrowingBar

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(slots=True)
class Bars:
    """Bars of several lanes; `ticks`, `trades`, `first_tick` and `last_tick` are NaN where they are unknown."""

    lanes: Integers
    timestamp: Integers  # ms, the bar's start
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    ticks: Floats
    trades: Floats
    first_tick: Floats
    last_tick: Floats

    def __len__(self) -> int:
        return len(self.lanes)

    def take(self, chosen: NDArray[Any] | slice) -> Bars:
        """The bars at some indices, or where a mask is true; those of a slice without a copy."""
        return Bars(*(getattr(self, name)[chosen] for name in self.__slots__))

    @classmethod
    def from_ticks(cls, lanes: Integers, start: int, growing: list[GrowingBar]) -> Bars:
        """What the bar builder made of one minute."""
        table = np.array(growing, dtype=np.float64).reshape(len(growing), 8).T
        unknown = np.full(len(growing), np.nan)
        timestamps = np.full(len(growing), start, dtype=np.int64)
        o, h, low, c, volume, ticks, first, last = table
        return cls(lanes, timestamps, o, h, low, c, volume, ticks, unknown, first, last)

    @classmethod
    def from_rest(cls, lanes: Integers, bars: list[RestBar]) -> Bars:
        """The vendor's own bars."""
        unknown = np.full(len(bars), np.nan)
        prices = np.array(
            [(bar.open, bar.high, bar.low, bar.close, bar.volume, np.nan if bar.trades is None else bar.trades) for bar in bars],
            dtype=np.float64,
        ).reshape(len(bars), 6)
        o, h, low, c, volume, trades = prices.T
        timestamps = np.array([bar.timestamp for bar in bars], dtype=np.int64)
        return cls(lanes, timestamps, o, h, low, c, volume, unknown, trades, unknown, unknown)

    def rows(self, symbols: list[str], timeframe: str, revision: int, source: str) -> list[tuple[Any, ...]]:
        """Rows of the `bars` table."""

        def whole(column: Floats) -> list[int | None]:
            return [None if value != value else int(value) for value in column.tolist()]

        return [
            (symbols[lane], timeframe, timestamp, revision, *prices, volume, ticks, trades, source, first, last)
            for lane, timestamp, prices, volume, ticks, trades, first, last in zip(
                self.lanes.tolist(),
                self.timestamp.tolist(),
                np.column_stack((self.open, self.high, self.low, self.close)).tolist(),
                self.volume.astype(np.int64).tolist(),
                whole(self.ticks),
                whole(self.trades),
                whole(self.first_tick),
                whole(self.last_tick),
                strict=True,
            )
        ]


def concatenate(parts: list[Bars]) -> Bars:
    """Several sets of bars as one."""
    return Bars(*(np.concatenate([getattr(part, name) for part in parts]) for name in Bars.__slots__))


def no_bars() -> Bars:
    """An empty set."""
    whole, real = np.empty(0, dtype=np.int64), np.empty(0)
    return Bars(whole, whole, *(real for _ in range(9)))
