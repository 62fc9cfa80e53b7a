"""What `run_tests.py` does: set up with the tests' requirements, then check and test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from launcher.browser_files import BrowserFiles
from launcher.console import Console
from launcher.errors import LauncherError, Stopped
from launcher.setup import ROOT, Environment
from launcher.stop_request import StopRequest

# Most tests wait for a server or a clock, so three at a time keep two cores busy, and no more.
# Their order is that of tests/conftest.py.
CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
    ("pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"),
)


def main(arguments: Sequence[str]) -> int:
    """Check and test; returns the exit code of the first failure, or 0."""
    console = Console()
    stop = StopRequest()
    stop.listen()
    try:
        environment = Environment(ROOT / ".venv", console, stop)
        environment.install([ROOT / "requirements.txt", ROOT / "requirements-dev.txt"])
        BrowserFiles(console, stop, for_tests=True).install()
    except LauncherError as problem:
        console.say(f"ERROR: {problem}")
        return problem.exit_code
    except Stopped:
        return 130
    finally:
        console.close()
    python = str(environment.python)
    return run_checks([[python, "-m", "pytest", *arguments]] if arguments else [[python, "-m", *check] for check in CHECKS])


def run_checks(commands: Sequence[Sequence[str]]) -> int:
    """Run all of them on this terminal, and say at the end how each one went."""
    summary: list[str] = []
    first_failure = 0
    for command in commands:
        name = " ".join(command[2:])
        began = time.monotonic()
        code = _run(command)
        first_failure = first_failure or code
        summary.append(f"{'passed' if code == 0 else f'FAILED ({code})':12} {name}  {time.monotonic() - began:.0f} s")
        if code == 130:
            break
    print("\n".join(summary) if len(commands) > 1 else "", end="\n" if len(commands) > 1 else "", flush=True)
    return first_failure


def _run(command: Sequence[str]) -> int:
    """On this terminal, in this process group: Ctrl+C reaches the command itself, and we wait for its answer."""
    print(f"\n--- {' '.join(command[2:])}", flush=True)
    code = subprocess.call(list(command), cwd=ROOT)
    return code if code >= 0 else 128 - code
