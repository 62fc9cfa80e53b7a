"""Who listens during the day: a browser with the page's protocol, and a subscriber of the results on Redis."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from typing import Any

import msgspec
import redis
import socketio
import websocket

from tickstock.contract import ALERTS_CHANNEL, INDICATORS_CHANNEL, PATTERNS_CHANNEL

_MADE = ("seq", "detection_timestamp", "calculation_timestamp", "origin", "type")  # times of making may differ
Key = tuple[Any, ...]


class Heard:
    """Results by their key, with every content that was ever heard of each."""

    def __init__(self) -> None:
        self.contents: dict[Key, set[bytes]] = defaultdict(set)
        self._lock = threading.Lock()

    def take(self, message: dict[str, Any]) -> None:
        """Note a result."""
        key = key_of(message)
        content = msgspec.json.encode({name: value for name, value in message.items() if name not in _MADE}, order="sorted")
        with self._lock:
            self.contents[key].add(content)

    def contradictions(self) -> list[Key]:
        """Keys of which two contents were heard."""
        return [key for key, contents in self.contents.items() if len(contents) > 1]


def key_of(message: dict[str, Any]) -> Key:
    """What a result is known by: a pattern by id and state, an alert by id, values by symbol, timeframe and bar."""
    if "id" in message:
        return ("pattern", message["id"], message["state"]) if "pattern" in message else ("alert", message["id"])
    return ("indicator", message["symbol"], message["timeframe"], message["bar_timestamp"])


class Browser:
    """One page: it connects for ever, watches all symbols, and asks for what it missed by epoch and number."""

    def __init__(self, port: int, symbols: tuple[str, ...]) -> None:
        self.heard = Heard()
        self.feed_states: list[tuple[float, str]] = []  # monotonic, status
        self.faults: list[str] = []  # of the protocol
        self._epoch, self._seq = "", 0
        self._url = f"http://127.0.0.1:{port}"
        self._symbols = list(symbols)
        self._stopping = False
        self._socket: websocket.WebSocket | None = None
        self._client = self._new_client()
        self._thread = threading.Thread(target=self._run, name="browser", daemon=True)
        self._thread.start()

    def _new_client(self) -> Any:
        client: Any = socketio.Client(reconnection=False, websocket_extra_options={"class_": self._new_socket})
        for event in ("snapshot", "events", "streaming_indicator", "feed_status"):
            client.on(event, getattr(self, f"_on_{event}"))
        client.on("streaming_pattern", self._on_signal)
        client.on("indicator_alert", self._on_signal)
        return client

    def _new_socket(self, **options: Any) -> websocket.WebSocket:
        self._socket = websocket.WebSocket(**options)
        return self._socket

    @property
    def connected(self) -> bool:
        """Whether it is connected."""
        return bool(self._client.connected)

    def close(self) -> None:
        """Leave."""
        self._stopping = True
        with contextlib.suppress(Exception):
            self._client.disconnect()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._client.connect(self._url, transports=["websocket"], wait_timeout=3)
                self._client.emit("watch", self._symbols)
                self._client.wait()
            except Exception:  # a page never gives up; what it was told is compared at the end
                self._client = self._new_client()
            if self._socket is not None:
                self._socket.shutdown()  # the client leaves one open that was reset, or broke before its first packet
            time.sleep(0.3)

    def _on_snapshot(self, snapshot: dict[str, Any]) -> None:
        same = snapshot["epoch"] == self._epoch
        after = self._seq if same else 0
        for signal in snapshot["events"]:
            self.heard.take(signal)
        for values in snapshot["indicators"]:
            self.heard.take(_plain(values))
        self._epoch, self._seq = snapshot["epoch"], snapshot["seq"]
        if snapshot["seq"] > after:  # a snapshot shows the signals detected last only: the others are asked for
            self._client.emit("since", {"epoch": self._epoch, "seq": after})

    def _on_events(self, answer: dict[str, Any]) -> None:
        if answer["epoch"] != self._epoch:
            return
        numbers = [signal["seq"] for signal in answer["events"]]
        if numbers != list(range(answer["from"], answer["to"] + 1)):
            self.faults.append(f"the answer to `since` names {answer['from']} to {answer['to']} and holds {len(numbers)} others")
        for signal in answer["events"]:
            self.heard.take(signal)
        self._seq = max(self._seq, answer["to"])

    def _on_signal(self, signal: dict[str, Any]) -> None:
        if signal["seq"] > self._seq + 1:
            self._client.emit("since", {"epoch": self._epoch, "seq": self._seq})
        self.heard.take(signal)
        self._seq = max(self._seq, signal["seq"])

    def _on_streaming_indicator(self, values: dict[str, Any]) -> None:
        self.heard.take(_plain(values))

    def _on_feed_status(self, status: dict[str, Any]) -> None:
        if not self.feed_states or self.feed_states[-1][1] != status["status"]:
            self.feed_states.append((time.monotonic(), status["status"]))


def _plain(values: Any) -> dict[str, Any]:
    return dict(msgspec.json.decode(values) if isinstance(values, bytes | str) else values)


class ResultsListener:
    """Hears every result that TickStockPL publishes, as far as Redis lives."""

    def __init__(self, port: int) -> None:
        self.heard = Heard()
        self._port = port
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="results-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave."""
        self._stopping.set()
        self._thread.join(3)

    def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(redis.RedisError, OSError):
                self._listen()
            self._stopping.wait(0.2)

    def _listen(self) -> None:
        with redis.Redis(port=self._port, socket_timeout=5, socket_connect_timeout=2) as client, client.pubsub() as pubsub:
            pubsub.subscribe(PATTERNS_CHANNEL, ALERTS_CHANNEL, INDICATORS_CHANNEL)
            while not self._stopping.is_set():
                message = pubsub.get_message(timeout=0.5)
                if message is None or message["type"] != "message":
                    continue
                with contextlib.suppress(ValueError, KeyError, TypeError):  # the rubbish that the harness itself sends
                    self.heard.take(dict(msgspec.json.decode(message["data"])))


class StalledBrowser:
    """A browser that connects, wants everything, and never reads."""

    def __init__(self, port: int, symbols: tuple[str, ...]) -> None:
        self._socket = websocket.create_connection(f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket", timeout=5)
        self._socket.recv()  # the handshake
        self._socket.send("40")
        self._socket.send("42" + msgspec.json.encode(["watch", list(symbols)]).decode())

    def close(self) -> None:
        """Go away without a word."""
        with contextlib.suppress(OSError):
            if self._socket.sock is not None:
                self._socket.sock.close()
