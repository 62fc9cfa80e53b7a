"""The Patterns page in a real Chromium, on the real app with rows in its database."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from launcher.ports import unused_port
from tests.servers import RedisServer
from tests.web.axe import violations
from tests.web.open_page import MARKUP, OpenPage, visiting
from tests.web.services import WebApp, a_pattern, an_alert, row, wait_until
from tickstock.database.migrate import migrate
from tickstock.database.models import indicator_alerts, intraday_patterns
from tickstock.database.writers import Writer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MINUTE = 60_000
BAR = 1_795_185_300_000  # Friday, 20 November 2026, 09:35 in New York
NOW = BAR + 4 * 24 * 60 * MINUTE
SYMBOLS = ("AAPL", "MSFT", "NVDA")
HEADER = {
    "universe": ["AAPL", "MSFT"], "chosen": "those watched when each signal was found", "missing": "Delisted ones are missing.",
    "days": 25, "first_day": "2026-10-19", "last_day": "2026-11-20", "cost_basis_points": 5.0, "rows": 4, "rows_tested": 3,
    "edges": 1, "empty": None,
}  # fmt: skip

CONTROLS = (
    "symbol", "name", "direction", "timeframe", "session", "state", "origin", "quality_from", "when", "scroll", "quality",
    "limit", "file", "refresh", "next",
)  # fmt: skip
FOCUSED = """() => {
    const { id, name, dataset, tagName } = document.activeElement;
    return id || name || dataset.sort || tagName;
}"""


class PatternsPage(OpenPage):
    """The page, and what stands in its table."""

    @property
    def faults(self) -> list[str]:
        """What it complained about, without the browser's own word on an answer that is an error."""
        return [each for each in self.complaints if not each.startswith("Failed to load resource")]

    def wait_for_count(self, pattern: str, seconds: float = 20) -> str:
        self.page.wait_for_function("() => document.querySelector('#scroll').ariaBusy === 'false'")
        return self.wait_for_text("#count", pattern, seconds)

    def column(self, name: str) -> list[str]:
        return [str(text) for text in self.page.locator(f"#table tbody .{name}").all_inner_texts()]

    def headings(self) -> dict[str, str | None]:
        return {cell.inner_text(): cell.get_attribute("aria-sort") for cell in self.page.locator("#table thead th").all()}

    @property
    def query(self) -> str:
        return self.page.url.partition("?")[2]


def patterns_and_alerts() -> tuple[list[Any], list[Any]]:
    """180 Dojis, a few rare rows, and 3 alerts."""
    dojis = [
        a_pattern(SYMBOLS[n % 3], "Doji", at, direction="neutral", quality=n / 200, detection_timestamp=at + MINUTE)
        for n, at in enumerate(range(BAR, BAR + 180 * MINUTE, MINUTE))
    ]
    late = BAR + 500 * MINUTE
    rare = [
        a_pattern("AAPL", "Hammer", BAR, quality=0.99, origin="history", detection_timestamp=BAR + MINUTE + 1, details={
            "volume_ratio": 2.44, "day_position": 0.02, "trend_before": "with", "bar_revised": True}),
        a_pattern("NVDA", "HeadShoulders", late, direction="bearish", state="forming", quality=0.5,
                  detection_timestamp=late + MINUTE),
        a_pattern("BRK.B", "Hammer", late, timeframe="1day", session="pre", quality=0.4, detection_timestamp=late + 2 * MINUTE),
        a_pattern(MARKUP, MARKUP, late, quality=0.4, detection_timestamp=late + 3 * MINUTE),
        a_pattern("=cmd|'/C calc'!A0", "Doji", late, quality=0.4, detection_timestamp=late + 4 * MINUTE),
    ]  # fmt: skip
    alerts = [an_alert(symbol, BAR + MINUTE, detection_timestamp=BAR + 2 * MINUTE) for symbol in SYMBOLS]
    return dojis + rare, alerts


def write(folder: Path, patterns: list[Any], alerts: list[Any]) -> None:
    with Writer(f"sqlite:///{(folder / 'tickstock.db').as_posix()}") as writer, writer.transaction() as batch:
        for table, messages, put in (
            (intraday_patterns, patterns, batch.upsert_patterns),
            (indicator_alerts, alerts, batch.insert_alerts),
        ):
            put([row(table, message) for message in messages])


