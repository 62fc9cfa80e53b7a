from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from launcher import setup
from launcher.errors import LauncherError, Stopped
from launcher.locks import FileLock
from launcher.setup import Environment
from launcher.stop_request import StopRequest
from tests.launcher.conftest import Terminal

Maker = Callable[[], Environment]


@pytest.fixture
def make(tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """An environment in a folder of the test's own, filled by pip."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return lambda: Environment(tmp_path / ".venv", terminal.console, StopRequest(), tmp_path / "tools")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing but pip, to be copied: making one takes seconds."""
    folder = tmp_path_factory.mktemp("template") / ".venv"
    subprocess.check_call([sys.executable, "-m", "venv", folder])
    return folder


def requirements(folder: Path, text: str = "# nothing\n", name: str = "requirements.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def package(folder: Path) -> Path:
    """The source of a package that needs nothing from the network to be installed."""
    wheel = folder / "tidings-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tidings.py", "NEWS = 'none'\n")
        archive.writestr("tidings-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tidings\nVersion: 1.0\n")
        archive.writestr(
            "tidings-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tidings-1.0.dist-info/RECORD", "")
    return wheel


def test_the_first_set_up_installs_the_second_skips_it_and_a_changed_file_installs_again(
    make: Maker, tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = requirements(tmp_path, f"{package(tmp_path)}\n")
    environment = make()
    environment.install([wanted])
    assert subprocess.check_output([environment.python, "-c", "import tidings; print(tidings.NEWS)"], text=True) == "none\n"
    terminal.wait_for(r"\[Set-up\] installing requirements\.txt into \.venv")
    terminal.wait_for(r"\[Set-up\] installed in \d+ s")

    with monkeypatch.context() as patched:
        patched.setattr(setup, "run_step", lambda *a, **k: pytest.fail("the second set-up ran a command"))
        make().install([wanted])

    requirements(tmp_path, "# changed\n")
    make().install([wanted])
    assert len(re.findall(r"installing requirements\.txt", terminal.text)) == 2


def test_an_interrupted_set_up_is_started_over(make: Maker, tmp_path: Path, terminal: Terminal) -> None:
    wanted = requirements(tmp_path)
    broken = tmp_path / ".venv"
    (broken / "bin").mkdir(parents=True)
    (broken / "half-installed").touch()
    (broken / "tickstock-unfinished").touch()
    make().install([wanted])
    assert not (broken / "half-installed").exists()
    assert not (broken / "tickstock-unfinished").exists()
    terminal.wait_for("is unfinished or belongs to another Python: making it anew")


def test_an_environment_whose_python_has_gone_is_made_anew(make: Maker, tmp_path: Path, template: Path) -> None:
    shutil.copytree(template, tmp_path / ".venv", symlinks=True)
    wanted = requirements(tmp_path)
    environment = make()
    environment.python.unlink()
    environment.python.symlink_to(tmp_path / "python-that-was-removed")
    make().install([wanted])
    assert subprocess.call([environment.python, "-c", ""]) == 0


def test_what_cannot_be_installed_is_said_with_the_words_of_pip_and_tried_again_next_time(
    make: Maker, tmp_path: Path, terminal: Terminal, template: Path
) -> None:
    shutil.copytree(template, tmp_path / ".venv", symlinks=True)
    wanted = requirements(tmp_path, "--no-index\nno-such-package\n")
    with pytest.raises(LauncherError, match=r"requirements\.txt could not be installed"):
        make().install([wanted])
    assert (tmp_path / ".venv" / "tickstock-unfinished").exists()
    terminal.wait_for("No matching distribution found for no-such-package")


def test_a_request_to_stop_ends_set_up_and_the_next_one_repairs_it(make: Maker, tmp_path: Path, terminal: Terminal) -> None:
    stop = StopRequest()
    stop.count = 1
    wanted = requirements(tmp_path)
    with pytest.raises(Stopped):
        Environment(tmp_path / ".venv", terminal.console, stop, tmp_path / "tools").install([wanted])
    make().install([wanted])
    assert not (tmp_path / ".venv" / "tickstock-unfinished").exists()


def test_the_tests_requirements_count_as_the_users_too(
    make: Maker, tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(template, tmp_path / ".venv", symlinks=True)
    users = requirements(tmp_path)
    developers = requirements(tmp_path, "-r requirements.txt\n", "requirements-dev.txt")
    make().install([users, developers])
    monkeypatch.setattr(setup, "run_step", lambda *a, **k: pytest.fail("nothing was to be done"))
    make().install([users])


def test_another_set_up_is_waited_for(make: Maker, tmp_path: Path, template: Path, terminal: Terminal) -> None:
    shutil.copytree(template, tmp_path / ".venv", symlinks=True)
    wanted = requirements(tmp_path)
    other = FileLock(tmp_path / "tools" / ".venv.lock")
    assert other.take()
    thread = threading.Thread(target=lambda: make().install([wanted]))
    thread.start()
    terminal.wait_for(r"waiting for another set-up of \.venv")
    assert not (tmp_path / ".venv" / "tickstock-requirements.stamp").exists()
    other.release()
    thread.join(60)
    assert (tmp_path / ".venv" / "tickstock-requirements.stamp").exists()


def test_on_debian_without_ensurepip_the_package_is_named(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LauncherError, match=r"sudo apt-get install -y python3\.\d+-venv"):
        make().install([requirements(tmp_path)])


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for uv")
def test_uv_is_used_when_it_is_on_the_path_and_pip_when_it_fails(
    tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    uv = programs / "uv"
    uv.write_text(f'#!/bin/sh\necho uv was called with "$@" | tee {tmp_path / "calls"}\nexit 1\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    wanted = requirements(tmp_path, f"{package(tmp_path)}\n")
    environment = Environment(tmp_path / ".venv", terminal.console, StopRequest(), tmp_path / "tools")
    environment.install([wanted])
    assert "pip install --python" in (tmp_path / "calls").read_text()
    terminal.wait_for("uv could not install it; trying pip")
    assert subprocess.call([environment.python, "-c", "import tidings"]) == 0
