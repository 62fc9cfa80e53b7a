"""The shapes that are forming, as parallel arrays: what decides the fate of each, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.chart_conditions import rows_of_condition
from tickstock.analysis.chart_shape import FORMING, VOID_BY_LEVEL, VOID_BY_SESSION, VOID_BY_TIME, Found, Line
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers

MOST_POINTS = 6


Table = TypeVar("Table", bound="tuple[Any, ...]")


def rows_of(table: Table, chosen: Integers | Booleans) -> Table:
    """Some rows of a tuple of parallel columns, some of which may be such tuples themselves."""
    columns = (column[chosen] if isinstance(column, np.ndarray) else rows_of(column, chosen) for column in table)
    return type(table)(*columns)


def joined(tables: Sequence[Table]) -> Table:
    """The rows of all of them, one behind the other."""
    columns = (
        np.concatenate(parts) if isinstance(parts[0], np.ndarray) else joined(parts) for parts in zip(*tables, strict=True)
    )
    return type(tables[0])(*columns)


def columns_of(table: tuple[Any, ...], prefix: str = "") -> dict[str, NDArray[Any]]:
    """The columns of such a tuple by name, `upper.slope` for one within another."""
    found: dict[str, NDArray[Any]] = {}
    for name, column in zip(_names(table), table, strict=True):
        found |= {prefix + name: column} if isinstance(column, np.ndarray) else columns_of(column, f"{prefix}{name}.")
    return found


def with_columns(table: Table, columns: Mapping[str, NDArray[Any]], prefix: str = "") -> Table:
    """A tuple like this one, of the columns that `columns_of` gave.

    Raises:
        KeyError, ValueError: one is missing, or of another kind.
    """
    filled: list[Any] = []
    for name, column in zip(_names(table), table, strict=True):
        if not isinstance(column, np.ndarray):
            filled.append(with_columns(column, columns, f"{prefix}{name}."))
            continue
        values = columns[prefix + name]
        if values.dtype != column.dtype or values.shape[1:] != column.shape[1:]:
            raise ValueError(f"{prefix}{name} is {values.dtype} of shape {values.shape}")
        filled.append(values)
    return type(table)(*filled)


def _names(table: tuple[Any, ...]) -> tuple[str, ...]:
    names: tuple[str, ...] = table._fields  # type: ignore[attr-defined]  # a NamedTuple
    return names


class Story(NamedTuple):
    """What is said of shapes; heights are turned for shapes upside down."""

    definition: NDArray[np.object_]  # ChartShape
    quality: Floats
    height: Floats
    key: Integers  # [shapes, 2]: times of the first and last defining point
    times: Integers  # [shapes, MOST_POINTS]: of the points, oldest first
    heights: Floats
    upper: Line  # to be drawn; nowhere when there is none
    lower: Line
    volume_ratio: Floats  # NaN where it is not said
    part_of: Integers  # [shapes, 2]: the key of the triple that a double is a part of, or zeros

    @classmethod
    def of(cls, found: Found, chosen: Integers) -> Story:
        shape, many = found.shape, len(chosen)
        points = len(found.times)
        times, heights = np.zeros((many, MOST_POINTS), np.int64), np.zeros((many, MOST_POINTS))
        times[:, :points], heights[:, :points] = found.times.T[chosen], found.heights.T[chosen]
        upper, lower = shape.channel or (shape.upper, shape.lower)
        definition = np.empty(many, np.object_)
        definition[:] = found.definition
        return cls(
            definition=definition,
            quality=rows_of_condition(shape.fits, chosen).quality(),
            height=shape.height[chosen],
            key=np.stack((found.key[0][chosen], found.key[1][chosen]), axis=1),
            times=times,
            heights=heights,
            upper=Line.nowhere(1, many) if upper is None else upper.rows(chosen),
            lower=Line.nowhere(-1, many) if lower is None else lower.rows(chosen),
            volume_ratio=np.full(many, np.nan) if found.volume_ratio is None else found.volume_ratio[chosen],
            part_of=np.zeros((many, 2), np.int64),
        )

    @classmethod
    def none(cls) -> Story:
        whole, real, nowhere = np.empty((0, 2), np.int64), np.empty(0), Line.nowhere(1, 0)
        points = np.empty((0, MOST_POINTS))
        return cls(np.empty(0, np.object_), real, real, whole, points.astype(np.int64), points, nowhere, nowhere, real, whole)


class OpenShapes(NamedTuple):
    """Shapes by what decides their fate; heights are turned for shapes upside down."""

    lane: Integers
    kind: Integers  # +1 as written, -1 upside down
    upper: Line
    lower: Line
    above: Integers  # what a close above the upper line makes of it
    below: Integers
    void_above: Floats
    void_below: Floats
    deadline: Integers
    story: Story

    @classmethod
    def none(cls) -> OpenShapes:
        whole, real, nowhere = np.empty(0, np.int64), np.empty(0), Line.nowhere(1, 0)
        return cls(whole, whole, nowhere, nowhere, whole, whole, real, real, whole, Story.none())

    @classmethod
    def of(cls, lanes: Integers, found: Found, chosen: Integers) -> OpenShapes:
        """The chosen ones among the lanes where shapes were found."""
        shape, many = found.shape, len(chosen)
        return cls(
            lane=lanes[found.place[chosen]],
            kind=found.kind[chosen],
            upper=Line.nowhere(1, many) if shape.upper is None else shape.upper.rows(chosen),
            lower=Line.nowhere(-1, many) if shape.lower is None else shape.lower.rows(chosen),
            above=np.full(many, found.definition.above),
            below=np.full(many, found.definition.below),
            void_above=np.full(many, np.inf) if shape.void_above is None else shape.void_above[chosen],
            void_below=np.full(many, -np.inf) if shape.void_below is None else shape.void_below[chosen],
            deadline=shape.deadline[chosen],
            story=Story.of(found, chosen),
        )

    def fate(self, index: Integers, bars: BarColumns, starts_anew: Booleans) -> Integers:
        """What a bar makes of each shape; its highs and lows count before its close, which comes last."""
        up = self.kind > 0
        high, low = np.where(up, bars.high, -bars.low), np.where(up, bars.low, -bars.high)
        close = bars.close * self.kind
        in_time = index <= self.deadline
        decided = np.where(index >= self.deadline, VOID_BY_TIME, FORMING)
        decided = np.where(in_time & (close > self.upper.at(index)), self.above, decided)
        decided = np.where(in_time & (close < self.lower.at(index)), self.below, decided)
        decided = np.where((high > self.void_above) | (low < self.void_below), VOID_BY_LEVEL, decided)
        fate: Integers = np.where(starts_anew, VOID_BY_SESSION, decided)
        return fate


class ShapeStates(NamedTuple):
    """The new states of shapes: what bars made of them."""

    shapes: OpenShapes
    fate: Integers
    bar: Integers  # its index
    time: Integers  # and its start, Unix milliseconds
    close: Floats

    @classmethod
    def of(cls, shapes: OpenShapes, fate: Integers, index: Integers, bars: BarColumns) -> ShapeStates:
        return cls(shapes, fate, index, bars.timestamp, bars.close)

    @classmethod
    def none(cls) -> ShapeStates:
        whole = np.empty(0, np.int64)
        return cls(OpenShapes.none(), whole, whole, whole, np.empty(0))
