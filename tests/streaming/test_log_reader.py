"""The log on a real Redis: from any position to its end, in order, each tick once, and what it lacks from elsewhere."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import RedisServer
from tests.streaming.market import T0, Item, Publisher, Say, in_batches, tick
from tickstock.contract import PUBLISHER_LEASE_KEY, TICKS_LOG_KEY, FeedStatus, MarketTick
from tickstock.logs import Rejections
from tickstock.streaming import log_reader
from tickstock.streaming.log_reader import BeginningLost, LoggedTicks, LogReader, Lost, Piece


class Log:
    """The log of a Redis, and what the database would have."""

    def __init__(self, server: RedisServer) -> None:
        self.client = server.client()
        self.stored: dict[tuple[str, int], MarketTick] = {}
        self.slept = 0.0
        self.rejections = Rejections(logging.getLogger("test"), "TEST")
        self.publishers = [Publisher(server)]
        self._server = server

    def reader(self) -> LogReader:
        return LogReader(self.client, self._stored, self.rejections, self._sleep)

    def next_run(self, run: str) -> Publisher:
        self.publishers.append(Publisher(self._server, run))
        self.publishers[-1]._last_ms = self.publishers[-2]._last_ms
        return self.publishers[-1]

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds
        time.sleep(seconds)

    def _stored(self, run: str, first: int, last: int) -> list[tuple[int, MarketTick, bool]]:
        return [(n, self.stored[of, n], False) for of, n in sorted(self.stored) if of == run and first <= n <= last]


@pytest.fixture
def log(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(log_reader, "REFILL_WAIT_SECONDS", 0.3)
    found = Log(redis_server)
    yield found
    found.client.close()
    for publisher in found.publishers:
        publisher.close()


def numbered(first: int, last: int) -> list[Item]:
    """Ticks whose price tells their position."""
    return [tick("A", float(number), T0 + number) for number in range(first, last + 1)]


def positions(pieces: list[Piece]) -> list[tuple[str, int]]:
    found = []
    for piece in pieces:
        if isinstance(piece, LoggedTicks):
            assert [each.price for each in piece.ticks] == [float(piece.first + n) for n in range(len(piece.ticks))]
            found += [(piece.run, piece.first + n) for n in range(len(piece.ticks))]
    return found


def statuses(pieces: list[Piece]) -> list[tuple[str, int]]:
    return [(piece.run, piece.forwarded) for piece in pieces if isinstance(piece, FeedStatus)]


def test_reading_begins_exactly_behind_any_position_however_the_log_was_cut(log: Log) -> None:
    items: list[Item] = [Say(T0)]
    for number in range(1, 121):
        items += numbered(number, number)
        if number % 10 == 0:
            items.append(Say(T0 + number))
    for batch in in_batches(items, 5, 30):
        log.publishers[0].send(batch)
    for position in (0, 1, 2, 9, 10, 11, 59, 60, 61, 119, 120, 121):
        reader = log.reader()
        reader.seek("run1", position)
        pieces = list(reader.read())
        assert positions(pieces) == [("run1", n) for n in range(max(1, position), 121)]
        wanted = {("run1", n) for n in range(0, 121, 10) if n >= position - 1}
        assert wanted <= set(statuses(pieces)), position  # the one directly before it too
        assert reader.position == max(position - 1, 120)


def test_statuses_keep_their_place_among_the_ticks(log: Log) -> None:
    log.publishers[0].send([Say(T0), *numbered(1, 3), Say(T0 + 1), Say(T0 + 2), *numbered(4, 5)])
    log.publishers[0].send([Say(T0 + 3), *numbered(6, 6)])
    reader = log.reader()
    reader.seek("run1", 0)
    seen: list[object] = []
    for piece in reader.read():
        if isinstance(piece, LoggedTicks):
            seen.append((piece.first, len(piece.ticks)))
        elif isinstance(piece, FeedStatus):
            seen.append(piece.forwarded)
    assert seen == [0, (1, 3), 3, 3, (4, 2), 5, (6, 1)]


def test_reading_goes_on_where_it_stopped_when_more_has_come(log: Log) -> None:
    reader, found = log.reader(), []
    reader.seek("run1", 0)
    for first in range(1, 1_000, 37):
        log.publishers[0].send([*numbered(first, first + 36), Say(T0)])
        found += positions(list(reader.read()))
    assert found == [("run1", n) for n in range(1, reader.position + 1)]


def test_it_reads_on_into_the_next_runs_and_remembers_how_far_each_was_read(log: Log) -> None:
    log.publishers[0].send([Say(T0), *numbered(1, 20)])
    log.next_run("run2").send([Say(T0), *numbered(1, 7), Say(T0)])
    log.next_run("run3").send([Say(T0)])
    reader = log.reader()
    reader.seek("run1", 15)
    pieces = list(reader.read())
    assert positions(pieces) == [("run1", n) for n in range(15, 21)] + [("run2", n) for n in range(1, 8)]
    assert (reader.run, reader.position) == ("run3", 0)
    assert [reader.reached(run) for run in ("run1", "run2", "run3", "run4")] == [20, 7, 0, None]


def test_a_hole_is_filled_from_stored_ticks_and_the_rest_is_lost_once(log: Log) -> None:
    log.publishers[0].send([Say(T0), *numbered(1, 10)])
    log.publishers[0].send(numbered(11, 20), log=False)
    log.publishers[0].send([*numbered(21, 25), Say(T0)])
    log.stored = {("run1", n): tick("A", float(n), T0 + n) for n in (11, 12, 13, 16, 17)}
    reader = log.reader()
    reader.seek("run1", 5)
    pieces = list(reader.read())
    assert positions(pieces) == [("run1", n) for n in (*range(5, 14), 16, 17, *range(21, 26))]
    assert [(each.first, each.last) for each in pieces if isinstance(each, Lost)] == [(14, 15), (18, 20)]
    assert log.slept > 1  # the app stores ticks a moment after it forwards them
    assert list(reader.read()) == []


def test_a_hole_whose_ticks_are_stored_soon_is_waited_for(log: Log) -> None:
    log.publishers[0].send(numbered(1, 10), log=False)
    log.publishers[0].send(numbered(11, 12))
    reader = log.reader()

    def store_and_sleep(_: float) -> None:
        log.stored |= {("run1", n): tick("A", float(n), T0 + n) for n in range(1, 11)}

    reader._sleep = store_and_sleep
    reader.seek("run1", 1)
    assert positions(list(reader.read())) == [("run1", n) for n in range(1, 13)]


def test_a_malformed_entry_is_counted_and_its_ticks_come_from_the_database(log: Log) -> None:
    publisher = log.publishers[0]
    publisher.send(numbered(1, 5))
    publisher.send(numbered(6, 9), log=False)
    publisher._last_ms += 1
    log.client.xadd(TICKS_LOG_KEY, {"run": "run1", "first": "six", "messages": "?"}, id=f"{publisher._last_ms}-9")
    publisher.send(numbered(10, 12))
    log.client.xadd(TICKS_LOG_KEY, {"unknown": "fields"})
    log.stored = {("run1", n): tick("A", float(n), T0 + n) for n in range(6, 10)}
    reader = log.reader()
    reader.seek("run1", 0)
    assert positions(list(reader.read())) == [("run1", n) for n in range(1, 13)]
    assert log.rejections.total == 2


def test_a_trimmed_head_is_filled_from_stored_ticks(log: Log) -> None:
    for first in range(1, 101, 10):
        log.publishers[0].send(numbered(first, first + 9))
    log.client.xtrim(TICKS_LOG_KEY, maxlen=3, approximate=False)
    log.stored = {("run1", n): tick("A", float(n), T0 + n) for n in range(1, 101)}
    reader = log.reader()
    reader.seek("run1", 33)
    assert positions(list(reader.read())) == [("run1", n) for n in range(33, 101)]


def test_of_a_run_that_the_log_does_not_know_any_more_the_rest_is_stored(log: Log) -> None:
    log.stored = {("old", n): tick("A", float(n), T0 + n) for n in range(1, 31)}
    log.publishers[0].send([Say(T0), *numbered(1, 3)])
    reader = log.reader()
    reader.seek("old", 25)
    pieces = list(reader.read())
    assert positions(pieces) == [("old", n) for n in range(25, 31)] + [("run1", n) for n in (1, 2, 3)]


def test_an_empty_log_gives_nothing(log: Log) -> None:
    reader = log.reader()
    reader.seek("run1", 5)
    assert list(reader.read()) == []
    assert (reader.run, reader.position) == ("run1", 4)
    assert reader.seek_start_of_run("run1")
    assert list(reader.read()) == []


def test_a_first_start_begins_with_the_newest_run_and_says_whether_its_beginning_is_there(log: Log) -> None:
    log.publishers[0].send(numbered(1, 10))
    second = log.next_run("run2")
    second.send([Say(T0), *numbered(1, 10)])
    second.send(numbered(11, 20))
    reader = log.reader()
    assert reader.seek_start_of_run("run2")
    assert positions(list(reader.read())) == [("run2", n) for n in range(1, 21)]
    log.client.xtrim(TICKS_LOG_KEY, maxlen=1, approximate=False)
    assert not reader.seek_start_of_run("run2")
    assert positions(list(reader.read())) == [("run2", n) for n in range(11, 21)]


def test_a_foreign_entry_does_not_make_it_forget_its_place(log: Log) -> None:
    log.publishers[0].send(numbered(1, 10))
    reader = log.reader()
    reader.seek("run1", 8)
    assert positions(list(reader.read())) == [("run1", n) for n in (8, 9, 10)]
    log.next_run("somebody").send(numbered(1, 2))
    log.publishers[0]._last_ms = log.publishers[1]._last_ms
    log.publishers[0].send(numbered(11, 15))
    found = positions(list(reader.read()))
    assert [n for run, n in found if run == "run1"] == [11, 12, 13, 14, 15]
    assert log.slept == 0


def test_a_long_log_is_searched_from_its_end(log: Log) -> None:
    chance = random.Random(4)
    for first in range(1, 1501, 2):
        log.publishers[0].send(numbered(first, first + 1))
    for position in (1, 700, chance.randrange(1, 1500), 1500):
        reader = log.reader()
        reader.seek("run1", position)
        assert positions(list(reader.read()))[0] == ("run1", position)


def lose_and_put_back_at_the_first_pause(log: Log, reader: LogReader) -> None:
    """Redis loses the log; the app puts it back, in one step, while the reader waits."""
    entries: Any = log.client.xrange(TICKS_LOG_KEY)
    log.client.delete(TICKS_LOG_KEY)

    def put_back(seconds: float) -> None:
        log.slept += seconds
        younger: Any = log.client.xrange(TICKS_LOG_KEY)
        if len(younger) < len(entries):
            log.client.delete(TICKS_LOG_KEY)
            for entry_id, fields in [*entries, *younger]:
                log.client.xadd(TICKS_LOG_KEY, fields, id=entry_id)

    reader._sleep = put_back


@pytest.mark.parametrize("written_meanwhile", [True, False])
def test_a_log_that_redis_lost_is_waited_for_while_the_app_that_remembers_it_is_there(log: Log, written_meanwhile: bool) -> None:
    for first in range(1, 41, 5):
        log.publishers[0].send([*numbered(first, first + 4), Say(T0)])
    reader = log.reader()
    log.client.set(PUBLISHER_LEASE_KEY, "run1")
    lose_and_put_back_at_the_first_pause(log, reader)
    last = 40
    if written_meanwhile:
        log.publishers[0].send([*numbered(41, 45), Say(T0)])
        last = 45
    reader.seek("run1", 18)
    pieces = list(reader.read())
    assert positions(pieces) == [("run1", n) for n in range(18, last + 1)]
    assert statuses(pieces)[:2] == [("run1", 20), ("run1", 25)]
    assert log.slept < 1
    assert not [piece for piece in pieces if isinstance(piece, Lost | BeginningLost)]


def test_a_log_that_is_lost_in_the_middle_of_reading_is_waited_for(log: Log) -> None:
    for first in range(1, 41, 5):
        log.publishers[0].send([*numbered(first, first + 4), Say(T0)])
    reader = log.reader()
    reader.seek("run1", 1)
    found = positions(list(reader.read()))
    log.publishers[0].send([*numbered(41, 45), Say(T0)])
    lose_and_put_back_at_the_first_pause(log, reader)
    log.publishers[0].send([*numbered(46, 50), Say(T0)])
    found += positions(list(reader.read()))
    assert found == [("run1", n) for n in range(1, 51)]


def test_a_log_whose_app_is_gone_is_not_waited_for(log: Log) -> None:
    log.client.set(PUBLISHER_LEASE_KEY, "run2")
    log.stored = {("run1", n): tick("A", float(n), T0 + n) for n in range(1, 9)}
    log.next_run("run2").send([Say(T0), *numbered(1, 3)])
    reader = log.reader()
    reader.seek("run1", 5)
    assert positions(list(reader.read())) == [("run1", n) for n in (5, 6, 7, 8)] + [("run2", n) for n in (1, 2, 3)]
    assert log.slept == 0


def test_a_run_whose_beginning_the_log_does_not_hold_is_told_once(log: Log) -> None:
    log.publishers[0].send([Say(T0), *numbered(1, 3)])
    second = log.next_run("run2")
    second.send([Say(T0), Say(T0, gap=(T0, T0 + 5)), *numbered(1, 3)], log=False)
    second.send([*numbered(4, 5), Say(T0)])
    second.send([*numbered(6, 7)])
    log.stored = {("run2", n): tick("A", float(n), T0 + n) for n in (1, 2, 3)}
    reader = log.reader()
    reader.seek("run1", 1)
    pieces = list(reader.read())
    assert [piece for piece in pieces if isinstance(piece, BeginningLost)] == [BeginningLost("run2")]
    assert positions(pieces) == [("run1", n) for n in (1, 2, 3)] + [("run2", n) for n in range(1, 8)]


def test_runs_that_were_lost_between_the_committed_one_and_the_next_are_told(log: Log) -> None:
    """The log begins with a new run, in order; but whatever the committed one was followed by may have been more than it."""
    log.client.set(PUBLISHER_LEASE_KEY, "run3")
    log.next_run("run3").send([Say(T0), *numbered(1, 3)])
    reader = log.reader()
    reader.seek("run1", 8)
    pieces = list(reader.read())
    assert pieces[0] == BeginningLost("run3")
    assert positions(pieces) == [("run3", n) for n in (1, 2, 3)]
    assert not [piece for piece in reader.read() if isinstance(piece, BeginningLost)]
