"""The states of the Live Streaming page, each brought about for real: silence, restarts, a closed market, a replay."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers import RedisServer
from tests.web.conftest import World
from tests.web.open_page import HIDDEN, OpenPage, opened, visiting
from tests.web.services import KEY, Process, Simulator, Streaming, WebApp, a_pattern, wait_until
from tickstock.database.migrate import migrate
from tickstock.market_hours import ExchangeCalendar, now_ms

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@contextmanager
def speaking(world: World) -> Iterator[threading.Event]:
    """TickStockPL's voice every two seconds, until the event is set."""
    silence = threading.Event()

    def speak() -> None:
        while not silence.wait(2):
            world.streaming.health()

    world.streaming.health()
    voice = threading.Thread(target=speak)
    voice.start()
    try:
        yield silence
    finally:
        silence.set()
        voice.join()


def test_live_then_degraded_while_pl_is_silent_and_ticks_go_on(chromium: Browser, world: World) -> None:
    with speaking(world) as silence, opened(chromium, world) as page:
        page.wait_for_text("#page-state", "^LIVE$")
        assert page.text("#source-badge") == "SIMULATED"
        page.wait_for_text("#pixel-latency", r"^\d+ ms p99$")
        assert "half within" in str(page.page.get_attribute("#pixel-latency", "title"))
        silence.set()
        page.wait_for_text("#page-state", "^DEGRADED$", 20)
        page.wait_for_text("#banners", "TickStockPL is down since .*: ticks go on")
        prices = page.text("#watch-rows")
        wait_until(lambda: page.text("#watch-rows") != prices, "prices go on")
        world.streaming.health()
        page.wait_for_text("#page-state", "^LIVE$")
        assert page.complaints == []


def test_a_feed_that_falls_silent_is_said_within_four_seconds(chromium: Browser, world: World) -> None:
    with speaking(world), opened(chromium, world) as page:
        page.wait_for_text("#page-state", "^LIVE$")
        world.simulator.process.child.send_signal(signal.SIGSTOP)  # connected, and not a word
        stopped = now_ms()
        try:
            stale = "() => document.querySelector('#page-state').innerText === 'STALE' && Date.now()"  # the page's own time of it
            said = page.page.wait_for_function(stale, timeout=10_000).json_value() - stopped
            page.wait_for_text("#banners", r"STALE: the feed is (silent|away) since \d\d:\d\d:\d\d ET")
            page.wait_for_text("#symbols-summary", " 0 fresh")
            assert page.text("#health-state") != ""
        finally:
            world.simulator.process.child.send_signal(signal.SIGCONT)
        assert said <= 4000 + 1000  # and the second that reading it may take here
        page.wait_for_text("#page-state", "^LIVE$", 30)
        page.wait_for_text("#banners", "^$")


def test_a_web_process_that_hangs_is_stale_and_one_that_restarts_is_reconnected(chromium: Browser, own_world: World) -> None:
    world = own_world
    with speaking(world), opened(chromium, world) as page:
        page.wait_for_text("#page-state", "^LIVE$")
        world.app.process.child.send_signal(signal.SIGSTOP)
        try:
            page.wait_for_text("#page-state", "^STALE$", 8)
            page.wait_for_text("#banners", "No word from TickStock since")
            assert page.text("#pixel-latency") == page.text("#tick-rate") == ""
        finally:
            world.app.process.child.send_signal(signal.SIGCONT)
        page.wait_for_text("#page-state", "^LIVE$")
        world.app.process.kill()
        page.wait_for_text("#page-state", "^RECONNECTING$")
        world.streaming.minute(patterns=[a_pattern("AAPL", "Engulfing", quality=1.0)], publish=False)
        world.app.start()
        page.wait_for_text("#page-state", "^LIVE$", 30)
        page.wait_for_text("#signal-rows", "Engulfing")


def test_a_hidden_tab_is_live_again_when_it_is_seen_and_measures_nothing_of_its_absence(chromium: Browser, world: World) -> None:
    with speaking(world), opened(chromium, world) as page:
        page.wait_for_text("#pixel-latency", r"\d+ ms")
        page.page.evaluate(HIDDEN % "true")
        page.page.wait_for_timeout(5000)
        page.page.evaluate(HIDDEN % "false")
        page.wait_for_text("#page-state", "^LIVE$")
        page.wait_for_text("#pixel-latency", r"^\d{1,4} ms p99$")
        assert page.complaints == []


def test_paused_is_said_and_the_link_goes_on(chromium: Browser, world: World) -> None:
    with speaking(world), opened(chromium, world) as page:
        page.wait_for_text("#page-state", "^LIVE$")
        page.page.click("#pause")
        page.wait_for_text("#paused-badge", "PAUSED")
        page.wait_for_text("#page-state", "^LIVE$")
        page.page.click("#pause")
        page.page.wait_for_selector("#paused-badge", state="hidden")


def test_before_anything_is_heard_the_page_is_connecting(chromium: Browser, world: World) -> None:
    with visiting(chromium) as page:
        page.page.route("**/socket.io/**", lambda route: route.abort())
        page.page.context.route_web_socket("**/*", lambda socket: socket.close())
        page.page.goto(f"{world.app.url}/dashboard")
        page.wait_for_text("#page-state", "^CONNECTING$")
        assert page.text("#feed-state") == "Connecting"


