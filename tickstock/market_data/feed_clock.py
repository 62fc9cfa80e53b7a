"""The clock that minutes are closed by: it goes on steadily, whatever somebody sets the computer's clock to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

TOLERANCE_MS = 2_000  # so far the wall clock may be off and is followed: it is being adjusted, not set
FRAMES_TO_JUDGE = 20
CLEARLY_BETTER_MS = 1_000
_CLOCK = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}.get(sys.platform)  # unlike time.monotonic() on both


def elapsed() -> float:
    """Seconds of a clock that nobody sets and that goes on while the computer sleeps, where the system has one."""
    return time.clock_gettime(getattr(time, _CLOCK)) if _CLOCK else time.monotonic()


class FeedClock:
    """The wall clock, but not where it jumps. After a jump the feed decides which of the two is right.

    Args:
        delay_ms: how far the feed's events are behind the clock.
        wall, steady: seconds of the wall clock, and of a clock that nobody sets.
    """

    def __init__(self, delay_ms: int, wall: Callable[[], float] = time.time, steady: Callable[[], float] = elapsed) -> None:
        self.wall_ahead_ms = 0  # of this clock, since the wall clock was set
        self._delay_ms = delay_ms
        self._wall = wall
        self._steady = steady
        self._base = wall() - steady()
        self._lags: list[int] = []  # of the newest event of each frame since a jump

    def now_ms(self) -> int:
        """This moment."""
        ahead = self._wall_ahead()
        if abs(ahead) <= TOLERANCE_MS:
            self._base += ahead / 1000
            self.wall_ahead_ms = 0
        elif abs(ahead - self.wall_ahead_ms) > TOLERANCE_MS:
            self.wall_ahead_ms = ahead
            self._lags.clear()
        return int((self._steady() + self._base) * 1000)

    def of_wall_ms(self, wall_ms: int) -> int:
        """What this clock showed when the wall clock showed that, a moment ago; any thread may ask."""
        ahead = self._wall_ahead()
        return wall_ms if abs(ahead) <= TOLERANCE_MS else wall_ms - ahead

    def saw_event(self, end_ms: int) -> None:
        """The newest event of a frame that has just come: after a jump, the clock that such events fit better is right."""
        if not self.wall_ahead_ms:
            return
        self._lags.append(self.now_ms() - self._delay_ms - end_ms)
        if len(self._lags) < FRAMES_TO_JUDGE:
            return
        by_us = min(abs(lag) for lag in self._lags)
        by_wall = min(abs(lag + self.wall_ahead_ms) for lag in self._lags)
        self._lags.clear()
        if by_wall + CLEARLY_BETTER_MS < by_us:
            self._base += self.wall_ahead_ms / 1000
            self.wall_ahead_ms = 0

    def _wall_ahead(self) -> int:
        return round((self._wall() - self._steady() - self._base) * 1000)
