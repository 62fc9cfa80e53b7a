"""The seam to python-socketio: packets to single browsers, and the acknowledgements that come back."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Any

import socketio

from tickstock.web.message import TextPacket

NAMESPACE = "/"
KERNEL_BYTES = 128 * 1024  # of a connection in the system's own buffer, which else grows to megabytes; Linux doubles it


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

    def bound(self, environ: Mapping[str, Any]) -> None:
        """Bound what the system keeps for a new connection that does not read."""
        if (found := _websocket_of(environ)) is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)

    def cut(self, environ: Mapping[str, Any]) -> None:
        """End a connection that is given up, so that no thread waits for it to read."""
        if (found := _websocket_of(environ)) is not None:
            with contextlib.suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)

    def deliver(self, connection: str, packet: TextPacket) -> None:
        """Put a packet into a connection's queue."""
        self.server._send_eio_packet(connection, packet)

    def waiting(self, connection: str) -> int:
        """How many packets of a connection have not been taken by its writer."""
        found = self.server.eio.sockets.get(connection)
        return 0 if found is None else int(found.queue.qsize())


def _websocket_of(environ: Mapping[str, Any]) -> Any:
    """The socket of a WebSocket request under either server; None for another one."""
    if environ.get("HTTP_UPGRADE", "").lower() != "websocket":
        return None
    reader = environ.get("eventlet.input")
    return reader.get_socket() if reader is not None else environ.get("werkzeug.socket")
