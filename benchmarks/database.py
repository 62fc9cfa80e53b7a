"""Rows a second of every bulk write and of the window that the analysis starts from: `python -m benchmarks.database [--url URL]`.

Without a URL it uses a SQLite file of its own; a PostgreSQL database should be empty and is filled.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tickstock.database.migrate import migrate
from tickstock.database.windows import window_bars
from tickstock.database.writers import TickWriter, Writer

START = 1_728_307_800_000
MINUTE = 60_000
SYMBOLS = [f"S{number:04}" for number in range(5000)]
MINUTES = 10


def tick_rows() -> list[tuple[Any, ...]]:
    return [
        ("benchmark", each, SYMBOLS[each % 5000], 100.25 + each % 7, 100, START + each // 10, False) for each in range(200_000)
    ]


def bar_rows(at: int) -> list[tuple[Any, ...]]:
    return [
        (symbol, "1min", at, 0, 10.25, 10.5, 10.125, 10.5, 1000, 30, None, "simulated", at + 5, at + 59_000) for symbol in SYMBOLS
    ]


def indicator_rows(at: int) -> list[tuple[Any, ...]]:
    values = {"RSI_14": 61.2345678, "SMA_20": 256.71123, "SMA_50": 255.123456}
    return [(symbol, "1min", at, "regular", at + 64_000, values, "simulated") for symbol in SYMBOLS]


def pattern_rows(at: int) -> list[tuple[Any, ...]]:
    return [
        (f"{symbol}:1min:Doji:{at}", symbol, "Doji", "neutral", "confirmed", "1min", "regular", at, at + 64_000, 12.5, 0.5,
         "simulated", "live", {"colour": "up"})
        for symbol in SYMBOLS
    ]  # fmt: skip


def measured(name: str, work: Callable[[], int]) -> float:
    """Print the wall-clock rate and the CPU of one kind of work, which returns its number of rows; the rate is returned."""
    started, cpu = time.perf_counter(), time.process_time()
    rows = work()
    seconds, busy = time.perf_counter() - started, time.process_time() - cpu
    print(f"{name:<12}{rows:>10,} rows {rows / seconds:>10,.0f} rows/s   {busy / rows * 1e6:5.2f} us of this process's CPU a row")
    return rows / seconds


def run(url: str) -> None:
    """Fill the tables of a database and print what each of them cost."""
    migrate(url)
    ticks = tick_rows()
    with TickWriter(url) as tick_writer, Writer(url) as writer:

        def minutes(insert: str, rows: Callable[[int], list[tuple[Any, ...]]]) -> int:
            stored = 0
            for minute in range(MINUTES):
                with writer.transaction() as batch:
                    stored += getattr(batch, insert)(rows(START + minute * MINUTE))
            return stored

        rate = measured("ticks", lambda: tick_writer.insert_ticks(ticks))
        measured("bars", lambda: minutes("insert_bars", bar_rows))
        measured("indicators", lambda: minutes("insert_indicators", indicator_rows))
        measured("patterns", lambda: minutes("upsert_patterns", pattern_rows))
        measured("window read", lambda: len(window_bars(url, SYMBOLS, "1min", START, START + MINUTES * MINUTE)))
    print(f"database: {rate:,.0f} ticks/s stored ({1e6 / rate:.1f} us a tick) on {url.partition(':')[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.database", description=__doc__)
    parser.add_argument("--url", help="database to fill; default: a temporary SQLite file")
    url = parser.parse_args().url
    if url:
        run(url)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(f"sqlite:///{(Path(folder) / 'benchmark.db').as_posix()}")


if __name__ == "__main__":
    main()
