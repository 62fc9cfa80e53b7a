"""Between the simulator and the app: a wire that can be cut, held up, and disturbed with frames that the market never sent."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections import deque
from collections.abc import Sequence

KEPT_FRAMES = 200
_PIECE = 1 << 16


class FeedProxy:
    """Listens on a port of its own and hands on what the simulator sends, frame by frame."""

    def __init__(self, simulator_port: int) -> None:
        self._simulator_port = simulator_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.frames: deque[bytes] = deque(maxlen=KEPT_FRAMES)  # payloads of the last data frames
        self._flowing = threading.Event()
        self._flowing.set()
        self._injected: deque[bytes] = deque()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, name="feed-proxy", daemon=True).start()

    @property
    def connected(self) -> bool:
        """Whether somebody is connected through it."""
        return bool(self._pairs)

    def cut(self) -> int:
        """Break every connection without a word; returns how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _close(*pair)
        return len(pairs)

    def freeze(self) -> None:
        """Hand nothing on, and say nothing, until `thaw`."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Hand on what waited, and what follows."""
        self._flowing.set()

    def inject(self, payloads: Sequence[bytes]) -> None:
        """Send these frames to the app before the market's next one."""
        self._injected.extend(payloads)

    def repeat(self, chosen: random.Random, count: int) -> int:
        """Send frames of the last moments once more; returns how many."""
        frames = list(self.frames)[-count:]
        chosen.shuffle(frames)
        self.inject(frames)
        return len(frames)

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._flowing.set()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._simulator_port), 5)
            except OSError:
                _close(client)
                continue
            server.settimeout(None)
            self.frames.clear()  # what one connection repeats it has sent itself
            self._injected.clear()
            pair = (client, server)
            with self._lock:
                self._pairs.append(pair)
            threading.Thread(target=self._to_server, args=pair, daemon=True).start()
            threading.Thread(target=self._to_client, args=pair, daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(_PIECE):
                self._flowing.wait()
                server.sendall(data)
        self._end(client, server)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._hand_on_frames(client, server)
        self._end(client, server)

    def _hand_on_frames(self, client: socket.socket, server: socket.socket) -> None:
        buffer = b""
        while b"\r\n\r\n" not in buffer:
            if not (data := server.recv(_PIECE)):
                return
            buffer += data
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        client.sendall(head + b"\r\n\r\n")
        while True:
            while (size := _frame_size(buffer)) is None or len(buffer) < size:
                if not (data := server.recv(_PIECE)):
                    return
                buffer += data
            frame, buffer = buffer[:size], buffer[size:]
            self._flowing.wait()
            payload = _payload(frame)
            if payload.startswith(b'[{"ev":"T"'):
                self.frames.append(payload)
                while self._injected:
                    client.sendall(_text_frame(self._injected.popleft()))
            client.sendall(frame)

    def _end(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            if (client, server) in self._pairs:
                self._pairs.remove((client, server))
        _close(client, server)


def _frame_size(data: bytes) -> int | None:
    if len(data) < 2:
        return None
    length = data[1] & 0x7F
    if length < 126:
        return 2 + length
    width = 2 if length == 126 else 8
    if len(data) < 2 + width:
        return None
    return 2 + width + int.from_bytes(data[2 : 2 + width], "big")


def _payload(frame: bytes) -> bytes:
    length = frame[1] & 0x7F
    return frame[2 + (0 if length < 126 else 2 if length == 126 else 8) :]


def _text_frame(payload: bytes) -> bytes:
    if len(payload) < 126:
        head = struct.pack(">BB", 0x81, len(payload))
    elif len(payload) < 1 << 16:
        head = struct.pack(">BBH", 0x81, 126, len(payload))
    else:
        head = struct.pack(">BBQ", 0x81, 127, len(payload))
    return head + payload


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
