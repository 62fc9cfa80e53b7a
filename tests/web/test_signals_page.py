"""The list of signals, its filters, its pages and the card, in a real Chromium on the real app; the test says the results."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.web.axe import violations
from tests.web.conftest import World
from tests.web.open_page import MARKUP, OpenPage, opened
from tests.web.services import a_pattern, an_alert, an_indicator, this_minute, wait_until
from tickstock.contract import IndicatorAlert, StreamingIndicator, StreamingPattern
from tickstock.database.models import indicator_alerts, intraday_indicators, intraday_patterns
from tickstock.database.writers import Writer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MINUTE = 60_000
HOUR = 60 * MINUTE
IN_SIGHT = """() => {
    const list = document.querySelector("#signals-scroll").getBoundingClientRect();
    return [...document.querySelectorAll(".signal")].map((row) => [row.dataset.key, row.getBoundingClientRect().top - list.top])
        .filter(([, top]) => top >= 0 && top < list.height).sort(([, one], [, other]) => one - other);
}"""
FORMING = {
    "neckline": 101.23,
    "points": [{"timestamp": 0, "price": 103.0, "kind": "high", "name": "head"}],
    "lines": [{"name": "neckline", "points": [{"timestamp": 0, "price": 101.0}, {"timestamp": 1, "price": 101.23}]}],
}

TOLD = (
    "long lower shadow", "RSI 14 rises above 70", "not a probability", "have a lower quality", "RSI_14 70.40 against 70",
    "five minutes or more", "2.3 times", "found as its bar closed", "+0.04 s", "257.00", "known outcome",
)  # fmt: skip
OPEN_CARD = "(signal) => document.dispatchEvent(new CustomEvent('tickstock:card', {detail: {signals: [signal]}}))"
CHOICES = """() => Object.fromEntries([...document.querySelectorAll("#filters [name]")].filter((each) => each.name !== "pattern")
    .map((each) => [each.name, each.type === "checkbox" ? each.checked : each.value]))"""


def row_of(table: Any, message: StreamingPattern | IndicatorAlert | StreamingIndicator) -> tuple[Any, ...]:
    return tuple(getattr(message, column.name) for column in table.columns)


def shown(page: OpenPage) -> int:
    found = re.search(r"([\d,]+) (?:of the newest [\d,]+ )?shown", page.text("#signals-note"))
    return int(found[1].replace(",", "")) if found else -1


def burst(world: World, prefix: str, count: int, minute: int) -> None:
    """Signals of as many symbols, one minute's."""
    for start in range(0, count, 100):
        numbers = range(start, min(start + 100, count))
        fields: dict[str, Any] = {"bar": minute, "detection_timestamp": minute + MINUTE + 40}
        world.streaming.minute(patterns=[a_pattern(f"{prefix}{number}", **fields) for number in numbers])


def test_twenty_times_away_and_back_leave_one_handler_and_the_servers_counters(chromium: Browser, world: World) -> None:
    with opened(chromium, world) as page:
        for visit in range(20):
            page.page.goto(f"{world.app.url}/about")
            if visit % 2:
                page.page.go_back()
            else:
                page.page.goto(f"{world.app.url}/dashboard")
        page.wait_for_text("#feed-state", "Active")
        wait_until(lambda: world.app.get("/api/status")[1]["browsers"] == 1, "one browser is connected")
        before = page.counter("patterns")
        world.streaming.minute(patterns=[a_pattern("ONCE")])
        page.wait_for_text("#count-patterns", f"^{before + 1:,}$")
        assert world.app.get("/api/status")[1]["counters"]["patterns"] == before + 1
        assert page.page.locator(".signal", has_text="ONCE").count() == 1
        page.page.keyboard.press("Space")
        page.wait_for_text("#signals-note", "paused")  # by two handlers it would go on at once
        assert page.complaints == []


