"""Follows chart patterns from the bar in which they are first known to the one that confirms them or makes them void.

A shape is *forming* when its last pivot is confirmed (a flag: when it is five bars old); then the first close through its line,
in time, decides it. It is void when a bar goes beyond the level that defines it, when its time is over, or when a new session
starts the pivots anew. A bar that does both goes beyond that level first, because its close comes last. A shape whose line is
already broken when it becomes known is confirmed in that bar, without having been forming; one that is void by then is not
reported at all. So there is at most one state of a pattern in a bar.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from tickstock.analysis.chart_patterns import PIVOT_SHAPES
from tickstock.analysis.chart_shape import CONFIRMED_ABOVE, CONFIRMED_BELOW, FORMING, ChartShape, Found
from tickstock.analysis.doubles_and_triples import DOUBLE, TRIPLE
from tickstock.analysis.flags import FLAG, MOST_BARS, find_flags, has_a_pole
from tickstock.analysis.lanes import BarRing, LaneArrays, RingView
from tickstock.analysis.open_shapes import OpenShapes, Story, stories
from tickstock.analysis.pivots import PivotTracker
from tickstock.analysis.range_breakout import BREAKOUT, RANGE_BARS, find_breakouts, may_break_out
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers, PatternHit


class Begun(NamedTuple):
    """Shapes that were found in a bar, what it makes of them, and their lanes' places in it."""

    shapes: OpenShapes
    fate: Integers
    place: Integers


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

    def update(
        self,
        lanes: Integers,
        index: Integers,
        bars: BarColumns,
        previous_close: Floats,
        starts_anew: Booleans,
        tick: Floats,
        window: RingView,
    ) -> list[PatternHit]:
        """Take one bar of each lane and return the patterns whose state changed.

        Arguments as in `PivotTracker.update`, with `window` over the last bars (high, low, close, volume), the new one at lag 0.
        """
        hits = self._follow(lanes, index, bars, starts_anew)
        self._times.append(lanes, {"time": bars.timestamp})
        self._marks["since"][lanes[starts_anew]] = index[starts_anew]
        usual_range = self._pivots.usual_range(lanes, index, tick)
        turned = self._pivots.update(lanes, index, bars, previous_close, starts_anew, usual_range)
        begun = [
            self._begin(found, lanes, index, bars)
            for found in (
                *self._on_pivots(lanes, turned, tick),
                *self._flags(lanes, index, usual_range, window, tick),
                *self._breakouts(lanes, index, bars, usual_range, window, tick),
            )
        ]
        self._tell_triples([story for each in begun for story in each.shapes.story.tolist()])
        for each in begun:
            hits += each.shapes.hits(each.fate, index[each.place], bars.rows(each.place))
            self._open = self._open.with_more(each.shapes.rows(each.fate == FORMING))
        return hits

    def _wants(self, shape: ChartShape) -> bool:
        return not self._names.isdisjoint((shape.top.name, shape.bottom.name))

    def _follow(self, lanes: Integers, index: Integers, bars: BarColumns, starts_anew: Booleans) -> list[PatternHit]:
        if not len(self._open.lane):
            return []
        self._place_of_lane[lanes] = np.arange(len(lanes))
        place = self._place_of_lane[self._open.lane]
        self._place_of_lane[lanes] = -1
        with_bar = np.flatnonzero(place >= 0)
        place = place[with_bar]
        fate = self._open.rows(with_bar).fate(index[place], bars.rows(place), starts_anew[place])
        ended = np.flatnonzero(fate != FORMING)
        if not len(ended):
            return []
        place, ending = place[ended], with_bar[ended]
        hits = self._open.rows(ending).hits(fate[ended], index[place], bars.rows(place))
        remaining = np.ones(len(self._open.lane), np.bool_)
        remaining[ending] = False
        self._open = self._open.rows(remaining)
        return hits

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
        legs = self._pivots.legs(lanes)
        poles = has_a_pole(legs, index, usual_range) & (legs.end_index != self._marks.take("pole", lanes))
        place = np.flatnonzero(poles)
        if len(place):
            yield find_flags(place, legs.rows(place), index[place], usual_range[place], window.select(place), tick[place])

    def _breakouts(
        self, lanes: Integers, index: Integers, bars: BarColumns, usual_range: Floats, window: RingView, tick: Floats
    ) -> Iterator[Found]:
        """A breakout's bar is part of no range that breaks after it."""
        if not self._wants(BREAKOUT):
            return
        since = np.maximum(self._marks.take("since", lanes), self._marks.take("breakout", lanes) + 1)
        place = np.flatnonzero((index - since >= RANGE_BARS) & may_break_out(bars.close, usual_range, window))
        if len(place):
            times = self._times.at(lanes[place])
            yield find_breakouts(
                place, index[place], bars.rows(place), usual_range[place], window.select(place), times, tick[place]
            )

    def _begin(self, found: Found, lanes: Integers, index: Integers, bars: BarColumns) -> Begun:
        """The shapes among these that are to be told of."""
        chosen = np.flatnonzero(found.shape.fits.holds)
        chosen = chosen[self._is_free(found, lanes, chosen)]
        shapes = OpenShapes.of(lanes, found, chosen)
        place = found.place[chosen]
        fate = shapes.fate(index[place], bars.rows(place), np.zeros(len(place), np.bool_))
        told = np.flatnonzero((fate == FORMING) | (fate == CONFIRMED_BELOW) | (fate == CONFIRMED_ABOVE))
        shapes, chosen = shapes.rows(told), chosen[told]
        if len(told):
            shapes.story[:] = stories(found, chosen, shapes.lane)
            self._mark(found, shapes.lane, chosen)
        return Begun(shapes, fate[told], place[told])

    def _is_free(self, found: Found, lanes: Integers, chosen: Integers) -> Booleans:
        """Where the pattern is enabled, and not open already if a lane has it once at a time."""
        definition, kind = found.definition, found.kind[chosen]
        enabled = [each.name in self._names for each in (definition.bottom, definition.top)]
        free: Booleans = np.where(kind > 0, enabled[1], enabled[0])
        if definition.one_at_a_time and free.any():
            where = lanes[found.place[chosen]]
            taken = {(story.lane, story.pattern.name) for story in self._open_stories(where)}
            names = (definition.top.name if turn > 0 else definition.bottom.name for turn in kind.tolist())
            free &= [each not in taken for each in zip(where.tolist(), names, strict=True)]
        return free

    def _open_stories(self, lanes: Integers) -> list[Story]:
        self._place_of_lane[lanes] = 0
        among: list[Story] = self._open.story[self._place_of_lane[self._open.lane] >= 0].tolist()
        self._place_of_lane[lanes] = -1
        return among

    def _mark(self, found: Found, lanes: Integers, chosen: Integers) -> None:
        """Remember what is told once."""
        if found.definition is BREAKOUT:
            self._marks["breakout"][lanes] = found.shape.deadline[chosen]
        elif found.definition is FLAG:
            self._marks["pole"][lanes] = found.shape.deadline[chosen] - MOST_BARS

    def _tell_triples(self, begun: list[Story]) -> None:
        """Let doubles say of which triple they are a part from now on."""
        triples = {(story.lane, story.kind): story for story in begun if story.definition is TRIPLE}
        if not triples:
            return
        for story in (*begun, *self._open_stories(np.array([lane for lane, _ in triples]))):
            triple = triples.get((story.lane, story.kind))
            if triple is not None and story.definition is DOUBLE and story.part_of is None and story.lies_in(triple):
                story.part_of = f"{triple.pattern.name}:{triple.key}"
