"""The simulator's clocks: the wall's, and that of a recorded or virtual day, which runs at its own speed.

All times are Unix milliseconds UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from tickstock.market_hours import now_ms

MAX_SPEED = float("inf")


class Clock(Protocol):
    """What time it is in the market."""

    def now(self) -> int:
        """The market's time."""

    def begin(self) -> None:
        """Somebody listens: a day that waited for its first listener starts."""


class WallClock:
    """The market is open now."""

    def now(self) -> int:
        return now_ms()

    def begin(self) -> None:
        """It runs anyway."""


class DayClock:
    """The clock of a recorded or virtual day: stands at `start` until its first listener, then runs at `speed`.

    At `MAX_SPEED` it does not run by itself: whoever sends the day moves it.
    """

    def __init__(self, start: int, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.speed = speed
        self._monotonic = monotonic
        self._at = start
        self._since: float | None = None  # when it was at `_at`; None while it stands

    def now(self) -> int:
        since = self._since
        if since is None or self.speed == MAX_SPEED:
            return self._at
        return self._at + int((self._monotonic() - since) * 1000 * self.speed)

    def begin(self) -> None:
        """Run, if it stood."""
        if self._since is None:
            self._since = self._monotonic()

    def stand(self) -> None:
        """Stop, until `begin`."""
        self._at, self._since = self.now(), None

    def move_to(self, moment: int) -> None:
        """Go forward to a moment; never back."""
        if moment > self.now():
            self._at = moment
            if self._since is not None:
                self._since = self._monotonic()


class EndingClock:
    """A clock that is not followed beyond a moment: what would lie behind it does not exist."""

    def __init__(self, clock: Clock, end: int) -> None:
        self._clock = clock
        self._end = end

    def now(self) -> int:
        return min(self._clock.now(), self._end)

    def begin(self) -> None:
        self._clock.begin()
