"""The simulator as a process: what it says, how it stops, which mistakes it explains."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.conftest import KEY, Client
from tests.simulator.test_recorded_day import OPEN, row

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stops by signals")


class Process:
    """`python -m tickstock.simulator` on free ports, with its output."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tickstock.simulator", "--port", "0", "--rest-port", "0", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        self.watchdog = threading.Timer(40, self.process.kill)  # so that no read waits for ever
        self.watchdog.start()
        self.lines: list[str] = []

    def line(self, pattern: str) -> re.Match[str]:
        """The first line from here on that fits."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"no line fits {pattern}: {''.join(self.lines)}")

    def ports(self) -> tuple[int, int]:
        return int(self.line(r"WebSocket ready on ws://127.0.0.1:(\d+)/stocks")[1]), int(
            self.line(r"REST ready on http://127.0.0.1:(\d+)$")[1]
        )

    def stop(self) -> None:
        self.watchdog.cancel()
        self.process.kill()
        self.process.wait()
        for each in (self.process.stdin, self.process.stdout):
            if each is not None:
                each.close()


@pytest.fixture
def simulator() -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*arguments: str, **options: Any) -> Process:
        started.append(Process(*arguments, **options))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_serves_and_stops_in_order(
    simulator: Callable[..., Process], number: signal.Signals, run: Callable[..., Any]
) -> None:
    running = simulator("--key", KEY)
    websocket, rest = running.ports()
    with urllib.request.urlopen(f"http://127.0.0.1:{rest}/v1/marketstatus/now?apiKey={KEY}", timeout=20) as response:
        assert response.status == 200

    async def first_events() -> None:
        from websockets.asyncio.client import connect

        async with connect(f"ws://127.0.0.1:{websocket}/stocks") as socket:
            client = Client(socket)
            await client.log_in()
            await client.subscribe("T.*")
            await client.until(lambda events: len({each["sym"] for each in events}) >= 60)

    run(first_events())
    running.process.send_signal(number)
    running.line("Stopped")
    assert running.process.wait(20) == 0
    assert KEY not in "".join(running.lines)


def test_it_stops_when_its_launcher_is_gone(simulator: Callable[..., Process]) -> None:
    running = simulator(environment={"TICKSTOCK_LIFELINE": "stdin"})
    running.ports()
    assert running.process.stdin is not None
    running.process.stdin.close()
    assert running.process.wait(20) == 0


def test_the_key_may_come_from_the_environment(simulator: Callable[..., Process]) -> None:
    _, rest = simulator(environment={"MASSIVE_API_KEY": KEY}).ports()
    with urllib.request.urlopen(f"http://127.0.0.1:{rest}/v1/marketstatus/now?apiKey={KEY}", timeout=20) as response:
        assert response.status == 200


def test_it_plays_a_recorded_day(
    simulator: Callable[..., Process], flat_file: Callable[..., Path], run: Callable[..., Any]
) -> None:
    path = flat_file(row("A", OPEN, "10", sequence=1), row("A", OPEN + 5, "11", sequence=2))
    running = simulator("--replay", str(path), "--speed", "max", "--key", KEY)
    websocket, _ = running.ports()

    async def whole_day() -> list[dict[str, Any]]:
        from websockets.asyncio.client import connect

        async with connect(f"ws://127.0.0.1:{websocket}/stocks") as socket:
            client = Client(socket)
            await client.log_in()
            await client.subscribe("T.*")
            return await client.until_ended()

    assert [each["q"] for each in run(whole_day())] == [1, 2]


def test_a_day_without_the_watched_tickers_says_which_ones_it_holds(
    simulator: Callable[..., Process], flat_file: Callable[..., Path], run: Callable[..., Any]
) -> None:
    running = simulator("--replay", str(flat_file(row("QQXX", OPEN, "10", sequence=1))), "--speed", "max", "--key", KEY)
    websocket, _ = running.ports()

    async def whole_day() -> list[dict[str, Any]]:
        from websockets.asyncio.client import connect

        async with connect(f"ws://127.0.0.1:{websocket}/stocks") as socket:
            client = Client(socket)
            await client.log_in()
            await client.subscribe("T.AAPL")
            return await client.until_ended()

    assert run(whole_day()) == []
    running.line("holds none of the tickers that the client watches, so it gets nothing; it holds QQXX")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--start", "2026-11-22T10:00"], "must lie on a trading day"),
        (["--start", "tomorrow"], "must be a time such as"),
        (["--replay", "no-such-file.csv"], "cannot be read"),
    ],
)
def test_a_mistake_is_explained(simulator: Callable[..., Process], arguments: list[str], said: str) -> None:
    running = simulator(*arguments)
    running.line(said)
    assert running.process.wait(20) == 2  # the launcher does not start it again


def test_a_virtual_day_that_ends_early_has_no_bars_behind_its_end(
    simulator: Callable[..., Process], run: Callable[..., Any]
) -> None:
    day = ["--start", "2026-11-20T10:00", "--end", "2026-11-20T10:02", "--speed", "600", "--symbols", "AAPL"]
    running = simulator(*day, "--key", KEY)
    websocket, rest = running.ports()

    async def whole_day() -> list[dict[str, Any]]:
        from websockets.asyncio.client import connect

        async with connect(f"ws://127.0.0.1:{websocket}/stocks") as socket:
            client = Client(socket)
            await client.log_in()
            await client.subscribe("T.*")
            return await client.until_ended()

    newest = max(each["t"] for each in run(whole_day()))
    time.sleep(0.3)  # three minutes of this day's clock
    path = f"/v2/aggs/ticker/AAPL/range/1/minute/{newest - 600_000}/{newest + 600_000}?apiKey={KEY}"
    with urllib.request.urlopen(f"http://127.0.0.1:{rest}{path}", timeout=20) as response:
        bars = json.load(response)["results"]
    assert bars[-1]["t"] == newest // 60_000 * 60_000
