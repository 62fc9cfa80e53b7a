"""What of the series' history is not stored yet, as requests to REST: the days from the anchors on that are not covered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from operator import methodcaller
from typing import Any

from tickstock.database.models import DAY_SERIES
from tickstock.database.queries import Queries
from tickstock.feed.massive_rest import MassiveRest
from tickstock.market_hours import DAY_MS, Calendar
from tickstock.streaming.final_days import last_final_day
from tickstock.streaming.history_store import HistoryStore
from tickstock.streaming.rest_fetcher import DAYS, EARLIER, TODAY, RestFetcher

SHORT_DAYS, LONG_DAYS, DAY_BARS = 3, 15, 300


@dataclass(frozen=True, slots=True)
class Request:
    """Bars of a symbol that are to be asked of REST."""

    stage: str
    symbol: str
    need: int
    fetch: Callable[[MassiveRest], Any]
    store: Callable[[str, Any], None]

    def ask(self, fetcher: RestFetcher) -> None:
        fetcher.ask(self.need, self.symbol, (self.stage, None), self.fetch, self.store)


class HistoryRequests:
    """Looks up what is covered, and makes requests of the rest."""

    def __init__(self, calendar: Calendar, queries: Queries, store: HistoryStore, whole_from: Mapping[str, int]) -> None:
        """`whole_from`: of symbols that ever joined, from when on their minutes come from ticks."""
        self._calendar = calendar
        self._queries = queries
        self._store = store
        self._whole_from = whole_from

    def missing(self, symbols: Sequence[str], day: date, until: int) -> Iterator[Request]:
        """What is missing of the history of these symbols before `until`, of the running day before they joined.

        Raises:
            DatabaseUnavailable: it cannot be known.
        """
        covered = self._queries.covered_days()
        today = self._day_start(day)
        short = [self._day_start(each) for each in self._calendar.trading_days_before(day, SHORT_DAYS)]
        long = [self._day_start(each) for each in self._calendar.trading_days_before(day, LONG_DAYS)][:-SHORT_DAYS]
        for stage, need, days in (("minutes", TODAY, [*short, today]), ("earlier", EARLIER, long)):
            for symbol in symbols:
                missing = [start for start in days if not self._is_covered(covered, symbol, start, today)]
                joined = self._whole_from.get(symbol, 0) >= today
                end = min(until, self._whole_from[symbol]) if joined else until
                if missing and missing[0] < end:
                    last = missing[-1]
                    end = end if last == today else self._day_end(last)
                    store = partial(self._store.store_minutes, days=tuple(missing), until=end, today=today, mends=joined)
                    yield Request(stage, symbol, need, methodcaller("minute_bars", symbol, missing[0], end), store)
        last_day = last_final_day(self._calendar, day, until)
        final_until = self._day_start(self._calendar.next_session(self._day_start(last_day) + DAY_MS - 1).trading_day)
        first = day - timedelta(days=DAY_BARS * 3 // 2)
        for symbol in symbols:
            if covered.get((symbol, DAY_SERIES), -1) < final_until:
                store = partial(self._store.store_days, until=final_until)
                yield Request("days", symbol, DAYS, methodcaller("day_bars", symbol, first, last_day), store)

    def _is_covered(self, covered: dict[tuple[str, int], int], symbol: str, start: int, today: int) -> bool:
        until = covered.get((symbol, start))
        # Of the running day what was before the log is enough: what follows comes from there.
        least = self._whole_from.get(symbol, 0) if start == today else self._day_end(start)
        return until is not None and until >= least

    def _day_start(self, day: date) -> int:
        return self._calendar.sessions_of(day)[0].start

    def _day_end(self, start: int) -> int:
        session = self._calendar.session_at(start)
        assert session is not None
        return self._calendar.sessions_of(session.trading_day)[-1].end