def write_report(folder: Path) -> None:
    figures = {
        "events": 400, "incomplete": 3, "zero": 2, "unmatched": 0, "days": 25, "hits": 210, "rate": 0.525, "base_rate": 0.5,
        "interval": [-0.005, 0.055], "mean_return": 0.0004, "median_return": 0.0002, "mean_after_cost": -0.0001,
        "median_after_cost": -0.0003, "mean_size": None, "median_size": None, "base_size": None, "too_few": False,
        "survives": False, "pays": False, "repeats": False, "edge": False,
    }  # fmt: skip
    few = {**figures, "events": 12, "too_few": True, "interval": None}
    edge = {**figures, "rate": 0.61, "survives": True, "pays": True, "repeats": True, "edge": True}
    neutral = {
        **figures,
        "rate": None,
        "base_rate": None,
        "interval": None,
        "mean_size": 0.0009,
        "median_size": 0.0006,
        "base_size": 0.0008,
    }
    rows = [
        ("Hammer", "bullish", 5, "all", figures),
        ("Engulfing", "bearish", 5, "all", few),
        ("Harami", "bullish", 5, "all", edge),
        ("Doji", "neutral", 15, "all", neutral),
    ]
    with Writer(f"sqlite:///{(folder / 'tickstock.db').as_posix()}") as writer, writer.transaction() as batch:
        batch.insert_outcome_rows([(9_000, "1min", *row) for row in rows])
        batch.set_outcome_report("live", 9_000, HEADER)


def forget_report(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "tickstock.db")) as connection, connection:
        connection.execute("DELETE FROM outcome_reports")
        connection.execute("DELETE FROM outcome_rows")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, shared_redis: RedisServer) -> Iterator[WebApp]:
    folder = tmp_path_factory.mktemp("patterns")
    migrate(f"sqlite:///{(folder / 'tickstock.db').as_posix()}")
    write(folder, *patterns_and_alerts())
    made = WebApp(folder, shared_redis, feed_port=unused_port())
    yield made
    assert made.stop() == 0, made.process.output()


@pytest.fixture
def report(app: WebApp) -> Iterator[None]:
    """A report of outcomes is stored."""
    write_report(app.folder)
    yield
    forget_report(app.folder)


@contextmanager
def opened(chromium: Browser, app: WebApp, query: str = "", **options: Any) -> Iterator[PatternsPage]:
    """The page as on the Tuesday after the stored rows: its words name the year of another year's days."""
    with visiting(chromium, PatternsPage, **{"viewport": {"width": 1400, "height": 900}, **options}) as page:
        page.page.clock.set_fixed_time(NOW / 1000)
        page.page.goto(f"{app.url}/patterns{query}")
        yield page


def test_rows_say_what_when_where_and_how_good(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app, "?pattern=Hammer&symbol=AAPL") as page:
        page.wait_for_count("^1 pattern, all that match")
        page.wait_for_text("#table tbody tr", r"\d %\s+\d+ %\s+confirmed")
        row = re.sub(r"\s+", " ", page.text("#table tbody tr"))
        assert row.startswith("Fri, Nov 20 09:36 AAPL ▲Hammer bullish 1m regular 257.01 99 % ")
        around = "2.4 × the usual volume of its minutes · at the day’s low · after the trend it asks for · its bar was corrected"
        assert f"history {around}" in row
        link = page.page.locator("#table tbody a")
        assert link.get_attribute("href") == f"/dashboard?symbol=AAPL&timeframe=1min&at={BAR}"
        assert page.text("nav[aria-label=Pages] a[aria-current]") == "Patterns"
        assert page.requested == {f"127.0.0.1:{app.port}"}
        assert page.complaints == []