class VirtualMarket(Simulator):
    """The simulator with further arguments: a day of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.arguments = arguments
        super().__init__(folder)

    def start(self) -> None:
        """Start it and wait until its port answers."""
        command = ("-m", "tickstock.simulator", "--port", str(self.port), "--rest-port", "0", "--key", KEY, *self.arguments)
        self.process = Process(self._folder / "simulator.log", *command)
        wait_until(lambda: "ready" in self.process.output(), "the simulator is ready")


class Elsewhere:
    """A world with settings of its own."""

    def __init__(self, folder: Path, *market: str, **settings: str) -> None:
        migrate(f"sqlite:///{(folder / 'tickstock.db').as_posix()}")
        self.redis = RedisServer()
        self.simulator = VirtualMarket(folder, *market)
        self.app = WebApp(folder, self.redis, feed_port=self.simulator.port, **settings)
        self.streaming = Streaming(self.redis)

    def close(self) -> None:
        self.streaming.close()
        self.app.stop()
        self.simulator.stop()
        self.redis.kill()


@contextmanager
def page_of(chromium: Browser, folder: Path, *market: str, **settings: str) -> Iterator[OpenPage]:
    world = Elsewhere(folder, *market, **settings)
    try:
        with visiting(chromium) as page:
            page.page.goto(f"{world.app.url}/dashboard")
            yield page
    finally:
        world.close()


def test_delayed_data_is_always_said(chromium: Browser, tmp_path: Path) -> None:
    with page_of(chromium, tmp_path, TICKSTOCK_DELAY_SECONDS="900") as page:
        page.wait_for_text("#delay-badge", "^DELAYED 15 min$")
        assert page.text("#source-badge") == "SIMULATED"


def test_a_replay_is_said_with_its_clock(chromium: Browser, tmp_path: Path) -> None:
    replay = {"TICKSTOCK_FEED": "replay", "TICKSTOCK_FEED_CLOCK": "events", "TICKSTOCK_CALENDAR": "exchange"}
    with page_of(chromium, tmp_path, "--start", "2026-11-20T10:30", **replay) as page:
        page.wait_for_text("#source-badge", "^REPLAY$")
        page.wait_for_text("#time", r"^2026-11-20 10:3\d:\d\d ET$")
        assert page.text("#session") == "REGULAR"


def test_outside_the_exchanges_hours_the_page_is_closed_greyed_and_says_when_it_opens(chromium: Browser, tmp_path: Path) -> None:
    if any(ExchangeCalendar().session_at(now_ms() + ahead) is not None for ahead in (0, 120_000)):
        pytest.skip("the exchange is open now, or opens before the test is over")
    with page_of(chromium, tmp_path, TICKSTOCK_CALENDAR="exchange") as page:
        page.wait_for_text("#page-state", "^CLOSED$")
        page.wait_for_text("#banners", r"Market closed\. It opens \w+, \w+ \d+ at \d\d:\d\d ET; prices are of the last session")
        assert page.text("#session") == "CLOSED"
        muted = page.page.evaluate("getComputedStyle(document.querySelector('.panel .note')).color")
        page.page.wait_for_function(
            "(muted) => [...document.querySelectorAll('#watch-rows td')].some((cell) => getComputedStyle(cell).color === muted)",
            arg=muted,
        )


def test_times_are_new_yorks_or_the_browsers_and_say_which(chromium: Browser, world: World) -> None:
    world.streaming.health()
    with opened(chromium, world, timezone_id="Europe/Berlin") as page:
        page.wait_for_text("#time", r"^\d\d:\d\d:\d\d ET$")
        page.page.click("#settings-open")
        page.wait_for_text("#browser-zone", r"Europe/Berlin \(CES?T\)")
        page.page.check("input[name=zone][value=browser]")
        page.wait_for_text("#zone-note", "loaded anew")
        with page.page.expect_navigation():
            page.page.keyboard.press("Escape")
        page.wait_for_text("#feed-state", "Active")
        page.wait_for_text("#time", r"^\d\d:\d\d:\d\d CES?T$")
        world.streaming.minute(patterns=[a_pattern("AAPL", quality=1.0)])
        page.wait_for_text("#signal-rows", "AAPL")
        assert " ET" not in page.text("body")
        page.page.goto(f"{world.app.url}/status")
        page.wait_for_text("#time", r"^\d\d:\d\d:\d\d CES?T$")
        assert " ET" not in page.text("body")


@pytest.mark.parametrize("palette", ["safe", "classic"])
def test_the_palette_is_there_before_the_first_paint_and_other_tabs_follow(chromium: Browser, world: World, palette: str) -> None:
    colours = {"safe": "#0072b2", "classic": "#17703f"}
    up = "getComputedStyle(document.documentElement).getPropertyValue('--up')"
    with opened(chromium, world) as page:
        other = OpenPage(page.page.context.new_page())
        other.page.goto(f"{world.app.url}/about")
        page.page.click("#settings-open")
        page.page.check(f"input[name=palette][value={palette}]")
        assert page.page.evaluate(up) == colours[palette]
        other.page.wait_for_function(f"(wanted) => {up} === wanted", arg=colours[palette])
        page.page.add_init_script(f"requestAnimationFrame(() => {{ window.first = {up}; }})")
        page.page.reload()
        page.page.wait_for_function("(wanted) => window.first === wanted", arg=colours[palette])
