"""The Health page in a real Chromium: against a whole app, and while Redis, the database and the app itself go away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.web.axe import violations
from tests.web.conftest import World
from tests.web.open_page import MARKUP, OpenPage, visiting
from tests.web.services import KEY, a_report, wait_until
from tests.web.test_page_modules import modules, run
from tickstock import contract
from tickstock.database.writers import Writer
from tickstock.market_hours import now_ms
from tickstock.settings import Settings
from tickstock.web.system import system_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

__all__ = ["modules"]

STAGES = (
    "feed", "market", "recorder", "forwarder", "redis", "database", "subscriber", "engine", "writer", "publisher",
    "results", "sockets", "browsers",
)  # fmt: skip
MINUTE = 60_000


class HealthPage(OpenPage):
    """The page, and what stands on its cards."""

    def card(self, stage: str) -> str:
        return self.text(f"[data-stage={stage}]")

    def wait_for_state(self, stage: str, word: str, seconds: float = 30) -> str:
        return self.wait_for_text(f"[data-stage={stage}] .state", f"^{word}$", seconds)

    @property
    def faults(self) -> list[str]:
        """What it complained about, without the browser's own word on a /health that answers 503 or not at all."""
        return [each for each in self.complaints if not each.startswith("Failed to load resource")]


@contextmanager
def opened(
    chromium: Browser, world: World, path: str = "/status", before: Callable[[Page], None] | None = None, **options: Any
) -> Iterator[HealthPage]:
    with visiting(chromium, HealthPage, **{"viewport": {"width": 1400, "height": 900}, **options}) as page:
        if before is not None:
            before(page.page)
        page.page.goto(world.app.url + path)
        yield page


@contextmanager
def reporting(world: World, status: str = "healthy", issues: list[str] | None = None) -> Iterator[None]:
    """TickStockPL reports again and again: one report counts for 12 s only."""
    ended = Event()

    def report() -> None:
        while not ended.is_set():
            world.streaming.health(status, issues)
            ended.wait(2)

    world.streaming.health(status, issues)
    thread = Thread(target=report)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_every_stage_is_told_by_a_word_with_its_figures_and_their_age(chromium: Browser, world: World) -> None:
    with reporting(world), opened(chromium, world) as page:
        for stage in STAGES:
            page.wait_for_state(stage, "OK")
            assert re.search(r"figures \d+ s old", page.card(stage))
        assert page.text("nav a[aria-current=page]") == "Health"
        page.wait_for_text("#overall", "^Healthy$")
        page.wait_for_text("#checked", r"answered \d s ago")
        page.wait_for_text("[data-stage=market]", r"[1-9][\d,.]* a second")
        page.wait_for_text("[data-stage=recorder]", r"wait in memory\s+[\d,]+ of 1,000,000")
        page.wait_for_text("[data-stage=forwarder]", r"wait in memory\s+[\d.]+ K?B of 256.0 MB")
        page.wait_for_text("[data-stage=redis]", r"[\d.]+ ms\s+round trip")
        page.wait_for_text("[data-stage=redis]", r"log of ticks\s+[\d.]+ [KM]B of 256.0 MB")
        page.wait_for_text("[data-stage=database]", r"SQLite \d+\.\d+.*\s+schema revision\s+\w+")
        page.wait_for_text("[data-stage=subscriber]", r"lag p50 / p99\s+3.0 ms / 18 ms")
        page.wait_for_text("#version-rows", r"Python\s+CPython 3\.\d+")
        page.wait_for_text("#version-rows", r"socket.io-client \(browser\)\s+4\.")
        page.wait_for_text("#gaps-note", r"No gap is on record.*Read \d+ s ago")
        page.wait_for_text("#match-note", "Not compared yet")
        page.wait_for_text("#outcomes-note", "No report has been computed yet")
        page.wait_for_text("#time", r"^\d\d:\d\d:\d\d ET$")
        line = page.page.locator("[data-stage=market] .sparkline polyline").first
        points = line.get_attribute("points")
        wait_until(lambda: page.page.wait_for_timeout(100) or line.get_attribute("points") != points, "the history grows")
        words = page.page.locator("[data-stage=market] .sparkline").get_attribute("aria-label")
        assert re.search(r"lowest [\d,.]+ a second, highest [\d,.]+ a second", str(words))
        assert page.requested == {f"127.0.0.1:{world.app.port}"}
        assert page.faults == []


