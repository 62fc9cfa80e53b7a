"""GET requests to Massive: kept-alive connections, pace, retries, and an error that says what the vendor said."""

from __future__ import annotations

import gzip
import http.client
import threading
import time
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from tickstock.contract import UNREADABLE
from tickstock.errors import RestError, RestNotFound, RestRefused
from tickstock.feed.request_pace import RequestPace
from tickstock.logs import shortened

_REQUESTS_A_SECOND = 80  # the vendor asks paying users to stay under 100
_ANSWER_SECONDS = 20.0  # for a connection, and for each piece of an answer
_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 15.0
_MOST_BYTES = 128 * 1024 * 1024
_PIECE = 256 * 1024
_IDLE_CONNECTIONS = 8
_ERRORS: dict[int, type[RestError]] = {401: RestRefused, 403: RestRefused, 404: RestNotFound}


class _ErrorBody(Struct):
    error: str = ""
    message: str = ""


_decode_error = msgspec.json.Decoder(_ErrorBody).decode  # made here: see `massive_rest._decoders`


class _Busy(Exception):
    """An answer, or none, after which the same request may succeed."""

    def __init__(self, reason: str, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class MassiveHttp:
    """Thread-safe; every call ends within its deadline, not counting its wait for a place in the pace.

    Args:
        base_url: http(s)://HOST[:PORT][/PREFIX].
        deadline_seconds: how long one request may take, all its attempts together.
    """

    def __init__(self, base_url: str, key: str, requests_per_minute: int, deadline_seconds: float) -> None:
        parts = urlsplit(base_url)
        self._secure, self._host = parts.scheme == "https", parts.netloc.rpartition("@")[2]
        self._prefix = parts.path.rstrip("/")
        self._key = key
        self._deadline_seconds = deadline_seconds
        self._pace = RequestPace((requests_per_minute, 60.0), (_REQUESTS_A_SECOND, 1.0))
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def get(self, path: str, parameters: dict[str, str] | None = None) -> bytes:
        """The body of a successful answer.

        Raises:
            RestRefused: the key or the plan does not allow it.
            RestNotFound: there is no such thing.
            RestError: the vendor answered with another error, or did not answer in time.
        """
        target = self._prefix + path + (f"?{urlencode(parameters)}" if parameters else "")
        path = path.partition("?")[0]  # for messages
        self._sleep(self._pace.reserve(), path)
        deadline = time.monotonic() + self._deadline_seconds
        retry = _FIRST_RETRY_SECONDS
        while True:
            try:
                return self._attempt(target, path, deadline)
            except _Busy as problem:
                wait = max(retry, problem.wait_seconds or 0.0)
                if time.monotonic() + wait >= deadline:
                    raise RestError(f"{path}: {problem}; given up after {self._deadline_seconds:g} s") from None
                self._sleep(wait, path)
                self._sleep(self._pace.reserve(), path)
                retry = min(retry * 2, _LONGEST_RETRY_SECONDS)

    def next_page(self, url: str) -> bytes:
        """The page that `next_url` names: its path and query, on our own host, with our key."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(self._prefix) if self._prefix else parts.path
        return self.get(f"{path}?{parts.query}" if parts.query else path)

    def close(self) -> None:
        """End every wait and close idle connections."""
        self._closing.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    # --- one attempt ---

    def _attempt(self, target: str, path: str, deadline: float) -> bytes:
        connection, reused = self._connection(deadline)
        try:
            status, headers, body, keep = self._exchange(connection, target, deadline)
        except (http.client.RemoteDisconnected, ConnectionError, http.client.BadStatusLine) as problem:
            connection.close()
            if reused:
                return self._attempt(target, path, deadline)  # it was closed while it lay idle; a fresh one will tell
            raise _Busy(f"no answer ({problem})") from None
        except (OSError, http.client.HTTPException) as problem:
            connection.close()
            raise _Busy(f"no answer ({problem})") from None
        except BaseException:
            connection.close()
            raise
        self._put_back(connection, keep)
        if status == 200:
            return body
        reason = f"HTTP {status}: {_message_in(body)}"
        if status == 429 or status >= 500:
            raise _Busy(reason, _retry_after(headers))
        raise _ERRORS.get(status, RestError)(f"{path}: {reason}")

    def _exchange(
        self, connection: http.client.HTTPConnection, target: str, deadline: float
    ) -> tuple[int, http.client.HTTPMessage, bytes, bool]:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "TickStock"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        with response:
            body = self._read(response, deadline)
        if response.headers.get("Content-Encoding") == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                raise http.client.HTTPException("an answer that cannot be unpacked") from None
        return response.status, response.headers, body, not response.will_close

    def _read(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        pieces, size = [], 0
        while piece := response.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > _MOST_BYTES:
                raise http.client.HTTPException(f"an answer of more than {_MOST_BYTES} bytes")
            if time.monotonic() > deadline or self._closing.is_set():
                raise TimeoutError("the answer came too slowly")
        if response.length:
            raise http.client.HTTPException("the answer broke off")
        return b"".join(pieces)

    def _connection(self, deadline: float) -> tuple[http.client.HTTPConnection, bool]:
        if self._closing.is_set():
            raise RestError("the REST interface was closed")
        timeout = max(0.1, min(_ANSWER_SECONDS, deadline - time.monotonic()))
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            return connection, True
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, timeout=timeout), False

    def _put_back(self, connection: http.client.HTTPConnection, keep: bool) -> None:
        with self._lock:
            if keep and len(self._idle) < _IDLE_CONNECTIONS and not self._closing.is_set():
                self._idle.append(connection)
                return
        connection.close()

    def _sleep(self, seconds: float, path: str) -> None:
        if self._closing.wait(seconds) if seconds > 0 else self._closing.is_set():
            raise RestError(f"{path}: the REST interface was closed")


def _message_in(body: bytes) -> str:
    """What an error body says: `error`, else `message`, else its beginning (a proxy may answer with HTML, or nothing)."""
    try:
        told = _decode_error(body)
    except UNREADABLE:
        text = body[:1000].decode("utf-8", "replace").strip()
    else:
        text = told.error or told.message
    return shortened(text) if text else "without an explanation"


def _retry_after(headers: http.client.HTTPMessage) -> float | None:
    value = headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None
