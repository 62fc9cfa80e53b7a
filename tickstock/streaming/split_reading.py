"""When the splits of a trading day are known: they are read before any history of that day, and asked for until they come."""

from __future__ import annotations

import logging
import time
from datetime import date

from tickstock.feed.massive_rest import MassiveRest
from tickstock.streaming.rest_fetcher import SPLITS, Fetched, RestFetcher
from tickstock.streaming.retry_times import RetryTimes
from tickstock.streaming.splits import Splits

logger = logging.getLogger(__name__)

SPLITS_STAGE = "splits"


def _steady_ms() -> int:
    return int(time.monotonic() * 1000)


class SplitReading:
    """The main thread's side of it; reading and scaling happen in a thread that fetches."""

    def __init__(self, url: str, fetcher: RestFetcher) -> None:
        self.known = False  # stored bars and what REST gives are in the shares of the day
        self.is_scaling = False
        self.has_come_late = False  # an answer, after the wait for it was over
        self._fetcher = fetcher
        self._splits = Splits(url)
        self._day: date | None = None
        self._is_asked = self._is_refused = self._is_waited_for = False
        self._retries = RetryTimes()

    @property
    def waits(self) -> bool:
        """Whether an answer is on its way."""
        return self._is_asked

    @property
    def waits_long(self) -> bool:
        """Whether a day goes on without its splits."""
        return self._day is not None and not self.known and not self._is_waited_for

    def begin(self, day: date) -> None:
        """A trading day begins, or the process starts within it.

        Raises:
            DatabaseUnavailable: call again.
        """
        self.known = self._is_refused or self._splits.are_read(day)
        self._day, self._retries = day, RetryTimes()
        self.has_come_late, self._is_waited_for = False, True
        if not self.known:
            self._ask(day)

    def waited(self) -> None:
        """The wait for the splits is over: series are built with what is there."""
        self._is_waited_for = False

    def look(self) -> None:
        """Ask again when it is time to."""
        if self._day is not None and not self.known and not self._is_asked and self._retries.is_time(_steady_ms()):
            self._ask(self._day)

    def answered(self, fetched: Fetched) -> None:
        """Take an answer."""
        if fetched.tag[1] != self._day:
            return
        self._is_asked = False
        if fetched.refused:
            self._is_refused = True
            logger.warning("STREAMING: The plan does not tell of splits: what is stored before one is not adjusted when it comes")
        elif fetched.bars is None:
            self._retries.failed(_steady_ms())
        self.known = fetched.refused or fetched.bars is not None
        self.has_come_late = not self._is_waited_for

    def _ask(self, day: date) -> None:
        def read_and_scale(rest: MassiveRest) -> list[str]:
            found = self._splits.read(rest, day)
            self.is_scaling = True
            try:
                return self._splits.apply(found, day)
            finally:
                self.is_scaling = False

        self._is_asked = True
        self._fetcher.ask(SPLITS, f"splits up to {day}", (SPLITS_STAGE, day), read_and_scale)
