"""What is left to do for a trading day when its market has closed: final day bars and their analysis, then the comparison.

It happens by the watermark's clock, in the main thread; REST and the database have threads of their own. Nothing is asked before
the splits of the day are known, and the running day's analysis does not change by any of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from tickstock.database.models import DAY_SERIES
from tickstock.database.vendor_queries import VendorQueries
from tickstock.errors import DatabaseError
from tickstock.market_hours import MINUTE_MS, Calendar, new_york_time
from tickstock.streaming.bar_columns import Bars, no_bars
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.evening import STAGE as EVENING_STAGE
from tickstock.streaming.evening import Evening
from tickstock.streaming.final_days import FINAL_AFTER_MS, PROGRESS, FinalDay, FinalDays
from tickstock.streaming.final_days import STAGE as FINAL_STAGE
from tickstock.streaming.log_follower import Position
from tickstock.streaming.minute_writer import ClosedMinute
from tickstock.streaming.reconciliation import match_rates
from tickstock.streaming.rest_fetcher import Fetched, RestFetcher
from tickstock.streaming.result_messages import LIVE, REPAIR
from tickstock.streaming.warm_up import WarmUp

logger = logging.getLogger(__name__)

AFTER_CLOSE_STAGES = (FINAL_STAGE, EVENING_STAGE)  # of the answers that belong here
ON_TIME_MS = 10 * MINUTE_MS  # later, the day's bar is one that was missed
RETRY_MS = 15_000  # after the database was away


class AfterClose:
    """`look` says what time it is in the market, `answered` brings what REST said."""

    def __init__(
        self, url: str, calendar: Calendar, engine: StreamingEngine, fetcher: RestFetcher, warm_up: WarmUp, now: Callable[[], int]
    ) -> None:
        self._calendar = calendar
        self._engine = engine
        self._warm_up = warm_up
        self._now = now
        self._queries = VendorQueries(url)
        self._final_days = FinalDays(url, calendar, fetcher)
        self._evening = Evening(url, calendar, fetcher, warm_up.store)
        self._origin = REPAIR
        self._compared: dict[str, int] | None = None
        self._is_read = False
        self._not_before = 0

    def look(self, watermark: int, symbols: Callable[[], set[str]], live: bool) -> None:
        """Ask for what is due at this watermark; `live` where the log is followed and not read again."""
        if not self._warm_up.splits.known or self._engine.trading_day != self._calendar.trading_day_at(watermark):
            return
        now = self._now()
        if now < self._not_before:
            return
        try:
            if not self._is_read:
                self._compared, self._is_read = self._queries.last_reconciliation(), True
            session = self._final_days.due(watermark)
            if session is not None and "1day" not in self._engine.absent:
                if self._final_days.day != session.trading_day:
                    on_time = watermark - session.end - FINAL_AFTER_MS <= ON_TIME_MS
                    self._origin = LIVE if live and on_time else REPAIR
                self._final_days.look(watermark, symbols, now)
            self._evening.look(watermark, symbols, now)
        except DatabaseError as problem:
            self._not_before = now + RETRY_MS
            logger.warning("STREAMING: What is to be done after the close waits for the database: %s", problem)

    def day_is_over(self) -> None:
        """Another trading day begins, and nothing but its own history may correct the days before any more."""
        self._evening.day_is_over()

    def answered(self, fetched: Fetched, base: Position | None) -> ClosedMinute | None:
        """What an answer gives to store and to publish, behind the last closed minute."""
        now = self._now()
        if fetched.tag[0] == EVENING_STAGE and self._evening.answered(fetched, now):
            self._read_comparison()
        final = self._final_days.answered(fetched, now) if fetched.tag[0] == FINAL_STAGE else None
        return self._final_day(final, base) if final is not None and base is not None else None

    def day_bars(self) -> dict[str, Any] | None:
        """How the last day's bars stand, for health; None before the first are due."""
        day, missing = self._final_days.day, len(self._final_days.missing)
        if day is None:
            return None
        return {"day": day.isoformat(), "state": "provisional" if missing else "final", "provisional": missing}

    def reconciliation(self) -> dict[str, Any] | None:
        """The last comparison, for health; None before the first."""
        sums = self._compared
        if sums is None:
            return None
        counts = {name: sums[name] for name in ("symbols", "bars", "missing", "extra", "corrected")}
        day = new_york_time(sums["day"]).date().isoformat()
        return {"day": day, **counts, "waiting": len(self._evening.waiting), "match": match_rates(sums)}

    def _final_day(self, final: FinalDay, base: Position) -> ClosedMinute:
        start, until = final.session.start, final.session.end
        bars = no_bars()
        if final.bars:
            lanes = self._engine.lanes_for(final.bars)
            bars = Bars.from_rest(lanes, list(final.bars.values()))
            bars.timestamp[:] = start
        results = self._engine.close_final_days(bars, base.complete_until - MINUTE_MS, self._origin)
        return ClosedMinute(
            results,
            base,
            day_bars=list(bars.rows(self._engine.symbols, "1day", 0, self._engine.source)),
            coverage=[(symbol, DAY_SERIES, until) for symbol in final.bars],
            vendor_progress=[(PROGRESS, until)] if final.complete else [],
        )

    def _read_comparison(self) -> None:
        try:
            self._compared = self._queries.last_reconciliation()
        except DatabaseError:
            self._is_read = False
            return
        shown = self.reconciliation()
        if shown is not None:
            rates = ", ".join(f"{name} {rate:.2%}" for name, rate in shown["match"].items())
            logger.info(
                "STREAMING: Bars of %s compared with the vendor's: %d symbols, %d bars, %s; %d corrected",
                shown["day"], shown["symbols"], shown["bars"], rates or "none made from ticks", shown["corrected"],
            )  # fmt: skip
