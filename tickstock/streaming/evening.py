"""After the close: when the day's minute bars are compared with the vendor's, and for whom first.

A trading day is corrected while it is the running one; its post-market, and a day that was missed, are compared when the next day
fetches its history. On a calendar whose days follow each other without a break that is the only time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from tickstock.database.vendor_queries import VendorQueries
from tickstock.feed.massive_rest import MassiveRest, RestBar
from tickstock.market_hours import MINUTE_MS, Calendar, Session, regular_session_of
from tickstock.streaming.history_store import HistoryStore
from tickstock.streaming.rest_fetcher import EVENING, Fetched, RestFetcher
from tickstock.streaming.retry_times import RetryTimes

logger = logging.getLogger(__name__)

AFTER_CLOSE_MS = 25 * MINUTE_MS
SETTLED_MS = 20 * MINUTE_MS  # how old a minute is before the vendor's bar of it is taken for the last word
STAGE = "evening"


class Evening:
    """Asks for the day's minute bars, symbol by symbol, those with the most bars first. It runs in the main thread."""

    def __init__(self, url: str, calendar: Calendar, fetcher: RestFetcher, store: HistoryStore) -> None:
        self.waiting: set[str] = set()  # symbols that are still to be compared
        self._calendar = calendar
        self._fetcher = fetcher
        self._store = store
        self._queries = VendorQueries(url)
        self._session: Session | None = None
        self._asked: set[str] = set()
        self._refused = False
        self._retries = RetryTimes()

    def look(self, watermark: int, symbols: Callable[[], set[str]], now: int) -> None:
        """Ask for what is due; `now` is the wall clock (ms).

        Raises:
            DatabaseUnavailable: call again.
        """
        session = regular_session_of(self._calendar, self._calendar.trading_day_at(watermark))
        if session is None or watermark < session.end + AFTER_CLOSE_MS or self._refused:
            return
        day, until = self._calendar.sessions_of(session.trading_day)[0].start, session.end + AFTER_CLOSE_MS - SETTLED_MS
        if self._session != session:
            self.waiting = symbols() - self._queries.reconciled_symbols(day)
            self._session, self._asked, self._retries = session, set(), RetryTimes()
        if not self.waiting or self._asked or not self._retries.is_time(now):
            return
        self._asked = set(self.waiting)
        bars = self._queries.bars_made_from_ticks(day, until)
        for symbol in sorted(self.waiting, key=lambda each: (-bars.get(each, 0), each)):

            def fetch(rest: MassiveRest, symbol: str = symbol) -> list[RestBar] | None:
                return rest.minute_bars(symbol, day, until) if self._session == session else None

            def store(symbol: str, found: list[RestBar] | None) -> None:
                if found is not None and self._session == session:
                    self._store.reconcile(symbol, found, day, until)

            self._fetcher.ask(EVENING, symbol, (STAGE, (day, until)), fetch, store)

    def day_is_over(self) -> None:
        """Another trading day begins: what was not compared until now is compared with its history."""
        self._session, self.waiting, self._asked = None, set(), set()

    def answered(self, fetched: Fetched, now: int) -> bool:
        """Note an answer; true when it was the last one of a round that compared something."""
        session = self._session
        if session is None or fetched.tag[1][0] != self._calendar.sessions_of(session.trading_day)[0].start:
            return False
        self._refused = self._refused or fetched.refused
        self._asked.discard(fetched.symbol)
        if fetched.bars is not None:
            self.waiting.discard(fetched.symbol)
        if self._asked:
            return False
        if self.waiting:
            self._retries.failed(now)
        return True
