"""Stored bars of many symbols as numpy columns, for the windows that the analysis starts from."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstock.database.connection import database_errors, is_postgresql, open_postgresql, open_sqlite

_COLUMNS = ("lane", "timestamp", "revision", "open", "high", "low", "close", "volume")
_RECORD = np.dtype([(name, "f8" if name in ("open", "high", "low", "close") else "i8") for name in _COLUMNS])
_COUNTS = ("ticks", "trades", "first_tick", "last_tick")  # read only on demand
_COUNTED_RECORD = np.dtype([*_RECORD.descr, *((name, "i8") for name in _COUNTS)])
_UNKNOWN = -1  # in place of NULL
_NEVER = 1 << 62

_SQLITE = """
    SELECT ?, timestamp, revision, open, high, low, close, volume{counts} FROM bars
    WHERE symbol = ? AND timeframe = ? AND timestamp >= ? AND timestamp < ? AND (timestamp < ? OR revision = 0)
"""
_SQLITE_COUNTS = ", coalesce(ticks, -1), coalesce(trades, -1), coalesce(first_tick, -1), coalesce(last_tick, -1)"
_POSTGRESQL = """
    COPY (
        SELECT lane, (extract(epoch FROM timestamp) * 1000)::bigint, revision::bigint, open, high, low, close, volume{counts}
        FROM bars JOIN unnest(%s::text[]) WITH ORDINALITY AS wanted (wanted_symbol, lane) ON symbol = wanted_symbol
        WHERE timeframe = %s AND timestamp >= to_timestamp(%s / 1000.0) AND timestamp < to_timestamp(%s / 1000.0)
          AND (timestamp < to_timestamp(%s / 1000.0) OR revision = 0)
    ) TO STDOUT (FORMAT binary)
"""
_POSTGRESQL_COUNTS = """, coalesce(ticks, -1)::bigint, coalesce(trades, -1)::bigint,
    coalesce((extract(epoch FROM first_tick) * 1000)::bigint, -1), coalesce((extract(epoch FROM last_tick) * 1000)::bigint, -1)
"""


@dataclass(frozen=True)
class BarColumns:
    """Bars of one timeframe, ordered by lane and start; `lane` is the index of the bar's symbol in `symbols`."""

    symbols: tuple[str, ...]
    lane: NDArray[np.int64]
    timestamp: NDArray[np.int64]  # the bar's start, Unix milliseconds
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.int64]
    counts: dict[str, NDArray[np.float64]] | None = None  # ticks, trades, first_tick, last_tick: NaN where the bar has none

    def __len__(self) -> int:
        return len(self.lane)


def window_bars(
    url: str,
    symbols: Sequence[str],
    timeframe: str,
    since: int,
    until: int,
    *,
    as_first_closed_from: int | None = None,
    with_counts: bool = False,
) -> BarColumns:
    """The bars of these symbols with `since` <= start < `until`, one per symbol and start.

    A bar counts in its highest revision; from `as_first_closed_from` on as it was first closed (revision 0), and a bar that came
    later, as a revision only, is left out there: so a restart sees what the running engine saw. `with_counts` reads the columns
    of `counts` too, which only running bars of higher timeframes need.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    wanted = tuple(dict.fromkeys(symbols))
    bounds = (timeframe, since, until, _NEVER if as_first_closed_from is None else as_first_closed_from)
    read = _read_postgresql if is_postgresql(url) else _read_sqlite
    with database_errors(url):
        records = read(url, wanted, *bounds, with_counts)
    return _columns(wanted, records, with_counts)


def _columns(symbols: tuple[str, ...], records: NDArray[Any], with_counts: bool) -> BarColumns:
    order = np.lexsort((records["revision"], records["timestamp"], records["lane"]))
    lane, timestamp = records["lane"][order], records["timestamp"][order]
    newest = np.ones(len(order), dtype=bool)
    newest[:-1] = (lane[1:] != lane[:-1]) | (timestamp[1:] != timestamp[:-1])
    order = order[newest]
    chosen: dict[str, Any] = {name: np.ascontiguousarray(records[name][order]) for name in _COLUMNS if name != "revision"}
    if with_counts:
        chosen["counts"] = {
            name: np.where(records[name][order] == _UNKNOWN, np.nan, records[name][order].astype(np.float64)) for name in _COUNTS
        }
    return BarColumns(symbols, **chosen)


def _read_sqlite(
    url: str, symbols: tuple[str, ...], timeframe: str, since: int, until: int, first: int, counts: bool
) -> NDArray[Any]:
    connection = open_sqlite(url)
    try:
        connection.execute("BEGIN")  # all symbols as of one moment
        query = _SQLITE.format(counts=_SQLITE_COUNTS if counts else "")
        rows = _sqlite_rows(connection, query, symbols, (timeframe, since, until, first))
        return np.fromiter(rows, dtype=_COUNTED_RECORD if counts else _RECORD)
    finally:
        connection.close()


def _sqlite_rows(connection: sqlite3.Connection, query: str, symbols: tuple[str, ...], bounds: tuple[Any, ...]) -> Iterator[Any]:
    for lane, symbol in enumerate(symbols):
        yield from connection.execute(query, (lane, symbol, *bounds))


def _read_postgresql(
    url: str, symbols: tuple[str, ...], timeframe: str, since: int, until: int, first: int, counts: bool
) -> NDArray[Any]:
    connection = open_postgresql(url)
    try:
        cursor = connection.cursor()
        query = cursor.mogrify(
            _POSTGRESQL.format(counts=_POSTGRESQL_COUNTS if counts else ""),
            (list(symbols), timeframe, since, until, min(first, until)),
        )
        content = io.BytesIO()
        cursor.copy_expert(query, content, size=1 << 20)
        records = _binary_records(content.getbuffer(), _COUNTED_RECORD if counts else _RECORD)
        records["lane"] -= 1
        return records
    finally:
        connection.close()


# COPY's binary format: a header of 19 bytes without extensions, then per row the number of fields and each field's length and
# content, big-endian, and at the end the number -1. https://www.postgresql.org/docs/current/sql-copy.html
_HEADER = 19
_TRAILER = 2


def _binary_records(content: memoryview, record: np.dtype[Any]) -> NDArray[Any]:
    names = record.names or ()
    fields = [pair for name in names for pair in ((f"{name} length", ">i4"), (name, record[name].newbyteorder(">")))]
    rows = np.frombuffer(content[_HEADER : len(content) - _TRAILER], dtype=[("fields", ">i2"), *fields])
    records = np.empty(len(rows), dtype=record)
    for name in names:
        records[name] = rows[name]
    return records
