from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from launcher import service as service_module
from launcher.errors import LauncherError
from launcher.service import Backoff, Service, ServicePlan, open_log
from launcher.stop_request import StopRequest
from launcher.supervisor import Supervisor
from tests.launcher.conftest import Terminal, has_ended, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")

Starter = Callable[..., Service]
OBEDIENT = """
import signal, sys, time
def end(number, frame):
    print("{0} ends")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("{0} runs")
time.sleep(60)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"


@pytest.fixture
def stop() -> StopRequest:
    return StopRequest()


@pytest.fixture
def supervisor(terminal: Terminal, stop: StopRequest, tmp_path: Path) -> Iterator[Supervisor]:
    it = Supervisor(terminal.console, stop, tmp_path / "logs")
    yield it
    for service in it.services:
        service.kill()
        service.finish()


@pytest.fixture
def start(supervisor: Supervisor, tmp_path: Path) -> Starter:
    """Start a service that runs a Python program."""

    def start_it(program: str, name: str = "Child", seconds: float = 10, environment: dict[str, str] | None = None) -> Service:
        return supervisor.start(
            ServicePlan(
                name=name,
                log_name=name.lower(),
                command=(sys.executable, "-u", "-c", program),
                environment={**os.environ, "PYTHONUTF8": "1", **(environment or {})},
                folder=tmp_path,
                seconds_to_stop=seconds,
            )
        )

    return start_it


def test_output_and_errors_are_shown_live_and_kept_in_a_file(start: Starter, terminal: Terminal) -> None:
    service = start("import sys, time; print('äöü'); print('oh', file=sys.stderr); time.sleep(60)")
    terminal.wait_for(r"\[Child\] äöü\n\[Child\] oh\n")
    assert Path(service.log_file).read_text(encoding="utf-8") == "äöü\noh\n"


def test_bytes_that_are_no_text_and_endless_lines_harm_nothing(start: Starter, terminal: Terminal) -> None:
    start("import sys; sys.stdout.buffer.write(b'\\xff\\x1b[2J\\n' + b'x' * 200_000 + b'\\nend\\n'); sys.stdout.flush(); input()")
    terminal.wait_for(r"\[Child\] \N{REPLACEMENT CHARACTER}\?\[2J\n")
    terminal.wait_for(r"\[Child\] end\n")


def test_log_files_are_rotated_and_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "LOG_BYTES", 1000)
    log = open_log(tmp_path / "logs" / "app.log")
    for number in range(400):
        log.emit(logging.makeLogRecord({"msg": f"line {number:04}"}))
    log.close()
    files = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert files == ["app.log", "app.log.1", "app.log.2", "app.log.3", "app.log.4"]
    assert all(path.stat().st_size <= 1000 for path in (tmp_path / "logs").iterdir())
    assert (tmp_path / "logs" / "app.log").read_text().endswith("line 0399\n")


def test_backoff_doubles_to_half_a_minute_and_starts_anew_after_a_settled_life() -> None:
    backoff = Backoff()
    assert [backoff.after(1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff.after(61) == 0.5
    assert backoff.after(1) == 1


def test_a_child_that_dies_is_started_again_and_it_is_said_why(
    start: Starter, supervisor: Supervisor, terminal: Terminal
) -> None:
    service = start("print('alive'); import time; time.sleep(60)")
    terminal.wait_for("alive")
    assert service.process is not None
    first = service.process.pid
    os.kill(first, signal.SIGKILL)

    def looked_after() -> bool:
        supervisor.look_after_all()
        return terminal.text.count("[Child] alive") == 2

    until(looked_after)
    assert service.process.pid != first
    terminal.wait_for(r"Child ended unexpectedly \(killed by SIGKILL\)\. Starting it again in 0\.5 s\.")
    terminal.wait_for(r"Child was started again \(restart 1\)\.")


def test_what_a_dead_child_left_behind_is_ended_before_the_next_start(
    start: Starter, supervisor: Supervisor, terminal: Terminal
) -> None:
    start("import os, subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid); sys.stdout.flush(); os._exit(1)")
    left_behind = psutil.Process(int(terminal.wait_for(r"\[Child\] (\d+)\n")[1]))

    def swept() -> bool:
        supervisor.look_after_all()
        return has_ended(left_behind)

    until(swept)


def test_a_child_whose_settings_are_wrong_is_not_started_again(start: Starter, supervisor: Supervisor) -> None:
    service = start("import sys; sys.exit(2)")
    until(lambda: service.exit_code == 2)
    with pytest.raises(LauncherError, match="Child cannot run with these settings") as caught:
        supervisor.look_after_all()
    assert caught.value.exit_code == 2


def test_a_program_that_does_not_exist_is_named(supervisor: Supervisor, tmp_path: Path) -> None:
    plan = ServicePlan(name="Child", log_name="child", command=("/no/such/program",), environment={}, folder=tmp_path)
    with pytest.raises(LauncherError, match="Child could not be started: /no/such/program"):
        supervisor.start(plan)


def test_all_are_stopped_in_the_reverse_order_each_after_the_one_before(
    start: Starter, supervisor: Supervisor, terminal: Terminal
) -> None:
    for name in ("Redis", "PL", "App"):
        start(OBEDIENT.format(name), name)
        terminal.wait_for(f"{name} runs")
    assert supervisor.stop_all()
    terminal.wait_for("Redis ends")
    ends = [line for line in terminal.text.splitlines() if line.endswith("ends")]
    assert ends == ["[App] App ends", "[PL] PL ends", "[Redis] Redis ends"]


def test_a_child_that_does_not_stop_is_killed_with_its_family_and_counts_as_not_well(
    start: Starter, supervisor: Supervisor, terminal: Terminal
) -> None:
    service = start(STUBBORN, seconds=0.3)
    terminal.wait_for("deaf")
    assert not supervisor.stop_all()
    assert service.exit_code == -signal.SIGKILL
    terminal.wait_for(r"Child did not stop in order; ended after 0 s")


def test_time_that_one_does_not_need_is_left_to_the_next(start: Starter, supervisor: Supervisor, terminal: Terminal) -> None:
    start(OBEDIENT.format("slow").replace('print("slow ends")', "time.sleep(1); print('slow ends')"), "Slow", seconds=0.1)
    start(OBEDIENT.format("quick"), "Quick", seconds=20)
    terminal.wait_for("slow runs")
    terminal.wait_for("quick runs")
    assert supervisor.stop_all()


def test_a_second_request_ends_the_rest_at_once(
    start: Starter, supervisor: Supervisor, stop: StopRequest, terminal: Terminal
) -> None:
    stop.listen()
    try:
        service = start(
            STUBBORN.replace("signal.SIG_IGN", "lambda *a: os.kill(os.getppid(), signal.SIGINT)").replace(
                "import ", "import os, "
            ),
            seconds=60,
        )
        terminal.wait_for("deaf")
        assert not supervisor.stop_all()
        assert service.exit_code == -signal.SIGKILL
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def test_ctrl_c_in_the_terminal_does_not_reach_a_child(start: Starter, terminal: Terminal) -> None:
    service = start(OBEDIENT.format("Child"))
    terminal.wait_for("Child runs")
    assert service.process is not None
    assert os.getpgid(service.process.pid) != os.getpgrp()
    assert os.getsid(service.process.pid) != os.getsid(0)


def test_waiting_for_a_service_ends_with_advice_and_the_place_of_its_log(start: Starter, supervisor: Supervisor) -> None:
    service = start("import time; time.sleep(60)")
    with pytest.raises(LauncherError) as caught:
        supervisor.wait_until(lambda: False, service, 0.2, "Set REDIS_URL to use another Redis.")
    assert str(caught.value) == (
        f"Child was not ready within 0.2 s. Set REDIS_URL to use another Redis. Its log: {service.log_file}"
    )


def test_what_answers_in_place_of_a_dead_service_does_not_count(start: Starter, supervisor: Supervisor) -> None:
    service = start("import sys; sys.exit(1)")
    until(lambda: service.exit_code == 1)
    with pytest.raises(LauncherError, match="was not ready within"):
        supervisor.wait_until(lambda: service.exit_code is not None, service, 0.3, "")
