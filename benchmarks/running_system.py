"""The whole system as separate processes, as the launcher runs them, for benchmarks and end-to-end tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from benchmarks.redis_server import redis_program
from launcher.ports import unused_port
from launcher.services import FEW_POOLS
from tickstock.contract import HEALTH_LATEST_KEY, STATUS_LATEST_KEY
from tickstock.database.migrate import migrate

ROOT = Path(__file__).resolve().parents[1]
KEY = "a-key-of-this-run"


class RunningSystem:
    """Redis, the simulator, TickStockPL and the app, in a folder of their own. Use it as a context manager."""

    def __init__(
        self, folder: Path, simulator: Sequence[str], environment: dict[str, str], database_url: str | None = None
    ) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.port, redis_port, feed_port, rest_port = (unused_port() for _ in range(4))
        self.redis_url = f"redis://127.0.0.1:{redis_port}/0"
        self.database_url = database_url or f"sqlite:///{(folder / 'tickstock.db').as_posix()}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.client = redis.Redis.from_url(self.redis_url)
        python = sys.executable
        self._commands = {
            "redis": [redis_program(), "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
                      "--client-output-buffer-limit", "pubsub 256mb 128mb 60"],
            "simulator": [python, "-m", "tickstock.simulator", "--port", str(feed_port), "--rest-port", str(rest_port),
                          "--key", KEY, *simulator],
            "streaming": [python, "-m", "tickstock.streaming"],
            "app": [python, "app.py"],
        }  # fmt: skip
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TICKSTOCK_")}
        self._environment = {
            **FEW_POOLS,
            **clean,
            "PYTHONUNBUFFERED": "1",
            "MASSIVE_API_KEY": KEY,
            "REDIS_URL": self.redis_url,
            "DATABASE_URL": self.database_url,
            "TICKSTOCK_DATA_DIR": str(folder),
            "TICKSTOCK_PORT": str(self.port),
            "TICKSTOCK_FEED_URL": f"ws://127.0.0.1:{feed_port}/stocks",
            "TICKSTOCK_REST_URL": f"http://127.0.0.1:{rest_port}",
            **environment,
        }

    def __enter__(self) -> Self:
        migrate(self.database_url)
        try:
            for name in self._commands:
                self.start(name)
                if name == "redis":
                    self.wait_until(self._redis_answers, 20, "Redis to answer")
            self.wait_until(self.app_answers, 60, "the app to answer")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self, name: str) -> None:
        """Start one of redis, simulator, streaming, app; its output goes to `logs/<name>.log`."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._commands[name], cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop_one(self, name: str, seconds: float = 20) -> int:
        """SIGTERM; the exit code."""
        self.processes[name].send_signal(signal.SIGTERM)
        return self.processes[name].wait(seconds)

    def stop(self) -> None:
        """Stop all of them in order; whoever does not stop is killed."""
        for name in reversed(self._commands):
            process = self.processes.get(name)
            if process is not None and process.poll() is None:
                try:
                    self.stop_one(name)
                except subprocess.TimeoutExpired:
                    self.kill(name)
        self.client.close()

    def log_of(self, name: str) -> str:
        """All that a process has printed."""
        return (self.logs / f"{name}.log").read_text(errors="replace")

    def get(self, path: str) -> Any:
        """JSON from the app; /health answers 503, with its JSON, while a stage is down."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code != 503:
                    raise
                return json.load(answer)

    def app_answers(self) -> bool:
        """Whether the app serves pages."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/dashboard", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def feed_status(self) -> dict[str, Any]:
        """The feed's latest status; empty before the first."""
        text: Any = self.client.get(STATUS_LATEST_KEY)
        return json.loads(text) if text else {}

    def health(self) -> dict[str, Any]:
        """TickStockPL's latest health; empty when there is none."""
        text: Any = self.client.get(HEALTH_LATEST_KEY)
        return json.loads(text) if text else {}

    def wait_until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for a condition.

        Raises:
            TimeoutError: it did not come true, or a process ended meanwhile.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            ended = [name for name, process in self.processes.items() if process.poll() not in (None, -signal.SIGKILL)]
            if ended:
                raise TimeoutError(f"waited for {what}, but {ended} ended:\n{self.log_of(ended[0])[-2000:]}")
            if time.monotonic() > deadline:
                tails = "\n".join(f"--- {name}\n{self.log_of(name)[-800:]}" for name in self.processes)
                raise TimeoutError(f"waited {seconds:g} s in vain for {what}\n{tails}")
            time.sleep(0.1)

    def _redis_answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
