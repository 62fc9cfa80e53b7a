"""The live tap on a real Redis: everything in its order, and a break never goes unnoticed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.servers import RedisServer
from tests.streaming.market import T0, Item, Publisher, Say, eventually, tick
from tickstock.contract import TICKS_CHANNEL
from tickstock.streaming import tick_subscriber
from tickstock.streaming.tick_subscriber import Cut, RedisTickSubscriber


class Taker:
    """Takes what arrives, as numbers: a tick's price, a status's position negated, and "cut"."""

    def __init__(self, url: str) -> None:
        self.wake = threading.Event()
        self.subscriber = RedisTickSubscriber(url, self.wake)
        self.seen: list[object] = []

    def take(self) -> list[object]:
        while (arrival := self.subscriber.take()) is not None:
            if isinstance(arrival, list):
                self.seen += [json.loads(payload)["price"] for payload in arrival]
            elif isinstance(arrival, Cut):
                self.seen.append("cut")
            else:
                self.seen.append(-json.loads(arrival)["forwarded"])
        return self.seen


@pytest.fixture
def taker(mortal_redis: RedisServer) -> Iterator[Taker]:
    found = Taker(mortal_redis.url)
    found.subscriber.start()
    eventually(lambda: found.subscriber.connected)
    yield found
    found.subscriber.stop()


def test_ticks_and_statuses_keep_their_order(taker: Taker, mortal_redis: RedisServer) -> None:
    publisher = Publisher(mortal_redis)
    expected: list[object] = []
    for number in range(1, 3_001):
        items: list[Item] = [tick("A", float(number), T0)]
        expected.append(float(number))
        if number % 7 == 0:
            items.append(Say(T0))
            expected.append(-number)
        publisher.send(items, log=False)
    eventually(lambda: len(taker.take()) >= len(expected))
    assert taker.seen == expected
    assert taker.subscriber.backlog == 0
    assert taker.wake.is_set()
    publisher.close()


def test_a_killed_redis_is_a_cut_and_the_subscription_comes_back(taker: Taker, mortal_redis: RedisServer) -> None:
    mortal_redis.kill()
    eventually(lambda: "cut" in taker.take())
    assert not taker.subscriber.connected
    mortal_redis.start()
    eventually(lambda: taker.subscriber.connected)
    publisher = Publisher(mortal_redis)
    publisher.send([tick("A", 5.0, T0)])
    eventually(lambda: taker.take()[-1] == 5.0)
    publisher.close()


def test_a_subscriber_that_redis_cuts_off_notices_it(taker: Taker, mortal_redis: RedisServer) -> None:
    with mortal_redis.client() as client:
        client.client_kill_filter(_type="pubsub")
    eventually(lambda: "cut" in taker.take())
    eventually(lambda: taker.subscriber.connections == 2)


def test_silence_is_answered_with_a_ping_and_a_dead_connection_is_given_up(
    taker: Taker, mortal_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_subscriber, "SILENCE_SECONDS", 0.5)
    with mortal_redis.client() as client:
        before = client.info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"]
        eventually(lambda: client.info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"] > before)
    assert taker.take() == []  # it answered: no cut
    mortal_redis.pause()
    eventually(lambda: "cut" in taker.take())
    mortal_redis.resume()
    eventually(lambda: taker.subscriber.connections == 2)


def test_a_backlog_without_end_becomes_a_cut(taker: Taker, mortal_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick_subscriber, "BACKLOG_TICKS", 100)
    publisher = Publisher(mortal_redis)
    for number in range(400):
        publisher.send([tick("A", float(number), T0)], log=False)
    eventually(lambda: not taker.subscriber.connected or taker.subscriber.connections > 1)
    assert 100 <= taker.subscriber.backlog <= 400
    assert "cut" in taker.take()
    publisher.close()


def test_messages_that_are_no_json_are_handed_over_too_because_they_count(taker: Taker, mortal_redis: RedisServer) -> None:
    with mortal_redis.client() as client:
        client.publish(TICKS_CHANNEL, b"\xff\x00 no json")
    assert eventually(taker.subscriber.take) == [b"\xff\x00 no json"]


def test_it_waits_for_a_redis_that_is_not_there_yet() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        taker = Taker(f"redis://127.0.0.1:{reserved.getsockname()[1]}/0")
        taker.subscriber.start()
        eventually(lambda: "cut" in taker.take())
        taker.subscriber.stop()
        assert not taker.subscriber.connected


def test_an_app_that_says_nothing_any_more_is_told_from_a_redis_that_is_away(
    taker: Taker, mortal_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_subscriber, "SILENCE_SECONDS", 0.5)
    assert taker.subscriber.app_silent_seconds == 0
    publisher = Publisher(mortal_redis)
    publisher.send([Say(T0)])
    eventually(taker.take)
    assert taker.subscriber.app_silent_seconds == 0
    assert eventually(lambda: taker.subscriber.app_silent_seconds) > 0.5
    mortal_redis.kill()
    eventually(lambda: "cut" in taker.take())
    assert taker.subscriber.app_silent_seconds == 0
    publisher.close()
