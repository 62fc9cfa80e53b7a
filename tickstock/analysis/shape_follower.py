"""Follows chart patterns from the bar that completes their last pivot to the one that confirms them or makes them void.

A shape is *forming* when its last pivot is confirmed; then the first close through its line, in time, confirms it. It is void
when a bar goes beyond the height that defines it, when its time is over, or when a new session starts the pivots anew. A bar that
does both goes beyond that height first, because its close comes last. A shape whose line is already broken when its last pivot
becomes known is confirmed in that bar, without having been forming; one whose time is over by then is not reported at all. So
there is at most one state of a pattern in a bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tickstock.analysis.catalog_entry import CatalogEntry
from tickstock.analysis.chart_patterns import ChartShape, Shape
from tickstock.analysis.pivots import PivotTracker, PivotWindow
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers, PatternHit

FORMING, CONFIRMED, VOID_BY_SESSION, VOID_BY_HEIGHT, VOID_BY_TIME = range(5)
STATES = ("forming", "confirmed", "void", "void", "void")
REASONS = {VOID_BY_SESSION: "new session", VOID_BY_HEIGHT: "beyond the head", VOID_BY_TIME: "out of time"}


@dataclass(frozen=True, slots=True)
class OpenShape:
    """What is said of a pattern as long as it is followed."""

    lane: int
    pattern: CatalogEntry
    key: str
    quality: float
    height: float
    points: list[dict[str, Any]]


class Course(NamedTuple):
    """What decides the fate of shapes, as parallel arrays; heights are turned for bottoms."""

    lane: Integers
    kind: Integers  # +1 a top, -1 a bottom
    line_at: Integers
    line_height: Floats
    line_slope: Floats
    void_above: Floats
    deadline: Integers

    @classmethod
    def of(cls, lanes: Integers, kind: Integers, shape: Shape, holds: Integers) -> Course:
        return cls(
            lanes,
            kind,
            shape.line_at[holds],
            shape.line_height[holds],
            shape.line_slope[holds],
            shape.void_above[holds],
            shape.deadline[holds],
        )

    @classmethod
    def none(cls) -> Course:
        whole, real = np.empty(0, np.int64), np.empty(0)
        return cls(whole, whole, whole, real, real, real, whole)

    def rows(self, chosen: Integers | Booleans) -> Course:
        return Course(*(column[chosen] for column in self))  # type: ignore[arg-type]

    def with_more(self, other: Course) -> Course:
        return Course(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def line(self, index: Integers) -> Floats:
        """The height of the line at a bar."""
        height: Floats = self.line_height + self.line_slope * (index - self.line_at)
        return height

    def fate(self, index: Integers, bars: BarColumns, starts_anew: Booleans) -> Integers:
        """What a bar makes of each shape."""
        top = np.where(self.kind > 0, bars.high, -bars.low)
        broken = bars.close * self.kind < self.line(index)
        decided = np.select(
            [starts_anew, top > self.void_above, broken & (index <= self.deadline), index >= self.deadline],
            [VOID_BY_SESSION, VOID_BY_HEIGHT, CONFIRMED, VOID_BY_TIME],
            FORMING,
        )
        return decided.astype(np.int64)


class ShapeFollower:
    """The pivots of every lane, and every pattern that is forming."""

    def __init__(self, shapes: Sequence[ChartShape]) -> None:
        self._shapes = tuple(shapes)
        self._pivots = PivotTracker()
        self._open: list[OpenShape] = []
        self._course = Course.none()  # of the open shapes, in the same order
        self._place_of_lane = np.full(0, -1)

    def ensure_lanes(self, lanes: int) -> None:
        self._pivots.ensure_lanes(lanes)
        if lanes > len(self._place_of_lane):
            self._place_of_lane = np.full(max(lanes, 2 * len(self._place_of_lane)), -1)

    def reset(self) -> None:
        self._pivots.reset()
        self._open = []
        self._course = Course.none()

    def update(
        self, lanes: Integers, index: Integers, bars: BarColumns, previous_close: Floats, starts_anew: Booleans, tick: Floats
    ) -> list[PatternHit]:
        """Take one bar of each lane; arguments as in `PivotTracker.update`. Returns the patterns whose state changed."""
        hits = self._follow(lanes, index, bars, starts_anew) if self._open else []
        turned = self._pivots.update(lanes, index, bars, previous_close, starts_anew, tick)
        if len(turned):
            hits += self._begin(lanes[turned], index[turned], bars.rows(turned), tick[turned])
        return hits

    def _follow(self, lanes: Integers, index: Integers, bars: BarColumns, starts_anew: Booleans) -> list[PatternHit]:
        self._place_of_lane[lanes] = np.arange(len(lanes))
        place = self._place_of_lane[self._course.lane]
        self._place_of_lane[lanes] = -1
        with_bar = np.flatnonzero(place >= 0)
        place = place[with_bar]
        course = self._course.rows(with_bar)
        fate = course.fate(index[place], bars.rows(place), starts_anew[place])
        ended = fate != FORMING
        if not ended.any():
            return []
        place, ending = place[ended], with_bar[ended]
        shapes = [self._open[number] for number in ending.tolist()]
        hits = _hits(shapes, course.rows(ended), fate[ended], index[place], bars.rows(place))
        remaining = np.ones(len(self._open), np.bool_)
        remaining[ending] = False
        self._course = self._course.rows(remaining)
        self._open = [shape for shape, stays in zip(self._open, remaining.tolist(), strict=True) if stays]
        return hits

    def _begin(self, lanes: Integers, index: Integers, bars: BarColumns, tick: Floats) -> list[PatternHit]:
        """Look for shapes that end in a pivot confirmed by this bar."""
        hits: list[PatternHit] = []
        available = self._pivots.last(lanes).available
        for definition in self._shapes:
            place = np.flatnonzero(available >= definition.pivots)
            window = self._pivots.last(lanes[place])
            shape = definition.expression(window, tick[place])
            holds = np.flatnonzero(shape.holds)
            if not len(holds):
                continue
            place = place[holds]
            course = Course.of(lanes[place], window.kind[holds], shape, holds)
            fate = course.fate(index[place], bars.rows(place), np.zeros(len(place), np.bool_))
            told = fate <= CONFIRMED
            place, holds, course, fate = place[told], holds[told], course.rows(told), fate[told]
            shapes = _open_shapes(definition, self._pivots.last(course.lane), shape.quality[holds], shape.height[holds], course)
            hits += _hits(shapes, course, fate, index[place], bars.rows(place))
            self._course = self._course.with_more(course.rows(fate == FORMING))
            self._open += [each for each, state in zip(shapes, fate.tolist(), strict=True) if state == FORMING]
        return hits


def _open_shapes(definition: ChartShape, pivots: PivotWindow, quality: Floats, height: Floats, course: Course) -> list[OpenShape]:
    backs = range(definition.pivots - 1, -1, -1)
    times = np.stack([pivots.time(back) for back in backs], axis=1).tolist()
    prices = np.stack([pivots.price(back) for back in backs], axis=1).tolist()
    columns = (course.lane, course.kind, quality, height)
    shapes = []
    for lane_times, lane_prices, (lane, kind, of_quality, of_height) in zip(
        times, prices, zip(*(column.tolist() for column in columns), strict=True), strict=True
    ):
        points = [
            {"timestamp": time, "price": price, "kind": "high" if kind * (-1) ** back > 0 else "low", "name": name}
            for time, price, back, name in zip(lane_times, lane_prices, backs, definition.names, strict=True)
        ]
        pattern = definition.top if kind > 0 else definition.bottom
        key = f"{lane_times[definition.pivots - 1 - definition.first]}-{lane_times[-1]}"
        shapes.append(OpenShape(lane, pattern, key, of_quality, of_height, points))
    return shapes


def _hits(shapes: list[OpenShape], course: Course, fate: Integers, index: Integers, bars: BarColumns) -> list[PatternHit]:
    columns = (fate, course.kind, course.line(index) * course.kind, bars.close, bars.timestamp)
    hits = []
    for shape, (state, kind, line, close, timestamp) in zip(
        shapes, zip(*(column.tolist() for column in columns), strict=True), strict=True
    ):
        details: dict[str, Any] = {
            "version": int(shape.pattern.parameters["version"]),
            "points": shape.points,
            "neckline": line,
            "height": shape.height,
            "target": line - kind * shape.height,
        }
        if state in REASONS:
            details["reason"] = REASONS[state]
        direction = shape.pattern.direction or "neutral"
        name, key = shape.pattern.name, shape.key
        hits.append(PatternHit(shape.lane, name, direction, STATES[state], shape.quality, close, timestamp, key, details))
    return hits
