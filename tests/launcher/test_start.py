"""start_all_services.py as a whole: set-up, start, restart, stop, with services of a few lines."""

from __future__ import annotations

import ast
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.launcher.conftest import has_ended, until
from tests.launcher.stand_in import ROOT, Run, make_project, options

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")]

UP = "everything is up"
Starter = Callable[..., Run]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="module")
def without_redis(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A start that waits for a Redis for 15 s; meanwhile the other tests go on."""
    run = Run(project, *options(tmp_path_factory.mktemp("without")), environment={"REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"})
    yield run
    run.end()


@pytest.fixture
def start(project: Path, tmp_path: Path) -> Iterator[Starter]:
    runs: list[Run] = []

    def start_it(*arguments: str, **environment: str) -> Run:
        runs.append(Run(project, *(arguments or options(tmp_path)), environment=environment))
        return runs[-1]

    yield start_it
    for run in runs:
        run.end()


def all_ended(family: list[psutil.Process]) -> bool:
    return all(map(has_ended, family))


def test_the_first_start_sets_up_and_starts_everything_and_the_second_skips_set_up(start: Starter, tmp_path: Path) -> None:
    given = options(tmp_path)
    first = start(*given)
    first.wait_for(UP, 120)
    family = first.family()
    assert len(family) == 5  # application, TickStockPL, simulator, guard, Redis
    assert first.interrupt() == 0
    assert all_ended(family)
    for pattern in (
        r"^\[Set-up\] installing requirements\.txt",
        r"^Redis: redis://127\.0\.0\.1:\d+/0 .*redis-cli -p \d+ SUBSCRIBE tickstock:market:ticks",
        rf"^Database: sqlite:///{tmp_path}/data/tickstock\.db$",
        rf"^Open http://localhost:{given[1]}/dashboard",
        r"^\[TickStockAppV2\] runs as \d+",
        r"^\[TickStockPL Streaming\] runs as \d+",
        r"^\[Market Simulator\] key \*\*\*$",
        r"^\[Redis\] ",
        r"^Stopped\.$",
    ):
        assert re.search(pattern, first.text, re.MULTILINE), f"{pattern} is missing in:\n{first.text}"
    assert re.findall(r"^\[(.*)\] ends in order", first.text, re.MULTILINE) == [
        "TickStockAppV2",
        "TickStockPL Streaming",
        "Market Simulator",
    ]
    assert sorted(path.name for path in (tmp_path / "data" / "logs").iterdir()) == [
        "app.log",
        "redis.log",
        "simulator.log",
        "streaming.log",
    ]
    second = start(*given)
    second.wait_for(UP)
    assert "[Set-up]" not in second.text
    assert second.interrupt() == 0


@pytest.mark.usefixtures("without_redis")  # that its wait goes on beside these tests
def test_sigterm_stops_everything_in_order_too(start: Starter) -> None:
    run = start()
    run.wait_for(UP)
    family = run.family()
    run.process.terminate()
    assert run.exit_code() == 0
    assert all_ended(family)


def test_nothing_is_left_running_after_the_launcher_is_killed(start: Starter) -> None:
    run = start()
    run.wait_for(UP)
    family = run.family()
    run.process.kill()
    until(lambda: all_ended(family), 20, lambda: f"left: {family}")


@pytest.mark.parametrize("name", ["TickStockAppV2", "TickStockPL Streaming", "Market Simulator"])
def test_a_service_that_is_killed_comes_back_while_the_others_go_on(start: Starter, name: str) -> None:
    run = start()
    run.wait_for(UP)
    before = {each.pid for each in run.family()}
    run.wait_for(f"[{name}] runs as")
    killed = int(re.findall(rf"^\[{name}\] runs as (\d+)", run.text, re.MULTILINE)[-1])
    os.kill(killed, signal.SIGKILL)
    run.wait_for(f"{name} ended unexpectedly (killed by SIGKILL). Starting it again in 0.5 s.")
    run.wait_for(f"{name} was started again (restart 1).")
    until(lambda: run.text.count(f"[{name}] runs as") == 2)
    assert before - {killed} < {each.pid for each in run.family()}
    assert run.interrupt() == 0


def test_redis_comes_back_on_its_port(start: Starter) -> None:
    run = start()
    run.wait_for(UP)
    port = int(re.findall(r"^Redis: redis://127\.0\.0\.1:(\d+)", run.text, re.MULTILINE)[0])
    redis = next(each for each in run.family() if each.name().startswith(("redis-server", "valkey-server")))
    redis.kill()
    run.wait_for("Redis was started again")

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(answers)
    assert run.interrupt() == 0


def test_a_saved_log_that_redis_cannot_read_is_set_aside(start: Starter, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "redis"
    folder.mkdir(parents=True)
    (folder / "dump.rdb").write_bytes(b"REDIS9999 of a version to come")
    run = start()
    run.wait_for("Redis could not read what it had saved")
    run.wait_for(UP)
    assert (folder / "dump.unreadable").exists()
    assert run.interrupt() == 0


def test_a_port_in_use_is_said_before_anything_is_started(start: Starter, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        run = start("--port", port, "--data-dir", str(tmp_path / "data"))
        assert run.exit_code() == 1
    assert f"ERROR: Port {port} is in use" in run.text
    assert "TICKSTOCK_PORT" in run.text
    assert "[Redis]" not in run.text


def test_a_second_launcher_on_the_same_data_directory_is_told_who_has_it(start: Starter, tmp_path: Path) -> None:
    first = start()
    first.wait_for(UP)
    second = start(*options(tmp_path))
    assert second.exit_code() == 1
    assert "TickStock already runs on the data directory" in second.text
    assert f"process {first.process.pid}, http://localhost:" in second.text
    assert first.interrupt() == 0
    third = start(*options(tmp_path))
    third.wait_for(UP)
    assert third.interrupt() == 0


def test_an_unknown_setting_is_exit_code_2(start: Starter) -> None:
    run = start(TICKSTOCK_PROT="5000")
    assert run.exit_code() == 2
    assert "ERROR: Unknown setting TICKSTOCK_PROT. Did you mean TICKSTOCK_PORT?" in run.text


def test_a_service_that_refuses_its_settings_ends_the_start_with_exit_code_2(start: Starter) -> None:
    run = start(MOOD_STREAMING="refuses")
    assert run.exit_code() == 2
    assert "ERROR: TickStockPL Streaming cannot run with these settings" in run.text


def test_a_service_that_ends_badly_makes_the_exit_code_1(start: Starter) -> None:
    run = start(MOOD_APP="ends badly")
    run.wait_for(UP)
    assert run.interrupt() == 1
    assert "TickStockAppV2 had failed (exit code 1)" in run.text


def test_a_database_that_cannot_be_prepared_ends_the_start_and_shows_no_password(start: Starter) -> None:
    run = start(MOOD_DATABASE="refuses", DATABASE_URL="postgresql://trader:hunter2@localhost/none")
    assert run.exit_code() == 1
    assert "[Database] no such database" in run.text
    assert "ERROR: The database postgresql://localhost/none could not be prepared" in run.text
    assert "hunter2" not in run.text


def test_a_redis_that_does_not_answer_is_named_without_its_password(without_redis: Run) -> None:
    assert without_redis.exit_code() == 1
    assert "ERROR: No Redis answers at redis://127.0.0.1:1/0." in without_redis.text
    assert "hunter2" not in without_redis.text


def test_a_request_to_stop_while_it_starts_leaves_nothing(start: Starter) -> None:
    run = start()
    run.wait_for("[TickStockAppV2] runs as")
    family = run.family()
    assert run.interrupt() == 0
    assert all_ended(family)


def test_an_old_python_can_read_the_commands_and_is_told_what_is_needed() -> None:
    for name in ("start_all_services.py", "run_tests.py"):
        ast.parse((ROOT / name).read_text(), feature_version=(3, 4))
        program = f"import runpy, sys; sys.version_info = (3, 10); runpy.run_path({name!r}, run_name='__main__')"
        told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=20)
        assert told.returncode == 1
        assert told.stderr.startswith("TickStock needs Python 3.11 or later; this is ")
