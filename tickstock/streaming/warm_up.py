"""The series that live bars continue: stored bars first, REST for what is missing, from a fixed anchor.

1min and 5min begin with the third trading day before the current one, 15min and 60min with the fifteenth, 1day 300 bars back.
The anchor is the day's, not the process's, so every start within a day computes what the uninterrupted engine has. The current
day's bars count as they were first closed, earlier days' bars in their highest revision.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

import numpy as np

from tickstock.database.queries import Queries
from tickstock.database.windows import window_bars
from tickstock.market_hours import Calendar
from tickstock.settings import Settings
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.engine import MinuteResults, StreamingEngine
from tickstock.streaming.higher_timeframes import resample
from tickstock.streaming.history_store import DAY_SERIES, HistoryStore
from tickstock.streaming.rest_fetcher import EARLIER, TODAY, Fetched, RestFetcher

logger = logging.getLogger(__name__)

SHORT_DAYS, LONG_DAYS, DAY_BARS = 3, 15, 300
SHORT_SECONDS = 25.0  # how long a start waits for the days of the short series; what comes later is built in when it is there
SERIES_DAYS = {"1min": SHORT_DAYS, "5min": SHORT_DAYS, "15min": LONG_DAYS, "60min": LONG_DAYS}


@dataclass(slots=True)
class _Outstanding:
    """Requests of one stage that were not answered yet."""

    requests: set[str] = field(default_factory=set)
    delivered: int = 0


class WarmUp:
    """Loads and refreshes the engine's series. It runs in the main thread, between two minutes."""

    def __init__(
        self,
        settings: Settings,
        calendar: Calendar,
        engine: StreamingEngine,
        fetcher: RestFetcher,
        queries: Queries,
        others: Callable[[Fetched], None],
    ) -> None:
        self.symbols: tuple[str, ...] = () if "*" in settings.symbols else settings.symbols
        self._url = settings.database
        self._calendar = calendar
        self._engine = engine
        self._fetcher = fetcher
        self._queries = queries
        self._others = others  # takes answers to requests that are not ours
        self._store = HistoryStore(settings.database, settings.feed, calendar)
        self._outstanding: dict[str, _Outstanding] = {
            "minutes": _Outstanding(),
            "earlier": _Outstanding(),
            "days": _Outstanding(),
        }
        self._day: date | None = None
        self._kept: tuple[int, int] = (0, 0)  # history is kept of bars that start in this range

    def run(self, day: date, until: int, keep_after: int) -> MinuteResults:
        """Anchor all series for a trading day and fill them with the bars before `until`; return what history shows.

        Raises:
            DatabaseUnavailable: the series are as they were.
        """
        begun = time.monotonic()
        self._day, self._kept = day, (keep_after, until)
        self._ask(day, until)
        self._wait_for("minutes", begun + SHORT_SECONDS)
        results = self._fill(tuple(self._engine.timeframes), until)
        self._engine.trading_day = day
        logger.info(
            "STREAMING: Warmed up %d symbols for %s in %.1f s: %d patterns and %d alerts in history",
            len(self._engine.symbols), day, time.monotonic() - begun, len(results.patterns), len(results.alerts),
        )  # fmt: skip
        return results

    def deliver(self, fetched: Fetched) -> bool:
        """Note an answer that came later; true when a series can be filled again with `refill`."""
        stage = self._answered(fetched)
        outstanding = self._outstanding[stage]
        return not outstanding.requests and outstanding.delivered > 0

    def refill(self, until: int) -> MinuteResults:
        """Fill the series again whose bars have arrived; everything closed before `until` must be stored."""
        results = MinuteResults(0)
        short = [t for t in self._engine.timeframes if SERIES_DAYS.get(t) == SHORT_DAYS]
        long = [t for t in self._engine.timeframes if SERIES_DAYS.get(t) == LONG_DAYS]
        for stage, timeframes in (("minutes", short + long), ("earlier", long), ("days", ["1day"])):
            outstanding = self._outstanding[stage]
            if not outstanding.requests and outstanding.delivered:
                outstanding.delivered = 0
                found = self._fill(tuple(t for t in timeframes if t in self._engine.timeframes), until)
                results.patterns += found.patterns
                results.alerts += found.alerts
                logger.info("STREAMING: History of %s is complete for %d symbols", ", ".join(timeframes), len(self.symbols))
        return results

    def _ask(self, day: date, until: int) -> None:
        """Ask REST for the days that are not covered, the newest ones first."""
        covered = self._queries.covered_days()
        today = self._day_start(day)
        short = [self._day_start(each) for each in self._calendar.trading_days_before(day, SHORT_DAYS)]
        long = [self._day_start(each) for each in self._calendar.trading_days_before(day, LONG_DAYS)][:-SHORT_DAYS]
        for stage, need, days in (("minutes", TODAY, [*short, today]), ("earlier", EARLIER, long)):
            for symbol in self.symbols:
                missing = [start for start in days if not self._is_covered(covered, symbol, start, today)]
                if missing and missing[0] < until:
                    last = missing[-1]
                    end = until if last == today else self._day_end(last)
                    store = partial(self._store.store_minutes, days=tuple(missing), until=end)
                    self._outstanding[stage].requests.add(symbol)
                    self._fetcher.minutes([symbol], missing[0], end, need, (stage, None), store)
        for symbol in self.symbols:
            if covered.get((symbol, DAY_SERIES), -1) < today:
                first, last_day = day - timedelta(days=DAY_BARS * 3 // 2), day - timedelta(days=1)
                self._outstanding["days"].requests.add(symbol)
                store = partial(self._store.store_days, until=today)
                self._fetcher.days([symbol], first, last_day, EARLIER, ("days", None), store)

    def _is_covered(self, covered: dict[tuple[str, int], int], symbol: str, start: int, today: int) -> bool:
        until = covered.get((symbol, start))
        # Of the running day the first start's warm-up is enough: what follows comes from the log.
        return until is not None and (start == today or until >= self._day_end(start))

    def _wait_for(self, stage: str, deadline: float) -> None:
        outstanding = self._outstanding[stage]
        while outstanding.requests and time.monotonic() < deadline:
            fetched = self._fetcher.take()
            if fetched is None:
                time.sleep(0.02)
            elif fetched.tag[0] in self._outstanding:
                self._answered(fetched)
            else:
                self._others(fetched)
        outstanding.delivered = 0 if not outstanding.requests else outstanding.delivered
        if outstanding.requests:
            logger.warning(
                "STREAMING: REST has not delivered the recent bars of %d of %d symbols yet; their indicators begin when it has",
                len(outstanding.requests), len(self.symbols),
            )  # fmt: skip

    def _answered(self, fetched: Fetched) -> str:
        stage = str(fetched.tag[0])
        self._outstanding[stage].requests.discard(fetched.symbol)
        if fetched.bars is not None:  # what failed is counted where it failed, and asked for again at the next start
            self._outstanding[stage].delivered += 1
        return stage

    def _fill(self, timeframes: Iterable[str], until: int) -> MinuteResults:
        """Empty these series and run the stored bars through them."""
        assert self._day is not None
        day, (keep_after, keep_until) = self._day, self._kept
        minutes = self._stored_minutes(day, until)
        found = MinuteResults(0)
        for timeframe in timeframes:
            self._engine.restart(timeframe)
            if timeframe == "1day":
                bars = self._stored_days(day)
                # A day's bar is analysed once, when it is final, which is here; what is stored already stays as it is.
                results = self._engine.warm(timeframe, bars, 0, until)
            else:
                anchor = self._day_start(self._calendar.trading_days_before(day, SERIES_DAYS[timeframe])[0])
                bars = minutes.take(minutes.timestamp >= anchor)
                if timeframe != "1min":
                    bars, ends = resample(bars, timeframe, self._calendar)
                    bars = bars.take(ends <= until)
                results = self._engine.warm(timeframe, bars, keep_after, keep_until)
            found.patterns += results.patterns
            found.alerts += results.alerts
        if self._engine.trading_day != day:
            start = self._day_start(day)
            self._engine.continue_from(self._loaded("1min", start, until, start, with_counts=True), until)
        return found

    def _stored_minutes(self, day: date, until: int) -> Bars:
        since = self._day_start(self._calendar.trading_days_before(day, LONG_DAYS)[0])
        return self._loaded("1min", since, until, self._day_start(day))

    def _stored_days(self, day: date) -> Bars:
        since = self._day_start(day) - DAY_BARS * 3 // 2 * 86_400_000
        bars = self._loaded("1day", since, self._day_start(day), None)
        if not len(bars):
            return bars
        newest = np.unique(bars.timestamp)[-DAY_BARS:]
        return bars.take(bars.timestamp >= newest[0])

    def _loaded(
        self, timeframe: str, since: int, until: int, as_first_closed_from: int | None, *, with_counts: bool = False
    ) -> Bars:
        # Whatever has bars has a series, watched or not: what is computed must not depend on when the process was started.
        symbols = (*self.symbols, *sorted(self._queries.coverage(timeframe, since, until).keys() - set(self.symbols)))
        stored = window_bars(
            self._url, symbols, timeframe, since, until, as_first_closed_from=as_first_closed_from, with_counts=with_counts
        )
        lanes = self._engine.lanes_for(stored.symbols)[stored.lane]
        unknown = np.full(len(lanes), np.nan)
        counts = stored.counts or {}
        return Bars(
            lanes, stored.timestamp, stored.open, stored.high, stored.low, stored.close, stored.volume.astype(np.float64),
            *(counts.get(name, unknown) for name in ("ticks", "trades", "first_tick", "last_tick")),
        )  # fmt: skip

    def _day_start(self, day: date) -> int:
        return self._calendar.sessions_of(day)[0].start

    def _day_end(self, start: int) -> int:
        session = self._calendar.session_at(start)
        assert session is not None
        return self._calendar.sessions_of(session.trading_day)[-1].end
