"""The process: start, sessions, the main loop, an orderly stop.

Threads: the subscriber drains the socket, the writer has the database, the publisher and the health reporter have Redis, a few
fetch from REST. The main loop does everything else, and waits for none of them.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from functools import partial

import redis

from tickstock.analysis.selection import enabled_from
from tickstock.contract import TICKS_TAKEN_KEY, MarketTick, TakenPosition, encode
from tickstock.database.queries import Queries
from tickstock.database.watchlists import Watchlists
from tickstock.errors import DatabaseError, DatabaseUnavailable
from tickstock.feed.massive_rest import MassiveRest
from tickstock.logs import Rejections, all_counts
from tickstock.market_hours import MINUTE_MS, calendar_named, now_ms
from tickstock.settings import Settings
from tickstock.streaming.after_close import AfterClose
from tickstock.streaming.bar_builder import BarBuilder
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.health import Figures, HealthReporter, tick_counter
from tickstock.streaming.housekeeping import Housekeeping
from tickstock.streaming.joins import Joins
from tickstock.streaming.log_follower import LogFollower, Position
from tickstock.streaming.log_reader import LogReader
from tickstock.streaming.minute_closer import MinuteCloser, steady_ms
from tickstock.streaming.minute_queue import MinuteQueue
from tickstock.streaming.minute_writer import MinuteWriter
from tickstock.streaming.missed_results import publish_missed
from tickstock.streaming.outcomes import Outcomes
from tickstock.streaming.reference import STAGE as REFERENCE_STAGE
from tickstock.streaming.reference import Reference
from tickstock.streaming.rest_fetcher import Fetched, RestFetcher
from tickstock.streaming.result_publisher import ResultPublisher, redis_client
from tickstock.streaming.snapshot_taker import SnapshotTaker
from tickstock.streaming.tick_subscriber import RedisTickSubscriber
from tickstock.streaming.warm_up import WarmUp

logger = logging.getLogger(__name__)

TAKEN_SECONDS = 0.05
REPEAT_TAKEN_SECONDS = 1.0
IDLE_SECONDS = 0.25
STOP_SECONDS = 10.0
DATABASE_WAIT_SECONDS = 2.0
LATE_SECONDS = 5.0  # behind the feed, from which on health says so
LATE_MINUTES = 3  # closed and not stored, likewise


class StopRequested(BaseException):
    """Cuts the loading of history short."""


class TakenReporter:
    """Tells the app how far TickStockPL has come, from a thread of its own: every 50 ms while that moves."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis_client(redis_url)
        self._place = ("", 0)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="taken", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def report(self, run: str, position: int) -> None:
        """Note a position."""
        self._place = (run, position)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(3)
        self._client.close()

    def _run(self) -> None:
        told, told_at = ("", 0), 0.0
        while not self._stopped.wait(TAKEN_SECONDS):
            place = self._place
            # Also when nothing moved: a Redis that came back empty has forgotten it, and a replay waits for it.
            if place != told or (place[0] and time.monotonic() - told_at >= REPEAT_TAKEN_SECONDS):
                try:
                    self._client.set(TICKS_TAKEN_KEY, encode(TakenPosition(*place)))
                    told, told_at = place, time.monotonic()
                except redis.RedisError:
                    self._stopped.wait(1.0)  # whoever needs Redis more says that it is away


