"""Is it ready? Each question is asked of the service itself; none is answered by waiting."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from launcher.errors import LauncherError
from launcher.redis_client import RedisRefused, ask_redis

HEALTH_KEY = "tickstock:streaming:health:latest"  # as in tickstock/contract.py, which the launcher cannot import


def redis_answers(url: str) -> bool:
    """Whether a PING is answered.

    Raises:
        LauncherError: a server is there but does not let us in.
    """
    try:
        return ask_redis(url, "PING") == "PONG"
    except OSError:
        return False
    except RedisRefused as problem:
        if str(problem).startswith(("LOADING", "MASTERDOWN", "BUSY")):
            return False
        raise LauncherError(f"Redis refuses us: {problem}. Check user and password in REDIS_URL.") from None


def data_folder_of(url: str) -> str:
    """Where a Redis keeps its data; nothing when it does not say."""
    try:
        answer = ask_redis(url, "CONFIG", "GET", "dir")
    except (OSError, RedisRefused):
        return ""
    return str(answer[1]) if isinstance(answer, list) and len(answer) == 2 else ""


def port_answers(port: int) -> bool:
    """Whether something listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def page_answers(url: str) -> bool:
    """Whether GET answers 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path, headers={"Connection": "close"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reports_health(redis_url: str, started_at: Callable[[], float]) -> bool:
    """Whether TickStockPL has reported its health since it was started (a Unix time in seconds)."""
    try:
        text = ask_redis(redis_url, "GET", HEALTH_KEY)
        return isinstance(text, str) and int(json.loads(text)["timestamp"]) >= int(started_at() * 1000)
    except (OSError, RedisRefused, ValueError, KeyError, TypeError):
        return False
