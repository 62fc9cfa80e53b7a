"""The shapes that are forming, as parallel arrays, and what is said of each when its state changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.catalog_entry import CatalogEntry
from tickstock.analysis.chart_shape import (
    CONFIRMED_ABOVE,
    CONFIRMED_BELOW,
    FORMING,
    VOID_BY_LEVEL,
    VOID_BY_LINE,
    VOID_BY_SESSION,
    VOID_BY_TIME,
    ChartShape,
    Found,
    Line,
)  # fmt: skip
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers, PatternHit

REASONS = {VOID_BY_SESSION: "new session", VOID_BY_LINE: "broken on the wrong side", VOID_BY_TIME: "out of time"}
SIDES = {"bullish": 1, "bearish": -1}


class DrawnLine(NamedTuple):
    """A line for the chart, in printed prices."""

    name: str
    bar: int
    time: int
    price: float
    slope: float

    def until(self, index: int, time: int) -> dict[str, Any]:
        end = {"timestamp": time, "price": self.price + self.slope * (index - self.bar)}
        return {"name": self.name, "points": [{"timestamp": self.time, "price": self.price}, end]}


@dataclass(slots=True)
class Story:
    """What is said of a shape as long as it is followed."""

    lane: int
    kind: int
    definition: ChartShape
    pattern: CatalogEntry
    key: str
    quality: float
    height: float
    points: list[dict[str, Any]]
    lines: list[DrawnLine]
    figures: dict[str, float]
    part_of: str | None = None

    def lies_in(self, other: Story) -> bool:
        """Whether its first and last defining points are points of the other shape."""
        times = {point["timestamp"] for point in other.points}
        return all(self.points[number]["timestamp"] in times for number in self.definition.key)

    def hit(self, fate: int, levels: tuple[float, float], index: int, timestamp: int, close: float) -> PatternHit:
        """The shape's new state at this bar. `levels` are its upper and its lower line there, as the shape is written."""
        pattern = self.pattern
        side = {CONFIRMED_ABOVE: 1, CONFIRMED_BELOW: -1}.get(fate, 0) * self.kind
        expected = SIDES.get(pattern.direction or "", 0)
        details: dict[str, Any] = {
            "version": int(pattern.parameters["version"]),
            "points": self.points,
            "lines": [line.until(index, timestamp) for line in self.lines],
            "height": self.height,
        }
        towards = side or expected
        if towards:
            level = self.kind * levels[0 if towards == self.kind else 1]
            details[self.definition.level] = level
            details["target"] = level + towards * self.height
        if side and expected and side != expected:
            details["against"] = True
        if self.part_of is not None:
            details["part_of"] = self.part_of
        if fate in (VOID_BY_SESSION, VOID_BY_LINE, VOID_BY_TIME):
            details["reason"] = REASONS[fate]
        elif fate == VOID_BY_LEVEL:
            details["reason"] = self.definition.void_reason
        details |= self.figures
        state = "forming" if fate == FORMING else "confirmed" if side else "void"
        direction = "bullish" if towards > 0 else "bearish" if towards < 0 else "neutral"
        return PatternHit(self.lane, pattern.name, direction, state, self.quality, close, timestamp, self.key, details)


