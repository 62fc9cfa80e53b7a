"""A publisher of the tests' own, a synthetic day, and a REST interface: what stands around TickStockPL.

The publisher writes the contract by hand, so that it does not share a mistake with the app's forwarder.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.servers import RedisServer
from tickstock.contract import (
    STATUS_CHANNEL,
    TICKS_CHANNEL,
    TICKS_LOG_KEY,
    TICKS_TAKEN_KEY,
    MarketTick,
    log_entry_fields,
    log_tick_line,
)
from tickstock.market_hours import MINUTE_MS

T0 = 1_728_307_800_000  # 2024-10-07 09:30 in New York, a Monday


def eventually(what: Callable[[], Any], seconds: float = 30.0, pause: float = 0.02) -> Any:
    """Wait until `what` gives something true, and return it."""
    deadline = time.monotonic() + seconds
    while not (result := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)
    return result


@dataclass(frozen=True)
class Say:
    """A status at its place among the ticks."""

    watermark: int
    status: str = "live"
    gap: tuple[int, int] | None = None
    joined: tuple[tuple[str, ...], int] | None = None
    left: tuple[tuple[str, ...], int] | None = None


Item = MarketTick | Say


def tick(symbol: str, price: float, timestamp: int, volume: int = 100) -> MarketTick:
    return MarketTick(symbol, price, volume, timestamp, "simulated")


class Publisher:
    """One run of an app that publishes ticks and statuses, and keeps the log."""

    def __init__(self, server: RedisServer, run: str = "run1") -> None:
        self.run = run
        self.position = 0
        self._client = server.client()
        self._last_ms = 0
        self._last = Say(0, status="connecting")

    def status(self, say: Say) -> dict[str, Any]:
        message: dict[str, Any] = {
            "type": "feed_status", "status": say.status, "source": "simulated", "since": T0,
            "timestamp": int(time.time() * 1000), "watermark": say.watermark, "run": self.run,
            "forwarded": self.position, "detail": "10 of 10 subscriptions confirmed",
        }  # fmt: skip
        for name, told in (("joined", say.joined), ("left", say.left)):
            if told is not None:
                message[name] = {"symbols": told[0], "at": told[1]}
        return message if say.gap is None else {**message, "gap": say.gap}

    def send(self, items: Sequence[Item], *, publish: bool = True, log: bool = True) -> None:
        """One batch: the log's entry and the messages, in one transaction."""
        first, lines, publishes = self.position + 1, [], []
        base = next((item.timestamp for item in items if isinstance(item, MarketTick)), 0)
        for item in items:
            if isinstance(item, Say):
                self._last = Say(item.watermark, item.status)
                text = json.dumps(self.status(item))
                lines.append(text)
                publishes.append((STATUS_CHANNEL, text))
            else:
                self.position += 1
                lines.append(log_tick_line(item.symbol, repr(item.price), item.volume, item.timestamp - base))
                publishes.append((TICKS_CHANNEL, json.dumps({"type": "market_tick", **_as_dict(item)})))
        pipeline = self._client.pipeline(transaction=True)
        if log:
            self._last_ms = max(int(time.time() * 1000), self._last_ms + 1)
            fields = log_entry_fields(self.run, first, self.position - first + 1, "simulated", base, lines)
            pipeline.xadd(TICKS_LOG_KEY, fields, id=f"{self._last_ms}-{self.position}")
        for channel, text in publishes if publish else ():
            pipeline.publish(channel, text)
        pipeline.execute()

    def wait_for_taken(self, ahead: int, seconds: float = 60.0) -> None:
        """Until TickStockPL is at most `ahead` ticks behind; meanwhile the last status is said again, as the app does."""
        deadline, said = time.monotonic() + seconds, time.monotonic()
        while self.taken() < self.position - ahead:
            assert time.monotonic() < deadline, f"TickStockPL took {self.taken()} of {self.position} ticks"
            if time.monotonic() - said > 0.5:
                said = time.monotonic()
                self.repeat_status()
            time.sleep(0.005)

    def repeat_status(self) -> None:
        """Say the last status again."""
        self.send([self._last])

    def taken(self) -> int:
        """How far TickStockPL says it is in this run."""
        value = self._client.get(TICKS_TAKEN_KEY)
        place = json.loads(value) if value else {"run": "", "position": 0}
        return int(place["position"]) if place["run"] == self.run else 0

    def close(self) -> None:
        self._client.close()


def _as_dict(item: MarketTick) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}


def synthetic_day(
    seed: int, symbols: int, minutes: int, *, start: int = T0, per_minute: int = 5, late_share: float = 0.004
) -> list[Item]:
    """Seeded ticks in order of arrival (out of order within two seconds, a few late), with statuses among them."""
    chance = random.Random(seed)
    arrivals: list[tuple[float, MarketTick]] = []
    for number in range(symbols):
        cents = chance.randrange(2_000, 40_000)
        for minute in range(minutes):
            if chance.random() < 0.06:
                continue  # a quiet minute
            drift = chance.choice((-9, -3, 0, 3, 9))
            for _ in range(chance.randrange(1, 2 * per_minute)):
                cents = max(500, cents + drift + chance.randrange(-12, 13))
                at = start + minute * MINUTE_MS + chance.randrange(MINUTE_MS)
                delay = chance.randrange(70_000, 200_000) if chance.random() < late_share else chance.randrange(900)
                arrivals.append((at + delay, tick(f"S{number:02}", cents / 100, at, chance.randrange(100, 900))))
    arrivals.sort(key=lambda each: each[0])
    items: list[Item] = [Say(start)]
    watermark = start
    for number, (_, each) in enumerate(arrivals):
        items.append(each)
        passed = (each.timestamp - 1000) // MINUTE_MS > watermark // MINUTE_MS
        watermark = max(watermark, each.timestamp - 1000)
        if passed or number % 61 == 0:
            items.append(Say(watermark))
    items.append(Say(max(watermark, start + minutes * MINUTE_MS), status="ended"))
    return items


def in_batches(items: Sequence[Item], seed: int, largest: int = 200) -> list[Sequence[Item]]:
    """The same items cut at random."""
    chance, batches, at = random.Random(seed), [], 0
    while at < len(items):
        size = chance.randrange(1, largest)
        batches.append(items[at : at + size])
        at += size
    return batches


class TinyRest:
    """Massive's bars for symbols that a test gives it; nothing for all others."""

    def __init__(self) -> None:
        self.minutes: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.broken = 0  # so many answers that follow are none
        self.answers = threading.Event()  # cleared: requests wait
        self.answers.set()
        rest = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                rest.requests.append(self.path)
                rest.answers.wait(30)
                body = json.dumps(rest.answer(self.path)).encode()
                if rest.broken > 0:
                    rest.broken -= 1
                    body = b"<html>maintenance</html>"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass  # a client that was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def answer(self, path: str) -> dict[str, Any]:
        parts = path.partition("?")[0].split("/")
        if "aggs" not in parts or parts[7] != "minute":
            return {"status": "OK", "results": []}
        symbol, first, last = parts[4], int(parts[8]), int(parts[9])
        return {"status": "OK", "results": [bar for bar in self.minutes.get(symbol, []) if first <= bar["t"] <= last]}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
