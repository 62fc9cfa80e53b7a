"""The chart of the Live Streaming page in a real Chromium, over bars in the app's database and the words of TickStockPL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import pytest

from tests.web.axe import violations
from tests.web.conftest import World
from tests.web.open_page import MARKUP, OpenPage, visiting
from tests.web.services import a_pattern, an_alert, an_indicator, row, this_minute, wait_until
from tickstock.contract import BarValues
from tickstock.database.models import indicator_alerts, intraday_patterns
from tickstock.database.writers import Writer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MINUTE = 60_000
BARS = 1300
FIRST = this_minute() - (BARS + 10) * MINUTE
TABLE = """() => [...document.querySelectorAll("#chart-table-body tr")]
  .map((row) => [...row.children].map((cell) => cell.textContent))"""
BACKGROUND = "() => [...document.querySelector('#chart canvas').getContext('2d').getImageData(2, 2, 1, 1).data].join()"


def point(number: int, price: float, **fields: str) -> dict[str, Any]:
    return {"timestamp": FIRST + number * MINUTE, "price": price, **fields}


TOP = {
    "lines": [{"name": "level", "points": [point(1200, 99), point(1280, 99)]}],
    "points": [point(1200, 102, kind="high", name="first"), point(1240, 102, kind="high", name="second")],
    "target": 95.0,
}


def stored_bar(number: int, price: float = 100.0, revision: int = 0, symbol: str = "AAPL") -> tuple[Any, ...]:
    start = FIRST + number * MINUTE
    return (
        symbol,
        "1min",
        start,
        revision,
        price,
        price + 1,
        price - 1,
        price + number % 7 / 10,
        1000 + number,
        7,
        None,
        "simulated",
        None,
        None,
    )


def until(page: OpenPage, holds: Callable[[], bool], what: str) -> None:
    """Poll while the page goes on."""

    def looked() -> bool:
        page.page.wait_for_timeout(60)
        return holds()

    wait_until(looked, what)


@contextmanager
def writing(world: World) -> Iterator[Any]:
    writer = Writer(f"sqlite:///{(world.folder / 'tickstock.db').as_posix()}")
    with writer.transaction() as batch:
        yield batch
    writer.close()


@pytest.fixture(scope="module", autouse=True)
def history(world: World) -> None:
    """Bars of AAPL, a hammer, an alert and a double top in them."""
    bar = FIRST + 1290 * MINUTE
    found = [
        a_pattern("AAPL", "Hammer", bar, detection_timestamp=bar + MINUTE, quality=1.0, origin="history"),
        a_pattern("AAPL", "DoubleTop", FIRST + 1280 * MINUTE, detection_timestamp=FIRST + 1281 * MINUTE, direction="bearish",
                  state="forming", origin="history", details=TOP),
    ]  # fmt: skip
    raised = [an_alert("AAPL", bar, detection_timestamp=bar + MINUTE, origin="history")]
    with writing(world) as batch:
        batch.insert_bars([stored_bar(number, 100 + number % 13 / 10) for number in range(BARS)])
        batch.insert_bars([stored_bar(number, 0.1234, symbol="MSFT") for number in range(3)])
        batch.upsert_patterns([row(intraday_patterns, each) for each in found])
        batch.insert_alerts([row(indicator_alerts, each) for each in raised])


@contextmanager
def charted(chromium: Browser, world: World, address: str = "symbol=AAPL", **options: Any) -> Iterator[OpenPage]:
    with visiting(chromium, **options) as page:
        page.page.goto(f"{world.app.url}/dashboard?{address}")
        page.wait_for_text("#feed-state", "Active")
        yield page


def bars_of(world: World, symbol: str = "AAPL") -> list[list[str]]:
    """What the table has to show of the newest stored bars: open, high, low, close, volume."""
    _, answer = world.app.get(f"/api/bars/{symbol}?limit=40")
    return [[*(f"{bar[name]:,.2f}" for name in ("open", "high", "low", "close")), f"{bar['volume']:,}"] for bar in answer["bars"]]


def table_of(page: OpenPage) -> list[list[str]]:
    rows = [cells for cells in page.page.evaluate(TABLE) if "forming" not in cells[0]]
    return [[*cells[1:5], cells[6]] for cells in rows][:40]


def test_the_chart_shows_its_symbol_with_the_librarys_mark_and_asks_nobody_else(chromium: Browser, world: World) -> None:
    with charted(chromium, world, "symbol=AAPL&timeframe=1min") as page:
        page.wait_for_text("#chart-title", "^AAPL$")
        page.wait_for_text("#chart-bar", r"ET[^]*O\s*\d+\.\d\d[^]*H[^]*L[^]*C[^]*V[^]*%")
        page.wait_for_text("#chart-values", r"RSI 14\s*[\d.]+[^]*SMA 20\s*\d+")
        assert page.page.locator("#chart canvas").count() >= 4
        assert page.page.locator("#chart #tv-attr-logo").is_visible()
        assert page.page.locator("#chart-empty").is_hidden()
        assert page.page.get_attribute("#chart-timeframes [value='1min']", "aria-pressed") == "true"
        measured = page.page.evaluate("performance.getEntriesByType('measure').map(({name, duration}) => [name, duration])")
        print(*(f"{name}: {duration:.0f} ms" for name, duration in measured))
        assert page.requested == {world.app.url.split("/")[2]}
        assert page.complaints == []


def test_the_running_minute_is_told_apart_and_moves(chromium: Browser, world: World) -> None:
    with charted(chromium, world) as page:
        before = page.wait_for_text("#chart-bar", "forming")
        wait_until(lambda: page.text("#chart-bar") != before, "another price of the running minute")


def test_without_a_choice_the_first_of_the_watchlist_is_shown(chromium: Browser, world: World) -> None:
    with charted(chromium, world, "timeframe=5min") as page:
        first = str(page.page.locator("tr[data-symbol]").first.get_attribute("data-symbol"))
        page.wait_for_text("#chart-title", f"^{re.escape(first)}$")
        assert f"symbol={first}" in page.page.url
        page.page.click("#chart-timeframes [value='60min']")
        assert page.page.get_attribute("#chart-timeframes [value='60min']", "aria-pressed") == "true"
        assert "timeframe=60min" in page.page.url


def test_the_table_equals_what_the_server_stores(chromium: Browser, world: World) -> None:
    with charted(chromium, world) as page:
        page.page.click("#chart-table")
        page.wait_for_text("#chart-page", "Bars 1 to 50 of 1,00")
        until(page, lambda: table_of(page) == bars_of(world), "the stored bars")
        assert page.page.get_attribute("#chart-table", "aria-pressed") == "true"
        both = {"Hammer, bullish; RSI overbought, bearish", "RSI overbought, bearish; Hammer, bullish"}
        until(page, lambda: bool(both.intersection(cells[-1] for cells in page.page.evaluate(TABLE))), "the signals of a bar")
        assert [each for each in violations(page.page) if "chart" in json.dumps(each)] == []
        page.page.keyboard.press("Escape")
        assert page.page.locator("#chart-rows").is_hidden()
        assert page.page.locator("#chart").is_visible()
        assert page.complaints == []


def test_scrolling_back_loads_what_was_before_until_there_is_no_more(chromium: Browser, world: World) -> None:
    with charted(chromium, world) as page:
        page.wait_for_text("#chart-bar", r"O\s*\d")
        page.page.focus("#chart")
        with page.page.expect_response(lambda response: "/api/bars/AAPL" in response.url and "next=" in response.url):
            page.page.keyboard.press("Home")
        page.wait_for_text("#chart-bar", "ET")
        page.page.click("#chart-table")
        page.wait_for_text("#chart-page", r"of 1,3\d\d$")  # no more are to be loaded
        assert page.complaints == []


def test_bars_late_repeated_and_corrected_stay_right(chromium: Browser, world: World) -> None:
    def say(number: int, price: float) -> None:
        bar = BarValues(price, price + 1, price - 1, price, 5)
        message = msgspec.structs.replace(an_indicator("AAPL", FIRST + number * MINUTE), bar=bar)
        world.streaming.minute(indicators=[message])

    with charted(chromium, world) as page:
        page.page.click("#chart-table")
        page.wait_for_text("#chart-page", "Bars 1 to 50")
        with writing(world) as batch:
            batch.insert_bars([stored_bar(BARS, 111.0), stored_bar(BARS + 1, 112.0), stored_bar(BARS - 5, 113.0, revision=1)])
        for number, price in ((BARS + 1, 112.0), (BARS, 111.0), (BARS, 111.0), (BARS - 5, 99.0), (BARS + 1, 190.0)):
            say(number, price)
        until(page, lambda: table_of(page) == bars_of(world), "the chart to be what is stored")
        page.page.click("#chart-table")
        page.wait_for_text("#chart-bar", r"O\s*\d")
        assert page.complaints == []


def test_signals_of_a_bar_are_told_and_open_the_card_by_the_keyboard(chromium: Browser, world: World) -> None:
    with charted(chromium, world, f"symbol=AAPL&timeframe=1min&at={FIRST + 1290 * MINUTE}") as page:
        page.wait_for_text("#chart-bar", r"O\s*\d")
        page.page.evaluate(
            "document.addEventListener('tickstock:card', ({detail}) => window.asked = detail.signals.map((each) => each.id))"
        )
        page.page.focus("#chart")

        def told() -> bool:  # signals come after their bars
            page.page.keyboard.press("ArrowRight")
            page.page.keyboard.press("ArrowLeft")
            tip = page.text("#chart-tip")
            return "Hammer, bullish" in tip and "RSI overbought, bearish" in tip

        until(page, told, "both signals at their bar")
        page.page.keyboard.press("Enter")
        assert len(page.page.evaluate("window.asked")) == 2
        assert page.complaints == []


def test_a_live_signal_is_marked_as_it_comes(chromium: Browser, world: World) -> None:
    bar = FIRST + 1285 * MINUTE
    with charted(chromium, world, f"symbol=AAPL&timeframe=1min&at={bar}") as page:
        page.wait_for_text("#chart-bar", r"O\s*\d")
        world.streaming.minute(patterns=[a_pattern("AAPL", MARKUP, bar)])
        page.page.focus("#chart")

        def told() -> bool:
            page.page.keyboard.press("ArrowRight")
            page.page.keyboard.press("ArrowLeft")
            return "<img" in page.page.locator("#chart-tip").inner_text()

        until(page, told, "the signal at its bar")
        assert page.page.locator("#chart-tip img").count() == 0


def test_a_link_leads_to_a_moment_long_ago(chromium: Browser, world: World) -> None:
    moment = FIRST + 20 * MINUTE  # two pages back
    with charted(chromium, world, f"symbol=AAPL&timeframe=1min&at={moment + 30_000}") as page:
        _, answer = world.app.get(f"/api/bars/AAPL?from={moment}&to={moment + MINUTE}")
        page.wait_for_text("#chart-bar", rf"O\s*{answer['bars'][0]['open']:.2f}[^]*V\s*1,020")
        page.page.click("#chart-timeframes [value='5min']")
        assert "at=" not in page.page.url
        assert page.complaints == []


def test_the_lines_of_a_chart_pattern_are_drawn_when_asked_for(chromium: Browser, world: World) -> None:
    with charted(chromium, world, "symbol=MSFT&timeframe=5min") as page:
        page.wait_for_text("#chart-title", "MSFT")
        _, answer = world.app.get("/api/patterns?symbol=AAPL&pattern=DoubleTop")

        def show(signal: Any) -> None:
            page.page.evaluate(
                "(signal) => document.dispatchEvent(new CustomEvent('tickstock:show-pattern', {detail: {signal}}))", signal
            )

        show(answer["patterns"][0])
        page.wait_for_text("#chart-title", "AAPL")
        page.wait_for_text("#chart-bar", r"O\s*\d+")
        assert page.page.get_attribute("#chart-timeframes [value='1min']", "aria-pressed") == "true"
        page.wait_for_text("#chart-note", "Lines of: Double top")
        _, answer = world.app.get("/api/patterns?symbol=AAPL&pattern=Hammer")
        show(answer["patterns"][0])  # which has none
        page.wait_for_text("#chart-note", "^$")
        assert page.complaints == []


def test_a_penny_stock_has_four_decimals(chromium: Browser, world: World) -> None:
    with charted(chromium, world, "symbol=MSFT&timeframe=1min") as page:
        page.page.click("#chart-table")
        wait_until(
            lambda: any("0.1234" in cells for cells in page.page.evaluate(TABLE)),
            "four decimals",
        )


def test_markup_as_a_symbol_is_text_and_says_that_there_is_nothing(chromium: Browser, world: World) -> None:
    with charted(chromium, world, f"symbol={quote(MARKUP)}") as page:
        page.wait_for_text("#chart-title", re.escape(MARKUP))
        page.wait_for_text("#chart-said", "could not be loaded|No 1m bars")
        assert page.page.locator("#chart-panel img").count() == 0


def test_an_error_says_so_and_is_tried_again(chromium: Browser, world: World) -> None:
    with charted(chromium, world, "symbol=MSFT") as page:
        page.wait_for_text("#chart-title", "MSFT")
        page.page.route("**/api/bars/**", lambda route: route.abort())
        page.page.click("#chart-timeframes [value='5min']")
        page.page.click("#chart-timeframes [value='1min']")
        page.wait_for_text("#chart-said", "could not be loaded: The server does not answer")
        page.page.unroute("**/api/bars/**")
        page.page.click("#chart-retry")
        page.wait_for_text("#chart-bar", r"O\s*\d")
        page.page.click("#chart-timeframes [value='1day']")
        page.wait_for_text("#chart-said", "No 1d bars of MSFT yet|forming|^$")


def test_the_chart_comes_when_its_library_can_be_loaded_after_all(chromium: Browser, world: World) -> None:
    with visiting(chromium) as page:
        page.page.route("**/lightweight-charts.mjs", lambda route: route.abort())
        with page.page.expect_event("requestfailed"):
            page.page.goto(f"{world.app.url}/dashboard?symbol=AAPL")
        page.wait_for_text("#feed-state", "Active")
        page.page.unroute("**/lightweight-charts.mjs")
        page.wait_for_text("#chart-bar", r"O\s*\d")
        assert page.page.locator("#chart canvas").count() >= 4


def test_indicators_are_chosen_by_the_keyboard_and_remembered(chromium: Browser, world: World) -> None:
    with charted(chromium, world) as page:
        page.wait_for_text("#chart-values", "SMA 50")
        page.page.focus("#chart-indicators")
        page.page.keyboard.press("Enter")
        page.page.wait_for_selector("#chart-menu:popover-open input[value=MACD_12_26_9]")
        page.page.focus("#chart-menu input[value=MACD_12_26_9]")
        page.page.keyboard.press("Space")
        page.page.focus("#chart-menu input[value=SMA_50]")
        page.page.keyboard.press("Space")
        assert [each for each in violations(page.page) if "chart" in json.dumps(each)] == []
        page.page.keyboard.press("Escape")
        page.wait_for_text("#chart-values", "MACD SIGNAL 12 26 9")
        assert "SMA 50" not in page.text("#chart-values")
        page.page.reload()
        page.wait_for_text("#chart-values", "MACD HIST 12 26 9")
        assert "SMA 50" not in page.text("#chart-values")
        assert page.complaints == []


def test_colours_follow_the_theme_while_the_chart_is_open(chromium: Browser, world: World) -> None:
    with charted(chromium, world) as page:
        page.wait_for_text("#chart-bar", r"O\s*\d")
        light = page.page.evaluate(BACKGROUND)
        page.page.emulate_media(color_scheme="dark")
        until(page, lambda: page.page.evaluate(BACKGROUND) != light, "a dark chart")


def test_the_chart_fits_a_narrow_screen(chromium: Browser, world: World) -> None:
    with charted(chromium, world, viewport={"width": 320, "height": 640}) as page:
        page.page.wait_for_selector("#chart-panel", state="attached")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_server_that_goes_away_leaves_what_is_there_and_comes_back(chromium: Browser, world: World) -> None:
    with charted(chromium, world) as page:
        page.wait_for_text("#chart-bar", r"O\s*\d")
        world.app.stop()
        shown = page.text("#chart-bar")  # not before: another minute may begin while it stops
        page.wait_for_text("#chart-note", r"server away since \d\d:\d\d:\d\d ET")
        assert page.page.get_attribute("#chart-panel", "data-away") == "away"
        assert re.match(r"\d\d:\d\d", shown)
        assert page.text("#chart-bar")[:5] == shown[:5]
        world.app.start()
        page.page.wait_for_selector("#chart-panel:not([data-away])")
        page.page.click("#chart-table")
        until(page, lambda: table_of(page) == bars_of(world), "the stored bars")
