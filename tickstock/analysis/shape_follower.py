"""Follows chart patterns from the bar in which they are first known to the one that confirms them or makes them void.

A shape is *forming* when its last pivot is confirmed (a flag: when it is five bars old); then the first close through its line,
in time, decides it. It is void when a bar goes beyond the level that defines it, when its time is over, or when a new session
starts the pivots anew. A bar that does both goes beyond that level first, because its close comes last. A shape whose line is
already broken when it becomes known is confirmed in that bar, without having been forming; one that is void by then is not
reported at all. So there is at most one state of a pattern in a bar.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.chart_patterns import PIVOT_SHAPES
from tickstock.analysis.chart_shape import CONFIRMED_ABOVE, CONFIRMED_BELOW, FORMING, ChartShape, Found, pattern_of
from tickstock.analysis.doubles_and_triples import DOUBLE, TRIPLE
from tickstock.analysis.flags import FLAG, MOST_BARS, find_flags, is_a_pole, is_as_old_as_a_flag
from tickstock.analysis.lanes import BarRing, LaneArrays, RingView
from tickstock.analysis.open_shapes import OpenShapes, ShapeStates, columns_of, joined, rows_of, with_columns
from tickstock.analysis.pivots import PivotTracker
from tickstock.analysis.range_breakout import BREAKOUT, RANGE_BARS, find_breakouts, leaves_bar_before
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers

NOTHING = ShapeStates.none()
DEFINITIONS = (*(shape for group in PIVOT_SHAPES for shape in group.shapes), FLAG, BREAKOUT)


class ShapeFollower:
    """The pivots of every lane, and every chart pattern that is forming."""

    reach = RANGE_BARS  # how many bars back it reads the window

    def __init__(self, patterns: Collection[str]) -> None:
        """`patterns` are the names to be found; others may be among them."""
        self._names = frozenset(patterns)
        self._pivot_shapes = [group for group in PIVOT_SHAPES if any(map(self._wants, group.shapes))]
        self._pivots = PivotTracker()
        self._times = BarRing(("time",), 1 << RANGE_BARS.bit_length())
        self._marks = LaneArrays()
        self._marks.add("since", 0, np.int64)  # index of the first bar since pivots started anew
        self._marks.add("pole", -1, np.int64)  # index of the end of the last pole whose flag was told
        self._marks.add("breakout", -1, np.int64)  # index of the last breakout
        self._place_of_lane = np.full(0, -1)
        self._open = OpenShapes.none()

    def ensure_lanes(self, lanes: int) -> None:
        self._pivots.ensure_lanes(lanes)
        self._times.ensure(lanes)
        self._marks.ensure(lanes)
        if lanes > len(self._place_of_lane):
            self._place_of_lane = np.full(max(lanes, 2 * len(self._place_of_lane)), -1)

    def reset(self) -> None:
        self._pivots.reset()
        self._times.reset()
        self._marks.reset()
        self._open = OpenShapes.none()

    def open_shapes(self) -> dict[str, NDArray[Any]]:
        """The shapes that are forming, as arrays of numbers by name."""
        number = {id(definition): at for at, definition in enumerate(DEFINITIONS)}
        columns = columns_of(self._open)
        columns["story.definition"] = np.array([number[id(each)] for each in columns["story.definition"]], np.int64)
        return columns

    def restore_open_shapes(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Go on with the shapes that `open_shapes` gave.

        Raises:
            KeyError, ValueError, IndexError: these are none.
        """
        definitions = np.empty(len(columns["story.definition"]), np.object_)
        definitions[:] = [DEFINITIONS[at] for at in columns["story.definition"].tolist()]
        self._open = with_columns(OpenShapes.none(), {**columns, "story.definition": definitions})

    def adopt_open_shapes(self, other: ShapeFollower, lanes: Integers) -> None:
        """Let what is forming in these lanes be what is forming in the first lanes of another follower."""
        theirs = other._open._replace(lane=lanes[other._open.lane])
        self._open = joined((rows_of(self._open, ~np.isin(self._open.lane, lanes)), theirs))

    def start_from(self, lanes: Integers, average_range: Floats) -> None:
        """Let untouched lanes go on from earlier sessions; see `PivotTracker.start_from`."""
        self._pivots.start_from(lanes, average_range)

    def pass_over(
        self, lanes: Integers, index: Integers, bars: BarColumns, previous_close: Floats, starts_anew: Booleans
    ) -> None:
        """Take one bar of each lane of a session that ends before the next bar to be followed; see `PivotTracker.take_range`."""
        self._pivots.take_range(lanes, index, bars, previous_close, starts_anew)

    def update(
        self,
        lanes: Integers,
        index: Integers,
        bars: BarColumns,
        previous_close: Floats,
        starts_anew: Booleans,
        tick: Floats,
        window: RingView,
    ) -> ShapeStates:
        """Take one bar of each lane and return the patterns whose state changed, in the order of their beginning.

        Arguments as in `PivotTracker.update`, with `window` over the last bars (high, low, close, volume), the new one at lag 0.
        """
        ended = self._follow(lanes, index, bars, starts_anew)
        self._times.append(lanes, {"time": bars.timestamp})
        self._marks["since"][lanes[starts_anew]] = index[starts_anew]
        usual_range = self._pivots.usual_range(lanes, index, tick)
        turned = self._pivots.update(lanes, index, bars, previous_close, starts_anew, usual_range)
        with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is found anyway
            begun = [
                states
                for found in (
                    *self._on_pivots(lanes, turned, tick),
                    *self._flags(lanes, index, usual_range, window, tick),
                    *self._breakouts(lanes, index, bars, usual_range, window, tick),
                )
                if (states := self._begin(found, lanes, index, bars)) is not None
            ]
        if not begun:
            return ended
        fresh = joined(begun)
        self._tell_doubles(fresh.shapes)
        self._open = joined((self._open, rows_of(fresh.shapes, fresh.fate == FORMING)))
        return joined((ended, fresh))

    def _wants(self, shape: ChartShape) -> bool:
        return not self._names.isdisjoint((shape.top.name, shape.bottom.name))

    def _follow(self, lanes: Integers, index: Integers, bars: BarColumns, starts_anew: Booleans) -> ShapeStates:
        """What the bars make of the open shapes; those that end are dropped."""
        if not len(self._open.lane):
            return NOTHING
        place = self._places(lanes, self._open.lane)
        with_bar = np.flatnonzero(place >= 0)
        shapes = self._open if len(with_bar) == len(place) else rows_of(self._open, with_bar)
        place = place[with_bar]
        fate = shapes.fate(index[place], bars.rows(place), starts_anew[place])
        ended = np.flatnonzero(fate != FORMING)
        if not len(ended):
            return NOTHING
        remaining = np.ones(len(self._open.lane), np.bool_)
        remaining[with_bar[ended]] = False
        self._open = rows_of(self._open, remaining)
        place = place[ended]
        return ShapeStates.of(rows_of(shapes, ended), fate[ended], index[place], bars.rows(place))

    def _places(self, lanes: Integers, wanted: Integers) -> Integers:
        """Where these lanes stand among the others; -1 for one that is not among them."""
        self._place_of_lane[lanes] = np.arange(len(lanes))
        places: Integers = self._place_of_lane[wanted]
        self._place_of_lane[lanes] = -1
        return places

    def _on_pivots(self, lanes: Integers, turned: Integers, tick: Floats) -> Iterator[Found]:
        if not len(turned):
            return
        available = self._pivots.last(lanes[turned]).available
        for group in self._pivot_shapes:
            place = turned[available >= group.pivots]
            if len(place):
                yield from (
                    found
                    for found in group.find(place, self._pivots.last(lanes[place]), tick[place])
                    if self._wants(found.definition)
                )

    def _flags(self, lanes: Integers, index: Integers, usual_range: Floats, window: RingView, tick: Floats) -> Iterator[Found]:
        if not self._wants(FLAG):
            return
        place = np.flatnonzero(is_as_old_as_a_flag(index - self._pivots.leg_end(lanes)))
        legs, told = self._pivots.legs(lanes[place]), self._marks.take("pole", lanes[place])
        poles = np.flatnonzero(is_a_pole(legs, usual_range[place]) & (legs.end_index != told))
        if len(poles):
            place = place[poles]
            yield find_flags(place, legs.rows(poles), index[place], usual_range[place], window.select(place), tick[place])

    def _breakouts(
        self, lanes: Integers, index: Integers, bars: BarColumns, usual_range: Floats, window: RingView, tick: Floats
    ) -> Iterator[Found]:
        """A breakout's bar is part of no range that breaks after it."""
        if not self._wants(BREAKOUT):
            return
        place = np.flatnonzero(leaves_bar_before(bars.close, window))
        where = lanes[place]
        since = np.maximum(self._marks.take("since", where), self._marks.take("breakout", where) + 1)
        place = place[index[place] - since >= RANGE_BARS]
        if len(place):
            times = self._times.at(lanes[place])
            found = find_breakouts(
                place, index[place], bars.rows(place), usual_range[place], window.select(place), times, tick[place]
            )
            if found is not None:
                yield found

    def _begin(self, found: Found, lanes: Integers, index: Integers, bars: BarColumns) -> ShapeStates | None:
        """The shapes among these that are to be told of."""
        chosen = np.flatnonzero(found.shape.fits.holds)
        if len(chosen):
            chosen = chosen[self._is_free(found, lanes[found.place[chosen]], found.kind[chosen])]
        if not len(chosen):
            return None
        shapes, place = OpenShapes.of(lanes, found, chosen), found.place[chosen]
        fate = shapes.fate(index[place], bars.rows(place), np.zeros(len(place), np.bool_))
        states = ShapeStates.of(shapes, fate, index[place], bars.rows(place))
        alive = (fate == FORMING) | (fate == CONFIRMED_BELOW) | (fate == CONFIRMED_ABOVE)
        told = states if alive.all() else rows_of(states, alive)
        if found.definition is BREAKOUT:
            self._marks["breakout"][told.shapes.lane] = told.shapes.deadline
        elif found.definition is FLAG:
            self._marks["pole"][told.shapes.lane] = told.shapes.deadline - MOST_BARS
        return told

    def _is_free(self, found: Found, lanes: Integers, kind: Integers) -> Booleans:
        """Where the pattern is enabled, and not open already if a lane has it once at a time."""
        names = {1: found.definition.top.name, -1: found.definition.bottom.name}
        free: Booleans = np.where(kind > 0, names[1] in self._names, names[-1] in self._names)
        if found.definition.one_at_a_time:
            taken = {
                (int(self._open.lane[row]), pattern_of(self._open.story.definition[row], self._open.kind[row]).name)
                for row in np.flatnonzero(self._places(lanes, self._open.lane) >= 0).tolist()
            }
            free &= [(lane, names[turn]) not in taken for lane, turn in zip(lanes.tolist(), kind.tolist(), strict=True)]
        return free

    def _tell_doubles(self, begun: OpenShapes) -> None:
        """Let doubles say from now on of which triple they are a part."""
        for row in [row for row, definition in enumerate(begun.story.definition.tolist()) if definition is TRIPLE]:
            peaks = set(begun.story.times[row, 1::2].tolist())
            for shapes in (begun, self._open):
                story = shapes.story
                same = (shapes.lane == begun.lane[row]) & (shapes.kind == begun.kind[row]) & (story.part_of[:, 0] == 0)
                for other in np.flatnonzero(same).tolist():
                    if story.definition[other] is DOUBLE and peaks.issuperset(story.key[other].tolist()):
                        story.part_of[other] = begun.story.key[row]
