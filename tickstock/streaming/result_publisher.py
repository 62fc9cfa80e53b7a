"""Results to Redis: a thread that publishes closed minutes in order and waits for Redis as long as it takes.

A minute leaves as one `MULTI … EXEC`: its messages, patterns and alerts before indicators, and one entry of the results' log.
What was logged within the last ten minutes stays in memory: a Redis that lost its log gets it back, without publishing.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from typing import Any, NamedTuple

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tickstock.contract import (
    ALERTS_CHANNEL,
    INDICATORS_CHANNEL,
    PATTERNS_CHANNEL,
    RESULTS_LOG_FIELD,
    RESULTS_LOG_KEY,
    ResultsEntry,
    decode,
    encode,
)
from tickstock.errors import MessageError
from tickstock.redis_streams import REFILL_EXPIRES_MS, SPAN_SCRIPT

logger = logging.getLogger(__name__)

RESULTS_LOG_MAX_AGE_MS = 15 * 60_000
RETRY_SECONDS = 0.5
REDIS_TIMEOUT_SECONDS = 2.0  # for a connection, and for each reply: no call of ours asks for two
LOOK_SECONDS = 2.0  # so often it is seen whether Redis still has what was logged
KEEP_SECONDS = 600.0
KEEP_BYTES = 64 * 1024 * 1024
MOST_WAITING_RESULTS = 100_000  # about 100 MB; beyond, the oldest minutes keep their patterns and alerts only
_REFILL_KEY = RESULTS_LOG_KEY + ":refill"


def redis_client(url: str) -> redis.Redis:
    """A client none of whose calls waits longer than the stated bound, or is tried again behind our back."""
    return redis.Redis.from_url(
        url,
        protocol=2,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


class _EntryId(NamedTuple):
    """`<ms>-<number>`, ordered as Redis does."""

    ms: int
    number: int

    @classmethod
    def parse(cls, text: bytes) -> _EntryId:
        ms, _, number = text.partition(b"-")
        return cls(int(ms), int(number or 0))

    def __str__(self) -> str:
        return f"{self.ms}-{self.number}"


class _Logged(NamedTuple):
    """An entry of the results' log, and when it was written (steady seconds)."""

    at: float
    id: _EntryId
    entry: bytes


