"""Live where the count agrees with the log, from the committed position whenever it does not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import msgspec
import pytest
import redis

from tests.servers import RedisServer
from tests.streaming.market import T0, Item, Publisher, Say, tick
from tickstock.contract import PUBLISHER_LEASE_KEY, FeedStatus, MarketTick, encode
from tickstock.errors import DatabaseUnavailable
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.bar_builder import BarBuilder, EndedMinute
from tickstock.streaming.health import Figures
from tickstock.streaming.log_follower import FOREIGN_AFTER_SECONDS, LogFollower, Position
from tickstock.streaming.log_reader import LogReader, Lost
from tickstock.streaming.result_publisher import redis_client
from tickstock.streaming.tick_subscriber import Cut


class RecordingSink:
    """Ends minutes as the closer does, and remembers them; `committed` is what a return begins from."""

    def __init__(self, builder: BarBuilder) -> None:
        self.builder = builder
        self.committed: Position | None = None
        self.ended: list[EndedMinute] = []
        self.losses: list[Lost] = []
        self.returns = 0
        self.place = ("", 0)

    def base(self) -> Position | None:
        return self.committed

    def returning(self) -> None:
        self.returns += 1

    def begin_inside_run(self) -> None:
        pass

    def status(self, status: FeedStatus, live: bool) -> None:
        if not self.builder.complete_until:
            self.builder.restart(status.watermark - status.watermark % MINUTE_MS, status.run)
        for minute in self.builder.advance(status.watermark, status.run, status.forwarded):
            self.ended.append(minute)
            self.committed = Position(minute.run, minute.position, minute.start + MINUTE_MS, minute.replay_from)

    def lost(self, lost: Lost) -> None:
        self.losses.append(lost)

    def taken(self, run: str, position: int) -> None:
        self.place = (run, position)


class Followed:
    """A follower, with a publisher whose messages the test hands over one by one."""

    def __init__(self, server: RedisServer) -> None:
        self.client = redis_client(server.url)
        self.publisher = Publisher(server)
        self.figures = Figures()
        self.rejections = Rejections(logging.getLogger("test"), "TEST")
        self.builder = BarBuilder()
        self.sink = RecordingSink(self.builder)
        self.stored: dict[tuple[str, int], MarketTick] = {}
        self.database_is_away = False
        self.now = 0.0
        reader = LogReader(self.client, self._stored, self.rejections, self._sleep)
        self.follower = LogFollower(
            reader, self.builder, self.sink, self.figures, self.rejections, lambda: self.now, self._sleep
        )  # fmt: skip

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _stored(self, run: str, first: int, last: int) -> list[tuple[int, MarketTick, bool]]:
        if self.database_is_away:
            raise DatabaseUnavailable("away")
        return [(n, self.stored[of, n], False) for of, n in sorted(self.stored) if of == run and first <= n <= last]

    def send(self, items: list[Item], *, live: bool = True, log: bool = True) -> None:
        """To the log, and, unless the subscription lost them, to the follower."""
        waiting: list[bytes] = []
        for item in items:
            self.publisher.send([item], publish=False, log=log)
            if not live:
                continue
            if isinstance(item, MarketTick):
                waiting.append(encode(item))
                continue
            if waiting:
                self.follower.arrival(waiting)
                waiting = []
            self.follower.arrival(msgspec.json.encode(self.publisher.status(item)))
        if waiting:
            self.follower.arrival(waiting)

    def bars(self) -> dict[int, list[float]]:
        """Price by price what each ended minute of symbol A holds: open, close, ticks."""
        return {
            (each.start - T0) // MINUTE_MS: [each.bars["A"][0], each.bars["A"][3], each.bars["A"][5]]
            for each in self.sink.ended if "A" in each.bars
        }  # fmt: skip


@pytest.fixture
def followed(redis_server: RedisServer) -> Iterator[Followed]:
    found = Followed(redis_server)
    yield found
    found.client.close()
    found.publisher.close()


def minute(number: int, ticks: int = 4) -> list[Item]:
    """A minute's ticks, whose prices tell their order, and the status that ends it."""
    start = T0 + number * MINUTE_MS
    return [
        *(tick("A", 100.0 * (number + 1) + n, start + n * 1000) for n in range(ticks)), Say(start + MINUTE_MS),
    ]  # fmt: skip


