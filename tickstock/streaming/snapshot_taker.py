"""When a snapshot of the engine's state is taken, and how it gets into its file without holding up a minute.

The copy is made in the main thread between two minutes; a thread of its own waits until the database has committed the last of
them, and writes. So a file never knows more than the database does.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from pathlib import Path
from typing import NamedTuple

from tickstock.database.queries import Queries
from tickstock.errors import DatabaseError
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.log_follower import Position
from tickstock.streaming.snapshot import Snapshot
from tickstock.streaming.warm_up import WarmUp

logger = logging.getLogger(__name__)

EVERY_SECONDS = 600.0  # with 10,000 symbols a file of hundreds of megabytes; ten minutes are computed again within a second
COMMIT_SECONDS = 60.0  # how long one that is not committed yet is kept
LOOK_SECONDS = 0.2


class _Taken(NamedTuple):
    snapshot: Snapshot
    position: Position


class SnapshotTaker:
    """`look` and `take_last` belong to the main thread."""

    def __init__(self, path: Path, engine: StreamingEngine, warm_up: WarmUp, queries: Queries) -> None:
        self.written = 0  # until when (ms) the state in the file goes
        self._path = path
        self._engine = engine
        self._warm_up = warm_up
        self._queries = queries
        self._not_before = 0.0  # monotonic
        self._taken: queue.SimpleQueue[_Taken | None] = queue.SimpleQueue()
        self._is_busy = False
        self._is_stopping = False
        self._fails = False
        self._thread = threading.Thread(target=self._run, name="snapshot", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def look(self, base: Position) -> None:
        """Take a snapshot of the state behind this position, if it is time for one."""
        if time.monotonic() >= self._not_before and not self._is_busy:
            taken = self._copied(base)
            if taken is not None:
                self._not_before = time.monotonic() + EVERY_SECONDS
                self._is_busy = True
                self._taken.put(taken)

    def stop(self) -> None:
        """Let the thread write what is committed and end."""
        self._is_stopping = True
        self._taken.put(None)
        self._thread.join(COMMIT_SECONDS)

    def take_last(self, base: Position | None) -> None:
        """Write the state behind the last minute; the thread has ended, and everything is stored."""
        taken = self._copied(base) if base is not None and not self._thread.is_alive() else None
        if taken is not None:
            self._write(taken)

    def _copied(self, base: Position) -> _Taken | None:
        if base.complete_until <= self.written:
            return None
        begun = time.perf_counter()
        snapshot = self._warm_up.snapshot(base.complete_until)
        if snapshot is None:
            return None
        logger.debug("STREAMING: State of %d symbols copied in %.2f s", len(snapshot.symbols), time.perf_counter() - begun)
        return _Taken(snapshot, base)

    def _run(self) -> None:
        while (taken := self._taken.get()) is not None:
            if self._is_committed(taken.position):
                self._write(taken)
            del taken
            self._is_busy = False

    def _is_committed(self, position: Position) -> bool:
        deadline = time.monotonic() + COMMIT_SECONDS
        while time.monotonic() < deadline:
            try:
                progress = self._queries.progress(position.run)
            except DatabaseError:
                progress = None
            if progress is not None and progress.position >= position.position:
                return True
            if self._is_stopping:
                return False
            time.sleep(LOOK_SECONDS)
        return False

    def _write(self, taken: _Taken) -> None:
        try:
            taken.snapshot.write(self._path)
        except OSError as problem:
            if not self._fails:
                logger.warning("STREAMING: No snapshot of the state can be written (%s); a start will take longer", problem)
            self._fails = True
            return
        self._fails = False
        self.written = taken.snapshot.until
