"""Bulk writes, each of them idempotent: COPY into a staging table on PostgreSQL, statements of many rows on SQLite.

A writer belongs to one thread at a time and holds one connection, which it opens when it is needed, and again after a fault. A
transaction that raises has written nothing, so that the caller may repeat it whole.
"""

from __future__ import annotations

import io
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any, Self

import psycopg2

from tickstock.database import statements
from tickstock.database.connection import database_errors, is_postgresql, open_postgresql, open_sqlite
from tickstock.database.rows import Row, checked_columns, copy_text
from tickstock.database.statements import BulkWrite
from tickstock.errors import DatabaseUnavailable

TICKS_PER_TRANSACTION = 5_000  # about 30 ms on SQLite: the other process waits no longer than that

# Rows a statement. sqlite3 gives up the interpreter's lock at every row of `executemany`, and beside a busy thread it gets it
# back only every 5 ms: measured, 345 rows a second, where statements of a hundred rows do 290,000.
SQLITE_ROWS = (100, 10, 1)

_REVISIONS_LOCK = 7_401_310_746  # any number, the same in every TickStock

BarKey = tuple[str, int]  # symbol, start of the bar in Unix milliseconds


class Batch(ABC):
    """The writes of one transaction.

    Rows are sequences in the order of the table's columns, times in Unix milliseconds, documents as dicts. Every method returns
    how many rows it inserted or changed.
    """

    def insert_bars(self, rows: Sequence[Row]) -> int:
        """Store bars; a stored bar (symbol, timeframe, timestamp, revision) never changes."""
        return self._add(statements.BARS, rows)

    def insert_indicators(self, rows: Sequence[Row]) -> int:
        """Store indicator values; those of a stored bar never change."""
        return self._add(statements.INDICATORS, rows)

    def upsert_patterns(self, rows: Sequence[Row]) -> int:
        """Store patterns; a stored one changes only from forming to confirmed or void."""
        return self._add(statements.PATTERNS, _merged_states(rows))

    def insert_alerts(self, rows: Sequence[Row]) -> int:
        """Store indicator alerts; a stored one never changes."""
        return self._add(statements.ALERTS, rows)

    def set_progress(self, run: str, position: int, minute: int, replay_from: int, updated: int) -> None:
        """Set how far everything of a run is stored; `updated` orders the runs."""
        self._add(statements.PROGRESS, [(run, position, minute, replay_from, updated)])

    def upsert_gap(
        self,
        gap_id: str,
        started: int,
        ended: int | None,
        cause: str,
        repair: str | None = None,
        lost: str | None = None,
    ) -> None:
        """Store a gap, or how it stands now; `repair` is None while it waits, `lost` when nothing is lost."""
        self._add(statements.GAPS, [(gap_id, started, ended, cause, repair, lost)])

    def start_session(self, session_id: str, started: int) -> None:
        """Store that a streaming session began."""
        self._add(statements.SESSION_STARTS, [(session_id, started, None, None, None)])

    def stop_session(self, session_id: str, stopped: int, reason: str, totals: Mapping[str, Any]) -> None:
        """Store when and why a streaming session ended, and its totals."""
        self._add(statements.SESSION_STOPS, [(session_id, stopped, stopped, reason, dict(totals))])

    def set_coverage(self, rows: Sequence[Row]) -> int:
        """Set until when the vendor's bars of (symbol, day) are stored."""
        return self._add(statements.COVERAGE, _last_per_key(rows, 2))

    def set_history(self, rows: Sequence[Row]) -> int:
        """Set until when what warm-up found in the bars of a timeframe is stored."""
        return self._add(statements.HISTORY, rows)

    def upsert_symbols(self, rows: Sequence[Row]) -> int:
        """Store what the vendor says of symbols (symbol, name, exchange, type, active), or how it is now."""
        return self._add(statements.SYMBOLS, _last_per_key(rows, 1))

    def set_splits(self, rows: Sequence[Row]) -> int:
        """Store splits (symbol, day, from, to), and from when on the symbol's earlier bars are in new shares."""
        return self._add(statements.SPLITS, rows)

    def set_vendor_progress(self, rows: Sequence[Row]) -> int:
        """Set up to when what the vendor says is stored: splits, final_days, symbols."""
        return self._add(statements.VENDOR_PROGRESS, rows)

    def insert_reconciliations(self, rows: Sequence[Row]) -> int:
        """Store how the bars of (day, symbol) compared with the vendor's; the first comparison stands."""
        return self._add(statements.RECONCILIATIONS, rows)

    def insert_outcomes(self, rows: Sequence[Row]) -> int:
        """Store what followed patterns; a stored outcome (id, horizon) never changes."""
        return self._add(statements.OUTCOMES, rows)

    def insert_outcome_rows(self, rows: Sequence[Row]) -> int:
        """Store rows of a report; they are in force when `set_outcome_report` says so."""
        return self._add(statements.OUTCOME_ROWS, rows)

    def set_outcome_report(self, name: str, computed: int, header: Mapping[str, Any]) -> None:
        """Put the rows that were computed at this moment into force."""
        self._add(statements.OUTCOME_REPORTS, [(name, computed, dict(header))])

    @abstractmethod
    def corrected_symbols(self, timeframe: str, since: int, until: int) -> set[str]:
        """The symbols of which a stored bar with `since` <= start < `until` has a further revision."""

    @abstractmethod
    def newest_bars(self, timeframe: str, keys: Sequence[BarKey]) -> dict[BarKey, Row]:
        """The stored bars of these keys in their highest revision, as rows; what is not stored is left out.

        Until the transaction ends no other one can ask, so that no two of them make the same revision of a bar.
        """

    @abstractmethod
    def bars_between(self, timeframe: str, symbol: str, since: int, until: int) -> list[Row]:
        """The stored bars of a symbol with `since` <= start < `until` in their highest revision, oldest first.

        As after `newest_bars`, no other transaction makes revisions until this one ends.
        """

    @abstractmethod
    def covered_until(self, day: int, symbols: Collection[str]) -> dict[str, int]:
        """Until when the vendor's bars of a trading day (0: day bars) are stored, for the symbols of which there are any."""

    @abstractmethod
    def _add(self, write: BulkWrite, rows: Sequence[Row]) -> int: ...


