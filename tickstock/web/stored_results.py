"""The database's side of the JSON interface: every question is asked in a native thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from tickstock.cooperation import in_native_thread
from tickstock.database.queries import Queries

Q = TypeVar("Q")
T = TypeVar("T")


class Stored(Generic[Q]):
    """Asks the database without holding up the hub; it is opened at the first question, and again after a failure.

    Args:
        kind: the class of the questions; each of their calls has a connection of its own.
    """

    def __init__(self, kind: Callable[[str], Q], database_url: str) -> None:
        self._kind = kind
        self._url = database_url
        self._queries: Q | None = None

    def ask(self, question: Callable[[Q], T]) -> T:
        """The answer to a question.

        Raises:
            DatabaseError: the database cannot be reached or is of no use.
        """
        return in_native_thread(self.ask_here, question)

    def ask_here(self, question: Callable[[Q], T]) -> T:
        """The answer, in the thread that asks."""
        queries = self._queries
        if queries is None:
            queries = self._queries = self._kind(self._url)
        return question(queries)


class StoredResults(Stored[Queries]):
    """What TickStockPL has stored."""

    def __init__(self, database_url: str) -> None:
        super().__init__(Queries, database_url)
