"""Causal pivots: the highs and lows of each lane that later bars have confirmed, and which never change again.

A high at bar j is confirmed at the first bar i > j whose low lies a threshold below it, before a higher high; then a low is
looked for, and so on (directional change; Osler and Chang 1995 use it for head and shoulders). The threshold is three times the
average true range of the bars before i, at least three times two ticks. Until a lane's first pivot both extremes are followed.

Highs and lows are handled as one: row 0 holds highs, row 1 lows with their sign turned, so that both are looked for upwards.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers
from tickstock.analysis.smoothing import WilderAverage

THRESHOLD_RANGES = 3.0
LEAST_RANGE_TICKS = 2.0
RANGE_PERIOD = 14
PIVOTS_KEPT = 8  # a power of two


class PivotTracker:
    """The running extremes and the last confirmed pivots of every lane."""

    def __init__(self) -> None:
        self._range = WilderAverage(RANGE_PERIOD, rows=1)
        self._running = LaneArrays()
        self._running.add("extreme", -np.inf, rows=2)
        self._running.add("index", -1, np.int64, rows=2)
        self._running.add("time", 0, np.int64, rows=2)
        self._running.add("sought", True, np.bool_, rows=2)
        self._pivots = LaneArrays()
        self._pivots.add("count", 0, np.int64)
        self._pivots.add("kind", 0, np.int64)  # of the newest: +1 high, -1 low
        self._pivots.add("price", rows=PIVOTS_KEPT)
        self._pivots.add("index", 0, np.int64, rows=PIVOTS_KEPT)
        self._pivots.add("time", 0, np.int64, rows=PIVOTS_KEPT)

    def ensure_lanes(self, lanes: int) -> None:
        for part in (self._running, self._pivots):
            part.ensure(lanes)
        self._range.ensure_lanes(lanes)

    def reset(self) -> None:
        for part in (self._running, self._pivots, self._range):
            part.reset()

    def start_from(self, lanes: Integers, average_range: Floats) -> None:
        """Let untouched lanes go on from a series of earlier sessions, of which only the average range counts."""
        self._range.start_from(lanes, average_range[np.newaxis])

    def usual_range(self, lanes: Integers, index: Integers, tick: Floats) -> Floats:
        """The average true range of the bars taken so far, at least two ticks; infinite until there are enough of them.

        `index` is that of the next bar.
        """
        average = self._range.current(lanes)[0]
        return np.where(index >= RANGE_PERIOD, np.maximum(average, LEAST_RANGE_TICKS * tick), np.inf)

    def update(
        self,
        lanes: Integers,
        index: Integers,
        bars: BarColumns,
        previous_close: Floats,
        starts_anew: Booleans,
        usual_range: Floats,
    ) -> Integers:
        """Take one bar of each lane and return the places among `lanes` where a pivot was confirmed.

        `index` counts the bars of a lane's series from 0. `starts_anew` marks a session's first bar on timeframes that keep to
        one session (and a series' first bar on any): pivots start anew, and the bar's range leaves out the close before it.
        `usual_range` is the method's answer before this bar.
        """
        self._forget_pivots(lanes[starts_anew])
        threshold = THRESHOLD_RANGES * usual_range
        self.take_range(lanes, index, bars, previous_close, starts_anew)

        prices = np.stack((bars.high, -bars.low))
        extreme, sought = self._running.take("extreme", lanes), self._running.take("sought", lanes)
        raised = sought & (prices > extreme)
        confirmed = sought & ~raised & (extreme + prices[::-1] >= threshold)
        if confirmed.any():
            confirmed = self._first_of_two(confirmed, lanes)
        starts = raised | confirmed[::-1]  # the other side's search begins at the confirming bar
        self._push(lanes, confirmed, extreme)
        self._running.put("extreme", lanes, np.where(starts, prices, extreme))
        for row in range(2):
            places = np.flatnonzero(starts[row])
            self._running["index"][row][lanes[places]] = index[places]
            self._running["time"][row][lanes[places]] = bars.timestamp[places]
        if confirmed.any():
            self._running.put("sought", lanes, (sought & ~confirmed & ~confirmed[::-1]) | confirmed[::-1])
        return np.flatnonzero(confirmed.any(axis=0))

    def last(self, lanes: Integers) -> PivotWindow:
        """The last pivots of these lanes."""
        return PivotWindow(self._pivots, lanes)

    def leg_end(self, lanes: Integers) -> Integers:
        """Index of the running extreme of each lane's leg: where `legs` ends."""
        at: Integers = self._running["index"].reshape(-1).take(self._leg_end_slots(lanes))
        return at

    def _leg_end_slots(self, lanes: Integers) -> Integers:
        return np.where(self._pivots["kind"].take(lanes) < 0, 0, self._running.capacity) + lanes

    def legs(self, lanes: Integers) -> Legs:
        """The way from each lane's last pivot to the running extreme on the other side."""
        kind = -self._pivots["kind"].take(lanes)
        newest = (self._pivots["count"].take(lanes) - 1) & (PIVOTS_KEPT - 1)
        start = newest * self._pivots.capacity + lanes
        end = self._leg_end_slots(lanes)
        return Legs(
            kind=kind,
            known=self._pivots["count"].take(lanes) > 0,
            start_index=self._pivots["index"].reshape(-1).take(start),
            start_time=self._pivots["time"].reshape(-1).take(start),
            start_height=kind * self._pivots["price"].reshape(-1).take(start),
            end_index=self._running["index"].reshape(-1).take(end),
            end_time=self._running["time"].reshape(-1).take(end),
            end_height=self._running["extreme"].reshape(-1).take(end),
        )

    def _forget_pivots(self, lanes: Integers) -> None:
        if len(lanes):
            self._running["extreme"][:, lanes] = -np.inf
            self._running["sought"][:, lanes] = True
            self._pivots["count"][lanes] = 0

    def take_range(
        self, lanes: Integers, index: Integers, bars: BarColumns, previous_close: Floats, starts_anew: Booleans
    ) -> None:
        """Of a bar only what goes on from session to session: the average range."""
        ranges = true_ranges(bars, previous_close, starts_anew)
        self._range.update(lanes, index + 1, ranges[np.newaxis])

    def _first_of_two(self, confirmed: Booleans, lanes: Integers) -> Booleans:
        """Where a lane's first bar would confirm both extremes: the earlier one; neither when one bar made both."""
        both = confirmed.all(axis=0)
        if not both.any():
            return confirmed
        since = self._running["index"][:, lanes]
        earlier = np.stack((since[0] < since[1], since[1] < since[0]))
        return np.where(both, confirmed & earlier, confirmed)

    def _push(self, lanes: Integers, confirmed: Booleans, extreme: Floats) -> None:
        for row, kind in ((0, 1), (1, -1)):
            places = np.flatnonzero(confirmed[row])
            if not len(places):
                continue
            where = lanes[places]
            slot = self._pivots["count"][where] & (PIVOTS_KEPT - 1)
            self._pivots["price"][slot, where] = kind * extreme[row, places]
            self._pivots["index"][slot, where] = self._running["index"][row, where]
            self._pivots["time"][slot, where] = self._running["time"][row, where]
            self._pivots["kind"][where] = kind
            self._pivots["count"][where] += 1


def true_ranges(bars: BarColumns, previous_close: Floats, starts_anew: Booleans) -> Floats:
    """The true range of each bar; where pivots start anew, from high to low."""
    top = np.where(starts_anew, bars.high, np.maximum(bars.high, previous_close))
    bottom = np.where(starts_anew, bars.low, np.minimum(bars.low, previous_close))
    ranges: Floats = top - bottom
    return ranges


def average_ranges_before(ranges: Floats, at: Integers) -> Floats:
    """The average range as a tracker holds it before these bars (in order) of one series, given the true range of each bar."""
    found = np.empty(len(at))
    total, done = 0.0, 0
    for number, until in enumerate(at.tolist()):
        for index, value in enumerate(ranges[done:until].tolist(), done + 1):
            if index > RANGE_PERIOD:
                total = (total * (RANGE_PERIOD - 1) + value) / RANGE_PERIOD
            else:
                total = (total + value) / (RANGE_PERIOD if index == RANGE_PERIOD else 1)
        done = until
        found[number] = total
    return found


class Legs(NamedTuple):
    """A leg in each lane that may still go on; heights are turned where it leads down, so that it reads as a rise."""

    kind: Integers  # +1 up, -1 down
    known: Booleans  # where there is a pivot to start from
    start_index: Integers
    start_time: Integers
    start_height: Floats
    end_index: Integers
    end_time: Integers
    end_height: Floats

    def rows(self, chosen: Integers) -> Legs:
        return Legs(*(column[chosen] for column in self))  # type: ignore[arg-type]


class PivotWindow:
    """The last pivots of some lanes, read by lag: 0 is the newest.

    Heights are turned where the newest pivot is a low, so that it reads as a high in every lane: a shape written once as a top is
    also found upside down.
    """

    def __init__(self, pivots: LaneArrays, lanes: Integers) -> None:
        self._pivots = pivots
        self._lanes = lanes
        self._count = pivots["count"][lanes]
        self._slots: dict[int, Integers] = {}
        self.kind: Integers = pivots["kind"][lanes]  # of the newest pivot: +1 high, -1 low
        self.available = np.minimum(self._count, PIVOTS_KEPT)

    def price(self, lag: int) -> Floats:
        """As printed."""
        prices: Floats = self._read("price", lag)
        return prices

    def height(self, lag: int) -> Floats:
        """The price, turned where the newest pivot is a low."""
        return self.price(lag) * self.kind

    def index(self, lag: int) -> Integers:
        """The bar that made the pivot, counted in the lane's series."""
        bars: Integers = self._read("index", lag)
        return bars

    def time(self, lag: int) -> Integers:
        """Start of that bar, Unix milliseconds."""
        times: Integers = self._read("time", lag)
        return times

    def _read(self, name: str, lag: int) -> NDArray[Any]:
        slots = self._slots.get(lag)
        if slots is None:
            slots = ((self._count - 1 - lag) & (PIVOTS_KEPT - 1)) * self._pivots.capacity + self._lanes
            self._slots[lag] = slots
        return self._pivots[name].reshape(-1).take(slots)