def test_rows_stay_where_they_are_while_the_pointer_is_among_them(chromium: Browser, world: World) -> None:
    minute = this_minute() + HOUR
    with opened(chromium, world) as page:
        burst(world, "STAY", 40, minute)
        page.wait_for_text(".burst", r"\b40 signals of 40 symbols")
        page.page.hover("#signals-scroll")
        page.page.mouse.wheel(0, 300)
        wait_until(lambda: page.page.evaluate("document.querySelector('#signals-scroll').scrollTop") >= 300, "it scrolled")
        before = page.page.evaluate(IN_SIGHT)[:5]
        burst(world, "NEWS", 12, minute + MINUTE)
        page.wait_for_text("#signals-news", "^12 new")
        assert page.page.evaluate(IN_SIGHT)[:5] == before
        page.page.mouse.move(5, 5)
        page.page.wait_for_timeout(300)  # also once the pointer has left: what is scrolled to is being read
        assert page.page.evaluate(IN_SIGHT)[:5] == before
        page.page.click("#signals-news")
        page.wait_for_text("#signal-rows", "NEWS11")
        assert page.page.evaluate("document.querySelector('#signals-scroll').scrollTop") == 0
        assert page.page.locator("#signals-news").is_hidden()
        page.page.mouse.move(5, 5)
        burst(world, "MORE", 1, minute + 2 * MINUTE)
        page.wait_for_text("#signal-rows", "MORE0")
        assert page.complaints == []


def test_a_long_list_stands_in_few_elements_and_the_keyboard_reaches_all_of_it(chromium: Browser, world: World) -> None:
    minute = this_minute() + 2 * HOUR
    with opened(chromium, world) as page:
        burst(world, "LONG", 300, minute)
        page.wait_for_text(".burst", r"\b300 signals of 300 symbols")
        page.page.focus(".signal[tabindex='0']")
        first, second = (key for key, _ in page.page.evaluate(IN_SIGHT)[:2])
        focused = "document.activeElement.dataset.key"
        assert page.page.evaluate(focused) == first
        for key, expected in (("j", second), ("ArrowUp", first), ("ArrowDown", second), ("k", first)):
            page.page.keyboard.press(key)
            assert page.page.evaluate(focused) == expected
        for _ in range(60):
            page.page.keyboard.press("j")
        assert page.page.evaluate("document.activeElement.ariaPosInSet") == "61"
        page.page.keyboard.press("End")
        size = page.page.evaluate("document.activeElement.ariaSetSize")
        assert page.page.evaluate("document.activeElement.ariaPosInSet") == size
        assert int(size) >= 300
        assert page.page.locator(".signal").count() < 100
        page.page.keyboard.press("Home")
        assert page.page.evaluate("document.activeElement.ariaPosInSet") == "1"
        assert page.complaints == []


def test_the_card_tells_what_was_seen_by_which_rule_and_when(chromium: Browser, world: World) -> None:
    bar = this_minute() + 3 * HOUR
    with opened(chromium, world) as page:
        writer = Writer(f"sqlite:///{(world.folder / 'tickstock.db').as_posix()}")
        rest = (18400, 7, None, "simulated", None, None)
        with writer.transaction() as batch:
            batch.insert_bars(
                [("AAPL", "1min", bar - ago * MINUTE, 0, 256.0, 257.5, 255.5, 257.0 - ago, *rest) for ago in range(12)]
            )
            batch.insert_indicators([row_of(intraday_indicators, an_indicator("AAPL", bar))])
        writer.close()
        details = {"after_gap": True, "volume_ratio": 2.34, "trend_before": "with"}
        at: dict[str, Any] = {"bar": bar, "detection_timestamp": bar + MINUTE + 40}
        world.streaming.minute(patterns=[a_pattern("AAPL", details=details, **at)], alerts=[an_alert("AAPL", **at)])
        page.page.evaluate("document.addEventListener('tickstock:show-pattern', ({detail}) => (window.asked = detail.signal.id))")
        row = f'.signal[data-key="AAPL 1min {bar}"]'
        page.wait_for_text(row, "Hammer[^]*overbought")  # the card tells what the row has when it is opened
        page.page.focus(row)
        page.page.keyboard.press("Enter")
        page.wait_for_text("#card", "Indicators of this bar[^]*RSI 14")  # bars and outcomes are asked for apart from each other
        card = page.wait_for_text("#card", "known outcome")
        for words in TOLD:
            assert words in card
        assert page.page.locator("#card .candles rect").count() == 12
        assert page.page.evaluate("window.asked") == f"AAPL:1min:Hammer:{bar}"
        assert "symbol=AAPL" in page.page.url
        link = page.page.get_attribute("#card a[href^='/patterns']", "href")
        assert link == "/patterns?symbol=AAPL&pattern=Hammer&timeframe=1min"
        for _ in range(12):  # the focus stays in it
            page.page.keyboard.press("Tab")
            assert page.page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#card')")
        assert [found for found in violations(page.page) if any("#card" in str(target) for target in found[2])] == []
        page.page.keyboard.press("Escape")
        page.page.wait_for_selector("#card", state="hidden")
        assert page.page.evaluate("document.activeElement.dataset.key") == f"AAPL 1min {bar}"
        assert page.complaints == []