def test_pages_are_turned_both_ways_and_stand_in_the_address(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app, "?symbol=AAPL&pattern=Doji&limit=50") as page:
        page.wait_for_count("50 patterns shown, more follow")
        first = page.column("time")
        page.page.click("#next")
        page.wait_for_count("10 patterns shown, the last ones")
        second = page.column("time")
        write(
            app.folder,
            [a_pattern("AAPL", "Doji", BAR + 900 * MINUTE, direction="neutral", detection_timestamp=BAR + 901 * MINUTE)],
            [],
        )
        page.page.reload()
        page.wait_for_count("10 patterns shown, the last ones")
        assert page.column("time") == second
        page.page.click("#previous")
        page.wait_for_count("50 patterns shown, more before and after")
        assert page.column("time") == first
        page.page.click("#previous")
        page.wait_for_count("1 pattern shown, more follow")
        page.page.go_back()
        page.wait_for_count("50 patterns shown, more before and after")
        page.page.go_back()
        page.wait_for_count("10 patterns shown")
        page.page.go_back()
        page.wait_for_count("50 patterns shown, more follow")
        assert page.column("time")[1:] == first[:-1]  # the first page, with what came meanwhile
        assert page.query == "symbol=AAPL&pattern=Doji&limit=50"


def test_filters_stand_in_the_address_and_an_address_restores_them(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app) as page:
        page.wait_for_count("100 patterns shown, more follow")
        page.page.keyboard.press("/")
        assert page.page.evaluate("document.activeElement.id") == "symbol"
        page.page.keyboard.type("aapl")
        page.wait_for_text("#count", "61 patterns|62 patterns")
        page.page.select_option("[name=direction]", "bullish")
        page.page.select_option("[name=origin]", "history")
        page.page.fill("[name=quality_from]", "90")
        page.page.wait_for_url("**/patterns?symbol=AAPL&direction=bullish&origin=history&quality_from=0.9")
        page.wait_for_count("^1 pattern, all that match")
        with opened(chromium, app, f"?{page.query}") as other:
            other.wait_for_count("^1 pattern, all that match")
            assert other.page.input_value("#symbol") == "AAPL"
            assert other.page.input_value("[name=quality_from]") == "90"
            assert other.page.input_value("[name=origin]") == "history"
        page.page.go_back()
        page.page.go_back()
        page.page.go_back()
        page.wait_for_text("#count", "61 patterns|62 patterns")
        assert page.page.input_value("[name=direction]") == ""
        page.page.click("#clear")
        page.wait_for_count("100 patterns shown, more follow")
        assert page.query == ""
        assert page.complaints == []


def test_a_pattern_is_found_by_typing_and_a_family_taken_whole(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app) as page:
        page.page.wait_for_selector("#name:enabled")
        page.page.fill("#name", "head")
        page.page.keyboard.press("Enter")
        page.wait_for_text("#count", "^1 pattern")
        assert page.page.input_value("#name") == "Head and shoulders"
        assert page.query == "pattern=HeadShoulders"
        assert page.text("#table tbody .stands") == "forming"
        page.page.fill("#name", "candlesticks, rev")
        page.page.click("#names .whole")
        page.wait_for_text("#count", "^2 patterns")
        assert page.query == "family=candlestick_reversal"
        page.page.fill("#name", "nothing like it")
        assert page.page.locator("#names [role=option]").count() == 0
        page.page.keyboard.press("Escape")
        assert page.page.input_value("#name") == "Candlesticks, reversal"
        page.page.click("#name")
        page.page.keyboard.press("ArrowDown")
        page.page.keyboard.press("Enter")
        page.wait_for_text("#count", "^100 patterns")
        assert page.page.input_value("#name") == ""


def test_a_heading_sorts_and_says_how(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app, "?quality_from=0.85") as page:
        page.wait_for_count("patterns, all that match")
        assert page.headings()["Bar’s end (ET)"] == "descending"
        page.page.click("button[data-sort=quality]")
        page.page.wait_for_selector("th[aria-sort=descending] button[data-sort=quality]")
        page.wait_for_count("all that match")
        page.page.wait_for_function("() => document.querySelector('#table tbody').innerText.startsWith('Fri, Nov 20 09:36')")
        qualities = [int(text.split()[0]) for text in page.column("number:nth-child(8)")]
        assert qualities == sorted(qualities, reverse=True)
        page.page.click("button[data-sort=symbol]")
        page.page.wait_for_function("() => document.querySelector('#table tbody .ticker').innerText === 'AAPL'")
        page.wait_for_count("all that match")
        assert page.headings()["Symbol"] == "ascending"
        assert page.column("ticker") == sorted(page.column("ticker"))
        assert page.query == "quality_from=0.85&sort=symbol&order=asc"


