"""Keeps requests under the vendor's limits."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class RequestPace:
    """At most so many requests in every window of seconds, over all threads; each caller learns how long to wait.

    Args:
        limits: pairs of (requests, seconds), all of which hold.
    """

    def __init__(self, *limits: tuple[int, float], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits = [(seconds, deque[float](maxlen=requests)) for requests, seconds in limits]
        self._monotonic = monotonic
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take the next place; returns the seconds until it comes."""
        with self._lock:
            now = self._monotonic()
            at = now
            for seconds, taken in self._limits:
                if len(taken) == taken.maxlen:
                    at = max(at, taken[0] + seconds)
            for _, taken in self._limits:
                taken.append(at)
            return at - now
