"""Keeps what the page knows of the trading day in step with the clock and the database; a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import date

from tickstock import cooperation
from tickstock.database.earlier_minutes import EarlierFigures, EarlierMinutes, read_earlier
from tickstock.logs import Rejections
from tickstock.market_hours import calendar_named, now_ms
from tickstock.web.day_counters import TradingDay
from tickstock.web.day_history import count_stored, read_previous_closes, read_stored_day
from tickstock.web.earlier_minutes_reader import EarlierMinutesReader
from tickstock.web.live import LivePage
from tickstock.web.previous_closes import PreviousCloses

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
RETRY_SECONDS = 5.0
CHECK_SECONDS = 5.0
CHECKS_BETWEEN_BAR_COUNTS = 4
BETWEEN_READINGS_SECONDS = 15.0  # while the database gets more and more that was not published: history, for a minute or two


class DayKeeper:
    """Reads the stored day at start, on a new trading day and when asked; looks for previous closes and for missed minutes."""

    def __init__(self, live: LivePage, database_url: str) -> None:
        self.live = live
        self.previous = PreviousCloses(lambda: live.lists.symbols, self._read_closes)
        self.earlier = EarlierMinutesReader(
            live.market.board,
            calendar_named(live.settings.calendar),
            lambda: live.lists.symbols,
            self._read_earlier,
            time.monotonic,
        )
        self.rejections = Rejections(logger, "DAY-KEEPER")
        self.problem: str | None = None  # why the database could not be read the last time
        self._database_url = database_url
        self._due = 0.0
        self._read_at = 0.0  # monotonic, as the others
        self._check_due = 0.0
        self._checks = 0
        self._stored_before = (0, 0)  # patterns and alerts in the database at the last check
        self._ticks_of: TradingDay | None = None  # the day whose stored ticks were counted
        self._stop = threading.Event()

    def read_again(self) -> None:
        """Have the stored day read soon: something was stored that was never published."""
        self._due = 0.0

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    def run(self) -> None:
        """Look twice a second until `stop`."""
        while not self._stop.is_set():
            try:
                self.look()
            except Exception as problem:
                self.problem = f"{type(problem).__name__}: {problem}"
                self.rejections.add("reading of the database", problem)
                self._due = time.monotonic() + RETRY_SECONDS
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Follow the clock; read what is due."""
        live = self.live
        is_new_day = live.clock.refresh(now_ms(), live.market.status())
        day = live.clock.day
        if day is None:
            return
        if is_new_day:
            live.begin_day(day)
            self._due = 0.0
            self._stored_before = (0, 0)
        if self._due <= time.monotonic() or (self._lacks_something(day) and self._may_read_again()):
            self._read_day(day)
        if self.previous.refresh(day.day, time.monotonic()):
            live.market.board.set_previous_closes(self.previous.closes, day.day)
        self.earlier.look()
        for news in (self.previous.news(time.monotonic()), self.earlier.news()):
            if news:
                logger.info("DAY-KEEPER: %s", news)

    def _lacks_something(self, day: TradingDay) -> bool:
        """Whether the database held more at the last check than is counted now: what TickStockPL stored without publishing it."""
        if time.monotonic() < self._check_due:
            return False
        self._check_due = time.monotonic() + CHECK_SECONDS
        self._checks += 1
        counters, before = self.live.counters, self._stored_before
        counts_bars = self._checks % CHECKS_BETWEEN_BAR_COUNTS == 1
        counted = counters.indicators, counters.bars
        *stored, values, bars = cooperation.in_native_thread(count_stored, self._database_url, day, counts_bars)
        if counts_bars:
            counters.settle(counted, values, bars)
        self._stored_before = (stored[0], stored[1])
        return before[0] > counters.patterns or before[1] > counters.alerts

    def _may_read_again(self) -> bool:
        return time.monotonic() - self._read_at >= BETWEEN_READINGS_SECONDS

    def _read_closes(self, symbols: Sequence[str], day: date) -> Mapping[str, float]:
        return cooperation.in_native_thread(read_previous_closes, self._database_url, symbols, day)

    def _read_earlier(
        self, minutes: EarlierMinutes, symbols: Sequence[str], only_from_rest: bool
    ) -> Mapping[str, EarlierFigures]:
        run = str(self.live.market.figures().get("run", ""))
        return cooperation.in_native_thread(read_earlier, self._database_url, minutes, symbols, run, only_from_rest)

    def _read_day(self, day: TradingDay) -> None:
        self._due, self._read_at = float("inf"), time.monotonic()
        seq_before = self.live.log.seq
        run = str(self.live.market.figures().get("run", ""))
        is_first_reading = self._ticks_of != day
        stored = cooperation.in_native_thread(read_stored_day, self._database_url, day, run, is_first_reading)
        self._ticks_of = day
        added = self.live.stored_day(stored, day, seq_before)
        self.problem = None
        if added:
            logger.info("DAY-KEEPER: %d signals of %s read from the database", added, day.day)
