"""Every page and state against axe-core (WCAG 2.2 AA), in both themes and palettes; narrow, still and with forced colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.web.axe import violations
from tests.web.conftest import World
from tests.web.open_page import OpenPage, visiting
from tests.web.services import a_pattern, an_alert, an_indicator, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = {"/dashboard": "#signal-rows .chip", "/patterns": "main", "/status": "#version-rows tr", "/about": "main"}
LOOKS: list[tuple[Literal["light", "dark"], str]] = [
    ("light", "safe"),
    ("dark", "safe"),
    ("light", "classic"),
    ("dark", "classic"),
]
TOO_SMALL = """() => [...document.querySelectorAll("button, select, input, summary, [role=tab], nav a")]
    .filter((each) => each.checkVisibility() && !each.closest("label"))
    .filter((each) => { const {width, height} = each.getBoundingClientRect(); return width && (width < 23.5 || height < 23.5); })
    .map((each) => each.outerHTML)"""


@contextmanager
def shown(chromium: Browser, world: World, path: str = "/dashboard", width: int = 1400, **options: Any) -> Iterator[OpenPage]:
    """A page with signals on it."""
    with visiting(chromium, viewport={"width": width, "height": 900 if width > 767 else 800}, **options) as page:
        page.page.goto(world.app.url + path)
        page.page.wait_for_selector(PAGES[path], state="attached")
        yield page


@pytest.fixture(scope="module", autouse=True)
def signals(world: World) -> None:
    """A market with something to show."""
    world.streaming.health()
    world.streaming.minute(
        patterns=[
            a_pattern("AAPL", quality=1.0), a_pattern("NVDA", "HeadShoulders", direction="bearish", quality=1.0),
            a_pattern("TSLA", "Doji", direction="neutral", quality=1.0), a_pattern("MSFT", origin="history", quality=1.0),
        ],
        alerts=[an_alert("AAPL")],
        indicators=[an_indicator("AAPL"), an_indicator("NVDA")],
    )  # fmt: skip
    wait_until(lambda: world.app.get("/api/status")[1]["counters"]["patterns"] >= 4, "the app has them")


def wrong(page: OpenPage) -> list[Any]:
    """What axe finds in the light look, and what of its colours in the three others."""
    found = violations(page.page)
    for theme, palette in LOOKS[1:]:
        page.page.emulate_media(color_scheme=theme)
        page.page.evaluate("(palette) => { document.documentElement.dataset.palette = palette; }", palette)
        found += violations(page.page, "color-contrast")
    page.page.emulate_media(color_scheme="light")
    page.page.evaluate("() => { delete document.documentElement.dataset.palette; }")
    return found


@pytest.mark.parametrize("path", PAGES)
def test_every_page_in_every_look(chromium: Browser, world: World, path: str) -> None:
    world.streaming.health()
    with shown(chromium, world, path) as page:
        assert wrong(page) == []


def test_every_dialog_of_the_page(chromium: Browser, world: World) -> None:
    with shown(chromium, world) as page:
        for dialog in ("settings", "help", "notify"):
            page.page.click(f"#{dialog}-open")
            page.page.wait_for_selector(f"#{dialog}[open]")
            assert wrong(page) == []
            page.page.keyboard.press("Escape")


def test_a_move_that_fades_while_the_theme_changes(chromium: Browser, world: World) -> None:
    with shown(chromium, world) as page:
        page.page.wait_for_selector("td.last[data-direction=down]")
        faded = page.page.evaluate(
            """() => {
                const cells = [...document.querySelectorAll("td.last[data-direction] > span:last-child")];
                for (const each of cells) { each.parentElement.dataset.moved = "now"; getComputedStyle(each).backgroundColor; }
                for (const each of cells) { delete each.parentElement.dataset.moved; getComputedStyle(each).backgroundColor; }
                const fading = document.getAnimations().filter(({ effect }) => cells.includes(effect.target));
                for (const each of fading) { each.pause(); each.currentTime = 0; }
                return fading.length;
            }"""
        )
        assert faded > 0
        page.page.emulate_media(color_scheme="dark")
        assert violations(page.page, "color-contrast") == []


def test_the_states_of_alarm(chromium: Browser, world: World) -> None:
    world.streaming.health("stopped", ["the database is away"])
    with shown(chromium, world) as page:
        page.wait_for_text("#page-state", "DEGRADED")
        page.page.click("#pause")
        assert wrong(page) == []
    world.streaming.health()


def test_every_tab_of_a_phone(chromium: Browser, world: World) -> None:
    with shown(chromium, world, width=390, reduced_motion="reduce") as page:
        for tab in ("signals", "watch", "chart", "health"):
            page.page.click(f"#tab-{tab}")
            assert violations(page.page) == []
            page.page.emulate_media(color_scheme="dark")
            assert violations(page.page, "color-contrast") == []
            page.page.emulate_media(color_scheme="light")
            assert page.page.evaluate(TOO_SMALL) == []
            assert page.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("path", PAGES)
def test_pages_flow_at_320_pixels_without_motion(chromium: Browser, world: World, path: str) -> None:
    with shown(chromium, world, path, width=320, reduced_motion="reduce") as page:
        tabs = ["signals", "watch", "chart", "health"] if path == "/dashboard" else [""]
        for tab in tabs:
            if tab:
                page.page.click(f"#tab-{tab}")
            assert page.page.evaluate("document.documentElement.scrollWidth") <= 320, tab
            assert page.page.evaluate("document.getAnimations().length") == 0
            assert page.page.evaluate(TOO_SMALL) == []
        if path in ("/about", "/status"):
            cut = "[...document.querySelectorAll('.panel')].filter((each) => each.scrollHeight > each.clientHeight + 1).length"
            assert page.page.evaluate(cut) == 0
        for dialog in ("settings", "help"):
            page.page.click(f"#{dialog}-open")
            assert page.page.evaluate("(id) => document.getElementById(id).scrollWidth", dialog) <= 320
            page.page.keyboard.press("Escape")


def test_a_phone_shows_one_panel_at_a_time_and_remembers_which(chromium: Browser, world: World) -> None:
    visible = """() => [...document.querySelectorAll("main > .panel")]
        .filter((each) => each.checkVisibility()).map((each) => each.classList[1])"""
    with shown(chromium, world, width=390) as page:
        assert page.page.evaluate(visible) == ["signals"]
        page.page.focus("#tab-signals")
        page.page.keyboard.press("ArrowRight")
        assert page.page.evaluate(visible) == ["watch"]
        assert page.page.evaluate("document.activeElement.id") == "tab-watch"
        page.page.keyboard.press("End")
        assert page.page.evaluate(visible) == ["health-tab"]
        page.wait_for_text("#health-verdict", "^(LIVE|DEGRADED): ")
        page.wait_for_text("#health-lines", r"Symbols\s+70 symbols, \d+ fresh")
        world.streaming.minute(patterns=[a_pattern("AAPL", "Engulfing", quality=1.0)])
        page.wait_for_text("#tab-news", "1 new")
        page.page.reload()
        page.page.wait_for_selector("#health-verdict")
        assert page.page.evaluate(visible) == ["health-tab"]
        assert page.page.get_attribute("#tab-health", "aria-selected") == "true"
        page.page.click("#tab-signals")
        page.page.wait_for_selector("#tab-news", state="hidden")
        page.page.set_viewport_size({"width": 1200, "height": 800})
        page.page.wait_for_selector("#tabs", state="hidden")
        assert page.page.evaluate(visible) == ["watch", "chart", "signals"]


def test_one_polite_region_speaks_a_digest_and_no_cell_is_live(chromium: Browser, world: World) -> None:
    with shown(chromium, world) as page:
        live = page.page.evaluate(
            """() => [...document.querySelectorAll("table [aria-live], table [role=status], ol [aria-live]")].length"""
        )
        assert live == 0
        page.page.wait_for_timeout(500)
        world.streaming.minute(
            patterns=[
                a_pattern("AMD", "Engulfing", quality=1.0),
                a_pattern("META", "HeadShoulders", direction="bearish", quality=1.0),
            ]
        )
        page.page.wait_for_function(
            "() => /^2 new signals: 1 bullish, 1 bearish. Best: /.test(document.querySelector('#digest').textContent)"
        )


def test_forced_colours_keep_every_state_in_words(chromium: Browser, world: World) -> None:
    with shown(chromium, world, forced_colors="active") as page:
        page.wait_for_text("#page-state", "LIVE|DEGRADED")
        page.page.wait_for_function("() => /[▲▼]/.test(document.querySelector('#watch-rows').innerText)")
        page.wait_for_text("#signal-rows", "[▲▼◆]")
