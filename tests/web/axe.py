"""axe-core on an open page: what it finds against WCAG 2.2 AA and its own best practices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.web.services import REPOSITORY

if TYPE_CHECKING:
    from playwright.sync_api import Page

FILES = [
    REPOSITORY / folder / "node_modules" / "axe-core" / "axe.min.js" for folder in (".venv-tools/npm", ".")
]  # where run_tests.py puts it, and where npm does


def violations(page: Page, *only: str) -> list[Any]:
    """Rule, gravity and elements of each violation, of these rules only; the test is skipped where axe-core is not installed."""
    found = next((file for file in FILES if file.is_file()), None)
    if found is None:
        pytest.skip("axe-core is not installed; python run_tests.py does it")
    page.evaluate(found.read_text(encoding="utf-8"))  # not through the page: its policy would refuse the script
    options = {"resultTypes": ["violations"], **({"runOnly": list(only)} if only else {})}
    answer = page.evaluate("(options) => axe.run(options)", options)
    return [(each["id"], each["impact"], [node["target"] for node in each["nodes"]]) for each in answer["violations"]]
