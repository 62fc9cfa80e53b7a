"""What followed live detections, from a thread of its own: outcomes as they age, and the report on them.

The report is computed at the start, after the close and every hour while bars come; each time the thread then rests at least ten
times as long as the report took.
"""

from __future__ import annotations

import logging
import threading
import time

from tickstock.database.queries import Queries
from tickstock.errors import DatabaseError
from tickstock.market_hours import MINUTE_MS, Calendar, new_york_time, now_ms, regular_session_of
from tickstock.settings import Settings
from tickstock.streaming.outcome_ageing import OutcomeAgeing
from tickstock.streaming.outcome_reporter import OutcomeReporter

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
PAUSE_SECONDS = 0.1  # between steps: whoever closes minutes comes first
REPORT_EVERY_SECONDS = 3_600.0
EMPTY_REPORT_EVERY_SECONDS = 300.0
REST = 10.0  # times as long as the last report took


class Outcomes:
    """Ages live detections and keeps the report on them."""

    def __init__(self, settings: Settings, calendar: Calendar, every_seconds: float = EVERY_SECONDS) -> None:
        self._settings = settings
        self._calendar = calendar
        self._every_seconds = every_seconds
        self._reported_until = 0
        self._next_report = 0.0  # monotonic
        self._said = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outcomes", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its present step."""
        self._stopped.set()
        self._thread.join(2)

    def _run(self) -> None:
        parts: tuple[Queries, OutcomeAgeing, OutcomeReporter] | None = None
        while not self._stopped.wait(self._every_seconds):
            try:
                parts = parts or self._open()
                self._turn(*parts)
                self._said = ""
            except DatabaseError as problem:
                if self._said != str(problem):
                    logger.warning("STREAMING: What followed signals waits for the database: %s", problem)
                self._said = str(problem)
            except Exception:  # a fault of ours: the next turn may see other bars, and nothing else depends on this thread
                logger.exception("STREAMING: What followed signals could not be computed this time")
                self._stopped.wait(REPORT_EVERY_SECONDS)

    def _open(self) -> tuple[Queries, OutcomeAgeing, OutcomeReporter]:
        url, timeframes = self._settings.database, self._settings.timeframes
        ageing = OutcomeAgeing(url, self._calendar, timeframes, self._pause)
        return Queries(url), ageing, OutcomeReporter(self._settings, self._calendar, self._pause)

    def _turn(self, queries: Queries, ageing: OutcomeAgeing, reporter: OutcomeReporter) -> None:
        progress = queries.progress()
        until = 0 if progress is None else progress.minute + MINUTE_MS
        if until:
            ageing.age(until)
        if self._stopped.is_set() or not self._is_due(until):
            return
        began = time.monotonic()
        rows = reporter.report(until, now_ms())
        took = time.monotonic() - began
        if rows is not None:
            self._reported_until = until
            rest = REPORT_EVERY_SECONDS if rows else EMPTY_REPORT_EVERY_SECONDS
            self._next_report = time.monotonic() + max(rest, REST * took)
            logger.info("STREAMING: The report on what followed signals has %d rows, computed in %.1f s", rows, took)

    def _is_due(self, until: int) -> bool:
        if until <= self._reported_until:
            return self._next_report == 0.0
        return time.monotonic() >= self._next_report or self._closed_since(until)

    def _closed_since(self, until: int) -> bool:
        session = regular_session_of(self._calendar, new_york_time(until - 1).date())
        return session is not None and self._reported_until < session.end <= until

    def _pause(self) -> bool:
        return self._stopped.wait(PAUSE_SECONDS)
