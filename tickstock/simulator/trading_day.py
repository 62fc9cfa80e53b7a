"""The minutes of a simulated day: which session each belongs to, how busy it is, how much prices move in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, Calendar, new_york_ms
from tickstock.simulator.trades import Floats, Integers

# Activity of a minute as a multiple of the mean of regular hours, at New York times: the U of a real day.
_REGULAR = (
    ("09:30", 6.0), ("09:31", 4.0), ("09:35", 2.5), ("10:00", 1.5), ("11:00", 0.85), ("12:30", 0.6), ("13:30", 0.6),
    ("15:00", 1.1), ("15:30", 1.5), ("15:50", 2.5), ("15:58", 4.0), ("15:59", 6.0),
)  # fmt: skip
_EXTENDED = (("04:00", 0.02), ("08:00", 0.06), ("09:29", 0.15), ("16:00", 0.5), ("16:05", 0.2), ("19:59", 0.02))
_SPIKES = (("10:00", 1.6), ("14:00", 1.8))


def minute_of(text: str) -> int:
    """Minutes from midnight of a time such as 09:30."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


@dataclass(frozen=True)
class TradingDay:
    """The minutes of one trading day, from its first session's start to its last one's end."""

    day: date
    start: int  # Unix milliseconds
    minutes: int
    activity: Floats  # multiples of the mean of regular hours
    movement: Floats  # multiples of a company's volatility
    extended_hours: NDArray[np.bool_]  # outside the regular session
    time_of_day: Integers  # New York time of each minute, in minutes from midnight
    always_open: bool

    @property
    def end(self) -> int:
        """The end of its last minute, in Unix milliseconds."""
        return self.start + self.minutes * MINUTE_MS

    @property
    def midnight(self) -> int:
        """Midnight in New York, at which the vendor stamps bars of a day."""
        return new_york_ms(self.day, time())

    def starts(self) -> Integers:
        """The start of every minute, in Unix milliseconds."""
        return self.start + np.arange(self.minutes, dtype=np.int64) * MINUTE_MS

    def regular(self) -> Integers:
        """The numbers of the minutes of the regular session."""
        return np.flatnonzero(~self.extended_hours)

    def at(self, text: str) -> int | None:
        """The number of the minute at a New York time such as 10:32; None when the day does not have it."""
        found = np.flatnonzero(self.time_of_day == minute_of(text))
        return int(found[0]) if len(found) else None


class TradingDays:
    """The days of a calendar, made when asked for."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.of = lru_cache(maxsize=1024)(self._make)

    def _make(self, day: date) -> TradingDay | None:
        sessions = self.calendar.sessions_of(day)
        if not sessions:
            return None
        always_open = isinstance(self.calendar, AlwaysOpenCalendar)
        start, count = sessions[0].start, (sessions[-1].end - sessions[0].start) // MINUTE_MS
        starts = start + np.arange(count, dtype=np.int64) * MINUTE_MS
        time_of_day = ((starts - new_york_ms(day, time(12))) // MINUTE_MS + 720) % 1440  # from noon: clocks change at night
        regular = np.zeros(count, bool)
        for session in sessions:
            if session.name == "regular":
                regular |= (starts >= session.start) & (starts < session.end)
        if always_open:
            inside = (time_of_day >= minute_of("09:30")) & (time_of_day < minute_of("16:00"))
            activity = np.where(inside, _curve(_REGULAR, time_of_day), 0.6)
            movement = np.clip(np.sqrt(activity), 0.8, 1.8)
        else:
            activity = np.where(regular, _curve(_REGULAR, _in_full_day(starts, regular)), _curve(_EXTENDED, time_of_day))
            movement = np.clip(np.sqrt(activity), 0.35, 2.0)
        for at, factor in _SPIKES:
            activity = np.where(regular & (time_of_day == minute_of(at)), activity * factor, activity)
        return TradingDay(day, start, int(count), activity, movement, ~regular, time_of_day, always_open)

    def before(self, day: date) -> date:
        """The trading day before this one."""
        return self.calendar.trading_days_before(day, 1)[0]

    def between(self, first: int, last: int) -> list[TradingDay]:
        """The trading days that have a minute between two moments (Unix milliseconds, both inclusive), oldest first."""
        found: list[TradingDay] = []
        day = self.calendar.trading_day_at(last)
        while (made := self.of(day)) is not None and made.end > first:
            if made.start <= last:
                found.append(made)
            day = self.before(day)
        return found[::-1]


def _curve(points: tuple[tuple[str, float], ...], minutes: Integers) -> Floats:
    times, values = zip(*points, strict=True)
    result: Floats = np.interp(minutes, [minute_of(each) for each in times], values)
    return result


def _in_full_day(starts: Integers, regular: NDArray[np.bool_]) -> Integers:
    """The minutes of a regular session of any length, stretched over 09:30 to 16:00, so that a half day closes busily too."""
    inside = starts[regular]
    share = (starts - inside[0]) / max(1, int(inside[-1] - inside[0]))
    result: Integers = np.round(minute_of("09:30") + np.clip(share, 0, 1) * 389).astype(np.int64)
    return result
