"""Just enough of the Redis protocol to ask whether a server answers and what a key holds."""

from __future__ import annotations

import socket
import ssl
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

Answer = str | None | list["Answer"]


class RedisRefused(Exception):
    """The server answered with an error; the text is the server's."""


class RedisProbe:
    """One short connection to the Redis of a URL (redis://, rediss://, unix://)."""

    def __init__(self, url: str, timeout: float = 2.0) -> None:
        """Connect and log in.

        Raises:
            OSError: nobody answers.
            RedisRefused: the server does not let us in.
        """
        parts = urlsplit(url)
        self._socket = self._connect(url, timeout)
        self._input: BinaryIO = self._socket.makefile("rb")
        query = parse_qs(parts.query)
        user = unquote(parts.username or "") or query.get("username", [""])[0]
        password = unquote(parts.password or "") or query.get("password", [""])[0]
        try:
            if password:
                self.ask("AUTH", *([user] if user else []), password)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _connect(url: str, timeout: float) -> socket.socket:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(timeout)
            try:
                connection.connect(unquote(parts.path))
            except OSError:
                connection.close()
                raise
            return connection
        connection = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), timeout=timeout)
        if parts.scheme == "rediss":
            return ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
        return connection

    def ask(self, *words: str) -> Answer:
        """Send a command and return its answer.

        Raises:
            OSError: the connection broke or took too long.
            RedisRefused: the server answered with an error.
        """
        encoded = [word.encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded))
        return self._answer()

    def _answer(self) -> Answer:
        line = self._input.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:].decode("utf-8", "replace")
        if kind == b"-":
            raise RedisRefused(rest)
        if kind == b"$":
            if rest == "-1":
                return None
            return self._input.read(int(rest) + 2)[:-2].decode("utf-8", "replace")
        if kind == b"*":
            return [self._answer() for _ in range(int(rest))]
        if kind in (b"+", b":"):
            return rest
        raise ConnectionError(f"this is not a Redis: it answered {line[:40]!r}")

    def close(self) -> None:
        """End the connection."""
        self._input.close()
        self._socket.close()


def ask_redis(url: str, *words: str) -> Answer:
    """Connect, ask one question, disconnect. Raises as `RedisProbe` and its `ask` do."""
    probe = RedisProbe(url)
    try:
        return probe.ask(*words)
    finally:
        probe.close()
