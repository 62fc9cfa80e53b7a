"""RedisTickForwarder with a real Redis, which is killed, paused, filled and taken away."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from launcher.ports import unused_port
from tests.market_data.stand_ins import (
    T0,
    Observer,
    eventually,
    log_entries,
    logged_numbers,
    observing,
    status,
    tick,
    ticks,
)
from tests.market_data.wires import CutThroat
from tests.servers import RedisServer
from tickstock.contract import (
    PUBLISHER_LEASE_KEY,
    STATUS_LATEST_KEY,
    TICKS_CHANNEL,
    TICKS_LOG_KEY,
    TICKS_TAKEN_KEY,
    FeedStatus,
    TakenPosition,
    encode,
)
from tickstock.market_data.tick_forwarder import RedisTickForwarder

RUN = "0123456789ab"
Make = Callable[..., RedisTickForwarder]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes forwarders that are started, have begun a run, and are stopped after the test."""
    made: list[RedisTickForwarder] = []

    def build(url: str, run: str = RUN, source: str = "massive", **options: object) -> RedisTickForwarder:
        forwarder = RedisTickForwarder(url, source, **options)  # type: ignore[arg-type]
        made.append(forwarder)
        forwarder.start()
        forwarder.begin(run)
        return forwarder

    yield build
    for forwarder in made:
        forwarder.stop(0.5)


def acknowledged(forwarder: RedisTickForwarder, position: int) -> bool:
    return bool(forwarder.state()["acknowledged_position"] >= position)


