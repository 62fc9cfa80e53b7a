"""Follows the log: live where the count agrees with it, from the committed position whenever it does not.

There is one path. What arrives live goes through the same builder and the same sink as what is read from the log, and a
return to the log drops the open minutes and reads them again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tickstock.contract import FeedStatus, MarketTick, decode, decode_ticks
from tickstock.errors import MessageError
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.bar_builder import BarBuilder
from tickstock.streaming.health import Figures
from tickstock.streaming.live_cursor import LiveCursor, Verdict
from tickstock.streaming.log_reader import BeginningLost, LoggedTicks, LogReader, Lost, Piece
from tickstock.streaming.tick_subscriber import Arrival, Cut

logger = logging.getLogger(__name__)

LOG_WAIT_SECONDS = 5.0  # a log that Redis lost is refilled by the app within this time
FOREIGN_AFTER_SECONDS = 5.0
FOREIGN_HOLD_MS = 4000
FOREIGN_RUN = "foreign"
HOLDER_KNOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log that everything up to it has been handed to the database: where a return begins."""

    run: str
    position: int
    complete_until: int  # minutes that end at or before this are closed
    replay_from: int


class Sink(Protocol):
    """What the follower feeds."""

    def base(self) -> Position | None:
        """Where a return to the log begins; None before anything was closed."""

    def returning(self) -> None:
        """The open minutes are dropped; those that were ended but not closed will be ended again."""

    def begin_inside_run(self) -> None:
        """The log no longer holds the beginning of a run: minutes that are open there are incomplete."""

    def status(self, status: FeedStatus, live: bool) -> None:
        """A status, behind all ticks that stand before it."""

    def lost(self, lost: Lost) -> None:
        """Positions that nothing holds any more."""

    def taken(self, run: str, position: int) -> None:
        """Ticks up to this position were processed."""


