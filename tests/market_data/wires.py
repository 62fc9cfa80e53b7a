"""Ways to Redis that break: cut in the middle, or silent without a word."""

from __future__ import annotations

import contextlib
import socket
import threading


class CutThroat:
    """A proxy that ends each connection after it passed so many bytes on, in one direction or the other."""

    def __init__(self, target: int, towards_server: int | None, towards_client: int | None) -> None:
        self.cuts = 0
        self.limits = {"server": towards_server, "client": towards_client}
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for source, sink, side in ((client, server, "server"), (server, client, "client")):
                    threading.Thread(target=self._pass, args=(source, sink, side), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, side: str) -> None:
        left = self.limits[side]
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if left is not None and len(data) >= left:
                    sink.sendall(data[:left])
                    self.cuts += 1
                    break
                sink.sendall(data)
                left = None if left is None else left - len(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        self._listener.close()


class Silence:
    """A wire that, once told to, swallows every packet in both directions, of old connections and new ones."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.url = f"redis://127.0.0.1:{self._sockets[0].getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Pass nothing on any more, and say nothing of it."""
        self._flowing.clear()

    def speak(self) -> None:
        """Pass on again; connections that were silent are cut, as a network forgets them."""
        for each in self._sockets[1:]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._flowing.set()

    def close(self) -> None:
        """End it."""
        self.speak()
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._sockets[0].accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._flowing.is_set():
                    self._flowing.wait()
                    break  # what was swallowed is gone
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
