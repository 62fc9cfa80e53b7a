"""The page's watchlist, its editor and the search for symbols, in a real Chromium on the real app and simulator."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import RedisServer
from tests.web.axe import violations
from tests.web.conftest import World
from tests.web.services import Simulator, WebApp, an_indicator, wait_until
from tickstock.database.migrate import migrate
from tickstock.database.writers import Writer
from tickstock.market_hours import now_ms
from tickstock.settings import DEFAULT_SYMBOLS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response, Route, WebSocketRoute

MARKUP = "<img/src=x/onerror=alert>"  # as a ticker: without a space
KNOWN = {
    "AAPL": "Apple Inc.", "AA": "Alcoa Corporation", "MSFT": "Microsoft Corporation", "NVDA": "NVIDIA Corporation",
    "KIM": "Kimco Realty", "KIMpL": "Kimco Realty, preferred L", "SHOP": "Shopify Inc.",
}  # fmt: skip
PLACE_IN_PANEL = """
  document.querySelector("#watch-rows").getBoundingClientRect().top
    - document.querySelector("#panel-watch").getBoundingClientRect().top
"""
FRAMES = """
  window.frames_ms = [];
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => ask((time) => {
    const begun = performance.now();
    draw(time);
    window.frames_ms.push(performance.now() - begun);
  });
"""


class Panel:
    """An open page with what it complained about, and a hand on what the server tells it."""

    def __init__(self, page: Page, app: WebApp) -> None:
        self.page = page
        self.app = app
        self.complaints: list[str] = []
        self.sockets: list[WebSocketRoute] = []
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.route_web_socket(re.compile("socket.io"), self._join)

    def _join(self, socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        self.sockets.append(socket)

    def open(self, query: str = "") -> None:
        self.page.goto(f"{self.app.url}/dashboard{query}")
        self.wait("Active", "#feed-state")

    def told(self, event: str, message: object) -> None:
        """As if the server had said it."""
        self.sockets[-1].send(f"42{json.dumps([event, message])}")

    def wait(self, pattern: str, selector: str) -> str:
        self.page.wait_for_function(
            "([selector, pattern]) => new RegExp(pattern).test(document.querySelector(selector)?.innerText ?? '')",
            arg=[selector, pattern], timeout=15_000,
        )  # fmt: skip
        return str(self.page.inner_text(selector))

    def until(self, holds: Callable[[], Any], what: str) -> None:
        def look() -> Any:
            self.page.wait_for_timeout(30)
            return holds()

        wait_until(look, what)

    @property
    def shown(self) -> list[str]:
        """Symbols on the page, in their order."""
        names: list[str] = self.page.eval_on_selector_all("#watch-rows tr", "(rows) => rows.map((row) => row.dataset.symbol)")
        return names

    def rows(self, *symbols: str) -> None:
        self.until(lambda: self.shown == list(symbols), f"the rows are {symbols}; they are {self.shown}")

    def edit(self) -> None:
        """Open the editor, whose code may still be on its way."""
        self.page.click("#watch-edit")
        self.page.wait_for_selector("#lists[open]")

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id"))

    def tab_to(self, element: str) -> None:
        for _ in range(80):
            if self.focused() == element:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {element}")


@contextmanager
def panel(chromium: Browser, app: WebApp, query: str = "", script: str = "", **options: Any) -> Iterator[Panel]:
    context = chromium.new_context(**{"viewport": {"width": 1400, "height": 860}, **options})
    if script:
        context.add_init_script(script)
    try:
        made = Panel(context.new_page(), app)
        made.open(query)
        yield made
        assert made.complaints == []
    finally:
        context.close()


def ask(app: WebApp, method: str, path: str = "", **body: object) -> Any:
    """A change of the watchlists, as from another window."""
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json", "Origin": app.url}
    request = urllib.request.Request(f"{app.url}/api/watchlists{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture
def lists(world: World) -> Iterator[Callable[..., str]]:
    """Makes a watchlist and returns its id; all are gone afterwards."""
    yield lambda name, *symbols: str(ask(world.app, "POST", name=name, symbols=list(symbols))["id"])
    for each in world.app.get("/api/watchlists")[1]["lists"]:
        if each["editable"]:
            ask(world.app, "DELETE", f"/{each['id']}")


@pytest.fixture(scope="module")
def reference(world: World) -> None:
    """The vendor's reference of symbols is loaded, and knows a few beside the default ones."""
    names = {**dict.fromkeys(DEFAULT_SYMBOLS, "A company"), **KNOWN}
    with Writer(f"sqlite:///{(world.folder / 'tickstock.db').as_posix()}") as writer, writer.transaction() as batch:
        batch.upsert_symbols([(symbol, name, "XNAS", "CS", True) for symbol, name in names.items()])
        batch.set_vendor_progress([("symbols", now_ms())])
    wait_until(lambda: world.app.get("/api/watchlists")[1]["reference"] == len(names), "the app has read it")


