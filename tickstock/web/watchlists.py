"""The watchlists as browsers see them: all lists of a moment, and which of their symbols the vendor does not know. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import NamedTuple

import msgspec

from tickstock.database.watchlists import DEFAULT_ID, DEFAULT_NAME, StoredWatchlist


class Watchlist(NamedTuple):
    """A named list of symbols; only those that are stored can be edited."""

    id: str
    name: str
    symbols: tuple[str, ...]
    editable: bool = True


class Watchlists:
    """All lists of a moment; the default one comes first."""

    def __init__(
        self, default: Iterable[str], stored: Iterable[StoredWatchlist] = (), known: Collection[str] = (), is_read: bool = False
    ) -> None:
        """`known` are the symbols of the vendor's reference, none while it is not loaded; `is_read`: `stored` was read."""
        self.default = Watchlist(DEFAULT_ID, DEFAULT_NAME, tuple(default), editable=False)
        self.lists = (self.default, *(Watchlist(*each) for each in stored))
        self.symbols = tuple(dict.fromkeys(symbol for each in self.lists for symbol in each.symbols))
        self.reference = len(known)
        self.unknown = tuple(symbol for symbol in self.symbols if symbol not in known) if known else ()
        self.is_read = is_read
        self._by_id = {each.id: each for each in self.lists}

    def get(self, list_id: str) -> Watchlist | None:
        """The list of this id; None when there is none."""
        return self._by_id.get(list_id)

    @cached_property
    def message(self) -> msgspec.Raw:
        """The `watchlists` state as JSON, in ASCII: then a message that holds it is encoded once."""
        lists = [each._asdict() for each in self.lists]
        state = {"lists": lists, "unknown": self.unknown, "reference": self.reference}
        return msgspec.Raw(json.dumps(state, separators=(",", ":")).encode())
