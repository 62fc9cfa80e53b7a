"""Fixtures for the launcher: a terminal that can be read, and patience that ends."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from launcher.console import Console


class Terminal:
    """A console on a text buffer."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.console = Console(self.stream)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def wait_for(self, pattern: str, seconds: float = 20) -> re.Match[str]:
        """The first match of `pattern` in what was printed."""
        found: list[re.Match[str]] = []

        def seen() -> bool:
            found.extend(re.finditer(pattern, self.text))
            return bool(found)

        until(seen, seconds, lambda: f"{pattern!r} was never printed:\n{self.text}")
        return found[0]


def until(condition: Callable[[], bool], seconds: float = 20, explain: Callable[[], str] = lambda: "it never came true") -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more; it may go while it is asked for."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    it = Terminal()
    yield it
    it.console.close()
