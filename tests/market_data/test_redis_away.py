"""Redis emptied, restarted with old data, silent, taken over by another app: what must hold of the forwarder and its log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import redis

from benchmarks.redis_server import redis_program, wait_until_ready
from tests.market_data.stand_ins import T0, eventually, log_entries, logged_numbers, observing, status, ticks
from tests.market_data.wires import Silence
from tests.servers import RedisServer
from tickstock.contract import PUBLISHER_LEASE_KEY, STATUS_LATEST_KEY, TICKS_LOG_KEY
from tickstock.market_data.redis_link import RedisLink
from tickstock.market_data.redis_log import LeaseLapsed, RedisLog
from tickstock.market_data.tick_batch import Batch, BatchBuilder, LogId
from tickstock.market_data.tick_forwarder import RedisTickForwarder
from tickstock.market_data.tick_log import TickLog

RUN, OTHER = "0123456789ab", "cccccccccccc"
REPOSITORY = Path(__file__).resolve().parents[2]
Make = Callable[..., RedisTickForwarder]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes forwarders that are started, have begun a run, and are stopped after the test."""
    made: list[RedisTickForwarder] = []

    def build(url: str, run: str = RUN, **options: object) -> RedisTickForwarder:
        forwarder = RedisTickForwarder(url, "massive", **options)  # type: ignore[arg-type]
        made.append(forwarder)
        forwarder.start()
        forwarder.begin(run)
        return forwarder

    yield build
    for forwarder in made:
        forwarder.stop(0.5)


def send(forwarder: RedisTickForwarder, first: int, last: int, each: int = 10) -> None:
    """Ticks and statuses in many batches, all acknowledged."""
    for begin in range(first, last + 1, each):
        end = min(begin + each - 1, last)
        forwarder.add(begin, ticks(begin, end), status(end))
        eventually(lambda position=end: forwarder.state()["acknowledged_position"] >= position)


def lose(client: redis.Redis, how: str) -> None:
    if how == "emptied":
        client.flushall()
    elif how == "deleted":
        client.delete(TICKS_LOG_KEY)
    elif how == "trimmed to nothing":
        client.xtrim(TICKS_LOG_KEY, maxlen=0, approximate=False)
    else:
        client.set(TICKS_LOG_KEY, "no stream")


@pytest.mark.parametrize(
    ("how", "traffic"),
    [("emptied", True), ("emptied", False), ("deleted", True), ("trimmed to nothing", False), ("overwritten", True)],
)
def test_a_connected_redis_that_loses_the_log_gets_it_back_within_seconds(
    redis_server: RedisServer, make: Make, how: str, traffic: bool
) -> None:
    forwarder = make(redis_server.url)
    with observing(redis_server) as observer, redis_server.client() as client:
        send(forwarder, 1, 200)
        lose(client, how)
        lost_at = time.monotonic()
        last = 200
        if traffic:
            for first in range(201, 301, 10):
                forwarder.add(first, ticks(first, first + 9), status(first + 9))
                time.sleep(0.01)
            last = 300
        eventually(lambda: client.type(TICKS_LOG_KEY) == b"stream" and logged_numbers(redis_server) == list(range(1, last + 1)))
        assert time.monotonic() - lost_at < 5
        assert client.get(PUBLISHER_LEASE_KEY) == RUN.encode()
        send(forwarder, last + 1, last + 10)
        assert client.exists(STATUS_LATEST_KEY)
        assert client.ttl(TICKS_LOG_KEY) == -1
        eventually(lambda: observer.tick_numbers[-1:] == [last + 10])
        assert observer.tick_numbers == list(range(1, last + 11))  # nothing was published again
    assert forwarder.state()["outages"] == (1 if how == "overwritten" else 0)  # it was refused before it was seen
    assert logged_numbers(redis_server) == list(range(1, last + 11))


