"""Sound and desktop notifications in a real Chromium: what sounds, what does not, and that nothing is told twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.axe import violations
from tests.web.conftest import World
from tests.web.open_page import MARKUP, OpenPage
from tests.web.services import a_pattern, an_alert, wait_until
from tickstock.contract import PATTERNS_CHANNEL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHOSEN = ("Hammer", "Engulfing", "HeadShoulders", "RSI_OVERBOUGHT", "ShortLine")
RECORD = """
window.told = [];
window.tones = [];
window.Notification = class extends Notification {
    constructor(title, options) { super(title, options); told.push({title, ...options}); }
};
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (when) { tones.push(this.frequency.value); return start.call(this, when); };
"""


class Listener(OpenPage):
    """A page whose notifications and tones are recorded, and made all the same."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.frames: list[str | bytes] = []  # of its socket: a list that is full of one minute's signals draws not all
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self.frames.append(frame)))

    def open(self, world: World) -> Listener:
        self.page.goto(f"{world.app.url}/dashboard")
        self.wait_for_text("#feed-state", "Active")
        return self

    def told(self) -> list[dict[str, Any]]:
        return list(self.page.evaluate("told"))

    def titles(self) -> list[str]:
        return [str(each["title"]) for each in self.told()]

    def tones(self) -> list[float]:
        return list(self.page.evaluate("tones"))

    def wait_for_told(self, count: int, seconds: float = 20) -> list[str]:
        self.page.wait_for_function("(count) => told.length >= count", arg=count, timeout=seconds * 1000, polling=50)
        return self.titles()

    def wait_for_frame(self, symbol: str) -> None:
        def came() -> bool:
            self.page.wait_for_timeout(30)
            return any(symbol in str(frame) for frame in self.frames)

        wait_until(came, f"{symbol} reaches the page")

    def wait_for_signal(self, symbol: str) -> None:
        self.wait_for_text("#signal-rows", symbol)


@contextmanager
def context_of(chromium: Browser, stored: dict[str, str] | None = None, granted: bool = True) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, permissions=["notifications"] if granted else [])
    context.add_init_script(RECORD)
    filters = '{"scope":"all","rank":"0","price":0,"dollars":0}'
    for key, text in {"filters": filters, **(stored or {})}.items():
        context.add_init_script(f"localStorage.getItem('tickstock.{key}') ?? localStorage.setItem('tickstock.{key}', '{text}')")
    try:
        yield context
    finally:
        context.close()


def listening(**stored: str) -> dict[str, str]:
    return {"notifications": "true", "sound": "true", "chosen": ",".join(CHOSEN), **stored}


@pytest.fixture(autouse=True)
def healthy(world: World) -> None:
    world.streaming.health()


def test_nothing_sounds_until_it_was_switched_on_and_chosen(chromium: Browser, world: World) -> None:
    with context_of(chromium) as context:
        page = Listener(context.new_page()).open(world)
        assert page.text("#notify-state") == "off"
        assert page.page.is_hidden("#mute")
        page.page.click("#notify-open")
        page.wait_for_text("#notify-count", r"^0 of \d+ chosen")
        page.page.check("#notify-sound")
        page.page.wait_for_function("() => tones.length === 2")  # so that it is known how it sounds
        page.page.check("#notify-desktop")
        page.page.wait_for_function("() => document.querySelector('#notify-desktop').checked")
        page.wait_for_text("#notify-state", "none chosen")
        page.page.fill("#notify-search", "hammer")
        page.wait_for_text("#notify-count", r"· \d+ found")
        page.page.check("#notify-list input[value=Hammer]")
        page.wait_for_text("#notify-count", r"^1 of \d+ chosen")
        assert violations(page.page) == []
        page.page.keyboard.press("Escape")
        page.wait_for_text("#notify-state", "^on$")
        page.page.reload()
        page.wait_for_text("#notify-state", "sound waits for a click")
        page.page.click("#signals-title")
        page.wait_for_text("#notify-state", "^on$")  # it says so as soon as it may sound
        page.page.keyboard.press("m")
        page.wait_for_text("#notify-state", "muted")
        assert page.text("#mute").startswith("Muted")
        page.page.click("#mute")
        page.wait_for_text("#notify-state", "^on$")
        world.streaming.minute(
            patterns=[a_pattern("ONE"), a_pattern("ONE", "Doji", direction="neutral"), a_pattern("TWO", "Doji")]
        )
        assert page.wait_for_told(1) == ["▲ ONE Hammer"]
        page.page.wait_for_function("() => tones.length === 2")
        assert page.tones() == [587, 880]
        assert page.told()[0]["silent"] is True
        assert page.complaints == []


