"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.5


class Backoff:
    """Doubling waits up to a cap, each shortened at random by up to a half, so that many clients do not return together."""

    def __init__(self, most_seconds: float, chance: random.Random | None = None) -> None:
        self._most = most_seconds
        self._chance = chance or random.Random()
        self._next = min(FIRST_SECONDS, most_seconds)

    def wait_seconds(self) -> float:
        """The next wait."""
        wait = self._next * self._chance.uniform(0.5, 1.0)
        self._next = min(self._next * 2, self._most)
        return wait

    def reset(self) -> None:
        """Data came: start again from the shortest wait. (A login alone proves nothing: the feed may drop us right after it.)"""
        self._next = min(FIRST_SECONDS, self._most)