def test_alerts_have_columns_of_their_own(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app, "?sort=pattern&order=asc&state=confirmed") as page:
        page.wait_for_count("100 patterns")
        page.page.check("[name=kind][value=alerts]", force=True)
        page.wait_for_count("^3 alerts, all that match")
        assert page.query == "kind=alerts&sort=alert&order=asc"
        assert page.column("around")[0] == "RSI_14 70.40 against 70.00"
        assert page.headings()["Alert"] == "ascending"
        assert not page.page.is_visible("[name=state]")
        page.page.fill("#symbol", "MSFT")
        page.wait_for_text("#count", "^1 alert,")


def test_times_are_new_yorks(chromium: Browser, app: WebApp) -> None:
    write(app.folder, [], [an_alert("TODAY", NOW, detection_timestamp=NOW)])
    with opened(chromium, app, "?kind=alerts") as page:
        page.wait_for_count("^4 alerts")
        page.page.select_option("[name=when]", "today")
        page.wait_for_text("#count", "^1 alert,")
        assert page.column("ticker") == ["TODAY"]
        assert page.query == "kind=alerts&when=today"
        page.page.select_option("[name=when]", "span")
        page.wait_for_text("#count", "^4 alerts")
        page.page.fill("[name=from]", "2026-11-20T09:37")
        page.page.fill("[name=to]", "2026-11-20T09:38")
        page.wait_for_text("#count", "^3 alerts")
        page.page.fill("[name=to]", "2026-11-20T09:30")
        page.wait_for_text("#problem", "from must be at or before `to`")
        page.page.click("#clear")
        page.wait_for_text("#count", "^4 alerts")
        assert page.page.is_hidden("#problem")


def test_markup_in_a_name_is_text(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app, "?quality_from=0.4&sort=symbol&order=asc") as page:
        page.page.wait_for_selector("#table tbody tr")
        names = page.column("ticker")
        assert MARKUP in names
        assert page.page.locator("#table img").count() == 0
        assert page.complaints == []
        page.page.locator("#table .symbol", has_text="img").click()
        page.wait_for_text("#problem", "symbol must be a ticker")
        assert page.page.get_attribute("main", "data-old") == "yes"


def test_the_file_is_what_the_list_shows_and_safe_in_a_spreadsheet(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app, "?pattern=Doji&quality_from=0.3&order=asc&limit=50") as page:
        page.wait_for_count("50 patterns shown, more follow")
        first = page.column("ticker")
        with page.page.expect_download() as waiting:
            page.page.click("#file")
        assert re.fullmatch(r"tickstock-patterns-\d{4}-\d\d-\d\d\.csv", waiting.value.suggested_filename)
        rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_bytes().decode(), newline="")))
        assert [row["symbol"] for row in rows[:50]] == first
        assert len(rows) > 100
        assert rows[0]["bar_time"].endswith("Z")
        (formula,) = [row["symbol"] for row in rows if "cmd" in row["symbol"]]
        assert formula == "'=cmd|'/C calc'!A0"


def test_a_database_that_is_away_is_said_and_what_was_read_stays(
    chromium: Browser, tmp_path: Path, shared_redis: RedisServer
) -> None:
    migrate(f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}")
    app = WebApp(tmp_path, shared_redis, feed_port=unused_port())
    try:
        with opened(chromium, app) as page:
            page.wait_for_text("#empty", "No pattern is stored yet. TickStockPL stores")
            write(tmp_path, *patterns_and_alerts())
            page.page.click("#refresh")
            page.wait_for_count("100 patterns")
            rename(tmp_path, "intraday_patterns", "elsewhere")
            page.page.select_option("[name=direction]", "bullish")
            page.wait_for_text(
                "#problem", r"Not readable since \d\d:\d\d:\d\d ET: .*; trying again every 5 s\. What is shown was read at"
            )
            assert page.page.locator("#table tbody tr").count() == 100
            assert page.page.get_attribute("main", "data-old") == "yes"
            rename(tmp_path, "elsewhere", "intraday_patterns")
            page.wait_for_count("^4 patterns, all that match")
            assert page.page.is_hidden("#problem")
            assert page.page.get_attribute("main", "data-old") is None
            app.process.kill()
            page.page.select_option("[name=direction]", "")
            page.wait_for_text("#problem", "TickStock cannot be reached")
            app.start()
            page.wait_for_count("100 patterns")
    finally:
        assert app.stop() == 0, app.process.output()


