"""The database's own thread: each closed minute in one transaction with its position, in order, however long it takes.

A minute is published when it is stored. While the database is away, or lets a transaction wait, it is published at once and
stored later. What waits long, or is left when the process stops, goes to a file; the next process stores it before anything else.
A kill in between only means that the minute is computed again from the log, and published again under the same ids.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec

from tickstock.contract import IndicatorAlert, ResultsEntry, StreamingIndicator, StreamingPattern
from tickstock.database.models import TOLD
from tickstock.database.spill import Record, SpillFile
from tickstock.database.writers import Batch, Writer
from tickstock.errors import DatabaseError, DatabaseUnavailable
from tickstock.market_hours import MINUTE_MS, Calendar, now_ms
from tickstock.streaming.bar_builder import LateTick
from tickstock.streaming.corrections import Row, store_corrections
from tickstock.streaming.engine import MinuteResults
from tickstock.streaming.history_store import insert_final_days
from tickstock.streaming.log_follower import Position
from tickstock.streaming.result_publisher import ResultPublisher
from tickstock.streaming.warm_up import History

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
PATIENCE_SECONDS = 3.0  # for one transaction; SQLite itself waits ten times as long for whoever holds the file
HISTORY_ROWS = 2_000
SPILL_ABOVE_ROWS = 50_000  # waiting in memory while the database is away: about 50 MB


@dataclass(slots=True)
class ClosedMinute:
    """What one transaction stores, and what is published for it; history has no position and is not published."""

    results: MinuteResults
    position: Position | None
    late: list[LateTick] = field(default_factory=list)
    late_bars: list[Row] = field(default_factory=list)
    gaps: list[tuple[Any, ...]] = field(default_factory=list)  # arguments of Batch.upsert_gap
    history: list[tuple[str, int]] = field(default_factory=list)  # rows of stored_history
    day_bars: list[Row] = field(default_factory=list)  # the vendor's, final
    coverage: list[tuple[str, int, int]] = field(default_factory=list)  # rows of bar_coverage
    vendor_progress: list[tuple[str, int]] = field(default_factory=list)
    published: bool = False

    @property
    def rows(self) -> int:
        """How much it holds."""
        results = self.results
        return len(results.bars) + len(results.patterns) + len(results.alerts) + len(results.indicators)


class MinuteWriter:
    """Stores closed minutes and hands them to the publisher."""

    def __init__(self, url: str, publisher: ResultPublisher, source: str, calendar: Calendar, spill: Path) -> None:
        """`spill` is the file for minutes that wait long."""
        self.stored_minute = 0
        self.corrected_bars = 0
        self.rejected_minutes = 0
        self.away_since = 0.0  # monotonic; 0 while the database answers
        self._url = url
        self._writer = Writer(url)
        self._publisher = publisher
        self._source = source
        self._calendar = calendar
        self._waiting: deque[ClosedMinute] = deque()
        self._history: deque[ClosedMinute] = deque()  # minutes need not wait for it
        self._spilled = SpillFile(spill)  # older than what waits in memory
        self._spill_fails = False
        self._moving = threading.RLock()  # between queues and file, and out of them; taken before `_changed`
        self._has_ended = False  # all is in the file; a transaction that is still under way takes out nothing any more
        self._changed = threading.Condition()
        self._publishing = threading.Lock()  # keeps the order when two threads publish
        self._transaction_began = 0.0  # monotonic; 0 between two transactions
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="minute-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, minute: ClosedMinute) -> None:
        """Queue a minute; never waits for the database."""
        self._put(minute, self._waiting)

    def _put(self, minute: ClosedMinute, queued: deque[ClosedMinute]) -> None:
        with self._changed:
            queued.append(minute)
            self._changed.notify_all()

    def put_history(self, history: History) -> None:
        """Queue what was found in warm-up bars, in steps that hold up nobody; that it is stored is the last of them.

        Minutes that come later are stored before what would be found again at the next start.
        """
        queued = self._history if history.is_found_again else self._waiting
        for first in range(0, max(len(history.patterns), len(history.alerts)), HISTORY_ROWS):
            part = slice(first, first + HISTORY_ROWS)
            self._put(ClosedMinute(MinuteResults(0, patterns=history.patterns[part], alerts=history.alerts[part]), None), queued)
        timeframes = [(each, history.until) for each in history.timeframes]
        joined = [(each, TOLD, history.until) for each in history.symbols]
        self._put(ClosedMinute(MinuteResults(0), None, history=timeframes, coverage=joined), queued)

    @property
    def waiting(self) -> int:
        """Minutes, and steps of history, that are not stored yet."""
        return len(self._waiting) + len(self._history) + self._spilled.records

    @property
    def waiting_minutes(self) -> int:
        """Minutes that are not stored yet; what is in the file counts as such."""
        return sum(1 for each in tuple(self._waiting) if each.position is not None) + self._spilled.records

    def look(self) -> None:
        """Publish what is held up by a transaction that takes long; called again and again by the main loop."""
        with self._changed:
            began = self._transaction_began
            if not began or time.monotonic() - began <= PATIENCE_SECONDS:
                return
            self._database_away(f"no answer for {PATIENCE_SECONDS:.0f} s; another program may hold it", began)
        self._publish_waiting()

    def flush(self, seconds: float) -> bool:
        """Wait until everything is stored; false when that took longer than `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.waiting, seconds)

    def stop(self, seconds: float) -> int:
        """Store what waits, for at most `seconds`; return how many minutes stayed behind, in the file."""
        self.flush(seconds)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(2)
        with self._moving:
            self._spill()
            self._has_ended = True
        if not self._thread.is_alive():  # else it waits for the database; what it holds is in the file too, and may come twice
            self._writer.close()
        return self.waiting

    def store_now(self, work: Callable[[Batch], None]) -> None:
        """Run a transaction of the caller's on a connection of its own.

        Raises:
            DatabaseUnavailable: nothing was stored.
        """
        with Writer(self._url) as writer, writer.transaction() as batch:
            work(batch)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.waiting or self._stopping, 1.0)
                if self._stopping:
                    return
                if not self.waiting:
                    continue
            if self.away_since:
                self._publish_waiting()
                if self._spilled.records or self._rows_in_memory() > SPILL_ABOVE_ROWS:
                    self._spill()
            if not self._store_oldest():
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, RETRY_SECONDS)

    def _store_oldest(self) -> bool:
        """Store the minute that has waited longest; false while the database is away."""
        with self._moving:
            if self._has_ended:
                return True
            is_from_file = bool(self._spilled.records)
            queued = self._waiting or self._history
            head = self._oldest_of_file() if is_from_file else queued[0]
        if head is None:
            return True
        self._transaction_began = time.monotonic()
        try:
            with self._writer.transaction() as batch:
                self._store(batch, head)
            with self._changed:
                self._transaction_began = 0.0
                self._database_answers()
        except DatabaseUnavailable as problem:
            self._database_away(problem)
            return False
        except DatabaseError as problem:
            # Trying again cannot help, and holding up all that follows would be worse: said loudly, and passed over.
            self.rejected_minutes += 1
            logger.error("STREAMING: Minute %d could not be stored and is left out: %s", head.results.minute, problem)
        except Exception:  # a fault of ours: as above, because without this thread nothing would be stored any more
            self.rejected_minutes += 1
            logger.exception("STREAMING: Minute %d could not be stored and is left out", head.results.minute)
        finally:
            self._transaction_began = 0.0
        self.stored_minute = max(self.stored_minute, head.results.minute)
        self._publish(head)
        with self._moving, self._changed:
            if not self._has_ended:
                if is_from_file:
                    self._spilled.remove(1)
                else:
                    queued.popleft()
            self._changed.notify_all()
        return True

    def _oldest_of_file(self) -> ClosedMinute | None:
        """The first minute in the file; None when it cannot be read, and is taken out."""
        try:
            return msgspec.msgpack.decode(self._spilled.oldest(1)[0], type=ClosedMinute)
        except (ValueError, RecursionError) as problem:
            self.rejected_minutes += 1
            logger.error("STREAMING: A minute that waited in the file cannot be read and is left out: %s", problem)
            self._spilled.remove(1)
            return None

    def _rows_in_memory(self) -> int:
        return sum(each.rows for queued in (self._waiting, self._history) for each in tuple(queued))

    def _spill(self) -> None:
        """Move what waits in memory into the file; what was not published yet stays, unless the process ends."""
        with self._moving:
            for queued in (self._waiting, self._history):
                self._spill_some(queued)

    def _spill_some(self, queued: deque[ClosedMinute]) -> None:
        with self._changed:
            waiting = tuple(queued)
        movable = takewhile(lambda each: each.published or each.position is None or self._stopping, waiting)
        records = [Record(msgspec.msgpack.encode(each)) for each in movable]
        try:
            written = self._spilled.append(records)
        except OSError as problem:
            written = 0
            if not self._spill_fails:
                logger.error("STREAMING: Minutes that wait for the database stay in memory: no file can be written (%s)", problem)
        self._spill_fails = written < len(records)
        with self._changed:
            for _ in range(written):
                queued.popleft()

    def _store(self, batch: Batch, minute: ClosedMinute) -> None:
        results, position = minute.results, minute.position
        batch.insert_bars(results.bars)
        self.corrected_bars += store_corrections(
            batch, minute.late, minute.late_bars, results.bars, self._source, self._calendar, results.minute + MINUTE_MS
        )  # fmt: skip
        batch.upsert_patterns([pattern_row(each) for each in results.patterns])
        batch.insert_alerts([alert_row(each) for each in results.alerts])
        batch.insert_indicators([indicator_row(each) for each in results.indicators])
        batch.set_history(minute.history)
        insert_final_days(batch, minute.day_bars)
        batch.set_coverage(minute.coverage)
        batch.set_vendor_progress(minute.vendor_progress)
        for gap in minute.gaps:
            batch.upsert_gap(*gap)
        if position is not None:
            batch.set_progress(position.run, position.position, results.minute, position.replay_from, now_ms())

    def _publish_waiting(self) -> None:
        with self._changed:
            waiting = tuple(self._waiting)
        for each in waiting:
            self._publish(each)

    def _publish(self, minute: ClosedMinute) -> None:
        results, position = minute.results, minute.position
        with self._publishing:
            if minute.published or position is None:
                return
            minute.published = True
            self._publisher.publish(
                ResultsEntry(
                    position.run, position.position, results.minute, results.patterns, results.alerts, results.indicators
                )
            )

    def _database_away(self, problem: DatabaseError | str, since: float = 0.0) -> None:
        if not self.away_since:
            self.away_since = since or time.monotonic()
            logger.warning("STREAMING: The database is away (%s); closed minutes wait and are stored in order", problem)

    def _database_answers(self) -> None:
        if self.away_since:
            away = time.monotonic() - self.away_since
            self.away_since = 0.0
            logger.info("STREAMING: The database answers again after %.1f s; %d minutes waited", away, self.waiting)


def pattern_row(pattern: StreamingPattern) -> Row:
    """A row of `intraday_patterns`."""
    return msgspec.structs.astuple(pattern)


def alert_row(alert: IndicatorAlert) -> Row:
    """A row of `indicator_alerts`."""
    return msgspec.structs.astuple(alert)


def indicator_row(indicator: StreamingIndicator) -> Row:
    """A row of `intraday_indicators`."""
    return (
        indicator.symbol, indicator.timeframe, indicator.bar_timestamp, indicator.session, indicator.calculation_timestamp,
        indicator.values, indicator.source,
    )  # fmt: skip