def test_a_card_is_opened_by_an_event_and_shows_markup_as_text(chromium: Browser, world: World) -> None:
    with opened(chromium, world) as page:
        names = ("id", "symbol", "pattern", "session", "origin")
        times = {"bar_timestamp": this_minute(), "detection_timestamp": this_minute() + MINUTE}
        message: dict[str, Any] = {**dict.fromkeys(names, MARKUP), **times, "details": {"reason": MARKUP}, "quality": 0.5}
        page.page.evaluate(OPEN_CARD, message | {"direction": "bullish", "state": "forming", "timeframe": "1min"})
        card = page.wait_for_text("#card", "<img src=x")
        assert "Confirmed by a close beyond its line" in card
        assert page.page.locator("#card img").count() == 0
        page.wait_for_text("#card", "bars (are not stored any more|could not be loaded)")
        page.page.click("#card-close")
        assert [words for words in page.complaints if "400" not in words] == []  # such a symbol is refused


def test_forming_is_hidden_at_first_then_hollow_and_says_what_would_confirm_it(chromium: Browser, world: World) -> None:
    minute = this_minute() + 4 * HOUR
    fields: dict[str, Any] = {"bar": minute, "detection_timestamp": minute + MINUTE + 40, "quality": 1.0}
    with opened(chromium, world, shows="best") as page:
        forming = a_pattern("SHAPE", "HeadShoulders", direction="bearish", state="forming", details=FORMING, **fields)
        world.streaming.minute(patterns=[forming, a_pattern("SURE", **fields)])
        page.wait_for_text("#signal-rows", "SURE")
        assert "SHAPE" not in page.text("#signal-rows")
        page.page.uncheck("#filter-confirmed")
        page.wait_for_text("#signal-rows", r"Confirmed by a close below 101\.23, the neckline")
        order = page.page.evaluate(IN_SIGHT)
        assert [key.split()[0] for key, _ in order if key.startswith(("SURE", "SHAPE"))] == ["SURE", "SHAPE"]


