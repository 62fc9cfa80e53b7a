"""Runs a program that cannot watch the launcher itself (Redis, pip, npm): `python guard.py PROGRAM ARGUMENTS…`.

It passes SIGTERM on, and stops the program when the lifeline (its own standard input) closes. Its exit code is the program's.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType

_SECONDS_TO_STOP = 10.0
_PR_SET_PDEATHSIG = 1
_NO_SUCH_PROGRAM = 127


def _die_with_guard() -> None:
    """Linux: have the kernel stop the program when its guard is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def guard(command: Sequence[str]) -> int:
    """Run `command` until it ends, SIGTERM comes or standard input closes; returns its exit code, 0 when it was asked to stop."""
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_guard if sys.platform == "linux" else None,  # safe: there is one thread so far
        )
    except OSError as problem:
        print(f"{command[0]} could not be started: {problem.strerror}", flush=True)
        return _NO_SUCH_PROGRAM

    def stop() -> None:
        process.terminate()
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()

    def stop_when_the_lifeline_closes() -> None:
        while os.read(0, 1024):
            pass
        stop()

    def asked(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=stop, daemon=True).start()  # waiting is not for signal handlers

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), asked)
    threading.Thread(target=stop_when_the_lifeline_closes, daemon=True).start()
    code = process.wait()
    if code == -signal.SIGTERM:
        return 0
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