def test_a_tick_arrives_byte_for_byte_as_in_the_contract(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    with observing(redis_server) as observer:
        forwarder.add(1, [tick(0)])
        eventually(lambda: observer.messages)
    assert observer.messages == [
        (
            TICKS_CHANNEL,
            b'{"type":"market_tick","symbol":"AAPL","price":257.01,"volume":150,"timestamp":1728300000000,"source":"massive"}',
        )
    ]


def test_the_log_holds_what_was_published_in_the_same_order(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    with observing(redis_server) as observer:
        forwarder.add(1, [], status(0, kind="connecting"))
        for first in range(1, 501, 5):
            forwarder.add(first, ticks(first, first + 4), status(first + 4) if first % 50 == 1 else None)
        eventually(lambda: observer.tick_numbers[-1:] == [500])
    assert observer.tick_numbers == list(range(1, 501)) == logged_numbers(redis_server)
    logged = [message for entry in log_entries(redis_server) for message in entry.messages]
    kinds = [(type(message) is FeedStatus) for message in logged]
    assert kinds == ["status" in channel for channel, _ in observer.messages]
    with redis_server.client() as client:
        latest = json.loads(client.get(STATUS_LATEST_KEY))  # type: ignore[arg-type]
    assert latest["forwarded"] == 455
    assert "gap" not in latest


def test_an_id_is_the_time_and_the_position_of_the_last_tick(redis_server: RedisServer, make: Make) -> None:
    began = int(time.time() * 1000)
    forwarder = make(redis_server.url)
    forwarder.add(1, ticks(1, 3))
    eventually(lambda: acknowledged(forwarder, 3))
    forwarder.add(4, ticks(4, 4))
    eventually(lambda: acknowledged(forwarder, 4))
    with redis_server.client() as client:
        first, second = (entry.decode().split("-") for entry, _ in client.xrange(TICKS_LOG_KEY))
    assert (first[1], second[1]) == ("3", "4")
    assert began - 5 <= int(first[0]) < int(second[0]) <= int(time.time() * 1000) + 5


@pytest.mark.parametrize("jump", [-3600, -40, 40, 3600, 86_400])
def test_a_wall_clock_that_is_set_neither_holds_up_the_ids_nor_empties_the_log(
    redis_server: RedisServer, make: Make, jump: int
) -> None:
    set_by = 0

    def clock() -> float:
        return time.time() + set_by

    forwarder = make(redis_server.url, clock=clock)
    for first in range(1, 2001, 20):
        if first == 1001:
            set_by = jump
        forwarder.add(first, ticks(first, first + 19), status(first + 19))
        eventually(lambda position=first + 19: acknowledged(forwarder, position))
    with redis_server.client() as client:
        ids = [int(entry.split(b"-")[0]) for entry, _ in client.xrange(TICKS_LOG_KEY)]
    assert ids == sorted(set(ids))
    assert ids[-1] - ids[0] < 60_000
    assert logged_numbers(redis_server) == list(range(1, 2001))


def test_ticks_of_an_outage_arrive_afterwards_in_order_and_none_twice(
    mortal_redis: RedisServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    forwarder = make(mortal_redis.url)
    forwarder.add(1, ticks(1, 100), status(100))
    eventually(lambda: acknowledged(forwarder, 100))
    mortal_redis.kill()
    eventually(lambda: forwarder.state()["connected"] is False)
    for first in range(101, 3101, 100):
        started = time.monotonic()
        forwarder.add(first, ticks(first, first + 99), status(first + 99))
        assert time.monotonic() - started < 1.0
    mortal_redis.start()
    eventually(lambda: acknowledged(forwarder, 3100))
    # the restarted server was empty: what had been acknowledged in the last minute is back as well
    assert logged_numbers(mortal_redis) == list(range(1, 3101))
    outages = [record.message for record in caplog.records if "Redis is" in record.message]
    assert ["away" in outages[0], "back" in outages[1]] == [True, True]
    assert len(outages) == 2


def test_a_refilled_log_is_not_published_again(mortal_redis: RedisServer, make: Make) -> None:
    forwarder = make(mortal_redis.url)
    forwarder.add(1, ticks(1, 100))
    eventually(lambda: acknowledged(forwarder, 100))
    with observing(mortal_redis) as observer:
        port_holder = _hold_port_after_kill(mortal_redis)
        observer.subscribed.clear()
        port_holder.close()
        mortal_redis.start()
        eventually(lambda: len(logged_numbers(mortal_redis)) == 100)
        eventually(observer.subscribed.is_set)
        forwarder.add(101, ticks(101, 110))
        eventually(lambda: observer.tick_numbers[-1:] == [110])
        assert observer.tick_numbers == list(range(101, 111))


def _hold_port_after_kill(server: RedisServer) -> socket.socket:
    """Nobody can reach the port until this is closed."""
    server.kill()
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", server.port))
    return holder


def test_a_paused_redis_gets_everything_once_when_it_goes_on(mortal_redis: RedisServer, make: Make) -> None:
    forwarder = make(mortal_redis.url)
    with observing(mortal_redis) as observer:
        forwarder.add(1, ticks(1, 100))
        eventually(lambda: acknowledged(forwarder, 100))
        mortal_redis.pause()
        try:
            # the first batch lies in the paused server's socket when we give that connection up
            forwarder.add(101, ticks(101, 200), status(200))
            eventually(lambda: forwarder.state()["connected"] is False)
            for first in range(201, 1201, 100):
                forwarder.add(first, ticks(first, first + 99), status(first + 99))
        finally:
            mortal_redis.resume()
        eventually(lambda: observer.tick_numbers[-1:] == [1200])
    assert observer.tick_numbers == list(range(1, 1201)) == logged_numbers(mortal_redis)
    eventually(lambda: forwarder.waiting_ticks == 0)  # the observer may have the last one before its acknowledgement comes


@pytest.mark.parametrize("towards_server", [7_000, 23_001])
@pytest.mark.parametrize("towards_client", [2_000, 7_001])
def test_cut_connections_double_and_lose_nothing(
    redis_server: RedisServer, make: Make, towards_server: int, towards_client: int
) -> None:
    proxy = CutThroat(redis_server.port, towards_server, towards_client)
    forwarder = make(proxy.url)
    try:
        with observing(redis_server) as observer:
            for first in range(1, 2001, 20):
                forwarder.add(first, ticks(first, first + 19))
                if first % 200 == 1:
                    time.sleep(0.01)  # so that it leaves in several batches
            eventually(lambda: proxy.cuts >= 5)
            proxy.limits = {"server": None, "client": None}
            eventually(lambda: observer.tick_numbers[-1:] == [2000], 30)
        assert observer.tick_numbers == list(range(1, 2001)) == logged_numbers(redis_server)
    finally:
        forwarder.stop(0.5)
        proxy.close()


def test_a_start_without_redis_waits_and_then_delivers_the_first_status_first(make: Make) -> None:
    server = RedisServer()
    server.kill()
    forwarder = make(server.url)
    assert not forwarder.wait_until_settled(0.3)
    forwarder.add(1, [], status(0, kind="connecting"))
    forwarder.add(1, ticks(1, 10))
    server.start()
    try:
        eventually(lambda: acknowledged(forwarder, 10))
        first = log_entries(server)[0].messages[0]
        assert isinstance(first, FeedStatus)
        assert first.forwarded == 0
    finally:
        forwarder.stop(0.5)
        server.kill()


def test_a_full_buffer_leaves_a_hole_that_can_be_seen(mortal_redis: RedisServer, make: Make) -> None:
    forwarder = make(mortal_redis.url, buffer_bytes=100_000)
    forwarder.add(1, ticks(1, 10))
    eventually(lambda: acknowledged(forwarder, 10))
    mortal_redis.kill()
    eventually(lambda: forwarder.state()["connected"] is False)
    for first in range(11, 5011, 100):
        forwarder.add(first, ticks(first, first + 99))
    dropped = forwarder.state()["dropped_ticks"]
    assert dropped > 0
    mortal_redis.start()
    eventually(lambda: forwarder.waiting_ticks == 0)
    forwarder.add(5011, ticks(5011, 5020), status(5020))
    eventually(lambda: acknowledged(forwarder, 5020))
    numbers = logged_numbers(mortal_redis)
    assert len(numbers) == 5020 - dropped
    assert numbers == sorted(set(numbers))
    for entry in log_entries(mortal_redis):  # the positions of an entry are those of its ticks, around the hole
        stamps = [message.timestamp - T0 for message in entry.messages if not isinstance(message, FeedStatus)]
        assert stamps == list(range(entry.first, entry.first + entry.count))


def test_a_second_app_does_not_get_the_lease_until_the_first_has_stopped(redis_server: RedisServer, make: Make) -> None:
    first = make(redis_server.url, "aaaaaaaaaaaa")
    assert first.wait_until_settled(10)
    assert first.other_holder is None
    first.add(1, ticks(1, 5), status(5, "aaaaaaaaaaaa", watermark=T0 + 77))
    second = make(redis_server.url, "bbbbbbbbbbbb")
    assert second.wait_until_settled(10)
    assert second.other_holder == "aaaaaaaaaaaa"
    assert second.state()["lease"] == "other"
    first.stop()
    eventually(lambda: second.other_holder is None)
    last = second.last_logged_status()
    assert last is not None
    assert (last.run, last.watermark) == ("aaaaaaaaaaaa", T0 + 77)
    second.add(1, ticks(1, 2))
    eventually(lambda: acknowledged(second, 2))
    assert [(entry.run, entry.count) for entry in log_entries(redis_server)] == [("aaaaaaaaaaaa", 5), ("bbbbbbbbbbbb", 2)]


def test_an_app_that_loses_the_lease_stops_forwarding_and_says_who_has_it(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    forwarder.add(1, ticks(1, 5))
    eventually(lambda: acknowledged(forwarder, 5))
    with redis_server.client() as client:
        client.set(PUBLISHER_LEASE_KEY, "cccccccccccc")
        assert eventually(lambda: forwarder.other_holder) == "cccccccccccc"
        forwarder.add(6, ticks(6, 9))
        client.delete(PUBLISHER_LEASE_KEY)
    forwarder.begin("dddddddddddd")
    forwarder.add(1, ticks(1, 1))
    eventually(lambda: acknowledged(forwarder, 1))
    assert [(entry.run, entry.count) for entry in log_entries(redis_server)] == [(RUN, 5), ("dddddddddddd", 1)]


def test_a_new_run_of_the_same_app_need_not_wait_for_its_own_lease(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    forwarder.add(1, ticks(1, 5))
    eventually(lambda: acknowledged(forwarder, 5))
    forwarder.begin("eeeeeeeeeeee")
    assert forwarder.wait_until_settled(10)
    assert forwarder.other_holder is None


def test_the_lease_is_renewed_while_nothing_is_forwarded(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    assert forwarder.wait_until_settled(10)
    with redis_server.client() as client:
        client.pexpire(PUBLISHER_LEASE_KEY, 1900)
        eventually(lambda: client.pttl(PUBLISHER_LEASE_KEY) > 2000, 5)  # type: ignore[operator]
        assert client.get(PUBLISHER_LEASE_KEY) == RUN.encode()


def test_a_replay_runs_at_most_so_far_ahead_of_what_was_taken(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url, source="replay", follow_taken=True, ahead_ticks=2_000)
    forwarder.add(1, [], status(0, source="replay"))
    for first in range(1, 6001, 100):
        forwarder.add(first, ticks(first, first + 99))
    eventually(lambda: acknowledged(forwarder, 1_000))
    with redis_server.client() as client, observing(redis_server) as observer:
        # a TickStockPL that starts now learns where the log stands, although everything else waits for it
        standing = eventually(lambda: observer.statuses)[0]
        assert standing["detail"] == "waiting for TickStockPL"
        assert standing["forwarded"] == forwarder.state()["acknowledged_position"] <= 2_000
        client.set(TICKS_TAKEN_KEY, encode(TakenPosition("ffffffffffff", 9_000)))  # another run's says nothing
        taken = 0
        while taken < 6000:
            taken = forwarder.state()["acknowledged_position"]
            assert taken <= 6000
            client.set(TICKS_TAKEN_KEY, encode(TakenPosition(RUN, taken)))
            eventually(lambda limit=taken: acknowledged(forwarder, min(6000, limit + 1_000)))
            assert forwarder.state()["acknowledged_position"] <= taken + 2_000
    assert logged_numbers(redis_server) == list(range(1, 6001))


def test_the_flush_after_an_outage_is_paced_by_what_was_taken(mortal_redis: RedisServer, make: Make) -> None:
    forwarder = make(mortal_redis.url, ahead_ticks=2_000)
    forwarder.add(1, ticks(1, 100), status(100))
    eventually(lambda: acknowledged(forwarder, 100))
    mortal_redis.kill()
    eventually(lambda: forwarder.state()["connected"] is False)
    for first in range(101, 6101, 100):
        forwarder.add(first, ticks(first, first + 99))
    mortal_redis.start()
    eventually(lambda: acknowledged(forwarder, 1_000))
    with mortal_redis.client() as client:
        taken = 0
        while (sent := forwarder.state()["acknowledged_position"]) < 6100:
            assert sent <= taken + 2_000
            client.set(TICKS_TAKEN_KEY, encode(TakenPosition(RUN, taken := sent)))
            eventually(lambda sent=sent: acknowledged(forwarder, min(6100, sent + 900)))
        # nothing waits any more: a live feed is not held back again
        for first in range(6101, 12_101, 100):
            forwarder.add(first, ticks(first, first + 99))
        eventually(lambda: acknowledged(forwarder, 12_100))
    assert logged_numbers(mortal_redis) == list(range(1, 12_101))


def test_old_entries_are_trimmed(redis_server: RedisServer, make: Make) -> None:
    later = 0.0
    forwarder = make(redis_server.url, monotonic=lambda: time.monotonic() + later)
    for first in range(1, 4001, 100):
        forwarder.add(first, ticks(first, first + 99))
        eventually(lambda position=first + 99: acknowledged(forwarder, position))
        later += 60
    with redis_server.client() as client:
        oldest, newest = (int(found[0][0].split(b"-")[0]) for found in (
            client.xrange(TICKS_LOG_KEY, count=1), client.xrevrange(TICKS_LOG_KEY, count=1)
        ))  # fmt: skip
    age = newest - oldest
    assert 15 * 60_000 <= age <= 25 * 60_000  # Redis drops whole nodes of some entries


def test_a_log_that_outgrows_its_size_is_trimmed(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url, log_bytes=300_000)
    for first in range(1, 60_001, 1000):
        forwarder.add(first, ticks(first, first + 999))
        eventually(lambda position=first + 999: acknowledged(forwarder, position))
    with redis_server.client() as client:
        eventually(lambda: client.memory_usage(TICKS_LOG_KEY, 0) < 400_000)  # type: ignore[operator]
    assert logged_numbers(redis_server)[-1] == 60_000


def test_a_batch_that_redis_refuses_waits_and_is_not_lost(mortal_redis: RedisServer, make: Make) -> None:
    forwarder = make(mortal_redis.url)
    with mortal_redis.client() as client, observing(mortal_redis) as observer:
        forwarder.add(1, ticks(1, 5))
        eventually(lambda: acknowledged(forwarder, 5))
        client.config_set("maxmemory", "1mb")
        forwarder.add(6, ticks(6, 10))
        eventually(lambda: "OOM" in forwarder.state()["problem"] or "maxmemory" in forwarder.state()["problem"])
        client.config_set("maxmemory", "0")
        eventually(lambda: observer.tick_numbers[-1:] == [10])
        assert observer.tick_numbers == list(range(1, 11)) == logged_numbers(mortal_redis)


def test_an_entry_that_redis_refuses_is_added_later_without_publishing_twice(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    assert forwarder.wait_until_settled(10)
    with redis_server.client() as client, observing(redis_server) as observer:
        client.xadd(TICKS_LOG_KEY, {"not": "ours"}, id="99999999999999-1")  # from the future: ours is refused once
        forwarder.add(1, ticks(1, 5))
        eventually(lambda: acknowledged(forwarder, 5))
        assert client.xlen(TICKS_LOG_KEY) == 2
        eventually(lambda: observer.tick_numbers[-1:] == [5])
        assert observer.tick_numbers == [1, 2, 3, 4, 5]


def test_stopping_sends_what_waits_and_gives_the_lease_back(redis_server: RedisServer, make: Make) -> None:
    forwarder = make(redis_server.url)
    for first in range(1, 5001, 100):
        forwarder.add(first, ticks(first, first + 99))
    forwarder.stop()
    assert logged_numbers(redis_server) == list(range(1, 5001))
    with redis_server.client() as client:
        assert client.get(PUBLISHER_LEASE_KEY) is None


def test_stopping_without_redis_does_not_hang(make: Make) -> None:
    forwarder = make(f"redis://127.0.0.1:{unused_port()}/0")
    forwarder.add(1, ticks(1, 5))
    started = time.monotonic()
    forwarder.stop(1.0)
    assert time.monotonic() - started < 5.0


def test_a_password_in_the_url_never_reaches_the_log(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    forwarder = make(f"redis://user:geheim@127.0.0.1:{unused_port()}/0")
    eventually(lambda: forwarder.state()["problem"])
    assert "geheim" not in caplog.text + str(forwarder.state())


def test_an_observer_sees_nothing_of_a_passive_app(redis_server: RedisServer, make: Make) -> None:
    with redis_server.client() as client:
        client.set(PUBLISHER_LEASE_KEY, "cccccccccccc")
    forwarder = make(redis_server.url)
    assert forwarder.wait_until_settled(10)
    observer = Observer(redis_server)
    forwarder.stop(0.5)
    observer.stop()
    assert observer.messages == []
