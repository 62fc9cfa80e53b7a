"""`.venv`: made once, filled from the requirement files, and left alone as long as its stamp holds."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher.console import Console
from launcher.errors import LauncherError
from launcher.locks import FileLock
from launcher.processes import run_step
from launcher.stop_request import StopRequest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".venv-tools"  # what set-up needs for itself
SETUP = "Set-up"
_SHOWN_OF_PIP = ("Collecting ", "Processing ", "Building ", "Installing ", "ERROR", "error")
_SHOWN_LENGTH = 110


def digest(*parts: str | bytes) -> str:
    """One name for all of the parts."""
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        whole.update(len(raw).to_bytes(8, "big") + raw)
    return whole.hexdigest()


def python_of(venv: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


class Environment:
    """A virtual environment that knows what is installed in it.

    A stamp in the folder says which requirement files it was filled from. While anything is being changed another file says so:
    a set-up that was interrupted is started over from nothing, since half-installed packages look installed.
    """

    def __init__(self, folder: Path, console: Console, stop: StopRequest, tools: Path = TOOLS) -> None:
        self.folder = folder
        self._tools = tools
        self.python = python_of(folder)
        self._unfinished = folder / "tickstock-unfinished"
        self._console = console
        self._stop = stop
        self._uv = shutil.which("uv")

    def install(self, requirements: Sequence[Path]) -> None:
        """Make sure that everything in the requirement files is installed, the last of which may include the others.

        Raises:
            LauncherError: it could not be installed; pip's own words stand above.
            Stopped: a stop was asked for.
        """
        last = requirements[-1]
        self._bring_to(self._stamps(requirements), ["-r", str(last)], last.name)

    def install_package(self, requirement: str) -> None:
        """Make sure that one package is installed. Raises as `install` does."""
        stamp = self.folder / "tickstock-package.stamp"
        self._bring_to({stamp: digest(requirement, *_this_python())}, [requirement], requirement)

    def _bring_to(self, wanted: Mapping[Path, str], what: Sequence[str], name: str) -> None:
        if self._has(wanted):
            return
        lock = FileLock(self._tools / f"{self.folder.name}.lock")
        lock.wait(self._stop, lambda: self._say(f"waiting for another set-up of {self.folder.name}"))
        try:
            if self._has(wanted):  # another set-up did it meanwhile
                return
            began = time.monotonic()
            self._say(f"installing {name} into {self.folder.name}; the next start skips this")
            self._make()
            self._unfinished.touch()
            self._fill(what, name)
            for stamp, content in wanted.items():
                stamp.write_text(content)
            self._unfinished.unlink()
            self._say(f"installed in {time.monotonic() - began:.0f} s")
        finally:
            lock.release()

    def _has(self, wanted: Mapping[Path, str]) -> bool:
        return self._is_finished() and all(_text_of(stamp) == content for stamp, content in wanted.items())

    def _stamps(self, requirements: Sequence[Path]) -> dict[Path, str]:
        stamps: dict[Path, str] = {}
        contents: list[bytes] = []
        for path in requirements:
            contents.append(path.read_bytes())
            stamps[self.folder / f"tickstock-{path.stem}.stamp"] = digest(*contents, *_this_python())
        return stamps

    def _make(self) -> None:
        if self._fits():
            return
        if not self._uv and importlib.util.find_spec("ensurepip") is None:
            raise LauncherError(_without_ensurepip())
        try:
            if self.folder.exists():
                self._say(f"{self.folder.name} is unfinished or belongs to another Python: making it anew")
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True)
            self._unfinished.touch()
        except OSError as problem:
            raise LauncherError(f"{self.folder} could not be made: {problem.strerror}. Delete it and start again.") from None
        base = getattr(sys, "_base_executable", sys.executable)
        options = ["--without-pip"] if self._uv else []
        if self._run([base, "-m", "venv", *options, str(self.folder)]) != 0:
            raise LauncherError(f"{self.folder} could not be made; the reason stands above.")

    def _is_finished(self) -> bool:
        return self.python.exists() and not self._unfinished.exists()

    def _fits(self) -> bool:
        if not self._is_finished():
            return False
        probe = "import sys; print(*sys.version_info[:2])" + ("" if self._uv else "; import pip")
        words: list[str] = []
        code = run_step([str(self.python), "-c", probe], environment=os.environ, folder=ROOT, stop=self._stop, take=words.append)
        return code == 0 and words == ["{} {}".format(*sys.version_info[:2])]

    def _fill(self, what: Sequence[str], name: str) -> None:
        if self._uv:
            if self._run([self._uv, "pip", "install", "--python", str(self.python), *what]) == 0:
                return
            self._say("uv could not install it; trying pip")
            if self._run([str(self.python), "-m", "ensurepip", "--default-pip"]) != 0:
                raise LauncherError(_without_ensurepip())
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
        if self._run([*pip, *what]) != 0:
            raise LauncherError(
                f"{name} could not be installed; pip's words stand above. Check the network (proxy: HTTPS_PROXY) and start again."
            )

    def _run(self, command: Sequence[str]) -> int:
        kept: list[str] = []

        def take(line: str) -> None:
            kept.append(line)
            if self._uv or line.strip().startswith(_SHOWN_OF_PIP):
                text = line.strip().partition(" (from ")[0]
                self._say(text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "…")

        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        code = run_step(command, environment=environment, folder=ROOT, stop=self._stop, take=take)
        if code != 0:
            for line in kept[-30:]:
                self._say(line)
        return code

    def _say(self, line: str) -> None:
        self._console.relay(SETUP, self._console.printable(line))


def _this_python() -> tuple[str, ...]:
    return (platform.python_implementation(), *map(str, sys.version_info[:2]), platform.machine())


def _text_of(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _without_ensurepip() -> str:
    major, minor = sys.version_info[:2]
    return (
        f"This Python cannot make virtual environments with pip in them. On Debian and Ubuntu a package is missing:\n"
        f"    sudo apt-get install -y python{major}.{minor}-venv\n"
        "Then start again. (With uv on PATH it is not needed.)"
    )