def test_an_issue_of_tickstockpl_stands_at_the_part_that_it_is_about(chromium: Browser, world: World) -> None:
    with reporting(world, "degraded", ["the database is away: 7 minutes wait to be stored"]), opened(chromium, world) as page:
        page.wait_for_state("writer", "Degraded")
        assert "7 minutes wait to be stored" in page.card("writer")
        assert page.text("[data-stage=engine] .state") == "OK"
        page.wait_for_text("#issues", "TickStockPL: the database is away")
        page.wait_for_text("#overall", "Degraded|Down")


def test_gaps_are_listed_with_cause_repair_and_loss(chromium: Browser, world: World) -> None:
    began = now_ms() - 60 * MINUTE
    writer = Writer(f"sqlite:///{(world.folder / 'tickstock.db').as_posix()}")
    with writer.transaction() as batch:
        batch.upsert_gap(f"feed:{began}", began, began + 2 * MINUTE, "the feed was away", "minute bars from REST")
        batch.upsert_gap("bus:run:7", began + 5 * MINUTE, began + 6 * MINUTE, MARKUP, lost="3 ticks")
        batch.upsert_gap("feed:3", began + 9 * MINUTE, None, "the app was killed")
    writer.close()
    with opened(chromium, world) as page:
        page.wait_for_text("#gaps-note", r"3 gaps on record: 1 wait for repair, 1 with something lost\. Read \d+ s ago")
        newest, lost, repaired = page.page.locator("#gap-rows tr").all_inner_texts()
        assert re.search(r"not ended\s+not ended\s+the app was killed\s+waits\s+not known yet", newest)
        assert MARKUP in lost
        assert re.search(r"60 s\s+.*not possible\s+3 ticks", lost, re.DOTALL)
        assert re.search(r"ET\s+2 m|ET\s+120 s", repaired) or "2 m" in repaired
        assert "minute bars from REST" in repaired
        assert page.page.locator("#gap-rows img").count() == 0


def test_the_agreement_with_the_vendor_is_told_field_by_field(chromium: Browser, world: World) -> None:
    compared = {
        "day": "2026-11-20", "symbols": 70, "bars": 27_300, "missing": 4, "extra": 1, "corrected": 31, "waiting": 2,
        "match": {"open": 1.0, "high": 0.9991, "low": 0.9987, "close": 0.99954, "volume": 0.9521},
    }  # fmt: skip
    days = {"day": "2026-11-20", "state": "provisional", "provisional": 3}
    report = msgspec.structs.replace(a_report(), reconciliation=compared, day_bars=days, waiting={"minutes_to_store": 7})
    world.streaming.client.publish(contract.HEALTH_CHANNEL, contract.encode(report))
    with opened(chromium, world) as page:
        page.wait_for_text(
            "#match-note", "2026-11-20: 27,300 bars of 70 symbols compared; 4 were missing here, 1 only here, 31 corrected; 2"
        )
        assert "Day bars of 2026-11-20: provisional, 3 still made from ticks." in page.text("#match-note")
        assert re.search(r"minutes wait to be stored\s+! 7", page.card("writer"))
        assert re.search(r"open\s+100.00 %", page.text("#match-rows"))
        assert re.search(r"volume\s+95.21 %", page.text("#match-rows"))


