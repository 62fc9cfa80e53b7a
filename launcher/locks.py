"""Locks between launchers that the system releases whatever happens to their holder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from launcher.errors import LauncherError
from launcher.stop_request import StopRequest

_FAR = 1 << 20  # Windows lets nobody read what is locked, so a byte far behind the text is


class FileLock:
    """An exclusive lock on a file, in which the holder may write who it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def take(self, note: str = "") -> bool:
        """Try to take the lock; returns whether it is ours.

        Raises:
            OSError: the file cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+b")
        if not _try_to_lock(file):
            file.close()
            return False
        file.truncate(0)
        file.write(note.encode())
        file.flush()
        self._file = file
        return True

    def wait(self, stop: StopRequest, say_so: Callable[[], None]) -> None:
        """Take the lock as soon as it is free, having said so when it is not. Raises OSError and Stopped."""
        if not self.take():
            say_so()
            while not self.take():
                stop.pause(0.2)

    def note(self) -> str:
        """What the holder wrote."""
        return self._path.read_text(encoding="utf-8", errors="replace").strip()

    def release(self) -> None:
        """Give the lock back, if it is ours."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def _try_to_lock(file: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(_FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def lock_data_dir(data_dir: Path, url: str) -> FileLock:
    """Take a data directory for the launcher whose page is at `url`.

    Raises:
        LauncherError: another launcher has it, or it cannot be written to.
    """
    lock = FileLock(data_dir / "launcher.lock")
    try:
        taken = lock.take(f"process {os.getpid()}, {url}")
    except OSError as problem:
        raise LauncherError(
            f"{data_dir} cannot be written to ({problem.strerror}). Choose another folder with --data-dir."
        ) from None
    if not taken:
        raise LauncherError(
            f"TickStock already runs on the data directory {data_dir} ({lock.note()}). "
            "Stop it first, or give this one its own with --data-dir and --port."
        )
    return lock