class _Closable:
    """Holds a connection, for a `with` block or until it is closed."""

    def __init__(self, url: str) -> None:
        self._connection = _WritingConnection.to(url)

    def close(self) -> None:
        """Close the connection; the next write would open it again."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Writer(_Closable):
    """Writes everything but ticks."""

    @contextmanager
    def transaction(self) -> Iterator[Batch]:
        """One transaction: committed when the block ends, undone when it raises.

        Raises:
            DatabaseUnavailable: the database cannot be reached, is locked or full; nothing was written, try again.
            DatabaseError: the rows or the schema are wrong; nothing was written, and trying again does not help.
        """
        with self._connection.transaction() as batch:
            yield batch


class TickWriter(_Closable):
    """Writes ticks, in transactions that hold up no other process."""

    def insert_ticks(self, rows: Sequence[Row]) -> int:
        """Store ticks (run, position, symbol, price, volume, timestamp, late) and return how many were new.

        Raises:
            DatabaseUnavailable: try again, with the same rows: those already stored are left as they are.
            DatabaseError: a row is wrong.
        """
        inserted = 0
        for first in range(0, len(rows), TICKS_PER_TRANSACTION):
            with self._connection.transaction() as batch:
                inserted += batch._add(statements.TICKS, rows[first : first + TICKS_PER_TRANSACTION])
        return inserted


class _WritingConnection(ABC):
    """One connection and its transactions."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None

    @staticmethod
    def to(url: str) -> _WritingConnection:
        return (_PostgresConnection if is_postgresql(url) else _SqliteConnection)(url)

    @contextmanager
    def transaction(self) -> Iterator[Batch]:
        try:
            with database_errors(self._url):
                if self._connection is None:
                    self._connection = self._open()
                batch = self._begin()
                try:
                    yield batch
                except BaseException:
                    self._roll_back()
                    raise
                self._commit()
        except DatabaseUnavailable:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error, psycopg2.Error):
                connection.close()

    @abstractmethod
    def _open(self) -> Any: ...

    @abstractmethod
    def _begin(self) -> Batch: ...

    def _commit(self) -> None:
        self._connection.commit()

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error, psycopg2.Error):
            self._connection.rollback()


class _SqliteConnection(_WritingConnection):
    def _open(self) -> sqlite3.Connection:
        return open_sqlite(self._url)

    def _begin(self) -> Batch:
        self._connection.execute("BEGIN IMMEDIATE")
        return _SqliteBatch(self._connection)


