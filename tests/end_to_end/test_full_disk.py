"""A disk without room, a real and small one: reported, nothing crashes, and everything goes on when there is room again."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from benchmarks.running_system import RunningSystem
from launcher.service import open_log
from tests.market_data.stand_ins import eventually, ticks
from tests.servers import RedisServer
from tests.streaming.market import T0
from tests.streaming.test_results import closed, minute_writer_to, publishing
from tickstock.database.migrate import migrate
from tickstock.database.queries import Queries
from tickstock.database.retention import Retention
from tickstock.database.spill import Record, SpillFile
from tickstock.errors import DatabaseUnavailable
from tickstock.market_data import tick_recorder
from tickstock.market_data.tick_recorder import TickRecorder
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming import minute_writer
from tickstock.streaming.snapshot import Snapshot

RUN = "0123456789ab"
MEGABYTES = 12
SIMULATED_MARKET = {"TICKSTOCK_FEED": "simulated", "TICKSTOCK_CALENDAR": "always_open", "TICKSTOCK_CHANNEL": "T",
                    "TICKSTOCK_SYMBOLS": "*"}  # fmt: skip


class SmallDisk:
    """A disk that can be filled and emptied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass

    def make_room(self) -> None:
        """Leave room again."""
        self._filler.unlink()

    @property
    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_bsize


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a disk of our own needs the right to mount one")
    try:
        yield SmallDisk(folder)
    finally:
        (folder / "filler").unlink(missing_ok=True)
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def url(disk: SmallDisk) -> str:
    url = f"sqlite:///{(disk.folder / 'tickstock.db').as_posix()}"
    migrate(url)
    return url


def stored_positions(url: str) -> list[int]:
    return [each.position for each in Queries(url).stored_ticks(RUN, 0, 1 << 40)]


def test_ticks_wait_in_memory_while_neither_database_nor_spill_file_has_room(
    disk: SmallDisk, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tick_recorder, "SPILL_ABOVE_TICKS", 1_000)
    monkeypatch.setattr(tick_recorder, "RETRY_SECONDS", 0.1)
    recorder = TickRecorder(url, spill=disk.folder / "spill" / "ticks")
    recorder.start()
    disk.fill()
    added = 0

    def is_away() -> bool:
        nonlocal added
        recorder.add(RUN, added + 1, ticks(added + 1, added + 5_000))
        added += 5_000
        return not recorder.state()["connected"]

    eventually(is_away)
    eventually(lambda: any("attempts to put waiting ticks into a file" in kind for kind in recorder.state()["rejected"]))
    assert "the disk is full" in caplog.text
    disk.make_room()
    eventually(lambda: recorder.stored_ticks == added)
    recorder.stop()
    assert recorder.dropped_ticks == 0
    assert stored_positions(url) == list(range(1, added + 1))


