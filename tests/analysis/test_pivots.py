"""Pivots: those of a plain reading, with an average range that outlives sessions and knows the tick."""

from __future__ import annotations

import numpy as np

from tests.analysis.drawn_shapes import drawn
from tests.analysis.series import MINUTE, START, random_walk, series
from tests.analysis.shape_reference import find_pivots
from tickstock.analysis.pivots import PivotTracker, average_ranges_before, true_ranges


def take(tracker: PivotTracker, at: int, bar, previous_close, starts_anew: bool):
    """One bar of the only lane."""
    lane, index = np.array([0]), np.array([at])
    usual_range = tracker.usual_range(lane, index, np.array([0.01]))
    return tracker.update(lane, index, bar, previous_close, np.array([starts_anew]), usual_range)


def test_pivots_of_a_random_walk_are_those_of_the_plain_reference():
    one = random_walk(11, 2_000, ticks_a_step=2.0)
    tracker = PivotTracker()
    tracker.ensure_lanes(1)
    found = []
    for at in range(len(one)):
        before = one.bars.close[at - 1 : at] if at else np.zeros(1)
        bar = one.bars.rows(np.array([at]))
        if len(take(tracker, at, bar, before, at == 0)):
            last = tracker.last(np.array([0]))
            found.append(("high" if last.kind[0] > 0 else "low", int(last.index(0)[0]), float(last.price(0)[0]), at))
    assert found == [(pivot.kind, pivot.index, pivot.price, pivot.confirmed) for pivot in find_pivots(one)]
    assert len(found) > 50


def test_the_average_range_carries_over_into_the_next_session_but_the_night_is_no_range():
    """A session that follows another finds its first pivots before it has fourteen bars of its own."""
    calm = drawn([(0, 100.0), (40, 100.0)], 1)
    second = drawn([(0, 150.0), (4, 152.0), (9, 148.0), (13, 152.0)], 1)
    bars = type(calm.bars)(*(np.concatenate(pair) for pair in zip(calm.bars, second.bars, strict=True)))
    times = START + MINUTE * np.arange(len(bars.close))
    sessions = np.where(times < times[41], START, times[41])
    tracker = PivotTracker()
    tracker.ensure_lanes(1)
    confirmed = []
    for at in range(len(times)):
        bar = bars.rows(np.array([at]))
        before = bars.close[at - 1 : at] if at else np.zeros(1)
        if len(take(tracker, at, bar, before, at in (0, 41))):
            confirmed.append(at)
    assert sessions[40] != sessions[41]
    assert next(at for at in confirmed if at >= 41) < 41 + 14


def test_a_move_of_a_few_ticks_is_no_pivot():
    """The threshold is at least three times two ticks, whatever the range of the bars before."""
    steps = np.tile([0, 1, 2, 3, 4, 5, 4, 3, 2, 1], 20) * 0.01 + 50.0
    rows = np.stack((steps, steps, steps, steps), axis=1)
    assert not find_pivots(series(rows))
    deeper = np.tile([0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1], 20) * 0.01 + 50.0
    assert find_pivots(series(np.stack((deeper,) * 4, axis=1)))


def test_average_ranges_computed_bar_by_bar_are_those_of_the_tracker_to_the_last_bit():
    bars = random_walk(4, 300, ticks_a_step=3.7).bars
    starts_anew = np.isin(np.arange(300), (0, 9, 140))
    previous_close = np.concatenate(([0.0], bars.close[:-1]))
    tracker, held = PivotTracker(), []
    tracker.ensure_lanes(1)
    for at in range(300):
        held.append(float(tracker._range.current(np.array([0]))[0, 0]))
        take(tracker, at, bars.rows(np.array([at])), previous_close[at : at + 1], bool(starts_anew[at]))
    assert average_ranges_before(true_ranges(bars, previous_close, starts_anew), np.arange(300)).tolist() == held
