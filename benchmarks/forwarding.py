"""What it costs the app to forward a tick: `python -m benchmarks.forwarding`.

It runs as the app runs: under eventlet, or with TICKSTOCK_ASYNC_MODE=threading under plain threads. Measured is the CPU time of
this whole process (`time.process_time`: every thread, user and system), with the log, in the same run as what it is compared
with: one `publish(json.dumps(...))` of redis-py per tick. Both go at full speed. Each frame leaves in a transaction of its own;
in the app frames that wait leave together, and cost less.
"""

from __future__ import annotations

import os

ASYNC_MODE = os.environ.get("TICKSTOCK_ASYNC_MODE", "eventlet")
if ASYNC_MODE == "eventlet":
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # upstream's farewell, which an operator can do nothing about
        import eventlet

    eventlet.monkey_patch(psycopg=False)

import json
import random
import secrets
import statistics
import time
from typing import Any

import redis

from benchmarks.redis_server import own_redis
from tickstock.contract import TICKS_CHANNEL, TICKS_LOG_KEY
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.tick_forwarder import RedisTickForwarder
from tickstock.settings import DEFAULT_SYMBOLS

ROUNDS = 7
FRAME_SIZES = (1, 10, 100, 1_000)
JUDGED_SIZE = 100
TICKS = {1: 1_000, 10: 10_000, 100: 50_000, 1_000: 100_000}  # per round and size
BASELINE_TICKS = 3_000
FRAMES_AHEAD = 8
PAUSE_SECONDS = 0.0005


def made_ticks(count: int) -> list[FeedTick]:
    """Ticks of the default symbols with ordinary prices and sizes."""
    chance = random.Random(7)
    prices = {symbol: chance.uniform(5, 600) for symbol in DEFAULT_SYMBOLS}
    ticks = []
    for number in range(count):
        symbol = chance.choice(DEFAULT_SYMBOLS)
        prices[symbol] *= 1 + chance.gauss(0, 0.0002)
        ticks.append(FeedTick(symbol, round(prices[symbol], 2), chance.randrange(1, 2_000), 1_728_300_000_000 + number, False))
    return ticks


class Forwarding:
    """Our forwarder with frames of one size, each of them a batch."""

    def __init__(self, url: str, frame_size: int, ticks: list[FeedTick]) -> None:
        self.position = 0
        self._frames = [ticks[first : first + frame_size] for first in range(0, len(ticks), frame_size)]
        self._forwarder = RedisTickForwarder(url, "simulated", batch_ticks=frame_size)
        self._forwarder.start()
        self._forwarder.begin(secrets.token_hex(6))
        if not self._forwarder.wait_until_settled(10) or self._forwarder.other_holder:
            raise SystemExit("the forwarder got no lease")

    def measure(self) -> float:
        """Forward all frames until Redis has acknowledged them; returns the CPU of one tick in microseconds."""
        forwarder, began, before = self._forwarder, time.process_time(), self.position
        most_waiting = FRAMES_AHEAD * len(self._frames[0])
        for frame in self._frames:
            forwarder.add(self.position + 1, frame)
            self.position += len(frame)
            time.sleep(0)  # the sender's turn
            while forwarder.waiting_ticks > most_waiting:
                time.sleep(PAUSE_SECONDS)
        while forwarder.waiting_ticks:
            time.sleep(PAUSE_SECONDS)
        return (time.process_time() - began) / (self.position - before) * 1e6

    def stop(self) -> None:
        """End the thread and give the lease back."""
        self._forwarder.stop()


def publish_one_by_one(client: redis.Redis, ticks: list[FeedTick]) -> float:
    """What forwarding was in the first version; returns the CPU of one tick in microseconds."""
    began = time.process_time()
    for tick in ticks:
        message = {
            "type": "market_tick", "symbol": tick.symbol, "price": tick.price, "volume": tick.volume,
            "timestamp": tick.timestamp, "source": "simulated",
        }  # fmt: skip
        client.publish(TICKS_CHANNEL, json.dumps(message))
    return (time.process_time() - began) / len(ticks) * 1e6


def check_delivery(client: redis.Redis, forwarded: int, published_before: int) -> None:
    """Every tick was published once and stands in the log once; a figure without that would mean nothing."""
    published = publishes_of(client) - published_before
    entries: Any = client.xrange(TICKS_LOG_KEY)
    logged = sum(int(fields[b"count"]) for _, fields in entries)
    if not published == logged == forwarded:
        raise SystemExit(f"forwarded {forwarded} ticks, but {published} were published and {logged} are in the log")


def publishes_of(client: redis.Redis) -> int:
    """How many PUBLISH commands the server has carried out."""
    facts: Any = client.info("commandstats")
    return int(facts.get("cmdstat_publish", {}).get("calls", 0))


def main() -> None:
    """Measure in alternating rounds and print the medians."""
    ticks = made_ticks(max(TICKS.values()))
    ours: dict[int, list[float]] = {size: [] for size in FRAME_SIZES}
    theirs: list[float] = []
    with own_redis() as url, redis.Redis.from_url(url) as client:
        publish_one_by_one(client, ticks[:500])  # warm
        published, forwarded = 500, 0
        for _ in range(ROUNDS):
            theirs.append(publish_one_by_one(client, ticks[:BASELINE_TICKS]))
            published += BASELINE_TICKS
            for size in FRAME_SIZES:
                forwarding = Forwarding(url, size, ticks[: TICKS[size]])
                ours[size].append(forwarding.measure())
                forwarding.stop()
                forwarded += forwarding.position
        check_delivery(client, forwarded, published)
    was = statistics.median(theirs)
    print(f"as the app runs: {ASYNC_MODE}")
    print(f"one publish(json.dumps(...)) per tick, redis-py {redis.__version__}: {was:.1f} us of CPU per tick")
    for size in FRAME_SIZES:
        cost = statistics.median(ours[size])
        print(f"frames of {size:>5,}: {cost:6.2f} us of CPU per tick, the log included; {was / cost:5.1f} times cheaper")
    cost = statistics.median(ours[JUDGED_SIZE])
    print(
        f"forwarding: {was / cost:.1f} times cheaper per tick ({cost:.1f} us, was {was:.1f} us); "
        f"1000 ticks/s cost {cost * 1000 / 1e6 * 100:.2f} % of a core"
    )


if __name__ == "__main__":
    main()
