"""A running web application for the tests of Socket.IO and of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.chromium import ARGUMENTS, HOW_TO_GET_ONE, chromium_program
from tests.servers import RedisServer
from tests.web.services import REPOSITORY, Simulator, Streaming, WebApp
from tickstock.database.migrate import migrate

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Frames come several times a second, where with second aggregates one comes a second: for tests that wait for frames.
TRADES = {"TICKSTOCK_CHANNEL": "T", "TICKSTOCK_SILENT_SECONDS": "4"}


class World:
    """Everything that a page needs: Redis, the simulator, the app, and TickStockPL's voice."""

    def __init__(self, folder: Path, mode: str = "eventlet", **settings: str) -> None:
        migrate(f"sqlite:///{(folder / 'tickstock.db').as_posix()}")
        self.folder = folder
        self.redis = RedisServer()
        self.simulator = Simulator(folder)
        self.app = WebApp(folder, self.redis, feed_port=self.simulator.port, mode=mode, **settings)
        self.streaming = Streaming(self.redis)

    def close(self) -> int:
        """Stop everything; the app's exit code."""
        self.streaming.close()
        code = self.app.stop()
        self.simulator.stop()
        self.redis.kill()
        return code


@pytest.fixture(scope="module")
def app_settings() -> dict[str, str]:
    """What a module's apps are set to beside what every app needs; a module may have its own."""
    return {}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, app_settings: dict[str, str]) -> Iterator[World]:
    """One world for a module's tests."""
    made = World(tmp_path_factory.mktemp("world"), **app_settings)
    yield made
    assert made.close() == 0, made.app.process.output()


@pytest.fixture(params=["eventlet", "threading"])
def own_world(request: pytest.FixtureRequest, tmp_path: Path, app_settings: dict[str, str]) -> Iterator[World]:
    """A world of the test's own, to break things in; once in each async mode."""
    made = World(tmp_path, request.param, **app_settings)
    yield made
    made.redis.resume()
    assert made.close() == 0, made.app.process.output()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """An installed Chromium; the test is skipped where there is none, or where the browser files are not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = chromium_program()
    if not found:
        pytest.skip(HOW_TO_GET_ONE)
    if not (REPOSITORY / "static" / "vendor" / "socket.io.esm.min.js").is_file():
        pytest.skip("the browser files are not installed; python run_tests.py does it")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()
