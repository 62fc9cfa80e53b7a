"""Which session and which bar of a timeframe a minute belongs to, and the higher timeframes of one symbol's minutes.

Bars align to the start of their own session and end with it, so the last one of a session may be short.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tickstock.analysis.results import BarColumns, Integers
from tickstock.analysis.timeframes import LENGTH_MS
from tickstock.market_hours import Calendar, Session

OUTSIDE = -1


def by_session(timestamps: Integers, calendar: Calendar) -> Iterator[tuple[Session, slice]]:
    """The sessions that hold some of these times (Unix milliseconds, ascending), and where; those outside are left out."""
    at = 0
    while at < len(timestamps):
        session = calendar.session_at(int(timestamps[at]))
        if session is None:
            at = int(np.searchsorted(timestamps, calendar.next_session(int(timestamps[at])).start))
            continue
        until = int(np.searchsorted(timestamps, session.end))
        yield session, slice(at, until)
        at = until


def bounds_of(timestamps: Integers, timeframe: str, calendar: Calendar) -> tuple[Integers, Integers]:
    """Start and end (Unix milliseconds) of the bar that each minute falls into; -1 where there is none.

    A day's bar holds the minutes of its regular session only.
    """
    minutes, where = np.unique(timestamps, return_inverse=True)
    starts, ends = np.full(len(minutes), OUTSIDE, dtype=np.int64), np.full(len(minutes), OUTSIDE, dtype=np.int64)
    for session, inside in by_session(minutes, calendar):
        if timeframe != "1day":
            length = LENGTH_MS[timeframe]
            starts[inside] = session.start + (minutes[inside] - session.start) // length * length
            ends[inside] = np.minimum(starts[inside] + length, session.end)
        elif session.name == "regular":
            starts[inside], ends[inside] = session.start, session.end
    return starts[where], ends[where]


def resampled(minutes: BarColumns, timeframe: str, calendar: Calendar) -> BarColumns:
    """The bars of a timeframe from one symbol's one-minute bars in the order of time; minutes outside sessions are left out."""
    starts, _ = bounds_of(minutes.timestamp, timeframe, calendar)
    minutes, starts = minutes.rows(starts != OUTSIDE), starts[starts != OUTSIDE]
    if not len(starts):
        return minutes
    first = np.flatnonzero(np.diff(starts, prepend=OUTSIDE))
    last = np.append(first[1:], len(starts)) - 1
    return BarColumns(
        starts[first],
        minutes.open[first],
        np.maximum.reduceat(minutes.high, first),
        np.minimum.reduceat(minutes.low, first),
        minutes.close[last],
        np.add.reduceat(minutes.volume, first),
    )
