"""Child processes: in groups of their own, their output line by line, ended gently and then for good."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from launcher.errors import Stopped
from launcher.stop_request import StopRequest

GUARD = (sys.executable, "-P", str(Path(__file__).with_name("guard.py")))  # in front of what cannot watch the launcher itself
_LONGEST_LINE = 64 * 1024
if sys.platform == "win32":
    _OWN_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _OWN_GROUP = 0  # start_new_session does it


def spawn(command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, so that only the launcher gets Ctrl+C.

    Its standard input is the lifeline (a pipe that closes with this process), its output and errors are one pipe.

    Raises:
        OSError: there is no such program.
    """
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=folder,
        start_new_session=os.name == "posix",
        creationflags=_OWN_GROUP,
    )


def read_lines(output: IO[bytes], take: Callable[[str], None]) -> threading.Thread:
    """Hand every line of a child's output to `take`, in a thread that ends with the output."""

    def read() -> None:
        with output:
            while raw := output.readline(_LONGEST_LINE):
                take(raw.decode("utf-8", "replace").rstrip())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a child for an orderly end: SIGTERM; on Windows, which has none, its lifeline closes."""
    if sys.platform == "win32":
        close_lifeline(process)
    else:
        process.terminate()


def close_lifeline(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that the child watches."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # it had closed its end already
            process.stdin.close()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a child at once, and whatever it started."""
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: not permitted means that only a zombie is left
        os.killpg(process.pid, signal.SIGKILL)


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def run_step(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    stop: StopRequest,
    take: Callable[[str], None],
) -> int:
    """Run a command behind the guard to its end, handing on its output; returns its exit code, 127 without such a program.

    Raises:
        Stopped: a stop was asked for; the command has been ended.
    """
    process = spawn([*GUARD, *command], environment=environment, folder=folder)
    assert process.stdout is not None
    reader = read_lines(process.stdout, take)
    try:
        while process.poll() is None:
            stop.pause()
    except Stopped:
        kill_group(process)
        process.wait()
        close_lifeline(process)
        raise
    close_lifeline(process)
    reader.join(5)
    return process.returncode
