"""Results to Redis: a thread that publishes closed minutes in order and waits for Redis as long as it takes.

A minute leaves as one `MULTI … EXEC`: its messages, patterns and alerts before indicators, and one entry of the results' log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any

import redis

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
from tickstock.market_hours import now_ms

logger = logging.getLogger(__name__)

RESULTS_LOG_MAX_AGE_MS = 15 * 60_000
RETRY_SECONDS = 0.5
REDIS_TIMEOUT_SECONDS = 2.0  # no call waits longer for Redis


def redis_client(url: str) -> redis.Redis:
    """A client none of whose calls waits longer than the stated bound."""
    return redis.Redis.from_url(url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS)


class ResultPublisher:
    """Publishes minutes in the order in which they are given."""

    def __init__(self, redis_url: str) -> None:
        self.published_minute = 0
        self.redis_away_since = 0.0  # monotonic; 0 while Redis answers
        self._client = redis_client(redis_url)
        self._waiting: deque[ResultsEntry] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="result-publisher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def publish(self, minute: ResultsEntry) -> None:
        """Queue a minute; never waits."""
        self._waiting.append(minute)
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
        unsure = False  # whether the head may have been published by a try that got no answer
        while True:
            if not self._waiting:
                if self._stopping:
                    return
                self._wake.wait(1.0)
                self._wake.clear()
                continue
            head = self._waiting[0]
            try:
                if not (unsure and self._is_logged(head)):
                    self._send(head)
                unsure = False
                self.published_minute = head.minute
                self._waiting.popleft()
                self._redis_answers()
            except redis.RedisError as problem:
                unsure = True
                self._redis_away(problem)
                if self._stopping:
                    return
                time.sleep(RETRY_SECONDS)

    def _send(self, minute: ResultsEntry) -> None:
        pipeline = self._client.pipeline(transaction=True)
        for channel, messages in (
            (PATTERNS_CHANNEL, minute.patterns),
            (ALERTS_CHANNEL, minute.alerts),
            (INDICATORS_CHANNEL, minute.indicators),
        ):
            for message in messages:
                pipeline.publish(channel, encode(message))
        oldest = f"{now_ms() - RESULTS_LOG_MAX_AGE_MS}-0"
        pipeline.xadd(RESULTS_LOG_KEY, {RESULTS_LOG_FIELD: encode(minute)}, minid=oldest, approximate=True)
        pipeline.execute()

    def _is_logged(self, minute: ResultsEntry) -> bool:
        last = self.last_logged()
        return last is not None and (last.run, last.minute, last.position) == (minute.run, minute.minute, minute.position)

    def _redis_away(self, problem: redis.RedisError) -> None:
        if not self.redis_away_since:
            self.redis_away_since = time.monotonic()
            logger.warning("STREAMING: Results cannot be published (%s); they wait and will be sent in order", problem)

    def _redis_answers(self) -> None:
        if self.redis_away_since:
            away = time.monotonic() - self.redis_away_since
            self.redis_away_since = 0.0
            logger.info("STREAMING: Results are published again after %.1f s", away)


def _readable(entries: Any) -> list[ResultsEntry]:
    found = []
    for _, fields in entries:
        try:
            found.append(decode(fields[RESULTS_LOG_FIELD.encode()], ResultsEntry))
        except (KeyError, MessageError):
            logger.warning("STREAMING: An entry of the results' log is not readable; it is passed over")
    return found
