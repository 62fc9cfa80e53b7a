"""Readers and writers in native threads beside green ones, as the web process runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.database.examples import pattern
from tickstock.database.writers import Writer

PROGRAM = """
import eventlet
eventlet.monkey_patch(psycopg=False)
import logging, sys, time
from tickstock.cooperation import in_native_thread
from tickstock.database.queries import Queries
from tickstock.database.windows import window_bars
from tickstock.database.writers import TickWriter

url = sys.argv[1]
queries, writer = Queries(url), TickWriter(url)
beats = []

def beat():
    while True:
        beats.append(time.monotonic())
        logging.getLogger("green").warning("a green thread logs")
        eventlet.sleep(0.005)

def read(number):
    for turn in range(10):
        assert len(in_native_thread(queries.patterns, limit=1 + number + turn).rows) == min(1 + number + turn, 40)
        in_native_thread(queries.coverage, "1min", 0, 1)

def write():
    for turn in range(20):
        rows = [("run", turn * 500 + number, "A", 1.5, 1, turn, False) for number in range(500)]
        assert in_native_thread(writer.insert_ticks, rows) == 500
        in_native_thread(window_bars, url, ["A"], "1min", 0, 1)

heart = eventlet.spawn(beat)
for thread in [*[eventlet.spawn(read, number) for number in range(12)], eventlet.spawn(write)]:
    thread.wait()
heart.kill()
print("beats", len(beats), len(in_native_thread(queries.stored_ticks, "run", 0, 100000)))
"""


def test_native_threads_share_no_lock_with_green_ones(database_url: str) -> None:
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.upsert_patterns([pattern(number) for number in range(40)])
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, database_url],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-2000:]
    word, beats, ticks = finished.stdout.split()
    assert (word, ticks) == ("beats", "10000")
    assert int(beats) > 5, "the green threads were held up"