def test_minutes_are_published_while_the_disk_is_full_and_stored_in_order_afterwards(
    disk: SmallDisk, url: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(minute_writer, "SPILL_ABOVE_ROWS", 3)
    monkeypatch.setattr(minute_writer, "RETRY_SECONDS", 0.1)
    with publishing(redis_server.url) as publisher:
        writer = minute_writer_to(url, publisher, disk.folder / "spill" / "minutes")
        writer.start()
        disk.fill()
        added = 0

        def is_away() -> bool:
            nonlocal added
            for _ in range(20):
                added += 1
                writer.put(closed(added))
            return bool(writer.away_since)

        eventually(is_away)
        eventually(lambda: publisher.published_minute == T0 + added * MINUTE_MS)
        eventually(lambda: "no file can be written" in caplog.text)
        assert "the disk is full" in caplog.text
        disk.make_room()
        assert writer.flush(15)
        assert writer.stop(5) == 0
    assert writer.rejected_minutes == 0
    progress = Queries(url).progress()
    assert progress is not None
    assert (progress.minute, progress.position) == (T0 + added * MINUTE_MS, 10 * added)
    assert len(Queries(url).alerts().rows) == added


def test_a_spill_file_goes_on_where_the_disk_was_full(disk: SmallDisk) -> None:
    file = SpillFile(disk.folder / "spill")
    file.append([Record(b"first")])
    disk.fill()
    with pytest.raises(OSError, match="No space"):
        file.append([Record(b"x" * 100_000)])
    disk.make_room()
    file.append([Record(b"second")])
    assert file.oldest(1 << 20) == SpillFile(disk.folder / "spill").oldest(1 << 20) == [b"first", b"second"]


def test_a_snapshot_for_which_there_is_no_room_leaves_the_last_one_and_takes_no_room(disk: SmallDisk) -> None:
    def snapshot(size: int) -> Snapshot:
        return Snapshot("fingerprint", date(2026, 11, 20), 60_000, ["A"], {}, {"values": np.ones(size)})

    path = disk.folder / "snapshot"
    snapshot(1_000).write(path)
    free = disk.free
    with pytest.raises(OSError, match="No space"):
        snapshot(MEGABYTES << 17).write(path)
    assert disk.free == free
    assert Snapshot.read(path).arrays["values"].shape == (1_000,)


def test_a_service_outlives_a_log_file_that_cannot_grow(disk: SmallDisk) -> None:
    log = open_log(disk.folder / "logs" / "app.log")
    log.emit(logging.makeLogRecord({"msg": "before"}))
    disk.fill()
    for number in range(1000):
        log.emit(logging.makeLogRecord({"msg": f"{number:05} {'x' * 100}"}))
    disk.make_room()
    log.emit(logging.makeLogRecord({"msg": "after"}))
    log.close()
    lines = (disk.folder / "logs" / "app.log").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")


def test_deleting_old_rows_says_that_the_disk_is_full_and_goes_on_afterwards(disk: SmallDisk, url: str) -> None:
    recorder = TickRecorder(url, spill=disk.folder / "spill")
    recorder.start()
    recorder.add(RUN, 1, ticks(1, 20_000))
    recorder.stop()
    disk.fill()
    retention = Retention(url)
    with pytest.raises(DatabaseUnavailable, match="the disk is full"):
        while retention.delete_oldest_ticks(1_000):
            pass
    disk.make_room()
    while retention.delete_oldest_ticks(1_000):
        pass
    retention.close()
    assert stored_positions(url) == []


@pytest.mark.slow
def test_the_whole_system_goes_on_while_its_disk_is_full(disk: SmallDisk) -> None:
    with RunningSystem(disk.folder / "data", ["--plain", "--rate", "2000"], SIMULATED_MARKET) as system:

        def stage(name: str) -> dict[str, object]:
            return dict(system.get("/health")["stages"][name])

        system.wait_until(lambda: stage("tick_recorder").get("stored_ticks", 0) != 0, 30, "the first stored ticks")
        system.wait_until(lambda: system.health().get("ticks_total", 0) != 0, 60, "TickStockPL to take ticks")
        disk.fill()
        system.wait_until(lambda: "no connection" in str(stage("tick_recorder")["detail"]), 30, "the full disk to be reported")
        consumed = system.health()["ticks_total"]
        system.wait_until(lambda: system.health()["ticks_total"] > consumed, 20, "TickStockPL to go on")
        system.wait_until(system.app_answers, 20, "a page of the app")
        disk.make_room()
        system.wait_until(lambda: stage("tick_recorder")["status"] == "ok", 30, "the database to be back")
        system.kill("simulator")
        system.wait_until(
            lambda: stage("tick_recorder")["stored_ticks"] == stage("market_data")["ticks"], 30, "all ticks to be stored"
        )
        assert stage("tick_recorder")["dropped_ticks"] == 0
        assert {name: process.poll() for name, process in system.processes.items() if name != "simulator"} == {
            "redis": None, "streaming": None, "app": None,
        }  # fmt: skip
