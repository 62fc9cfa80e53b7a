"""Indicator alerts over lanes: crossings and levels, and the arming that keeps a trembling series from firing each time.

A rule's x is taken with the sign of the side it watches: every rule fires when x is above 0, and one that comes back to be armed
again is so when x has fallen far enough below. What a rule says of a bar becomes three booleans per lane (beyond, behind, back);
from there on all rules are one array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tickstock.analysis.alert_rules import After, AlertRule, Back, Distance, Quantity, Spread
from tickstock.analysis.candle_bars import tick_in_dollars
from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import AlertHit, Booleans, Floats, Integers

# A difference this small, relative to what is compared, is the rounding of float64 and counts as none; without it a flat series
# would tremble across its own average.
ROUNDING = 1e-11


class AlertEngine:
    """The armed flags of every lane and rule, and the side of the threshold on which the last bar was."""

    def __init__(self, rules: Sequence[AlertRule], warm_from: Mapping[str, int]) -> None:
        """`warm_from` gives the bar index from which each indicator is warm; a quantity without an entry always is."""
        self.rules = tuple(rules)
        first = [max(rule.first_index, warm_from.get(rule.indicator, 0), warm_from.get(str(rule.threshold), 0)) for rule in rules]
        self._first = np.array(first, np.int64).reshape(-1, 1)
        self._is_level = np.array([not rule.crossing for rule in rules], np.bool_).reshape(-1, 1)
        self._timed = [(row, rule.rearm.milliseconds) for row, rule in enumerate(rules) if isinstance(rule.rearm, After)]
        self._state = LaneArrays()
        self._state.add("behind", False, np.bool_, rows=len(self.rules))
        self._state.add("armed", True, np.bool_, rows=len(self.rules))
        self._state.add("fired_at", 0, np.int64, rows=len(self._timed))

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(
        self, lanes: Integers, index: Integers, values: Mapping[str, Floats], new_session: Booleans, timestamp: Integers
    ) -> list[AlertHit]:
        """Take the quantities at a new bar and return the alerts that fire, ordered by rule, then by place among `lanes`.

        `new_session` is true where the bar before belongs to another session, on timeframes that keep to one: such a bar arms
        every rule and cannot be a crossing. A value that means nothing (a flat series' RSI) comes as NaN; a quantity that is not
        among `values` exists nowhere. `close` must be there.
        """
        beyond, behind, back = self._sides({**values, "tick": tick_in_dollars(values["close"])}, len(lanes))
        armed = self._state.take("armed", lanes) | new_session | back
        fired_at = self._state.take("fired_at", lanes)
        for at, (row, wait) in zip(fired_at, self._timed, strict=True):
            armed[row] |= timestamp - at >= wait
        crossed = (self._state.take("behind", lanes) & ~new_session) | self._is_level
        fires = armed & crossed & beyond & (index >= self._first)
        for at, (row, _) in zip(fired_at, self._timed, strict=True):
            at[fires[row]] = timestamp[fires[row]]
        self._state.put("fired_at", lanes, fired_at)
        self._state.put("armed", lanes, armed & ~fires)
        self._state.put("behind", lanes, behind)
        return self._hits(fires, lanes, values, timestamp)

    def _sides(self, values: Mapping[str, Floats], lanes: int) -> tuple[Booleans, Booleans, Booleans]:
        """Where x is beyond 0 as the rule asks, where it exists and is not, and where it is far enough back; [rules, lanes]."""
        beyond, behind, back = np.zeros((3, len(self.rules), lanes), np.bool_)
        rounding_of_prices = ROUNDING * values["close"]
        for row, rule in enumerate(self.rules):
            indicator, threshold = _read(rule.indicator, values), _read(rule.threshold, values)
            x = indicator - threshold if rule.side > 0 else threshold - indicator
            # A threshold that is a quantity is a price, or a MACD, whose rounding is that of prices.
            rounding = rounding_of_prices if isinstance(rule.threshold, str) else ROUNDING * abs(rule.threshold)
            np.less_equal(x, rounding, out=behind[row])
            if rule.at_least is None:
                np.greater(x, rounding, out=beyond[row])
            else:
                np.greater_equal(x, _length(rule.at_least, values) - rounding, out=beyond[row])
            if rule.only_where is not None:
                beyond[row] &= _read(rule.only_where.quantity, values) >= _length(rule.only_where.least, values) - rounding
            if isinstance(rule.rearm, Back):
                far = -_length(rule.rearm.distance, values)
                if rule.rearm.farther:
                    np.less(x, far - rounding, out=back[row])
                else:
                    np.less_equal(x, far + rounding, out=back[row])
        return beyond, behind, back

    def _hits(self, fires: Booleans, lanes: Integers, values: Mapping[str, Floats], timestamp: Integers) -> list[AlertHit]:
        hits: list[AlertHit] = []
        for row in np.flatnonzero(fires.any(axis=1)).tolist():
            rule, place = self.rules[row], np.flatnonzero(fires[row])
            threshold = np.broadcast_to(_read(rule.threshold, values), lanes.shape)
            columns = (lanes[place], values[rule.indicator][place], threshold[place], timestamp[place])
            hits += [
                AlertHit(lane, rule.name, rule.indicator, value, level, rule.direction, at)
                for lane, value, level, at in zip(*(column.tolist() for column in columns), strict=True)
            ]
        return hits


def _read(quantity: Quantity, values: Mapping[str, Floats]) -> Floats | float:
    if isinstance(quantity, Spread):
        return _read(quantity.upper, values) - _read(quantity.lower, values)
    return values.get(quantity, np.nan) if isinstance(quantity, str) else quantity


def _length(distance: Distance, values: Mapping[str, Floats]) -> Floats | float:
    return distance.count * _read(distance.unit, values)
