"""The day's final bar: the vendor's, with the auctions that print after the close, fetched twenty minutes after it.

Until then, and for a symbol of which the vendor has none, the bar that was made from the day's minutes is provisional: drawn,
used for the levels of the day after, not analysed. A day that was missed is part of the history that the next start fetches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from operator import methodcaller

from tickstock.database.vendor_queries import VendorQueries
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS, Calendar, Session, regular_session_of
from tickstock.streaming.rest_fetcher import DAYS, Fetched, RestFetcher
from tickstock.streaming.retry_times import RetryTimes

logger = logging.getLogger(__name__)

FINAL_AFTER_MS = 20 * MINUTE_MS  # behind the close: auctions were seen four minutes behind it
PROGRESS = "final_days"
STAGE = "final day"
MOST_ATTEMPTS = 4  # for symbols that the vendor's answer does not hold


@dataclass(frozen=True)
class FinalDay:
    """Final bars of one trading day, by symbol; `complete` when no more are to come."""

    session: Session  # the regular one
    bars: dict[str, RestBar]
    complete: bool


def last_final_day(calendar: Calendar, day: date, moment: int) -> date:
    """The last trading day before `day` whose bar is final at a moment (ms)."""
    for before in reversed(calendar.trading_days_before(day, 3)):
        session = regular_session_of(calendar, before)
        if session is not None and session.end + FINAL_AFTER_MS <= moment:
            break
    return before


class FinalDays:
    """Knows when a day's final bars are due, asks for them, and asks again. It runs in the main thread."""

    def __init__(self, url: str, calendar: Calendar, fetcher: RestFetcher) -> None:
        self.day: date | None = None  # whose bars are on their way, or were the last to come
        self.missing: set[str] = set()  # symbols whose bar of that day is provisional
        self.refused = False
        self._calendar = calendar
        self._fetcher = fetcher
        self._queries = VendorQueries(url)
        self._session: Session | None = None
        self._retries = RetryTimes()
        self._attempts = 0
        self._is_asked = False

    def due(self, watermark: int) -> Session | None:
        """The regular session whose final bars are due and are not part of the history that the day's start fetches."""
        today = self._calendar.trading_day_at(watermark)
        begin = self._calendar.sessions_of(today)[0].start
        for day in (today, *self._calendar.trading_days_before(today, 1)):
            session = regular_session_of(self._calendar, day)
            if session is not None and begin < session.end + FINAL_AFTER_MS <= watermark:
                return session
        return None

    def look(self, watermark: int, symbols: Callable[[], set[str]], now: int) -> None:
        """Ask for the final bars of these symbols when it is time to; `now` is the wall clock (ms).

        Raises:
            DatabaseUnavailable: call again.
        """
        session = self.due(watermark)
        if session is None or self._is_asked or self.refused:
            return
        if self._session != session:
            self._begin(session, symbols())
        if self.missing and self._attempts < MOST_ATTEMPTS and self._retries.is_time(now):
            self._is_asked = True
            day = session.trading_day
            self._fetcher.ask(DAYS, f"all symbols on {day}", (STAGE, day), methodcaller("day_of_all", day))

    def answered(self, fetched: Fetched, now: int) -> FinalDay | None:
        """What an answer holds of the bars that are still missing; None when it holds nothing new."""
        self._is_asked = False
        session = self._session
        if session is None or fetched.tag[1] != session.trading_day:
            return None
        if fetched.refused:
            self.refused = True
            logger.warning(
                "STREAMING: The plan does not tell the day's bars of all symbols: they stay provisional until the next start"
            )
            return None
        self._retries.failed(now)
        if fetched.bars is None:
            return None
        found = {symbol: bar for symbol, bar in fetched.bars.items() if symbol in self.missing}
        self.missing -= found.keys()
        self._attempts += 1 if fetched.bars else 0  # a vendor who has no day yet is asked until it does
        complete = not self.missing or self._attempts >= MOST_ATTEMPTS
        logger.info(
            "STREAMING: Final bars of %s: %d have come%s", session.trading_day, len(found),
            f", {len(self.missing)} symbols have none yet" if self.missing else "",
        )  # fmt: skip
        return FinalDay(session, found, complete) if found or complete else None

    def _begin(self, session: Session, symbols: set[str]) -> None:
        final = self._queries.final_until()
        is_over = (self._queries.progress(PROGRESS) or 0) >= session.end
        self.missing = set() if is_over else {each for each in symbols if final.get(each, 0) <= session.start}
        self.day, self._session = session.trading_day, session
        self._retries = RetryTimes()
        self._attempts = 0
