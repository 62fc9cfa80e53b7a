"""The keys of the pages in a real Chromium: what they do, when they do nothing, and the way through the page without a mouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.web.conftest import World
from tests.web.open_page import OpenPage, opened
from tests.web.services import a_pattern

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOCUSED = "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"


@pytest.fixture
def page(chromium: Browser, world: World) -> Iterator[OpenPage]:
    world.streaming.health()
    with opened(chromium, world) as page:
        yield page


def press(page: OpenPage, *keys: str) -> None:
    for key in keys:
        page.page.keyboard.press(key)


def focused(page: OpenPage) -> str:
    return str(page.page.evaluate(FOCUSED))


def test_help_lists_every_key_of_the_page_and_closes_again(page: OpenPage, chromium: Browser, world: World) -> None:
    press(page, "?")
    listed = page.wait_for_text("#help", "Keys of this page")
    for words in (
        "Find a symbol",
        "Timeframe of the chart: 1m, 5m, 15m, 1h, 1d",
        "Pause",
        "Mute",
        "Next and previous row",
        "Back",
    ):
        assert words in listed
    press(page, "Escape")
    assert page.page.is_hidden("#help")
    page.page.click("#help-open")
    page.page.keyboard.press("Escape")
    assert focused(page) == "help-open"
    page.page.goto(f"{world.app.url}/about")
    press(page, "?")
    assert "Timeframe" not in page.wait_for_text("#help", "This list of keys")
    assert page.complaints == []


def test_keys_act_from_anywhere(page: OpenPage) -> None:
    press(page, "3")
    page.page.wait_for_function("() => location.search.includes('timeframe=15min')")
    press(page, "1")
    page.page.wait_for_function("() => location.search.includes('timeframe=1min')")
    press(page, "m")
    page.wait_for_text("#notify-state", "muted")
    press(page, "m")
    page.wait_for_text("#notify-state", "off")
    press(page, "Space")
    page.wait_for_text("#paused-badge", "PAUSED")
    press(page, "Space")
    page.page.wait_for_selector("#paused-badge", state="hidden")
    press(page, "/")
    assert focused(page) == "symbol-search"


def test_keys_do_nothing_while_typing_with_a_modifier_or_behind_a_dialog(page: OpenPage) -> None:
    press(page, "/")
    page.page.keyboard.type("m1 ?")
    assert page.page.input_value("#symbol-search") == "m1 ?"
    press(page, "Escape", "Escape")
    page.page.click("#signals-title")
    press(page, "Control+m", "Alt+m", "Meta+m")
    page.page.click("#settings-open")
    press(page, "m", "3")
    press(page, "Escape")
    page.page.focus("#notify-open")
    press(page, "Space")  # presses the button
    assert page.page.is_visible("#notify")
    assert page.text("#notify-state") == "off"
    assert page.page.is_hidden("#paused-badge")
    assert "timeframe=15min" not in page.page.url


def test_keys_can_be_switched_off_in_all_tabs(page: OpenPage, world: World) -> None:
    other = OpenPage(page.page.context.new_page())
    other.page.goto(f"{world.app.url}/dashboard")
    other.wait_for_text("#feed-state", "Active")
    page.page.click("#settings-open")
    page.page.uncheck("#choose-keys")
    press(page, "Escape")
    other.page.wait_for_function("() => document.documentElement.dataset.keys === 'off'")
    for tab in (page, other):
        tab.page.bring_to_front()
        tab.page.click("#signals-title")
        press(tab, "m", "?", "Space", "/")
        assert tab.text("#notify-state") == "off"
        assert tab.page.is_hidden("#help")
        assert tab.page.is_hidden("#paused-badge")
        assert tab.page.is_hidden("#pause kbd")
        assert focused(tab) != "symbol-search"
    page.page.bring_to_front()
    page.page.click("#settings-open")
    page.page.check("#choose-keys")
    press(page, "Escape")
    press(page, "m")
    page.wait_for_text("#notify-state", "muted")


def test_a_list_is_entered_walked_and_a_row_opened_with_the_keyboard_alone(page: OpenPage, world: World) -> None:
    world.streaming.minute(patterns=[a_pattern("NVDA", quality=1.0), a_pattern("TSLA", "Engulfing", quality=1.0)])
    page.wait_for_text("#signal-rows", "NVDA")
    page.wait_for_text("#signal-rows", "TSLA")
    press(page, "j")
    page.page.wait_for_function("() => document.querySelector('#signal-rows').contains(document.activeElement)")
    first = page.page.evaluate("document.activeElement.dataset.key")
    press(page, "j")
    page.page.wait_for_function("(first) => document.activeElement.dataset.key !== first", arg=first)
    press(page, "k")
    page.page.wait_for_function("(first) => document.activeElement.dataset.key === first", arg=first)
    press(page, "Enter")
    symbol = str(first).split(" ")[0]
    page.page.wait_for_function("(symbol) => location.search.includes(`symbol=${symbol}`)", arg=symbol)


def test_every_control_is_reached_and_shows_that_it_has_the_focus(page: OpenPage) -> None:
    page.page.focus(".skip")
    controls = page.page.evaluate("""() => [...document.querySelectorAll("button, a[href], input, select, summary")]
        .filter((each) => each.checkVisibility() && each.tabIndex >= 0 && !each.disabled)
        .map((each) => each.id).filter(Boolean)""")
    reached = [""]
    for _ in range(120):
        press(page, "Tab")
        if page.page.evaluate("document.activeElement === document.body"):
            break
        reached.append(page.page.evaluate("document.activeElement.id"))
        shown = page.page.evaluate("""() => {
            const each = document.activeElement;
            const outlined = [each, each.closest("label")].some((one) => one && getComputedStyle(one).outlineStyle !== "none");
            return outlined || parseFloat(getComputedStyle(each, "::after").borderTopWidth) >= 2;
        }""")
        assert shown, page.page.evaluate("document.activeElement.outerHTML")
    assert set(controls) - set(reached) == set()
