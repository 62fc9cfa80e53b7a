"""The seam to python-socketio: packets to single browsers, and the acknowledgements that come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import socketio

from tickstock.web.message import TextPacket

NAMESPACE = "/"


class Connections(socketio.Manager):  # type: ignore[misc]
    """Manages the clients as the library does. One encoded packet serves many of them, also where it asks for an answer:
    the library itself would encode it once for each."""

    def __init__(self) -> None:
        super().__init__()
        self.on_acknowledged: Callable[[str, int], None] = lambda _client, _number: None

    def trigger_callback(self, sid: str | None, id: int | None, data: Any) -> None:
        """An acknowledgement has come; without a number it stands for a packet that was refused."""
        if sid is not None and id is not None:
            self.on_acknowledged(sid, id)

    def connection_of(self, client: str) -> str:
        """The connection of a client."""
        return str(self.eio_sid_from_sid(client, NAMESPACE))

    def deliver(self, connection: str, packet: TextPacket) -> None:
        """Put a packet into a connection's queue."""
        self.server._send_eio_packet(connection, packet)

    def waiting(self, connection: str) -> int:
        """How many packets of a connection have not been taken by its writer."""
        found = self.server.eio.sockets.get(connection)
        return 0 if found is None else int(found.queue.qsize())