def test_the_filters_begin_as_documented_say_what_differs_and_are_remembered(chromium: Browser, world: World) -> None:
    with opened(chromium, world, shows="") as page:
        assert page.page.evaluate(CHOICES) == {
            "scope": "watch", "kind": "", "direction": "", "rank": "best", "timeframe": "", "session": "", "price": "1",
            "dollars": "1", "confirmed": True,
        }  # fmt: skip
        assert page.page.locator("#filter-reset").is_hidden()
        minute = this_minute() + 5 * HOUR
        fields: dict[str, Any] = {"bar": minute, "detection_timestamp": minute + MINUTE + 40, "quality": 1.0}
        world.streaming.minute(
            patterns=[a_pattern("AAPL", **fields), a_pattern("CHEAP", price=0.6, **fields), a_pattern("ELSE", **fields)]
        )
        row = '.signal[data-key^="{} "]'.format
        page.page.wait_for_selector(row("AAPL"))
        assert page.page.locator(row("ELSE")).count() == 0
        page.page.select_option("#filter-scope", "all")
        page.page.wait_for_selector(row("ELSE"))
        assert page.page.locator(row("CHEAP")).count() == 0
        page.page.fill("#filter-price", "0.5")
        page.page.keyboard.press("Enter")
        page.page.wait_for_selector(row("CHEAP"))
        page.wait_for_text("#filter-reset", "Reset filters")
        page.page.click("#filter-patterns summary")
        page.page.fill("#pattern-search", "engulf")
        assert page.page.locator("#pattern-list label:visible").all_inner_texts() == ["Engulfing"]
        page.page.check("#pattern-list label:visible input")
        page.wait_for_text("#signals-note", ", 0 shown|of the newest")
        page.page.wait_for_selector(row("CHEAP"), state="detached")
        page.page.keyboard.press("Escape")
        page.wait_for_text("#patterns-chosen", "^1 pattern$")
        page.page.reload()
        page.wait_for_text("#filter-reset", "Reset filters")
        assert page.page.locator("#filters [data-changed]").count() == 3
        page.wait_for_text("#patterns-chosen", "^1 pattern$")
        page.page.click("#filter-reset")
        page.page.wait_for_selector(row("AAPL"))
        assert page.page.locator("#filter-reset").is_hidden()
        page.page.evaluate("""localStorage.setItem("tickstock.filters", '{"scope": 7, "patterns": ["Gone"], "rank": [')""")
        page.page.reload()
        page.page.wait_for_selector(row("AAPL"))
        assert page.page.locator("#filter-reset").is_hidden()
        assert page.complaints == []


def test_the_filter_says_of_which_timeframes_it_lists_all_ranks(chromium: Browser, world: World) -> None:
    minute = this_minute() + 5 * HOUR + 10 * MINUTE
    fields: dict[str, Any] = {"bar": minute, "detection_timestamp": minute + HOUR + 40, "quality": 0.0}
    with opened(chromium, world, shows="best") as page:
        found = {"HOUR": "60min", "QUARTER": "15min"}
        world.streaming.minute(patterns=[a_pattern(symbol, timeframe=each, **fields) for symbol, each in found.items()])
        page.wait_for_text('.signal[data-key^="HOUR "]', "rank 0 %")
        assert page.page.locator('.signal[data-key^="QUARTER "]').count() == 0
        page.wait_for_text("#filter-rank option:checked", r"^Rank: the best \(1h, 1d: all\)$")
        assert "of 1h and 1d bars, where signals are few, all" in str(page.page.get_attribute("label:has(#filter-rank)", "title"))
        for timeframe, words in (("60min", "of any rank"), ("15min", "Only the best")):
            page.page.click(f"#chart-timeframes [value='{timeframe}']")
            page.page.click("#chart-indicators")
            page.wait_for_text("#chart-menu label:has([value=best])", words)
            page.page.keyboard.press("Escape")
        assert page.complaints == []


def test_a_pause_loses_nothing_and_lists_only_what_stood_there(chromium: Browser, world: World) -> None:
    minute = this_minute() + 6 * HOUR
    with opened(chromium, world) as page:
        burst(world, "HELD", 3, minute)
        page.wait_for_text("#signal-rows", "HELD2")
        page.page.click("#pause")
        page.wait_for_text("#signals-note", r"paused since \d\d:\d\d:\d\d ET · 0 new")
        burst(world, "LATER", 450, minute + MINUTE)
        page.wait_for_text("#signals-note", "450 new")
        assert "LATER" not in page.text("#signal-rows")
        page.page.select_option("#filter-direction", "bullish")  # a filter may be changed meanwhile
        page.wait_for_text("#signals-note", "450 new")
        assert "LATER" not in page.text("#signal-rows")
        page.page.click("#pause")
        page.wait_for_text("#signal-rows", "LATER")
        assert "paused" not in page.text("#signals-note")
        before = shown(page)
        burst(world, "LATER", 450, minute + MINUTE)  # the same once more
        burst(world, "LAST", 1, minute + 2 * MINUTE)
        page.wait_for_text("#signal-rows", "LAST0")
        assert shown(page) == before + 1


