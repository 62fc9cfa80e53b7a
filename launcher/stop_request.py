"""Ctrl+C and SIGTERM as a state to be asked for: no exception out of nowhere, no lock inside a signal handler."""

from __future__ import annotations

import signal
import time
from types import FrameType

from launcher.errors import Stopped

_POLL_SECONDS = 0.05


class StopRequest:
    """How often the launcher was asked to stop: once is in order, twice is at once."""

    def __init__(self) -> None:
        self.count = 0

    def listen(self) -> None:
        """Count SIGINT, SIGTERM and the closing of the terminal from here on."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def pause(self, seconds: float = _POLL_SECONDS) -> None:
        """Wait a moment, less when a request comes meanwhile.

        Raises:
            Stopped: a stop was asked for.
        """
        until = time.monotonic() + seconds
        while not self.count and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_SECONDS))
        if self.count:
            raise Stopped
