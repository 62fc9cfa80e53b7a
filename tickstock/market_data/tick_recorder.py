"""TickRecorder: exactly the forwarded ticks into the database, in bulk, off the event loop."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tickstock.cooperation import in_native_thread
from tickstock.database.retention import Retention
from tickstock.database.spill import Record, SpillFile
from tickstock.database.writers import TickWriter
from tickstock.errors import DatabaseError, DatabaseUnavailable
from tickstock.feed.feed_items import FeedTick
from tickstock.logs import Rejections

logger = logging.getLogger(__name__)

BATCH_TICKS = 5_000
BATCH_SECONDS = 0.2
WAITING_TICKS = 1_000_000  # about 170 MB
SPILL_ABOVE_TICKS = 300_000  # waiting in memory while the database is away
SPILL_READ_BYTES = 500_000
RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 3.0  # for one batch; SQLite itself waits ten times as long for whoever holds the file
RETENTION_SECONDS = 60.0
SURPLUS_SECONDS = 600.0  # counting all stored ticks is not free
_DAY_MS = 86_400_000
_GIGABYTE = 1 << 30


class _Chunk(NamedTuple):
    """Ticks of one run with consecutive positions."""

    run: str
    first: int
    ticks: Sequence[FeedTick]


class _Batch(NamedTuple):
    """What is stored together."""

    chunks: list[_Chunk]
    ticks: int
    records: int  # of the file, from which it was read; 0: it was in memory


class TickRecorder:
    """Stores what `add` accepts from a thread of its own; `add` never waits for the database.

    While the database is away ticks wait in memory, then in a file, and are stored in their order when it is back, also by the
    next process.

    Args:
        database_url: sqlite:/// or postgresql://.
        spill: the file for ticks that wait longer.
        retention_days: age, measured against the newest tick, at which ticks are deleted.
        retention_gigabytes: size at which the oldest are deleted.
        waiting_ticks: how many may wait in memory when the file takes no more; further ones are dropped, and counted.
    """

    def __init__(
        self,
        database_url: str,
        *,
        spill: Path,
        retention_days: float = 3.0,
        retention_gigabytes: float = 5.0,
        waiting_ticks: int = WAITING_TICKS,
    ) -> None:
        self.stored_ticks = 0
        self.dropped_ticks = 0
        self._writer = TickWriter(database_url)
        self._retention = Retention(database_url)
        self._retention_ms = int(retention_days * _DAY_MS)
        self._retention_bytes = retention_gigabytes * _GIGABYTE
        self._most_waiting = waiting_ticks
        self._chunks: deque[_Chunk] = deque()
        self._accepted = 0  # by `add`; what was taken out again is counted by the thread: each side writes its own number
        self._taken = 0
        self._batch: _Batch | None = None  # taken out of memory or the file, and not stored yet
        self._spilled = SpillFile(spill)
        self._newest = 0  # timestamp
        self._rejections = Rejections(logger, "TICK-RECORDER")
        self._away_since: float | None = None
        self._insert_began: float | None = None
        self._full = threading.Event()
        self._stopped = threading.Event()
        self._stop_by = float("inf")
        self._retention_due = time.monotonic() + RETENTION_SECONDS
        self._surplus_due = self._retention_due
        self._thread = threading.Thread(target=self._run, name="tick-recorder", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Store what waits, for at most `timeout` seconds, and end the thread."""
        self._stop_by = time.monotonic() + timeout
        self._stopped.set()
        self._full.set()
        if self._thread.is_alive():
            self._thread.join(timeout + 5)

    def add(self, run: str, first: int, ticks: Sequence[FeedTick]) -> None:
        """Accept ticks with the positions from `first` on."""
        if not ticks:
            return
        self._notice_a_long_wait()
        room = max(0, self._most_waiting - self.memory_ticks)
        if room < len(ticks):
            self._drop(len(ticks) - room, "for which neither the database nor the spill file had room")
            ticks = ticks[:room]
            if not ticks:
                return
        self._accepted += len(ticks)
        self._chunks.append(_Chunk(run, first, ticks))
        if self.memory_ticks >= BATCH_TICKS and not self._full.is_set():
            self._full.set()

    @property
    def memory_ticks(self) -> int:
        """Ticks that wait in memory."""
        return self._accepted - self._taken

    @property
    def waiting_ticks(self) -> int:
        """Ticks that were accepted and are not stored yet, in memory or in the file."""
        return self.memory_ticks + self._spilled.weight

    def state(self) -> dict[str, Any]:
        """What /health shows of it."""
        away = self._away_since
        return {
            "connected": away is None,
            "away_seconds": round(time.monotonic() - away, 1) if away is not None else 0.0,
            "stored_ticks": self.stored_ticks,
            "waiting_ticks": self.waiting_ticks,
            "spilled_ticks": self._spilled.weight,
            "dropped_ticks": self.dropped_ticks,
            "rejected": dict(self._rejections.counts),
        }

    def _drop(self, count: int, why: str, problem: Exception | None = None) -> None:
        self.dropped_ticks += count
        self._rejections.add(f"ticks {why}", problem, count)

    def _run(self) -> None:
        while not self._is_done():
            if self._away_since is None:
                self._full.wait(BATCH_SECONDS)
            elif self._stopped.wait(RETRY_SECONDS):
                time.sleep(BATCH_SECONDS)
            self._full.clear()
            try:
                self._turn()
            except Exception:  # storing must go on, whatever one turn met
                logger.exception("TICK-RECORDER: storing ticks failed; it goes on")
        self._spill()
        in_native_thread(self._close)

    def _turn(self) -> None:
        while not self._is_done() and (self._batch or self._chunks or self._spilled.records):
            if not self._store_next():
                if self._spilled.records or self.memory_ticks > SPILL_ABOVE_TICKS:
                    self._spill()
                return
        self._delete_old()

    def _is_done(self) -> bool:
        nothing_waits = not (self._batch or self._chunks or self._spilled.records)
        return self._stopped.is_set() and (nothing_waits or time.monotonic() >= self._stop_by)

    def _close(self) -> None:
        self._writer.close()
        self._retention.close()

    def _store_next(self) -> bool:
        """Store the oldest ticks that wait; false while the database is away."""
        if self._batch is None:
            self._batch = in_native_thread(self._from_file) if self._spilled.records else self._from_memory()
            if unreadable := max(0, self._batch.records - len(self._batch.chunks)):
                self._rejections.add("records of the file of waiting ticks, written by another version", "", unreadable)
        batch = self._batch
        self._insert_began = time.monotonic()
        try:
            in_native_thread(_insert, self._writer, batch.chunks)
            self.stored_ticks += batch.ticks
            self._is_back()
        except DatabaseUnavailable as problem:
            self._is_away(problem)
            return False
        except DatabaseError as problem:
            self._drop(batch.ticks, "that the database refused", problem)
        finally:
            self._insert_began = None
        self._batch = None
        if batch.records:
            in_native_thread(self._spilled.remove, batch.records)
        else:
            self._taken += batch.ticks
        return True

    def _from_memory(self) -> _Batch:
        chunks, count = [], 0
        while self._chunks and count < BATCH_TICKS:
            chunk = self._chunks.popleft()
            chunks.append(chunk)
            count += len(chunk.ticks)
            self._newest = max(self._newest, chunk.ticks[-1].timestamp)
        return _Batch(chunks, count, 0)

    def _from_file(self) -> _Batch:
        records = self._spilled.oldest(SPILL_READ_BYTES)
        chunks = []
        for record in records:
            try:
                chunks.append(msgspec.msgpack.decode(record, type=_Chunk))
            except (ValueError, RecursionError):
                continue  # of another TickStock; `_store_next` says so
        return _Batch(chunks, sum(len(chunk.ticks) for chunk in chunks), len(records))

    def _spill(self) -> None:
        """Move what waits in memory into the file: all of it, so that the file stays older than the memory."""
        if self._batch is not None and not self._batch.records:
            self._chunks.extendleft(reversed(self._batch.chunks))
        self._batch = None
        chunks = [self._chunks.popleft() for _ in range(len(self._chunks))]
        if not chunks:
            return
        try:
            written = in_native_thread(self._spilled.append, _as_records(chunks))
        except OSError as problem:
            written = 0
            self._rejections.add("attempts to put waiting ticks into a file: they stay in memory", problem)
        self._taken += sum(len(chunk.ticks) for chunk in chunks[:written])
        self._chunks.extendleft(reversed(chunks[written:]))

    def _notice_a_long_wait(self) -> None:
        """A database that another program holds lets us wait in the middle of a batch: that is being away, too."""
        began = self._insert_began
        if began is not None and time.monotonic() - began > PATIENCE_SECONDS and not self._stopped.is_set():
            self._is_away(f"no answer for {PATIENCE_SECONDS:.0f} s; another program may hold it", began)

    def _is_away(self, problem: Exception | str, since: float | None = None) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic() if since is None else since
            logger.warning("TICK-RECORDER: the database is away (%s); ticks wait in memory", problem)

    def _is_back(self) -> None:
        if self._away_since is not None:
            logger.warning("TICK-RECORDER: the database is back after %.1f s; %d ticks waited",
                           time.monotonic() - self._away_since, self.waiting_ticks)  # fmt: skip
            self._away_since = None

    def _delete_old(self) -> None:
        """At most one small step at a time: storing goes first."""
        now = time.monotonic()
        if now < self._retention_due or not self._newest or self._stopped.is_set():
            return
        try:
            deleted = in_native_thread(self._retention.delete_ticks_before, self._newest - self._retention_ms)
            if not deleted and now >= self._surplus_due:
                surplus = in_native_thread(self._retention.surplus_ticks, self._retention_bytes)
                deleted = in_native_thread(self._retention.delete_oldest_ticks, surplus)
                if not deleted:
                    self._surplus_due = now + SURPLUS_SECONDS
        except DatabaseUnavailable:
            deleted = 0  # storing finds that out too, and says it
        if not deleted:
            in_native_thread(self._retention.close)  # it would keep up to 32 MB of what it read
        self._retention_due = now + (BATCH_SECONDS if deleted else RETENTION_SECONDS)


def _as_records(chunks: Sequence[_Chunk]) -> list[Record]:
    return [Record(msgspec.msgpack.encode(chunk), len(chunk.ticks)) for chunk in chunks]


def _insert(writer: TickWriter, batch: Sequence[_Chunk]) -> None:
    writer.insert_ticks(
        [
            (run, position, tick.symbol, tick.price, tick.volume, tick.timestamp, tick.late)
            for run, first, ticks in batch
            for position, tick in enumerate(ticks, first)
        ]
    )
