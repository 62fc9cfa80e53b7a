"""How long TickStockPL takes until it is ready for the next minute: `python -m benchmarks.start [--symbols 70|10000]`.

A database is filled with a trading day's one-minute bars of random walks, and the days before; then a warm-up from it is timed,
stage by stage: a restart with a snapshot of the state and without one, and a first start, which also finds and tells all that
the stored bars show. No feed, no Redis, no REST: what is measured is what lies between the database and the next minute.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from tickstock.analysis.alerts import AlertEngine
from tickstock.analysis.selection import enabled_from
from tickstock.analysis.shape_follower import ShapeFollower
from tickstock.analysis.stored_bars import StoredBars
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis
from tickstock.database.migrate import migrate
from tickstock.database.queries import Queries
from tickstock.database.writers import Writer
from tickstock.feed.massive_rest import MassiveRest
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS, Calendar, calendar_named, regular_session_of
from tickstock.settings import Settings
from tickstock.streaming import engine as engine_module
from tickstock.streaming import warm_up as warm_up_module
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.history_requests import LONG_DAYS
from tickstock.streaming.rest_fetcher import RestFetcher
from tickstock.streaming.result_messages import ResultMessages
from tickstock.streaming.snapshot import Snapshot
from tickstock.streaming.warm_up import WarmUp

DAY = date(2024, 12, 19)
ROWS = 200_000  # of a transaction
QUIET_SHARE = 0.05  # of the minutes in which the busiest symbol has no bar; the quietest has none in nearly all


class Stages:
    """Where the time goes: seconds of CPU by name; what is called within a stage is not counted twice."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[float] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.process_time()
        self._open.append(0.0)
        try:
            yield
        finally:
            taken = time.process_time() - begun
            self.seconds[name] += taken - self._open.pop()
            if self._open:
                self._open[-1] += taken

    def timed(self, owner: Any, method: str, name: str) -> None:
        """Count every call of a function to a stage."""
        work: Callable[..., Any] = getattr(owner, method)

        def timed(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return work(*arguments, **named)

        setattr(owner, method, timed)


STAGES = Stages()
STAGES.timed(warm_up_module, "window_bars", "reading")
STAGES.timed(Queries, "symbols_with_bars", "reading")
STAGES.timed(engine_module, "series_of", "figures")
STAGES.timed(TimeframeAnalysis, "follow", "indicators")
STAGES.timed(TimeframeAnalysis, "pass_over", "indicators")
STAGES.timed(ShapeFollower, "update", "shapes")
STAGES.timed(ShapeFollower, "pass_over", "shapes")
STAGES.timed(AlertEngine, "update", "alerts")
STAGES.timed(TimeframeAnalysis, "stored", "candlesticks")
STAGES.timed(StoredBars, "after_gap", "candlesticks")
STAGES.timed(ResultMessages, "patterns", "messages")
STAGES.timed(ResultMessages, "alerts", "messages")
STAGES.timed(Snapshot, "read", "reading")
STAGES.timed(StreamingEngine, "restore", "restoring")
STAGES.timed(StreamingEngine, "close_again", "minutes after")


class Warehouse:
    """A database with the bars of a market, and warm-ups from it."""

    def __init__(self, url: str, options: argparse.Namespace) -> None:
        self.url = url
        self.snapshot = Path(options.folder) / "streaming_state"
        self.settings = Settings(
            feed="simulated", database_url=url, symbols=("*",), calendar=options.calendar, data_dir=Path(options.folder)
        )
        self.calendar: Calendar = calendar_named(options.calendar)
        self.symbols = [f"S{number:05}" for number in range(options.symbols)]
        session = regular_session_of(self.calendar, DAY)
        assert session is not None
        self.until = session.start + min(options.minute * MINUTE_MS, session.end - session.start)
        self._chance = np.random.default_rng(1)
        self._busy = self._chance.uniform(0.1, 1.0 - QUIET_SHARE, len(self.symbols)) if options.quiet else None
        self._close = np.rint(np.exp(self._chance.uniform(np.log(5), np.log(600), len(self.symbols))) * 100)

    def fill(self, days: int) -> int:
        """Store the bars of the day and so many days before; their number."""
        migrate(self.url)
        stored = 0
        with Writer(self.url) as writer:
            with writer.transaction() as batch:  # no REST to ask for splits
                batch.set_vendor_progress([("splits", self.until)])
            for day in [*(self.calendar.trading_days_before(DAY, days) if days else ()), DAY]:
                for rows in self._rows_of(day):
                    with writer.transaction() as batch:
                        batch.insert_bars(rows)
                    stored += len(rows)
        return stored

    def _rows_of(self, day: date) -> Iterator[list[tuple[Any, ...]]]:
        session = regular_session_of(self.calendar, day)
        assert session is not None
        end = min(session.end, self.until) if day == DAY else session.end
        minutes = np.arange(session.start, end, MINUTE_MS)
        at_once = max(1, ROWS // len(minutes))
        for first in range(0, len(self.symbols), at_once):
            yield self._walk(minutes, slice(first, first + at_once))

    def _walk(self, minutes: np.ndarray[Any, np.dtype[np.int64]], chosen: slice) -> list[tuple[Any, ...]]:
        chance, close = self._chance, self._close[chosen]
        size = np.maximum(close * 0.0003, 1.5)[:, np.newaxis, np.newaxis]
        moves = np.rint(chance.normal(0.0, 1.0, (len(close), len(minutes), 6)) * size)
        flat = close[:, np.newaxis] + np.cumsum(moves.reshape(len(close), -1), axis=1)
        path = np.maximum(flat, 100.0).reshape(moves.shape)
        self._close[chosen] = path[:, -1, -1]
        volume = np.rint(np.exp(chance.normal(7.5, 1.0, path.shape[:2])))
        there = np.ones(volume.shape, np.bool_)
        if self._busy is not None:
            there = chance.random(volume.shape) < self._busy[chosen][:, np.newaxis]
        symbol, minute = np.nonzero(there)
        path = path[there] / 100
        starts = minutes[minute]
        columns = (starts, path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1], volume[there].astype(np.int64))
        names = self.symbols[chosen]
        return [
            (names[of], "1min", at, 0, *ohlcv, 30, None, "simulated", at + 5, at + 59_000)
            for of, at, *ohlcv in zip(symbol.tolist(), *(column.tolist() for column in columns), strict=True)
        ]

    @contextmanager
    def _warm_up(self, snapshot: Path | None) -> Iterator[WarmUp]:
        engine = StreamingEngine(self.settings, self.calendar, lambda: 0, enabled_from(self.settings))
        vendor = MassiveRest.for_settings(self.settings)
        fetcher = RestFetcher(vendor, Rejections(logging.getLogger(__name__), "BENCHMARK"), threading.Event())
        yield WarmUp(self.settings, self.calendar, engine, fetcher, Queries(self.url), lambda _: None, snapshot)
        vendor.close()

    def start(self, what: str, *, first: bool, snapshot: Path | None = None) -> float:
        """Warm a new engine up, as a process does; returns the seconds until it is ready."""
        STAGES.seconds.clear()
        with self._warm_up(snapshot) as warm_up:
            begun, cpu = time.perf_counter(), time.process_time()
            with STAGES.stage("the rest"):
                history = warm_up.run(DAY, self.until, 0 if first else self.until)
            seconds, busy = time.perf_counter() - begun, time.process_time() - cpu
        if first:
            self._tell_history([(timeframe, self.until) for timeframe in history.timeframes])
        told = f", {len(history.patterns):,} patterns and {len(history.alerts):,} alerts told" if first else ""
        print(f"{what}: {seconds:.1f} s ({busy:.1f} s of CPU){told}")
        for name, taken in sorted(STAGES.seconds.items(), key=lambda each: -each[1]):
            print(f"    {name:<14}{taken:6.2f} s")
        return seconds

    def take_snapshot(self, age: int) -> None:
        """Write the snapshot that a process would have written so many minutes before."""
        with self._warm_up(self.snapshot) as warm_up:
            warm_up.run(DAY, self.until - age * MINUTE_MS, self.until)
            begun, cpu = time.perf_counter(), time.process_time()
            snapshot = warm_up.snapshot(self.until - age * MINUTE_MS)
            copied, busy = time.perf_counter(), time.process_time() - cpu
            assert snapshot is not None
            snapshot.write(self.snapshot)
            written = time.perf_counter() - copied
        size, seconds = self.snapshot.stat().st_size / 1e6, copied - begun
        print(
            f"snapshot: {size:,.0f} MB copied between two minutes in {seconds:.2f} s ({busy:.2f} s CPU), {written:.1f} s to write"
        )

    def _tell_history(self, rows: list[tuple[str, int]]) -> None:
        with Writer(self.url) as writer, writer.transaction() as batch:
            batch.set_history(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__.split("\n")[0])
    parser.add_argument("--symbols", type=int, default=70, help="how many symbols (default 70)")
    parser.add_argument("--days", type=int, help=f"stored days before (default {LONG_DAYS}; 0 with more than 1,000 symbols)")
    parser.add_argument("--calendar", default="exchange", choices=("exchange", "always_open"), help="default exchange")
    parser.add_argument("--minute", type=int, default=390, help="of the session, at which it starts (default 390)")
    parser.add_argument("--age", type=int, default=10, help="minutes since the snapshot was taken (default 10)")
    parser.add_argument("--quiet", action="store_true", help="most symbols have no bar in many minutes, as in the real market")
    parser.add_argument("--folder", help="where the database is, and stays (default: a temporary folder)")
    options = parser.parse_args()
    if options.days is None:
        options.days = LONG_DAYS if options.symbols <= 1000 else 0
    with tempfile.TemporaryDirectory(prefix="tickstock-start-") as folder:
        options.folder = options.folder or folder
        _measure(options)


def _measure(options: argparse.Namespace) -> None:
    path = Path(options.folder) / "tickstock.db"
    filled = path.exists()
    warehouse = Warehouse(f"sqlite:///{path.as_posix()}", options)
    if not filled:
        begun = time.perf_counter()
        bars = warehouse.fill(options.days)
        seconds = time.perf_counter() - begun
        print(f"{bars:,} one-minute bars of {options.days} days and {options.minute} minutes stored in {seconds:.0f} s")
    first = warehouse.start("first start", first=True)
    without = warehouse.start("restart without a snapshot", first=False)
    warehouse.take_snapshot(options.age)
    ready = warehouse.start(f"restart with a snapshot, {options.age} minutes old", first=False, snapshot=warehouse.snapshot)
    told = f"(without a snapshot {without:.1f} s), first start {first:.1f} s"
    print(f"start: {options.symbols:,} symbols ready in {ready:.1f} s {told}")


if __name__ == "__main__":
    main()
