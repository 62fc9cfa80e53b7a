from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from launcher.browser_files import BrowserFiles
from launcher.stop_request import StopRequest
from tests.launcher.conftest import Terminal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for npm")

NPM = """#!/bin/sh
echo "npm $@" >> {calls}
mkdir -p node_modules/bells/dist && echo 'export const bell = 1' > node_modules/bells/dist/bells.min.js
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that wants one file, and an npm that brings it."""
    package = {"tickstock": {"vendor": {"bells.js": "node_modules/bells/dist/bells.min.js"}}}
    (tmp_path / "package.json").write_text(json.dumps(package))
    (tmp_path / "package-lock.json").write_text("{}")
    programs = tmp_path / "programs"
    programs.mkdir()
    install_npm(programs, NPM.format(calls=tmp_path / "calls"))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return tmp_path


def install_npm(programs: Path, script: str) -> None:
    (programs / "npm").write_text(script)
    (programs / "npm").chmod(0o755)


def install(project: Path, terminal: Terminal) -> bool:
    return BrowserFiles(terminal.console, StopRequest(), project).install()


def calls(project: Path) -> int:
    path = project / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_the_files_that_package_json_names_are_fetched_once(project: Path, terminal: Terminal) -> None:
    assert install(project, terminal)
    assert (project / "static" / "vendor" / "bells.js").read_text() == "export const bell = 1\n"
    assert "npm ci --ignore-scripts --no-audit --no-fund" in (project / "calls").read_text()
    assert not (project / "node_modules").exists()  # everything of npm's stays in the tools' folder
    assert install(project, terminal)
    assert calls(project) == 1


def test_they_are_fetched_again_when_the_lock_file_changes_or_one_is_gone(project: Path, terminal: Terminal) -> None:
    install(project, terminal)
    (project / "package-lock.json").write_text('{"changed": true}')
    assert install(project, terminal)
    assert calls(project) == 2
    (project / "static" / "vendor" / "bells.js").unlink()
    assert install(project, terminal)
    assert calls(project) == 3


def test_without_them_the_start_goes_on_and_says_so(project: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    install_npm(project / "programs", "#!/bin/sh\necho no network\nexit 1\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    assert not install(project, terminal)
    terminal.wait_for("no network")
    terminal.wait_for("third-party files could not be installed")
    install_npm(project / "programs", NPM.format(calls=project / "calls"))
    assert install(project, terminal)


def test_a_file_that_its_package_no_longer_has_is_named(project: Path, terminal: Terminal) -> None:
    install_npm(project / "programs", "#!/bin/sh\nexit 0\n")
    assert not install(project, terminal)
    terminal.wait_for(r"could not be installed: .*bells\.min\.js")


def test_what_only_tests_use_is_fetched_for_them_and_never_copied(project: Path, terminal: Terminal) -> None:
    package = {"tickstock": {"vendor": {"bells.js": "node_modules/bells/dist/bells.min.js"}}, "devDependencies": {"axe": "1"}}
    (project / "package.json").write_text(json.dumps(package))
    assert install(project, terminal)
    assert (project / "calls").read_text().splitlines()[-1].endswith("--omit=dev")
    install_npm(project / "programs", NPM.format(calls=project / "calls") + "mkdir -p node_modules/axe\n")
    for _ in range(2):
        assert BrowserFiles(terminal.console, StopRequest(), project, for_tests=True).install()
    assert calls(project) == 2
    assert "--omit=dev" not in (project / "calls").read_text().splitlines()[-1]
    assert [file.name for file in (project / "static" / "vendor").iterdir() if file.name != ".stamp"] == ["bells.js"]
