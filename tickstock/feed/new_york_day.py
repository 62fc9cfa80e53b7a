"""The New York calendar day of a moment, with its regular session: asked per event, computed once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta

from tickstock.market_hours import Calendar, new_york_ms, new_york_time, regular_session_of


@dataclass(frozen=True, slots=True)
class NewYorkDay:
    """One day from midnight to midnight, and its regular session (empty when there is none); Unix milliseconds."""

    start: int
    end: int
    regular_start: int
    regular_end: int


NO_DAY = NewYorkDay(0, 0, 0, 0)


def new_york_day_at(calendar: Calendar, timestamp: int) -> NewYorkDay:
    """The day that holds this moment."""
    day = new_york_time(timestamp).date()
    regular = regular_session_of(calendar, day)
    start, end = new_york_ms(day, time()), new_york_ms(day + timedelta(days=1), time())
    return NewYorkDay(start, end, regular.start if regular else 0, regular.end if regular else 0)
