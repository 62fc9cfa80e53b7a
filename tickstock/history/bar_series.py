"""The bars of one symbol and timeframe as they are searched: those of the analysed sessions, in the order of time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from tickstock.analysis.resampling import OUTSIDE, by_session
from tickstock.analysis.results import BarColumns, Integers
from tickstock.market_hours import Calendar, new_york_time, regular_session_of

SESSIONS = {"regular": ("regular",), "extended": ("pre", "regular", "post")}


@dataclass(frozen=True, slots=True)
class BarSeries:
    """One symbol's bars, with the start of the session of each; windows run on from one session to the next."""

    symbol: str
    timeframe: str
    bars: BarColumns
    session_start: Integers

    def __len__(self) -> int:
        return len(self.session_start)


def bar_series(symbol: str, timeframe: str, bars: BarColumns, calendar: Calendar, sessions: Collection[str]) -> BarSeries:
    """The bars that lie in sessions of these names; day bars belong to the regular one."""
    start = np.full(len(bars.timestamp), OUTSIDE, np.int64)
    for session, inside in by_session(bars.timestamp, calendar):
        if session.name in sessions:
            start[inside] = session.start
    return BarSeries(symbol, timeframe, bars.rows(start != OUTSIDE), start[start != OUTSIDE])


def at_opening(days: BarColumns, calendar: Calendar) -> BarColumns:
    """Day bars, which may be stamped with any time of their New York day, stamped with its opening; those of closed days go."""
    sessions = [regular_session_of(calendar, new_york_time(at).date()) for at in days.timestamp.tolist()]
    start = np.array([OUTSIDE if session is None else session.start for session in sessions], np.int64)
    return days._replace(timestamp=start).rows(start != OUTSIDE)
