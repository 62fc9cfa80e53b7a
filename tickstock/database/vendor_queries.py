"""What is asked about the vendor's own data: splits, how far they were read, and how its bars compared with ours.

As in `queries.py`, every call opens a connection of its own and raises `DatabaseUnavailable` when there is no database.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, literal_column, select

from tickstock.database.connection import database_errors, open_engine
from tickstock.database.models import bar_coverage, bars, reconciliations, splits, vendor_progress

FIELDS = ("open", "high", "low", "close", "volume")
COUNTS = ("bars", *FIELDS, "missing", "extra", "corrected")


class StoredSplit(NamedTuple):
    """A row of `splits`."""

    symbol: str
    day: int
    split_from: float
    split_to: float
    scaled_from: int


class VendorQueries:
    """Questions of the threads that bring in what the vendor says afterwards."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = open_engine(url)

    def progress(self, name: str) -> int | None:
        """Until when what the vendor says is stored: splits, final_days."""
        found = self._all(select(vendor_progress.c.until).where(vendor_progress.c.name == name))
        return found[0][0] if found else None

    def splits(self, symbols: Sequence[str]) -> list[StoredSplit]:
        """The splits of these symbols that bars were scaled for."""
        wanted = frozenset(symbols)
        return [StoredSplit(*row) for row in self._all(select(splits)) if row[0] in wanted]

    def final_until(self) -> dict[str, int]:
        """Up to when a symbol's day bars are the vendor's and final; those that start later are provisional."""
        query = select(bar_coverage.c.symbol, bar_coverage.c.until).where(bar_coverage.c.day == 0)
        return {row[0]: row[1] for row in self._all(query)}

    def last_bar_before(self, moment: int) -> int | None:
        """When the last stored bar before a moment starts."""
        newest = (
            select(func.max(bars.c.timestamp)).where(bars.c.timeframe == timeframe, bars.c.timestamp < moment)
            for timeframe in ("1day", "1min")
        )
        return max((row[0] for query in newest for row in self._all(query) if row[0] is not None), default=None)

    def marks(self, since: int, until: int) -> list[int]:
        """Numbers that change whenever one-minute bars that start in [since, until) do, once they are stored and covered.

        They are the sums of their revisions, and a checksum over the coverage, that of the day at `until` included.
        """
        revised = select(func.count(), func.coalesce(func.sum(bars.c.revision), 0)).where(
            bars.c.timeframe == "1min", bars.c.timestamp >= since, bars.c.timestamp < until, literal_column("revision > 0")
        )
        covered = select(bar_coverage).where(bar_coverage.c.day >= since, bar_coverage.c.day <= until)
        rows = sorted(map(tuple, self._all(covered)))
        return [*map(int, self._all(revised)[0]), len(rows), zlib.crc32(repr(rows).encode())]

    def bar_starts(self, symbol: str, before: int) -> list[tuple[str, int]]:
        """Timeframe and start of every stored bar of a symbol that starts before a moment."""
        query = select(bars.c.timeframe, bars.c.timestamp).distinct()
        return [tuple(row) for row in self._all(query.where(bars.c.symbol == symbol, bars.c.timestamp < before))]

    def bars_made_from_ticks(self, since: int, until: int) -> dict[str, int]:
        """How many one-minute bars each symbol has that were made from ticks and start in [since, until)."""
        query = select(bars.c.symbol, func.count()).where(
            bars.c.timeframe == "1min", bars.c.timestamp >= since, bars.c.timestamp < until, bars.c.last_tick.is_not(None)
        )
        return {row[0]: row[1] for row in self._all(query.group_by(bars.c.symbol))}

    def reconciled_symbols(self, day: int) -> set[str]:
        """The symbols whose bars of a trading day (its start) were compared with the vendor's."""
        return {row[0] for row in self._all(select(reconciliations.c.symbol).where(reconciliations.c.day == day))}

    def last_reconciliation(self) -> dict[str, int] | None:
        """The sums over the symbols of the last trading day that was compared; None before the first."""
        sums = [func.sum(reconciliations.c[name]) for name in COUNTS]
        query = select(reconciliations.c.day, func.count(), *sums).group_by(reconciliations.c.day)
        rows = self._all(query.order_by(reconciliations.c.day.desc()).limit(1))
        return dict(zip(("day", "symbols", *COUNTS), map(int, rows[0]), strict=True)) if rows else None

    def _all(self, query: Any) -> list[Any]:
        with database_errors(self._url), self._engine.connect() as connection:
            return list(connection.execute(query).all())