class OpenShapes(NamedTuple):
    """What decides the fate of shapes, as parallel arrays; heights are turned for shapes upside down."""

    lane: Integers
    kind: Integers  # +1 as written, -1 upside down
    upper: Line
    lower: Line
    above: Integers  # what a close above the upper line makes of it
    below: Integers
    void_above: Floats
    void_below: Floats
    deadline: Integers
    story: NDArray[np.object_]

    @classmethod
    def none(cls) -> OpenShapes:
        whole, real, nowhere = np.empty(0, np.int64), np.empty(0), Line.nowhere(1, 0)
        return cls(whole, whole, nowhere, nowhere, whole, whole, real, real, whole, np.empty(0, np.object_))

    @classmethod
    def of(cls, lanes: Integers, found: Found, chosen: Integers) -> OpenShapes:
        """The chosen ones among the lanes where shapes were found, as rows without their stories."""
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
            story=np.empty(many, np.object_),
        )

    def rows(self, chosen: Integers | Booleans) -> OpenShapes:
        parts = (part.rows(chosen) if isinstance(part, Line) else part[chosen] for part in self)
        return OpenShapes(*parts)  # type: ignore[arg-type]

    def with_more(self, other: OpenShapes) -> OpenShapes:
        def joined(one: Any, more: Any) -> Any:
            if isinstance(one, Line):
                return Line(*(np.concatenate(pair) for pair in zip(one, more, strict=True)))
            return np.concatenate((one, more))

        return OpenShapes(*(joined(one, more) for one, more in zip(self, other, strict=True)))

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

    def hits(self, fate: Integers, index: Integers, bars: BarColumns) -> list[PatternHit]:
        """What is told of these shapes at these bars."""
        columns = (
            fate, self.upper.at(index), self.lower.at(index), index, bars.timestamp, bars.close,
        )  # fmt: skip
        return [
            story.hit(state, (upper, lower), at, timestamp, close)
            for story, state, upper, lower, at, timestamp, close in zip(
                self.story.tolist(), *(column.tolist() for column in columns), strict=True
            )
        ]


def stories(found: Found, chosen: Integers, lanes: Integers) -> list[Story]:
    """What is said of the chosen ones among the shapes found."""
    definition, shape, kind = found.definition, found.shape, found.kind[chosen]
    columns = (
        lanes, kind, shape.fits.quality()[chosen], shape.height[chosen], found.key[0][chosen], found.key[1][chosen],
        found.times[:, chosen].T, (found.heights[:, chosen] * kind).T,
    )  # fmt: skip
    drawn = [_drawn_lines(name, line, kind, chosen) for name, line in _named_lines(found)]
    names = list(found.figures)
    figures = zip(*(found.figures[name][chosen].tolist() for name in names), strict=True) if names else ((),) * len(chosen)
    told = []
    for (lane, turn, quality, height, first, last, times, prices), lines, values in zip(
        zip(*(column.tolist() for column in columns), strict=True), zip(*drawn, strict=True), figures, strict=True
    ):
        points = _points(definition.names, times, prices, turn)
        own = {name: value for name, value in zip(names, values, strict=True) if value == value}
        pattern = definition.top if turn > 0 else definition.bottom
        told.append(Story(lane, turn, definition, pattern, f"{first}-{last}", quality, height, points, list(lines), own))
    return told


def _points(names: Sequence[str], times: list[int], prices: list[float], kind: int) -> list[dict[str, Any]]:
    """Points alternate, and the newest is a high in a shape as it is written."""
    kinds = ("low", "high") if (len(names) % 2 == 0) == (kind > 0) else ("high", "low")
    return [
        {"timestamp": time, "price": price, "kind": kinds[number % 2], "name": name}
        for number, (name, time, price) in enumerate(zip(names, times, prices, strict=True))
    ]


def _named_lines(found: Found) -> list[tuple[tuple[str, str], Line]]:
    """The lines to be drawn, each with its name as the shape is written and its name upside down."""
    shape, level = found.shape, found.definition.level
    upper, lower = shape.channel or (shape.upper, shape.lower)
    if upper is not None and lower is not None:
        return [(("upper", "lower"), upper), (("lower", "upper"), lower)]
    return [((level, level), line) for line in (upper, lower) if line is not None]


def _drawn_lines(names: tuple[str, str], line: Line, kind: Integers, chosen: Integers) -> list[DrawnLine]:
    line = line.rows(chosen)
    columns = (kind, line.bar, line.time, line.height * kind, line.slope * kind)
    return [
        DrawnLine(names[0 if turn > 0 else 1], bar, time, price, slope)
        for turn, bar, time, price, slope in zip(*(column.tolist() for column in columns), strict=True)
    ]
