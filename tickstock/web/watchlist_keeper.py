"""Keeps the watchlists in step with the database, which other processes change too; a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tickstock import cooperation
from tickstock.database.symbol_queries import SymbolQueries
from tickstock.database.watchlists import Marks, StoredWatchlist
from tickstock.database.watchlists import Watchlists as WatchlistStore
from tickstock.errors import DatabaseError
from tickstock.logs import Rejections
from tickstock.web.live import LivePage
from tickstock.web.stored_results import Stored
from tickstock.web.watchlists import Watchlist, Watchlists

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
FIRST_SECONDS = 3.0  # how long a start waits for the lists, so that the feed is asked for all symbols at once


class _Reading(NamedTuple):
    """What was read of the database; `known` is None where the vendor's reference is the one of the reading before."""

    marks: Marks
    lists: list[StoredWatchlist]
    known: frozenset[str] | None


class WatchlistKeeper:
    """Looks for changed lists every few seconds, makes the changes that the page asks for, and tells browsers and market."""

    def __init__(self, live: LivePage, database_url: str) -> None:
        self.problem: str | None = None  # why the lists could not be read the last time
        self.rejections = Rejections(logger, "WATCHLISTS")
        self._live = live
        self._stored = Stored(WatchlistStore, database_url)
        self._symbols = Stored(SymbolQueries, database_url)
        self._marks: Marks = ()
        self._known: frozenset[str] = frozenset()
        self._told: tuple[str, ...] | None = None  # the symbols that the market was told to watch
        self._one_reads = threading.Lock()  # so that an older reading never replaces a newer one
        self._has_looked = threading.Event()
        self._stop = threading.Event()

    def run(self) -> None:
        """Look every few seconds until `stop`."""
        while not self._stop.is_set():
            try:
                self.look()
                self.problem = None
            except Exception as problem:
                self.problem = str(problem) if isinstance(problem, DatabaseError) else f"{type(problem).__name__}: {problem}"
                self.rejections.add("reading of the watchlists", problem)
                self._tell_market()
            self._has_looked.set()
            self._stop.wait(LOOK_SECONDS)

    def wait_for_first_look(self) -> None:
        """Wait until the lists were read, or could not be; not long."""
        self._has_looked.wait(FIRST_SECONDS)

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    # --- what the page asks for ------------------------------------------------------------------------------------
    # Each raises WatchlistError when the list cannot be so, and DatabaseError when the database is away.

    def create(self, name: str, symbols: Sequence[str]) -> Watchlist:
        """Make a list."""
        return self._change(lambda store: store.create(name, symbols))

    def change(self, list_id: str, name: str | None, symbols: Sequence[str] | None) -> Watchlist:
        """Change a list's name or symbols; None leaves what there is."""
        return self._change(lambda store: store.change(list_id, name, symbols))

    def delete(self, list_id: str) -> Watchlist:
        """Delete a list."""
        return self._change(lambda store: store.delete(list_id))

    def look(self) -> Watchlists:
        """All lists as they are stored at this moment."""
        with self._one_reads:
            found = cooperation.in_native_thread(self._read, self._marks)
            if found is not None:
                self._known = self._known if found.known is None else found.known
                self._live.set_lists(Watchlists(self._live.default_symbols, found.lists, self._known, is_read=True))
                self._marks = found.marks
            self._tell_market()
            return self._live.lists

    def _change(self, change: Callable[[WatchlistStore], StoredWatchlist]) -> Watchlist:
        changed = Watchlist(*self._stored.ask(change))
        with contextlib.suppress(DatabaseError):  # it is stored, and the next look finds it
            self.look()
        return changed

    def _tell_market(self) -> None:
        symbols = self._live.lists.symbols
        if symbols != self._told:
            self._live.market.watch(symbols)
            self._told = symbols

    def _read(self, before: Marks) -> _Reading | None:
        """What is stored; None when it is what was read before. Runs in a native thread."""
        marks = self._stored.ask_here(WatchlistStore.marks)
        if marks == before:
            return None
        known = self._symbols.ask_here(SymbolQueries.known) if marks[:1] != before[:1] else None
        return _Reading(marks, self._stored.ask_here(WatchlistStore.lists), known)
