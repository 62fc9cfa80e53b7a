"""Who watches what: browsers that watch the same symbols share one room, and so their encoded frames. Pure."""

from __future__ import annotations

from collections.abc import Iterable

SLICE = 500  # symbols; a frame is of one slice, so that it stays small however many are watched


class Room:
    """What browsers that watch the same symbols have in common."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.slices = tuple(symbols[start : start + SLICE] for start in range(0, len(symbols), SLICE))
        self.clients: set[str] = set()


class WatchSets:
    """The room of every connected browser."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, ...], Room] = {}
        self._of_client: dict[str, Room] = {}

    def watch(self, client: str, symbols: Iterable[str]) -> Room:
        """Move a browser to the room of these symbols."""
        key = tuple(dict.fromkeys(symbols))
        self.leave(client)
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = Room(key)
        room.clients.add(client)
        self._of_client[client] = room
        return room

    def leave(self, client: str) -> None:
        """Forget a browser; an empty room goes with it."""
        room = self._of_client.pop(client, None)
        if room is not None:
            room.clients.discard(client)
            if not room.clients:
                self._rooms.pop(room.symbols, None)

    @property
    def rooms(self) -> list[Room]:
        """All rooms with somebody in them."""
        return list(self._rooms.values())

    @property
    def clients(self) -> int:
        """How many browsers are connected."""
        return len(self._of_client)
