"""Nothing is left running, however the launcher ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.redis_server import redis_program
from tests.launcher.conftest import until

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import os, signal, sys, time
{first}
from tickstock import lifeline
asked = []
signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
assert lifeline.watch() is {watched}
print("runs", os.getpid(), flush=True)
while not asked:
    time.sleep(0.05)
print("ends in order", flush=True)
os._exit(0)
"""
EVENTLET = "import eventlet; eventlet.monkey_patch(psycopg=False)"
CHILD_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")


def child(first: str = "", *, watched: bool = True) -> subprocess.Popen[str]:
    environment = {**CHILD_ENVIRONMENT, "TICKSTOCK_LIFELINE": "stdin" if watched else ""}
    program = CHILD.format(first=first, watched=watched)
    return subprocess.Popen(
        [sys.executable, "-c", program], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@pytest.mark.parametrize("first", ["", EVENTLET], ids=["threads", "eventlet"])
def test_a_service_ends_in_order_when_its_lifeline_closes(first: str) -> None:
    with child(first) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("runs")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
        assert process.stdout.readline() == "ends in order\n"


def test_a_service_that_does_not_end_in_order_ends_all_the_same() -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "from tickstock import lifeline; lifeline.watch(grace_seconds=0.2); print('runs', flush=True); time.sleep(60)"
    )
    environment = {**CHILD_ENVIRONMENT, "TICKSTOCK_LIFELINE": "stdin"}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 1


def test_a_service_started_by_hand_does_not_look_at_its_standard_input() -> None:
    with child(watched=False) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        assert process.stdout.readline().startswith("runs")
        process.terminate()
        assert process.stdout.readline() == "ends in order\n"


LAUNCHER = """
import os, sys, time
from pathlib import Path
from launcher.console import Console
from launcher.service import ServicePlan
from launcher.stop_request import StopRequest
from launcher.supervisor import Supervisor

supervisor = Supervisor(Console(), StopRequest(), Path("logs"))
environment = {**os.environ, "TICKSTOCK_LIFELINE": "stdin"}
for name, *command in COMMANDS:
    plan = ServicePlan(name=name, log_name=name, command=command, environment=environment, folder=Path.cwd())
    print(supervisor.start(plan).process.pid, flush=True)
supervisor.watch()  # until it is killed
"""


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A launcher with a service under eventlet and a Redis behind its guard."""
    port = "0"  # Redis then listens on its socket file alone
    redis = [
        sys.executable,
        "-m",
        "launcher.guard",
        redis_program(),
        "--port",
        port,
        "--unixsocket",
        str(tmp_path / "redis.sock"),
    ]
    service = [sys.executable, "-c", CHILD.format(first=EVENTLET, watched=True)]
    program = f"COMMANDS = {[['app', *service], ['redis', *redis, '--save', '']]!r}\n{LAUNCHER}"
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=CHILD_ENVIRONMENT, cwd=tmp_path, text=True, stdout=subprocess.PIPE
    )
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_everything_ends_when_the_launcher_is_killed(launcher: subprocess.Popen[str], tmp_path: Path) -> None:
    until((tmp_path / "redis.sock").exists)
    until(lambda: "runs" in read(tmp_path / "logs" / "app.log"))
    family = [each.pid for each in psutil.Process(launcher.pid).children(recursive=True)]
    assert len(family) == 3  # the service, the guard, Redis
    os.kill(launcher.pid, signal.SIGKILL)
    until(lambda: not any(map(is_running, family)), 20, lambda: f"still running: {[pid for pid in family if is_running(pid)]}")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_redis_ends_when_its_guard_is_killed(launcher: subprocess.Popen[str], tmp_path: Path) -> None:
    until((tmp_path / "redis.sock").exists)
    guard = next(each for each in psutil.Process(launcher.pid).children() if "launcher.guard" in each.cmdline())
    (redis,) = guard.children()
    guard.kill()
    until(lambda: not is_running(redis.pid))


def guarded(program: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "launcher.guard", sys.executable, "-u", "-c", program]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_the_guard_answers_with_the_exit_code_of_its_program() -> None:
    with guarded("import os; os.kill(os.getpid(), 9)") as process:
        assert process.wait(20) == 128 + 9
    with guarded("import sys; sys.exit(3)") as process:
        assert process.wait(20) == 3


def test_the_guard_passes_a_request_to_stop_on() -> None:
    program = "import signal, sys, time; signal.signal(15, lambda *a: sys.exit(0)); print('runs'); time.sleep(60)"
    for request in (lambda process: process.terminate(), lambda process: process.stdin.close()):
        with guarded(program) as process:
            assert process.stdout is not None
            process.stdout.readline()
            request(process)
            assert process.wait(20) == 0


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
