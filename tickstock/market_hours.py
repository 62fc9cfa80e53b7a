"""Sessions of the US stock market in New York time: pre, regular, post; holidays and half days.

Two calendars answer the same questions: `ExchangeCalendar` (New York Stock Exchange) and `AlwaysOpenCalendar`, in which the
simulated market lives on the wall clock: one regular session a day, from midnight to midnight in New York.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from time import time_ns
from typing import Protocol
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
MINUTE_MS = 60_000
DAY_MS = 86_400_000
OPENING = time(9, 30)


@dataclass(frozen=True, slots=True)
class Session:
    """One session of one trading day; `start` inclusive and `end` exclusive, in Unix milliseconds."""

    name: str  # pre | regular | post
    trading_day: date
    start: int
    end: int


class Calendar(Protocol):
    """When the market is open. Every time is in Unix milliseconds UTC."""

    def session_at(self, timestamp: int) -> Session | None:
        """The session that holds this moment; None when the market is closed."""

    def sessions_of(self, day: date) -> tuple[Session, ...]:
        """The sessions of a trading day in their order; empty on a weekend or holiday."""

    def trading_days_before(self, day: date, count: int) -> list[date]:
        """The last `count` trading days before `day`, oldest first."""

    def trading_day_at(self, timestamp: int) -> date:
        """The trading day that this moment belongs to: the day of the running session, else of the last one that began."""

    def next_session(self, timestamp: int) -> Session:
        """The first session that starts after this moment."""


def now_ms() -> int:
    """The wall clock in Unix milliseconds."""
    return time_ns() // 1_000_000


def new_york_ms(day: date, at: time) -> int:
    """A New York wall-clock time as Unix milliseconds."""
    return int(datetime.combine(day, at, NEW_YORK).timestamp() * 1000)


def new_york_time(timestamp: int) -> datetime:
    """Unix milliseconds as an aware New York time."""
    return datetime.fromtimestamp(timestamp / 1000, UTC).astimezone(NEW_YORK)


def regular_session_of(calendar: Calendar, day: date) -> Session | None:
    """The regular session of a day; None when there is none."""
    return next((session for session in calendar.sessions_of(day) if session.name == "regular"), None)


class _DayTable:
    """What both calendars derive from `sessions_of`, with the sessions of the days around remembered."""

    def sessions_of(self, day: date) -> tuple[Session, ...]:
        raise NotImplementedError

    def session_at(self, timestamp: int) -> Session | None:
        for session in self._around(timestamp // DAY_MS):
            if session.start <= timestamp < session.end:
                return session
        return None

    def trading_day_at(self, timestamp: int) -> date:
        day_number = timestamp // DAY_MS
        for step in range(40):
            sessions = self._around(day_number - step)
            at = bisect_right([session.start for session in sessions], timestamp)
            if at:
                return sessions[at - 1].trading_day
        raise ValueError(f"no session began in the forty days before {timestamp}")

    def next_session(self, timestamp: int) -> Session:
        for step in range(40):
            for session in self._around(timestamp // DAY_MS + step):
                if session.start > timestamp:
                    return session
        raise ValueError(f"no session begins in the forty days after {timestamp}")

    def trading_days_before(self, day: date, count: int) -> list[date]:
        found: list[date] = []
        for _ in range(count * 2 + 30):
            if len(found) == count:
                break
            day -= timedelta(days=1)
            if self.sessions_of(day):
                found.append(day)
        return found[::-1]

    def _around(self, day_number: int) -> list[Session]:
        """Sessions of the New York days that overlap this UTC day."""
        day = date(1970, 1, 1) + timedelta(days=day_number)
        return [session for each in (day - timedelta(days=1), day) for session in self.sessions_of(each)]


class ExchangeCalendar(_DayTable):
    """The New York Stock Exchange, with its pre-market from 04:00 and its post-market to 20:00 (17:00 after an early close)."""

    def sessions_of(self, day: date) -> tuple[Session, ...]:
        return _exchange_year(day.year).get(day, ())


class AlwaysOpenCalendar(_DayTable):
    """One regular session every day of the week, from midnight to midnight in New York."""

    def sessions_of(self, day: date) -> tuple[Session, ...]:
        return _whole_day(day)


@lru_cache(maxsize=4096)
def _whole_day(day: date) -> tuple[Session, ...]:
    start = new_york_ms(day, time())
    return (Session("regular", day, start, new_york_ms(day + timedelta(days=1), time())),)


@lru_cache(maxsize=64)
def _exchange_year(year: int) -> dict[date, tuple[Session, ...]]:
    # Imported here: pandas and the calendar's tables take seconds, and the simulated market never asks.
    import pandas_market_calendars

    schedule = pandas_market_calendars.get_calendar("NYSE").schedule(f"{year}-01-01", f"{year}-12-31", market_times="all")
    days: dict[date, tuple[Session, ...]] = {}
    for day, row in zip(schedule.index, schedule.itertuples(), strict=True):
        bounds = [int(moment.timestamp() * 1000) for moment in (row.pre, row.market_open, row.market_close, row.post)]
        days[day.date()] = tuple(
            Session(name, day.date(), start, end)
            for name, start, end in zip(("pre", "regular", "post"), bounds[:-1], bounds[1:], strict=True)
        )
    return days


def calendar_named(name: str) -> Calendar:
    """The calendar that the setting TICKSTOCK_CALENDAR names: exchange or always_open."""
    return {"exchange": ExchangeCalendar, "always_open": AlwaysOpenCalendar}[name]()
