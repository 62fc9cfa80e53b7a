"""The live tap: a raw connection to Redis, drained by a thread that waits for nothing else."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tickstock.contract import STATUS_CHANNEL, TICKS_CHANNEL
from tickstock.settings import without_password

logger = logging.getLogger(__name__)

RECEIVE_BYTES = 1 << 18
REPLY_SECONDS = 2.0  # for a connection
SILENCE_SECONDS = 5.0  # a status comes every second: longer silence is answered with a PING, then with a new connection
BACKLOG_TICKS = 2_000_000  # beyond this the engine is so far behind that reading the log is the better way


class Cut:
    """The subscription broke, or the backlog grew too long: what follows does not continue what came before."""


TickPayloads = list[bytes]
Arrival = TickPayloads | bytes | Cut  # ticks in a row, one status, or a cut


class RedisTickSubscriber:
    """Receives `tickstock:market:ticks` and `tickstock:market:status`, in their order, into a queue.

    `arrivals` yields lists of tick payloads, single status payloads and `Cut`s. `wake` is set whenever there is something.
    """

    def __init__(self, redis_url: str, wake: threading.Event) -> None:
        self.connected = False
        self.connections = 0
        self.status_at: float | None = None  # steady seconds at which a status came last; None before the first
        self._url = redis_url
        self._wake = wake
        self._arrivals: deque[Arrival] = deque()
        self._waiting_ticks = 0  # put in by the reader
        self._taken_ticks = 0  # taken out by the consumer; each side writes only its own counter
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tick-subscriber", daemon=True)

    def start(self) -> None:
        """Start the reader thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the reader thread, within a second."""
        self._stopped.set()
        self._thread.join(SILENCE_SECONDS + 1)

    def take(self) -> Arrival | None:
        """The next arrival, or None."""
        try:
            arrival = self._arrivals.popleft()
        except IndexError:
            return None
        if isinstance(arrival, list):
            self._taken_ticks += len(arrival)
        return arrival

    @property
    def app_silent_seconds(self) -> float:
        """How long no status has come, though Redis is there; 0 while that is as it should be."""
        if not self.connected or self.status_at is None:
            return 0.0
        silent = time.monotonic() - self.status_at
        return silent if silent > SILENCE_SECONDS else 0.0

    @property
    def backlog(self) -> int:
        """Ticks that arrived and were not taken yet."""
        return self._waiting_ticks - self._taken_ticks

    def _run(self) -> None:
        delay, said = 0.1, False
        while not self._stopped.is_set():
            try:
                self._receive_until_cut()
            except (redis.RedisError, OSError, hiredis.HiredisError) as problem:
                if self.connected or not said:
                    said = True
                    logger.warning("STREAMING: Redis is away (%s); reconnecting to %s", problem, without_password(self._url))
                delay = 0.1 if self.connected else min(delay * 2, 2.0)
            self.connected = False
            self._put(Cut())
            self._stopped.wait(delay)

    def _receive_until_cut(self) -> None:
        """Connect, subscribe and hand over what comes, until something breaks."""
        pool = redis.ConnectionPool.from_url(
            self._url, protocol=2, socket_timeout=REPLY_SECONDS, socket_connect_timeout=REPLY_SECONDS, retry=Retry(NoBackoff(), 0)
        )
        connection: Any = pool.connection_class(**pool.connection_kwargs)
        try:
            connection.connect()
            connection.send_command("SUBSCRIBE", TICKS_CHANNEL, STATUS_CHANNEL)
            self._drain(connection._sock)
        finally:
            connection.disconnect()
            pool.disconnect()

    def _drain(self, sock: Any) -> None:
        sock.settimeout(1.0)
        reader = hiredis.Reader()
        ticks_channel = TICKS_CHANNEL.encode()
        heard, asked = time.monotonic(), False
        while not self._stopped.is_set():
            try:
                data = sock.recv(RECEIVE_BYTES)
            except TimeoutError:
                if time.monotonic() - heard > SILENCE_SECONDS:
                    if asked:
                        raise redis.ConnectionError("no answer to PING") from None
                    sock.sendall(b"*1\r\n$4\r\nPING\r\n")
                    heard, asked = time.monotonic(), True
                continue
            if not data:
                raise redis.ConnectionError("Redis closed the connection")
            heard, asked = time.monotonic(), False
            reader.feed(data)
            self._hand_over(reader.gets, ticks_channel)

    def _hand_over(self, next_reply: Callable[[], Any], ticks_channel: bytes) -> None:
        ticks: list[bytes] = []
        while (reply := next_reply()) is not False:
            if reply[0] == b"message":
                if reply[1] == ticks_channel:
                    ticks.append(reply[2])
                    continue
                if ticks:
                    self._put(ticks)
                    ticks = []
                self.status_at = time.monotonic()
                self._put(reply[2])
            elif reply[0] == b"subscribe" and reply[2] == 2:
                self.connected = True
                self.connections += 1
                logger.info("STREAMING: Subscribed to %s", TICKS_CHANNEL)
        if ticks:
            self._put(ticks)

    def _put(self, arrival: Arrival) -> None:
        if isinstance(arrival, list):
            if self.backlog > BACKLOG_TICKS:
                raise redis.ConnectionError(f"more than {BACKLOG_TICKS:,} ticks wait for the engine")
            self._waiting_ticks += len(arrival)
        self._arrivals.append(arrival)
        self._wake.set()