def a_row(symbol: str, **fields: Any) -> dict[str, Any]:
    now = now_ms()
    return {
        "symbol": symbol, "price": 100.0, "timestamp": now, "received": now, "volume": 1000, "session_volume": 1000,
        "dollars": 100_000.0, "day_open": 99.0, "previous_close": 98.0, "change": 0.02, "steady": False, "halted": None, **fields,
    }  # fmt: skip


def test_a_list_made_with_the_keyboard_alone_is_shown_and_survives_reload_and_restart(
    chromium: Browser, world: World, lists: Callable[..., str]
) -> None:
    with panel(chromium, world.app) as one:
        keyboard = one.page.keyboard
        one.tab_to("watch-edit")
        keyboard.press("Enter")
        one.page.wait_for_selector("#lists[open]")
        one.tab_to("lists-new")
        keyboard.press("Enter")
        assert one.focused() == "lists-name"
        keyboard.type("Focus")
        one.tab_to("lists-add")
        keyboard.insert_text("AAPL, MSFT;NVDA TSLA AAPL")
        keyboard.press("Enter")
        one.wait("4 added, 1 in the list already", "#lists-said-note")
        one.tab_to("lists-symbols")
        keyboard.press("End")
        keyboard.press("Alt+ArrowUp")
        keyboard.press("Alt+ArrowUp")
        keyboard.press("Home")
        keyboard.press("Delete")
        one.tab_to("lists-save")
        keyboard.press("Enter")
        one.wait("Saved", "#lists-said-note")
        keyboard.press("Escape")
        one.rows("TSLA", "MSFT", "NVDA")
        one.wait(r"\d+\.\d\d", "tr[data-symbol=TSLA] td.last")
        assert re.match(r"3 symbols", one.wait("^3 symbols", "#symbols-summary"))
        one.page.reload()
        one.rows("TSLA", "MSFT", "NVDA")
        assert world.app.stop() == 0
        world.app.start()
        one.wait("Active", "#feed-state")
        one.rows("TSLA", "MSFT", "NVDA")
        one.page.select_option("#watch-list", "default")
        one.until(lambda: one.shown[:3] == list(DEFAULT_SYMBOLS)[:3], "the default list")


def test_what_another_window_changes_is_followed_and_the_later_save_wins_and_says_so(
    chromium: Browser, world: World, lists: Callable[..., str]
) -> None:
    made = lists("Two windows", "AAPL", "MSFT")
    with panel(chromium, world.app, script=f"localStorage.setItem('tickstock.list', '{made}')") as one:
        one.rows("AAPL", "MSFT")
        ask(world.app, "PUT", f"/{made}", symbols=["NVDA", "AAPL", "MSFT"])
        one.rows("NVDA", "AAPL", "MSFT")
        one.edit()
        ask(world.app, "PUT", f"/{made}", symbols=["AMD", "AAPL"])
        one.wait("changed in another window; this is what it is now", "#lists-said-note")
        assert one.page.locator("#lists-symbols option").all_inner_texts() == ["AMD", "AAPL"]
        one.page.fill("#lists-add", "TSLA")
        one.page.click("#lists-add-button")
        ask(world.app, "PUT", f"/{made}", symbols=["JPM"])
        one.wait("changed in another window meanwhile .*1 symbols.*Save puts yours in its place", "#lists-said-note")
        one.page.click("#lists-save")
        one.wait("Saved. It had been changed in another window", "#lists-said-note")
        one.rows("AMD", "AAPL", "TSLA")
        one.page.click("#lists-close")
        ask(world.app, "DELETE", f"/{made}")
        one.wait("The watchlist Two windows was deleted: this is Default", "#watch-note")
        one.until(lambda: one.shown[0] == DEFAULT_SYMBOLS[0], "the default list")
        assert one.page.input_value("#watch-list") == "default"


