"""`app.py` as a process: how it starts, what it says when it cannot, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.ports import unused_port
from tests.servers import RedisServer
from tests.web.services import REPOSITORY, WebApp, wait_until
from tickstock.database.migrate import migrate


@pytest.fixture
def app_folder(tmp_path: Path) -> Path:
    migrate(f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}")
    return tmp_path


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(app_folder: Path, redis_server: RedisServer, mode: str, number: signal.Signals) -> None:
    app = WebApp(app_folder, redis_server, feed_port=unused_port(), mode=mode)
    app.process.child.send_signal(number)
    assert app.process.child.wait(10) == 0
    output = app.process.output()
    assert "stopped" in output
    assert "Traceback" not in output
    assert "deprecated" not in output


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_it_stops_when_the_launcher_is_gone(app_folder: Path, redis_server: RedisServer, mode: str) -> None:
    app = WebApp(app_folder, redis_server, feed_port=unused_port(), mode=mode)
    app.stop()
    environment = {**os.environ, **app.environment, "TICKSTOCK_LIFELINE": "stdin"}
    with subprocess.Popen(
        [sys.executable, "app.py"], cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as child:
        wait_until(app.answers, "the app answers")
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(10) == 0


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_a_port_in_use_is_named_with_its_setting(app_folder: Path, redis_server: RedisServer, mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {**os.environ, "REDIS_URL": redis_server.url, "TICKSTOCK_DATA_DIR": str(app_folder),
                       "TICKSTOCK_PORT": str(port), "TICKSTOCK_ASYNC_MODE": mode, "TICKSTOCK_CALENDAR": "always_open",
                       "TICKSTOCK_FEED_URL": f"ws://127.0.0.1:{unused_port()}"}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "app.py"], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 1
    assert f"port {port} (TICKSTOCK_PORT)" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TICKSTOCK_PRT", "5000", "Did you mean TICKSTOCK_PORT?"),
        ("TICKSTOCK_ALERTS", "GOLDN_CROSS", "Did you mean GOLDEN_CROSS?"),
    ],
)
def test_a_bad_setting_is_a_clear_error(name: str, value: str, words: str) -> None:
    environment = {**os.environ, name: value}
    done = subprocess.run([sys.executable, "app.py"], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
