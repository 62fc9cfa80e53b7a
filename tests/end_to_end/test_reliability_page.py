"""What docs/reliability.md names as proof is there: files of tests, commands, and the places in other pages."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reliability.md").read_text()


def named_tests() -> list[str]:
    """Each file of tests; one without a folder is in the folder of the one before it."""
    found, folder = [], ""
    for path in re.findall(r"`([\w/]*test_\w+\.py)`", PAGE):
        folder = path.rpartition("/")[0] or folder
        found.append(f"{folder}/{path.rpartition('/')[2]}")
    return found


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", named_tests())
def test_a_proof_that_is_named_exists(path: str) -> None:
    assert (DOCS.parent / path).is_file()


@pytest.mark.parametrize("module", sorted(set(re.findall(r"`python -m ([\w.]+)", PAGE))))
def test_a_command_that_is_named_exists(module: str) -> None:
    assert find_spec(module) is not None


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", PAGE))))
def test_a_link_leads_somewhere(link: str) -> None:
    name, _, anchor = link.partition("#")
    assert (DOCS / name).is_file()
    assert not anchor or anchor in anchors(DOCS / name)
