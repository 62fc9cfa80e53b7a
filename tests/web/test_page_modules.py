"""The page's pure modules, asked in a real Chromium without a server: the files are handed to it as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.services import REPOSITORY
from tickstock.analysis import catalog as catalog_module
from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.catalog import catalog
from tickstock.analysis.default_filter import is_best
from tickstock.settings import Settings
from tickstock.web.catalog_answer import catalog_answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

HOST = "http://tickstock.test"
CLOSE = 1_381_159_560_000  # 11:26 in New York on 7 October 2013
DETECTED = 1_795_341_846_000  # years later, when the day was replayed

SIGNAL = """(fields) => ({
  type: "streaming_pattern", seq: 1, id: "A:1min:Doji:1", symbol: "A", pattern: "Doji", direction: "neutral", state: "confirmed",
  timeframe: "1min", session: "regular", origin: "live", quality: 0.5, price: 10, bar_timestamp: 0, detection_timestamp: 0,
  ...fields,
})"""


@pytest.fixture(scope="module")
def modules(chromium: Browser) -> Iterator[Page]:
    """An empty page that can import the modules of static/js."""

    def answer(route: Route) -> None:
        file = REPOSITORY / route.request.url.removeprefix(f"{HOST}/")
        if file.is_file():
            route.fulfill(path=file)
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page = chromium.new_page()
    page.route(f"{HOST}/**", answer)
    page.goto(f"{HOST}/")
    yield page
    page.close()


def run(page: Page, module: str, body: str, argument: Any = None) -> Any:
    """What `body` returns; it has the module as `m` and a signal maker as `signal`."""
    return page.evaluate(
        f"async (argument) => {{ const m = await import('/static/js/{module}.js'); const signal = {SIGNAL}; {body} }}", argument
    )


def test_a_recorded_days_signals_stand_at_their_bars_close(modules: Page) -> None:
    times = run(
        modules,
        "signals/signal_groups",
        """const all = [
             signal({id: "1", symbol: "IBM", bar_timestamp: argument.close - 60000, detection_timestamp: argument.detected}),
             signal({id: "2", symbol: "SPY", timeframe: "5min", bar_timestamp: argument.close - 300000,
                     detection_timestamp: argument.detected - 2000}),
           ];
           return [true, false].map((followsEvents) => {
             const {groups} = m.groupSignals(all, () => true, {followsEvents});
             return [groups.map((group) => group.time), m.burstsOf(groups).map((burst) => burst.groups.length)];
           });""",
        {"close": CLOSE, "detected": DETECTED},
    )
    assert times == [[[CLOSE, CLOSE], [2]], [[DETECTED, DETECTED - 2000], [2]]]


def test_history_that_arrives_late_does_not_push_out_what_was_detected_after_it(modules: Page) -> None:
    held = run(
        modules,
        "link/store",
        """const store = new m.Store();
           store.takeSignal(signal({id: "live", seq: 1, detection_timestamp: 1e9}));
           for (let number = 0; number < 3 * m.KEPT_SIGNALS; number += 1)
             store.takeSignal(signal({id: `old ${number}`, seq: number + 2, detection_timestamp: number}));
           return [store.signals.has("live"), store.signals.has("old 0"), store.signals.size <= 1.2 * m.KEPT_SIGNALS];""",
    )
    assert held == [True, False, True]


@pytest.mark.parametrize("quality", [0.0, 0.1, 0.2, 0.4, 0.6, 0.7, 1.0])
def test_the_page_ranks_a_detection_as_the_catalogue_does(modules: Page, monkeypatch: pytest.MonkeyPatch, quality: float) -> None:
    quantiles = (0.0, 0.0, 0.2, 0.6, 0.6, 0.9)
    monkeypatch.setattr(catalog_module, "QUALITY_QUANTILES", {"Doji": quantiles})
    told = run(
        modules,
        "common/catalog",
        """const entries = [{name: "Doji", shown_from: 0.5, quality_quantiles: argument.quantiles}];
           const found = new m.Catalog({entries, thinned_timeframes: ["1min"]});
           return found.rank(signal({quality: argument.quality}));""",
        {"quantiles": quantiles, "quality": quality},
    )
    assert told == pytest.approx(catalog_module.rank("Doji", quality))


def test_the_best_are_confirmed_and_of_the_rank_from_which_their_like_is_shown(modules: Page) -> None:
    shown = run(
        modules,
        "common/catalog",
        """const entry = (name, shown_from, quality_quantiles) => ({name, shown_from, quality_quantiles});
           const found = new m.Catalog({thinned_timeframes: ["1min"], entries: [
             entry("Doji", 0.5, [0, 0.5, 1]), entry("MatHold", 0.9, null), entry("ShortLine", null, [0, 1]),
             entry("GAP_UP", 0, null), entry("VWAP_BULLISH_CROSS", null, null),
           ]});
           const alert = (name) => signal({pattern: undefined, quality: undefined, state: undefined, alert: name});
           return [
             signal({quality: 0.5}), signal({quality: 0.49}), signal({quality: 1, state: "forming"}),
             signal({quality: 0, timeframe: "1day"}), signal({quality: 0, timeframe: "1day", state: "void"}),
             signal({pattern: "MatHold"}), signal({pattern: "ShortLine", quality: 1}), signal({pattern: "NotYetKnown"}),
             alert("GAP_UP"), alert("VWAP_BULLISH_CROSS"),
           ].map((each) => found.isBest(each));""",
    )
    assert shown == [True, False, False, True, False, True, False, True, True, False]


def test_the_page_shows_by_default_what_the_measured_filter_shows(modules: Page) -> None:
    answer = catalog_answer(Settings())
    signals = [
        {"name": entry["name"], "timeframe": timeframe, "state": state, "quality": quality}
        for entry in answer["entries"]
        for timeframe, state in (("1min", "confirmed"), ("1min", "forming"), ("15min", "confirmed"), ("1day", "confirmed"))
        for quality in ((None,) if entry["kind"] == "alert" else (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0))
        if entry["kind"] != "indicator"
    ]
    shown = run(
        modules,
        "common/catalog",
        """const found = new m.Catalog(argument.answer);
           return argument.signals.map(({name, timeframe, state, quality}) => found.isBest(quality === null
             ? signal({pattern: undefined, quality: undefined, alert: name, timeframe, state})
             : signal({pattern: name, quality, timeframe, state})));""",
        {"answer": answer, "signals": signals},
    )
    expected = [is_best(**each) for each in signals]
    assert {True, False} == set(expected)
    assert shown == expected


def test_a_recorded_day_that_has_ended_does_not_promise_an_opening(modules: Page) -> None:
    said = run(
        modules,
        "status/banners",
        """const { Store } = await import("/static/js/link/store.js");
           const store = Object.assign(new Store(), {link: "live", heard: 1000, session: {name: "closed", opens: 1e12},
                                       feed: {status: "ended", detail: "end of recording", since: 0}});
           return m.bannersOf(store, 1000).map((banner) => banner.text);""",
    )
    assert said == ["The recorded day has ended (end of recording)."]


def test_every_pattern_and_alert_has_words_of_its_own(modules: Page) -> None:
    signals = [{"alert" if entry.kind == "alert" else "pattern": entry.name} for entry in catalog() if entry.kind != "indicator"]
    said = run(modules, "common/words", "return argument.map((each) => m.nameOf(each));", signals)
    assert len(set(said)) == len(said)
    assert [
        words
        for words in said
        if not re.fullmatch(r"(?:[A-Z][a-z]+|RSI|SMA|MACD)(?:[ -](?:[a-z]+|20|50|SMA|VWAP|Bollinger|day's))*", words)
    ] == []


def test_the_documentation_tells_how_the_page_calls_each_alert(modules: Page) -> None:
    told = dict(re.findall(r"^\| `([A-Z_0-9]+)` \| ([^|]+) \|", (REPOSITORY / "docs" / "alerts.md").read_text(), re.MULTILINE))
    said = run(modules, "common/words", "return argument.map((alert) => m.nameOf({alert}));", [rule.name for rule in ALERT_RULES])
    assert dict(zip((rule.name for rule in ALERT_RULES), said, strict=True)) == told


@pytest.mark.parametrize(
    ("name", "words"), [("EMA_12_CROSS", "EMA 12 cross"), ("ROUNDING_TOP", "Rounding top"), ("CupAndHandle", "Cup and handle")]
)
def test_a_name_that_the_page_does_not_know_is_put_into_words(modules: Page, name: str, words: str) -> None:
    kind = "alert" if name.isupper() else "pattern"
    assert run(modules, "common/words", "return m.nameOf(argument);", {kind: name}) == words