def test_older_signals_are_loaded_from_the_database_once_each_and_in_order(chromium: Browser, world: World) -> None:
    past = this_minute() - 200 * HOUR
    writer = Writer(f"sqlite:///{(world.folder / 'tickstock.db').as_posix()}")
    with writer.transaction() as batch:
        found = [
            a_pattern(f"OLD{number}", bar=past + number * MINUTE, detection_timestamp=past + (number + 1) * MINUTE)
            for number in range(500)
        ]
        batch.upsert_patterns([row_of(intraday_patterns, each) for each in found])
        raised = [
            an_alert(f"OLD{number}", past + number * MINUTE, detection_timestamp=past + (number + 1) * MINUTE)
            for number in range(500)
        ]
        batch.insert_alerts([row_of(indicator_alerts, each) for each in raised])
    writer.close()
    with opened(chromium, world) as page:
        burst(world, "PRESENT", 1, this_minute() + 7 * HOUR)
        page.wait_for_text("#signal-rows", "PRESENT")
        before = world.app.get("/api/status")[1]["seq"]
        wait_until(lambda: shown(page) == before, "those that the snapshot had no room for")
        loads = 0
        while "Load older" in page.text("#signals-older"):
            page.page.click("#signals-older")
            page.wait_for_text("#signals-older", "Load older|Nothing older")
            loads += 1
        assert loads > 1
        assert shown(page) == before + 1000
        page.page.focus(".signal[tabindex='0']")
        page.page.keyboard.press("End")
        assert page.page.evaluate("document.activeElement.dataset.key") == f"OLD0 1min {past}"
        assert len(page.page.query_selector_all("[data-key^='OLD0 '] .chip")) == 2
        keys = page.page.evaluate(IN_SIGHT)
        numbers = [int(key.split()[0].removeprefix("OLD")) for key, _ in keys if key.startswith("OLD")]
        assert numbers == sorted(numbers, reverse=True)
        assert page.complaints == []


DRAWING = """async () => {
    const {Signals} = await import("/static/js/signals/signals.js");
    const {Store} = await import("/static/js/link/store.js");
    const {DEFAULTS} = await import("/static/js/signals/filter.js");
    const made = (tag) => document.body.appendChild(document.createElement(tag));
    const scroll = made("div");
    scroll.style.height = "600px";
    scroll.style.overflow = "auto";
    const parts = {scroll, rows: scroll.appendChild(document.createElement("div"))};
    for (const name of ["empty", "note", "news", "older"]) parts[name] = made("button");
    const store = new Store();
    const signals = new Signals(store, parts, {symbol: "", onChange() {}}, {...DEFAULTS, scope: "all", rank: "0", dollars: 0});
    signals.setCatalog(null);
    const times = [];
    for (let second = 0; second < 10; second += 1) {
        for (let number = 0; number < 1000; number += 1) {
            const seq = second * 1000 + number + 1;
            store.takeSignal({type: "streaming_pattern", seq, id: `${seq}`, symbol: `S${number}`, pattern: "Hammer",
                direction: "bullish", state: "confirmed", timeframe: "1min", session: "regular", origin: "live", quality: 0.5,
                price: 10, bar_timestamp: second * 60000, detection_timestamp: second * 60000 + 60040});
        }
        const began = performance.now();
        signals.draw();
        document.body.offsetHeight;
        times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    return [times, parts.rows.querySelectorAll("article").length, store.signals.size, parts.note.textContent];
}"""


def test_a_burst_of_ten_thousand_signals_is_drawn_once_a_frame(chromium: Browser, world: World) -> None:
    with opened(chromium, world) as page:
        times, rows, held, note = page.page.evaluate(DRAWING)
        print(f"{held} signals drawn in {times[len(times) // 2]:.1f} ms, at most {times[-1]:.1f} ms")
        assert rows < 100
        assert 2000 <= held <= 2200
        assert f"{held:,} shown" in note
