"""The log's rules without a socket: what waits, what is on its way, what was acknowledged, and what a new connection must send.

At most one batch is on its way. While it is, the next one fills: so frames that come close together leave together, and after a
lost connection there is exactly one batch whose fate has to be read from the log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET

from tickstock.contract import FeedStatus, MarketTick
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.tick_batch import BATCH_TICKS, Batch, BatchBuilder, LogId, LogSpan
from tickstock.market_hours import MINUTE_MS

KEEP_ACKNOWLEDGED_SECONDS = 60.0
READY_BATCHES = 16  # batches that wait keep their messages ready to send up to here; beyond, only the log's lines are kept
TICK_BYTES = 64  # what a tick that waits is reckoned with before it is written down


class Lost(NamedTuple):
    """Acknowledged batches that a log in Redis lacks, in their order."""

    batches: list[Batch]
    from_its_beginning: bool  # what the log has stands behind them: it has to be made anew


class TickLog:
    """The queue of one run, from accepted to acknowledged. Not thread-safe: its owner holds a lock.

    Args:
        run: name of the run of the app.
        source: what the ticks are, as in the contract.
        limit_bytes: what may wait; further ticks are dropped, and so are statuses that only repeat the one before. As much
            again may be kept acknowledged.
        batch_ticks: the most ticks in one transaction.
        keep_seconds: how long acknowledged batches are kept, to be put back into a log that lost them.
    """

    def __init__(
        self,
        run: str,
        source: str,
        limit_bytes: int,
        batch_ticks: int = BATCH_TICKS,
        keep_seconds: float = KEEP_ACKNOWLEDGED_SECONDS,
    ) -> None:
        self.run = run
        self.waiting_ticks = 0  # accepted, not acknowledged
        self.dropped_ticks = 0
        self.last_acknowledged = 0  # position
        self.last_sent_status: FeedStatus | None = None
        self._limit = limit_bytes
        self._batch_ticks = batch_ticks
        self._keep_seconds = keep_seconds
        self._open = BatchBuilder(run, source)
        self._waiting: deque[Batch] = deque()
        self._waiting_bytes = 0
        self._in_flight: Batch | None = None
        self._acknowledged: deque[tuple[float, Batch]] = deque()
        self._acknowledged_bytes = 0
        self._let_go: LogId | None = None  # what stood before this entry was trimmed on purpose
        self._last_ms = 0
        self._last_added: FeedStatus | None = None

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
        if status is not None and (self.waiting_bytes <= self._limit or self._says_something_new(status)):
            self._last_added = status
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
        self._forget(now - self._keep_seconds)

    def published_without_log(self) -> None:
        """The batch on its way was published, but its entry was refused: only the entry is sent again, under a new id."""
        assert self._in_flight is not None
        self._in_flight.published = True
        self._in_flight.id = None

    @property
    def uncertain_id(self) -> LogId | None:
        """The id of the batch whose fate a lost connection left open: a new connection looks for it in the log."""
        return self._in_flight.id if self._in_flight is not None else None

    def resume(self, highest: LogId | None, uncertain_is_logged: bool, now: float) -> None:
        """Continue on a connection on which nothing is on its way any more.

        Args:
            highest: the highest id that the log ever gave: new ones must be higher.
            uncertain_is_logged: whether the entry `uncertain_id` is in the log.
            now: seconds of a steady clock.
        """
        self._last_ms = max(self._last_ms, highest.ms if highest else 0)
        batch = self._in_flight
        if batch is None:
            return
        if uncertain_is_logged:
            self.acknowledge(now)
            return
        if batch.id is not None and highest is not None and batch.id <= highest:
            batch.id = None  # somebody wrote in between: under its old id it would be refused
        self._in_flight = None
        self._waiting.appendleft(batch)
        self._waiting_bytes += batch.size

    def lost(self, span: LogSpan) -> Lost:
        """The acknowledged batches that a log which reaches this far has lost; they are put back without publishing."""
        kept = [batch for _, batch in self._acknowledged if self._let_go is None or _id(batch) >= self._let_go]
        if kept and (span.first is None or span.first > _id(kept[0])):
            return Lost(kept, from_its_beginning=True)
        end = max((each for each in (span.last, span.highest) if each is not None), default=None)
        return Lost([batch for batch in kept if end is not None and _id(batch) > end], from_its_beginning=False)

    def trimmed(self, first: LogId | None) -> None:
        """The log was trimmed on purpose, and begins with this entry."""
        self._let_go = first

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

    def _says_something_new(self, status: FeedStatus) -> bool:
        last = self._last_added
        return (
            last is None
            or not (status.gap is status.joined is status.left is UNSET)
            or status.status != last.status
            or status.watermark // MINUTE_MS != last.watermark // MINUTE_MS
        )

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


def _id(batch: Batch) -> LogId:
    assert batch.id is not None
    return batch.id
