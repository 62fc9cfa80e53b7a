"""A real WebSocket server that says exactly what a test tells it to, and a recorder of what the client hands over."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tickstock.feed.massive_client import ConnectionState, MassiveClient

KEY = "a-key-of-the-tests"
SYMBOLS = ("AAPL", "MSFT", "BRK.B")
PATIENCE = 15.0

Script = Callable[["Conversation"], None]


def status(name: str, message: str = "") -> dict[str, str]:
    return {"ev": "status", "status": name, "message": message}


def aggregate(number: int) -> dict[str, Any]:
    start = 1_763_739_000_000 + number * 1_000
    return {"ev": "A", "sym": "AAPL", "s": start, "e": start + 1_000, "o": 1.0, "h": 1.0, "l": 1.0, "c": 1.0, "v": 1}


class Conversation:
    """One connection, from the server's side."""

    def __init__(self, connection: ServerConnection, server: ScriptedFeed) -> None:
        self.connection = connection
        self.server = server

    def send(self, *events: object) -> None:
        """One frame with these events."""
        self.connection.send(json.dumps(list(events), separators=(",", ":")))

    def receive(self) -> dict[str, str]:
        message: dict[str, str] = json.loads(self.connection.recv(timeout=PATIENCE))
        self.server.received.append(message)
        return message

    def log_in(self) -> list[str]:
        """Everything up to the request; returns the requested channels."""
        self.send(status("connected", "Connected Successfully"))
        assert self.receive() == {"action": "auth", "params": KEY}
        self.send(status("auth_success", "authenticated"))
        message = self.receive()
        assert message["action"] == "subscribe"
        return message["params"].split(",")

    def log_in_and_confirm(self) -> None:
        self.send(*(status("success", f"subscribed to: {channel}") for channel in self.log_in()))

    def stay(self) -> None:
        """Answer control frames until the client leaves or the test is over."""
        while not self.server.over.is_set():
            try:
                self.connection.recv(timeout=0.1)
            except TimeoutError:
                continue
            except ConnectionClosed:
                return

    def drop(self) -> None:
        """End the connection without a close frame, as the feed does."""
        self.connection.socket.shutdown(socket.SHUT_RDWR)


class ScriptedFeed:
    """The n-th connection follows the n-th script; further ones the last."""

    def __init__(self, *scripts: Script) -> None:
        self.received: list[dict[str, str]] = []
        self.connected_at: list[float] = []
        self.over = threading.Event()
        self._scripts = scripts
        self._server: Server = serve(self._follow, "127.0.0.1", 0, ping_interval=None, close_timeout=0.5)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/stocks"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _follow(self, connection: ServerConnection) -> None:
        self.connected_at.append(time.monotonic())
        script = self._scripts[min(len(self.connected_at), len(self._scripts)) - 1]
        try:
            script(Conversation(connection, self))
        except (ConnectionClosed, TimeoutError):
            return

    def __enter__(self) -> ScriptedFeed:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join(PATIENCE)


class Recorder:
    """A client, and everything that it handed over, in order."""

    def __init__(
        self, feed: ScriptedFeed, symbols: tuple[str, ...] = SYMBOLS, channel: str = "A", key: str = KEY, **more: Any
    ) -> None:
        self.items: list[bytes | ConnectionState] = []
        self._changed = threading.Condition()
        more = {"ack_seconds": 5.0, "reconnect_max_seconds": 0.05, "ping_seconds": 5.0, **more}
        self.client = MassiveClient(
            feed.url, key, channel, symbols, on_frame=lambda frame, received_ms: self._add(frame), on_state=self._add, **more
        )

    @property
    def states(self) -> list[ConnectionState]:
        return [item for item in self.items if isinstance(item, ConnectionState)]

    @property
    def kinds(self) -> list[str]:
        return [state.kind for state in self.states]

    @property
    def frames(self) -> list[bytes]:
        return [item for item in self.items if isinstance(item, bytes)]

    def wait_for(self, what: Callable[[Recorder], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: what(self), PATIENCE), self.items

    def wait_for_state(self, kind: str, count: int = 1) -> ConnectionState:
        self.wait_for(lambda self: self.kinds.count(kind) >= count)
        return [state for state in self.states if state.kind == kind][count - 1]

    def wait_for_frames(self, count: int) -> None:
        self.wait_for(lambda self: len(self.frames) >= count)

    def _add(self, item: bytes | ConnectionState) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def __enter__(self) -> Recorder:
        self.client.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.client.stop(PATIENCE)
        assert not self.client._thread.is_alive()
