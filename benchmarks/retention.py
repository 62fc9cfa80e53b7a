"""How long deleting old rows holds the others up in a large database: `python -m benchmarks.retention [--rows N] [--url URL]`.

Without a URL it uses a SQLite file of its own; a PostgreSQL database should be empty and is filled. Half of the ticks and of the
indicator values are deleted, in as many steps as that takes, while another connection goes on storing ticks.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.database import MINUTE, START, SYMBOLS, indicator_rows
from tickstock.database.migrate import migrate
from tickstock.database.retention import Retention
from tickstock.database.writers import TickWriter, Writer

AT_ONCE = 200_000
INDICATORS_SHARE = 5  # a tick in so many
STORED_AT_ONCE = 5_000
STORED_EVERY_SECONDS = 0.2
PAUSE_SECONDS = 0.05


class BusyWriter(threading.Thread):
    """Stores ticks all the time, as the recorder does, and notes how long each batch took."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.seconds: list[float] = []
        self.stopped = threading.Event()
        self._url = url

    def run(self) -> None:
        position = 0
        with TickWriter(self._url) as writer:
            while not self.stopped.wait(STORED_EVERY_SECONDS):
                rows = [("busy", position + each, "AAPL", 1.5, 1, START * 2, False) for each in range(STORED_AT_ONCE)]
                position += STORED_AT_ONCE
                began = time.perf_counter()
                writer.insert_ticks(rows)
                self.seconds.append(time.perf_counter() - began)


def run(url: str, rows: int) -> None:
    """Fill a database and delete half of it."""
    migrate(url)
    last_tick, last_minute = _fill(url, rows)
    print(f"{url.partition(':')[0]}: {rows:,} ticks, {rows // INDICATORS_SHARE:,} indicator values")
    writer = BusyWriter(url)
    writer.start()
    time.sleep(3.0)
    alone = list(writer.seconds)
    retention = Retention(url)
    steps = _delete("ticks by age", retention, lambda: retention.delete_ticks_before((START + last_tick) // 2))
    began = time.perf_counter()
    surplus = retention.surplus_ticks(0)
    print(f"counting {surplus:,} ticks: {time.perf_counter() - began:.2f} s")
    steps += _delete("ticks by size", retention, lambda: retention.delete_oldest_ticks(1_000_000), rows // 10)
    steps += _delete("indicators by age", retention, lambda: retention.delete_indicators_before((START + last_minute) // 2))
    retention.close()
    writer.stopped.set()
    writer.join()
    together = writer.seconds[len(alone) :]
    print(f"storing {STORED_AT_ONCE:,} ticks: alone {_quantiles(alone)}, while rows were deleted {_quantiles(together)}")
    print(f"retention: {_quantiles(steps)} a transaction")


def _fill(url: str, rows: int) -> tuple[int, int]:
    """Store ticks, 1,000 a second of the feed, and a minute of indicator values after another; their last times."""
    with TickWriter(url) as ticks, Writer(url) as writer:
        for first in range(0, rows, AT_ONCE):
            ticks.insert_ticks(
                [
                    ("benchmark", each, SYMBOLS[each * 7 % 5000], 100.25 + each % 7, 100, START + each, False)
                    for each in range(first, min(first + AT_ONCE, rows))
                ]
            )
        minutes = rows // INDICATORS_SHARE // len(SYMBOLS)
        for minute in range(minutes):
            with writer.transaction() as batch:
                batch.insert_indicators(indicator_rows(START + minute * MINUTE))
    return START + rows, START + minutes * MINUTE


def _delete(name: str, retention: Retention, step: Callable[[], int], most: float = float("inf")) -> list[float]:
    seconds, deleted, began = [], 0, time.perf_counter()
    while deleted < most and (rows := step()):
        seconds.append(retention.transaction_seconds)
        deleted += rows
        time.sleep(PAUSE_SECONDS)
    rate = deleted / (time.perf_counter() - began)
    print(f"{name:<18}{deleted:>10,} rows in {len(seconds):>6,} steps, {rate:,.0f} rows/s; a transaction {_quantiles(seconds)}")
    return seconds


def _quantiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p50, p99, longest = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 for share in (0.5, 0.99, 1.0))
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {longest:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retention", description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=5_000_000, help="ticks, and a fifth as many indicator values (default 5,000,000)"
    )
    parser.add_argument("--url", help="database to fill; default: a temporary SQLite file")
    options = parser.parse_args()
    if options.url:
        run(options.url, options.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(f"sqlite:///{(Path(folder) / 'benchmark.db').as_posix()}", options.rows)


if __name__ == "__main__":
    main()
