"""The new states of chart patterns in the words of the messages: one hit each, with its points and lines for the chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tickstock.analysis.chart_pattern_rules import TRIPLE_BOTTOM, TRIPLE_TOP
from tickstock.analysis.chart_shape import (
    CONFIRMED_ABOVE,
    CONFIRMED_BELOW,
    FORMING,
    VOID_BY_LEVEL,
    VOID_BY_LINE,
    VOID_BY_SESSION,
    VOID_BY_TIME,
    ChartShape,
    Line,
    pattern_of,
)
from tickstock.analysis.open_shapes import ShapeStates
from tickstock.analysis.results import Floats, Integers, PatternHit

REASONS = {VOID_BY_SESSION: "new session", VOID_BY_LINE: "broken on the wrong side", VOID_BY_TIME: "out of time"}
EXPECTED = {"bullish": 1, "bearish": -1}
WORDS = {1: "bullish", -1: "bearish", 0: "neutral"}


def shape_hits(states: ShapeStates) -> list[PatternHit]:
    """What is told of these states, in their order."""
    shapes, story = states.shapes, states.shapes.story
    columns = (
        shapes.lane, shapes.kind, story.definition, states.fate, story.quality, story.height, story.key, story.part_of,
        shapes.upper.at(states.bar), shapes.lower.at(states.bar), story.volume_ratio, states.time, states.close,
        story.times, story.heights * shapes.kind[:, np.newaxis],
    )  # fmt: skip
    drawn = (_drawn(line, shapes.kind, states.bar) for line in (story.upper, story.lower))
    hits = []
    for (
        lane, kind, definition, fate, quality, height, key, part_of, upper, lower, volume_ratio, time, close, times, prices,
        above, below,
    ) in zip(*(column.tolist() for column in columns), *drawn, strict=True):  # fmt: skip
        pattern = pattern_of(definition, kind)
        side = kind * ((fate == CONFIRMED_ABOVE) - (fate == CONFIRMED_BELOW))
        expected = EXPECTED.get(pattern.direction or "", 0)
        towards = side or expected
        details: dict[str, Any] = {
            "version": int(pattern.parameters["version"]),
            "points": _points(definition.names, times, prices, kind),
            "lines": _lines(definition, above, below, kind, time),
            "height": height,
        }
        if towards:
            level = kind * (upper if towards == kind else lower)
            details[definition.level] = level
            details["target"] = level + towards * height
        if side and expected and side != expected:
            details["against"] = True
        if part_of[0]:
            details["part_of"] = f"{(TRIPLE_TOP if kind > 0 else TRIPLE_BOTTOM).name}:{part_of[0]}-{part_of[1]}"
        if fate != FORMING and not side:
            details["reason"] = definition.void_reason if fate == VOID_BY_LEVEL else REASONS[fate]
        if volume_ratio == volume_ratio:  # not NaN
            details["volume_ratio_20"] = volume_ratio
        state = "confirmed" if side else "forming" if fate == FORMING else "void"
        hits.append(PatternHit(lane, pattern.name, WORDS[towards], state, quality, close, time, f"{key[0]}-{key[1]}", details))
    return hits


def _points(names: Sequence[str], times: list[int], prices: list[float], kind: int) -> list[dict[str, Any]]:
    """Points alternate, and the newest is a high in a shape as it is written."""
    kinds = ("low", "high") if (len(names) % 2 == 0) == (kind > 0) else ("high", "low")
    return [
        {"timestamp": times[number], "price": prices[number], "kind": kinds[number % 2], "name": name}
        for number, name in enumerate(names)
    ]


def _drawn(line: Line, kind: Integers, index: Integers) -> list[tuple[int, float, float]]:
    """Where each line starts, its price there, and its price at the bar."""
    ends: tuple[Floats, Floats] = (line.height * kind, line.at(index) * kind)
    return list(zip(line.time.tolist(), ends[0].tolist(), ends[1].tolist(), strict=True))


def _lines(
    definition: ChartShape, above: tuple[int, float, float], below: tuple[int, float, float], kind: int, time: int
) -> list[dict[str, Any]]:
    """The lines that exist, until this bar; a line nowhere starts at no time."""
    both = above[0] and below[0]
    names = ("upper", "lower") if both else (definition.level, definition.level)
    return [
        {"name": name, "points": [{"timestamp": since, "price": start}, {"timestamp": time, "price": end}]}
        for name, (since, start, end) in zip(names, (above, below) if kind > 0 else (below, above), strict=True)
        if since
    ]
