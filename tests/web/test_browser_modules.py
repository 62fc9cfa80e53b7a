"""The page's modules without a page: their types by tsc, their own tests by node, and what they weigh."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.web.node import NO_NODE, PACKAGES, node_program, package
from tests.web.services import REPOSITORY

STATIC = REPOSITORY / "static"
UNIT_TESTS = REPOSITORY / "tests" / "web" / "browser"
# Of one page's scripts, those of others included. The modules are served as they are written, with their comments.
MOST_AT_FIRST = 120 * 1024  # gzip bytes before anything is drawn
MOST_IN_ALL = 180 * 1024  # with what is loaded when it is needed: the chart library
TYPES = {"socket.io.esm.min.d.ts": "socket.io-client", "lightweight-charts.d.mts": "lightweight-charts"}
OPTIONS = {
    "allowJs": True, "checkJs": True, "noEmit": True, "strict": True, "noUnusedLocals": True, "noUnusedParameters": True,
    "target": "ES2022", "module": "ES2022", "moduleResolution": "bundler", "lib": ["ES2024", "DOM", "DOM.Iterable"], "types": [],
    "skipLibCheck": True,
}  # fmt: skip

node = pytest.mark.skipif(node_program() is None, reason=NO_NODE)


@node
def test_the_modules_types_hold(tmp_path: Path) -> None:
    if package("typescript") is None:
        pytest.skip("typescript is not installed; python run_tests.py does it")
    (tmp_path / "js").symlink_to(STATIC / "js", target_is_directory=True)
    (tmp_path / "node_modules").symlink_to(PACKAGES, target_is_directory=True)
    (tmp_path / "vendor").mkdir()
    for name, of in TYPES.items():
        (tmp_path / "vendor" / name).write_text(f'export * from "{of}";\n')
    options = {**OPTIONS, "preserveSymlinks": True}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["js/**/*.js"]}))
    program = PACKAGES / "typescript" / "bin" / "tsc"
    ran = subprocess.run([str(node_program()), str(program), "-p", str(tmp_path)], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == ""
    assert ran.returncode == 0


@node
@pytest.mark.parametrize("file", sorted(UNIT_TESTS.glob("*.test.mjs")), ids=lambda file: file.stem)
def test_what_the_modules_tests_say(file: Path) -> None:
    ran = subprocess.run([str(node_program()), "--no-warnings", "--test", str(file)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    assert re.search(r"pass [1-9]", ran.stdout), "nothing was tested"


@pytest.mark.parametrize("page", sorted(file.stem for file in (STATIC / "js").glob("*.js")))
def test_the_scripts_of_a_page_weigh_little_and_are_all_there(page: str) -> None:
    if not (STATIC / "vendor").is_dir():
        pytest.skip("the browser files are not installed; python run_tests.py does it")
    at_first, in_all = (_loaded_by(STATIC / "js" / f"{page}.js", set(), later) for later in (False, True))
    weights = [sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) for files in (at_first, in_all)]
    print(f"{page}: {weights[0] / 1024:.1f} KB gzip at first, {weights[1] / 1024:.1f} KB in all, {len(in_all)} files")
    assert weights[0] <= MOST_AT_FIRST
    assert weights[1] <= MOST_IN_ALL


def _loaded_by(file: Path, seen: set[Path], later: bool) -> set[Path]:
    """The file and what it imports, `later` also what it imports when that is needed."""
    if file in seen:
        return seen
    seen.add(file)
    text = file.read_text(encoding="utf-8")
    if file.parent.name != "vendor":
        imported = re.findall(r'^(?:import|export)\b(?:[^"]*?\bfrom )?\s*"(\.[^"]+)"', text, re.MULTILINE)
        needed = re.findall(r'\bimport\("(\.[^"]+)"\)', text) if later else []
        for path in (*imported, *needed):
            _loaded_by((file.parent / path).resolve(), seen, later)
    return seen
