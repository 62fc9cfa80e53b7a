"""Which stocks there are: the vendor's reference, read once a day when nothing more urgent is wanted of REST.

Nothing is computed from it: it is what the page's search looks up, and how it knows that the vendor has no such symbol. (The feed
itself acknowledges any.) A symbol that is not among the traded ones any more stays, as inactive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date

from tickstock.database.symbol_queries import SymbolQueries
from tickstock.database.vendor_queries import VendorQueries
from tickstock.database.watchlists import REFERENCE as PROGRESS
from tickstock.database.writers import Writer
from tickstock.errors import RestError
from tickstock.feed.massive_rest import MassiveRest, Ticker
from tickstock.market_hours import new_york_time
from tickstock.streaming.rest_fetcher import REFERENCE, Fetched, RestFetcher
from tickstock.streaming.retry_times import RetryTimes

logger = logging.getLogger(__name__)

STAGE = "reference"
ROWS_PER_TRANSACTION = 1_000  # some 10 ms on SQLite
LONGEST_WAIT_MS = 60_000  # for the series to be loaded; a market that is closed for long has nothing to load


class Reference:
    """The main thread's side of it; reading and storing happen in a thread that fetches. The day is the wall clock's in New York:
    also beside a recorded day the vendor tells what is traded now."""

    def __init__(self, url: str, source: str, fetcher: RestFetcher, wall: Callable[[], int]) -> None:
        self._stored = StoredReference(url, source)
        self._fetcher = fetcher
        self._wall = wall
        self._begun: int | None = None
        self._read: date | None = None  # the last day of which it is known to be stored
        self._is_asked = self._is_refused = False
        self._retries = RetryTimes()

    def look(self, is_warm: bool, now: int) -> None:
        """Ask for it when it is time to; `is_warm` once the series are loaded, `now` of a clock that nobody sets (ms)."""
        self._begun = now if self._begun is None else self._begun
        if self._is_asked or self._is_refused or not (is_warm or now - self._begun > LONGEST_WAIT_MS):
            return
        today = new_york_time(self._wall()).date()
        if today == self._read or not self._retries.is_time(now):
            return

        def read_and_store(rest: MassiveRest) -> date:
            if not self._stored.is_of(today):
                self._stored.replace(rest.tickers(), self._wall())
            return today

        self._is_asked = True
        self._fetcher.ask(REFERENCE, "all symbols", (STAGE, None), read_and_store)

    def answered(self, fetched: Fetched, now: int) -> None:
        """Take an answer."""
        self._is_asked = False
        if fetched.refused:
            self._is_refused = True
            logger.warning("STREAMING: The plan does not tell which symbols there are: the page cannot search for them")
        elif fetched.bars is None:
            self._retries.failed(now)
        else:
            self._read, self._retries = fetched.bars, RetryTimes()


class StoredReference:
    """The table `symbols`, and of which day and source it is."""

    def __init__(self, url: str, source: str) -> None:
        self._url = url
        self._of_source = f"{PROGRESS}:{source}"  # a simulated market knows other symbols than the real one
        self._queries = SymbolQueries(url)
        self._progress = VendorQueries(url)

    def is_of(self, day: date) -> bool:
        """Whether it was read on this day, and of our source the last time.

        Raises:
            DatabaseUnavailable: try again.
        """
        read, of_source = self._progress.progress(PROGRESS), self._progress.progress(self._of_source)
        return read is not None and read == of_source and new_york_time(read).date() == day

    def replace(self, tickers: Sequence[Ticker], now: int) -> int:
        """Let the table hold these as active, and what it held beside them as inactive; how many rows changed.

        It is done in small transactions; what is cut short is done by the next one.

        Raises:
            RestError: there are none, which cannot be.
            DatabaseUnavailable: try again.
        """
        if not tickers:
            raise RestError("the reference of symbols is empty")
        held = {row[0]: row for row in self._queries.stored()}
        traded = {each.symbol: (each.symbol, each.name, each.exchange, each.type, True) for each in tickers}
        rows = [row for symbol, row in traded.items() if held.get(symbol) != row]
        rows += [(*row[:-1], False) for symbol, row in held.items() if row[-1] and symbol not in traded]
        with Writer(self._url) as writer:
            for first in range(0, len(rows), ROWS_PER_TRANSACTION):
                with writer.transaction() as batch:
                    batch.upsert_symbols(rows[first : first + ROWS_PER_TRANSACTION])
            with writer.transaction() as batch:
                batch.set_vendor_progress([(PROGRESS, now), (self._of_source, now)])
        logger.info(
            "STREAMING: The vendor's reference holds %d symbols; %d rows are new or others than before", len(traded), len(rows)
        )
        return len(rows)