def test_what_is_not_news_does_not_sound(chromium: Browser, world: World) -> None:
    with context_of(chromium, listening()) as context:
        page = Listener(context.new_page()).open(world)
        page.page.click("#signals-title")
        page.wait_for_text("#notify-state", "^on$")
        world.streaming.minute(
            patterns=[
                a_pattern("FORMING", "HeadShoulders", state="forming", direction="bearish"),
                a_pattern("VOIDED", "HeadShoulders", state="void", direction="bearish"),
                a_pattern("REPAIR", origin="repair"),
                a_pattern("HISTORY", origin="history"),
                a_pattern("UNCHOSEN", "Doji", direction="neutral"),
            ]
        )
        world.streaming.minute(alerts=[an_alert("NEWS")])
        assert page.wait_for_told(1) == ["▼ NEWS RSI overbought"]
        assert page.tones() == [587, 392]
        assert page.complaints == []


def test_a_symbol_rests_and_a_burst_is_six_with_a_digest_while_the_list_shows_all(chromium: Browser, world: World) -> None:
    with context_of(chromium, listening()) as context:
        page = Listener(context.new_page()).open(world)
        world.streaming.minute(patterns=[a_pattern(f"B{number}") for number in range(20)] + [a_pattern("B0", "Engulfing")])
        titles = page.wait_for_told(6)
        assert len(titles) == 6
        assert titles[-1] == "And 15 more"
        assert "B0 Hammer · Engulfing" in str(page.told())
        before = page.counter("alerts")
        world.streaming.minute(alerts=[an_alert(f"B{number}") for number in range(20)])
        page.wait_for_text("#count-alerts", f"^{before + 20:,}$")
        page.wait_for_text("#signals-note", r"\d+ signals, ([\d,]+) shown")
        page.page.wait_for_timeout(2500)
        assert len(page.told()) == 6
        assert page.complaints == []


def test_markup_in_a_name_is_text_in_a_notification(chromium: Browser, world: World) -> None:
    with context_of(chromium, listening()) as context:
        page = Listener(context.new_page()).open(world)
        world.streaming.minute(patterns=[a_pattern(MARKUP)])
        assert page.wait_for_told(1) == [f"▲ {MARKUP} Hammer"]


def test_what_the_filter_hides_sounds_only_when_that_is_chosen(chromium: Browser, world: World) -> None:
    hidden = listening(filters='{"scope":"all","rank":"best","price":0,"dollars":0}')
    with context_of(chromium, hidden) as context:
        page = Listener(context.new_page()).open(world)
        page.page.wait_for_function("() => document.querySelector('#notify-list').childElementCount > 0")
        world.streaming.minute(patterns=[a_pattern("HID", "ShortLine", direction="neutral"), a_pattern("SEEN", quality=1.0)])
        assert page.wait_for_told(1) == ["▲ SEEN Hammer"]
        page.page.click("#notify-open")
        page.page.check("#notify-unlisted")
        page.page.keyboard.press("Escape")
        world.streaming.minute(patterns=[a_pattern("HID2", "ShortLine", direction="neutral")])
        assert page.wait_for_told(2)[1] == "◆ HID2 Short line"


def test_muted_is_silent_and_tells_nothing_later(chromium: Browser, world: World) -> None:
    with context_of(chromium, listening(muted="true")) as context:
        page = Listener(context.new_page()).open(world)
        assert page.text("#notify-state") == "muted"
        before = page.counter("patterns")
        world.streaming.minute(patterns=[a_pattern("MUTED")])
        page.wait_for_text("#count-patterns", f"^{before + 1:,}$")
        page.page.wait_for_function("() => localStorage.getItem('tickstock.told')?.includes('MUTED')")  # its turn has passed
        page.page.click("#mute")
        world.streaming.minute(patterns=[a_pattern("AUDIBLE")])
        assert page.wait_for_told(1) == ["▲ AUDIBLE Hammer"]


