"""Who watches what: browsers that watch the same list, or the same symbols, share one room and its encoded frames. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tickstock.web.watchlists import Watchlist

SLICE = 500  # symbols; a frame is of one slice, so that it stays small however many are watched

Key = tuple[str, ...] | Watchlist


class Room:
    """What browsers that watch the same have in common; `list` is None where they watch symbols of their own choice."""

    def __init__(self, symbols: tuple[str, ...], watchlist: Watchlist | None = None) -> None:
        self.symbols = symbols
        self.list = watchlist
        self.slices = tuple(symbols[start : start + SLICE] for start in range(0, len(symbols), SLICE))
        self.clients: set[str] = set()

    @property
    def key(self) -> Key:
        """What no two rooms have in common."""
        return self.symbols if self.list is None else self.list


class WatchSets:
    """The room of every connected browser."""

    def __init__(self) -> None:
        self._rooms: dict[Key, Room] = {}
        self._of_client: dict[str, Room] = {}

    def watch(self, client: str, symbols: Iterable[str]) -> Room:
        """Move a browser to the room of these symbols."""
        return self._enter(client, Room(tuple(dict.fromkeys(symbols))))

    def watch_list(self, client: str, watchlist: Watchlist) -> Room:
        """Move a browser to the room of a list; when the list is changed, that is another room."""
        return self._enter(client, Room(watchlist.symbols, watchlist))

    def _enter(self, client: str, made: Room) -> Room:
        self.leave(client)
        room = self._rooms.setdefault(made.key, made)
        room.clients.add(client)
        self._of_client[client] = room
        return room

    def leave(self, client: str) -> None:
        """Forget a browser; an empty room goes with it."""
        room = self._of_client.pop(client, None)
        if room is not None:
            room.clients.discard(client)
            if not room.clients:
                self._rooms.pop(room.key, None)

    @property
    def rooms(self) -> list[Room]:
        """All rooms with somebody in them."""
        return list(self._rooms.values())

    @property
    def clients(self) -> int:
        """How many browsers are connected."""
        return len(self._of_client)
