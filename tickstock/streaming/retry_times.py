"""When something that failed is tried again. Pure: the time comes in."""

from __future__ import annotations

FIRST_MS, LONGEST_MS = 15_000, 600_000


class RetryTimes:
    """After fifteen seconds, then each time twice as long after, at most ten minutes."""

    def __init__(self) -> None:
        self._wait = FIRST_MS
        self._next = 0

    def failed(self, now: int) -> None:
        """It failed, or is to be done once more."""
        self._next = now + self._wait
        self._wait = min(2 * self._wait, LONGEST_MS)

    def is_time(self, now: int) -> bool:
        """Whether to try."""
        return now >= self._next
