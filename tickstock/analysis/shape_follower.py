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
from typing import Any

import numpy as np

from tickstock.analysis.catalog import CatalogEntry
from tickstock.analysis.chart_patterns import ChartShape, Shape
from tickstock.analysis.pivots import PivotTracker, PivotWindow
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers, PatternHit


@dataclass(slots=True)
class OpenShape:
    """One forming pattern."""

    pattern: CatalogEntry
    kind: int  # +1 a top, -1 a bottom
    key: str
    quality: float
    height: float
    points: list[dict[str, Any]]
    lane: int
    line_at: int
    line_height: float
    line_slope: float
    void_above: float
    deadline: int

    def line(self, index: int) -> float:
        """The line's price at a bar."""
        return self.kind * (self.line_height + self.line_slope * (index - self.line_at))


class ShapeFollower:
    """The pivots of every lane, and every pattern that is forming."""

    def __init__(self, shapes: Sequence[ChartShape]) -> None:
        self._shapes = tuple(shapes)
        self._pivots = PivotTracker()
        self._open: list[OpenShape] = []
        self._columns: _OpenColumns | None = None  # of the open shapes; None when they have changed
        self._place_of_lane = np.full(0, -1)

    def ensure_lanes(self, lanes: int) -> None:
        self._pivots.ensure_lanes(lanes)
        if lanes > len(self._place_of_lane):
            self._place_of_lane = np.full(max(lanes, 2 * len(self._place_of_lane)), -1)

    def reset(self) -> None:
        self._pivots.reset()
        self._open.clear()
        self._columns = None

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
        if self._columns is None:
            self._columns = _OpenColumns.of(self._open)
        self._place_of_lane[lanes] = np.arange(len(lanes))
        place = self._place_of_lane[self._columns.lane]
        self._place_of_lane[lanes] = -1
        here = np.flatnonzero(place >= 0)
        place = place[here]
        fate = self._columns.rows(here).fate(index[place], bars.rows(place), starts_anew[place])
        hits: list[PatternHit] = []
        ended: set[int] = set()
        for number in np.flatnonzero(fate).tolist():
            shape, at = self._open[here[number]], int(place[number])
            ended.add(int(here[number]))
            reason = _REASONS[int(fate[number])]
            hits.append(_hit(shape, reason, int(index[at]), float(bars.close[at]), int(bars.timestamp[at])))
        if ended:
            self._open = [shape for number, shape in enumerate(self._open) if number not in ended]
            self._columns = None
        return hits

    def _begin(self, lanes: Integers, index: Integers, bars: BarColumns, tick: Floats) -> list[PatternHit]:
        hits: list[PatternHit] = []
        pivots = self._pivots.last(lanes)
        for definition in self._shapes:
            enough = np.flatnonzero(pivots.available >= definition.pivots)
            if not len(enough):
                continue
            window = self._pivots.last(lanes[enough])
            shape = definition.expression(window, tick[enough])
            for number in np.flatnonzero(shape.holds).tolist():
                candidate = _open_shape(definition, window, shape, number, int(lanes[enough[number]]))
                hits += self._open_or_end(candidate, int(index[enough[number]]), bars.rows(enough[number : number + 1]))
        return hits

    def _open_or_end(self, shape: OpenShape, index: int, bar: BarColumns) -> list[PatternHit]:
        columns = _OpenColumns.of([shape])
        fate = int(columns.fate(np.array([index]), bar, np.array([False]))[0])
        close, timestamp = float(bar.close[0]), int(bar.timestamp[0])
        if fate == FORMING:
            self._open.append(shape)
            self._columns = None
        elif fate != CONFIRMED:
            return []
        return [_hit(shape, _REASONS[fate], index, close, timestamp)]


FORMING, CONFIRMED, VOID_BY_SESSION, VOID_BY_HEIGHT, VOID_BY_TIME = range(5)
_REASONS = {
    FORMING: ("forming", None),
    CONFIRMED: ("confirmed", None),
    VOID_BY_SESSION: ("void", "new session"),
    VOID_BY_HEIGHT: ("void", "beyond the head"),
    VOID_BY_TIME: ("void", "out of time"),
}


@dataclass(slots=True)
class _OpenColumns:
    """What decides the fate of open shapes, as parallel arrays; heights are turned for bottoms."""

    lane: Integers
    kind: Integers
    line_at: Integers
    line_height: Floats
    line_slope: Floats
    void_above: Floats
    deadline: Integers

    @classmethod
    def of(cls, shapes: Sequence[OpenShape]) -> _OpenColumns:
        return cls(
            np.array([shape.lane for shape in shapes], np.int64),
            np.array([shape.kind for shape in shapes], np.int64),
            np.array([shape.line_at for shape in shapes], np.int64),
            np.array([shape.line_height for shape in shapes]),
            np.array([shape.line_slope for shape in shapes]),
            np.array([shape.void_above for shape in shapes]),
            np.array([shape.deadline for shape in shapes], np.int64),
        )

    def rows(self, chosen: Integers) -> _OpenColumns:
        return _OpenColumns(
            self.lane[chosen],
            self.kind[chosen],
            self.line_at[chosen],
            self.line_height[chosen],
            self.line_slope[chosen],
            self.void_above[chosen],
            self.deadline[chosen],
        )

    def fate(self, index: Integers, bars: BarColumns, starts_anew: Booleans) -> Integers:
        """What a bar makes of each shape."""
        close = bars.close * self.kind
        top = np.where(self.kind > 0, bars.high, -bars.low)
        line = self.line_height + self.line_slope * (index - self.line_at)
        decided = np.select(
            [starts_anew, top > self.void_above, (close < line) & (index <= self.deadline), index >= self.deadline],
            [VOID_BY_SESSION, VOID_BY_HEIGHT, CONFIRMED, VOID_BY_TIME],
            FORMING,
        )
        return decided.astype(np.int64)


def _open_shape(definition: ChartShape, pivots: PivotWindow, shape: Shape, number: int, lane: int) -> OpenShape:
    kind = int(pivots.kind[number])
    points = []
    for back, name in zip(range(definition.pivots - 1, -1, -1), definition.names, strict=True):
        high = kind * (-1) ** back > 0
        points.append(
            {
                "timestamp": int(pivots.time(back)[number]),
                "price": float(pivots.price(back)[number]),
                "kind": "high" if high else "low",
                "name": name,
            }
        )
    first, last = points[definition.pivots - 1 - definition.first], points[-1]
    return OpenShape(
        pattern=definition.top if kind > 0 else definition.bottom,
        kind=kind,
        key=f"{first['timestamp']}-{last['timestamp']}",
        quality=float(shape.quality[number]),
        height=float(shape.height[number]),
        points=points,
        lane=lane,
        line_at=int(shape.line_at[number]),
        line_height=float(shape.line_height[number]),
        line_slope=float(shape.line_slope[number]),
        void_above=float(shape.void_above[number]),
        deadline=int(shape.deadline[number]),
    )


def _hit(shape: OpenShape, fate: tuple[str, str | None], index: int, close: float, timestamp: int) -> PatternHit:
    state, reason = fate
    neckline = shape.line(index)
    details: dict[str, Any] = {
        "version": shape.pattern.parameters["version"],
        "points": shape.points,
        "neckline": neckline,
        "height": shape.height,
        "target": neckline - shape.kind * shape.height,
    }
    if reason is not None:
        details["reason"] = reason
    direction = shape.pattern.direction or "neutral"
    return PatternHit(shape.lane, shape.pattern.name, direction, state, shape.quality, close, timestamp, shape.key, details)