def test_errors_stand_at_their_fields_and_deleting_asks(chromium: Browser, world: World, lists: Callable[..., str]) -> None:
    made = lists("Taken", "AAPL")
    with panel(chromium, world.app) as one:
        one.edit()
        assert one.page.is_disabled("#lists-name")
        one.wait("TICKSTOCK_SYMBOLS", "#lists-default")
        one.page.click("#lists-new")
        one.page.click("#lists-save")
        one.wait("name", "#lists-name-note")
        assert one.page.get_attribute("#lists-name", "aria-invalid") == "true"
        one.page.fill("#lists-name", "taken")
        one.page.click("#lists-save")
        one.wait("There is a watchlist named Taken already", "#lists-name-note")
        one.page.fill("#lists-name", "Other")
        one.page.fill("#lists-add", f"AAPL {'X' * 40}")
        one.page.press("#lists-add", "Enter")
        one.page.click("#lists-save")
        one.wait("tickers such as AAPL", "#lists-symbols-note")
        one.page.select_option("#lists-which", made)
        one.wait("Throw away", "#lists-question-text")
        one.page.click("#lists-no")
        assert one.page.input_value("#lists-name") == "Other"
        one.page.select_option("#lists-which", made)
        one.page.click("#lists-yes")
        assert one.page.input_value("#lists-name") == "Taken"
        one.page.click("#lists-delete")
        one.wait("Delete the list Taken", "#lists-question-text")
        one.page.click("#lists-yes")
        one.wait("Taken is deleted", "#lists-said-note")
        assert [each["name"] for each in world.app.get("/api/watchlists")[1]["lists"]] == ["Default"]


def test_unknown_symbols_are_marked_and_upper_case_is_suggested_where_the_vendor_knows_it(
    chromium: Browser, world: World, reference: None, lists: Callable[..., str]
) -> None:
    made = lists("Odd", "AAPL", "ZZZQ")
    with panel(chromium, world.app, script=f"localStorage.setItem('tickstock.list', '{made}')") as one:
        one.rows("AAPL", "ZZZQ")
        one.wait(r"unknown\sto the\svendor", "tr[data-symbol=ZZZQ] td.age")
        assert "Unknown to the vendor" in str(one.page.get_attribute("tr[data-symbol=ZZZQ] th", "title"))
        assert one.page.get_attribute("tr[data-symbol=AAPL] th", "title") == ""
        one.wait("1 unknown to the vendor", "#watch-note")
        one.edit()
        one.page.focus("#lists-add")
        one.page.evaluate("""() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", "msft\\nKIMpL\\nnvda");
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, cancelable: true, bubbles: true}));
        }""")
        one.wait("Did you mean MSFT, NVDA", "#lists-case-text")
        one.page.click("#lists-case")
        texts = one.page.locator("#lists-symbols option").all_inner_texts()
        assert texts == ["AAPL", "ZZZQ · unknown to the vendor", "MSFT", "KIMpL", "NVDA"]


def test_nothing_is_suggested_for_a_symbol_that_is_gone_before_the_answer_comes(
    chromium: Browser, world: World, reference: None, lists: Callable[..., str]
) -> None:
    made = lists("Short", "AAPL")
    with panel(chromium, world.app, script=f"localStorage.setItem('tickstock.list', '{made}')") as one:
        one.rows("AAPL")
        one.edit()
        held: list[Route] = []
        one.page.route("**/api/symbols?search=nvda&*", lambda route: held.append(route))
        one.page.fill("#lists-add", "nvda msft")
        one.page.click("#lists-add-button")
        one.until(lambda: held, "the server was asked")
        one.page.select_option("#lists-symbols", "nvda")
        one.page.click("#lists-remove")
        for each in held:
            each.continue_()
        one.wait("Did you mean MSFT", "#lists-case-text")
        assert "NVDA" not in one.page.inner_text("#lists-case-text")


def test_a_deleted_list_is_not_edited_again_although_that_it_is_gone_is_told_later(
    chromium: Browser, world: World, lists: Callable[..., str]
) -> None:
    made = lists("Gone", "AAPL")
    with panel(chromium, world.app, script=f"localStorage.setItem('tickstock.list', '{made}')") as one:
        one.rows("AAPL")
        one.edit()
        one.page.route("**/api/watchlists/*", lambda route: route.fulfill(json={"deleted": made}))
        one.page.click("#lists-delete")
        one.page.click("#lists-yes")
        one.wait("Gone is deleted", "#lists-said-note")
        assert one.page.input_value("#lists-name") == ""
        ask(world.app, "DELETE", f"/{made}")
        one.until(lambda: one.page.locator(f"#lists-which option[value='{made}']").count() == 0, "the page was told")
        assert one.page.inner_text("#lists-said-note") == "Gone is deleted."


