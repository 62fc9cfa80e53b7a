"""The Live Streaming page in a real Chromium, fed by the simulator, with TickStockPL's results said by the test."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import World
from tests.web.open_page import HIDDEN, MARKUP, OpenPage, opened
from tests.web.services import a_pattern, an_alert, an_indicator, this_minute, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def page(chromium: Browser, world: World) -> Iterator[OpenPage]:
    world.streaming.health()
    with opened(chromium, world) as page:
        yield page


def test_the_page_shows_status_prices_and_ages(page: OpenPage) -> None:
    page.wait_for_text("#health-state", "Healthy")
    page.wait_for_text("#feed-source", r"Simulated \(A, \+\d\.\d s\)")
    page.wait_for_text("#symbols-summary", r"70 symbols, \d+ fresh, \d+ quiet, 0 stale")
    page.wait_for_text("#tick-rate", r"[\d,.]+ ticks/s")
    assert page.text("#source-badge") == "SIMULATED"
    assert page.text("nav a[aria-current=page]") == "Live Streaming"
    assert re.fullmatch(r"\d\d:\d\d:\d\d ET", page.text("#time"))
    page.wait_for_text("tr[data-symbol=AAPL] td.number", r"[▲▼]?\s*\d+\.\d\d")
    page.wait_for_text("tr[data-symbol=AAPL] td.age", r"\d+ s")
    page.page.hover("tr[data-symbol=AAPL] td.change")
    title = page.page.get_attribute("tr[data-symbol=AAPL] td.change", "title")
    assert title is not None
    assert "previous close" in title.lower()
    assert page.complaints == []


def test_prices_move(page: OpenPage) -> None:
    page.wait_for_text("tr[data-symbol=AAPL] td.number", r"\d")
    before = page.text("#watch-rows")
    wait_until(lambda: page.page.wait_for_timeout(100) or page.text("#watch-rows") != before, "a new price")


def test_signals_of_one_bar_are_one_row_with_words_arrows_and_quality(page: OpenPage, world: World) -> None:
    bar = this_minute()
    world.streaming.minute(
        patterns=[a_pattern("TSLA", bar=bar), a_pattern("TSLA", "HeadShoulders", bar, direction="bearish", state="forming")],
        alerts=[an_alert("TSLA", bar)],
        indicators=[an_indicator("TSLA", bar)],
    )
    row = f'.signal[data-key="TSLA 1min {bar}"]'
    text = page.wait_for_text(row, "Hammer[^]*overbought[^]*forming|overbought[^]*Hammer[^]*forming")
    assert "▲" in text
    assert "bullish" in text
    assert re.search(r"rank \d+ %", text)
    assert "quality 82 %" in str(page.page.get_attribute(f"{row} .chip", "title"))
    assert "70.4" in text
    assert page.page.locator(".signal", has_text="TSLA").count() == 1
    assert page.complaints == []


def test_markup_in_a_name_is_shown_as_text(page: OpenPage, world: World) -> None:
    world.streaming.minute(patterns=[a_pattern(MARKUP, MARKUP)])
    page.wait_for_text("#signal-rows", re.escape("<img src=x"))
    assert page.page.locator("#signal-rows img").count() == 0
    assert page.page.title().startswith("Live Streaming")
    assert page.complaints == []


def test_no_other_host_is_asked(page: OpenPage, world: World) -> None:
    page.wait_for_text("#tick-rate", "ticks/s")
    assert page.requested == {f"127.0.0.1:{world.app.port}"}


def test_inline_scripts_do_not_run(page: OpenPage) -> None:
    page.page.evaluate("""() => {
        const script = document.createElement("script");
        try { script.textContent = "window.ran = true"; document.body.append(script); } catch { /* refused even earlier */ }
    }""")
    assert page.page.evaluate("window.ran") is None


def test_a_late_joiner_sees_history_and_two_tabs_and_a_reload_the_same_counters(
    page: OpenPage, chromium: Browser, world: World
) -> None:
    bar = this_minute()
    world.streaming.minute(patterns=[a_pattern("NVDA", "Doji", bar, direction="neutral")], alerts=[an_alert("NVDA", bar)])
    page.wait_for_text(f'.signal[data-key="NVDA 1min {bar}"]', "overbought[^]*Doji")  # both are counted then
    with opened(chromium, world) as late:
        late.wait_for_text("#signal-rows", "NVDA")
        figures = world.app.get("/api/status")[1]["counters"]
        for name in ("patterns", "alerts", "indicators"):
            for tab in (page, late):
                tab.wait_for_text(f"#count-{name}", f"^{figures[name]:,}$")
        late.page.reload()
        late.wait_for_text("#count-patterns", f"^{figures['patterns']:,}$")
        late.wait_for_text("#signal-rows", "NVDA")


def test_more_signals_than_fit_all_arrive_and_the_list_says_so(page: OpenPage, world: World) -> None:
    before = page.counter("patterns")
    past = this_minute() - 3_540_000  # below what the other tests look at, and of a bar of today, which counts
    for batch in range(5):
        fields: dict[str, Any] = {"detection_timestamp": past}
        world.streaming.minute(patterns=[a_pattern(f"M{batch}-{number}", **fields) for number in range(100)])
    page.wait_for_text("#count-patterns", f"^{before + 500:,}$")
    total = int(page.wait_for_text("#signals-note", r"^[\d,]+ signals, [\d,]+ shown").split()[0].replace(",", ""))
    assert total >= before + 500
    assert 0 < page.page.locator(".signal").count() < 100  # those in sight
    assert int(page.page.locator(".signal").first.get_attribute("aria-setsize") or 0) >= 500


def test_at_first_only_the_best_is_listed_and_one_choice_away_is_everything(chromium: Browser, world: World) -> None:
    with opened(chromium, world, shows="best") as page:
        before = int(world.app.get("/api/status")[1]["counters"]["patterns"])
        world.streaming.minute(
            patterns=[
                a_pattern("BEST1", "Doji", direction="neutral", quality=1.0),
                a_pattern("BEST2", "HeadShoulders", direction="bearish", quality=1.0, state="forming"),
                a_pattern("BEST3", "Doji", direction="neutral", quality=0.01),
                a_pattern("BEST4", "ShortLine", direction="neutral", quality=1.0),
                a_pattern("BEST5", "Doji", direction="neutral", quality=0.01, timeframe="60min"),
                a_pattern("BEST6", "HeadShoulders", direction="bearish", quality=1.0),
                a_pattern("BEST7", "Hammer", quality=1.0),
            ]
        )
        page.wait_for_text("#signal-rows", "BEST7")
        best = re.compile(r"BEST\d")
        assert set(best.findall(page.text("#signal-rows"))) == {"BEST1", "BEST5", "BEST6", "BEST7"}
        total, shown = map(int, re.findall(r"\d+", page.text("#signals-note").replace(",", ""))[:2])
        assert total >= shown + 3
        page.wait_for_text("#count-patterns", f"^{before + 7:,}$")
        page.page.select_option("#filter-rank", "0")
        page.wait_for_text("#signal-rows", "BEST4")
        assert "BEST2" not in page.text("#signal-rows")
        page.page.uncheck("#filter-confirmed")
        page.wait_for_text("#signal-rows", "BEST2")
        assert len(set(best.findall(page.text("#signal-rows")))) == 7
        page.page.reload()
        page.wait_for_text("#signal-rows", "BEST4")
        page.page.select_option("#filter-rank", "best")
        page.page.wait_for_function("() => !document.querySelector('#signal-rows').innerText.includes('BEST4')")
        assert page.complaints == []


def test_everything_is_listed_while_the_catalogue_cannot_be_loaded(chromium: Browser, world: World) -> None:
    with opened(chromium, world, shows="best") as page:
        page.page.route("**/api/catalog", lambda route: route.fulfill(status=503, body="{}"))
        page.page.reload()
        world.streaming.minute(patterns=[a_pattern("UNTOLD", "ShortLine", direction="neutral")])
        page.wait_for_text("#signal-rows", "UNTOLD")
        page.wait_for_text("#signals-note", "all ranks: they could not be loaded")
        page.page.unroute("**/api/catalog")
        page.page.wait_for_function("() => !document.querySelector('#signal-rows').innerText.includes('UNTOLD')")
        assert "could not be loaded" not in page.text("#signals-note")


def test_pause_holds_the_list_and_says_how_much_is_new(page: OpenPage, world: World) -> None:
    world.streaming.minute(patterns=[a_pattern("SHOWN")])
    page.wait_for_text("#signal-rows", "SHOWN")
    page.page.keyboard.press("Space")
    page.wait_for_text("#signals-note", r"\d signals, .*shown · paused since .* 0 new")
    world.streaming.minute(patterns=[a_pattern("PAUSED")])
    page.wait_for_text("#signals-note", "1 new")
    assert "PAUSED" not in page.text("#signal-rows")
    held = page.text("#watch-rows")
    page.page.wait_for_timeout(700)
    assert page.text("#watch-rows") == held
    page.page.keyboard.press("Space")
    page.wait_for_text("#signal-rows", "PAUSED")


def test_filters_by_kind_direction_and_symbol(page: OpenPage, world: World) -> None:
    world.streaming.minute(
        patterns=[a_pattern("AMD"), a_pattern("AMD", "Doji", direction="neutral")], alerts=[an_alert("AMD"), an_alert("AMGN")]
    )
    page.wait_for_text("#signal-rows", "AMGN")
    page.page.click(".signal .symbol:text-is('AMD')")
    page.page.select_option("#filter-scope", "selected")
    chips = page.page.locator(".chip")
    wait_until(lambda: page.page.wait_for_timeout(50) or chips.count() == 3, "all three of AMD")
    page.page.select_option("#filter-kind", "pattern")
    wait_until(lambda: page.page.wait_for_timeout(50) or chips.count() == 2, "its patterns")
    page.page.select_option("#filter-direction", "bullish")
    wait_until(lambda: page.page.wait_for_timeout(50) or chips.count() == 1, "its bullish pattern")


def test_a_confirmed_signal_stays_when_it_comes_again_in_another_state(page: OpenPage, world: World) -> None:
    bar = this_minute()
    for state in ("forming", "confirmed", "void", "forming"):
        world.streaming.minute(patterns=[a_pattern("STAYS", "HeadShoulders", bar, state=state)])
    world.streaming.minute(patterns=[a_pattern("AFTER")])
    page.wait_for_text("#signal-rows", "AFTER")
    chip = page.page.locator(".chip[data-id^='STAYS:']")
    assert chip.count() == 1
    assert chip.get_attribute("data-state") == "confirmed"


def test_issues_of_pl_stand_in_words(page: OpenPage, world: World) -> None:
    page.wait_for_text("#health-state", "Healthy")
    top = page.page.evaluate("document.querySelector('.panels').offsetTop")
    world.streaming.health("degraded", ["lag is 3.1 s"])
    page.wait_for_text("#health-state", "Degraded")
    page.wait_for_text("#issues", "lag is 3.1 s")
    assert page.page.evaluate("document.querySelector('.panels').offsetTop") == top
    world.streaming.health("degraded", ["warming up: history is being loaded"], session="waiting")
    page.wait_for_text("#health-state", "Warming up")
    world.streaming.health()
    page.wait_for_text("#health-state", "Healthy")
    page.wait_for_text("#issues", "^$")


def test_a_line_sums_up_a_minute_and_what_is_not_confirmed_stands_below(page: OpenPage, world: World) -> None:
    bar = this_minute() + 3_600_000
    at = bar + 60_040
    world.streaming.minute(
        patterns=[
            a_pattern("SUM1", "HeadShoulders", bar, direction="bearish", state="forming", quality=0.99, detection_timestamp=at),
            a_pattern("SUM2", bar=bar, detection_timestamp=at),
            a_pattern("SUM3", "Doji", bar, direction="neutral", quality=0.0, detection_timestamp=at),
        ],
        alerts=[an_alert("SUM2", bar, detection_timestamp=at)],
    )
    page.wait_for_text(".burst", r"4 signals of 3 symbols\s+▲ 1\s*▼ 2\s*◆ 1")
    symbols = page.page.locator(".signal .symbol").all_inner_texts()
    assert [symbol for symbol in symbols if symbol.startswith("SUM")] == ["SUM2", "SUM3", "SUM1"]


def test_history_is_told_apart_from_what_fires_now(page: OpenPage, world: World) -> None:
    world.streaming.minute(patterns=[a_pattern("PAST", origin="history"), a_pattern("NOW")])
    page.wait_for_text("#signal-rows", "NOW")
    past, now = (page.page.locator(".signal", has_text=symbol) for symbol in ("PAST", "NOW"))
    assert "history" in past.inner_text()
    assert "history" not in now.inner_text()
    backgrounds = [row.locator(".chip").evaluate("(chip) => getComputedStyle(chip).backgroundColor") for row in (past, now)]
    assert backgrounds[0] == "rgba(0, 0, 0, 0)" != backgrounds[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_follows_the_system_until_the_user_chooses(chromium: Browser, world: World, theme: str) -> None:
    with opened(chromium, world, color_scheme=theme) as page:
        background = "getComputedStyle(document.body).backgroundColor"
        colours = {"light": "rgb(243, 245, 248)", "dark": "rgb(13, 16, 21)"}
        assert page.page.evaluate(background) == colours[theme]
        page.page.click("#settings-open")
        page.page.check("input[name=theme][value=dark]")
        page.page.reload()
        assert page.page.evaluate(background) == colours["dark"]
        page.page.click("#settings-open")
        page.page.check("input[name=theme][value=system]")
        assert page.page.evaluate(background) == colours[theme]


def test_a_narrow_page_needs_no_sideways_scrolling(chromium: Browser, world: World) -> None:
    with opened(chromium, world, viewport={"width": 320, "height": 640}) as page:
        above = {"bar": this_minute() + 7_200_000, "detection_timestamp": this_minute() + 7_260_000}  # all that came before
        narrow = a_pattern("NARROW", "HeadShoulders", direction="bearish", **above)
        world.streaming.minute(patterns=[narrow], alerts=[an_alert("NARROW", **above)])
        page.wait_for_text("#signal-rows", "NARROW")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 320
        small = page.page.evaluate("""() => [...document.querySelectorAll("button, select, input, nav a")]
            .filter((each) => each.offsetParent && (each.offsetWidth < 24 || each.offsetHeight < 24))
            .map((each) => each.outerHTML)""")
        assert small == []


def test_a_hidden_tab_loses_no_event_and_asks_for_no_prices(page: OpenPage, chromium: Browser, world: World) -> None:
    def hidden() -> int:
        return int(world.app.get("/health")[1]["stages"]["browsers"]["hidden"])

    page.wait_for_text("tr[data-symbol=AAPL] td.number", r"\d")
    before = page.counter("patterns")
    page.page.evaluate(HIDDEN % "true")
    wait_until(lambda: hidden() == 1, "the server knows")
    above = this_minute() + 10_800_000
    world.streaming.minute(patterns=[a_pattern("BEHIND", detection_timestamp=above)])
    page.wait_for_text("#signal-rows", "BEHIND")  # and all prices that were under way before it
    held = page.text("#watch-rows tr[data-symbol=AAPL] td.last")
    with opened(chromium, world) as other:
        for batch in range(8):
            world.streaming.minute(patterns=[a_pattern(f"H{batch}-{number}") for number in range(100)])
        other.wait_for_text("#count-patterns", f"^{before + 801:,}$")
        page.page.wait_for_timeout(1500)
        assert page.text("#watch-rows tr[data-symbol=AAPL] td.last") == held
        assert page.counter("patterns") == before
        page.page.evaluate(HIDDEN % "false")
        page.wait_for_text("#count-patterns", f"^{before + 801:,}$")
        total = re.compile(r"^[\d,]+ signals")
        wait_until(
            lambda: total.findall(page.text("#signals-note")) == total.findall(other.text("#signals-note")) != [],
            "both tabs have loaded what their snapshot had no room for",
        )
    wait_until(lambda: hidden() == 0, "the server knows")
    assert page.complaints == []


def test_pages_open_over_a_restart_resynchronise_and_hold_more_than_a_snapshot_brings(
    chromium: Browser, own_world: World
) -> None:
    world = own_world
    with opened(chromium, world) as one, opened(chromium, world) as two:
        world.streaming.minute(patterns=[a_pattern(f"A{number}") for number in range(100)])
        for tab in (one, two):
            tab.wait_for_text("#signals-note", "^100 signals")
        world.app.process.kill()
        one.wait_for_text("#banners", "The link to TickStock is lost")
        for batch in range(6):
            world.streaming.minute(patterns=[a_pattern(f"B{batch}-{number}") for number in range(100)], publish=False)
        world.app.start()
        with opened(chromium, world) as late:
            for tab in (one, two, late):
                tab.wait_for_text("#signals-note", "^700 signals", 30)
                tab.wait_for_text("#signals-note", "^700 signals, 700 shown")


def test_feed_stopped_pl_stopped_and_web_restarted_are_said_and_got_over(chromium: Browser, own_world: World) -> None:
    world = own_world
    speaking = threading.Event()

    def speak() -> None:
        while not speaking.wait(2):
            world.streaming.health()

    world.streaming.health()
    voice = threading.Thread(target=speak)
    voice.start()
    try:
        with opened(chromium, world) as page:
            page.wait_for_text("#health-state", "Healthy")
            page.wait_for_text("#symbols-summary", " 0 stale")
            world.streaming.minute(patterns=[a_pattern("KEPT")])
            page.wait_for_text("#signal-rows", "KEPT")
            world.simulator.process.kill()
            page.wait_for_text("#banners", "STALE: the feed", 6)
            page.wait_for_text("#symbols-summary", " 0 fresh", 10)
            world.simulator.start()
            page.wait_for_text("#feed-state", "Active")
            page.wait_for_text("#banners", "^$")
            speaking.set()
            page.wait_for_text("#health-state", "PL down", 20)
            page.wait_for_text("#banners", r"TickStockPL is down since \d\d:\d\d:\d\d ET: ticks go on")
            page.wait_for_text("#tick-rate", "[1-9]")
            page.wait_for_text("#symbols-summary", "[1-9][0-9]* fresh")
            assert world.app.get("/health")[0] == 503
            world.app.process.kill()
            page.wait_for_text("#banners", "The link to TickStock is lost")
            page.wait_for_text("#health-state", "Health unknown")
            assert page.text("#tick-rate") == ""
            world.streaming.minute(patterns=[a_pattern("MISSED")], publish=False)
            world.app.start()
            page.wait_for_text("#feed-state", "Active")
            page.wait_for_text("#signal-rows", "MISSED")
            assert page.page.locator(".signal", has_text="KEPT").count() == 1
            assert page.page.locator(".signal", has_text="MISSED").count() == 1
    finally:
        speaking.set()
        voice.join()
