from __future__ import annotations

import itertools
import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from tests.market_data.stand_ins import T0, eventually, ticks
from tickstock.database import models
from tickstock.database.connection import open_engine
from tickstock.database.migrate import migrate
from tickstock.database.retention import Retention
from tickstock.database.spill import Record, SpillFile
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data import tick_recorder
from tickstock.market_data.tick_recorder import TickRecorder

RUN = "0123456789ab"


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    migrate(empty_database_url)
    return empty_database_url


@pytest.fixture
def spill(tmp_path: Path) -> Path:
    return tmp_path / "spill" / "ticks"


@pytest.fixture
def recorder(database_url: str, spill: Path) -> Iterator[TickRecorder]:
    recorder = TickRecorder(database_url, spill=spill)
    recorder.start()
    yield recorder
    recorder.stop()


def stored(url: str) -> list[tuple[object, ...]]:
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(select(models.ticks).order_by(models.ticks.c.run, models.ticks.c.position))
        found = [tuple(row) for row in rows]
    engine.dispose()
    return found


def test_exactly_the_forwarded_ticks_are_stored(recorder: TickRecorder, database_url: str) -> None:
    given = [*ticks(1, 20), FeedTick("BRK.A", 812345.6789, 3, T0 - 60_000, True), *ticks(22, 12_000)]
    for first in range(0, len(given), 100):
        recorder.add(RUN, first + 1, given[first : first + 100])
    recorder.stop()
    assert stored(database_url) == [
        (RUN, position, tick.symbol, tick.price, tick.volume, tick.timestamp, tick.late) for position, tick in enumerate(given, 1)
    ]
    assert (recorder.stored_ticks, recorder.waiting_ticks, recorder.dropped_ticks) == (12_000, 0, 0)


def test_a_few_ticks_are_stored_without_waiting_for_more(recorder: TickRecorder, database_url: str) -> None:
    recorder.add(RUN, 1, ticks(1, 3))
    eventually(lambda: recorder.stored_ticks == 3, 10)
    assert len(stored(database_url)) == 3


def test_old_ticks_are_deleted_measured_against_the_newest(
    database_url: str, spill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_recorder, "RETENTION_SECONDS", 0.2)
    recorder = TickRecorder(database_url, spill=spill, retention_days=1.0)
    recorder.start()
    old = [FeedTick("AAPL", 1.0, 1, T0 - 86_400_000 - number, True) for number in range(1, 1001)]
    recorder.add(RUN, 1, old)
    recorder.add(RUN, 1001, ticks(1001, 1010))
    eventually(lambda: len(stored(database_url)) == 10)
    recorder.stop()
    assert [row[1] for row in stored(database_url)] == list(range(1001, 1011))