def test_one_of_two_tabs_speaks_and_neither_a_reload_nor_a_restart_repeats(chromium: Browser, own_world: World) -> None:
    world = own_world
    world.streaming.health()
    with context_of(chromium, listening()) as context:
        one, two = Listener(context.new_page()).open(world), Listener(context.new_page()).open(world)

        def both() -> list[str]:
            return sorted(one.titles() + two.titles())

        two.page.click("#signals-title")  # the tab that was used last
        world.streaming.minute(patterns=[a_pattern("FIRST")])
        two.wait_for_told(1)
        one.wait_for_signal("FIRST")
        assert one.told() == []
        one.page.click("#signals-title")
        world.streaming.minute(patterns=[a_pattern("SECOND")])
        one.wait_for_told(1)
        assert both() == ["▲ FIRST Hammer", "▲ SECOND Hammer"]
        one.page.reload()
        one.wait_for_signal("SECOND")
        world.app.process.kill()
        two.wait_for_text("#page-state", "RECONNECTING")
        world.streaming.minute(patterns=[a_pattern("FIRST"), a_pattern("MISSED")], publish=False)
        world.app.start()
        for tab in (one, two):
            tab.wait_for_signal("MISSED")
        wait_until(lambda: "▲ MISSED Hammer" in both(), "what was missed for seconds is news")
        assert both() == ["▲ FIRST Hammer", "▲ MISSED Hammer"]  # the reload forgot what it had recorded of the second
        speaking = one if one.told() else two
        other = two if speaking is one else one
        speaking.page.close()
        wait_until(lambda: world.streaming.client.pubsub_numsub(PATTERNS_CHANNEL)[0][1], "the app listens")
        world.streaming.minute(patterns=[a_pattern("AFTER")])
        other.page.wait_for_function("() => told.some((each) => each.title.includes('AFTER'))")


def test_what_came_while_the_speaking_tab_was_being_closed_is_told_by_the_next(chromium: Browser, world: World) -> None:
    world.streaming.health()
    with context_of(chromium, listening()) as context:
        listener = Listener(context.new_page()).open(world)
        closing = context.new_page()
        closing.goto(world.app.url + "/about")
        hold = "() => void navigator.locks.request('tickstock.speaker', {steal: true}, () => new Promise(() => {}))"
        closing.evaluate(hold)  # it does not speak, and does not let others
        listener.page.wait_for_function("() => navigator.locks.query().then(({pending}) => pending.length === 1)")
        world.streaming.minute(patterns=[a_pattern("BETWEEN")])
        listener.wait_for_frame("BETWEEN")
        listener.page.wait_for_timeout(1500)  # longer than signals are gathered
        assert listener.told() == []
        closing.close()
        assert listener.wait_for_told(1) == ["▲ BETWEEN Hammer"]


def test_a_hidden_tab_is_heard(chromium: Browser, world: World) -> None:
    with context_of(chromium, listening()) as context:
        page = Listener(context.new_page()).open(world)
        page.page.click("#signals-title")
        page.page.evaluate("""() => {
            window.requestAnimationFrame = () => 0;
            Object.defineProperty(document, "hidden", {value: true, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
        world.streaming.minute(patterns=[a_pattern("UNSEEN")])
        assert page.wait_for_told(1) == ["▲ UNSEEN Hammer"]


def test_a_refusal_says_how_to_allow(chromium: Browser, world: World) -> None:
    with context_of(chromium, granted=False) as context:
        page = Listener(context.new_page()).open(world)
        page.page.click("#notify-open")
        page.page.click("#notify-desktop")
        page.wait_for_text("#notify-said", "refuses notifications of this page. Allow them in its settings|Not allowed yet")
        assert not page.page.is_checked("#notify-desktop")
        assert page.text("#notify-state") == "off"


def test_a_click_on_a_notification_opens_its_chart(chromium: Browser, world: World) -> None:
    with context_of(chromium, listening()) as context:
        context.add_init_script(
            "window.Notification = class extends Notification { constructor(...all) { super(...all); window.shown = this; } };"
        )
        page = Listener(context.new_page()).open(world)
        world.streaming.minute(patterns=[a_pattern("NVDA", timeframe="5min")])
        page.wait_for_told(1)
        page.page.evaluate("shown.onclick()")
        page.page.wait_for_function("() => location.search.includes('symbol=NVDA') && location.search.includes('timeframe=5min')")
