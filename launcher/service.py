"""One service: its process, its lines on the terminal and in its log file, its restarts."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path

from launcher.console import Console
from launcher.errors import LauncherError
from launcher.processes import ask_to_stop, close_lifeline, how_it_ended, kill_group, read_lines, spawn

LOG_BYTES = 10_000_000
LOG_FILES = 5
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
SETTLED_SECONDS = 60.0  # a service that lived this long starts anew with the first delay
_TERMINATED = -15


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """What a service is: how it is called, run and stopped."""

    name: str  # as in its prefix
    log_name: str  # <data-dir>/logs/<log_name>.log
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    seconds_to_stop: float = 6.0


class Backoff:
    """How long to wait before the next start: twice as long each time, from the beginning after a settled life."""

    def __init__(self) -> None:
        self._failures = 0

    def after(self, lived_seconds: float) -> float:
        """The delay in seconds after a life of so many seconds."""
        if lived_seconds >= SETTLED_SECONDS:
            self._failures = 0
        delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0**self._failures)
        self._failures += 1
        return delay


class Service:
    """A child process that is kept running until it is stopped."""

    def __init__(self, plan: ServicePlan, console: Console, logs: Path) -> None:
        self.plan = plan
        self.restarts = 0
        self.started_at = 0.0  # wall clock, of the running process
        self.process: subprocess.Popen[bytes] | None = None
        self._console = console
        self._backoff = Backoff()
        self._began = 0.0
        self._start_again_at: float | None = None
        self._reader: threading.Thread | None = None
        self._log = open_log(logs / f"{plan.log_name}.log")

    @property
    def log_file(self) -> str:
        """Where its lines are kept."""
        return self._log.baseFilename

    @property
    def exit_code(self) -> int | None:
        """How its last process ended; None while it runs."""
        return None if self.process is None else self.process.poll()

    def start(self) -> None:
        """Start the process.

        Raises:
            LauncherError: there is no such program.
        """
        try:
            self.process = spawn(self.plan.command, environment=self.plan.environment, folder=self.plan.folder)
        except OSError as problem:
            raise LauncherError(f"{self.plan.name} could not be started: {self.plan.command[0]}: {problem.strerror}.") from None
        self._began = time.monotonic()
        self.started_at = time.time()
        self._start_again_at = None
        assert self.process.stdout is not None
        self._reader = read_lines(self.process.stdout, self._take)

    def look_after(self) -> None:
        """Start the process again, after its delay, when it has ended; to be called again and again."""
        now = time.monotonic()
        if self._start_again_at is not None:
            if now >= self._start_again_at:
                self._start_again()
            return
        code = self.exit_code
        if code is None:
            return
        self._sweep()
        delay = self._backoff.after(now - self._began)
        self._start_again_at = now + delay
        self._console.say(f"{self.plan.name} ended unexpectedly ({how_it_ended(code)}). Starting it again in {delay:g} s.")

    def ask_to_stop(self) -> None:
        """Ask for an orderly end, without waiting for it."""
        self._start_again_at = None
        if self.process is not None and self.process.poll() is None:
            ask_to_stop(self.process)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            kill_group(self.process)

    def finish(self) -> bool:
        """After the process has ended: close what belongs to it; returns whether it ended well."""
        if self.process is None:
            self._log.close()
            return True
        code = self.process.wait()
        self._sweep()
        self._log.close()
        return code in (0, _TERMINATED)

    def _start_again(self) -> None:
        self.restarts += 1
        try:
            self.start()
        except LauncherError as problem:
            self._start_again_at = time.monotonic() + self._backoff.after(0)
            self._console.say(str(problem))
            return
        self._console.say(f"{self.plan.name} was started again (restart {self.restarts}).")

    def _sweep(self) -> None:
        assert self.process is not None
        kill_group(self.process)  # what it may have left behind
        close_lifeline(self.process)
        if self._reader is not None:
            self._reader.join(2)

    def _take(self, line: str) -> None:
        shown = self._console.printable(line)
        self._log.emit(logging.makeLogRecord({"msg": shown}))
        self._console.relay(self.plan.name, shown)


def open_log(path: Path) -> RotatingFileHandler:
    """A log file that never grows beyond its share of the disk; a full disk costs lines, not services."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.raiseExceptions = False
    return RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8", errors="replace")
