"""Why the launcher gives up: `LauncherError` says what to do about it, `Stopped` that it was asked to."""

from __future__ import annotations


class LauncherError(Exception):
    """Something that the person at the terminal can mend; the text says how."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Stopped(Exception):
    """Ctrl+C or SIGTERM came: not an error, but the end of what was being done."""
