"""Indicator alerts over lanes: crossings of a threshold, and the arming that keeps a trembling series from firing each time.

A rule's x is its quantity less its threshold, taken with the sign of the side it watches: every rule fires when x rises above 0,
and is armed again when x has fallen far enough below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tickstock.analysis.alert_rules import AlertRule
from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import AlertHit, Booleans, Floats, Integers

# A difference this small, relative to the threshold, is the rounding of float64 and counts as none; without it a flat series
# would tremble across its own average.
ROUNDING = 1e-11


class AlertEngine:
    """The armed flags and the last differences of every lane and rule."""

    def __init__(self, rules: Sequence[AlertRule], warm_from: Mapping[str, int]) -> None:
        """`warm_from` gives the bar index from which each indicator is warm; a quantity without an entry always is."""
        self.rules = tuple(rules)
        self._sides = np.array([[rule.side] for rule in rules], np.float64)
        self._distances = np.array([[rule.rearm_distance] for rule in rules])
        self._warm_from = np.array(
            [[max(warm_from.get(rule.indicator, 0), warm_from.get(str(rule.threshold), 0))] for rule in rules]
        )
        self._state = LaneArrays()
        self._state.add("x", np.nan, rows=len(self.rules))
        self._state.add("armed", True, np.bool_, rows=len(self.rules))

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(
        self, lanes: Integers, index: Integers, values: Mapping[str, Floats], new_session: Booleans, timestamp: Integers
    ) -> list[AlertHit]:
        """Take the quantities at a new bar and return the alerts that fire, ordered by rule, then by place among `lanes`.

        `new_session` is true where the bar before belongs to another session, on timeframes that keep to one: such a bar arms
        every rule and cannot be a crossing. A value that means nothing (a flat series' RSI) comes as NaN.
        """
        levels = self._stack([rule.threshold for rule in self.rules], values, len(lanes))
        units = self._stack([rule.rearm_unit for rule in self.rules], values, len(lanes))
        subjects = self._stack([rule.indicator for rule in self.rules], values, len(lanes))
        slack = ROUNDING * np.abs(levels)
        x = (subjects - levels) * self._sides
        x[np.abs(x) <= slack] = 0.0

        before = self._state.take("x", lanes)
        armed = self._state.take("armed", lanes) | new_session
        fires = armed & (before <= 0.0) & (x > 0.0) & ~new_session & (index >= self._warm_from)
        self._state.put("x", lanes, x)
        self._state.put("armed", lanes, (armed & ~fires) | (x <= slack - self._distances * units))
        hits: list[AlertHit] = []
        for row in np.flatnonzero(fires.any(axis=1)).tolist():
            rule, place = self.rules[row], np.flatnonzero(fires[row])
            columns = (lanes[place], subjects[row, place], levels[row, place], timestamp[place])
            hits += [
                AlertHit(lane, rule.name, rule.indicator, value, threshold, rule.direction, at)
                for lane, value, threshold, at in zip(*(column.tolist() for column in columns), strict=True)
            ]
        return hits

    @staticmethod
    def _stack(quantities: Sequence[str | float], values: Mapping[str, Floats], lanes: int) -> Floats:
        stacked = np.empty((len(quantities), lanes))
        for row, quantity in enumerate(quantities):
            stacked[row] = values[quantity] if isinstance(quantity, str) else quantity
        return stacked
