"""What can go wrong: each fault begins, lasts a while, and ends."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.chaos.databases import Database
from tests.chaos.listeners import StalledBrowser
from tests.chaos.system import System
from tickstock import contract
from tickstock.market_hours import MINUTE_MS

CUTS_FEED, EMPTIES_REDIS, TAKES_DATABASE = "cuts the feed", "empties Redis", "takes the database"


@dataclass(frozen=True)
class Fault:
    """A kind of fault: how it is begun and, on leaving the context, ended; the context gives a note for the report."""

    name: str
    happen: Callable[[System, Database, random.Random], AbstractContextManager[str]]
    longest: float = 0.0  # seconds that it may last; 0: it is over at once
    effects: tuple[str, ...] = ()
    weight: int = 2
    known_after: float = 0.0  # seconds after which /health must say so; 0: it need not


FAULTS: dict[str, Fault] = {}


def fault(name: str, *effects: str, longest: float = 0.0, weight: int = 2, known_after: float = 0.0) -> Callable[[Any], Any]:
    """Enter a generator function into the list of faults."""

    def enter(happen: Callable[[System, Database, random.Random], Iterator[str]]) -> Any:
        FAULTS[name] = Fault(name, contextmanager(happen), longest, effects, weight, known_after)
        return happen

    return enter


# --- processes -----------------------------------------------------------------------------------------------------------


@fault("TickStockPL killed", weight=4)
def _kill_streaming(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.kill("streaming")
    yield ""


@fault("app killed", CUTS_FEED, weight=4)
def _kill_app(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.kill("app")
    yield ""


@fault("app and TickStockPL killed", CUTS_FEED)
def _kill_both(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.kill("app", "streaming")
    yield ""


@fault("Redis killed, back with its data", weight=3)
def _kill_redis(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.kill("redis")
    yield ""


@fault("Redis killed, back empty", EMPTIES_REDIS, weight=3)
def _kill_redis_and_data(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.kill_redis_and_its_data()
    yield ""


@fault("Redis emptied", EMPTIES_REDIS)
def _flush_redis(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with contextlib.suppress(Exception):
        system.redis.flushall()
    yield ""


@fault("Redis killed with its data, and the app", EMPTIES_REDIS, CUTS_FEED)
def _kill_redis_and_app(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.kill("app")
    system.kill_redis_and_its_data()
    yield ""


@contextmanager
def _paused(system: System, name: str) -> Iterator[str]:
    system.signal(name, signal.SIGSTOP)
    try:
        yield ""
    finally:
        system.signal(name, signal.SIGCONT)


@fault("app paused", longest=7)
def _pause_app(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with _paused(system, "app"):
        yield ""


@fault("TickStockPL paused", longest=7)
def _pause_streaming(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with _paused(system, "streaming"):
        yield ""


@fault("Redis paused", longest=7, weight=3, known_after=4.5)
def _pause_redis(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with _paused(system, "redis"):
        yield ""


@fault("TickStockPL stopped in order")
def _stop_streaming(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.signal("streaming", signal.SIGTERM)
    yield ""


@fault("app stopped in order", CUTS_FEED)
def _stop_app(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.signal("app", signal.SIGTERM)
    yield ""


@contextmanager
def _second(system: System) -> Iterator[None]:
    second = system.start_second_app()
    try:
        yield
    finally:
        second.ask_to_stop()
        with contextlib.suppress(Exception):
            assert second.process is not None
            second.process.wait(10)
        second.kill()
        second.finish()


@fault("second app", longest=5)
def _second_app(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with _second(system):
        yield ""


@fault("app paused while a second one waits", weight=1)
def _second_app_takes_over(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    """The second one gets the lease, and the feed; the first one comes back, and again when the second one has gone."""
    with _second(system):
        time.sleep(4)
        with _paused(system, "app"):
            time.sleep(7)
        time.sleep(chosen.random() * 2)
        yield ""


@fault("stalled browser", longest=5, weight=1)
def _stalled_browser(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with contextlib.suppress(OSError):
        browser = StalledBrowser(system.port, system.day.symbols)
        try:
            yield ""
        finally:
            browser.close()
        return
    yield "nobody answered"


@fault("symbol joins", weight=6)
def _symbol_joins(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    """No fault in itself: somebody makes a watchlist, and must lose nothing by what fails meanwhile."""
    if not system.absent:
        yield "all are there"
        return
    symbol = chosen.choice(sorted(system.absent))
    yield symbol if system.join(symbol) else f"{symbol} could not"


@fault("symbol leaves", weight=2)
def _symbol_leaves(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    """One that joined; it may come back."""
    if not system.joined:
        yield "nobody joined yet"
        return
    symbol = chosen.choice(sorted(system.joined))
    yield symbol if system.leave(symbol) else f"{symbol} could not"


# --- the feed ------------------------------------------------------------------------------------------------------------


@fault("simulator killed", CUTS_FEED)
def _kill_simulator(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.kill("simulator")
    yield ""


@fault("feed cut", CUTS_FEED, weight=3)
def _cut_feed(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    yield f"{system.proxy.cut()} connections"


@fault("feed cut while REST fails", CUTS_FEED, longest=6, weight=3)
def _cut_feed_without_rest(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.rest.fail(random.Random(chosen.random()))
    try:
        yield f"{system.proxy.cut()} connections"
    finally:
        system.rest.recover()


@fault("feed frozen", longest=6)  # silence is measured on the wall clock, in its regular hours
def _freeze_feed(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.proxy.freeze()
    try:
        yield ""
    finally:
        system.proxy.thaw()


@fault("rubbish in the feed")
def _rubbish_frames(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    system.proxy.inject([rubbish(chosen) for _ in range(20)])
    yield ""


@fault("frames repeated")
def _repeat_frames(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    """Within the minute in which a repeat is known by its number."""
    yield f"{system.proxy.repeat(chosen, 4)} frames"


@fault("impossible ticks in the feed")
def _impossible_ticks(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    """Times of other centuries or in other units, prices and sizes that nothing has."""
    good: dict[str, Any] = {"ev": "T", "sym": "TSLA", "x": 4, "i": "x", "z": 3, "p": 10.0, "s": 100, "c": [], "q": 1}
    wrong = [
        {**good, "t": 0}, {**good, "t": 1}, {**good, "t": 1_700_000_000}, {**good, "t": -5}, {**good, "t": 9_999_999_999_999_999},
        {**good, "t": 253_402_300_799_000}, {**good, "t": None}, {**good, "p": -1.0, "t": system.virtual_now()},
        {**good, "p": 0, "t": system.virtual_now()}, {**good, "p": 1e300, "t": system.virtual_now()},
        {**good, "s": -7, "t": system.virtual_now()}, {**good, "sym": "", "t": system.virtual_now()},
        {**good, "sym": "A\tB", "t": system.virtual_now()}, {**good, "sym": None, "t": system.virtual_now()},
    ]  # fmt: skip
    chosen.shuffle(wrong)
    system.proxy.inject([msgspec.json.encode([each]) for each in wrong])
    yield ""


def rubbish(chosen: random.Random) -> bytes:
    """Something that is no message."""
    words = [
        b"", b"[", b"[]", b"{}", b"null", b"[null]", b"[1,2,3]", b'"text"', b'[{"ev":"T"}]', b'[{"ev":"T","sym":5}]', b"[[[[[[",
        b'{"type":"market_tick"}', b'{"type":"feed_status","run":1}', b'{"type":"market_tick","symbol":"AAPL","price":"x"}',
        b'[{"ev":"status"}]', b'[{"ev":7}]', b'{"type":"streaming_pattern","id":""}', b"9" * 4000,
        b'{"type":"market_tick","symbol":"AAPL","price":NaN,"volume":1,"timestamp":1,"source":"massive"}',
    ]  # fmt: skip
    if chosen.random() < 0.3:
        return bytes(chosen.randrange(32, 127) for _ in range(chosen.randrange(1, 200)))
    return chosen.choice(words)


# --- the bus -------------------------------------------------------------------------------------------------------------


@fault("rubbish on the ticks channel", weight=3)
def _rubbish_ticks(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    _publish(system, contract.TICKS_CHANNEL, [rubbish(chosen) for _ in range(chosen.randrange(1, 30))])
    yield ""


@fault("foreign ticks on the ticks channel", weight=3)
def _foreign_ticks(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    """Well-formed, and of nobody's log: they must shift the count and leave no trace."""
    now = system.virtual_now()
    ticks = [
        contract.MarketTick(
            chosen.choice(system.day.symbols), 1.0 + chosen.random(), 10_000, now - chosen.randrange(90_000), "simulated"
        )
        for _ in range(chosen.randrange(1, 40))
    ]
    _publish(system, contract.TICKS_CHANNEL, [contract.encode(each) for each in ticks])
    yield ""


