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
_NEVER = 1 << 62

_SQLITE = """
    SELECT ?, timestamp, revision, open, high, low, close, volume FROM bars
    WHERE symbol = ? AND timeframe = ? AND timestamp >= ? AND timestamp < ? AND (timestamp < ? OR revision = 0)
"""
_POSTGRESQL = """
    COPY (
        SELECT lane, (extract(epoch FROM timestamp) * 1000)::bigint, revision::bigint, open, high, low, close, volume
        FROM bars JOIN unnest(%s::text[]) WITH ORDINALITY AS wanted (wanted_symbol, lane) ON symbol = wanted_symbol
        WHERE timeframe = %s AND timestamp >= to_timestamp(%s / 1000.0) AND timestamp < to_timestamp(%s / 1000.0)
          AND (timestamp < to_timestamp(%s / 1000.0) OR revision = 0)
    ) TO STDOUT (FORMAT binary)
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
) -> BarColumns:
    """The bars of these symbols with `since` <= start < `until`, one per symbol and start.

    A bar counts in its highest revision; from `as_first_closed_from` on as it was first closed (revision 0), and a bar that came
    later, as a revision only, is left out there: so a restart sees what the running engine saw.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    wanted = tuple(dict.fromkeys(symbols))
    bounds = (timeframe, since, until, _NEVER if as_first_closed_from is None else as_first_closed_from)
    read = _read_postgresql if is_postgresql(url) else _read_sqlite
    with database_errors(url):
        records = read(url, wanted, *bounds)
    return _columns(wanted, records)


def _columns(symbols: tuple[str, ...], records: NDArray[Any]) -> BarColumns:
    order = np.lexsort((records["revision"], records["timestamp"], records["lane"]))
    lane, timestamp = records["lane"][order], records["timestamp"][order]
    newest = np.ones(len(order), dtype=bool)
    newest[:-1] = (lane[1:] != lane[:-1]) | (timestamp[1:] != timestamp[:-1])
    order = order[newest]
    chosen = {name: np.ascontiguousarray(records[name][order]) for name in _COLUMNS if name != "revision"}
    return BarColumns(symbols, **chosen)


def _read_sqlite(url: str, symbols: tuple[str, ...], timeframe: str, since: int, until: int, first: int) -> NDArray[Any]:
    connection = open_sqlite(url)
    try:
        connection.execute("BEGIN")  # all symbols as of one moment
        return np.fromiter(_sqlite_rows(connection, symbols, (timeframe, since, until, first)), dtype=_RECORD)
    finally:
        connection.close()


def _sqlite_rows(connection: sqlite3.Connection, symbols: tuple[str, ...], bounds: tuple[Any, ...]) -> Iterator[Any]:
    for lane, symbol in enumerate(symbols):
        yield from connection.execute(_SQLITE, (lane, symbol, *bounds))


def _read_postgresql(url: str, symbols: tuple[str, ...], timeframe: str, since: int, until: int, first: int) -> NDArray[Any]:
    connection = open_postgresql(url)
    try:
        cursor = connection.cursor()
        query = cursor.mogrify(_POSTGRESQL, (list(symbols), timeframe, since, until, min(first, until)))
        content = io.BytesIO()
        cursor.copy_expert(query, content, size=1 << 20)
        records = _binary_records(content.getbuffer())
        records["lane"] -= 1
        return records
    finally:
        connection.close()


# COPY's binary format: a header of 19 bytes without extensions, then per row the number of fields and each field's length and
# content, big-endian, and at the end the number -1. https://www.postgresql.org/docs/current/sql-copy.html
_HEADER = 19
_TRAILER = 2
_BINARY_ROW = np.dtype(
    [("fields", ">i2")]
    + [pair for name in _COLUMNS for pair in ((f"{name} length", ">i4"), (name, _RECORD[name].newbyteorder(">")))]
)


def _binary_records(content: memoryview) -> NDArray[Any]:
    rows = np.frombuffer(content[_HEADER : len(content) - _TRAILER], dtype=_BINARY_ROW)
    records = np.empty(len(rows), dtype=_RECORD)
    for name in _COLUMNS:
        records[name] = rows[name]
    return records
