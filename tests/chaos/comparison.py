"""Whether two days ended with equal tables: what *equal* means, row by row."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from tickstock.database.connection import open_engine
from tickstock.database.models import (
    JOINED,
    LEFT,
    bar_coverage,
    bars,
    feed_gaps,
    indicator_alerts,
    intraday_indicators,
    intraday_patterns,
)
from tickstock.market_hours import MINUTE_MS

TOLERANCE = 1e-9
Key = tuple[Any, ...]
Rows = dict[Key, dict[str, Any]]
COMPARED = {
    intraday_patterns: (("id",), ("state", "direction", "bar_timestamp", "price", "quality", "details")),
    intraday_indicators: (("symbol", "timeframe", "bar_timestamp"), ("values",)),
    indicator_alerts: (("id",), ("direction", "threshold", "value", "bar_timestamp")),
}


@dataclass
class StoredDay:
    """Everything of a day that must not depend on what failed."""

    tables: dict[str, Rows]
    origins: dict[Key, str]  # of patterns (id, state) and alerts (id)
    gaps: list[dict[str, Any]]
    ticks: int  # stored
    forwarded: int  # positions given to them, over all runs
    followed_from: dict[str, int] = field(default_factory=dict)  # the first whole minute of each symbol that joined and stayed


@dataclass
class Difference:
    """What one table has of one day and not of the other, or otherwise."""

    table: str
    missing: list[Key] = field(default_factory=list)
    surplus: list[Key] = field(default_factory=list)
    unequal: list[tuple[Key, Any, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.missing) + len(self.surplus) + len(self.unequal)


def read_day(url: str) -> StoredDay:
    """Read a database."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            tables = {table.name: _rows(connection, table, *columns) for table, columns in COMPARED.items()}
            tables["bars"] = _newest_bars(connection)
            origins: dict[Key, str] = {}
            columns = select(intraday_patterns.c.id, intraday_patterns.c.state, intraday_patterns.c.origin)
            origins |= {("pattern", row.id, row.state): row.origin for row in connection.execute(columns)}
            columns = select(indicator_alerts.c.id, indicator_alerts.c.origin)
            origins |= {("alert", row.id): row.origin for row in connection.execute(columns)}
            gaps = [dict(row) for row in connection.execute(select(feed_gaps)).mappings()]
            count = connection.exec_driver_sql("SELECT COUNT(*), COUNT(DISTINCT run) FROM ticks").one()
            highest = connection.exec_driver_sql("SELECT MAX(position) FROM ticks GROUP BY run").all()
            joined = _marks(connection, JOINED)
            gone = {symbol for symbol, at in _marks(connection, LEFT).items() if at > joined.get(symbol, 0)}
            followed = {symbol: at for symbol, at in joined.items() if symbol not in gone}
            return StoredDay(tables, origins, gaps, int(count[0]), sum(int(row[0]) for row in highest), followed)
    finally:
        engine.dispose()


def differences(
    expected: StoredDay, found: StoredDay, bars_only: Callable[[str], bool], since: Mapping[str, float] | None = None
) -> list[Difference]:
    """How a day differs from the undisturbed one.

    Args:
        bars_only: of the symbols of which it holds, only bars are compared.
        since: symbols that came later, and from which bar on they are followed: of what was before, only the minutes are
            compared, and of one that is never followed (infinity) nothing.
    """
    came = since or {}

    def counts(name: str, key: Key, row: dict[str, Any]) -> bool:
        symbol = symbols_of(key)
        if name != "bars" and bars_only(symbol):
            return False
        if symbol not in came:
            return True
        is_minute = name == "bars" and key[1] == "1min" and came[symbol] < math.inf
        return is_minute or row.get("bar_timestamp", key[-1]) >= came[symbol]

    return [_difference(name, rows, found.tables[name], counts) for name, rows in expected.tables.items()]


def symbols_of(key: Key) -> str:
    """The symbol that a row belongs to: the first part of its key, or of its id."""
    return str(key[0]).split(":")[0]


def _difference(name: str, expected: Rows, found: Rows, counts: Callable[[str, Key, dict[str, Any]], bool]) -> Difference:
    difference = Difference(name)
    for key, row in expected.items():
        if not counts(name, key, row):
            continue
        other = found.get(key)
        if other is None:
            difference.missing.append(key)
        elif not all(_equal(name == "bars" and column == "volume", row[column], other[column]) for column in row):
            difference.unequal.append((key, row, other))
    difference.surplus = [key for key, row in found.items() if key not in expected and counts(name, key, row)]
    return difference


def _equal(is_volume: bool, one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(False, one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_equal(False, *pair) for pair in zip(one, other, strict=True))
    if isinstance(one, float | int) and isinstance(other, float | int) and not isinstance(one, bool):
        return abs(one - other) <= 1 if is_volume else math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)


def _rows(connection: Connection, table: Any, keys: Iterable[str], columns: Iterable[str]) -> Rows:
    names, values = tuple(keys), tuple(columns)
    wanted = [table.c[name] for name in (*names, *values)]
    return {
        tuple(row[name] for name in names): {name: row[name] for name in values}
        for row in connection.execute(select(*wanted)).mappings()
    }


def _marks(connection: Connection, kind: int) -> dict[str, int]:
    query = select(bar_coverage.c.symbol, bar_coverage.c.until).where(bar_coverage.c.day == kind)
    return {row.symbol: row.until for row in connection.execute(query)}


def _newest_bars(connection: Connection) -> Rows:
    names = ("symbol", "timeframe", "timestamp", "revision", "open", "high", "low", "close", "volume")
    columns = [bars.c[name] for name in names]
    newest: dict[Key, Any] = {}
    for row in connection.execute(select(*columns).order_by(bars.c.revision)):
        newest[row[0], row[1], row[2]] = row
    return {key: dict(zip(names[4:], row[4:], strict=True)) for key, row in newest.items()}


def corrected_minutes(url: str) -> dict[int, set[str]]:
    """Minutes of which the bar that analysis saw is not the last word, because of late prints; and whose."""
    names = ("symbol", "timestamp", "open", "high", "low", "close", "volume")
    found: dict[int, set[str]] = defaultdict(set)
    first: dict[Key, tuple[Any, ...]] = {}
    engine = open_engine(url)
    with engine.connect() as connection:
        wanted = select(*[bars.c[name] for name in names]).where(bars.c.timeframe == "1min").order_by(bars.c.revision)
        for symbol, start, *values in connection.execute(wanted):
            seen = first.setdefault((symbol, start), tuple(values))
            if seen[:4] != tuple(values[:4]) or abs(seen[4] - values[4]) > 1:
                found[start].add(symbol)
    engine.dispose()
    return found


def minutes_of_gaps(gaps: list[dict[str, Any]]) -> set[int]:
    """The minutes that the gaps of the feed touch."""
    found: set[int] = set()
    for gap in gaps:
        if str(gap["id"]).startswith("feed:") and gap["ended"] is not None:
            found.update(range(gap["started"] - gap["started"] % MINUTE_MS, gap["ended"], MINUTE_MS))
    return found
