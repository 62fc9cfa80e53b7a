"""The installed Chromium that takes the pictures and drives the tests of the page."""

from __future__ import annotations

import os
import shutil

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-extensions",
)  # fmt: skip
HOW_TO_GET_ONE = "no chromium or google-chrome on PATH, and PLAYWRIGHT_CHROMIUM names none"


def chromium_program() -> str | None:
    """The path of an installed Chromium; None when there is none."""
    named = os.environ.get("PLAYWRIGHT_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
