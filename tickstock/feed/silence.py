"""How long a feed may be silent before it counts as silent, and before the client connects anew."""

from __future__ import annotations

from collections.abc import Sequence

from tickstock.market_hours import Calendar, Session
from tickstock.settings import Settings

_MANY_SYMBOLS = 20
_PATIENT_MS = 75_000


class SilenceRule:
    """The rule of one feed; every time is in milliseconds.

    While the market is closed, and on a recorded or virtual day (which follows its own clock), silence means nothing.
    """

    def __init__(self, settings: Settings, calendar: Calendar) -> None:
        minutes = settings.channel == "AM"
        self._minutes = minutes
        self._follows_events = settings.feed_clock == "events"
        self._calendar = calendar
        self._delay = settings.delay_ms
        self._fixed = None if settings.silent_seconds is None else int(settings.silent_seconds * 1000)
        self.watch(settings.symbols)
        if settings.watchdog_seconds is not None:
            self._further = int(settings.watchdog_seconds * 1000)
        else:
            self._further = 150_000 if minutes else 30_000
        self._session: Session | None = None
        self._known_until = 0
        self._known_from = 0

    def watch(self, symbols: Sequence[str]) -> None:
        """These symbols are subscribed from now on: many are never silent together for long. Any thread may say so."""
        many = len(symbols) >= _MANY_SYMBOLS or "*" in symbols
        self._regular = 3_000 if many and not self._minutes else _PATIENT_MS

    def silent_after_ms(self, now_ms: int) -> int | None:
        """Silence from which the status is `silent`; None when silence means nothing now."""
        if self._follows_events:
            return None
        session = self._session_at(now_ms - self._delay)
        if session is None:
            return None
        if self._fixed is not None:
            return self._fixed
        return self._regular if session.name == "regular" else _PATIENT_MS

    def reconnect_after_ms(self, now_ms: int) -> int | None:
        """Silence after which the client connects anew; None when silence means nothing now."""
        silent = self.silent_after_ms(now_ms)
        return None if silent is None else silent + self._further

    def _session_at(self, at: int) -> Session | None:
        if not self._known_from <= at < self._known_until:
            self._session = self._calendar.session_at(at)
            if self._session is not None:
                self._known_from, self._known_until = self._session.start, self._session.end
            else:
                self._known_from, self._known_until = at, self._calendar.next_session(at).start
        return self._session
