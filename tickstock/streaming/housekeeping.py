"""Deletes old indicator values in small steps, from a thread of its own, so that the database does not grow for ever."""

from __future__ import annotations

import logging
import threading

from tickstock.database.retention import Retention
from tickstock.errors import DatabaseError
from tickstock.market_hours import now_ms

logger = logging.getLogger(__name__)

EVERY_SECONDS = 600.0
PAUSE_SECONDS = 0.2  # between steps: writers come first
DAY_MS = 86_400_000


class Housekeeping:
    """Keeps `intraday_indicators` at its retention."""

    def __init__(self, url: str, indicator_days: float) -> None:
        self.deleted = 0
        self._url = url
        self._keep_ms = int(indicator_days * DAY_MS)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its present step."""
        self._stopped.set()
        self._thread.join(2)

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            retention = Retention(self._url)
            try:
                before = self.deleted
                oldest = now_ms() - self._keep_ms
                while not self._stopped.wait(PAUSE_SECONDS) and (rows := retention.delete_indicators_before(oldest)):
                    self.deleted += rows
                if self.deleted > before:
                    logger.info("STREAMING: Deleted %d indicator values that are past their retention", self.deleted - before)
            except DatabaseError as problem:
                logger.warning("STREAMING: Old indicator values stay for now: %s", problem)
            finally:
                retention.close()