class LogFollower:
    """Turns arrivals into ticks for the builder and statuses for the sink."""

    def __init__(
        self,
        reader: LogReader,
        builder: BarBuilder,
        sink: Sink,
        figures: Figures,
        rejections: Rejections,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._reader = reader
        self._builder = builder
        self._sink = sink
        self._figures = figures
        self._rejections = rejections
        self._monotonic = monotonic
        self._sleep = sleep
        self._cursor = LiveCursor()
        self._status_seen = False
        self._read = 0  # ticks that were read from the log
        self._counted: dict[str, int] = {}  # the highest position of each run that is in ticks_total
        self._unconfirmed = 0  # of ticks_total: counted since the last status that agreed
        self._confirmed = 0  # the position that was reached with it
        self._holder: str | None = None  # of the lease, when it was last asked for
        self._holder_asked = float("-inf")
        self._first_foreign: float | None = None
        self._foreign: list[MarketTick] = []
        self._foreign_count = 0
        self._foreign_newest = 0  # ms

    def arrival(self, arrival: Arrival) -> None:
        """Process one arrival of the live tap.

        Raises:
            redis.RedisError: a return to the log was needed and Redis is away; the next status tries again.
        """
        if isinstance(arrival, list):
            self._ticks(arrival)
        elif isinstance(arrival, Cut):
            self._cursor.cut()
        else:
            try:
                status = decode(arrival, FeedStatus)
            except MessageError as problem:
                self._rejections.add("malformed status", str(problem))
                return
            self._status(status)

    def _ticks(self, payloads: list[bytes]) -> None:
        known = self._cursor.ticks(len(payloads))
        fresh = payloads[known:] if self._status_seen else payloads
        ticks, bad = decode_ticks(fresh)
        for payload, problem in bad:
            self._rejections.add("malformed tick", f"{problem}: {payload[:80]!r}")
        self._figures.ticks_rejected += len(bad)
        if not self._status_seen:
            self._foreign_ticks(ticks)
        elif ticks:
            # A malformed message only shifts the count, so the position may be too low by as many: replays begin earlier.
            self._builder.add(ticks, self._cursor.position - len(fresh) + 1)
            counted = self._figures.ticks_total
            self._taken(self._cursor.run, self._cursor.position, len(ticks))
            self._unconfirmed += self._figures.ticks_total - counted

    def _status(self, status: FeedStatus) -> None:
        self._status_seen = True
        if self._is_beside_our_run(status):
            return
        verdict = self._cursor.status(status)
        if verdict is not Verdict.RETURN:
            self._unconfirmed, self._confirmed = 0, max(self._confirmed, status.forwarded)
        if verdict is Verdict.FOLLOW:
            self._sink.status(status, live=True)
        elif verdict is Verdict.RETURN:
            self._take_back_unconfirmed()
            self._figures.catching_up = True
            try:
                self.return_to_log(status)
            finally:
                self._figures.catching_up = False
                self._confirmed = self._counted.get(self._cursor.run, 0)

    def return_to_log(self, status: FeedStatus) -> None:
        """Drop the open minutes and run over the log from the committed position to its end, at least up to this status."""
        base = self._sink.base()
        self._sink.returning()
        self._builder.restart(*((base.complete_until, base.run) if base else (0, "")))
        if base is not None and base.run != FOREIGN_RUN:
            self._reader.seek(base.run, base.replay_from)
        elif not self._reader.seek_start_of_run(status.run):
            self._sink.begin_inside_run()
        begun, before = self._monotonic(), self._read
        deadline = begun + LOG_WAIT_SECONDS
        while True:
            for piece in self._reader.read():
                self._piece(piece, base)
            if self._is_foreign(status):
                return  # nobody's: the log's own run goes on with its next status
            if self._cursor.returned(status, self._reader.run, self._reader.position):
                break
            if self._reader.run != status.run and self._reader.reached(status.run):
                return  # an older run's
            if self._monotonic() > deadline:
                self._go_on_without_log(status, base)
                break
            self._sleep(0.1)
        logger.info(
            "STREAMING: In step with the log again: %d ticks read in %.1f s, up to position %d of run %s",
            self._read - before, self._monotonic() - begun, self._reader.position, status.run,
        )  # fmt: skip

    def _take_back_unconfirmed(self) -> None:
        """The count does not agree: what came since the last status that did is counted when the log brings it."""
        self._figures.ticks_total -= self._unconfirmed
        self._unconfirmed = 0
        run = self._cursor.run
        self._counted[run] = min(self._counted.get(run, 0), self._confirmed)

    def _is_beside_our_run(self, status: FeedStatus) -> bool:
        """Whether a status is of another run while ours holds the lease: then it is nobody's, and not worth a look at the log."""
        run = self._cursor.run
        if not run or status.run == run:
            return False
        now = self._monotonic()
        if now - self._holder_asked >= HOLDER_KNOWN_SECONDS:  # thousands a second may come; a new run says more than one
            self._holder, self._holder_asked = self._reader.lease_holder(), now
        if self._holder != run:
            return False
        self._reject_foreign(status)
        return True

    def _is_foreign(self, status: FeedStatus) -> bool:
        """Whether a status is somebody else's: the log does not know its run, and another app holds the lease or the log."""
        if self._reader.reached(status.run) is not None:
            return False
        holder = self._reader.lease_holder()
        foreign = holder != status.run if holder else bool(self._reader.reached(self._reader.run))
        if foreign:
            self._reject_foreign(status)
        return foreign

    def _reject_foreign(self, status: FeedStatus) -> None:
        self._rejections.add("status of a run that the log does not know", f"{status.run}, forwarded {status.forwarded}")

    def _go_on_without_log(self, status: FeedStatus, base: Position | None) -> None:
        """The log does not reach up to the status: take stored ticks, write down the rest as lost, and go on from here."""
        if self._reader.run != status.run:
            self._reader.run, self._reader.position = status.run, 0
            self._sink.begin_inside_run()
        for piece in self._reader.fill(status.forwarded):
            self._piece(piece, base)
        self._sink.status(status, live=False)
        self._cursor.returned(status, status.run, max(status.forwarded, self._reader.position))

    def _piece(self, piece: Piece, base: Position | None) -> None:
        if isinstance(piece, FeedStatus):
            self._sink.status(piece, live=False)
        elif isinstance(piece, Lost):
            self._sink.lost(piece)
        elif isinstance(piece, BeginningLost):
            self._sink.begin_inside_run()
        elif piece.late is None:
            self._logged(piece, base)
        else:
            self._stored(piece, base)

    def _logged(self, piece: LoggedTicks, base: Position | None) -> None:
        ticks, first = piece.ticks, piece.first
        self._read += len(ticks)
        if base is not None and piece.run == base.run and first <= base.position:
            known = base.position - first + 1
            self._builder.add_again(ticks[:known], first)
            ticks, first = ticks[known:], first + known
        if ticks:
            self._builder.add(ticks, first)
        self._taken(piece.run, piece.first + len(piece.ticks) - 1, len(ticks))

    def _taken(self, run: str, position: int, ticks: int) -> None:
        """Report a position; of the last `ticks` ticks up to it, those that were never counted before are counted."""
        counted = self._counted.get(run, 0)
        if position > counted:
            self._figures.ticks_total += min(ticks, position - counted)
            self._counted[run] = position
        self._sink.taken(run, position)

    def _stored(self, piece: LoggedTicks, base: Position | None) -> None:
        """A stored tick says whether it was late: then the watermark had passed its minute, though no status tells it here."""
        assert piece.late is not None
        for offset, (tick, late) in enumerate(zip(piece.ticks, piece.late, strict=True)):
            minute_end = tick.timestamp - tick.timestamp % MINUTE_MS + MINUTE_MS
            before = piece.first + offset - 1
            committed = base is not None and piece.run == base.run and before < base.position
            if late and not committed and self._builder.complete_until < minute_end:
                self._sink.status(_inferred_status(piece.run, before, minute_end, tick.source), live=False)
            self._logged(LoggedTicks(piece.run, before + 1, [tick]), base)

    def _foreign_ticks(self, ticks: list[MarketTick]) -> None:
        """Another publisher, without statuses and log: its minutes close by event time, without our guarantees."""
        if self._first_foreign is None and ticks:
            self._first_foreign = self._monotonic()
        self._foreign += ticks
        self.work()

    def work(self) -> None:
        """Process another publisher's ticks when it is time; the main loop calls it now and then."""
        if self._status_seen or self._first_foreign is None or not self._foreign:
            return
        if self._monotonic() - self._first_foreign < FOREIGN_AFTER_SECONDS:
            return
        ticks, self._foreign = self._foreign, []
        if not self._builder.complete_until:
            self._begin_foreign(ticks)
        self._builder.add(ticks, self._foreign_count + 1)
        self._foreign_count += len(ticks)
        self._figures.ticks_total += len(ticks)
        self._foreign_newest = max(self._foreign_newest, *(tick.timestamp for tick in ticks))
        self._foreign_status(self._foreign_newest - FOREIGN_HOLD_MS, ticks[0].source)

    def _begin_foreign(self, ticks: list[MarketTick]) -> None:
        """Its first minute is the one of its first tick, or the one behind what is stored already."""
        base = self._sink.base()
        first = min(tick.timestamp for tick in ticks)
        self._builder.restart(base.complete_until if base else 0, FOREIGN_RUN)
        self._foreign_status(first - first % MINUTE_MS, ticks[0].source)

    def _foreign_status(self, watermark: int, source: str) -> None:
        self._sink.status(_inferred_status(FOREIGN_RUN, self._foreign_count, watermark, source), live=True)


def _inferred_status(run: str, position: int, watermark: int, source: str) -> FeedStatus:
    return FeedStatus("live", source, watermark, watermark, watermark, run, position, "inferred from ticks")
