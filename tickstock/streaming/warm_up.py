"""The series that live bars continue: stored bars first, REST for what is missing, from a fixed anchor.

1min and 5min begin with the third trading day before the current one, 15min and 60min with the fifteenth, 1day 300 bars back.
The anchor is the day's, not the process's, so every start within a day computes what the uninterrupted engine has. The current
day's bars count as they were first closed, earlier days' bars in their highest revision. Before anything else the splits of the
day are read, so that what is stored and what REST gives are in the same shares.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from tickstock.analysis.session_figures import PROFILE_SESSIONS
from tickstock.contract import IndicatorAlert, StreamingPattern
from tickstock.database.queries import Queries
from tickstock.database.vendor_queries import VendorQueries
from tickstock.database.windows import window_bars
from tickstock.market_hours import MINUTE_MS, Calendar
from tickstock.settings import Settings
from tickstock.streaming.bar_columns import Bars, concatenate
from tickstock.streaming.engine import MinuteResults, StreamingEngine
from tickstock.streaming.history_requests import DAY_BARS, LONG_DAYS, SHORT_DAYS, HistoryRequests
from tickstock.streaming.history_store import HistoryStore
from tickstock.streaming.rest_fetcher import Fetched, RestFetcher
from tickstock.streaming.result_messages import REPAIR
from tickstock.streaming.snapshot import Snapshot, SnapshotError, fingerprint
from tickstock.streaming.split_reading import SPLITS_STAGE, SplitReading
from tickstock.streaming.stored_series import StoredMinutes

logger = logging.getLogger(__name__)

SPLITS_SECONDS = 10.0  # how long a start waits for the splits; what is fetched waits for them as long as it takes
SHORT_SECONDS = 25.0  # how long a start waits for the days of the short series; what comes later is built in when it is there
# What is asked of REST, and which series need it. A later stage's bars complete the series of an earlier one.
STAGES = {"minutes": ("1min", "5min", "15min", "60min"), "earlier": ("15min", "60min"), "days": ("1day",)}
FIGURES = "figures"  # of the day: as long as the longest series
SERIES_DAYS = {"1min": SHORT_DAYS, "5min": SHORT_DAYS, "15min": LONG_DAYS, "60min": LONG_DAYS}


@dataclass(slots=True)
class History:
    """What was found in the warm-up bars of some timeframes before a moment."""

    until: int
    timeframes: tuple[str, ...]
    patterns: list[StreamingPattern] = field(default_factory=list)
    alerts: list[IndicatorAlert] = field(default_factory=list)
    symbols: tuple[str, ...] = ()  # that joined, if it is of them alone
    is_found_again: bool = False  # at the next start, until it is stored, even if minutes behind it are


class WarmUp:
    """Loads and refreshes the engine's series. It runs in the main thread, between two minutes."""

    def __init__(
        self,
        settings: Settings,
        calendar: Calendar,
        engine: StreamingEngine,
        fetcher: RestFetcher,
        queries: Queries,
        others: Callable[[Fetched], None],
        snapshot: Path | None = None,
    ) -> None:
        """`others` takes answers to requests that are not ours; `snapshot` is the file that may shorten a start."""
        self.symbols: tuple[str, ...] = () if "*" in settings.symbols else settings.symbols
        self.joining: frozenset[str] = frozenset()  # of these, those whose history is asked for one by one
        self._gone: frozenset[str] = frozenset()  # not watched any more: what is stored of them is continued by nothing
        self.whole_from: dict[str, int] = {}  # of those that ever joined: from when on their minutes come from ticks
        self.told: dict[str, int] = {}  # and up to when what their history shows was told
        self._url = settings.database
        self._calendar = calendar
        self._engine = engine
        self._fetcher = fetcher
        self._queries = queries
        self._others = others
        self.tell: Callable[[str], None] = lambda _: None  # set by the scheduler: what is being done, in words
        self._snapshot = snapshot
        self._fingerprint = fingerprint(settings) if snapshot else ""
        self._marks: dict[str, list[int]] = {}  # of the stored bars that each series, and the figures, were built from
        self.store = HistoryStore(settings.database, settings.feed, calendar)
        self.requests = HistoryRequests(calendar, queries, self.store, self.whole_from)
        self.splits = SplitReading(settings.database, fetcher)
        self._vendor_queries = VendorQueries(settings.database)
        self._outstanding: dict[str, set[str]] = {stage: set() for stage in STAGES}  # symbols, by stage
        self._incomplete: set[str] = set()
        self._day: date | None = None
        self._until = 0  # the bars before were stored when the day's series began
        self._keep_after: dict[str, int] = {}  # by timeframe: history is kept of bars that start at or after this

    def leave_out(self, joining: frozenset[str], gone: frozenset[str]) -> None:
        """Of those who join, until their history is there, and of those who have gone, there are no series."""
        self.joining, self._gone = joining, gone
        self._engine.await_history(joining | gone.intersection(self._engine.lane_of))

    def run(self, day: date, until: int, keep_after: int) -> History:
        """Anchor all series for a trading day and fill them with the bars before `until`; return what history shows.

        History is what starts at or after `keep_after`; all of it, for a series of which none was stored yet.

        A series whose bars are still on their way stays empty, and is not analysed, until `refill`: absent, not wrong.

        Raises:
            DatabaseUnavailable: the series are as they were.
        """
        begun = time.monotonic()
        self._day, self._until, self._marks = day, until, {}
        self._keep_after = defaultdict(int, dict.fromkeys(self._queries.stored_history(), keep_after))
        self.tell("waiting for the day's splits from REST")
        self.splits.begin(day)
        self._wait(lambda: not self.splits.waits, begun + SPLITS_SECONDS)
        self.splits.waited()
        self._ask(day, until)
        if self._outstanding["minutes"]:
            self.tell(f"waiting for the recent bars of {len(self._outstanding['minutes'])} symbols from REST")
        self._wait_for_minutes(begun + SHORT_SECONDS)
        self.tell("computing from stored bars")
        self._incomplete = {stage for stage, requests in self._outstanding.items() if requests}
        waiting = {timeframe for stage in self._incomplete for timeframe in STAGES[stage]}
        self._engine.absent = waiting & set(self._engine.timeframes)
        timeframes = [each for each in self._engine.timeframes if each not in waiting]
        results = self._continued(timeframes, until) or self._fill(timeframes, until)
        self._engine.trading_day = day
        self.leave_out(self.joining, self._gone)  # a snapshot has also those who left since
        logger.info(
            "STREAMING: Warmed up %d symbols for %s in %.1f s: %d patterns and %d alerts in history",
            len(self._engine.symbols), day, time.monotonic() - begun, len(results.patterns), len(results.alerts),
        )  # fmt: skip
        return results

    def deliver(self, fetched: Fetched) -> bool:
        """Note an answer that came later; true when a series can be filled with `refill`."""
        if fetched.tag[0] == SPLITS_STAGE:
            self.splits.answered(fetched)
            return self.splits.has_come_late
        stage = self._answered(fetched)
        return stage in self._incomplete and not self._outstanding[stage]

    def refill(self, until: int) -> History:
        """Fill the series whose bars have arrived; everything closed before `until` must be stored."""
        if self.splits.has_come_late:
            assert self._day is not None
            self._outstanding = {stage: set() for stage in STAGES}
            self._ask(self._day, until)
            if self.splits.known:  # earlier days' bars may be others now
                self._engine.absent |= set(self._engine.timeframes)
            self.splits.has_come_late = False
        arrived = {stage for stage in self._incomplete if not self._outstanding[stage]}
        self._incomplete = {stage for stage, requests in self._outstanding.items() if requests}
        waiting = {timeframe for stage in self._incomplete for timeframe in STAGES[stage]}
        ready = [each for each in self._engine.timeframes if each in self._engine.absent and each not in waiting]
        if arrived == {"days"}:
            results = self._fill_days(ready, until)
        else:  # also where no series waits for them: the figures of the day do
            results = self._fill(ready, until)
        self._engine.absent -= set(ready)
        if ready:
            logger.info("STREAMING: History of %s is complete for %d symbols", ", ".join(ready), len(self.symbols))
        return results

    def join(self, symbols: Sequence[str], at: int, until: int) -> tuple[History, MinuteResults]:
        """Build the series of these symbols, which joined at one moment, and let the engine, which stands at `until`, go on with
        them: what their history before `at` shows, and what their minutes from there on would have given.

        All that was closed before `until` must be stored.

        Raises:
            DatabaseUnavailable: the series are as they were.
        """
        assert self._day is not None
        begun, alone, today = time.monotonic(), self._engine.fresh(), self._day_start(self._day)
        alone.lanes_for(symbols)
        loaded = partial(self._loaded, of=alone)
        days = self._stored_days(today, alone)
        final = alone.warm_days(days, self._final(days, alone) if "1day" in alone.timeframes else None)
        before = loaded("1min", today, at, today, with_counts=True)
        after = loaded("1min", at, until, today, with_counts=True)
        marks = {name: self._marks_of(name) for name in self._marks}
        found = alone.warm(self._intraday, self._stored_minutes(today, before, at, alone), {})
        alone.continue_from(before, at)
        told = alone.close_minutes(after, until, REPAIR)
        days_of_all = self._stored_days(today)
        self._engine.adopt(alone)
        self._engine.warm_days(days_of_all)
        self._marks = marks
        self.told |= dict.fromkeys(symbols, until)
        logger.info(
            "STREAMING: %d symbols joined in %.1f s: %d patterns in history", len(symbols), time.monotonic() - begun,
            len(found.patterns) + len(final.patterns),
        )  # fmt: skip
        patterns, alerts = final.patterns + found.patterns, final.alerts + found.alerts
        return History(until, (), patterns, alerts, tuple(symbols), is_found_again=True), told

    def refresh_days(self) -> None:
        """A day's final bars are stored: the figures of the running day look up them."""
        if self._day is not None:
            self._engine.warm_days(self._stored_days(self._day_start(self._day)))

    def snapshot(self, until: int) -> Snapshot | None:
        """The state of the series, which stand at `until`; None while some are not complete."""
        engine = self._engine
        complete = self._marks.keys() >= {*self._intraday, FIGURES} and not self._incomplete & {"minutes", "earlier"}
        if not complete or self._day is None or engine.trading_day != self._day or until < self._until or self.joining:
            return None
        return Snapshot(self._fingerprint, self._day, until, tuple(engine.symbols), self._marks.copy(), engine.state())

    def _continued(self, timeframes: Sequence[str], until: int) -> History | None:
        """Go on from the snapshot, if there is one that fits; one that does not is of no use any more and removed."""
        if self._snapshot is None:
            return None
        engine = self._engine
        try:
            snapshot = Snapshot.read(self._snapshot)
            self._check(snapshot, timeframes, until)
            assert self._day is not None
            engine.begin_lanes(snapshot.symbols)
            later = self._loaded("1min", snapshot.until, until, self._day_start(self._day), with_counts=True)
            found = self._fill_days(timeframes, until)
            engine.restore(snapshot.arrays, len(snapshot.symbols))
        except FileNotFoundError:
            return None
        except (SnapshotError, KeyError, ValueError, IndexError) as problem:
            logger.info("STREAMING: The snapshot of the state is not used: %s", problem)
            with contextlib.suppress(OSError):
                self._snapshot.unlink(missing_ok=True)
            return None
        engine.close_again(later, until)
        self._marks = {name: list(marks) for name, marks in snapshot.marks.items()}
        logger.info("STREAMING: Going on from a snapshot of the state, %d minutes old", (until - snapshot.until) // MINUTE_MS)
        return found

    def _check(self, snapshot: Snapshot, timeframes: Sequence[str], until: int) -> None:
        if snapshot.fingerprint != self._fingerprint:
            raise SnapshotError("it is of other code or other settings")
        if snapshot.day != self._day or snapshot.until > until:
            raise SnapshotError("it is of another moment than what is stored")
        today = self._day_start(self._day)
        if any(joined >= today and self.told.get(each, until) > snapshot.until for each, joined in self.whole_from.items()):
            raise SnapshotError("it does not know a symbol that joined later")
        if any(self._keep_after.get(each, 0) < until for each in self._intraday):
            raise SnapshotError("there is history to be told")
        if self._engine.trading_day is not None or not set(self._intraday) <= set(timeframes):
            raise SnapshotError("it is of other series")
        if any(self._marks_of(name) != list(snapshot.marks.get(name, ())) for name in (*self._intraday, FIGURES)):
            raise SnapshotError("bars of days before have changed since")

    @property
    def _intraday(self) -> list[str]:
        return [each for each in self._engine.timeframes if each in SERIES_DAYS]

    def _marks_of(self, series: str) -> list[int]:
        assert self._day is not None
        first = self._calendar.trading_days_before(self._day, SERIES_DAYS.get(series, LONG_DAYS))[0]
        return self._vendor_queries.marks(self._day_start(first), self._day_start(self._day))

    def _ask(self, day: date, until: int) -> None:
        """Ask REST for the days that are not covered, the newest ones first; while the splits are not known, only note them."""
        if not self.splits.known and not self.splits.waits:
            return  # REST did not tell them: what is stored has to do until it does
        for request in self.requests.missing([each for each in self.symbols if each not in self.joining], day, until):
            self._outstanding[request.stage].add(request.symbol)
            if self.splits.known:
                request.ask(self._fetcher)

    def _wait_for_minutes(self, deadline: float) -> None:
        requests = self._outstanding["minutes"]
        self._wait(lambda: not requests or not self.splits.known, deadline)
        if requests:
            logger.warning(
                "STREAMING: REST has not delivered the recent bars of %d of %d symbols yet; the analysis begins when it has",
                len(requests), len(self.symbols),
            )  # fmt: skip

    def _wait(self, is_there: Callable[[], bool], deadline: float) -> None:
        while not is_there() and (time.monotonic() < deadline or self.splits.is_scaling):
            fetched = self._fetcher.take()
            if fetched is None:
                time.sleep(0.02)
            elif fetched.tag[0] == SPLITS_STAGE:
                self.splits.answered(fetched)
            elif fetched.tag[0] in self._outstanding:
                self._answered(fetched)
            else:
                self._others(fetched)

    def _answered(self, fetched: Fetched) -> str:
        """A request was answered. What failed is counted where it failed, and asked for again at the next start."""
        stage = str(fetched.tag[0])
        self._outstanding[stage].discard(fetched.symbol)
        return stage

    def _fill(self, timeframes: Sequence[str], until: int) -> History:
        """Empty these series and run the stored bars through them."""
        assert self._day is not None
        engine, today = self._engine, self._day_start(self._day)
        found = self._fill_days(timeframes, until)
        intraday = [each for each in timeframes if each in SERIES_DAYS]
        marks = {name: self._marks_of(name) for name in (*intraday, FIGURES)} if self._snapshot else {}
        running = self._loaded("1min", today, until, today, with_counts=True)
        results = engine.warm(intraday, self._stored_minutes(today, running, until), self._keep_after)
        found.patterns += results.patterns
        found.alerts += results.alerts
        if engine.trading_day != self._day:
            engine.continue_from(running, until)
        self._marks |= marks
        return found

    def _fill_days(self, timeframes: Sequence[str], until: int) -> History:
        """Give the figures the day bars, and the 1day series the final ones where it is among those to be filled."""
        assert self._day is not None
        bars = self._stored_days(self._day_start(self._day))
        # A day's bar is analysed once, when it is final; of history that is here, and what is stored already stays as it is.
        results = self._engine.warm_days(bars, self._final(bars) if "1day" in timeframes else None)
        # At a first start everything is history; later only what was missed since the last stored minute.
        is_found_again = not any(self._keep_after.values())
        return History(until, tuple(timeframes), results.patterns, results.alerts, is_found_again=is_found_again)

    def _stored_minutes(self, today: int, running: Bars, until: int, of: StreamingEngine | None = None) -> StoredMinutes:
        """The bars of the days before and those of the running day, which are given."""
        assert self._day is not None
        days = self._calendar.trading_days_before(self._day, LONG_DAYS)
        # Days of which some symbols' bars are still on their way would only give what is usual of a part of them.
        first = days[-SHORT_DAYS] if of is None and "earlier" in self._incomplete else days[0]
        return StoredMinutes(
            concatenate([self._loaded("1min", self._day_start(first), min(today, until), today, of=of), running]),
            {timeframe: self._day_start(days[-count]) for timeframe, count in SERIES_DAYS.items()},
            self._day_start(days[-PROFILE_SESSIONS]),
            until,
        )

    def _stored_days(self, today: int, of: StreamingEngine | None = None) -> Bars:
        bars = self._loaded("1day", today - DAY_BARS * 3 // 2 * 86_400_000, today, None, of=of)
        if not len(bars):
            return bars
        newest = np.unique(bars.timestamp)[-DAY_BARS:]
        return bars.take(bars.timestamp >= newest[0])

    def _final(self, bars: Bars, of: StreamingEngine | None = None) -> Bars:
        final_until = self._vendor_queries.final_until()
        until = np.array([final_until.get(symbol, 0) for symbol in (of or self._engine).symbols], dtype=np.int64)
        return bars.take(bars.timestamp < until[bars.lanes]) if len(bars) else bars

    def _loaded(
        self,
        timeframe: str,
        since: int,
        until: int,
        as_first_closed_from: int | None,
        *,
        with_counts: bool = False,
        of: StreamingEngine | None = None,
    ) -> Bars:
        """Stored bars by the lanes of our engine, or of the symbols of another one by its lanes."""
        symbols = self._all_symbols(timeframe, since, until) if of is None else tuple(of.symbols)
        stored = window_bars(
            self._url, symbols, timeframe, since, until, as_first_closed_from=as_first_closed_from, with_counts=with_counts
        )
        lanes = (of or self._engine).lanes_for(stored.symbols)[stored.lane]
        unknown = np.full(len(lanes), np.nan)
        counts = stored.counts or {}
        return Bars(
            lanes, stored.timestamp, stored.open, stored.high, stored.low, stored.close, stored.volume.astype(np.float64),
            *(counts.get(name, unknown) for name in ("ticks", "trades", "first_tick", "last_tick")),
        )  # fmt: skip

    def _all_symbols(self, timeframe: str, since: int, until: int) -> tuple[str, ...]:
        # Whatever has bars has a series: what is computed must not depend on when the process was started.
        others = self._gone.union(self.symbols)
        found = self._queries.symbols_with_bars(timeframe, since, until)
        return (*self.symbols, *(symbol for symbol in found if symbol not in others))

    def _day_start(self, day: date) -> int:
        return self._calendar.sessions_of(day)[0].start
