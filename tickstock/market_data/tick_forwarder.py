"""RedisTickForwarder: ticks and statuses to Redis, in their order, each exactly once, whatever happens to the connection.

A thin shell: `TickLog` decides, `RedisLog` asks Redis; this file holds the thread, the clock and the lease.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
import redis

from tickstock.contract import TICKS_LOG_MAX_AGE_MS, TICKS_LOG_MAX_BYTES, FeedStatus, MarketTick, TakenPosition
from tickstock.cooperation import give_way
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.flow import AHEAD_TICKS, TakenFlow
from tickstock.market_data.redis_link import RedisLink
from tickstock.market_data.redis_log import EntryRefused, LeaseLapsed, RedisLog
from tickstock.market_data.tick_batch import BATCH_TICKS, LogSpan
from tickstock.market_data.tick_log import KEEP_ACKNOWLEDGED_SECONDS, TickLog
from tickstock.settings import without_password

logger = logging.getLogger(__name__)

BUFFER_BYTES = 256 * 1024 * 1024
RENEW_SECONDS = 1.5  # of the lease's 5; so often it is also seen whether Redis still has what was written
TRIM_SECONDS = 5.0
TAKEN_POLL_SECONDS = 0.02
REPEAT_STATUS_SECONDS = 1.0
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0)
TURN_SECONDS = 0.005
WAITING_FOR_STREAMING = "waiting for TickStockPL"


class _LeaseTaken(Exception):
    """Another run of the app holds the lease."""


class RedisTickForwarder:
    """Sends what `add` accepts from a thread of its own; `add` never waits for Redis.

    Args:
        redis_url: redis://, rediss:// or unix://.
        source: what the ticks are, as in the contract.
        follow_taken: a recorded or virtual day, which never runs far ahead of TickStockPL; a live feed is never held back.
        buffer_bytes: what may wait for Redis; as much again may be kept of the last minute's acknowledged batches.
        batch_ticks: the most ticks in one transaction.
        ahead_ticks: how far a day of `follow_taken`, or the flush after an outage, may run ahead.
        log_bytes: size at which the log's oldest entries are trimmed; `log_age_ms`: age at which they are.
    """

    def __init__(
        self,
        redis_url: str,
        source: str,
        *,
        follow_taken: bool = False,
        buffer_bytes: int = BUFFER_BYTES,
        batch_ticks: int = BATCH_TICKS,
        ahead_ticks: int = AHEAD_TICKS,
        log_bytes: int = TICKS_LOG_MAX_BYTES,
        log_age_ms: int = TICKS_LOG_MAX_AGE_MS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = redis_url
        self._source = source
        self._follow_taken = follow_taken
        self._buffer_bytes = buffer_bytes
        self._batch_ticks = batch_ticks
        self._ahead_ticks = ahead_ticks
        self._log_bytes = log_bytes
        self._log_age_ms = log_age_ms
        self._clock = clock
        self._monotonic = monotonic
        # Ids go on steadily when somebody sets the wall clock: it must neither hold them up nor make the whole log look old.
        self._ids_began = clock() - monotonic()

        self._lock = threading.Lock()  # around every use of the log
        self._log: TickLog | None = None
        self._flow = TakenFlow(follow_taken, ahead_ticks)
        self._wake = threading.Event()
        self._settled = threading.Event()  # it is known who holds the lease
        self._stopped = threading.Event()
        self._stop_by = float("inf")  # steady seconds
        self._holder: str | None = None  # the run that holds the lease, as far as known
        self._leased: str | None = None  # the run of ours that got it last
        self._leaving = False  # the run is over: the lease goes back when nothing waits any more
        self._last_logged: FeedStatus | None = None
        self._writer: tuple[str, int] | None = None  # server's run id, our client id: the connection that wrote last
        self._renewed_at = self._trimmed_at = self._sent_at = float("-inf")
        self._away_since: float | None = None
        self._attempts = 0
        self._outages = 0
        self._entries_put_back = 0
        self._problem = ""
        self._dropping = False
        self._stuck_said = False
        self._thread = threading.Thread(target=self._run, name="tick-forwarder", daemon=True)

    # --- for MarketDataService ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the sender thread."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Send what waits, give the lease back, end the thread; all within `timeout` seconds and a reply's wait."""
        self._stop_by = self._monotonic() + timeout
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout + 5)

    def begin(self, run: str) -> None:
        """Begin a run: claim the lease for it; what an earlier run left waiting is given up."""
        with self._lock:
            # Twice as long as they are kept they stay in the log, so that what it has not is lost, and not trimmed.
            keep_seconds = min(KEEP_ACKNOWLEDGED_SECONDS, self._log_age_ms / 2000)
            self._log = TickLog(run, self._source, self._buffer_bytes, self._batch_ticks, keep_seconds)
            self._flow = TakenFlow(self._follow_taken, self._ahead_ticks)
            self._holder = self._last_logged = None
            self._leaving = False
            self._settled.clear()
        self._wake.set()

    def leave(self) -> None:
        """The run is over: send what waits, then give the lease back, so that another app may ingest."""
        self._leaving = True
        self._wake.set()

    def wait_until_settled(self, timeout: float) -> bool:
        """Wait until it is known who holds the lease; false when Redis did not say within `timeout` seconds."""
        return self._settled.wait(timeout)

    @property
    def other_holder(self) -> str | None:
        """The run of another app that holds the lease; None when this one does, or Redis has not said yet."""
        log = self._log
        return self._holder if log is None or self._holder != log.run else None

    def last_logged_status(self) -> FeedStatus | None:
        """The status that stood last in the log when this run got the lease."""
        return self._last_logged

    def add(self, first: int, ticks: Sequence[FeedTick | MarketTick], status: FeedStatus | None = None) -> None:
        """Accept ticks with the positions from `first` on, and a status that stands behind them. Never waits for Redis."""
        with self._lock:
            if self._log is None:
                return
            dropped = self._log.add(first, ticks, status)
        self._wake.set()
        if bool(dropped) != self._dropping and ticks:
            self._dropping = bool(dropped)
            if dropped:
                logger.error("MARKET-DATA-SERVICE: the buffer for Redis is full (%d bytes); ticks are dropped from it, "
                             "they stay in the database", self._buffer_bytes)  # fmt: skip

    @property
    def waiting_ticks(self) -> int:
        """Ticks that were accepted and not acknowledged by Redis yet."""
        log = self._log
        return log.waiting_ticks if log is not None else 0

    @property
    def waits_for_streaming(self) -> bool:
        """Whether a replay stands still because no TickStockPL takes its ticks."""
        return self._flow.endless and self._flow.is_stuck(self._monotonic())

    def state(self) -> dict[str, Any]:
        """What /health shows of it."""
        log, away = self._log, self._away_since
        return {
            "connected": away is None and self._settled.is_set(),
            "problem": self._problem if away is not None else "",
            "away_seconds": round(self._monotonic() - away, 1) if away is not None else 0.0,
            "outages": self._outages,
            "lease": "other" if self.other_holder else "held" if self._holder else "unknown",
            "lease_holder": self._holder or "",
            "entries_put_back": self._entries_put_back,
            "acknowledged_position": log.last_acknowledged if log else 0,
            "waiting_ticks": log.waiting_ticks if log else 0,
            "waiting_bytes": log.waiting_bytes if log else 0,
            "dropped_ticks": log.dropped_ticks if log else 0,
            "waits_for_streaming": self.waits_for_streaming,
        }

    # --- the sender thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        attempt = 0
        while not self._must_end():
            try:
                with RedisLink(self._url) as link:
                    self._serve(RedisLog(link, keep_ms=self._log_age_ms, keep_bytes=self._log_bytes))
            except _LeaseTaken:
                self._is_back(None)
                attempt = len(RETRY_SECONDS) - 1
            except (redis.RedisError, OSError, hiredis.HiredisError) as problem:
                attempt = self._is_away(problem)
            except Exception as problem:  # a fault of ours must not end forwarding for good
                logger.exception("MARKET-DATA-SERVICE: forwarding failed; it begins again with a new connection")
                attempt = self._is_away(problem)
            if not self._must_end():
                self._pause(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])

    def _pause(self, seconds: float) -> None:
        if self._stopped.is_set():  # ending, but something still waits: no longer pauses, no busy loop
            time.sleep(min(seconds, 0.05))
        else:
            self._stopped.wait(seconds)

    def _must_end(self) -> bool:
        if not self._stopped.is_set():
            return False
        log = self._log
        return log is None or log.is_empty or self._monotonic() >= self._stop_by

    def _serve(self, redis_log: RedisLog) -> None:
        """Forward the present run, and the ones after it, until something breaks or the thread shall end."""
        self._identify(redis_log)
        while not self._must_end():
            with self._lock:
                log, flow = self._log, self._flow
            if log is None:
                self._is_back(None)
                self._wake.clear()
                self._wake.wait(RENEW_SECONDS)
                continue
            try:
                self._claim(redis_log, log)
                self._resume(redis_log, log, flow)
                self._is_back(log)
                self._forward(redis_log, log, flow)
            except LeaseLapsed as lapse:  # we were paused for long, or Redis was emptied: nothing of ours was carried out
                logger.warning("MARKET-DATA-SERVICE: The lease lapsed (%s); it is claimed again", lapse)
                self._pause(RETRY_SECONDS[0])
        if self._log is not None:
            redis_log.release(self._log.run)

    def _identify(self, redis_log: RedisLog) -> None:
        """End the connection that wrote before this one, so that nothing of it can still be carried out."""
        server, client = redis_log.identify()
        if self._writer is not None and self._writer[0] == server:
            redis_log.end_connection(self._writer[1])
        self._writer = (server, client)

    def _claim(self, redis_log: RedisLog, log: TickLog) -> None:
        if self._leased is not None and self._leased != log.run:
            redis_log.release(self._leased)  # an earlier run of our own
        holder = redis_log.claim(log.run)
        self._renewed_at = self._monotonic()
        if holder == log.run:
            self._leased = log.run
            return
        self._leased = None
        self._holder = holder
        with self._lock:
            if log.is_used and self._log is log:
                self._log = None  # this run is over; the service begins another one
        self._settled.set()
        raise _LeaseTaken

    def _resume(self, redis_log: RedisLog, log: TickLog, flow: TakenFlow) -> None:
        uncertain = log.uncertain_id
        is_logged = uncertain is not None and redis_log.holds(uncertain)
        span = redis_log.span()
        with self._lock:
            log.resume(span.highest, is_logged, self._monotonic())
        self._put_back(redis_log, log, span)
        if not log.is_used:
            self._last_logged = redis_log.last_status()
        self._holder = log.run
        self._settled.set()
        if log.waiting_ticks > self._ahead_ticks:
            flow.begin_flush()

    def _put_back(self, redis_log: RedisLog, log: TickLog, span: LogSpan) -> None:
        """What was acknowledged within the last minute and is not in the log any more, is put there again."""
        with self._lock:
            lost = log.lost(span)
        if not lost.batches:
            return
        logger.warning("MARKET-DATA-SERVICE: Redis lost %d entries of the log; they are put back", len(lost.batches))
        if lost.from_its_beginning:
            redis_log.make_again(lost.batches)
        else:
            redis_log.append_again(lost.batches)
        self._entries_put_back += len(lost.batches)

    def _forward(self, redis_log: RedisLog, log: TickLog, flow: TakenFlow) -> None:
        turn_ends = 0.0
        while self._log is log:
            if self._monotonic() >= turn_ends:
                give_way()
                turn_ends = self._monotonic() + TURN_SECONDS
            now = self._monotonic()
            if now - self._renewed_at >= RENEW_SECONDS:
                self._claim(redis_log, log)
                self._put_back(redis_log, log, redis_log.span())
            if now - self._trimmed_at >= TRIM_SECONDS:
                self._trim(redis_log, log)
            self._wake.clear()
            with self._lock:
                batch = log.peek()
            if self._must_end():
                return
            if batch is None and self._leaving:
                self._give_back(redis_log, log)
            elif batch is None:
                flow.end_flush()
                self._wake.wait(RENEW_SECONDS / 2)
            elif flow.may_send(batch.last, now):
                self._send(redis_log, log, flow)
            else:
                self._wait_for_streaming(redis_log, log, flow)

    def _trim(self, redis_log: RedisLog, log: TickLog) -> None:
        self._trimmed_at = self._monotonic()
        if redis_log.trim_to_size():
            first = redis_log.span().first
            with self._lock:
                log.trimmed(first)

    def _give_back(self, redis_log: RedisLog, log: TickLog) -> None:
        redis_log.release(log.run)
        self._leased = None
        with self._lock:
            if self._log is log:
                self._log = self._holder = None

    def _send(self, redis_log: RedisLog, log: TickLog, flow: TakenFlow) -> None:
        with self._lock:
            batch = log.take(int((self._ids_began + self._monotonic()) * 1000))
        try:
            taken = redis_log.send(batch, flow.applies)
        except EntryRefused:
            with self._lock:
                log.published_without_log()
            raise
        self._sent_at = self._monotonic()
        with self._lock:
            log.acknowledge(self._sent_at)
        self._saw(taken, log, flow)

    def _saw(self, taken: TakenPosition | None, log: TickLog, flow: TakenFlow) -> None:
        if taken is not None and taken.run == log.run:
            if taken.position > flow.taken:
                self._stuck_said = False
            flow.saw_taken(taken.position, self._monotonic())

    def _wait_for_streaming(self, redis_log: RedisLog, log: TickLog, flow: TakenFlow) -> None:
        """A batch may not leave yet: look again soon, and meanwhile say once a second where the log stands.

        A TickStockPL that starts now needs a status to begin with, and the next one waits behind ticks that wait for it.
        """
        self._pause(TAKEN_POLL_SECONDS)
        self._saw(redis_log.taken(), log, flow)
        now = self._monotonic()
        if flow.is_stuck(now) and flow.endless and not self._stuck_said:
            self._stuck_said = True
            logger.warning("MARKET-DATA-SERVICE: TickStockPL has taken nothing for 10 s; the replay waits for it")
        if now - self._sent_at >= REPEAT_STATUS_SECONDS:
            with self._lock:
                repeated = log.repeat_status(int(self._clock() * 1000), WAITING_FOR_STREAMING)
            if repeated:
                self._send(redis_log, log, flow)

    def _is_away(self, problem: BaseException) -> int:
        """Note that Redis is away; returns which attempt in a row failed, from 0."""
        self._problem = str(problem)
        if self._away_since is None:
            self._away_since = self._monotonic()
            self._outages += 1
            self._attempts = 0
            logger.warning("MARKET-DATA-SERVICE: Redis is away (%s: %s); ticks for TickStockPL wait in memory",
                           without_password(self._url), problem)  # fmt: skip
        else:
            self._attempts += 1
        return self._attempts

    def _is_back(self, log: TickLog | None) -> None:
        if self._away_since is not None:
            logger.warning("MARKET-DATA-SERVICE: Redis is back after %.1f s; %d ticks waited and leave now in order",
                           self._monotonic() - self._away_since, log.waiting_ticks if log else 0)  # fmt: skip
            self._away_since = None
