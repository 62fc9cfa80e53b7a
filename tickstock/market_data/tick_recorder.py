"""TickRecorder: exactly the forwarded ticks into the database, in bulk, off the event loop."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from tickstock.cooperation import in_native_thread
from tickstock.database.retention import Retention
from tickstock.database.writers import TickWriter
from tickstock.errors import DatabaseError, DatabaseUnavailable
from tickstock.feed.feed_items import FeedTick
from tickstock.logs import Rejections

logger = logging.getLogger(__name__)

BATCH_TICKS = 5_000
BATCH_SECONDS = 0.2
WAITING_TICKS = 1_000_000  # about 170 MB
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


class TickRecorder:
    """Stores what `add` accepts from a thread of its own; `add` never waits for the database.

    Args:
        database_url: sqlite:/// or postgresql://.
        retention_days: age, measured against the newest tick, at which ticks are deleted.
        retention_gigabytes: size at which the oldest are deleted.
        waiting_ticks: how many may wait while the database is away; further ones are dropped, and counted.
    """

    def __init__(
        self,
        database_url: str,
        *,
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
        room = max(0, self._most_waiting - self.waiting_ticks)
        if room < len(ticks):
            self._drop(len(ticks) - room)
            ticks = ticks[:room]
        self._accepted += len(ticks)
        self._chunks.append(_Chunk(run, first, ticks))
        if self.waiting_ticks >= BATCH_TICKS and not self._full.is_set():
            self._full.set()

    @property
    def waiting_ticks(self) -> int:
        """Ticks that were accepted and are not stored yet."""
        return self._accepted - self._taken

    def state(self) -> dict[str, Any]:
        """What /health shows of it."""
        away = self._away_since
        return {
            "connected": away is None,
            "away_seconds": round(time.monotonic() - away, 1) if away is not None else 0.0,
            "stored_ticks": self.stored_ticks,
            "waiting_ticks": self.waiting_ticks,
            "dropped_ticks": self.dropped_ticks,
            "rejected": dict(self._rejections.counts),
        }

    def _drop(self, count: int) -> None:
        # A later version spills to disk here instead.
        self.dropped_ticks += count
        self._rejections.add("ticks, because the database is away and the queue is full", count=count)

    def _run(self) -> None:
        while not (self._stopped.is_set() and (not self._chunks or time.monotonic() >= self._stop_by)):
            self._full.wait(BATCH_SECONDS)
            self._full.clear()
            try:
                while self._chunks and time.monotonic() < self._stop_by:
                    self._store(self._next_batch())
                self._delete_old()
            except Exception:  # storing must go on, whatever one turn met
                logger.exception("TICK-RECORDER: storing ticks failed; it goes on")
        in_native_thread(self._close)

    def _close(self) -> None:
        self._writer.close()
        self._retention.close()

    def _next_batch(self) -> list[_Chunk]:
        batch, count = [], 0
        while self._chunks and count < BATCH_TICKS:
            chunk = self._chunks.popleft()
            batch.append(chunk)
            count += len(chunk.ticks)
            self._newest = max(self._newest, chunk.ticks[-1].timestamp if chunk.ticks else 0)
        return batch

    def _store(self, batch: list[_Chunk]) -> None:
        """Store a batch, waiting for the database as long as it is away."""
        count = sum(len(chunk.ticks) for chunk in batch)
        while True:
            self._insert_began = time.monotonic()
            try:
                in_native_thread(_insert, self._writer, batch)
                self.stored_ticks += count
                self._is_back()
                break
            except DatabaseUnavailable as problem:
                self._is_away(problem)
                if time.monotonic() >= self._stop_by:
                    self._drop(count)
                    break
                if self._stopped.is_set():
                    time.sleep(0.1)
                else:
                    self._stopped.wait(RETRY_SECONDS)
            except DatabaseError as problem:
                self.dropped_ticks += count
                self._rejections.add("ticks that the database refused", problem, count)
                break
            finally:
                self._insert_began = None
        self._taken += count

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
        self._retention_due = now + (BATCH_SECONDS if deleted else RETENTION_SECONDS)


def _insert(writer: TickWriter, batch: Sequence[_Chunk]) -> None:
    writer.insert_ticks(
        [
            (run, position, tick.symbol, tick.price, tick.volume, tick.timestamp, tick.late)
            for run, first, ticks in batch
            for position, tick in enumerate(ticks, first)
        ]
    )