class _PostgresConnection(_WritingConnection):
    def _open(self) -> Any:
        return open_postgresql(self._url)

    def _begin(self) -> Batch:
        return _PostgresBatch(self._connection)


class _SqliteBatch(Batch):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def newest_bars(self, timeframe: str, keys: Sequence[BarKey]) -> dict[BarKey, Row]:
        found: dict[BarKey, Row] = {}
        for key in keys:
            row = self._connection.execute(statements.NEWEST_BAR_SQLITE, (key[0], timeframe, key[1])).fetchone()
            if row is not None:
                found[key] = row
        return found

    def corrected_symbols(self, timeframe: str, since: int, until: int) -> set[str]:
        found = self._connection.execute(statements.CORRECTED_SYMBOLS_SQLITE, (timeframe, since, until))
        return {row[0] for row in found}

    def bars_between(self, timeframe: str, symbol: str, since: int, until: int) -> list[Row]:
        found = self._connection.execute(statements.BARS_BETWEEN_SQLITE, (symbol, timeframe, since, until))
        return list({row[2]: row for row in found}.values())

    def covered_until(self, day: int, symbols: Collection[str]) -> dict[str, int]:
        found = ((symbol, self._connection.execute(statements.COVERED_SQLITE, (symbol, day)).fetchone()) for symbol in symbols)
        return {symbol: row[0] for symbol, row in found if row is not None}

    def _add(self, write: BulkWrite, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        checked = list(zip(*checked_columns(write.table, rows), strict=True))
        changed = at = 0
        for size in SQLITE_ROWS:
            statement = write.sqlite_rows(size)
            while len(checked) - at >= size:
                values = list(chain.from_iterable(checked[at : at + size]))
                changed += self._connection.execute(statement, values).rowcount
                at += size
        return changed


class _PostgresBatch(Batch):
    def __init__(self, connection: Any) -> None:
        self._cursor = connection.cursor()
        self._filled: set[str] = set()  # staging tables that hold rows of this transaction
        self._revises = False

    def newest_bars(self, timeframe: str, keys: Sequence[BarKey]) -> dict[BarKey, Row]:
        self._alone()
        symbols, timestamps = [key[0] for key in keys], [key[1] for key in keys]
        self._cursor.execute(statements.NEWEST_BARS_POSTGRESQL, (symbols, timestamps, timeframe))
        return {(row[0], row[2]): row for row in self._cursor.fetchall()}

    def corrected_symbols(self, timeframe: str, since: int, until: int) -> set[str]:
        self._cursor.execute(statements.CORRECTED_SYMBOLS_POSTGRESQL, (timeframe, since, until))
        return {row[0] for row in self._cursor.fetchall()}

    def bars_between(self, timeframe: str, symbol: str, since: int, until: int) -> list[Row]:
        self._alone()
        self._cursor.execute(statements.BARS_BETWEEN_POSTGRESQL, (symbol, timeframe, since, until))
        return list({row[2]: row for row in self._cursor.fetchall()}.values())

    def _alone(self) -> None:
        if not self._revises:  # SQLite has one writer at a time anyway
            self._cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_REVISIONS_LOCK,))
            self._revises = True

    def covered_until(self, day: int, symbols: Collection[str]) -> dict[str, int]:
        self._cursor.execute(statements.COVERED_POSTGRESQL, (day, list(symbols)))
        return dict(self._cursor.fetchall())

    def _add(self, write: BulkWrite, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        text = copy_text(write.table, checked_columns(write.table, rows))
        if write.table.name in self._filled:
            self._cursor.execute(write.clear)
        self._filled.add(write.table.name)
        self._cursor.execute(write.staging)
        self._cursor.copy_expert(write.copy, io.StringIO(text), size=1 << 20)
        self._cursor.execute(write.insert)
        return int(self._cursor.rowcount)


def _last_per_key(rows: Sequence[Row], key_columns: int) -> list[Row]:
    """One row per key: PostgreSQL refuses to change a row twice in one statement."""
    return list({tuple(row[:key_columns]): row for row in rows}.values())


def _merged_states(rows: Sequence[Row]) -> list[Row]:
    """One row per pattern id, as if the rows had been written one by one."""
    merged: dict[str, Row] = {}
    for row in rows:
        known = merged.get(row[0])
        if known is None or (known[4] == "forming" and row[4] != "forming"):
            merged[row[0]] = row
    return list(merged.values())
