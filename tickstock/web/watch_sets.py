"""Who watches what: browsers that watch the same symbols share one room, and so one encoded frame. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b


class Room:
    """The browsers that watch the same symbols."""

    def __init__(self, name: str, symbols: tuple[str, ...]) -> None:
        self.name = name
        self.symbols = symbols
        self.symbol_set = frozenset(symbols)
        self.clients: set[str] = set()
        self.version = 0  # of the live board, at the last frame


class WatchSets:
    """The room of every connected browser."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, ...], Room] = {}
        self._of_client: dict[str, Room] = {}

    def watch(self, client: str, symbols: Iterable[str]) -> tuple[Room | None, Room]:
        """Move a browser to the room of these symbols; returns the room it left and the one it entered."""
        key = tuple(dict.fromkeys(symbols))
        left = self.leave(client)
        room = self._rooms.get(key)
        if room is None:
            digest = blake2b("\n".join(key).encode(), digest_size=8).hexdigest()
            room = self._rooms[key] = Room(f"watch:{digest}", key)
        room.clients.add(client)
        self._of_client[client] = room
        return left, room

    def leave(self, client: str) -> Room | None:
        """Forget a browser; an empty room goes with it."""
        room = self._of_client.pop(client, None)
        if room is not None:
            room.clients.discard(client)
            if not room.clients:
                self._rooms.pop(room.symbols, None)
        return room

    def room_of(self, client: str) -> Room | None:
        """The room of a browser."""
        return self._of_client.get(client)

    def watching(self, symbol: str) -> list[Room]:
        """The rooms whose browsers watch this symbol."""
        return [room for room in self._rooms.values() if symbol in room.symbol_set]

    @property
    def rooms(self) -> list[Room]:
        """All rooms with somebody in them."""
        return list(self._rooms.values())

    @property
    def clients(self) -> int:
        """How many browsers are connected."""
        return len(self._of_client)

    @property
    def client_ids(self) -> list[str]:
        """The connected browsers."""
        return list(self._of_client)
