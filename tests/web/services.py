"""The web application as a process of its own, the simulator beside it, and TickStockPL's voice on Redis."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Table

from launcher.ports import unused_port
from tests.servers import RedisServer
from tickstock import contract
from tickstock.contract import (
    BarValues,
    IndicatorAlert,
    ResultsEntry,
    StreamingHealth,
    StreamingIndicator,
    StreamingPattern,
)
from tickstock.market_hours import now_ms

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = "a-key-of-the-tests"


def wait_until(holds: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """Poll until something is true, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.03)


class Process:
    """A child with its output in a file."""

    def __init__(self, log: Path, *command: str, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self.child = subprocess.Popen(
                [sys.executable, *command], cwd=REPOSITORY, env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def output(self) -> str:
        """All that it printed."""
        return self.log.read_text(errors="replace")

    def stop(self, seconds: float = 15.0) -> int:
        """SIGTERM; its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise

    def kill(self) -> None:
        """SIGKILL."""
        self.child.kill()
        self.child.wait()


class WebApp:
    """`app.py` with a feed, a Redis and a database."""

    def __init__(self, folder: Path, redis: RedisServer, *, feed_port: int, mode: str = "eventlet", **settings: str) -> None:
        self.folder = folder
        self.port = unused_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "REDIS_URL": redis.url,
            "MASSIVE_API_KEY": KEY,
            "TICKSTOCK_DATA_DIR": str(folder),
            "TICKSTOCK_PORT": str(self.port),
            "TICKSTOCK_ASYNC_MODE": mode,
            "TICKSTOCK_FEED": "simulated",
            "TICKSTOCK_CALENDAR": "always_open",
            "TICKSTOCK_FEED_URL": f"ws://127.0.0.1:{feed_port}/stocks",
            "TICKSTOCK_RECONNECT_MAX_SECONDS": "0.5",
            **settings,
        }
        self.start()

    @property
    def database(self) -> str:
        """The URL of its database."""
        return self.environment.get("DATABASE_URL") or f"sqlite:///{(self.folder / 'tickstock.db').as_posix()}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = Process(self.folder / "app.log", "app.py", environment=self.environment)
        wait_until(self._answers, "the app answers")

    def _answers(self) -> bool:
        assert self.process.child.poll() is None, self.process.output()
        return self.answers()

    def answers(self) -> bool:
        """Whether something answers on its port."""
        try:
            return self.get("/health")[0] in (200, 503)
        except OSError:
            return False

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Status code and JSON of a GET."""
        return self.ask(urllib.request.Request(self.url + path, headers=headers or {}))

    def ask(self, request: urllib.request.Request, seconds: float = 10) -> tuple[int, Any]:
        """Status code and JSON of any request."""
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as problem:
            with problem:
                return problem.code, json.loads(problem.read())

    def stop(self) -> int:
        """Stop it in order; its exit code."""
        return self.process.stop()


class Simulator:
    """The market simulator on a port that it keeps over restarts."""

    def __init__(self, folder: Path) -> None:
        self.port = unused_port()
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start it and wait until its port answers."""
        self.process = Process(
            self._folder / "simulator.log",
            "-m", "tickstock.simulator", "--port", str(self.port), "--rest-port", "0", "--key", KEY,
        )  # fmt: skip
        wait_until(lambda: "ready" in self.process.output(), "the simulator is ready")

    def stop(self) -> None:
        """Stop it."""
        self.process.stop()


class Streaming:
    """What TickStockPL says on Redis, said by the test."""

    def __init__(self, redis: RedisServer) -> None:
        self.client = redis.client()
        self.session_id = "session-of-the-test"
        self._entries = 0

    def health(self, status: str = "healthy", issues: list[str] | None = None, session: str = "active") -> None:
        """Publish a report, and set the latest."""
        report = contract.encode(a_report(self.session_id, status, issues or [], session))
        self.client.set(contract.HEALTH_LATEST_KEY, report, ex=12)
        self.client.publish(contract.HEALTH_CHANNEL, report)

    def minute(
        self,
        *,
        patterns: list[StreamingPattern] | None = None,
        alerts: list[IndicatorAlert] | None = None,
        indicators: list[StreamingIndicator] | None = None,
        publish: bool = True,
    ) -> None:
        """The results of a minute: into their log, and published unless the app shall miss them."""
        self._entries += 1
        entry = ResultsEntry("run", self._entries, now_ms(), patterns or [], alerts or [], indicators or [])
        pipeline = self.client.pipeline(transaction=True)
        pipeline.xadd(contract.RESULTS_LOG_KEY, {contract.RESULTS_LOG_FIELD: contract.encode(entry)})
        if publish:
            for channel, messages in (
                (contract.PATTERNS_CHANNEL, entry.patterns),
                (contract.ALERTS_CHANNEL, entry.alerts),
                (contract.INDICATORS_CHANNEL, entry.indicators),
            ):
                for message in messages:
                    pipeline.publish(channel, contract.encode(message))
        pipeline.execute()

    def close(self) -> None:
        """Close the connection."""
        self.client.close()


def a_report(
    session_id: str = "s", status: str = "healthy", issues: list[str] | None = None, session: str = "active"
) -> StreamingHealth:
    """A health report of now."""
    return StreamingHealth(
        status, issues or [], now_ms(), session_id, session, 10, 70, 0, 71.2, 1000, 0, 0, 70, {"p50": 3.0, "p99": 18.0}, 5, 70, 1
    )  # fmt: skip


def a_pattern(symbol: str = "AAPL", pattern: str = "Hammer", bar: int | None = None, **fields: Any) -> StreamingPattern:
    """A pattern of the current minute's bar."""
    bar = this_minute() if bar is None else bar
    timeframe = fields.get("timeframe", "1min")
    made = StreamingPattern(
        f"{symbol}:{timeframe}:{pattern}:{bar}", symbol, pattern, "bullish", "confirmed", timeframe, "regular",
        bar, now_ms(), 257.01, 0.82, "simulated", "live", {},
    )  # fmt: skip
    return msgspec.structs.replace(made, **fields)


def an_alert(symbol: str = "AAPL", bar: int | None = None, **fields: Any) -> IndicatorAlert:
    """An RSI alert of the current minute's bar."""
    bar = this_minute() if bar is None else bar
    made = IndicatorAlert(
        f"{symbol}:1min:RSI_OVERBOUGHT:RSI_14:{bar}", symbol, "RSI_OVERBOUGHT", "RSI_14", 70.4, 70.0, "bearish",
        "1min", "regular", bar, now_ms(), "simulated", "live",
    )  # fmt: skip
    return msgspec.structs.replace(made, **fields)


def an_indicator(symbol: str = "AAPL", bar: int | None = None, **fields: Any) -> StreamingIndicator:
    """Indicator values of the current minute's bar."""
    bar = this_minute() if bar is None else bar
    made = StreamingIndicator(
        symbol, "1min", "regular", bar, now_ms(), BarValues(256.9, 257.2, 256.8, 257.01, 18400),
        {"RSI_14": 71.2, "SMA_20": 256.71, "SMA_50": 255.5}, "simulated",
    )  # fmt: skip
    return msgspec.structs.replace(made, **fields)


def row(table: Table, message: Any) -> tuple[Any, ...]:
    """A message as the row of its table."""
    return tuple(getattr(message, column.name) for column in table.columns)


def this_minute() -> int:
    """Start of the running minute."""
    return now_ms() // 60_000 * 60_000
