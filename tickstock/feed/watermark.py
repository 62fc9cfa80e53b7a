"""The watermark: a minute that ends at or before it is complete."""

from __future__ import annotations

from sys import maxsize

from tickstock.market_hours import MINUTE_MS


class Watermark:
    """The greater of the largest event end less the hold, and, live on the wall clock, the clock less delay and hold.

    It never goes back. Every method that may move it returns whether it passed the end of a minute.
    """

    def __init__(self, hold_ms: int, delay_ms: int, wall_clock: bool, value: int = 0) -> None:
        self.value = value
        self._hold = hold_ms
        self._behind_clock = delay_ms + hold_ms
        self._wall_clock = wall_clock
        self._newest_end = 0
        self._held = False

    @property
    def stop_at(self) -> int:
        """The end of an event that makes it pass the end of a minute; out of reach while it stands still."""
        return maxsize if self._held else self.value - self.value % MINUTE_MS + MINUTE_MS + self._hold

    def event(self, end: int) -> bool:
        """Events up to this end were seen."""
        self._newest_end = max(end, self._newest_end)
        return not self._held and self._advance(self._newest_end - self._hold)

    def clock(self, now: int, live: bool) -> bool:
        """The wall clock shows `now`."""
        return live and self._wall_clock and not self._held and self._advance(now - self._behind_clock)

    def finish(self, end: int) -> bool:
        """The day is over: nothing follows before `end`."""
        self._held = False
        return self._advance(end)

    def hold(self) -> None:
        """Stand still."""
        self._held = True

    def release(self) -> bool:
        """Move again."""
        self._held = False
        return self._advance(self._newest_end - self._hold)

    def _advance(self, to: int) -> bool:
        if to <= self.value:
            return False
        passed = to // MINUTE_MS > self.value // MINUTE_MS
        self.value = to
        return passed
