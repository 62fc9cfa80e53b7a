"""Bars of a gap that REST did not deliver, and when they are asked for again. Pure."""

from __future__ import annotations

import heapq
from itertools import count

from tickstock.streaming.minute_queue import RestRange

FIRST_MS, LONGEST_MS = 500, 60_000
MOST_ATTEMPTS = 60  # about an hour


class GapRetries:
    """Failed requests in the order in which they are tried again: after half a second, then each time twice as long after."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, RestRange, str]] = []
        self._numbers = count()

    def failed(self, wanted: RestRange, symbol: str, now: int) -> None:
        """A request failed in a way that may pass."""
        failures = wanted.failures[symbol] = wanted.failures.get(symbol, 0) + 1
        if failures <= MOST_ATTEMPTS:
            due = now + min(LONGEST_MS, FIRST_MS << min(failures - 1, 10))
            heapq.heappush(self._waiting, (due, next(self._numbers), wanted, symbol))

    def due(self, now: int) -> list[tuple[RestRange, str]]:
        """What is to be asked for again now."""
        found = []
        while self._waiting and self._waiting[0][0] <= now:
            _, _, wanted, symbol = heapq.heappop(self._waiting)
            found.append((wanted, symbol))
        return found
