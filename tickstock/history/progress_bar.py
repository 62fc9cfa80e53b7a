"""A bar on standard error that grows while bars are searched; nothing where standard error is not a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

WIDTH = 30
EVERY_SECONDS = 0.1


class ProgressBar:
    """Used as a context; `advance` is told what was done."""

    def __init__(self, total: int, what: str, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._total = max(total, 1)
        self._what = what
        self._done = 0
        self._began = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        now = time.monotonic()
        if self._shown and (now - self._drawn >= EVERY_SECONDS or self._done >= self._total):
            self._drawn = now
            share = min(self._done / self._total, 1.0)
            filled = int(share * WIDTH)
            speed = self._done / max(now - self._began, 1e-9)
            drawn = f"[{'#' * filled}{'.' * (WIDTH - filled)}]"
            self._stream.write(f"\r{drawn} {share:4.0%} {self._done:,} of {self._total:,} {self._what}, {speed:,.0f}/s\x1b[K")
            self._stream.flush()