def expected(*numbers: int) -> dict[int, list[float]]:
    return {n: [100.0 * (n + 1), 100.0 * (n + 1) + 3, 4] for n in numbers}


def test_it_follows_live_after_one_look_at_the_log(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0), *minute(1), *minute(2)])
    assert followed.bars() == expected(0, 1, 2)
    assert followed.sink.returns == 1
    assert followed.figures.ticks_total == 12
    assert followed.sink.place == ("run1", 12)


@pytest.mark.parametrize("lost", range(1, 4))
def test_a_lost_message_brings_it_back_to_the_log_before_anything_closes(followed: Followed, lost: int) -> None:
    followed.send([Say(T0), *minute(0)])
    items = minute(1)
    followed.send(items[:lost])
    followed.send(items[lost : lost + 1], live=False)
    followed.send(items[lost + 1 :])
    followed.send(minute(2))
    assert followed.bars() == expected(0, 1, 2)
    assert followed.sink.returns == 2
    assert followed.figures.ticks_total == 12  # counted once, however often they were read


def test_foreign_and_repeated_and_malformed_messages_only_shift_the_count(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0)])
    for extra in (b"{", encode(tick("A", 5.0, T0 + MINUTE_MS)), encode(tick("A", 999.0, T0 + 5)), b"\xff"):
        number = len(followed.sink.ended)
        items = minute(number)
        followed.send(items[:2])
        followed.follower.arrival([extra])
        followed.send(items[2:])
    assert followed.bars() == expected(0, 1, 2, 3, 4)
    assert all(not each.late for each in followed.sink.ended)
    assert followed.figures.ticks_rejected == 2


def test_ticks_are_counted_once_whatever_else_comes_on_the_channel(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0)])
    for number in range(1, 5):
        followed.follower.arrival([b"rubbish"] * 7 + [encode(tick("A", 5.0, T0 + number * MINUTE_MS))] * 9)
        followed.send(minute(number))
        assert followed.figures.ticks_total == 4 * (number + 1)
    assert followed.bars() == expected(0, 1, 2, 3, 4)


def test_statuses_of_others_are_counted_and_neither_read_the_log_nor_ask_for_the_lease_each_time(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0)])
    followed.client.set(PUBLISHER_LEASE_KEY, "run1")
    asked = followed.client.info("commandstats").get("cmdstat_get", {"calls": 0})["calls"]
    for number in range(500):
        foreign = FeedStatus("live", "simulated", T0, T0, T0 + 99 * MINUTE_MS, f"somebody{number}", number, "")
        followed.follower.arrival(encode(foreign))
    assert followed.rejections.counts["status of a run that the log does not know"] == 500
    assert followed.client.info("commandstats")["cmdstat_get"]["calls"] == asked + 1
    followed.send(minute(1))
    assert followed.bars() == expected(0, 1)
    assert followed.sink.returns == 1


def test_a_run_that_takes_over_the_lease_is_followed(followed: Followed) -> None:
    followed.client.set(PUBLISHER_LEASE_KEY, "run1")
    followed.send([Say(T0), *minute(0)])
    followed.publisher.run, followed.publisher.position = "run2", 0
    followed.client.set(PUBLISHER_LEASE_KEY, "run2")
    followed.send([Say(T0 + MINUTE_MS), *minute(1), *minute(2)])
    assert followed.bars() == expected(0, 1, 2)
    assert followed.rejections.total == 0


def test_a_cut_brings_it_back_to_the_log(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0)])
    followed.follower.arrival(Cut())
    followed.send(minute(1), live=False)
    followed.send(minute(2))
    assert followed.bars() == expected(0, 1, 2)


def test_a_status_of_somebody_else_is_ignored_and_costs_no_time(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0)])
    for lease in (None, "run1"):
        if lease:
            followed.client.set(PUBLISHER_LEASE_KEY, lease)
        foreign = FeedStatus("live", "simulated", T0, T0, T0 + 99 * MINUTE_MS, "somebody", 700, "")
        followed.follower.arrival(encode(foreign))
    followed.send(minute(1))
    assert followed.bars() == expected(0, 1)
    assert followed.now < 1
    assert followed.sink.losses == []