class TickStockPL:
    """TickStockPL as one object: `run` returns after `stop`."""

    def __init__(self, settings: Settings) -> None:
        self.figures = Figures()
        self.session_id = uuid.uuid4().hex[:12]
        self.rejections = Rejections(logger, "STREAMING")
        self._settings = settings
        self._wake = threading.Event()
        self._stop_reason = ""
        self._calendar = calendar_named(settings.calendar)
        self._builder = BarBuilder()
        self._queue = MinuteQueue(int(settings.gap_wait_seconds * 1000))
        self._engine = StreamingEngine(settings, self._calendar, now_ms, enabled_from(settings))
        self._queries = Queries(settings.database)
        self._subscriber = RedisTickSubscriber(settings.redis_url, self._wake)
        self._publisher = ResultPublisher(settings.redis_url)
        self._writer = MinuteWriter(
            settings.database, self._publisher, settings.feed, self._calendar, settings.data_dir / "minutes_not_stored"
        )
        rest = MassiveRest.for_settings(settings)
        self._fetcher = RestFetcher(rest, self.rejections, self._wake)
        self._reference = Reference(settings.database, settings.feed, self._fetcher, now_ms)
        self._taken = TakenReporter(settings.redis_url)
        self._health = HealthReporter(
            settings.redis_url, self.session_id, self.figures, self._issues,
            lambda: all_counts(self.rejections, rest.rejections), self._what_waits,
        )  # fmt: skip
        self._housekeeping = Housekeeping(settings.database, settings.indicator_retention_days)
        self._outcomes = Outcomes(settings, self._calendar)
        self._snapshot = settings.data_dir / "streaming_state"
        self._log_client = redis_client(settings.redis_url)
        self._counter = tick_counter()
        self._turned = time.monotonic()  # when the main loop last came by

    def stop(self, reason: str) -> None:
        """Ask the main loop to end. Called by a signal handler, which runs in the main thread.

        Raises:
            StopRequested: history is being loaded, which can take long and leaves nothing behind when it is cut short.
        """
        self._stop_reason = reason  # not self._wake.set(): its lock may be held by the very code that the signal interrupts
        if self.figures.warming_up:
            raise StopRequested

    def run(self) -> None:
        """Run until `stop`: everything closed is stored and published, the open minute is left to the next start."""
        logger.info("STREAMING: TickStockPL starts, session %s", self.session_id)
        for thread in (
            self._health, self._publisher, self._writer, self._fetcher, self._taken, self._housekeeping, self._outcomes
        ):  # fmt: skip
            thread.start()
        closer, follower = self._wire(self._committed())
        self._snapshots.start()
        if not self._stop_reason:
            self._store_start()
        logger.info("STREAMING: Starting Redis tick listener loop")
        self._subscriber.start()
        with contextlib.suppress(StopRequested):
            while not self._stop_reason:
                self._wake.wait(IDLE_SECONDS)
                self._wake.clear()
                self._turn(closer, follower)
        self._end(closer)

    def _store_start(self) -> None:
        started = now_ms()
        try:
            self._writer.store_now(lambda batch: batch.start_session(self.session_id, started))
        except DatabaseUnavailable as problem:
            logger.warning("STREAMING: The start of the session could not be stored: %s", problem)

    def _wire(self, committed: Position | None) -> tuple[MinuteCloser, LogFollower]:
        closer = MinuteCloser(
            builder=self._builder, queue=self._queue, engine=self._engine, fetcher=self._fetcher, writer=self._writer,
            calendar=self._calendar, figures=self.figures, committed=committed, report_taken=self._taken.report, now=now_ms,
        )  # fmt: skip
        closer.open_gaps = lambda: self._queries.gaps(open_only=True, limit=1_000)
        closer.warm_up = self._warm_up = WarmUp(
            self._settings, self._calendar, self._engine, self._fetcher, self._queries, partial(self._fetched, closer),
            self._snapshot,
        )  # fmt: skip
        self._warm_up.tell = self._tell_warm_up
        closer.snapshots = self._snapshots = SnapshotTaker(self._snapshot, self._engine, self._warm_up, self._queries)
        closer.after_close = self._after_close = AfterClose(
            self._settings.database, self._calendar, self._engine, self._fetcher, self._warm_up, steady_ms
        )
        closer.joins = self._joins = Joins(
            self._calendar, self._engine, self._fetcher, self._warm_up, self._queries,
            Watchlists(self._settings.database).watched_symbols, steady_ms,
        )  # fmt: skip
        try:
            self._joins.load(committed is None)
        except DatabaseError as problem:
            logger.warning("STREAMING: The watchlists could not be read (%s); only TICKSTOCK_SYMBOLS are watched", problem)
        reader = LogReader(self._log_client, self._stored_ticks, self.rejections)
        return closer, LogFollower(reader, self._builder, closer, self.figures, self.rejections)

    def _turn(self, closer: MinuteCloser, follower: LogFollower) -> None:
        """Everything that is there to be done now."""
        while not self._stop_reason:
            self._turned = time.monotonic()
            arrival = self._subscriber.take()
            fetched = self._fetcher.take()
            if arrival is None and fetched is None:
                break
            if fetched is not None:
                self._fetched(closer, fetched)
            if arrival is not None:
                before = self.figures.ticks_total
                try:
                    follower.arrival(arrival)
                except (redis.RedisError, DatabaseUnavailable) as problem:
                    self.rejections.add("return to the log, which is tried again at the next status", str(problem))
                self._counter.add(self.figures.ticks_total - before)
        follower.work()
        closer.work()
        self._reference.look(self._engine.trading_day is not None, steady_ms())
        self._show_after_close()
        self._writer.look()
        self._health.look()

    def _fetched(self, closer: MinuteCloser, fetched: Fetched) -> None:
        if fetched.tag[0] == REFERENCE_STAGE:
            self._reference.answered(fetched, steady_ms())
        else:
            closer.fetched(fetched)

    def _show_after_close(self) -> None:
        figures = self.figures
        figures.waits_for_splits = self._warm_up.splits.waits_long
        figures.joining = self._joins.waiting
        figures.day_bars = self._after_close.day_bars()
        figures.reconciliation = self._after_close.reconciliation()

    def _tell_warm_up(self, step: str) -> None:
        self.figures.warm_up_step = step
        self._health.look()

    def _committed(self) -> Position | None:
        """The committed position; waits for a database that is away, because without it nothing would be right."""
        if self._writer.waiting:
            logger.info("STREAMING: %d minutes of the last run are stored first", self._writer.waiting)
        while self._writer.waiting and not self._stop_reason:
            self._writer.flush(DATABASE_WAIT_SECONDS)
        said = False
        while not self._stop_reason:
            try:
                progress = self._queries.progress()
                publish_missed(self._queries, self._publisher, progress)
                break
            except DatabaseUnavailable as problem:
                if not said:
                    logger.warning("STREAMING: Waiting for the database: %s", problem)
                    said = True
                time.sleep(DATABASE_WAIT_SECONDS)
        else:
            return None
        if progress is None:
            logger.info("STREAMING: Nothing is stored yet: this is a first start")
            return None
        logger.info("STREAMING: Resuming run %s behind position %d", progress.run, progress.position)
        return Position(progress.run, progress.position, progress.minute + MINUTE_MS, progress.replay_from)

    def _stored_ticks(self, run: str, first: int, last: int) -> list[tuple[int, MarketTick, bool]]:
        source = self._settings.feed
        return [
            (row.position, MarketTick(row.symbol, row.price, row.volume, row.timestamp, source), row.late)
            for row in self._queries.stored_ticks(run, first, last)
        ]

    def _what_waits(self) -> dict[str, int]:
        return {
            "ticks": self._subscriber.backlog,
            "minutes_to_store": self._writer.waiting_minutes,
            "minutes_to_publish": self._publisher.waiting,
        }

    def _issues(self) -> list[str]:
        """What is wrong outside the main loop's figures, in words."""
        issues = []
        if not self._subscriber.connected:
            issues.append("not subscribed to Redis")
        elif not self._publisher.redis_away_since and (silent := self._subscriber.app_silent_seconds):
            issues.append(f"the app has said nothing for {silent:.0f} s")
        if self._publisher.redis_away_since:
            issues.append(f"Redis is away: {self._publisher.waiting} minutes wait to be published")
        if self._writer.away_since:
            issues.append(f"the database is away: {self._writer.waiting} minutes wait to be stored")
        elif self._writer.waiting_minutes > LATE_MINUTES:
            issues.append(f"{self._writer.waiting_minutes} minutes wait to be stored")
        if self._writer.rejected_minutes:
            issues.append(f"{self._writer.rejected_minutes} minutes could not be stored")
        if behind := self._seconds_behind():
            issues.append(f"{behind:.0f} s behind the feed: {self._subscriber.backlog:,} ticks wait for the engine")
        return issues

    def _seconds_behind(self) -> float:
        """How long the engine has had ticks before it that it did not get to; 0 when that is nothing to speak of."""
        if not self._subscriber.backlog or self.figures.warming_up:
            return 0.0
        lag = self.figures.lags[-1] / 1000 if self.figures.lags else 0.0
        behind = max(lag, time.monotonic() - self._turned)
        return behind if behind > LATE_SECONDS else 0.0

    def _end(self, closer: MinuteCloser) -> None:
        logger.info("STREAMING: Stopping (%s): closed minutes are stored, the open one is left to the log", self._stop_reason)
        self._subscriber.stop()
        self._fetcher.stop()
        self._housekeeping.stop()
        self._outcomes.stop()
        unstored = self._writer.stop(STOP_SECONDS)
        self._snapshots.stop()
        if not unstored and not self._writer.rejected_minutes:
            self._snapshots.take_last(closer.base())
        unpublished = self._publisher.stop(STOP_SECONDS / 2)
        self._taken.stop()
        self._health.stop()
        figures = self.figures
        totals = {
            "ticks": figures.ticks_total, "patterns": figures.patterns, "alerts": figures.alerts,
            "indicators": figures.indicators, "late": figures.ticks_late, "rejected": figures.ticks_rejected,
            "bars_corrected": self._writer.corrected_bars, "bars_outside_sessions": self._engine.outside_sessions,
            "rest_failures": self._fetcher.failures,
        }  # fmt: skip
        try:
            self._writer.store_now(lambda batch: batch.stop_session(self.session_id, now_ms(), self._stop_reason, totals))
        except DatabaseUnavailable as problem:
            logger.warning("STREAMING: The end of the session could not be stored: %s", problem)
        self._log_client.close()
        logger.info("STREAMING: Stopped; %d minutes not stored, %d not published", unstored, unpublished)
