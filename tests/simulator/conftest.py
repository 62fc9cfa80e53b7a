"""A simulator in the test's own process, on free ports, and a plain WebSocket client that reads its frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tickstock.simulator.clock import Clock
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.rest_server import RestServer
from tickstock.simulator.server import FeedServer, ServerOptions
from tickstock.simulator.tape import Tape
from tickstock.simulator.timeline import Timeline

KEY = "a-key-for-tests"
HEADER = (
    "ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,sip_timestamp,size,tape,"
    "trf_id,trf_timestamp"
)


class Client:
    """Reads frames with a deadline; remembers every event that is not a status."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []

    async def frame(self) -> list[dict[str, Any]]:
        async with asyncio.timeout(20):
            received = json.loads(await self.socket.recv())
        assert isinstance(received, list)
        self.events += [each for each in received if each["ev"] != "status"]
        return received

    async def statuses(self) -> list[dict[str, Any]]:
        """The statuses of the next frame that holds any."""
        while True:
            found = [each for each in await self.frame() if each["ev"] == "status"]
            if found:
                return found

    async def send(self, action: str, params: str) -> None:
        await self.socket.send(json.dumps({"action": action, "params": params}))

    async def log_in(self, key: str = KEY) -> None:
        assert (await self.frame())[0]["status"] == "connected"
        await self.send("auth", key)
        assert (await self.statuses())[0]["status"] == "auth_success"

    async def subscribe(self, params: str) -> list[str]:
        await self.send("subscribe", params)
        return [each["message"] for each in await self.statuses()]

    async def until(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        async with asyncio.timeout(30):
            while not enough(self.events):
                await self.frame()
        return self.events

    async def until_ended(self) -> list[dict[str, Any]]:
        while not any(each["status"] == "ended" for each in await self.statuses()):
            pass
        return self.events


@dataclass
class Running:
    """A running WebSocket server."""

    server: FeedServer
    url: str

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        async with connect(self.url, max_size=None, compression=None) as socket:
            yield Client(socket)


@asynccontextmanager
async def serving(tape: Tape, clock: Clock, start: int, *, repeats: bool = True, **options: Any) -> AsyncIterator[Running]:
    server = FeedServer(Timeline(tape, start, repeats=repeats), clock, ServerOptions(key=KEY, **options))
    await server.start()
    try:
        yield Running(server, f"ws://127.0.0.1:{server.port}/stocks")
    finally:
        await server.stop()


@pytest.fixture
def rest_port() -> Any:
    """Starts REST servers and stops them at the end of the test."""
    started: list[RestServer] = []

    def start(interface: RestInterface) -> int:
        server = RestServer(interface, "127.0.0.1", 0)
        server.start()
        started.append(server)
        return server.port

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine to its end, within a minute; in a thread of its own, as a browser's tests may have a loop in this one."""

    def run_to_the_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(60):
                return await coroutine

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(limited())).result()

    return run_to_the_end


@pytest.fixture
def flat_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a trades_v1 file from its rows."""

    def write(*rows: str, name: str = "day.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
        return path

    return write
