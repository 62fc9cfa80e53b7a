"""Arrays with one column per lane, which grow with the number of lanes; and rings of each lane's last bars.

A lane is a symbol in one timeframe. Lanes close their bars at different minutes, so each has its own count of bars, and a ring's
slot for a bar follows from that count. What a lane's columns hold depends on its own bars alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tickstock.analysis.results import Booleans, Floats, Integers

Column = NDArray[Any]


class LaneArrays:
    """Named arrays of shape [rows, lanes] (or [lanes] without rows), each with the value an untouched lane has."""

    def __init__(self) -> None:
        self.capacity = 0
        self._arrays: dict[str, Column] = {}
        self._made: dict[str, tuple[tuple[int, ...], DTypeLike, Any]] = {}

    def add(self, name: str, empty: Any = 0.0, dtype: DTypeLike = np.float64, rows: int | None = None) -> None:
        """Declare an array; `empty` fills the columns of new lanes."""
        shape = () if rows is None else (rows,)
        self._made[name] = (shape, dtype, empty)
        self._arrays[name] = np.full((*shape, self.capacity), empty, dtype)

    def __getitem__(self, name: str) -> Column:
        return self._arrays[name]

    def take(self, name: str, lanes: Integers) -> Column:
        """The columns of these lanes, [rows, k] or [k]. (Indexing with `[:, lanes]` gives the same ten times slower.)"""
        return self._arrays[name].take(lanes, axis=-1)

    def put(self, name: str, lanes: Integers, values: Column) -> None:
        """Set the columns of these lanes, row by row for the same reason."""
        array = self._arrays[name]
        if array.ndim == 1:
            array[lanes] = values
        else:
            for row, of_row in zip(array, values, strict=True):
                row[lanes] = of_row

    def ensure(self, lanes: int) -> None:
        """Make room for at least this many lanes; growth doubles, so that adding lanes one by one stays cheap."""
        if lanes <= self.capacity:
            return
        before, self.capacity = self.capacity, max(lanes, 2 * self.capacity, 16)
        for name, (shape, dtype, empty) in self._made.items():
            grown = np.full((*shape, self.capacity), empty, dtype)
            grown[..., :before] = self._arrays[name]
            self._arrays[name] = grown

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._made)

    def copied(self, lanes: int) -> dict[str, Column]:
        """Copies of the columns of lanes 0 to `lanes - 1`."""
        return {name: array[..., :lanes].copy() for name, array in self._arrays.items()}

    def restore(self, columns: Mapping[str, Column]) -> None:
        """Set the first lanes, for which there is room, to what `copied` gave.

        Raises:
            ValueError: it was given by other arrays than these.
        """
        for name, values in columns.items():
            shape, dtype, _ = self._made[name]
            if values.shape[:-1] != shape or values.dtype != np.dtype(dtype):
                raise ValueError(f"{name} is {values.dtype} of shape {values.shape}, not {dtype} of {shape}")
            self._arrays[name][..., : values.shape[-1]] = values

    def adopt(self, other: LaneArrays, lanes: Integers) -> None:
        """Let these lanes be what the first ones of other arrays of the same kind are."""
        for name in self._made:
            self.put(name, lanes, other._arrays[name][..., : len(lanes)])

    def reset(self) -> None:
        """Every lane becomes untouched."""
        for name, (_, _, empty) in self._made.items():
            self._arrays[name][...] = empty


class BarRing:
    """The last `depth` bars of each lane (a power of two), by named fields of float64."""

    def __init__(self, fields: tuple[str, ...], depth: int) -> None:
        if depth & (depth - 1):
            raise ValueError(f"a ring's depth must be a power of two, not {depth}")
        self.depth = depth
        self.fields = fields
        self._arrays = LaneArrays()
        self._arrays.add("count", 0, np.int64)
        for name in fields:
            self._arrays.add(name, rows=depth)
        self.flat = self._flat()  # each field as one row of depth x capacity

    def ensure(self, lanes: int) -> None:
        if lanes > self.capacity:
            self._arrays.ensure(lanes)
            self.flat = self._flat()

    def reset(self) -> None:
        self._arrays.reset()

    def append(self, lanes: Integers, values: Mapping[str, Floats | Integers]) -> None:
        """Put one bar behind the others of each of these lanes."""
        count = self._arrays["count"]
        before = count.take(lanes)
        slots = (before & (self.depth - 1)) * self._arrays.capacity + lanes
        for name in self.fields:
            self.flat[name][slots] = values[name]
        count[lanes] = before + 1

    def put(self, lanes: Integers, place: Integers, values: Mapping[str, Floats | Integers]) -> None:
        """Set each lane's last bars, of which `place` counts from its first bar: as if all had been appended one by one."""
        slots = (place & (self.depth - 1)) * self._arrays.capacity + lanes
        for name in self.fields:
            self.flat[name][slots] = values[name]
        np.maximum.at(self._arrays["count"], lanes, place + 1)

    def at(self, lanes: Integers) -> RingView:
        """These lanes as they are now."""
        return RingView(self, lanes, self._arrays.take("count", lanes))

    @property
    def capacity(self) -> int:
        return self._arrays.capacity

    def _flat(self) -> dict[str, Column]:
        return {name: self._arrays[name].reshape(-1) for name in self.fields}


class RingView:
    """Some lanes of a ring, read by lag: 0 is the lane's newest bar. Valid until the next append."""

    def __init__(self, ring: BarRing, lanes: Integers, count: Integers) -> None:
        self._ring = ring
        self._lanes = lanes
        self.available = count  # bars in the lane's series, the newest included
        self._newest = count - 1
        self._slots: dict[int, Integers] = {}

    def column(self, name: str, lag: int) -> Column:
        """A field `lag` bars ago; 0 where the series is shorter. At most `depth - 1` bars back."""
        slots = self._slots.get(lag)
        if slots is None:
            slots = ((self._newest - lag) & (self._ring.depth - 1)) * self._ring.capacity + self._lanes
            self._slots[lag] = slots
        return self._ring.flat[name].take(slots)

    def columns(self, name: str, lags: range) -> Column:
        """The same at several lags, [lags, k]."""
        bars = self._newest - np.array(lags)[:, np.newaxis]
        slots = (bars & (self._ring.depth - 1)) * self._ring.capacity + self._lanes
        columns: Column = self._ring.flat[name].take(slots)
        return columns

    def select(self, chosen: Integers | Booleans) -> RingView:
        """Only these of the lanes."""
        return RingView(self._ring, self._lanes[chosen], self.available[chosen])
