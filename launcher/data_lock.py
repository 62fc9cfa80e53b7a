"""One launcher per data directory: a lock that the system releases whatever happens to its holder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from launcher.errors import LauncherError

_FAR = 1 << 20  # Windows refuses others to read what is locked, so a byte behind the text is


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


class DataLock:
    """Holds `<data-dir>/launcher.lock` as long as it lives."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "launcher.lock"
        self._file: BinaryIO | None = None

    def take(self, url: str) -> None:
        """Take the lock and write down who holds it.

        Raises:
            LauncherError: another launcher holds it, or the folder cannot be written to.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a+b")
        except OSError as problem:
            raise LauncherError(
                f"The data directory {self._path.parent} cannot be written to ({problem.strerror}). Choose one with --data-dir."
            ) from None
        if not _try_to_lock(file):
            file.seek(0)
            holder = file.read().decode("utf-8", "replace").strip()
            file.close()
            raise LauncherError(
                f"TickStock already runs on the data directory {self._path.parent}{f' ({holder})' if holder else ''}. "
                "Stop it first, or give this one its own with --data-dir and --port."
            )
        file.truncate(0)
        file.write(f"process {os.getpid()}, {url}\n".encode())
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None