def test_markup_in_a_lists_name_and_in_a_symbol_stays_text(chromium: Browser, world: World, lists: Callable[..., str]) -> None:
    made = lists("<b>Bold</b>", MARKUP[:24], "AAPL")
    with panel(chromium, world.app, script=f"localStorage.setItem('tickstock.list', '{made}')") as one:
        one.rows(MARKUP[:24], "AAPL")
        one.page.click("#watch-rows tr:first-child")
        one.wait("<b>Bold</b>", "#watch-list")
        one.edit()
        assert one.page.input_value("#lists-name") == "<b>Bold</b>"
        assert one.page.locator(".watch img, .watch b, #lists img, #lists b, .search b").count() == 0


def test_a_column_ranks_the_list_says_so_and_holds_still_under_the_pointer(
    chromium: Browser, world: World, lists: Callable[..., str]
) -> None:
    symbols = ["S1", "S2", "S3", "S4"]  # nobody sends ticks of them
    made = lists("Ranked", *symbols)
    with panel(chromium, world.app, script=f"localStorage.setItem('tickstock.list', '{made}')") as one:
        one.rows(*symbols)
        one.wait("own order", "#watch-note")

        def changes(*values: float | None) -> None:
            rows = [a_row(symbol, change=value) for symbol, value in zip(symbols, values, strict=True)]
            one.told("ticks", {"time": now_ms(), "symbols": rows})

        changes(0.01, 0.03, None, 0.02)
        one.wait("3.00", "tr[data-symbol=S2] td.change")
        one.page.click("th[data-column=change] button")
        one.rows("S2", "S4", "S1", "S3")
        one.wait("ranked by Chg%, highest first", "#watch-note")
        assert one.page.get_attribute("th[data-column=change]", "aria-sort") == "descending"
        place = one.page.evaluate(PLACE_IN_PANEL)
        changes(0.01, 0.03, None, 0.0305)  # beats its neighbour, but not clearly
        one.page.hover("#watch-rows tr:last-child")  # still among them when a banner comes meanwhile
        one.wait("held while you are in the list", "#watch-held")
        assert one.page.evaluate(PLACE_IN_PANEL) == place  # the note does not push them from under the pointer
        changes(0.05, 0.03, None, 0.0305)
        one.wait("5.00", "tr[data-symbol=S1] td.change")
        one.page.wait_for_timeout(2500)  # longer than between two rankings
        assert one.shown == ["S2", "S4", "S1", "S3"]
        one.page.hover("#signals-title")
        one.rows("S1", "S2", "S4", "S3")
        one.page.locator("#watch-held").wait_for(state="hidden")
        one.page.click("th[data-column=change] button")
        one.rows("S2", "S4", "S1", "S3")
        one.wait("lowest first", "#watch-note")
        one.page.click("th[data-column=symbol] button")
        one.rows("S1", "S2", "S3", "S4")
        one.wait("ranked by Symbol, A to Z", "#watch-note")
        for _ in range(2):
            one.page.click("th[data-column=symbol] button")
        one.wait("own order", "#watch-note")
        one.rows(*symbols)


def test_no_prints_halted_and_empty_cells_say_why_in_words(chromium: Browser, world: World, lists: Callable[..., str]) -> None:
    made = lists("States", "S1", "S2", "S3", "S4")
    with panel(chromium, world.app, script=f"localStorage.setItem('tickstock.list', '{made}')") as one:
        one.rows("S1", "S2", "S3", "S4")
        old = now_ms() - 83_000
        rows = [
            a_row("S1", steady=True, timestamp=old, received=old),
            a_row("S2", timestamp=old, received=old, halted=now_ms() - 120_000, steady=True),
            a_row("S3", previous_close=None, change=None),
        ]
        one.told("ticks", {"time": now_ms(), "symbols": rows})
        one.wait(r"NO\sPRINTS 1:2\d", "tr[data-symbol=S1] td.age")
        one.wait(r"HALTED since\s\d\d:\d\d", "tr[data-symbol=S2] td.age")
        one.wait(r"^\s*\d s", "tr[data-symbol=S3] td.age")
        one.wait("no tick yet|unknown", "tr[data-symbol=S4] td.age")
        assert "No previous close" in str(one.page.get_attribute("tr[data-symbol=S3] td.change", "aria-label"))
        one.wait("no Chg% of 1: no previous close", "#watch-note")
        one.wait("4 symbols, 1 fresh, 2 quiet, 0 stale, 1 without a tick", "#symbols-summary")
        one.told("session", {"name": "closed", "trading_day": "2026-11-20", "opens": now_ms() + 3_600_000, "time": None})
        one.wait("closed", "tr[data-symbol=S1] td.age")
        one.wait("market closed: the last session", "#watch-note")