class ResultPublisher:
    """Publishes minutes in the order in which they are given."""

    def __init__(self, redis_url: str) -> None:
        self.published_minute = 0
        self.redis_away_since = 0.0  # monotonic; 0 while Redis answers
        self._client = redis_client(redis_url)
        self._waiting: deque[ResultsEntry] = deque()
        self._waiting_results = 0
        self._lock = threading.Lock()  # around changes of both
        self._logged: deque[_Logged] = deque()
        self._logged_bytes = 0
        self._began = time.time() - time.monotonic()  # ids go on steadily when somebody sets the clock
        self._last_ms = 0
        self._head_id: _EntryId | None = None  # under which the head was sent and not answered
        self._looked_at = float("-inf")
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="result-publisher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def publish(self, minute: ResultsEntry) -> None:
        """Queue a minute; never waits."""
        with self._lock:
            self._waiting.append(minute)
            self._waiting_results += _results(minute)
            if self._waiting_results > MOST_WAITING_RESULTS:
                self._thin()
        self._wake.set()

    def stop(self, seconds: float) -> int:
        """Publish what waits, for at most `seconds`; return how many minutes stayed behind."""
        self._stopping = True
        self._wake.set()
        self._thread.join(seconds)
        self._client.close()
        return len(self._waiting)

    @property
    def waiting(self) -> int:
        """Minutes that were not published yet."""
        return len(self._waiting)

    def last_logged(self) -> ResultsEntry | None:
        """The newest entry of the results' log; None when the log is empty.

        Raises:
            redis.RedisError: Redis is away.
        """
        return next(iter(_readable(self._client.xrevrange(RESULTS_LOG_KEY, count=1))), None)

    def logged(self) -> list[ResultsEntry]:
        """The whole results' log, oldest entry first.

        Raises:
            redis.RedisError: Redis is away.
        """
        return _readable(self._client.xrange(RESULTS_LOG_KEY))

    def _run(self) -> None:
        unsure = True  # whether the head may have been published by a try that got no answer
        while not (self._stopping and not self._waiting):
            if not self._waiting:
                self._wake.wait(1.0)
                self._wake.clear()
            try:
                if unsure or time.monotonic() - self._looked_at >= LOOK_SECONDS:
                    self._look()
                if self._waiting:
                    self._send_head(unsure)
                unsure = False
                self._redis_answers()
            except redis.RedisError as problem:
                unsure = True
                self._redis_away(problem)
                if self._stopping:
                    return
                time.sleep(RETRY_SECONDS)

    def _send_head(self, unsure: bool) -> None:
        head = self._waiting[0]
        entry = encode(head)
        sent = self._head_id
        if not (unsure and sent and self._client.xrange(RESULTS_LOG_KEY, str(sent), str(sent))):
            self._last_ms = max(int((self._began + time.monotonic()) * 1000), self._last_ms + 1)
            self._head_id = _EntryId(self._last_ms, 0)
            self._send(head, self._head_id, entry)
        assert self._head_id is not None
        self._remember(_Logged(time.monotonic(), self._head_id, entry))
        self._head_id = None
        self.published_minute = head.minute
        with self._lock:
            self._waiting.popleft()
            self._waiting_results -= _results(head)

    def _send(self, minute: ResultsEntry, entry_id: _EntryId, entry: bytes) -> None:
        pipeline = self._client.pipeline(transaction=True)
        for channel, messages in (
            (PATTERNS_CHANNEL, minute.patterns),
            (ALERTS_CHANNEL, minute.alerts),
            (INDICATORS_CHANNEL, minute.indicators),
        ):
            for message in messages:
                pipeline.publish(channel, encode(message))
        self._add(pipeline, RESULTS_LOG_KEY, entry_id, entry)
        pipeline.execute()

    @staticmethod
    def _add(pipeline: Any, key: str, entry_id: _EntryId, entry: bytes) -> None:
        oldest = f"{max(0, entry_id.ms - RESULTS_LOG_MAX_AGE_MS)}-0"
        pipeline.xadd(key, {RESULTS_LOG_FIELD: entry}, id=str(entry_id), minid=oldest, approximate=True)

    def _remember(self, logged: _Logged) -> None:
        self._logged.append(logged)
        self._logged_bytes += len(logged.entry)
        while self._logged and (self._logged[0].at < logged.at - KEEP_SECONDS or self._logged_bytes > KEEP_BYTES):
            self._logged_bytes -= len(self._logged.popleft().entry)

    def _look(self) -> None:
        """See how far the log goes; what was logged lately and is not in it any more is put back, without publishing."""
        span: Any = self._client.eval(SPAN_SCRIPT, 1, RESULTS_LOG_KEY)
        first, last, highest = (_EntryId.parse(each) if each else None for each in span)
        self._looked_at = time.monotonic()
        if highest is not None:
            self._last_ms = max(self._last_ms, highest.ms)
        kept = list(self._logged)
        if not kept or (first is not None and first <= kept[0].id and last is not None and last >= kept[-1].id):
            return
        logger.warning("STREAMING: Redis lost results of the last minutes from their log; they are put back")
        if first is None or first > kept[0].id:
            self._make_again(kept)
        else:
            for each in kept:
                if last is None or each.id > last:
                    self._add(self._client, RESULTS_LOG_KEY, each.id, each.entry)

    def _make_again(self, kept: list[_Logged]) -> None:
        """In the place of a log that lost its beginning; who reads sees the old one or all of the new one."""
        self._client.delete(_REFILL_KEY)
        for each in kept:
            self._add(self._client, _REFILL_KEY, each.id, each.entry)
            self._client.pexpire(_REFILL_KEY, REFILL_EXPIRES_MS)
        with contextlib.closing(self._client.pipeline(transaction=True)) as pipeline:
            pipeline.persist(_REFILL_KEY)
            pipeline.rename(_REFILL_KEY, RESULTS_LOG_KEY)
            pipeline.execute()

    def _thin(self) -> None:
        """Indicator values are states, and they are stored: of the oldest minutes that wait they are let go."""
        for at in range(1, len(self._waiting) - 1):
            each = self._waiting[at]
            if each.indicators:
                self._waiting[at] = msgspec.structs.replace(each, indicators=[])
                self._waiting_results -= len(each.indicators)
                if self._waiting_results <= MOST_WAITING_RESULTS:
                    return

    def _redis_away(self, problem: redis.RedisError) -> None:
        if not self.redis_away_since:
            self.redis_away_since = time.monotonic()
            logger.warning("STREAMING: Results cannot be published (%s); they wait and will be sent in order", problem)

    def _redis_answers(self) -> None:
        if self.redis_away_since:
            away = time.monotonic() - self.redis_away_since
            self.redis_away_since = 0.0
            logger.info("STREAMING: Results are published again after %.1f s", away)


def _results(minute: ResultsEntry) -> int:
    return len(minute.patterns) + len(minute.alerts) + len(minute.indicators)


def _readable(entries: Any) -> list[ResultsEntry]:
    found = []
    for _, fields in entries:
        try:
            found.append(decode(fields[RESULTS_LOG_FIELD.encode()], ResultsEntry))
        except (KeyError, MessageError):
            logger.warning("STREAMING: An entry of the results' log is not readable; it is passed over")
    return found
