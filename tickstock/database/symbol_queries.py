"""What the vendor's reference of symbols holds: which there are, and a search for one by its ticker or a word of its name.

As in `queries.py`, every call opens a connection of its own and raises `DatabaseUnavailable` when there is no database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, case, func, or_, select

from tickstock.database.connection import database_errors, open_engine
from tickstock.database.models import symbols, vendor_progress
from tickstock.database.queries import Record
from tickstock.database.watchlists import REFERENCE

_BEFORE_WORDS = (" ", "-", "(", "/")  # what a later word of a name stands behind


class SymbolQueries:
    """Questions about the table `symbols`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = open_engine(url)

    def known(self) -> frozenset[str]:
        """All symbols of the reference, active or not; none while it is not loaded completely."""
        return frozenset(row[0] for row in self._all(select(symbols.c.symbol))) if self.read_until() is not None else frozenset()

    def read_until(self) -> int | None:
        """When the reference was read the last time: the end of that day; None before the first time."""
        found = self._all(select(vendor_progress.c.until).where(vendor_progress.c.name == REFERENCE))
        return found[0][0] if found else None

    def stored(self) -> list[tuple[Any, ...]]:
        """All rows: symbol, name, exchange, type, active."""
        return [tuple(row) for row in self._all(select(symbols))]

    def count(self) -> int:
        """How many symbols there are."""
        return int(self._all(select(func.count()).select_from(symbols))[0][0])

    def search(self, text: str, limit: int) -> list[Record]:
        """Symbols that begin with a text, the shortest first, then those of which a word of the name does; active ones first."""
        ticker, name = symbols.c.symbol, symbols.c.name
        words = or_(*(name.icontains(before + text, autoescape=True) for before in _BEFORE_WORDS))
        begins, is_named = ticker.istartswith(text, autoescape=True), name.istartswith(text, autoescape=True)
        rank = case((ticker == text, 0), (func.lower(ticker) == text.lower(), 1), (begins, 2), (is_named, 3), else_=4)
        query = select(symbols).where(or_(begins, is_named, words))
        order = (rank, symbols.c.active.desc(), func.length(ticker), ticker)
        return [dict(zip(symbols.columns.keys(), row, strict=True)) for row in self._all(query.order_by(*order).limit(limit))]

    def _all(self, query: Select[Any]) -> list[Any]:
        with database_errors(self._url), self._engine.connect() as connection:
            return list(connection.execute(query).all())
