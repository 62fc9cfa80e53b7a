"""`BarResult`: all that a bar close gave, as arrays; what is told of it is built when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tickstock.analysis.open_shapes import ShapeStates
from tickstock.analysis.results import AlertHit, BarColumns, Booleans, Candlesticks, Floats, Integers, PatternHit
from tickstock.analysis.shape_hits import shape_hits

# What is told of the bar of every pattern, and the figure that it is.
CONTEXT = {"volume_ratio": "BarVolumeRatio", "day_position": "day_position"}


@dataclass(slots=True)
class BarResult:
    """All that one bar close gave, for the lanes that closed a bar."""

    lanes: Integers
    bars: BarColumns
    values: dict[str, Floats]  # by published name; NaN where a value does not exist yet
    figures: Mapping[str, Floats]  # of the trading day at the bar's end
    states: ShapeStates  # the chart patterns whose state changed
    alerts: list[AlertHit]
    candlesticks: list[Candlesticks] = field(default_factory=list)
    suppressed: int = 0  # candlesticks found in bars too thin to mean anything
    shapes_after_gap: Booleans | None = None  # of each state; None: of none

    def pattern_hits(self) -> list[PatternHit]:
        """Every pattern as a hit of its own, with the context of its bar."""
        hits: list[PatternHit] = []
        for found in self.candlesticks:
            place = found.place
            columns = (self.lanes[place], found.quality, self.bars.close[place], self.bars.timestamp[place])
            hits += [
                PatternHit(
                    lane, found.pattern.name, direction, "confirmed", quality, price, timestamp, str(timestamp), details | context
                )
                for lane, quality, price, timestamp, direction, details, context in zip(
                    *(column.tolist() for column in columns),
                    found.directions(), found.details(), self._context(place), strict=True,
                )
            ]  # fmt: skip
        return hits + self.shape_hits()

    def shape_hits(self) -> list[PatternHit]:
        """The new states of chart patterns as hits, with the context of their bars."""
        if not len(self.states.fate):
            return []
        hits = shape_hits(self.states)
        for hit, context in zip(hits, self._context(self.places_of_shapes()), strict=True):
            hit.details |= context
        if self.shapes_after_gap is not None:
            for number in np.flatnonzero(self.shapes_after_gap).tolist():
                hits[number].details["after_gap"] = True
        return hits

    def places_of_shapes(self) -> Integers:
        """Where among the lanes the one of each chart pattern is."""
        order = np.argsort(self.lanes)
        return order[np.searchsorted(self.lanes, self.states.shapes.lane, sorter=order)]

    def _context(self, place: Integers) -> list[dict[str, Any]]:
        """What is known of the bars at these places, rounded for the eye; what does not exist is left out."""
        there = [name for name, figure in CONTEXT.items() if figure in self.figures]
        columns = [self.figures[CONTEXT[name]].take(place).round(2).tolist() for name in there]
        rows = zip(*columns, strict=True) if columns else [()] * len(place)
        return [{name: value for name, value in zip(there, row, strict=True) if value == value} for row in rows]