@fault("rubbish on the status channel")
def _rubbish_status(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    now = system.virtual_now()
    foreign = contract.FeedStatus(
        "live", "simulated", now, now, now + 5 * MINUTE_MS, "somebody-else", chosen.randrange(10**6), ""
    )
    _publish(system, contract.STATUS_CHANNEL, [*(rubbish(chosen) for _ in range(5)), contract.encode(foreign)])
    yield ""


@fault("rubbish on the results channels")
def _rubbish_results(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    for channel in (contract.PATTERNS_CHANNEL, contract.ALERTS_CHANNEL, contract.INDICATORS_CHANNEL, contract.HEALTH_CHANNEL):
        _publish(system, channel, [rubbish(chosen) for _ in range(8)])
    yield ""


@fault("results published twice")
def _duplicate_results(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with contextlib.suppress(Exception):
        entries: Any = system.redis.xrevrange(contract.RESULTS_LOG_KEY, count=5)
        for _, fields in entries:
            entry = contract.decode(fields[contract.RESULTS_LOG_FIELD.encode()], contract.ResultsEntry)
            for channel, results in ((contract.PATTERNS_CHANNEL, entry.patterns), (contract.ALERTS_CHANNEL, entry.alerts),
                                     (contract.INDICATORS_CHANNEL, entry.indicators)):  # fmt: skip
                _publish(system, channel, [contract.encode(each) for each in results])
    yield ""


def _publish(system: System, channel: str, payloads: list[bytes]) -> None:
    with contextlib.suppress(Exception):  # Redis may be away just now: then nobody hears it
        pipeline = system.redis.pipeline(transaction=False)
        for payload in payloads:
            pipeline.publish(channel, payload)
        pipeline.execute()


# --- the database ----------------------------------------------------------------------------------------------------------


@fault("database away", TAKES_DATABASE, longest=7, weight=4, known_after=5.0)
def _database_away(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with database.away(chosen) as how:
        yield how


@fault("database slow", TAKES_DATABASE, longest=6)
def _database_slow(system: System, database: Database, chosen: random.Random) -> Iterator[str]:
    with database.slow() as how:
        yield how
