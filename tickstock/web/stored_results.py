"""The database's side of the JSON interface: every question is asked in a native thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tickstock.cooperation import in_native_thread
from tickstock.database.queries import Queries

T = TypeVar("T")


class StoredResults:
    """Asks the database without holding up the hub; it is opened at the first question, and again after a failure."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._queries: Queries | None = None

    def ask(self, question: Callable[[Queries], T]) -> T:
        """The answer to a question.

        Raises:
            DatabaseError: the database cannot be reached or is of no use.
        """
        return in_native_thread(self._answer, question)

    def _answer(self, question: Callable[[Queries], T]) -> T:
        queries = self._queries
        if queries is None:
            queries = self._queries = Queries(self._url)
        return question(queries)
