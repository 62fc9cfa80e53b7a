"""The log's rules without a socket: what waits, what is on its way, what was acknowledged, and what a new connection must send.

At most one batch is on its way. While it is, the next one fills: so frames that come close together leave together, and after a
lost connection there is exactly one batch whose fate has to be read from the log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tickstock.contract import FeedStatus, MarketTick
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.tick_batch import BATCH_TICKS, Batch, BatchBuilder, LogId

KEEP_ACKNOWLEDGED_SECONDS = 60.0
READY_BATCHES = 16  # batches that wait keep their messages ready to send up to here; beyond, only the log's lines are kept
TICK_BYTES = 64  # what a tick that waits is reckoned with before it is written down


class TickLog:
    """The queue of one run, from accepted to acknowledged. Not thread-safe: its owner holds a lock.

    Args:
        run: name of the run of the app.
        source: what the ticks are, as in the contract.
        limit_bytes: what may wait; further ticks are dropped, statuses never are. As much again may be kept acknowledged.
        batch_ticks: the most ticks in one transaction.
    """

    def __init__(self, run: str, source: str, limit_bytes: int, batch_ticks: int = BATCH_TICKS) -> None:
        self.run = run
        self.waiting_ticks = 0  # accepted, not acknowledged
        self.dropped_ticks = 0
        self.last_acknowledged = 0  # position
        self.last_sent_status: FeedStatus | None = None
        self._limit = limit_bytes
        self._batch_ticks = batch_ticks
        self._open = BatchBuilder(run, source)
        self._waiting: deque[Batch] = deque()
        self._waiting_bytes = 0
        self._in_flight: Batch | None = None
        self._acknowledged: deque[tuple[float, Batch]] = deque()
        self._acknowledged_bytes = 0
        self._last_ms = 0

    @property
    def is_empty(self) -> bool:
        """Whether everything was acknowledged."""
        return self._in_flight is None and not self._waiting and self._open.is_empty

    @property
    def is_used(self) -> bool:
        """Whether anything was ever added."""
        return not self.is_empty or self.last_sent_status is not None or self.last_acknowledged > 0

    @property
    def waiting_bytes(self) -> int:
        """Bytes of what waits."""
        return self._waiting_bytes + self._open.size

    def add(self, first: int, ticks: Sequence[FeedTick | MarketTick], status: FeedStatus | None = None) -> int:
        """Accept ticks with the positions from `first` on, and the status that stands behind them.

        Returns how many of the ticks a full buffer dropped; their positions stay theirs, so the hole is seen.
        """
        position = first + len(ticks) - 1
        kept = 0
        while kept < len(ticks):
            if self._open.count >= self._batch_ticks or (not self._open.is_empty and self._open.next_position != first + kept):
                self._seal()
            part = ticks[kept : kept + self._batch_ticks - self._open.count]
            if self.waiting_bytes + TICK_BYTES * len(part) > self._limit:
                break
            self._open.add_ticks(first + kept, part)
            kept += len(part)
        self.waiting_ticks += kept
        self.dropped_ticks += len(ticks) - kept
        if status is not None:
            if not self._open.is_empty and self._open.next_position != position + 1:
                self._seal()
            self._open.add_status(position, status)
        return len(ticks) - kept

    def peek(self) -> Batch | None:
        """The batch that leaves next; it is sealed by this."""
        if not self._waiting:
            self._seal()
        return self._waiting[0] if self._waiting else None

    def take(self, now_ms: int) -> Batch:
        """The next batch, with its id; it is on its way until it is acknowledged or a new connection is `resumed`."""
        assert self._in_flight is None and self._waiting
        batch = self._waiting.popleft()
        self._waiting_bytes -= batch.size
        if batch.id is None:
            batch.id = self._new_id(now_ms, batch.last)
        self._in_flight = batch
        return batch

    def acknowledge(self, now: float) -> None:
        """The batch on its way is in the log and published; `now` in seconds of a steady clock."""
        batch = self._in_flight
        assert batch is not None
        self._in_flight = None
        self.waiting_ticks -= batch.count
        self.last_acknowledged = batch.last
        self.last_sent_status = batch.latest or self.last_sent_status
        batch.shrink()
        self._acknowledged.append((now, batch))
        self._acknowledged_bytes += batch.size
        self._forget(now - KEEP_ACKNOWLEDGED_SECONDS)

    def published_without_log(self) -> None:
        """The batch on its way was published, but its entry was refused: only the entry is sent again, under a new id."""
        assert self._in_flight is not None
        self._in_flight.published = True
        self._in_flight.id = None

    @property
    def uncertain_id(self) -> LogId | None:
        """The id of the batch whose fate a lost connection left open: a new connection looks for it in the log."""
        return self._in_flight.id if self._in_flight is not None else None

    def resume(self, last_entry: LogId | None, last_id: LogId | None, uncertain_is_logged: bool, now: float) -> list[Batch]:
        """Continue on a new connection, whose predecessor can do nothing any more.

        Args:
            last_entry: id of the log's last entry; None when it is empty.
            last_id: the highest id it ever gave: new ones must be higher.
            uncertain_is_logged: whether the entry `uncertain_id` is in the log.
            now: seconds of a steady clock.

        Returns the acknowledged batches that the log lost: they are added to it again, without publishing.
        """
        self._last_ms = max(self._last_ms, last_id.ms if last_id else 0)
        batch = self._in_flight
        if batch is not None:
            if uncertain_is_logged:
                self.acknowledge(now)
            else:
                if batch.id is not None and last_id is not None and batch.id <= last_id:
                    batch.id = None  # somebody wrote in between: under its old id it would be refused
                self._in_flight = None
                self._waiting.appendleft(batch)
                self._waiting_bytes += batch.size
        return [batch for _, batch in self._acknowledged if self._is_missing(batch, last_entry, last_id)]

    def repeat_status(self, now_ms: int, detail: str) -> bool:
        """Put the last sent status before everything that waits, with a new time and detail; false when none was sent yet.

        It says again what holds at that place, so it changes nothing for who computes from the log.
        """
        if self.last_sent_status is None or self._in_flight is not None:
            return False
        sent = self.last_sent_status
        status = FeedStatus(
            sent.status, sent.source, sent.since, now_ms, sent.watermark, sent.run, self.last_acknowledged, detail
        )
        builder = BatchBuilder(self.run, sent.source)
        builder.add_status(self.last_acknowledged, status)
        batch = builder.seal()
        self._waiting.appendleft(batch)
        self._waiting_bytes += batch.size
        return True

    def _forget(self, before: float) -> None:
        while self._acknowledged and (self._acknowledged[0][0] < before or self._acknowledged_bytes > self._limit):
            self._acknowledged_bytes -= self._acknowledged.popleft()[1].size

    @staticmethod
    def _is_missing(batch: Batch, last_entry: LogId | None, last_id: LogId | None) -> bool:
        assert batch.id is not None
        return (last_entry is None or batch.id > last_entry) and (last_id is None or batch.id > last_id)

    def _new_id(self, now_ms: int, position: int) -> LogId:
        self._last_ms = max(now_ms, self._last_ms + 1)
        return LogId(self._last_ms, position)

    def _seal(self) -> None:
        if self._open.is_empty:
            return
        batch = self._open.seal()
        if len(self._waiting) >= READY_BATCHES:
            batch.shrink()
        self._waiting.append(batch)
        self._waiting_bytes += batch.size
