"""Chart patterns over the history of one symbol: what the live run would have told, event for event, by the same follower.

On the timeframes whose pivots keep to one session, the sessions are followed side by side, as lanes: a step for each bar of a day
instead of one for each bar of years. Only the average range goes from session to session; it is computed beforehand, bar by bar.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tickstock.analysis.candle_bars import tick_in_dollars
from tickstock.analysis.lanes import BarRing
from tickstock.analysis.open_shapes import ShapeStates, joined, rows_of
from tickstock.analysis.pivots import average_ranges_before, true_ranges
from tickstock.analysis.results import BarColumns, Booleans, Integers, PatternHit
from tickstock.analysis.shape_follower import ShapeFollower
from tickstock.analysis.shape_hits import shape_hits
from tickstock.analysis.timeframes import WITHIN_SESSION


def chart_patterns_over_history(
    bars: BarColumns, session_start: Integers, timeframe: str, patterns: Collection[str]
) -> list[PatternHit]:
    """The states of chart patterns in a series of bars, in their order, as hits; arguments as for `states_over_history`."""
    return shape_hits(states_over_history(bars, session_start, timeframe, patterns))


def states_over_history(bars: BarColumns, session_start: Integers, timeframe: str, patterns: Collection[str]) -> ShapeStates:
    """The same as arrays.

    Args:
        bars: the whole series of one symbol, from its first bar.
        session_start: the start of each bar's session, Unix milliseconds.
        timeframe: decides whether pivots keep to one session.
        patterns: the names to be found; others may be among them.
    """
    if not len(bars.close):
        return ShapeStates.none()
    first = np.zeros(1, np.int64)
    if timeframe in WITHIN_SESSION:
        first = np.concatenate((first, np.flatnonzero(np.diff(session_start)) + 1))
    states = joined(_side_by_side(bars, first, patterns))
    states.shapes.lane[:] = 0
    return rows_of(states, np.argsort(states.bar, kind="stable"))  # a bar's states keep their order


def _side_by_side(bars: BarColumns, first: Integers, patterns: Collection[str]) -> list[ShapeStates]:
    """Follow the parts of a series that begin at these bars, each in a lane of its own.

    A part ends with the bar that begins the next one, because that bar ends what is forming. Longer parts have lower lanes, so
    that those with a bar are always the first ones.
    """
    length = np.diff(first, append=len(bars.close))
    length[:-1] += 1
    order = np.argsort(-length, kind="stable")
    first, length = first[order], length[order]
    previous_close = np.concatenate((np.zeros(1), bars.close[:-1]))
    starts_anew: Booleans = np.zeros(len(bars.close), np.bool_)
    starts_anew[first] = True
    tick = tick_in_dollars(bars.close)

    follower, window = ShapeFollower(patterns), BarRing(("high", "low", "close", "volume"), 1 << ShapeFollower.reach.bit_length())
    follower.ensure_lanes(len(first))
    window.ensure(len(first))
    in_time = np.sort(first)
    ranges = average_ranges_before(true_ranges(bars, previous_close, starts_anew), in_time)
    follower.start_from(np.arange(len(first)), ranges[np.searchsorted(in_time, first)])

    states = []
    for step in range(int(length[0])):
        lanes = np.arange(np.count_nonzero(length > step))
        index = first[lanes] + step
        now = bars.rows(index)
        window.append(lanes, {name: getattr(now, name) for name in window.fields})
        states.append(
            follower.update(lanes, index, now, previous_close[index], starts_anew[index], tick[index], window.at(lanes))
        )
    return states