def test_looking_for_old_ticks_keeps_no_pages_of_them_in_memory(
    database_url: str, spill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection to SQLite keeps up to 32 MB of what it read, and counting reads much."""
    monkeypatch.setattr(tick_recorder, "RETENTION_SECONDS", 0.1)
    monkeypatch.setattr(tick_recorder, "SURPLUS_SECONDS", 0.1)
    done: list[str] = []
    count, close = Retention.surplus_ticks, Retention.close
    monkeypatch.setattr(Retention, "surplus_ticks", lambda self, most: done.append("counted") or count(self, most))
    monkeypatch.setattr(Retention, "close", lambda self: done.append("closed") or close(self))
    recorder = TickRecorder(database_url, spill=spill)
    recorder.start()
    recorder.add(RUN, 1, ticks(1, 10))
    eventually(lambda: done.count("counted") > 2)
    recorder.stop()
    assert all(after == "closed" for before, after in itertools.pairwise(done) if before == "counted")


def test_ticks_wait_while_there_is_no_database(tmp_path: Path, spill: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    url = f"sqlite:///{(tmp_path / 'later' / 'tickstock.db').as_posix()}"
    recorder = TickRecorder(url, spill=spill, waiting_ticks=150)
    recorder.start()
    recorder.add(RUN, 1, ticks(1, 100))  # there is no such folder yet
    eventually(lambda: recorder.state()["connected"] is False)
    started = time.monotonic()
    recorder.add(RUN, 101, ticks(101, 200))
    assert time.monotonic() - started < 1.0
    assert (recorder.waiting_ticks, recorder.dropped_ticks) == (150, 50)
    (tmp_path / "later").mkdir()
    migrate(url)
    eventually(lambda: recorder.stored_ticks == 150)
    recorder.add(RUN, 201, ticks(201, 210))
    recorder.stop()
    with sqlite3.connect(tmp_path / "later" / "tickstock.db") as connection:
        positions = [position for (position,) in connection.execute("SELECT position FROM ticks ORDER BY position")]
    connection.close()
    assert positions == [*range(1, 151), *range(201, 211)]
    lines = [record.message for record in caplog.records if "the database is" in record.message and "TICK" in record.message]
    assert ["away" in lines[0], "back" in lines[-1]] == [True, True]


def test_a_database_that_another_program_holds_counts_as_away_long_before_sqlite_gives_up(
    tmp_path: Path, spill: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_recorder, "PATIENCE_SECONDS", 0.3)
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    recorder = TickRecorder(url, spill=spill)
    recorder.start()
    holder = sqlite3.connect(tmp_path / "tickstock.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    added = 0

    def is_away() -> bool:
        nonlocal added
        added += 1
        recorder.add(RUN, added, ticks(added, added))
        return recorder.state()["connected"] is False

    eventually(is_away)
    assert recorder.state()["away_seconds"] >= 0.3
    holder.execute("ROLLBACK")
    holder.close()
    eventually(lambda: recorder.state()["connected"] and recorder.stored_ticks == added)
    recorder.stop()
    lines = [record.message for record in caplog.records if record.name.endswith("tick_recorder")]
    assert ["is away" in lines[0], "is back" in lines[1], len(lines)] == [True, True, 2]


@pytest.fixture
def absent(tmp_path: Path) -> Iterator[str]:
    """A database that is not there until `appear`."""
    yield f"sqlite:///{(tmp_path / 'later' / 'tickstock.db').as_posix()}"


def appear(url: str) -> None:
    Path(url.removeprefix("sqlite:///")).parent.mkdir()
    migrate(url)


def test_ticks_that_wait_long_go_to_a_file_and_are_stored_in_order(
    absent: str, spill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_recorder, "SPILL_ABOVE_TICKS", 100)
    monkeypatch.setattr(tick_recorder, "RETRY_SECONDS", 0.1)
    recorder = TickRecorder(absent, spill=spill)
    recorder.start()
    for first in range(1, 1001, 50):
        recorder.add(RUN, first, ticks(first, first + 49))
    eventually(lambda: recorder.state()["spilled_ticks"] > 0)
    for first in range(1001, 1501, 50):
        recorder.add(RUN, first, ticks(first, first + 49))
    eventually(lambda: recorder.state()["spilled_ticks"] == 1500)
    eventually(lambda: (recorder.waiting_ticks, recorder.memory_ticks) == (1500, 0))
    appear(absent)
    recorder.add(RUN, 1501, ticks(1501, 1510))
    eventually(lambda: recorder.stored_ticks == 1510)
    recorder.stop()
    assert [row[1] for row in stored(absent)] == list(range(1, 1511))
    assert not spill.exists()


def test_a_stop_while_the_database_is_away_leaves_the_ticks_to_the_next_process(absent: str, spill: Path) -> None:
    recorder = TickRecorder(absent, spill=spill)
    recorder.start()
    recorder.add(RUN, 1, ticks(1, 300))
    recorder.stop(timeout=0.5)
    assert recorder.dropped_ticks == 0
    appear(absent)
    later = TickRecorder(absent, spill=spill)
    assert later.waiting_ticks == 300
    later.start()
    later.add("another run", 1, ticks(1, 20))
    eventually(lambda: later.stored_ticks == 320)
    later.stop()
    assert [row[:2] for row in stored(absent)] == [
        *((RUN, at) for at in range(1, 301)),
        *(("another run", at) for at in range(1, 21)),
    ]


def test_without_room_for_the_file_ticks_stay_in_memory_as_long_as_there_is_room(
    absent: str, spill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_recorder, "SPILL_ABOVE_TICKS", 10)
    monkeypatch.setattr(tick_recorder, "RETRY_SECONDS", 0.1)
    spill.parent.write_text("a file where the folder should be")
    recorder = TickRecorder(absent, spill=spill, waiting_ticks=200)
    recorder.start()
    for first in range(1, 301, 50):
        recorder.add(RUN, first, ticks(first, first + 49))
    eventually(lambda: recorder.state()["rejected"].get("attempts to put waiting ticks into a file: they stay in memory", 0) > 0)
    assert (recorder.memory_ticks, recorder.dropped_ticks) == (200, 100)
    appear(absent)
    eventually(lambda: recorder.stored_ticks == 200)
    recorder.stop()
    assert [row[1] for row in stored(absent)] == list(range(1, 201))


def test_records_that_another_version_left_in_the_file_are_passed_over_and_counted(database_url: str, spill: Path) -> None:
    good = msgspec.msgpack.encode((RUN, 1, ticks(1, 3)))
    with_a_gap = [Record(b"\xc1 no msgpack", 5), Record(good, 3), Record(msgspec.msgpack.encode({"an": "older form"}), 7)]
    SpillFile(spill).append(with_a_gap)
    recorder = TickRecorder(database_url, spill=spill)
    recorder.start()
    recorder.add(RUN, 4, ticks(4, 5))
    eventually(lambda: recorder.stored_ticks == 5)
    assert recorder.state()["rejected"] == {"records of the file of waiting ticks, written by another version": 2}
    eventually(lambda: recorder.waiting_ticks == 0)
    recorder.stop()
    assert not spill.exists()
