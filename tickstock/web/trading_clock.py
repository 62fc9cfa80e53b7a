"""What time it is for the market: the wall clock, or the recorded or virtual day's own."""

from __future__ import annotations

from typing import Any

from tickstock import cooperation
from tickstock.contract import FeedStatus
from tickstock.market_hours import Calendar, Session, calendar_named, new_york_time
from tickstock.settings import Settings
from tickstock.web.day_counters import TradingDay, trading_day


class TradingClock:
    """The running session and trading day; `refresh` keeps them, everybody else only reads."""

    def __init__(self, settings: Settings) -> None:
        self.follows_wall = settings.feed_clock == "wall"
        self.day: TradingDay | None = None
        self.now: int | None = None
        self._calendar: Calendar = calendar_named(settings.calendar)
        self._session: Session | None = None
        self._next: Session | None = None
        self._years: set[int] = set()

    def refresh(self, wall: int, status: FeedStatus | None) -> bool:
        """Move to this moment; True when the trading day is another one."""
        self.now = wall if self.follows_wall else (status.watermark or None) if status is not None else None
        if self.now is None:
            return False
        self._prepare(new_york_time(self.now).year)
        self._session = self._calendar.session_at(self.now)
        if self._session is None:
            self._next = self._calendar.next_session(self.now)
        if self.day is not None and self.day.holds(self.now):
            return False
        self.day = trading_day(self._calendar, self.now)
        return True

    def _prepare(self, year: int) -> None:
        """Let the calendar read its tables (seconds, the first time) without holding up the hub."""
        if year not in self._years and self.now is not None:
            cooperation.in_native_thread(trading_day, self._calendar, self.now)
            self._years.add(year)

    def message(self) -> dict[str, Any]:
        """The session for a browser: its name, start and end, or when the next one starts."""
        shown: dict[str, Any] = {"name": "unknown", "trading_day": self.day.day.isoformat() if self.day else None}
        if not self.follows_wall:
            shown["time"] = self.now
        if self._session is not None:
            shown |= {"name": self._session.name, "starts": self._session.start, "ends": self._session.end}
        elif self._next is not None:
            shown |= {"name": "closed", "opens": self._next.start}
        return shown
