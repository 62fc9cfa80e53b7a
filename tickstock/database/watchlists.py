"""Watchlists: named lists of symbols that are made in the page and kept for every process on the same database.

As in `queries.py`, every call opens a connection of its own, so that it may run in any thread. A change is one transaction that
looks and writes with no other one between, so that two pages cannot make two lists of one name, or one list too many.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from tickstock.database.connection import database_errors, open_engine
from tickstock.database.models import vendor_progress, watchlists
from tickstock.errors import WatchlistConflict, WatchlistUnknown
from tickstock.market_hours import now_ms

MOST_LISTS = 50
DEFAULT_ID, DEFAULT_NAME = "default", "Default"  # TICKSTOCK_SYMBOLS: a list that is not stored
REFERENCE = "symbols"  # in `vendor_progress`

_LOCK = 7_401_310_747  # any number, the same in every TickStock: one transaction changes lists at a time

Marks = tuple[tuple[str, int], ...]


class StoredWatchlist(NamedTuple):
    """A list as it is stored; its symbols in their order."""

    id: str
    name: str
    symbols: tuple[str, ...]


class Watchlists:
    """Reads and changes the stored lists.

    Every call raises DatabaseUnavailable when the database cannot be reached, and DatabaseError when it is of no use.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = open_engine(url)
        self._writing = self._engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")

    def marks(self) -> Marks:
        """Something that is another thing whenever a list, or the vendor's reference of symbols, is another one."""
        reference = select(vendor_progress.c.until).where(vendor_progress.c.name == REFERENCE)
        with database_errors(self._url), self._engine.connect() as connection:
            lists = connection.execute(select(watchlists.c.id, watchlists.c.revision).order_by(watchlists.c.id)).all()
            until = connection.execute(reference).scalar()
        return ((REFERENCE, until or 0), *((row[0], row[1]) for row in lists))

    def lists(self) -> list[StoredWatchlist]:
        """All lists by their names."""
        query = select(watchlists.c.id, watchlists.c.name, watchlists.c.symbols).order_by(watchlists.c.name_key)
        with database_errors(self._url), self._engine.connect() as connection:
            return [StoredWatchlist(row[0], row[1], tuple(row[2])) for row in connection.execute(query)]

    def watched_symbols(self) -> tuple[str, ...]:
        """The symbols of all lists, each once."""
        return tuple(dict.fromkeys(symbol for each in self.lists() for symbol in each.symbols))

    def create(self, name: str, symbols: Sequence[str]) -> StoredWatchlist:
        """Store another list.

        Raises:
            WatchlistConflict: there is one of this name, or there are as many as there can be.
        """
        with self._transaction() as connection:
            count = connection.execute(select(func.count()).select_from(watchlists)).scalar_one()
            if count >= MOST_LISTS:
                raise WatchlistConflict(f"There are {count} watchlists, and there can be no more: delete one that is not needed")
            _refuse_taken(connection, name)
            made = StoredWatchlist(secrets.token_hex(4), name, tuple(symbols))
            row = {"id": made.id, "name": name, "name_key": name_key(name), "symbols": list(symbols), "revision": 0}
            connection.execute(insert(watchlists).values(**row, changed=now_ms()))
        return made

    def change(self, list_id: str, name: str | None = None, symbols: Sequence[str] | None = None) -> StoredWatchlist:
        """Give a list another name or other symbols; None leaves what there is.

        Raises:
            WatchlistUnknown: there is no such list.
            WatchlistConflict: another one has this name.
        """
        with self._transaction() as connection:
            before = _stored(connection, list_id)
            after = StoredWatchlist(
                list_id, before.name if name is None else name, before.symbols if symbols is None else tuple(symbols)
            )
            if after != before:
                _refuse_taken(connection, after.name, list_id)
                values: dict[str, Any] = {"name": after.name, "name_key": name_key(after.name), "symbols": list(after.symbols)}
                changed = {**values, "revision": watchlists.c.revision + 1, "changed": now_ms()}
                connection.execute(update(watchlists).where(watchlists.c.id == list_id).values(**changed))
        return after

    def delete(self, list_id: str) -> StoredWatchlist:
        """Delete a list, and return what it was.

        Raises:
            WatchlistUnknown: there is no such list.
        """
        with self._transaction() as connection:
            found = _stored(connection, list_id)
            connection.execute(delete(watchlists).where(watchlists.c.id == list_id))
        return found

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with database_errors(self._url), self._writing.begin() as connection:
            if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            yield connection


def name_key(name: str) -> str:
    """A name as it is compared with others: TECH, Tech and full-width Ｔｅｃｈ are one."""
    return unicodedata.normalize("NFKC", name).casefold()


def _stored(connection: Connection, list_id: str) -> StoredWatchlist:
    row = connection.execute(select(watchlists.c.name, watchlists.c.symbols).where(watchlists.c.id == list_id)).first()
    if row is None:
        raise WatchlistUnknown("There is no such watchlist; it may have been deleted in another window")
    return StoredWatchlist(list_id, row[0], tuple(row[1]))


def _refuse_taken(connection: Connection, name: str, list_id: str = "") -> None:
    key = name_key(name)
    same = select(watchlists.c.name).where(watchlists.c.name_key == key, watchlists.c.id != list_id)
    taken = DEFAULT_NAME if key == name_key(DEFAULT_NAME) else connection.execute(same).scalar()
    if taken is not None:
        raise WatchlistConflict(f"There is a watchlist named {taken} already: choose another name")
