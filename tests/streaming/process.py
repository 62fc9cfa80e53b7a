"""TickStockPL as the launcher runs it: a process of its own, and what it left in the database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select

from tests.servers import RedisServer
from tests.streaming.market import T0, Publisher, Say, eventually
from tickstock.database import models
from tickstock.database.connection import open_engine
from tickstock.database.queries import Progress, Queries

SYMBOLS = ",".join(f"S{number:02}" for number in range(10))

# What depends on when something was processed, and not on what.
_VOLATILE = {"detection_timestamp", "calculation_timestamp", "origin", "updated"}
RESULT_TABLES = ("bars", "intraday_patterns", "intraday_indicators", "indicator_alerts", "streaming_progress")


class StreamingProcess:
    """`python -m tickstock.streaming`, which can be killed and started again."""

    def __init__(self, server: RedisServer, database_url: str, rest_url: str, folder: Path, **settings: str) -> None:
        self.log = folder / f"streaming-{time.monotonic_ns()}.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TICKSTOCK_", "MASSIVE_"))},
            "REDIS_URL": server.url, "DATABASE_URL": database_url, "TICKSTOCK_REST_URL": rest_url, "MASSIVE_API_KEY": "key",
            "TICKSTOCK_FEED": "simulated", "TICKSTOCK_FEED_CLOCK": "events", "TICKSTOCK_CALENDAR": "always_open",
            "TICKSTOCK_SYMBOLS": SYMBOLS, "TICKSTOCK_DATA_DIR": str(folder), **settings,
        }  # fmt: skip
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._subscribed_before = self.text.count("Subscribed to")
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tickstock.streaming"],
                env=self._environment, stdout=output, stderr=subprocess.STDOUT, cwd=Path(__file__).parents[2],
            )  # fmt: skip

    def wait_until_subscribed(self) -> None:
        eventually(lambda: self.text.count("Subscribed to") > self._subscribed_before)

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_subscribed()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.kill()
        if kind is not None:
            print(self.text[-6000:])


@contextmanager
def warm_process(
    server: RedisServer, database_url: str, rest_url: str, folder: Path, **settings: str
) -> Iterator[tuple[StreamingProcess, Publisher]]:
    """A process that has all its history, and the first run of an app, whose watermark is `T0`."""
    first = Publisher(server)
    with StreamingProcess(server, database_url, rest_url, folder, **settings) as streaming:
        first.send([Say(T0)])
        wait_until_warm(database_url)
        yield streaming, first
    first.close()


def progress(database_url: str) -> Progress | None:
    return Queries(database_url).progress()


def wait_for_minute(database_url: str, minute: int, seconds: float = 60.0) -> None:
    """Until everything up to this minute is stored."""
    queries = Queries(database_url)
    eventually(lambda: (found := queries.progress()) is not None and found.minute >= minute, seconds, 0.05)


def wait_until_warm(database_url: str, timeframes: int = 5) -> None:
    """Until every series is complete: what comes then does not depend on how fast REST was."""
    eventually(lambda: len(rows_of(database_url, "stored_history")) == timeframes, 60, 0.05)


def rows_of(database_url: str, name: str, *, without: frozenset[str] | set[str] = frozenset()) -> list[dict[str, Any]]:
    """All rows of a table, in the order of its key."""
    table = models.metadata.tables[name]
    with open_engine(database_url).connect() as connection:
        rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        return [{key: value for key, value in row.items() if key not in without} for row in rows]


def tables(database_url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that was stored and does not depend on when it was processed."""
    return {name: rows_of(database_url, name, without=_VOLATILE) for name in RESULT_TABLES}
