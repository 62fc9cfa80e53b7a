"""A page of TickStock in a real Chromium, with all that it complained about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.web.conftest import World

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MARKUP = "<img src=x onerror=alert(1)>"
# Kept filters; what is not said is as by default. Signals of the tests are of symbols that nobody watches.
SHOWN: dict[str, dict[str, Any]] = {
    "all": {"scope": "all", "rank": "0", "confirmed": False, "price": 0, "dollars": 0},
    "best": {"scope": "all", "dollars": 0},
}
HIDDEN = """() => {
    Object.defineProperty(document, "hidden", {value: %s, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


class OpenPage:
    """A page with all that it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requested: set[str] = set()
        page.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.on("request", lambda request: self.requested.add(request.url.split("/")[2]))

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector))

    def wait_for_text(self, selector: str, pattern: str, seconds: float = 20) -> str:
        self.page.wait_for_function(
            "([selector, pattern]) => new RegExp(pattern).test(document.querySelector(selector)?.innerText ?? '')",
            arg=[selector, pattern], timeout=seconds * 1000,
        )  # fmt: skip
        return self.text(selector)

    def counter(self, name: str) -> int:
        return int(re.sub(r"\D", "", self.text(f"#count-{name}")) or -1)


@contextmanager
def visiting(chromium: Browser, kind: type[OpenPage] = OpenPage, **options: Any) -> Iterator[Any]:
    """A page in a browser context of its own, in which nothing is opened yet."""
    context = chromium.new_context(**{"viewport": {"width": 1400, "height": 860}, **options})
    try:
        yield kind(context.new_page())
    finally:
        context.close()


@contextmanager
def opened(chromium: Browser, world: World, shows: str = "all", **options: Any) -> Iterator[OpenPage]:
    """A page whose visitor has chosen to see all signals, those by default of all symbols, or ("") has not been here before."""
    with visiting(chromium, **options) as page:
        if shows:
            kept = f"'tickstock.filters', '{json.dumps(SHOWN[shows])}'"
            page.page.context.add_init_script(f"localStorage.getItem('tickstock.filters') ?? localStorage.setItem({kept})")
        page.page.goto(f"{world.app.url}/dashboard")
        page.wait_for_text("#feed-state", "Active")
        yield page
