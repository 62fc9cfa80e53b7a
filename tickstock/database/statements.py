"""The SQL of the bulk writes, derived from the tables once at import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ColumnElement, MetaData, Table, Text, and_, cast, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

from tickstock.database import models
from tickstock.database.models import Milliseconds

_postgresql: Any = postgresql  # its dialects are not annotated
_SQLITE = sqlite.dialect()
_POSTGRESQL = _postgresql.dialect()


@dataclass(frozen=True)
class BulkWrite:
    """How rows get into one table, and what happens to a row whose key is already there."""

    table: Table
    sqlite: str  # for one row
    staging: str  # creates the staging table
    copy: str  # fills it
    insert: str  # moves its rows into the table
    clear: str  # empties it, for a second use in one transaction

    def sqlite_rows(self, count: int) -> str:
        """The SQLite statement for several rows at once."""
        one = "(" + ", ".join("?" * len(self.table.columns)) + ")"
        return self.sqlite.replace(one, ", ".join([one] * count), 1)


def bulk_write(table: Table, changes: Sequence[str] = (), only_forming: bool = False) -> BulkWrite:
    """Insert rows; a row whose key exists changes these columns, and nothing when there are none.

    With `only_forming` a stored row changes only from state forming to another one.
    """
    staging = _staging(table)
    moved = select(*[_unstaged(column, staging.c[column.name]) for column in table.columns])
    names = [column.name for column in table.columns]
    quoted = ", ".join(_POSTGRESQL.identifier_preparer.quote(name) for name in names)
    return BulkWrite(
        table=table,
        sqlite=_compiled(_on_conflict(sqlite.insert(table), changes, only_forming), _SQLITE),
        staging=_compiled(CreateTable(staging, if_not_exists=True), _POSTGRESQL),
        copy=f"COPY {staging.name} ({quoted}) FROM STDIN",
        insert=_compiled(_on_conflict(postgresql.insert(table).from_select(names, moved), changes, only_forming), _POSTGRESQL),
        clear=f"TRUNCATE {staging.name}",
    )


def _on_conflict(insert: Any, changes: Sequence[str], only_forming: bool) -> Any:
    if not changes:
        return insert.on_conflict_do_nothing()
    table = insert.table
    where = None
    if only_forming:
        forming: ColumnElement[str] = literal_column("'forming'")
        where = and_(table.c.state == forming, insert.excluded.state != forming)
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: insert.excluded[name] for name in changes},
        where=where,
    )


def _staging(table: Table) -> Table:
    """A temporary table that takes COPY's text as it is: times as milliseconds, documents as text, no keys."""
    types: dict[type, TypeEngine[Any]] = {Milliseconds: BigInteger(), JSON: Text()}
    return Table(
        f"staging_{table.name}",
        MetaData(),
        *(Column(column.name, types.get(type(column.type)) or column.type) for column in table.columns),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DELETE ROWS",
    )


def _unstaged(column: Column[Any], staged: Column[Any]) -> Any:
    if isinstance(column.type, Milliseconds):
        return literal_column(f"to_timestamp({_POSTGRESQL.identifier_preparer.quote(staged.name)} / 1000.0)")
    if isinstance(column.type, JSON):
        return cast(staged, JSONB)
    return staged


def _compiled(statement: Any, dialect: Any) -> str:
    return str(statement.compile(dialect=dialect))


TICKS = bulk_write(models.ticks)
BARS = bulk_write(models.bars)
PATTERNS = bulk_write(
    models.intraday_patterns,
    changes=(
        "direction",
        "state",
        "session",
        "bar_timestamp",
        "detection_timestamp",
        "price",
        "quality",
        "origin",
        "details",
    ),
    only_forming=True,
)
INDICATORS = bulk_write(models.intraday_indicators)
ALERTS = bulk_write(models.indicator_alerts)
SESSION_STARTS = bulk_write(models.streaming_sessions)
SESSION_STOPS = bulk_write(models.streaming_sessions, changes=("stopped", "reason", "totals"))
PROGRESS = bulk_write(models.streaming_progress, changes=("position", "minute", "replay_from", "updated"))
GAPS = bulk_write(models.feed_gaps, changes=("started", "ended", "cause", "repair", "lost"))

OUTCOMES = bulk_write(models.pattern_outcomes)
OUTCOME_ROWS = bulk_write(models.outcome_rows)
OUTCOME_REPORTS = bulk_write(models.outcome_reports, changes=("computed", "header"))

HISTORY = bulk_write(models.stored_history, changes=("until",))
COVERAGE = bulk_write(models.bar_coverage, changes=("until",))

SYMBOLS = bulk_write(models.symbols, changes=("name", "exchange", "type", "active"))

SPLITS = bulk_write(models.splits, changes=("scaled_from",))
VENDOR_PROGRESS = bulk_write(models.vendor_progress, changes=("until",))
RECONCILIATIONS = bulk_write(models.reconciliations)

CORRECTED_SYMBOLS_SQLITE = """
    SELECT DISTINCT symbol FROM bars WHERE timeframe = ? AND timestamp >= ? AND timestamp < ? AND revision > 0
"""
CORRECTED_SYMBOLS_POSTGRESQL = """
    SELECT DISTINCT symbol FROM bars
    WHERE timeframe = %s AND timestamp >= to_timestamp(%s / 1000.0) AND timestamp < to_timestamp(%s / 1000.0) AND revision > 0
"""

COVERED_SQLITE = "SELECT until FROM bar_coverage WHERE symbol = ? AND day = ?"
COVERED_POSTGRESQL = """
    SELECT symbol, (extract(epoch FROM until) * 1000)::bigint FROM bar_coverage
    WHERE day = to_timestamp(%s / 1000.0) AND symbol = ANY(%s)
"""

NEWEST_BAR_SQLITE = """
    SELECT symbol, timeframe, timestamp, revision, open, high, low, close, volume, ticks, trades, source, first_tick, last_tick
    FROM bars WHERE symbol = ? AND timeframe = ? AND timestamp = ? ORDER BY revision DESC LIMIT 1
"""
BARS_BETWEEN_SQLITE = """
    SELECT symbol, timeframe, timestamp, revision, open, high, low, close, volume, ticks, trades, source, first_tick, last_tick
    FROM bars WHERE symbol = ? AND timeframe = ? AND timestamp >= ? AND timestamp < ? ORDER BY timestamp, revision
"""
BARS_BETWEEN_POSTGRESQL = """
    SELECT symbol, timeframe, (extract(epoch FROM timestamp) * 1000)::bigint, revision, open, high, low, close, volume, ticks,
           trades, source, (extract(epoch FROM first_tick) * 1000)::bigint, (extract(epoch FROM last_tick) * 1000)::bigint
    FROM bars
    WHERE symbol = %s AND timeframe = %s AND timestamp >= to_timestamp(%s / 1000.0) AND timestamp < to_timestamp(%s / 1000.0)
    ORDER BY timestamp, revision
"""
NEWEST_BARS_POSTGRESQL = """
    SELECT DISTINCT ON (symbol, timestamp)
           symbol, timeframe, (extract(epoch FROM timestamp) * 1000)::bigint, revision, open, high, low, close, volume, ticks,
           trades, source, (extract(epoch FROM first_tick) * 1000)::bigint, (extract(epoch FROM last_tick) * 1000)::bigint
    FROM bars JOIN unnest(%s::text[], %s::bigint[]) AS wanted (wanted_symbol, wanted_timestamp)
         ON symbol = wanted_symbol AND timestamp = to_timestamp(wanted_timestamp / 1000.0)
    WHERE timeframe = %s ORDER BY symbol, timestamp, revision DESC
"""