def test_the_list_is_walked_with_keys_and_what_is_chosen_elsewhere_is_scrolled_into_view(chromium: Browser, world: World) -> None:
    def is_active(symbol: str) -> bool:
        found: str | None = one.page.evaluate("""() => document.getElementById(
            document.querySelector("#watch-view").getAttribute("aria-activedescendant"))?.dataset.symbol""")
        return found == symbol

    symbols = list(DEFAULT_SYMBOLS)
    with panel(chromium, world.app) as one:
        one.until(lambda: len(one.shown) > 10, "rows")
        keyboard = one.page.keyboard
        one.tab_to("watch-view")
        for key, place in (("Home", 0), ("ArrowDown", 1), ("j", 2), ("k", 1), ("ArrowUp", 0), ("End", 69), ("Home", 0), ("j", 1)):
            keyboard.press(key)
            one.until(partial(is_active, symbols[place]), f"{key} leads to {symbols[place]}")
            row = one.page.locator(f"tr[data-symbol='{symbols[place]}']")
            assert row.get_attribute("aria-rowindex") == str(place + 2)
        assert one.page.get_attribute("#watch-view", "aria-rowcount") == "71"
        keyboard.press("Enter")
        one.until(lambda: f"symbol={symbols[1]}" in one.page.url, "it is chosen")
        one.until(lambda: one.page.get_attribute(f"tr[data-symbol={symbols[1]}]", "aria-selected") == "true", "it is marked")
        keyboard.press("Escape")
        assert one.focused() != "watch-view"
        last = symbols[-1]
        keyboard.press("/")
        assert one.focused() == "symbol-search"
        keyboard.type(last)
        keyboard.press("Enter")
        one.until(lambda: one.page.locator(f"tr[data-symbol='{last}'][aria-selected=true]").count() == 1, "it is in view")
        box, view = (one.page.locator(each).bounding_box() for each in (f"tr[data-symbol='{last}']", "#watch-view"))
        assert box
        assert view
        assert view["y"] <= box["y"] <= view["y"] + view["height"] - box["height"] + 1
        one.page.click("#watch-rows tr:nth-last-child(3) td.last")
        one.until(lambda: f"symbol={last}" not in one.page.url, "a click chooses")


def test_the_search_suggests_finds_what_nobody_watches_and_offers_to_add_it(
    chromium: Browser, world: World, reference: None, lists: Callable[..., str]
) -> None:
    lists("Mine", "AAPL")
    with panel(chromium, world.app) as one:
        options = one.page.locator("#symbol-search-options [role=option]")
        keyboard = one.page.keyboard
        keyboard.press("/")
        keyboard.type("shop")
        one.wait("SHOP\\s*Shopify Inc", "#symbol-search-options")
        keyboard.press("ArrowDown")
        at = one.page.get_attribute("#symbol-search", "aria-activedescendant")
        assert one.page.get_attribute(f"#{at}", "aria-selected") == "true"
        keyboard.press("Enter")
        one.until(lambda: "symbol=SHOP" in one.page.url, "it is chosen")
        one.wait("SHOP is not watched: history only", "#watch-said")
        one.page.click("text=+ SHOP to Mine")
        one.wait("SHOP is in Mine now", "#watch-said")
        assert "SHOP" in world.app.get("/api/watchlists")[1]["lists"][1]["symbols"]
        keyboard.press("/")
        keyboard.type("aa")
        one.wait("AAPL[^]*Alcoa|Alcoa[^]*AAPL", "#symbol-search-options")
        keyboard.press("Escape")
        assert options.count() == 0
        keyboard.press("Escape")
        assert one.focused() != "symbol-search"
        assert one.page.input_value("#symbol-search") == "SHOP"


def test_an_answer_that_comes_too_late_changes_no_suggestion(chromium: Browser, world: World, reference: None) -> None:
    with panel(chromium, world.app) as one:
        held: list[Route] = []
        one.page.route("**/api/symbols?search=k&*", lambda route: held.append(route))
        keyboard = one.page.keyboard
        keyboard.press("/")
        keyboard.type("k")
        one.until(lambda: held, "the server was asked")
        with one.page.expect_response("**/api/symbols?search=kimp*"):
            keyboard.type("imp")
        one.wait("KIMpL", "#symbol-search-options")

        def is_first(response: Response) -> bool:
            return "search=k&" in response.url

        with one.page.expect_response(is_first):
            held[0].continue_()
        one.page.wait_for_timeout(50)
        assert "KO" not in one.page.locator("#symbol-search-options b").all_inner_texts()