def rename(folder: Path, table: str, to: str) -> None:
    connection = sqlite3.connect(folder / "tickstock.db")
    connection.execute(f"ALTER TABLE {table} RENAME TO {to}")
    connection.close()


def test_outcomes_say_no_more_than_the_tests(chromium: Browser, app: WebApp, request: pytest.FixtureRequest) -> None:
    with opened(chromium, app) as page:
        page.wait_for_count("100 patterns")
        page.page.click("[data-view=outcomes]")
        page.wait_for_text("#empty", "No report has been computed yet: TickStockPL does so a minute after its start")
        assert page.query == "view=outcomes"
        request.getfixturevalue("report")
        page.page.click("#refresh")
        page.wait_for_count("^3 rows, all that match")
        words = page.text("#report-words")
        for each in ("25 days, 2026-10-19 to 2026-11-20", "neither history", "those watched when", "Delisted ones are missing"):
            assert each in words
        assert "4 rows were computed, 3 of them had enough events and days to be tested, 1 is called an edge" in words
        verdicts = dict(zip(page.column("name .detected"), page.column("verdict"), strict=False))
        assert verdicts == {"▼Engulfing": "too few", "▲Hammer": "no difference found", "▲Harami": "edge"}
        row = re.sub(r"\s+", " ", page.page.locator("#table tbody tr", has_text="Hammer").inner_text())
        assert "400 52.5 % 50.0 % +2.5 95 %: −0.5 to +5.5 +0.040 % −0.010 % after cost +0.020 % −0.030 % after cost" in row
        page.page.click("button[data-sort=rate]")
        page.page.wait_for_function("() => document.querySelector('#table tbody tr').innerText.includes('Harami')")
        assert page.headings()["Hit rate"] == "descending"
        page.page.select_option("[name=horizon]", "")
        page.wait_for_count("^4 rows")
        assert "moved 0.090 %" in page.page.locator("#table tbody tr", has_text="Doji").inner_text()
        page.page.go_back()
        page.page.go_back()
        page.page.go_back()
        page.wait_for_count("100 patterns")
        assert page.complaints == []


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?view=outcomes&horizon=any"])
def test_the_page_is_accessible(chromium: Browser, app: WebApp, theme: str, query: str) -> None:
    with opened(chromium, app, query, color_scheme=theme) as page:
        page.wait_for_count("patterns shown|rows, all")
        page.page.wait_for_selector("#name:enabled")
        assert violations(page.page) == []
        if not query:
            page.page.click("#name")
            page.page.keyboard.press("ArrowDown")
            assert violations(page.page) == []


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize("query", ["", "?kind=alerts", "?view=outcomes&horizon=any"])
def test_a_phone_shows_cards_without_sideways_scrolling(chromium: Browser, app: WebApp, query: str) -> None:
    with opened(chromium, app, query, viewport={"width": 320, "height": 640}) as page:
        page.wait_for_count(r"\d")
        page.page.click("#fold-title")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 320
        small = page.page.evaluate("""() => [...document.querySelectorAll("main :is(button, select, a, summary, input:not([type=radio]))")]
            .filter((each) => each.offsetParent && (each.offsetWidth < 24 || each.offsetHeight < 24))
            .map((each) => each.outerHTML)""")  # noqa: E501
        assert small == []
        wide = page.page.evaluate("""() => [...document.querySelectorAll("#table tbody td, #table tbody th")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth).length""")
        assert wide == 0
        assert violations(page.page) == []


def test_everything_is_reached_by_the_keyboard(chromium: Browser, app: WebApp) -> None:
    with opened(chromium, app) as page:
        page.wait_for_count("100 patterns")
        page.page.wait_for_selector("#name:enabled")
        page.page.focus(".views a")
        reached: list[str] = []
        while not reached or reached[-1] not in ("next", "BODY"):
            page.page.keyboard.press("Tab")
            reached.append(str(page.page.evaluate(FOCUSED)))
            assert len(reached) < 300
        assert set(CONTROLS) <= set(reached)
        page.page.keyboard.press("Enter")
        page.wait_for_text("#count", "the last ones|more before")
        wait_until(lambda: page.page.evaluate("document.activeElement.id") == "next", "the focus stays")
