"""RedisEventSubscriber: TickStockPL's results from Redis to the browsers; a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tickstock import contract, cooperation
from tickstock.contract import IndicatorAlert, ResultsEntry, StreamingHealth, StreamingIndicator, StreamingPattern
from tickstock.errors import MessageError
from tickstock.logs import Rejections
from tickstock.market_hours import now_ms
from tickstock.settings import without_password

logger = logging.getLogger(__name__)

CHANNELS = (contract.PATTERNS_CHANNEL, contract.INDICATORS_CHANNEL, contract.ALERTS_CHANNEL, contract.HEALTH_CHANNEL)
WAIT_SECONDS = 0.5
PING_SECONDS = 2.0
LONGEST_SILENCE_SECONDS = 6.0  # pings unanswered for this long: Redis is away; before TickStockPL counts as silent
REPLY_SECONDS = 2.0  # for a connection, and for a reply
FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 2.0
MESSAGES_BEFORE_GIVING_WAY = 50
SECONDS_BEFORE_GIVING_WAY = 0.005
LOG_PAGE = 50
FIRST_ID = "0-0"


class Listener(Protocol):
    """Whom the results are told."""

    def signal(self, signal: StreamingPattern | IndicatorAlert) -> bool: ...
    def indicator(self, indicator: StreamingIndicator) -> None: ...
    def health_report(self, report: StreamingHealth, received: int | None = None) -> bool: ...
    def redis_away(self, since: int | None) -> None: ...


class RedisEventSubscriber:
    """Subscribes to patterns, indicators, alerts and health; reconnects for ever, and then reads what it missed.

    Args:
        listener: gets every valid message; the same one may come twice, from the channel and from the results' log.
        on_stored: called when the database may hold results that were never published: at every subscribe, and when
            TickStockPL reports a new session.
    """

    def __init__(self, redis_url: str, listener: Listener, on_stored: Callable[[], None]) -> None:
        self.received: Counter[str] = Counter()
        self.rejections = Rejections(logger, "REDIS-EVENT-SUBSCRIBER")
        self.connected_since: int | None = None
        self.away_since: int | None = now_ms()  # Redis was heard last; None while it answers
        self.last_message: int | None = None
        self.reconnects = 0
        self._redis_url = redis_url
        self._listener = listener
        self._on_stored = on_stored
        self._log_id = FIRST_ID
        self._stop = threading.Event()
        self._handled = 0
        self._gave_way = self._heard = time.monotonic()

    def stop(self) -> None:
        """End `run` within half a second."""
        self._stop.set()

    def run(self) -> None:
        """Listen until `stop`."""
        wait = FIRST_RETRY_SECONDS
        complained = False
        while not self._stop.is_set():
            try:
                self._listen()
            except (redis.RedisError, OSError) as problem:
                was_connected = self.connected_since is not None
                self.connected_since = None
                self._is_away()
                if was_connected or not complained:
                    where = without_password(self._redis_url)
                    logger.warning("REDIS-EVENT-SUBSCRIBER: no connection to Redis at %s, trying again: %s", where, problem)
                    complained = True
                    self.reconnects += was_connected
                wait = FIRST_RETRY_SECONDS if was_connected else min(wait * 2, LONGEST_RETRY_SECONDS)
                self._stop.wait(wait)

    def _listen(self) -> None:
        with self._client() as client, client.pubsub() as pubsub:
            pubsub.subscribe(*CHANNELS)
            self._await_confirmations(pubsub)
            self._on_stored()
            self._read_latest_health(client)
            self._read_results_log(client)
            self.connected_since = now_ms()
            self.away_since = None
            self._listener.redis_away(None)
            logger.info("REDIS-EVENT-SUBSCRIBER: Subscribed to %s", ", ".join(CHANNELS))
            self._heard = pinged = time.monotonic()
            while not self._stop.is_set():
                message = pubsub.get_message(timeout=WAIT_SECONDS)
                now = time.monotonic()
                if message is not None:
                    self._heard = now
                    if message["type"] == "message":
                        self.take(message["channel"].decode(), message["data"])
                elif now - self._heard > LONGEST_SILENCE_SECONDS:
                    raise redis.ConnectionError(f"no answer for {LONGEST_SILENCE_SECONDS:.0f} s")
                if now - pinged > PING_SECONDS:
                    pinged = now
                    pubsub.ping()
                self._give_way()

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(
            self._redis_url,
            protocol=2,
            socket_timeout=REPLY_SECONDS,
            socket_connect_timeout=REPLY_SECONDS,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
        )

    def _is_away(self) -> None:
        if self.away_since is None:
            self.away_since = now_ms() - int((time.monotonic() - self._heard) * 1000)
        self._listener.redis_away(self.away_since)

    def _await_confirmations(self, pubsub: Any) -> None:
        confirmed = 0
        deadline = time.monotonic() + LONGEST_SILENCE_SECONDS
        while confirmed < len(CHANNELS):
            if time.monotonic() > deadline or self._stop.is_set():
                raise redis.ConnectionError("the subscription was not confirmed")
            message = pubsub.get_message(timeout=WAIT_SECONDS)
            if message is not None and message["type"] == "subscribe":
                confirmed += 1
            elif message is not None and message["type"] == "message":
                self.take(message["channel"].decode(), message["data"])

    def _read_latest_health(self, client: redis.Redis) -> None:
        latest: Any = client.get(contract.HEALTH_LATEST_KEY)
        if latest is not None and (report := self._decoded(latest, StreamingHealth)) is not None:
            self._health(report, min(report.timestamp, now_ms()))

    def _read_results_log(self, client: redis.Redis) -> None:
        """Everything that was published since the last entry held; from the start when it is another log."""
        if self._log_id != FIRST_ID and _last_id(client) < _parts(self._log_id):
            self._log_id = FIRST_ID
        while not self._stop.is_set():
            page: Any = client.xrange(contract.RESULTS_LOG_KEY, min=f"({self._log_id}", count=LOG_PAGE)
            for entry_id, fields in page:
                self._log_id = entry_id.decode()
                self.entry(fields)
            if len(page) < LOG_PAGE:
                return

    def entry(self, fields: dict[bytes, bytes]) -> None:
        """Merge an entry of the results' log."""
        entry = self._decoded(fields.get(contract.RESULTS_LOG_FIELD.encode(), b""), ResultsEntry)
        if entry is not None:
            try:
                self._merge(entry)
            except Exception as fault:
                self._raised(fault)

    def _merge(self, entry: ResultsEntry) -> None:
        signals: list[StreamingPattern | IndicatorAlert] = [*entry.patterns, *entry.alerts]
        for signal in signals:
            self._listener.signal(signal)
            self._give_way()
        for indicator in entry.indicators:
            self._listener.indicator(indicator)
            self._give_way()

    def take(self, channel: str, data: bytes) -> None:
        """A message of a channel: told to the listener, or counted as bad. Nothing that comes can end the listening."""
        self.received[channel] += 1
        self.last_message = now_ms()
        try:
            self._tell(channel, data)
        except (redis.RedisError, OSError):
            raise
        except Exception as fault:
            self._raised(fault)

    def _raised(self, fault: Exception) -> None:
        self.rejections.add("a result that raised", fault)
        logger.debug("REDIS-EVENT-SUBSCRIBER: a result raised", exc_info=True)

    def _tell(self, channel: str, data: bytes) -> None:
        if channel == contract.INDICATORS_CHANNEL:
            if (indicator := self._decoded(data, StreamingIndicator)) is not None:
                self._listener.indicator(indicator)
        elif channel == contract.PATTERNS_CHANNEL:
            if (pattern := self._decoded(data, StreamingPattern)) is not None:
                self._listener.signal(pattern)
        elif channel == contract.ALERTS_CHANNEL:
            if (alert := self._decoded(data, IndicatorAlert)) is not None:
                self._listener.signal(alert)
        elif (report := self._decoded(data, StreamingHealth)) is not None:
            self._health(report, None)

    def _health(self, report: StreamingHealth, received: int | None) -> None:
        if self._listener.health_report(report, received):
            self._on_stored()

    def _decoded(self, data: bytes, message_type: type[Any]) -> Any:
        try:
            return contract.decode(data, message_type)
        except MessageError as problem:
            self.rejections.add(f"a malformed {message_type.__name__}", f"{problem}: {data[:80]!r}")
            return None

    def _give_way(self) -> None:
        self._handled += 1
        if self._handled >= MESSAGES_BEFORE_GIVING_WAY or time.monotonic() - self._gave_way > SECONDS_BEFORE_GIVING_WAY:
            cooperation.give_way()
            self._handled = 0
            self._gave_way = time.monotonic()


def _last_id(client: redis.Redis) -> tuple[int, int]:
    newest: Any = client.xrevrange(contract.RESULTS_LOG_KEY, count=1)
    return _parts(newest[0][0].decode()) if newest else (0, 0)


def _parts(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)
