"""The terminal: one writer for all services, so that lines never mix and a paused terminal holds nobody up."""

from __future__ import annotations

import io
import os
import queue
import sys
import threading
from collections.abc import Iterable
from typing import TextIO

_WAITING_LINES = 20_000
_COLOURS = (36, 35, 33, 34, 32)  # cyan, magenta, yellow, blue, green
_CONTROL_CHARACTERS = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) != "\t"}


class Console:
    """Prints lines with the name of who said them, in colour on a terminal.

    A thread of its own writes. When nobody reads (Ctrl+S, a stopped pager), lines that no longer fit are dropped here; the log
    files have them all.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="backslashreplace")
        self._in_colour = self._stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._secrets: tuple[str, ...] = ()
        self._colours: dict[str, int] = {}
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING_LINES)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, name="console", daemon=True)
        self._writer.start()

    def hide(self, secrets: Iterable[str]) -> None:
        """Show `***` wherever one of these stands; short ones are left alone, they would hit ordinary words."""
        self._secrets = tuple(sorted({each for each in secrets if len(each) >= 6}, key=len, reverse=True))

    def printable(self, line: str) -> str:
        """A line without secrets and without characters that would steer the terminal."""
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line.translate(_CONTROL_CHARACTERS)

    def say(self, text: str) -> None:
        """Print the launcher's own words."""
        for line in text.splitlines() or [""]:
            self._put(f"\x1b[1m{self.printable(line)}\x1b[0m" if self._in_colour else self.printable(line))

    def relay(self, name: str, line: str) -> None:
        """Print a line of a service, which must have passed `printable`."""
        prefix = f"[{name}]"
        if self._in_colour:
            colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        self._put(f"{prefix} {line}")

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, for at most `seconds`."""
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return
        self._writer.join(seconds)

    def _put(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                if self._dropped:
                    dropped, self._dropped = self._dropped, 0
                    self._stream.write(f"({dropped} lines are only in the log files: the terminal did not take them)\n")
                self._stream.write(line + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                pass  # the terminal or the reader of the pipe has gone; the services go on
