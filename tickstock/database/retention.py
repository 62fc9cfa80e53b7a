"""Deletes what is old, in steps so small that nobody waits for them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg2

from tickstock.database.connection import database_errors, is_postgresql, open_postgresql, open_sqlite

MOST_ROWS = 5_000
STEP_SECONDS = 0.05
BYTES_PER_TICK = {"sqlite": 90, "postgresql": 150}  # measured, indexes included

_FIRST_ROWS = 500

_OLD_TICKS = {
    "sqlite": """DELETE FROM ticks WHERE (run, position) IN
        (SELECT run, position FROM ticks WHERE timestamp < ? ORDER BY timestamp LIMIT ?)""",
    "postgresql": """DELETE FROM ticks WHERE ctid = ANY(ARRAY
        (SELECT ctid FROM ticks WHERE timestamp < to_timestamp(%s / 1000.0) ORDER BY timestamp LIMIT %s))""",
}
_OLDEST_TICKS = {
    "sqlite": "DELETE FROM ticks WHERE (run, position) IN (SELECT run, position FROM ticks ORDER BY timestamp LIMIT ?)",
    "postgresql": "DELETE FROM ticks WHERE ctid = ANY(ARRAY(SELECT ctid FROM ticks ORDER BY timestamp LIMIT %s))",
}
_OLD_INDICATORS = {
    "sqlite": """DELETE FROM intraday_indicators WHERE (symbol, timeframe, bar_timestamp) IN
        (SELECT symbol, timeframe, bar_timestamp FROM intraday_indicators WHERE calculation_timestamp < ?
         ORDER BY calculation_timestamp LIMIT ?)""",
    "postgresql": """DELETE FROM intraday_indicators WHERE ctid = ANY(ARRAY
        (SELECT ctid FROM intraday_indicators WHERE calculation_timestamp < to_timestamp(%s / 1000.0)
         ORDER BY calculation_timestamp LIMIT %s))""",
}
_OLD_OUTCOME_ROWS = {
    "sqlite": """DELETE FROM outcome_rows WHERE (computed, timeframe, pattern, direction, horizon, quality) IN
        (SELECT computed, timeframe, pattern, direction, horizon, quality FROM outcome_rows WHERE computed < ? LIMIT ?)""",
    "postgresql": """DELETE FROM outcome_rows WHERE ctid = ANY(ARRAY
        (SELECT ctid FROM outcome_rows WHERE computed < to_timestamp(%s / 1000.0) LIMIT %s))""",
}


class Retention:
    """Deletes in steps: each is one transaction of at most 5,000 rows and, as far as measured before, 50 ms.

    A step returns how many rows it deleted; 0 means that nothing is left to delete. Whoever calls leaves a pause between steps.
    On SQLite the deleted pages are copied from the log into the file after the transaction, when nobody waits for that.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.perf_counter) -> None:
        self._url = url
        self._kind = "postgresql" if is_postgresql(url) else "sqlite"
        self._clock = clock
        self.transaction_seconds = 0.0  # how long the last step's transaction held up other writers
        self._rows = _FIRST_ROWS
        self._connection: Any = None

    def delete_ticks_before(self, timestamp: int) -> int:
        """One step over the ticks older than this time of the feed, the oldest first."""
        return self._step(_OLD_TICKS, (timestamp,), MOST_ROWS)

    def delete_oldest_ticks(self, most: int) -> int:
        """One step over the oldest ticks, at most so many of them."""
        return self._step(_OLDEST_TICKS, (), most)

    def delete_indicators_before(self, timestamp: int) -> int:
        """One step over the indicator values that were calculated before this time, the oldest first."""
        return self._step(_OLD_INDICATORS, (timestamp,), MOST_ROWS)

    def delete_outcome_rows_before(self, computed: int) -> int:
        """One step over the rows of reports that were computed before this time."""
        return self._step(_OLD_OUTCOME_ROWS, (computed,), MOST_ROWS)

    def surplus_ticks(self, most_bytes: float) -> int:
        """How many ticks are stored beyond this size; counts all of them, so ask at most every few minutes."""
        with database_errors(self._url):
            cursor = self._cursor()
            cursor.execute("SELECT count(*) FROM ticks")
            stored: int = cursor.fetchone()[0]
            self._connection.commit()
        return max(0, stored - int(most_bytes / BYTES_PER_TICK[self._kind]))

    def close(self) -> None:
        """Close the connection; the next step would open it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error, psycopg2.Error):
                connection.close()

    def _step(self, statement: dict[str, str], values: Sequence[Any], most: int) -> int:
        rows = min(self._rows, most)
        if rows <= 0:
            return 0
        started = self._clock()
        try:
            with database_errors(self._url):
                cursor = self._cursor()
                if self._kind == "sqlite":
                    cursor.execute("BEGIN IMMEDIATE")
                    started = self._clock()  # waiting for another writer holds nobody up
                cursor.execute(statement[self._kind], (*values, rows))
                deleted = int(cursor.rowcount)
                self._connection.commit()
                self.transaction_seconds = self._clock() - started
                if self._kind == "sqlite":
                    cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except BaseException:
            self.close()
            raise
        if deleted == rows:
            self._pace(rows, self.transaction_seconds)
        return deleted

    def _pace(self, rows: int, seconds: float) -> None:
        """Aim the next step at a quarter of the time that one may take, because they differ; at most double it."""
        fitting = int(rows * STEP_SECONDS / 4 / max(seconds, 1e-6))
        self._rows = max(50, min(fitting, 2 * self._rows, MOST_ROWS))

    def _cursor(self) -> Any:
        if self._connection is None:
            self._connection = (open_postgresql if self._kind == "postgresql" else open_sqlite)(self._url)
            if self._kind == "sqlite":
                self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        return self._connection.cursor()