def test_secrets_never_leave_the_server(chromium: Browser, world: World) -> None:
    with opened(chromium, world, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.wait_for_text("#setting-rows", r"MASSIVE_API_KEY\s+set, not shown")
        page.page.uncheck("#only-changed")
        page.wait_for_text("#setting-rows", r"TICKSTOCK_LOG_LEVEL\s+INFO\s+default")
        page.wait_for_text("#settings-note", r"(\d+) settings, \1 shown")
        page.wait_for_state("market", "OK")
        page.page.click("#copy")
        page.wait_for_text("#copy-said", r"Copied: \d+ lines")
        copied = page.page.evaluate("navigator.clipboard.readText()")
        assert page.page.is_hidden("#copy-panel")
        for said in (copied, page.page.content(), str(world.app.get("/api/system")), str(world.app.get("/health"))):
            assert KEY not in said
            assert world.redis.url not in said
        assert "Market data: OK" in copied
        assert re.search(r"^Python: CPython 3", copied, re.MULTILINE)
        assert "TICKSTOCK_PORT: " in copied


def test_without_permission_to_copy_the_text_is_shown_and_selected(chromium: Browser, world: World) -> None:
    refuse = "navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    with opened(chromium, world, before=lambda page: page.add_init_script(refuse)) as page:
        page.wait_for_state("market", "OK")
        page.page.focus("#copy")
        page.page.keyboard.press("Enter")
        page.wait_for_text("#copy-said", "press Ctrl")
        area = "document.querySelector('#copy-text')"
        assert page.page.evaluate(f"document.activeElement === {area}")
        assert page.page.evaluate(f"{area}.selectionEnd - {area}.selectionStart === {area}.value.length")
        assert "Market data: OK" in page.page.input_value("#copy-text")
        page.page.keyboard.press("Tab")
        page.page.keyboard.press("Enter")
        assert page.page.is_hidden("#copy-panel")
        assert page.page.evaluate("document.activeElement.id") == "copy"


def test_before_the_first_answer_it_says_that_it_asks_and_then_since_when_in_vain(chromium: Browser, world: World) -> None:
    held: list[Route] = []
    with opened(chromium, world, before=lambda page: page.route("**/health", lambda route: held.append(route))) as page:
        wait_until(lambda: page.page.wait_for_timeout(50) or held, "the page asks")
        assert page.text("#overall") == "Asking TickStock"
        for stage in STAGES:
            assert page.text(f"[data-stage={stage}] .state") == "Not reported"
            assert "no figures yet" in page.card(stage)
        held.pop(0).abort()
        page.wait_for_text(
            "#unreachable", r"does not answer since \d\d:\d\d:\d\d ET \(no connection\).*Nothing has been read yet"
        )
        assert page.text("#overall") == "No answer"


def test_an_answer_that_was_under_way_when_it_was_paused_changes_nothing(chromium: Browser, world: World) -> None:
    with opened(chromium, world) as page:
        page.wait_for_state("market", "OK")
        held: list[Route] = []
        page.page.route("**/health", lambda route: held.append(route))
        wait_until(lambda: page.page.wait_for_timeout(30) or held, "a question is under way")
        page.page.keyboard.press("Space")
        page.wait_for_text("#checked", "paused at")
        answer = json.dumps(world.app.get("/health")[1] | {"time": now_ms() + 60_000})
        before = page.text("#path")
        held[0].fulfill(body=re.sub(r"(?<=[:,] )\d+", "777777", answer), content_type="application/json")
        page.page.unroute("**/health")
        page.page.wait_for_timeout(1500)  # longer than between two drawings
        assert "777,777" not in page.text("#path") and "777,777" not in before
        page.page.keyboard.press("Space")
        page.wait_for_text("#checked", "answered [01] s")
        page.wait_for_state("market", "OK")


def test_it_can_be_paused_and_used_with_the_keyboard_alone(chromium: Browser, world: World) -> None:
    with opened(chromium, world) as page:
        page.wait_for_state("market", "OK")
        page.page.keyboard.press("Space")
        page.wait_for_text("#checked", "paused at")
        shown = page.text("#path")
        page.page.wait_for_timeout(3000)
        assert re.sub(r"figures \d+ s old", "", page.text("#path")) == re.sub(r"figures \d+ s old", "", shown)
        page.page.keyboard.press("Space")
        page.wait_for_text("#checked", "answered")
        reached = []
        for _ in range(12):
            page.page.keyboard.press("Tab")
            reached.append(page.page.evaluate("document.activeElement.id || document.activeElement.textContent"))
            outline = page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", reached
            if reached[-1] == "only-changed":
                break
        reached = [each for each in reached if each != "Patterns"]
        assert reached == [
            "Skip to the stages", "Live Streaming", "Health", "About", "help-open", "settings-open", "pause", "copy",
            "only-changed",
        ]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "ready"), [("/status", "#version-rows tr"), ("/about", "#main"), ("/dashboard", "#signals-title")]
)
def test_the_pages_are_accessible_in_both_themes_and_flow_into_a_narrow_screen(
    chromium: Browser, world: World, path: str, ready: str, theme: str
) -> None:
    issues = ["Redis is away: 3 minutes wait to be published"]
    look: dict[str, Any] = {"color_scheme": theme, "reduced_motion": "reduce"}
    with reporting(world, "degraded", issues), opened(chromium, world, path, **look) as page:
        page.page.wait_for_selector(ready)
        if path == "/status":
            page.wait_for_state("publisher", "Degraded")
        assert violations(page.page) == []
        page.page.set_viewport_size({"width": 320, "height": 800})
        page.page.wait_for_function("document.documentElement.scrollWidth <= 320")  # the chart follows a frame later
        if theme == "light":  # colours do not depend on the width
            assert violations(page.page) == []
        assert page.page.evaluate("document.getAnimations().length") == 0
        small = page.page.evaluate(
            """[...document.querySelectorAll("button, nav a, input, select")]
               .filter((each) => each.offsetHeight && Math.max(each.offsetHeight, each.parentElement.offsetHeight) < 24)
               .map((each) => each.outerHTML)"""
        )
        assert small == []
        assert page.faults == []