def test_a_status_of_somebody_else_is_ignored_at_the_very_first_start_too(followed: Followed) -> None:
    followed.client.set(PUBLISHER_LEASE_KEY, "run1")
    followed.send([Say(T0)], live=False)
    for forwarded in (0, 700):
        foreign = FeedStatus("live", "simulated", T0, T0, T0 + 99 * MINUTE_MS, "somebody", forwarded, "")
        followed.follower.arrival(encode(foreign))
    assert followed.now < 1
    followed.send([*minute(0), *minute(1)])
    assert followed.bars() == expected(0, 1)
    assert followed.sink.losses == []


def test_a_status_of_the_run_before_does_not_make_it_wait_or_read_twice(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0)])
    stale = msgspec.json.encode(followed.publisher.status(Say(T0 + MINUTE_MS)))
    followed.publisher.run, followed.publisher.position = "run2", 0
    followed.send([Say(T0 + MINUTE_MS), *minute(1)], live=False)
    followed.follower.arrival(Cut())
    followed.follower.arrival(stale)
    followed.send([*minute(2)])
    assert followed.bars() == expected(0, 1, 2)
    assert followed.now < 1
    assert followed.sink.losses == []


def test_ticks_that_the_log_refused_are_taken_from_the_database_or_written_down_as_lost(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0)])
    followed.client.delete("tickstock:market:ticks:journal")
    items = minute(1)
    ticks = [item for item in items if isinstance(item, MarketTick)]
    followed.stored = {("run1", 5 + n): each for n, each in enumerate(ticks) if n != 2}
    followed.client.set(PUBLISHER_LEASE_KEY, "run1")
    followed.send(items[:3], live=False, log=False)
    followed.send(items[3:], log=False)
    assert [(each.first, each.last) for each in followed.sink.losses] == [(7, 7)]
    followed.send(minute(2), log=False)  # in step again, as long as the count agrees
    assert followed.bars() == {**expected(0, 2), 1: [200.0, 203.0, 3]}


def test_a_database_that_is_away_while_the_log_has_a_hole_is_tried_again_at_the_next_status(followed: Followed) -> None:
    followed.send([Say(T0), *minute(0)])
    ticks = [item for item in minute(1) if isinstance(item, MarketTick)]
    followed.send(ticks[:2], live=False, log=False)
    followed.stored = {("run1", 5 + n): each for n, each in enumerate(ticks[:2])}
    followed.database_is_away = True
    with pytest.raises(DatabaseUnavailable):
        followed.send([*ticks[2:], Say(T0 + 2 * MINUTE_MS)])
    followed.database_is_away = False
    followed.send(minute(2))
    assert followed.bars() == expected(0, 1, 2)
    assert followed.sink.losses == []


def test_redis_away_during_a_return_is_tried_again_at_the_next_status(mortal_redis: RedisServer) -> None:
    followed = Followed(mortal_redis)
    followed.send([Say(T0), *minute(0)])
    followed.follower.arrival(Cut())
    mortal_redis.pause()
    status = msgspec.json.encode(followed.publisher.status(Say(T0 + MINUTE_MS)))
    with pytest.raises(redis.RedisError):
        followed.follower.arrival(status)
    mortal_redis.resume()
    followed.send(minute(1))
    assert followed.bars() == expected(0, 1)
    followed.client.close()
    followed.publisher.close()


def test_another_publishers_ticks_wait_for_a_status_and_are_then_processed_by_event_time(followed: Followed) -> None:
    ticks = [encode(item) for number in range(3) for item in minute(number) if isinstance(item, MarketTick)]
    followed.follower.arrival(ticks)
    assert followed.sink.ended == []
    followed.now += FOREIGN_AFTER_SECONDS
    followed.follower.work()  # nothing more needs to arrive
    assert followed.bars() == expected(0)  # the second minute waits until four seconds have passed
    assert followed.figures.ticks_total == 12
    followed.follower.arrival([encode(tick("A", 1.0, T0 + 4 * MINUTE_MS))])
    assert followed.bars() == expected(0, 1, 2)


def test_once_a_status_was_seen_ticks_of_others_are_not_processed(followed: Followed) -> None:
    followed.follower.arrival([encode(tick("B", 1.0, T0))])
    followed.send([Say(T0), *minute(0), *minute(1)])
    followed.now += FOREIGN_AFTER_SECONDS
    followed.follower.work()
    followed.send(minute(2))
    assert all("B" not in each.bars for each in followed.sink.ended)
    assert followed.bars() == expected(0, 1, 2)
