"""From statuses to closed minutes: ends them, knows those that touch a gap, runs the engine, hands the results on.

It is the follower's sink. Everything here happens in the main thread; REST, the database and Redis have threads of their own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from tickstock.contract import FeedStatus
from tickstock.errors import DatabaseError
from tickstock.market_hours import MINUTE_MS, Calendar, now_ms
from tickstock.streaming.after_close import AFTER_CLOSE_STAGES, AfterClose
from tickstock.streaming.bar_builder import BarBuilder, EndedMinute
from tickstock.streaming.bar_columns import Bars, no_bars
from tickstock.streaming.engine import MinuteResults, StreamingEngine
from tickstock.streaming.evening import STAGE as EVENING_STAGE
from tickstock.streaming.gap_repair import STAGE as GAP_STAGE
from tickstock.streaming.gap_repair import GapRepair
from tickstock.streaming.health import Figures
from tickstock.streaming.joins import STAGE as JOIN_STAGE
from tickstock.streaming.joins import Joins
from tickstock.streaming.log_follower import Position
from tickstock.streaming.log_reader import Lost
from tickstock.streaming.minute_queue import FeedGap, MinuteQueue, ReadyMinute
from tickstock.streaming.minute_writer import ClosedMinute, MinuteWriter
from tickstock.streaming.rest_fetcher import Fetched, RestFetcher
from tickstock.streaming.result_messages import LIVE, REPAIR
from tickstock.streaming.snapshot_taker import SnapshotTaker
from tickstock.streaming.warm_up import WarmUp

logger = logging.getLogger(__name__)

REFILL_RETRY_MS = 15_000
LONGEST_HOLD_MS = 5_000  # behind the watermark's: ticks of so much later may have come before a status
FLUSH_SECONDS = 20.0  # how long a new trading day waits for the database to have the old one


def steady_ms() -> int:
    """Milliseconds of a clock that nobody sets."""
    return int(time.monotonic() * 1000)


class MinuteCloser:
    """The sink of the log follower."""

    def __init__(
        self,
        *,
        builder: BarBuilder,
        queue: MinuteQueue,
        engine: StreamingEngine,
        fetcher: RestFetcher,
        writer: MinuteWriter,
        calendar: Calendar,
        figures: Figures,
        committed: Position | None,
        report_taken: Callable[[str, int], None],
        now: Callable[[], int] = now_ms,
        steady: Callable[[], int] = steady_ms,
    ) -> None:
        self.warm_up: WarmUp | None = None  # set by the scheduler; without it (tests) the series begin empty
        self.after_close: AfterClose | None = None  # set by the scheduler
        self.joins: Joins | None = None  # set by the scheduler
        self.snapshots: SnapshotTaker | None = None  # set by the scheduler
        self.open_gaps: Callable[[], list[dict[str, Any]]] = list  # set by the scheduler: rows of gaps that wait for something
        self._builder = builder
        self._queue = queue
        self._engine = engine
        self._writer = writer
        self._calendar = calendar
        self._figures = figures
        self._base = committed
        self._report_taken = report_taken
        self._now = now
        self._steady = steady  # for all waiting: nobody sets it
        self._inside_run = False  # the beginning of the run is unknown, and with it a gap of the feed
        self._hole: tuple[str, int] | None = None  # run and position from which on ticks are missing everywhere
        self._history_has_come = False  # and its series were not built yet
        self._refill_from = 0  # steady ms: not tried before
        self._watermark, self._is_live = 0, False  # of the last status
        self._final_days_came = False  # and the figures of the running day do not know them yet
        self._known_gaps: set[tuple[int, int]] = set()  # as the statuses told them
        self._repair = GapRepair(queue, engine, fetcher, figures, self._symbols, steady)

    # --- what the follower calls ---

    def base(self) -> Position | None:
        """Where a return to the log begins."""
        return self._base

    def returning(self) -> None:
        """Minutes that were ended but not closed will be ended again."""
        self._queue.drop_waiting()

    def begin_inside_run(self) -> None:
        """The minutes that are open where the log begins are incomplete."""
        self._inside_run = True

    def taken(self, run: str, position: int) -> None:
        """Ticks up to this position were processed."""
        self._report_taken(run, position)

    def lost(self, lost: Lost) -> None:
        """Write down what nothing holds any more."""
        count = lost.last - lost.first + 1
        logger.error(
            "STREAMING: %d ticks of run %s from position %d on are lost: neither in the log nor stored",
            count,
            lost.run,
            lost.first,
        )
        if self._hole is None:
            self._hole = lost.run, lost.first
        now = self._now()
        self._repair.note(
            (f"bus:{lost.run}:{lost.first}", now, now, "ticks missing in the log and in the database", None, f"{count} ticks")
        )

    def status(self, status: FeedStatus, live: bool) -> None:
        """End the minutes that the watermark has passed, and close what is ready."""
        figures = self._figures
        figures.feed_status, figures.feed_detail = status.status, status.detail
        if live:
            figures.lags.append(self._now() - status.timestamp)
        if status.gap is not UNSET:
            self._feed_gap(status, *status.gap)
        elif not self._builder.complete_until and status.watermark:
            self._begin(status)
        if not self._builder.complete_until:
            return  # the feed has not said yet which time it is
        if (self._inside_run or self._hole) and status.watermark >= self._builder.complete_until:
            self._add_unknown(status)
        if status.status == "live" and self._engine.trading_day is None:
            first = self._first_open_minute()
            self._anchor(first, first)
        if self.joins is not None:
            self._follow_watchlists(self.joins, status)
        ended = self._builder.advance(
            status.watermark, status.run, status.forwarded, self._queue.minutes_of_gaps(status.watermark)
        )  # fmt: skip
        if self.joins is not None:
            self.joins.only_whole(ended)
        self._queue.put(ended, self._steady())
        self._watermark, self._is_live = status.watermark, live
        self.work(live=live)
        session = self._calendar.session_at(status.watermark)
        figures.session = "active" if session is not None and status.status in ("live", "silent") else "waiting"

    # --- what the main loop calls ---

    def fetched(self, fetched: Fetched) -> None:
        """An answer from REST."""
        stage, subject = fetched.tag
        if stage == GAP_STAGE:
            self._repair.answered(fetched)
        elif self.after_close is not None and stage in AFTER_CLOSE_STAGES:
            if stage == EVENING_STAGE and fetched.bars is not None:
                self._repair.compared(fetched.symbol, subject[1])
            closed = self.after_close.answered(fetched, self._base)
            if closed is not None:
                self._writer.put(closed)
                self._count(closed.results, 0)
                self._final_days_came = True
        elif stage == JOIN_STAGE and self.joins is not None:
            self.joins.answered(fetched)
        elif self.warm_up is not None and self.warm_up.deliver(fetched):
            self._history_has_come = True

    def work(self, *, live: bool = True) -> None:
        """Ask REST for what a gap needs, and close every minute that is ready."""
        self._repair.ask_again()
        while True:
            self._repair.ask()
            ready = self._queue.ready(self._steady())
            if ready is None:
                break
            self._close(ready, live)
        if (self._history_has_come or self._final_days_came) and not self._writer.waiting and self._steady() >= self._refill_from:
            self._refill()
        if self.warm_up is not None:
            self.warm_up.splits.look()
        if self.joins is not None and self._base is not None:
            self._join(self.joins, self._base)
        if self.after_close is not None and self._base is not None and not (self._queue.waits or self._writer.waiting):
            self.after_close.look(self._watermark, self._symbols, self._is_live)
        if self.snapshots is not None and self._base is not None and self._is_live and not self._writer.rejected_minutes:
            self.snapshots.look(self._base)

    # --- gaps ---

    def _begin(self, status: FeedStatus) -> None:
        """The very first status: nothing before its minute is ours."""
        until = status.watermark - status.watermark % MINUTE_MS
        self._builder.restart(until)
        if self._inside_run:
            # The minute of the watermark, and the one behind it, whose first ticks may have come within the hold.
            self._inside_run = False
            cause = "TickStockPL started while the log no longer held the run's beginning"
            self._add_gap(until, until + MINUTE_MS + 1, cause, status.run, status.forwarded)

    def _add_unknown(self, status: FeedStatus) -> None:
        """What is missing before this status may belong to any minute that was open: none is closed from a part of its ticks."""
        run, position = self._hole or (status.run, 1)
        cause = "ticks missing in the log and in the database" if self._hole else "the log does not hold the run's beginning"
        self._inside_run, self._hole = False, None
        ended = status.watermark + LONGEST_HOLD_MS
        begun = max(self._builder.complete_until, self._start_of_day(ended))
        last = ended - ended % MINUTE_MS
        if self.joins is not None:
            self._look_at_lists(self.joins, begun, ended)
        if not any(gap.first <= begun and last <= gap.last for gap in self._queue.gaps):
            self._add_gap(begun, ended, cause, run, position)

    def _start_of_day(self, moment: int) -> int:
        return self._calendar.sessions_of(self._calendar.trading_day_at(moment))[0].start

    def _feed_gap(self, status: FeedStatus, begun: int, ended: int) -> None:
        first_start = not self._builder.complete_until
        of_new_run = self._base is not None and status.run != self._base.run  # a known gap that is read again is none
        if first_start or (of_new_run and ended < self._builder.complete_until):
            # A recorded day that lies before what was processed, or is played again, is a series of its own.
            self._builder.restart(begun - begun % MINUTE_MS)
            self._engine.trading_day = None
            if self.joins is not None and not first_start:
                self.joins.forget()
            self._known_gaps.clear()
        if (begun, ended) in self._known_gaps:
            return
        self._known_gaps.add((begun, ended))
        if self.joins is not None and of_new_run:
            self._look_at_lists(self.joins, begun, ended)
        # A log that was lost with its Redis leaves more open than the app knows: all since our last closed minute.
        unknown_from = max(self._builder.complete_until, self._start_of_day(ended))
        if unknown_from < begun - begun % MINUTE_MS:
            begun = unknown_from
        self._add_gap(begun, ended, "the feed was away", status.run, status.forwarded)

    def _follow_watchlists(self, joins: Joins, status: FeedStatus) -> None:
        """Who comes, and who goes, at this place of the log."""
        if status.left is not UNSET:
            joins.left(status.left.symbols, status.left.at)
            for symbol in status.left.symbols:
                self._figures.last_minute_of.pop(symbol, None)
        if status.joined is not UNSET:
            joins.joined(status.joined.symbols, status.joined.at)

    def _look_at_lists(self, joins: Joins, begun: int, ended: int) -> None:
        """Of who left in a gap nobody asks for its minutes; who came is whole from the one after it on."""
        try:
            joins.look_at_lists(begun - begun % MINUTE_MS, ended - ended % MINUTE_MS + MINUTE_MS)
        except DatabaseError as problem:
            logger.warning("STREAMING: The watchlists could not be read (%s); they stay as they were known", problem)

    def _join(self, joins: Joins, base: Position) -> None:
        """Ask for the history of who joined, and when all that was closed is stored, build its series between two minutes."""
        joins.look(base.complete_until, not self._writer.waiting)
        if self._queue.waits or self._writer.waiting or not joins.ready():
            return
        if (found := joins.finish(base.complete_until)) is not None:
            history, told = found
            self._writer.put(ClosedMinute(told, base))
            self._count(told, 0)
            self._writer.put_history(history)

    def _add_gap(self, begun: int, ended: int, cause: str, run: str, position: int) -> None:
        first = max(begun - begun % MINUTE_MS, self._builder.complete_until)
        last = (ended - 1) - (ended - 1) % MINUTE_MS
        if ended <= begun or last < first:
            return
        gap = FeedGap(begun, ended, cause, first, last, run, position)
        self._queue.add_gap(gap)
        self._repair.note((gap.id, begun, ended, cause, None, None))
        logger.info(
            "STREAMING: Minutes that touch a gap (%s): %d; their bars come from REST",
            cause,
            (last - first) // MINUTE_MS + 1,
        )

    def _first_open_minute(self) -> int:
        """The first minute that the engine will close: before it lies history."""
        return min([gap.first for gap in self._queue.gaps] + [self._builder.complete_until])

    def _symbols(self) -> set[str]:
        """Those whose minutes REST is asked for: the watched ones, or all that were seen."""
        if self.warm_up is not None and self.warm_up.symbols:
            return set(self.warm_up.symbols)
        return set(self._engine.lane_of) | self._builder.symbols_open

    # --- closing ---

    def _close(self, ready: ReadyMinute, live: bool) -> None:
        ended = ready.ended
        session = self._calendar.session_at(ended.start)
        if session is not None and self._engine.trading_day != session.trading_day:
            self._anchor(ended.start, ended.start)
        if self.joins is not None:
            self.joins.minute_closes(ended.start)
        origin = LIVE if live and ready.rest is None else REPAIR
        results = self._engine.close_minute(ended.start, self._bars_of(ready), origin)
        self._repair.closed(ready)
        self._hand_over(results, ended)
        self._count(results, len(ended.late))

    def _bars_of(self, ready: ReadyMinute) -> Bars:
        source: dict[str, Any] = ready.ended.bars if ready.rest is None else ready.rest
        if not source:
            return no_bars()
        lanes = self._engine.lanes_for(source)
        if ready.rest is None:
            return Bars.from_ticks(lanes, ready.ended.start, list(ready.ended.bars.values()))
        return Bars.from_rest(lanes, list(ready.rest.values()))

    def _hand_over(self, results: MinuteResults, ended: EndedMinute) -> None:
        position = Position(
            ended.run, ended.position, ended.start + MINUTE_MS, self._queue.replay_from(ended.run, ended.replay_from)
        )  # fmt: skip
        self._base = position
        gaps, late_bars = self._repair.take_rows()
        coverage = self.joins.take_rows(ended.start + MINUTE_MS) if self.joins is not None else []
        self._writer.put(ClosedMinute(results, position, ended.late, late_bars, gaps, coverage=coverage))

    def _count(self, results: MinuteResults, late: int) -> None:
        figures = self._figures
        figures.ticks_late += late
        figures.patterns += len(results.patterns)
        figures.alerts += len(results.alerts)
        figures.indicators += len(results.indicators)
        figures.minute = results.minute
        if results.symbols:
            figures.bars_last_minute = results.symbols
        for row in results.bars:
            if row[1] == "1min":
                figures.last_minute_of[row[0]] = results.minute

    # --- series ---

    def _anchor(self, moment: int, until: int) -> None:
        """Begin a trading day: the series start at the day's anchor and go up to `until`."""
        day = self._calendar.trading_day_at(moment)
        first_start = self._engine.trading_day is None
        if self.warm_up is None:
            self._engine.trading_day = day
            return
        if self.after_close is not None:
            self.after_close.day_is_over()
        self._figures.warming_up = True
        if self.joins is not None:
            self.joins.begin_day(day)
        try:
            if not first_start and not self._writer.flush(FLUSH_SECONDS):
                logger.warning("STREAMING: The database has not stored all minutes yet; the new day begins with what it has")
            # What lies between our last closed minute and this one is history too: days before a gap.
            keep_after = self._base.complete_until if self._base else 0
            if not first_start:
                self._repair.day_is_over()
            elif self._base is not None:
                self._repair.reopen(self.open_gaps(), keep_after, self._start_of_day(keep_after - 1))
            self._writer.put_history(self.warm_up.run(day, until, keep_after))
        except DatabaseError as problem:
            logger.error("STREAMING: History could not be loaded (%s); indicators begin with the bars that come", problem)
            self._engine.trading_day = day
        finally:
            self._figures.warming_up = False

    def _refill(self) -> None:
        """History that came later is complete, and all that was closed is stored: build its series, between two minutes."""
        assert self.warm_up is not None
        try:
            if self._final_days_came:
                self.warm_up.refresh_days()
                self._final_days_came = False
            if self._history_has_come:
                until = self._base.complete_until if self._base else self._first_open_minute()
                self._writer.put_history(self.warm_up.refill(until))
                self._history_has_come = False
        except DatabaseError as problem:
            self._refill_from = self._steady() + REFILL_RETRY_MS
            logger.warning("STREAMING: History could not be loaded (%s); tried again in a while", problem)