def test_what_goes_away_is_told_and_comes_back(chromium: Browser, tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        world.streaming.health()
        with opened(chromium, world) as page:
            page.wait_for_state("results", "OK")
            page.wait_for_state("forwarder", "OK")
            world.redis.kill()
            for stage in ("redis", "forwarder", "results"):
                page.wait_for_state(stage, "Down")
            assert "ticks wait" in page.card("forwarder")
            page.wait_for_text("[data-stage=forwarder]", r"Redis was away\s+1 times")
            page.wait_for_text("[data-stage=redis]", "not known while it does not answer")
            page.wait_for_text("#overall", "^Down$")
            page.wait_for_text("#issues", "Redis: does not answer")
            page.wait_for_state("market", "OK")
            world.redis.start()
            for stage in ("redis", "forwarder", "results"):
                page.wait_for_state(stage, "OK")

            stored = tmp_path / "tickstock.db"
            kept = tmp_path / "kept"
            for file in tmp_path.glob("tickstock.db*"):
                kept.mkdir(exist_ok=True)
                file.rename(kept / file.name)
            stored.mkdir()
            page.wait_for_state("database", "Down")
            page.wait_for_text("#gaps-note", "Not readable since")
            stored.rmdir()
            for file in kept.iterdir():
                file.rename(tmp_path / file.name)
            page.wait_for_state("database", "OK")

            ticks = whole(page.text("[data-stage=market] dd"))
            world.app.process.kill()
            page.wait_for_text(
                "#unreachable", r"does not answer since \d\d:\d\d:\d\d ET \(no connection\).*What is shown is from"
            )
            page.wait_for_text("#overall", "^No answer$")
            page.wait_for_state("market", "Unknown, was OK")
            assert whole(page.text("[data-stage=market] dd")) >= ticks
            assert page.page.get_attribute("#main", "data-stale") == "yes"
            assert violations(page.page) == []
            world.app.start()
            page.wait_for_state("market", "OK")
            page.wait_for_text("#app-line", "1 restarts since this page was opened")
            assert page.page.is_hidden("#unreachable")
            assert page.faults == []
    finally:
        world.close()


def whole(figure: str) -> int:
    return int(figure.replace(",", ""))


# --- settings -------------------------------------------------------------------------------------------------------


def test_no_secret_setting_and_no_password_in_a_url_is_told() -> None:
    secret = "s3cret-of-the-test"
    settings = Settings(
        massive_api_key=secret,
        redis_url=f"redis://:{secret}@h:1/0",
        database_url=f"postgresql://u:{secret}@h/d",
        feed_url=f"wss://u:{secret}@feed.example/stocks?key={secret}",
    )
    report = system_report(settings, 0)
    assert secret not in str(report)
    shown = {each["name"]: each for each in report["settings"]}
    assert shown["MASSIVE_API_KEY"]["value"] == "set, not shown"
    assert shown["TICKSTOCK_FEED_URL"]["value"] == "wss://feed.example/stocks"
    assert (shown["TICKSTOCK_PORT"]["value"], shown["TICKSTOCK_PORT"]["default"]) == ("5000", True)
    assert {each["value"] for each in system_report(Settings(), 0)["settings"] if each["name"] == "MASSIVE_API_KEY"} == {
        "not set"
    }


# --- the page's pure modules ----------------------------------------------------------------------------------------


def test_a_rate_is_measured_over_its_window_and_begins_again_with_the_counter(modules: Page) -> None:
    found = run(
        modules,
        "health/sample_history",
        """const rates = new m.Rates(10000);
           const rate = (second, total) => rates.perSecond("a", second * 1000, total);
           return [rate(0, 100), rate(2, 300), rate(4, 500), rate(20, 500), rate(30, 500), rate(32, 40), rate(34, 60),
                   rate(36, undefined), rate(38, 70)];""",
    )
    assert found == [None, 100, 100, pytest.approx(0, abs=25), 0, None, 10, None, None]


def test_a_history_forgets_what_is_old_and_keeps_holes(modules: Page) -> None:
    found = run(
        modules,
        "health/sample_history",
        """const history = new m.SampleHistory(10000);
           for (const second of [0, 1, 5, 12, 13]) history.add(second * 1000, second === 12 ? null : second);
           history.add(13500, NaN);
           return [history.samples, history.values];""",
    )
    assert [sample["time"] for sample in found[0]] == [5000, 12000, 13000, 13500]
    assert found[1] == [5, 13]


def test_a_line_is_broken_where_nothing_is_known(modules: Page) -> None:
    found = run(
        modules,
        "health/sparkline",
        """const at = (time, value) => ({time, value});
           const all = [at(-5, 9), at(0, 0), at(50, 10), at(60, null), at(100, 5)];
           return [m.stretches(all, 100, 100), m.stretches([], 100, 100), m.described([], "ticks", String),
                   m.described([3, 1], "ticks", String)];""",
    )
    lines, none, unknown, known = found
    assert len(lines) == 2
    assert [point.split(",")[0] for point in lines[0].split()] == ["0.0", "100.0"]
    assert lines[1].split()[0].startswith("200.0,")
    heights = [float(point.split(",")[1]) for point in lines[0].split()]
    assert heights[0] > heights[1] > 0
    assert (none, "nothing measured" in unknown) == ([], True)
    assert known.endswith("lowest 1, highest 3")


def test_a_report_without_a_stage_still_shows_every_stage(modules: Page) -> None:
    found = run(
        modules,
        "health/stages",
        """const {Rates} = await import("/static/js/health/sample_history.js");
           const told = (stage) => [stage.id, stage.word, stage.level, stage.age];
           const of = (report) => m.stagesOf(report, new Rates(), new Rates()).map(told);
           return [of(null), of({time: 5, stages: {redis: {status: "odd", detail: "x", age_ms: 3}}})];""",
    )
    assert [each[0] for each in found[0]] == list(STAGES)
    assert {tuple(each[1:]) for each in found[0]} == {("Not reported", "wait", None)}
    assert {each[0]: each[1:] for each in found[1]}["redis"] == ["odd", "wait", 3]


@pytest.mark.parametrize(
    ("issue", "part"),
    [
        ("the database is away: 3 minutes wait to be stored", "writer"),
        ("4 minutes could not be stored", "writer"),
        ("Redis is away: 3 minutes wait to be published", "publisher"),
        ("not subscribed to Redis", "subscriber"),
        ("the feed is silent: 4 s", "subscriber"),
        ("no feed status yet: the app has not published anything", "subscriber"),
        ("catching up with the log of ticks", "subscriber"),
        ("warming up: history is being loaded", "engine"),
        ("something that nobody has written yet", "engine"),
    ],
)
def test_each_issue_of_tickstockpl_belongs_to_a_part(modules: Page, issue: str, part: str) -> None:
    assert run(modules, "health/stages", "return m.partNamed(argument);", issue) == part
