"""From the committed position to the end of the log, in order; what the log no longer holds comes from the stored ticks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import redis

from tickstock.contract import PUBLISHER_LEASE_KEY, TICKS_LOG_KEY, FeedStatus, LogEntry, MarketTick, decode_log_entry
from tickstock.errors import MessageError
from tickstock.logs import Rejections

logger = logging.getLogger(__name__)

ENTRIES_PER_READ = 200
STORED_TICKS_PER_READ = 20_000
LAST_POSITION = (1 << 63) - 1
STORE_WAIT_SECONDS = 3.0  # the app stores ticks a moment after it forwards them
REFILL_WAIT_SECONDS = 4.0  # the app puts back what Redis lost within this time, as far as it remembers
REMEMBERED_MS = 75_000  # which is the last minute
WAIT_STEP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class LoggedTicks:
    """Ticks of one run with consecutive positions; `late` is known only of stored ticks."""

    run: str
    first: int
    ticks: list[MarketTick]
    late: list[bool] | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """Positions that neither the log nor the database holds."""

    run: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class BeginningLost:
    """What stood before the messages of a run is lost: its beginning, with the gap of the feed, or other runs before it."""

    run: str


Piece = LoggedTicks | FeedStatus | Lost | BeginningLost


class StoredTicks(Protocol):
    """The `ticks` table, as far as the reader needs it."""

    def __call__(self, run: str, first: int, last: int) -> list[tuple[int, MarketTick, bool]]:
        """(position, tick, late) of what is stored between two positions, both included, in order; the first ones, if many."""


class LogReader:
    """Reads `tickstock:market:ticks:journal`; `run` and `position` say how far it has come."""

    def __init__(
        self, client: redis.Redis, stored: StoredTicks, rejections: Rejections, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.run = ""
        self.position = 0
        self._client = client
        self._stored = stored
        self._rejections = rejections
        self._sleep = sleep
        self._last_id = "-"
        self._rest_in_store = False  # of a run that the log does not know any more
        self._lost_its_run = False  # whatever followed it, other runs perhaps, is lost up to where the log begins now
        self._reached: dict[str, int] = {}  # position in each run that was read since the last seek

    def seek(self, run: str, replay_from: int) -> None:
        """Go to where position `replay_from` of a run follows; statuses directly before it are read too."""
        self.run, self.position = run, max(0, replay_from - 1)
        self._reached = {}
        known = False

        def lies_before(entry: LogEntry) -> bool:
            nonlocal known
            if entry.run != run:
                return known  # newer runs are passed over, older ones end the search
            known = True
            return entry.first + entry.count - 1 < replay_from - 1

        self._last_id = self._last_id_where(lies_before)
        waited = 0.0
        while not known and waited < REFILL_WAIT_SECONDS and self._may_be_refilled(run):
            self._sleep(WAIT_STEP_SECONDS)
            waited += WAIT_STEP_SECONDS
            self._last_id = self._last_id_where(lies_before)
        self._rest_in_store = self._lost_its_run = not known

    def seek_start_of_run(self, run: str) -> bool:
        """Go to the oldest entry of the newest run, which is `run`: true when that is the run's beginning."""
        oldest: LogEntry | None = None

        def lies_before(entry: LogEntry) -> bool:
            nonlocal oldest
            if entry.run != run:
                return True
            oldest = entry
            return False

        self._last_id = self._last_id_where(lies_before)
        self.run, self.position = run, oldest.first - 1 if oldest else 0
        self._reached = {}
        self._rest_in_store = self._lost_its_run = False
        return self.position == 0

    def reached(self, run: str) -> int | None:
        """How far a run was read since the last seek; None when the log did not show it."""
        return self._reached.get(run)

    def lease_holder(self) -> str:
        """The run of the app that may publish at this moment; empty when none holds the lease."""
        holder: Any = self._client.get(PUBLISHER_LEASE_KEY)
        return holder.decode() if holder else ""

    def read(self) -> Iterator[Piece]:
        """Everything from here to the log's present end."""
        if self._rest_in_store:
            self._rest_in_store = False
            while rows := self._stored(self.run, self.position + 1, LAST_POSITION):
                yield from self._from_store(rows)
        while True:
            entries: Any = self._client.xrange(TICKS_LOG_KEY, min=_behind(self._last_id), count=ENTRIES_PER_READ)
            for entry_id, fields in entries:
                self._last_id = entry_id.decode()
                try:
                    entry = decode_log_entry(fields)
                except MessageError as problem:
                    self._rejections.add("malformed log entry", str(problem))
                    continue
                if self._follows_a_hole(entry) and self._was_refilled(entry):
                    break
                yield from self._pieces(entry)
            else:
                if len(entries) < ENTRIES_PER_READ:
                    return

    def _follows_a_hole(self, entry: LogEntry) -> bool:
        position = self.position if entry.run == self.run else self._reached.get(entry.run, 0)
        return entry.first > position + 1

    def _was_refilled(self, entry: LogEntry) -> bool:
        """Wait a moment for a log that Redis lost to come back; true when reading has to go on before this entry."""
        position = self.position if entry.run == self.run else self._reached.get(entry.run, 0)
        waited = 0.0
        while self._may_be_refilled(entry.run):
            back = self._last_id_where(lambda each: each.run != entry.run or each.first + each.count - 1 <= position)
            follows = self._first_behind(back)
            if follows is not None and follows.run == entry.run and follows.first < entry.first:
                self._last_id = back
                return True
            if waited >= REFILL_WAIT_SECONDS:
                return False
            self._sleep(WAIT_STEP_SECONDS)
            waited += WAIT_STEP_SECONDS
        return False

    def _may_be_refilled(self, run: str) -> bool:
        """Whether the log looks as if Redis had lost it just now, and the app of this run, who remembers it, is there."""
        if self.lease_holder() not in ("", run):
            return False
        first: Any = self._client.xrange(TICKS_LOG_KEY, count=1)
        last: Any = self._client.xrevrange(TICKS_LOG_KEY, count=1)
        return not first or not last or _milliseconds(last[0][0]) - _milliseconds(first[0][0]) < REMEMBERED_MS

    def _first_behind(self, entry_id: str) -> LogEntry | None:
        found: Any = self._client.xrange(TICKS_LOG_KEY, min=_behind(entry_id), count=1)
        try:
            return decode_log_entry(found[0][1]) if found else None
        except MessageError:
            return None

    def fill(self, last: int) -> Iterator[Piece]:
        """What the log lacks up to a position of this run: from the database, else lost."""
        deadline = time.monotonic() + STORE_WAIT_SECONDS
        while self.position < last:
            upto = min(last, self.position + STORED_TICKS_PER_READ)
            rows = self._stored(self.run, self.position + 1, upto)
            if (not rows or rows[-1][0] < upto) and time.monotonic() < deadline:
                self._sleep(0.1)
                continue
            yield from self._from_store(rows)
            if self.position < upto:
                yield Lost(self.run, self.position + 1, upto)
                self.position = upto

    def _from_store(self, rows: list[tuple[int, MarketTick, bool]]) -> Iterator[Piece]:
        for position, tick, late in rows:
            if position > self.position + 1:
                yield Lost(self.run, self.position + 1, position - 1)
            self.position = position
            yield LoggedTicks(self.run, position, [tick], [late])

    def _pieces(self, entry: LogEntry) -> Iterator[Piece]:
        if entry.run != self.run:
            # Nobody but the app writes here; should somebody, the position in the app's own run is not forgotten.
            self.run, self.position = entry.run, self._reached.get(entry.run, 0)
        yield from self._messages(entry)
        self._reached[entry.run] = self.position

    def _messages(self, entry: LogEntry) -> Iterator[Piece]:
        is_new = self.position == 0 and entry.run not in self._reached
        if is_new and (self._lost_its_run or not _begins_run(entry)):
            yield BeginningLost(entry.run)
        self._lost_its_run = False
        if entry.first > self.position + 1:
            logger.warning("STREAMING: The log lacks ticks %d to %d of run %s", self.position + 1, entry.first - 1, entry.run)
            yield from self.fill(entry.first - 1)
        ticks: list[MarketTick] = []
        position = entry.first - 1
        for message in entry.messages:
            if isinstance(message, MarketTick):
                position += 1
                if position > self.position:
                    ticks.append(message)
                continue
            if ticks:
                self.position = position
                yield LoggedTicks(entry.run, position - len(ticks) + 1, ticks)
                ticks = []
            yield message
        if ticks:
            self.position = position
            yield LoggedTicks(entry.run, position - len(ticks) + 1, ticks)

    def _last_id_where(self, lies_before: Callable[[LogEntry], bool]) -> str:
        """Walk back from the end to the first entry for which this holds, and return its id; "-" when there is none."""
        upper = "+"
        while True:
            entries: Any = self._client.xrevrange(TICKS_LOG_KEY, max=upper, count=ENTRIES_PER_READ)
            for entry_id, fields in entries:
                try:
                    if lies_before(decode_log_entry(fields)):
                        return str(entry_id.decode())
                except MessageError:
                    continue  # counted when it is read in order
            if len(entries) < ENTRIES_PER_READ:
                return "-"
            upper = f"({entries[-1][0].decode()}"


def _behind(entry_id: str) -> str:
    return entry_id if entry_id == "-" else f"({entry_id}"


def _milliseconds(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def _begins_run(entry: LogEntry) -> bool:
    """The first message of a run is a status with `forwarded` 0."""
    first = entry.messages[0] if entry.messages else None
    return isinstance(first, FeedStatus) and first.forwarded == 0
