"""A project that is all launcher: the real one, with services of a few lines in place of TickStock's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from benchmarks.redis_server import redis_program
from launcher.ports import unused_port
from tests.launcher.conftest import until

ROOT = Path(__file__).resolve().parents[2]
SERVICE = """
import json, os, signal, sys, time
from tickstock import lifeline
from tickstock.settings import Settings
settings = Settings.load()
mood = os.environ.get("MOOD_" + NAME, "")
if mood == "refuses":
    sys.exit(2)
def end(number, frame):
    print("ends in order", flush=True)
    os._exit(1 if mood == "ends badly" else 0)
signal.signal(signal.SIGTERM, end)
lifeline.watch()
print("runs as", os.getpid(), flush=True)
"""
SIMULATOR = """
import socket
NAME = "SIMULATOR"
{service}
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
listeners = [socket.create_server(("127.0.0.1", int(given[name]))) for name in ("--port", "--rest-port")]
print("key", given["--key"], flush=True)
while True:
    time.sleep(1)
"""
STREAMING = """
NAME = "STREAMING"
{service}
import contextlib
from launcher.redis_client import ask_redis
while True:
    health = json.dumps({{"timestamp": int(time.time() * 1000)}})
    with contextlib.suppress(OSError):
        ask_redis(settings.redis_url, "SET", "tickstock:streaming:health:latest", health)
    time.sleep(0.2)
"""
APP = """
import http.server
NAME = "APP"
{service}
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", settings.port), Page).serve_forever()
"""
DATABASE = """
import os, sys
sys.exit("no such database" if os.environ.get("MOOD_DATABASE") == "refuses" else 0)
"""


def make_project(folder: Path) -> Path:
    """Copy the launcher and write the stand-ins."""
    project = folder / "project"
    shutil.copytree(ROOT / "launcher", project / "launcher", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "start_all_services.py", project)
    (project / "requirements.txt").write_text("# nothing\n")
    # The launcher checks which patterns, indicators and alerts are chosen.
    shutil.copytree(
        ROOT / "tickstock" / "analysis", project / "tickstock" / "analysis", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("__init__", "settings", "errors", "lifeline", "cooperation"):
        shutil.copy(ROOT / "tickstock" / f"{name}.py", project / "tickstock")
    (project / "tickstock" / "simulator.py").write_text(SIMULATOR.format(service=SERVICE))
    (project / "tickstock" / "streaming.py").write_text(STREAMING.format(service=SERVICE))
    (project / "tickstock" / "database.py").write_text(DATABASE)
    (project / "app.py").write_text(APP.format(service=SERVICE))
    (folder / "programs").mkdir()
    (folder / "programs" / "redis-server").symlink_to(redis_program())
    return project


class Run:
    """start_all_services.py as a child; `text` is all that it has printed."""

    def __init__(self, project: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.project = project
        self.text = ""
        path = f"{project.parent / 'programs'}{os.pathsep}{os.environ['PATH']}"
        names = ("HOME", "LANG", "PIP_FIND_LINKS", "SSL_CERT_FILE")
        inherited = {name: os.environ[name] for name in names if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "start_all_services.py", *arguments],
            cwd=project,
            env={**inherited, "PATH": path, **(environment or {})},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.text += line

    def wait_for(self, words: str, seconds: float = 60) -> None:
        """Wait until it has printed `words`."""
        until(
            lambda: words in self.text or self.process.poll() is not None, seconds, lambda: f"{words!r} missing in:\n{self.text}"
        )
        assert words in self.text, f"{words!r} missing, it ended:\n{self.text}"

    def exit_code(self, seconds: float = 40) -> int:
        """Wait for its end."""
        code = self.process.wait(seconds)
        self._reader.join(20)
        return code

    def interrupt(self) -> int:
        """Ctrl+C, and its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.exit_code()

    def family(self) -> list[psutil.Process]:
        """Every process that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        """Clean up after a test, whatever happened."""
        self.process.kill()
        self.exit_code()


def options(folder: Path) -> list[str]:
    """A port and a data directory of the test's own."""
    return ["--port", str(unused_port()), "--data-dir", str(folder / "data")]