def test_columns_are_chosen_and_remembered(chromium: Browser, world: World) -> None:
    def heads() -> list[str]:
        return [text.split()[0] for text in one.page.locator("#watch-head th").all_inner_texts()]

    with panel(chromium, world.app) as one:
        one.until(lambda: heads() == ["Symbol", "Last", "Chg%", "RVol", "Age"], f"those by default, not {heads()}")
        one.page.click("#watch-columns-open")
        one.page.uncheck("#watch-columns input[value=rvol]")
        one.page.check("#watch-columns input[value=rsi]")
        one.until(lambda: heads() == ["Symbol", "Last", "Chg%", "RSI", "Age"], "the chosen ones")
        world.streaming.minute(indicators=[an_indicator("AAPL")])
        one.wait(r"overbought\s*71\.2", "tr[data-symbol=AAPL] td.rsi")
        one.page.reload()
        one.until(lambda: heads() == ["Symbol", "Last", "Chg%", "RSI", "Age"], "the chosen ones, again")
        one.page.click("#watch-columns-open")
        one.page.click("#watch-columns-reset")
        one.until(lambda: "RVol" in heads(), "those by default")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_panel_editor_and_search_have_no_violation(
    chromium: Browser, world: World, lists: Callable[..., str], theme: str
) -> None:
    lists("Mine", "AAPL", "MSFT")
    with panel(chromium, world.app, "?symbol=NVDA", color_scheme=theme) as one:
        one.until(lambda: len(one.shown) > 10, "rows")
        one.page.click("th[data-column=last] button")
        one.page.focus("#watch-view")
        one.page.keyboard.press("End")
        assert [each for each in violations(one.page) if "watch" in str(each) or "search" in str(each)] == []
        one.edit()
        one.page.select_option("#lists-which", label="Mine")
        assert violations(one.page) == []


def test_ten_thousand_symbols_are_a_small_page(chromium: Browser, tmp_path: Path) -> None:
    symbols = [f"{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}{number}" for number in range(10_000)]
    migrate(f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}")
    redis, simulator = RedisServer(), Simulator(tmp_path)
    app = WebApp(tmp_path, redis, feed_port=simulator.port, TICKSTOCK_SYMBOLS=",".join(symbols))
    try:
        with panel(chromium, app, script=FRAMES) as one:
            one.until(lambda: len(one.shown) > 10, "rows")
            assert one.page.get_attribute("#watch-view", "aria-rowcount") == "10001"
            one.page.focus("#watch-view")
            one.page.keyboard.press("End")
            one.until(lambda: one.shown[-1:] == symbols[-1:], "the last row")
            one.page.keyboard.press("Home")
            one.until(lambda: one.shown[:1] == symbols[:1], "the first row")
            assert one.page.locator("#watch-view *").count() < 1000
            assert one.page.evaluate("document.documentElement.scrollHeight") <= 860
            fewer = len(one.shown)
            one.page.set_viewport_size({"width": 1400, "height": 1100})
            one.until(lambda: len(one.shown) > fewer, "rows for the larger window")
            one.page.click("th[data-column=last] button")
            for count in (500, 10_000):
                print(f"\n{count:,} of 10,000 symbols moving: {_frames(one, symbols[:count])}")
            assert one.page.locator("#watch-view *").count() < 1000
    finally:
        app.stop()
        simulator.stop()
        redis.kill()


def _frames(one: Panel, symbols: list[str]) -> str:
    """How long the page's scripts take for a frame, while prices of all symbols come as frames of 500 every 50 ms."""
    one.page.evaluate("window.frames_ms.length = 0")
    for round_ in range(24):
        begin = round_ * 500 % len(symbols)
        rows = [a_row(symbol, price=100.0 + (round_ * 7 + at) % 50) for at, symbol in enumerate(symbols[begin : begin + 500])]
        one.told("ticks", {"time": now_ms(), "symbols": rows})
        one.page.wait_for_timeout(45)
    took = one.page.evaluate("window.frames_ms")
    return f"{len(took)} frames, scripts {median(took):.2f} ms per frame, p95 {quantiles(took, n=20)[-1]:.2f} ms"
