"""What reaches Socket.IO before Flask sees it: handshakes and the bytes of WebSockets. What is neither is refused and counted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tickstock.logs import Rejections

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/socket.io"
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")  # the library repeats the name of an unknown one in its answer


class HandshakeGuard:
    """A WSGI application around the one that Flask-SocketIO made."""

    def __init__(self, inner: WSGIApplication, rejections: Rejections) -> None:
        self._inner = inner
        self._rejections = rejections

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PATH):
            return self._inner(environ, start_response)
        sessions = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [])
        if not all(_SESSION.fullmatch(each) for each in sessions):
            self._rejections.add("a session that cannot be one", sessions[0])
            start_response("400 BAD REQUEST", [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff")])
            return [b'{"error": "`sid` must be the name of a session"}']
        try:
            return self._inner(environ, start_response)
        except OSError:
            raise  # the connection's end, as servers expect it
        except Exception as fault:
            self._rejections.add("a connection that broke the protocol", fault)
            raise ConnectionError("the protocol was broken") from None