def test_statuses_come_back_at_their_places(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    send(forwarder, 1, 100)
    before = log_entries(redis_server)
    with redis_server.client() as client:
        client.flushall()
        eventually(lambda: client.exists(TICKS_LOG_KEY))
    assert log_entries(redis_server) == before


class KeepingRedis(RedisServer):
    """A Redis that begins with what it saved last."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="tickstock-redis-")
        super().__init__()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [redis_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until_ready(self.url)


def test_a_redis_that_comes_back_with_older_data_gets_what_it_lacks(make: Make) -> None:
    server = KeepingRedis()
    try:
        forwarder = make(server.url)
        with server.client() as client:
            client.xadd(TICKS_LOG_KEY, {"older": "than all of ours"}, id="5-1")
            send(forwarder, 1, 100)
            client.save()
        send(forwarder, 101, 200)
        server.kill()
        eventually(lambda: forwarder.state()["connected"] is False)
        for first in range(201, 401, 10):
            forwarder.add(first, ticks(first, first + 9), status(first + 9))
        server.start()
        eventually(lambda: forwarder.state()["acknowledged_position"] == 400)
        with server.client() as client:
            found = client.xrange(TICKS_LOG_KEY, count=1)
            assert found[0][0] == b"5-1"
            client.xdel(TICKS_LOG_KEY, "5-1")
        assert logged_numbers(server) == list(range(1, 401))
    finally:
        server.kill()


def test_a_way_to_redis_that_swallows_everything_is_noticed_within_the_stated_time(redis_server: RedisServer, make: Make) -> None:
    wire = Silence(redis_server.port)
    forwarder = make(wire.url)
    with observing(redis_server) as observer:
        send(forwarder, 1, 100)
        wire.fall_silent()
        began = time.monotonic()
        longest = 0.0
        for first in range(101, 1101, 10):
            before = time.monotonic()
            forwarder.add(first, ticks(first, first + 9), status(first + 9))
            longest = max(longest, time.monotonic() - before)
        eventually(lambda: forwarder.state()["connected"] is False)
        assert time.monotonic() - began < 5
        assert longest < 1  # nobody who hands over a tick waits for Redis
        assert "imed out" in forwarder.state()["problem"]
        wire.speak()
        eventually(lambda: observer.tick_numbers[-1:] == [1100])
    assert observer.tick_numbers == list(range(1, 1101)) == logged_numbers(redis_server)
    forwarder.stop(0.5)
    wire.close()


class CutSocket:
    """The socket of a link that breaks after so many bytes, sent or received."""

    def __init__(self, real: Any, to_send: int, to_receive: int) -> None:
        self._real, self._to_send, self._to_receive = real, to_send, to_receive

    def sendall(self, data: bytes) -> None:
        self._real.sendall(data[: self._to_send])
        if len(data) > self._to_send:
            self._break()
        self._to_send -= len(data)

    def recv(self, size: int) -> bytes:
        if self._to_receive <= 0:
            time.sleep(0.002)  # Redis has carried out what it got
            self._break()
        data: bytes = self._real.recv(min(size, self._to_receive))
        self._to_receive -= len(data)
        return data

    def _break(self) -> None:
        self._real.close()
        raise ConnectionResetError("cut by the test")


def test_a_connection_that_breaks_at_any_byte_of_a_transaction_doubles_and_loses_nothing(redis_server: RedisServer) -> None:
    log = TickLog(RUN, "massive", 10_000_000)
    position, before = 0, 0
    wire = len(_one_batch(1).commands(1)[0])
    cuts = [(at, 1 << 30) for at in range(0, wire + 150, 23)] + [(1 << 30, at) for at in range(0, 110, 5)]
    with observing(redis_server) as observer:
        for to_send, to_receive in cuts:
            with RedisLink(redis_server.url) as link:
                _, client = RedisLog(link).identify()
                redis_log = RedisLog(link)
                if before:
                    redis_log.end_connection(before)
                before = client
                assert redis_log.claim(RUN) == RUN
                uncertain = log.uncertain_id
                span = redis_log.span()
                log.resume(span.highest, uncertain is not None and redis_log.holds(uncertain), 0.0)
                assert not log.lost(redis_log.span()).batches
                position += 3
                log.add(position - 2, ticks(position - 2, position), status(position))
                with suppress(OSError, redis.RedisError):
                    link._socket = CutSocket(link._socket, to_send, to_receive)
                    while log.peek() is not None:
                        redis_log.send(log.take(T0 + position), False)
                        log.acknowledge(0.0)
        with RedisLink(redis_server.url) as link:
            redis_log = RedisLog(link)
            redis_log.end_connection(before)
            redis_log.claim(RUN)
            uncertain = log.uncertain_id
            log.resume(redis_log.span().highest, uncertain is not None and redis_log.holds(uncertain), 0.0)
            while log.peek() is not None:
                redis_log.send(log.take(T0 + position), False)
                log.acknowledge(0.0)
        eventually(lambda: observer.tick_numbers[-1:] == [position])
    assert observer.tick_numbers == list(range(1, position + 1)) == logged_numbers(redis_server)


def _one_batch(first: int) -> Batch:
    builder = BatchBuilder(RUN, "massive")
    builder.add_ticks(first, ticks(first, first + 2))
    builder.add_status(first + 2, status(first + 2))
    made = builder.seal()
    made.id = LogId(T0, first + 2)
    return made


# --- the lease -------------------------------------------------------------------------------------------------------


@contextmanager
def log_of(server: RedisServer) -> Iterator[RedisLog]:
    with RedisLink(server.url) as link:
        yield RedisLog(link)


def batch(position: int, run: str = RUN) -> object:
    builder = BatchBuilder(run, "massive")
    builder.add_ticks(position, ticks(position, position))
    made = builder.seal()
    made.id = LogId(T0 + position, position)
    return made


@pytest.mark.parametrize("happening", ["taken by another", "expired", "emptied"])
def test_nothing_is_written_or_published_once_the_lease_is_gone(redis_server: RedisServer, happening: str) -> None:
    with log_of(redis_server) as log, redis_server.client() as client, observing(redis_server) as observer:
        assert log.claim(RUN) == RUN
        log.send(batch(1), False)  # type: ignore[arg-type]
        if happening == "taken by another":
            client.set(PUBLISHER_LEASE_KEY, OTHER)
        elif happening == "expired":
            client.pexpire(PUBLISHER_LEASE_KEY, 1)
            time.sleep(0.05)
        else:
            client.flushall()
        writes = (
            lambda: log.send(batch(2), False),  # type: ignore[arg-type]
            lambda: log.append_again([batch(2)]),  # type: ignore[list-item]
            lambda: log.make_again([batch(2)]),  # type: ignore[list-item]
        )
        for write in writes:
            with pytest.raises(LeaseLapsed):
                write()
        assert client.xlen(TICKS_LOG_KEY) == (0 if happening == "emptied" else 1)
        if happening != "taken by another":
            assert log.claim(RUN) == RUN
            log.send(batch(3), False)  # type: ignore[arg-type]
            eventually(lambda: observer.tick_numbers == [1, 3])
        eventually(lambda: observer.tick_numbers[:1] == [1])
        assert 2 not in observer.tick_numbers


def test_a_lease_that_was_away_for_a_moment_costs_nothing(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    with observing(redis_server) as observer, redis_server.client() as client:
        for first in range(1, 1001, 20):
            if first % 200 == 1:
                client.delete(PUBLISHER_LEASE_KEY)
            forwarder.add(first, ticks(first, first + 19), status(first + 19))
            time.sleep(0.005)
        eventually(lambda: observer.tick_numbers[-1:] == [1000])
    assert observer.tick_numbers == list(range(1, 1001)) == logged_numbers(redis_server)
    assert forwarder.other_holder is None


def test_a_run_that_is_over_gives_the_lease_back_behind_its_last_word(redis_server: RedisServer, make: Make) -> None:
    first = make(redis_server.url)
    send(first, 1, 5)
    first.add(6, ticks(6, 6), status(6, kind="stopped"))
    first.leave()
    second = make(redis_server.url, OTHER)
    eventually(lambda: second.wait_until_settled(0.1) and second.other_holder is None, 5)
    last = second.last_logged_status()
    assert last is not None
    assert (last.run, last.status, last.forwarded) == (RUN, "stopped", 6)
    assert first.other_holder is None


class App:
    """A forwarder in a process of its own, which forwards a tick every few milliseconds for ever."""

    def __init__(self, url: str, run: str) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "tests.market_data.test_redis_away", url, run], cwd=REPOSITORY)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def forward_for_ever(url: str, run: str) -> None:
    forwarder = RedisTickForwarder(url, "massive")
    forwarder.start()
    forwarder.begin(run)
    position = 0
    while True:
        position += 1
        forwarder.add(position, ticks(position, position), status(position, run) if position % 5 == 0 else None)
        time.sleep(0.001)


def runs_in_turn(server: RedisServer) -> list[str]:
    runs = [entry.run for entry in log_entries(server)]
    return runs[:1] + [after for before, after in pairwise(runs) if before != after]


def test_an_app_that_was_paused_while_another_took_the_lease_publishes_nothing_more(
    redis_server: RedisServer, make: Make
) -> None:
    app = App(redis_server.url, RUN)
    try:
        with redis_server.client() as client, observing(redis_server) as observer:
            eventually(lambda: len(log_entries(redis_server)) > 20)
            app.signal(signal.SIGSTOP)
            client.delete(PUBLISHER_LEASE_KEY)  # as when it expires
            other = make(redis_server.url, OTHER)
            other.add(1, [], status(0, OTHER))
            eventually(lambda: other.state()["lease"] == "held" and OTHER in runs_in_turn(redis_server))
            app.signal(signal.SIGCONT)
            for position in range(1, 201):
                other.add(position, ticks(position, position), status(position, OTHER))
                time.sleep(0.005)
            eventually(lambda: other.state()["acknowledged_position"] == 200)
            eventually(lambda: observer.tick_numbers[-200:] == list(range(1, 201)))
            assert client.get(PUBLISHER_LEASE_KEY) == OTHER.encode()
        assert runs_in_turn(redis_server) == [RUN, OTHER]
        own = [each["run"] for each in observer.statuses]
        assert RUN not in own[own.index(OTHER) :]
    finally:
        app.end()


def test_when_the_app_that_ingests_dies_another_takes_over_within_the_stated_time(redis_server: RedisServer, make: Make) -> None:
    app = App(redis_server.url, RUN)
    try:
        eventually(lambda: len(log_entries(redis_server)) > 5)
        other = make(redis_server.url, OTHER)
        eventually(lambda: other.other_holder == RUN)
        app.end()
        died = time.monotonic()
        eventually(lambda: other.state()["lease"] == "held")
        assert time.monotonic() - died < 8
        last = other.last_logged_status()
        assert last is not None
        assert last.run == RUN
    finally:
        app.end()


# --- what waits ------------------------------------------------------------------------------------------------------

MEASURE = """
import random, psutil, gc
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.tick_log import TickLog
from tests.market_data.stand_ins import status
ticks, seconds = {ticks}, 300
chance = random.Random(3)
symbols = ["".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=chance.choice((2, 3, 4, 4, 5)))) for _ in range(8000)]
log = TickLog("0123456789ab", "massive", 256 * 1024 * 1024)
gc.collect()
before, position, at = psutil.Process().memory_info().rss, 0, 1_728_307_800_000
per_frame = 100
for frame in range(ticks // per_frame):
    begin = at + frame * 10
    made = [FeedTick(chance.choice(symbols), round(chance.uniform(5, 900), 2), chance.randrange(1, 5000), begin + n // 10, False)
            for n in range(per_frame)]
    log.add(position + 1, made, status(position + per_frame) if frame % 100 == 0 else None)
    position += per_frame
made = None
gc.collect()
grown = psutil.Process().memory_info().rss - before
print(log.dropped_ticks, log.waiting_bytes, grown)
"""


def test_five_minutes_of_ten_thousand_ticks_a_second_fit_into_the_buffer(thorough: bool) -> None:
    """Measured in a process of its own, by what the system gives it: the thorough run holds all three million."""
    count = 3_000_000 if thorough else 200_000
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(ticks=count)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    dropped, reckoned, grown = map(int, done.stdout.split())
    print(f"{count} ticks wait: {grown / count:.1f} bytes each in the process, {reckoned / count:.1f} reckoned")
    assert dropped == 0
    assert grown / count * 3_000_000 < 256 * 1024 * 1024
    assert grown < 1.25 * reckoned + 8_000_000  # what it reckons with is what it costs


if __name__ == "__main__":
    forward_for_ever(sys.argv[1], sys.argv[2])
