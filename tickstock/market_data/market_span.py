"""Where the market is by its own newest tick: the trading day and the session by which the live board's sums are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tickstock.market_hours import Calendar, regular_session_of


@dataclass(frozen=True, slots=True)
class MarketSpan:
    """The running session, or the last one while the market is closed. Every time is in Unix milliseconds."""

    day: date | None = None
    day_start: int = 0  # of its first session
    session_start: int = 0
    regular_start: int = 0
    regular_end: int = 0
    until: int = 0  # when another session starts: then this span is over

    @classmethod
    def at(cls, calendar: Calendar, timestamp: int) -> MarketSpan:
        """The span that holds this moment."""
        day = calendar.trading_day_at(timestamp)
        sessions = calendar.sessions_of(day)
        running = max((session for session in sessions if session.start <= timestamp), key=lambda session: session.start)
        regular = regular_session_of(calendar, day) or running
        return cls(day, sessions[0].start, running.start, regular.start, regular.end, calendar.next_session(timestamp).start)
