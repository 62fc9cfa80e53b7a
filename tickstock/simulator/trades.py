"""Trades and bars as columns: one numpy array per field, all of one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

SHARE = 1_000_000  # sizes are counted in millionths of a share, so that fractions add up exactly


@dataclass(frozen=True)
class Columns:
    """Arrays of one length; a row is one trade or one bar."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: Any) -> Self:
        """The rows that a slice, a mask or an array of indexes names."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """All rows of all parts, in their order; at least one part."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


@dataclass(frozen=True)
class Trades(Columns):
    """Prints in the order in which they are sent."""

    symbol: NDArray[np.int32]  # index into the tape's symbols
    time: Integers  # SIP time, Unix milliseconds
    price: Floats  # dollars
    size: Integers  # millionths of a share
    kind: NDArray[np.int16]  # number of the combination of conditions
    exchange: NDArray[np.int16]
    identity: NDArray[Any]  # trade id (numbers or texts); unique within ticker and exchange
    sequence: Integers
    participant_time: Integers  # Unix milliseconds, not after `time`
    tape: NDArray[np.int8]
    trf: NDArray[np.int16]  # 0 on exchange
    trf_time: Integers  # Unix milliseconds; 0 on exchange
    extended_hours: NDArray[np.bool_]  # outside the regular session

    @classmethod
    def none(cls) -> Trades:
        """No trades."""
        integer, half, byte = np.int64, np.int16, np.int8
        types: list[Any] = [
            np.int32,
            integer,
            np.float64,
            integer,
            half,
            half,
            integer,
            integer,
            integer,
            byte,
            half,
            integer,
            bool,
        ]
        columns: list[Any] = [np.empty(0, each) for each in types]
        return cls(*columns)


@dataclass(frozen=True)
class Bars(Columns):
    """Open, high, low and close of windows, by the vendor's rules; ordered by symbol, then by start."""

    symbol: NDArray[np.int32]
    start: Integers  # Unix milliseconds
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Integers  # millionths of a share
    dollars: Floats  # price x shares; dollars / shares is the VWAP
    count: Integers  # trades


def volume_weighted(dollars: Floats, volume: Integers) -> Floats:
    """The VWAP in dollars, rounded as the vendor rounds it; 0 where nothing traded."""
    shares = np.maximum(volume, 1) / SHARE
    mean: Floats = np.where(volume > 0, dollars / shares, 0.0)
    return np.round(mean, 4)
