"""What a chart pattern is made of: conditions on the last pivots or bars, two lines, and the levels that end it.

A shape is written once, as it looks when its newest pivot is a high, and found upside down as well: where the newest pivot is a
low, heights are prices with their sign turned. *Above* and *below* in this file are meant so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tickstock.analysis.catalog_entry import CatalogEntry
from tickstock.analysis.pivots import PivotWindow
from tickstock.analysis.quantities import Margins
from tickstock.analysis.results import Booleans, Floats, Integers

# What a bar makes of a shape.
FORMING, CONFIRMED_BELOW, CONFIRMED_ABOVE, VOID_BY_SESSION, VOID_BY_LEVEL, VOID_BY_LINE, VOID_BY_TIME = range(7)


class Line(NamedTuple):
    """A line in each lane: its height at a bar and its slope."""

    bar: Integers  # its index
    time: Integers  # and its start
    height: Floats
    slope: Floats  # a bar

    @classmethod
    def flat(cls, bar: Integers, time: Integers, height: Floats) -> Line:
        return cls(bar, time, height, np.zeros(len(height)))

    @classmethod
    def nowhere(cls, side: int, lanes: int) -> Line:
        """A line that no price reaches: side +1 above all, -1 below all."""
        return cls.flat(np.zeros(lanes, np.int64), np.zeros(lanes, np.int64), np.full(lanes, side * np.inf))

    def rows(self, chosen: Integers | Booleans) -> Line:
        return Line(self.bar[chosen], self.time[chosen], self.height[chosen], self.slope[chosen])

    def at(self, index: Integers) -> Floats:
        """Its height at a bar."""
        height: Floats = self.height + self.slope * (index - self.bar)
        return height


@dataclass(slots=True)
class Shape:
    """A shape in each lane: how well it fits, and what decides its further life."""

    fits: Margins
    height: Floats  # of the shape, in dollars: how far the target lies beyond the line
    upper: Line | None  # a close above it ends the shape as `ChartShape.above` says
    lower: Line | None
    void_above: Floats | None  # a high above it makes the shape void
    void_below: Floats | None
    deadline: Integers  # the last bar index that can confirm
    channel: tuple[Line, Line] | None = None  # drawn instead of these lines


@dataclass(frozen=True, slots=True)
class ChartShape:
    """What is said of a shape: the patterns that it is as written and upside down, its words, and what a break means."""

    top: CatalogEntry
    bottom: CatalogEntry
    names: tuple[str, ...]  # of its points, oldest first
    key: tuple[int, int]  # its first and last defining points, whose times make the id
    level: str = "level"  # what the height of the line to be broken is called
    above: int = CONFIRMED_ABOVE
    below: int = CONFIRMED_BELOW
    void_reason: str = ""  # at `void_above` or `void_below`
    one_at_a_time: bool = False  # a lane has at most one of them open


def pattern_of(shape: ChartShape, kind: int) -> CatalogEntry:
    """The pattern that a shape is: as written (kind +1) or upside down (-1)."""
    return shape.top if kind > 0 else shape.bottom


@dataclass(slots=True)
class Found:
    """Shapes of one kind in one bar, as parallel arrays over the lanes where they were looked for."""

    definition: ChartShape
    place: Integers  # among the lanes of the bar
    kind: Integers  # +1 as written, -1 upside down
    shape: Shape
    times: Integers  # [points, lanes], oldest first
    heights: Floats
    key: tuple[Integers, Integers]  # times of the first and last defining point
    volume_ratio: Floats | None = None  # of the bar to those before it, where it is said; NaN where there is none


@dataclass(frozen=True, slots=True)
class PivotShapes:
    """Shapes on the last pivots that are judged together: one expression gives a `Shape` for each."""

    shapes: tuple[ChartShape, ...]
    pivots: int  # how many must be known; the points are all of them
    expression: Callable[[PivotWindow, Floats], Sequence[Shape]]  # of the pivots and each lane's tick in dollars

    def find(self, place: Integers, pivots: PivotWindow, tick: Floats) -> Iterator[Found]:
        """Look at the pivots of some lanes, all of which have enough of them."""
        lags = range(self.pivots - 1, -1, -1)
        times = np.stack([pivots.time(lag) for lag in lags])
        heights = np.stack([pivots.height(lag) for lag in lags])
        for definition, shape in zip(self.shapes, self.expression(pivots, tick), strict=True):
            first, last = definition.key
            yield Found(definition, place, pivots.kind, shape, times, heights, (times[first], times[last]))
