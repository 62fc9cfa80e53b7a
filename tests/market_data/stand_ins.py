"""The stand-in for the market, and an observer of Redis; everything between the two is real."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from tests.servers import RedisServer
from tickstock.contract import STATUS_CHANNEL, TICKS_CHANNEL, TICKS_LOG_KEY, FeedStatus, LogEntry, decode_log_entry
from tickstock.feed.feed_items import FeedTick
from tickstock.feed.massive_client import ConnectionState
from tickstock.market_hours import Calendar
from tickstock.settings import Settings

T0 = 1_728_300_000_000  # 2024-10-07 07:20 in New York


def eventually(what: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until `what` gives something true, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        if result := what():
            return result
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def tick(number: int, symbol: str = "AAPL", price: float = 257.01, volume: int = 150, late: bool = False) -> FeedTick:
    return FeedTick(symbol, price, volume, T0 + number, late)


def ticks(first: int, last: int) -> list[FeedTick]:
    """Ticks whose timestamps tell their positions."""
    return [tick(number, f"S{number % 7}", 10.0 + number % 100 / 100, number % 1000) for number in range(first, last + 1)]


def status(
    forwarded: int = 0, run: str = "0123456789ab", *, source: str = "massive", watermark: int = T0, kind: str = "live"
) -> FeedStatus:
    return FeedStatus(kind, source, T0, T0, watermark, run, forwarded, "70 of 70 subscriptions confirmed")


class Observer:
    """What a subscriber of both channels receives, in order; it comes back when the server went away."""

    def __init__(self, server: RedisServer) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._server = server
        self._stopped = threading.Event()
        self.subscribed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self.subscribed.wait(10)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._server.client() as client, client.pubsub() as channels:
                    channels.subscribe(TICKS_CHANNEL, STATUS_CHANNEL)
                    while not self._stopped.is_set():
                        message = channels.get_message(timeout=0.05)
                        if message and message["type"] == "subscribe":
                            self.subscribed.set()
                        elif message:
                            self.messages.append((message["channel"].decode(), message["data"]))
            except redis.RedisError:
                self.subscribed.clear()
                time.sleep(0.02)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(10)

    @property
    def tick_numbers(self) -> list[int]:
        return [json.loads(data)["timestamp"] - T0 for channel, data in list(self.messages) if channel == TICKS_CHANNEL]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [json.loads(data) for channel, data in list(self.messages) if channel == STATUS_CHANNEL]


@contextmanager
def observing(server: RedisServer) -> Iterator[Observer]:
    observer = Observer(server)
    try:
        yield observer
    finally:
        observer.stop()


def log_entries(server: RedisServer) -> list[LogEntry]:
    with server.client() as client:
        return [decode_log_entry(fields) for _, fields in client.xrange(TICKS_LOG_KEY)]


def logged_numbers(server: RedisServer) -> list[int]:
    """Timestamps, told as by `ticks`, of the ticks in the log; and their positions agree with the entries."""
    numbers: list[int] = []
    for entry in log_entries(server):
        found = [message.timestamp - T0 for message in entry.messages if not isinstance(message, FeedStatus)]
        assert len(found) == entry.count
        numbers += found
    return numbers


class ScriptedClient:
    """Stands in for `MassiveClient`: the test says what the feed does. It is also its own factory."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.stopped = threading.Event()
        self.held = threading.Event()
        self.watched: tuple[str, ...] = ()
        self._on_frame: Any = None
        self._on_state: Any = None

    def __call__(self, settings: Settings, calendar: Calendar, on_frame: Any, on_state: Any) -> ScriptedClient:
        self._on_frame, self._on_state = on_frame, on_state
        self.started.clear()
        self.stopped.clear()
        return self

    def start(self) -> None:
        self.started.set()

    def stop(self, timeout: float = 5.0) -> None:
        self.started.clear()
        self.stopped.set()

    def watch(self, symbols: Sequence[str]) -> None:
        self.watched = tuple(symbols)

    def hold(self) -> None:
        self.held.set()

    def release(self) -> None:
        self.held.clear()

    def state(self, kind: str, detail: str = "") -> None:
        self._on_state(ConnectionState(kind, detail or kind))

    def confirm(self) -> None:
        self._on_state(ConnectionState("confirmed", "70 of 70 subscriptions confirmed", 70, 70))

    def change(self, *symbols: str) -> None:
        self._on_state(ConnectionState("changed", "71 of 71 subscriptions confirmed", 71, 71, symbols))

    def frame(self, *events: dict[str, Any]) -> None:
        self._on_frame(json.dumps(events).encode(), int(time.time() * 1000))


def trade(number: int, at: int, symbol: str = "AAPL", price: float = 257.01, size: int = 100) -> dict[str, Any]:
    """A trade event that counts fully; `number` makes it different from others."""
    return {"ev": "T", "sym": symbol, "x": 4, "i": str(number), "z": 3, "p": price, "s": size, "t": at, "q": number}
