"""LivePage in this process, with Flask-SocketIO's own test client: a browser's own pace, and what the database adds."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask_socketio.test_client import SocketIOTestClient

from tests.web.services import a_pattern, a_report, an_alert, an_indicator
from tickstock.feed.feed_items import FeedTick
from tickstock.market_hours import NEW_YORK, AlwaysOpenCalendar, now_ms
from tickstock.settings import Settings
from tickstock.web.application import WebServices, create_app
from tickstock.web.browser import MOST_UNACKNOWLEDGED, PATIENCE_SECONDS
from tickstock.web.day_counters import StoredDay, trading_day
from tickstock.web.live import SNAPSHOT_EVENTS
from tickstock.web.message import Message
from tickstock.web.watch_sets import SLICE

DAY = trading_day(AlwaysOpenCalendar(), int(datetime(2026, 11, 20, 12, tzinfo=NEW_YORK).timestamp() * 1000))
BAR = DAY.start + 36_000_000


class Page:
    """The services, one browser, and the packets that wait for it."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(data_dir=folder, async_mode="threading", calendar="always_open", symbols=("AAPL", "MSFT"))
        app = create_app(settings)
        self.services: WebServices = app.extensions["tickstock"]
        self.live = self.services.live
        self.client: SocketIOTestClient = self.services.socketio.test_client(app)
        self.asked: list[int] = [self.browser.flow._awaited]  # numbers of the messages that ask for an acknowledgement
        self.waiting = 0  # packets that the network has not taken
        self.live.delivery._connections.waiting = lambda connection: self.waiting  # type: ignore[method-assign]
        server = self.services.socketio.server
        deliver = server._send_eio_packet

        def listen(connection: str, packet: Any) -> None:
            if found := re.match(r"2(\d+)\[", packet.data):
                self.asked.append(int(found[1]))
            deliver(connection, packet)

        server._send_eio_packet = listen
        self.acknowledge()
        self.heard()

    def say(self, event: str, message: Any) -> None:
        self.client.emit(event, message)

    def acknowledge(self) -> None:
        """Acknowledge what asked for it, as a browser does."""
        while self.asked:
            self.services.socketio.server._handle_eio_message(self.client.eio_sid, f"3{self.asked.pop(0)}[]")

    def frames(self, acknowledged: bool = True) -> None:
        """A round of frames, each browser's being due."""
        if acknowledged:
            self.acknowledge()
        for browser in self.live.delivery.browsers.values():
            browser.frame_due = 0
        self.live.delivery.send_frames()

    @property
    def browser(self) -> Any:
        (browser,) = self.live.delivery.browsers.values()
        return browser

    def tick(self, price: float, symbol: str = "AAPL") -> None:
        self.live.market.board.update([FeedTick(symbol, price, 10, now_ms(), False)], now_ms())
        self.live.market.board.publish()

    def heard(self) -> list[tuple[str, Any]]:
        return [(packet["name"], packet["args"][0]) for packet in self.client.get_received()]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    made = Page(tmp_path)
    yield made
    made.client.disconnect()


def names(heard: list[tuple[str, Any]]) -> Counter[str]:
    return Counter(name for name, _ in heard)


def prices(frame: Any) -> dict[str, float]:
    return {row["symbol"]: row["price"] for row in frame["symbols"]}


def test_many_ticks_between_two_frames_are_one_row(page: Page) -> None:
    for price in (257.0, 257.5, 256.5):
        page.tick(price)
    page.frames()
    page.frames()
    ((name, frame),) = page.heard()
    assert name == "ticks"
    assert [(row["symbol"], row["price"], row["volume"]) for row in frame["symbols"]] == [("AAPL", 256.5, 30)]


def test_no_frame_follows_one_that_was_not_acknowledged_and_then_all_that_changed_comes_at_once(page: Page) -> None:
    page.tick(257.0)
    page.frames()
    for price in (258.0, 259.0):
        page.tick(price)
        page.tick(498.0, "MSFT")
        page.frames(acknowledged=False)
    assert page.live.signal(a_pattern())
    assert names(page.heard()) == {"ticks": 1, "streaming_pattern": 1}
    page.frames()
    ((name, frame),) = page.heard()
    assert (name, prices(frame)) == ("ticks", {"AAPL": 259.0, "MSFT": 498.0})
    assert page.live.delivery.frames_skipped == 2


def test_a_frame_is_due_once_per_interval(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = time.monotonic()
    monkeypatch.setattr("tickstock.web.delivery.time.monotonic", lambda: clock)  # a busy machine pauses for longer
    page.tick(257.0)
    page.frames()
    page.tick(258.0)
    page.acknowledge()
    page.live.delivery.send_frames()
    assert names(page.heard()) == {"ticks": 1}


def test_a_browser_that_reads_but_never_acknowledges_gets_a_frame_after_a_while_and_is_counted(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.tick(257.0)
    page.frames()
    page.tick(258.0)
    clock = time.monotonic() + PATIENCE_SECONDS + 0.1
    monkeypatch.setattr("tickstock.web.delivery.time.monotonic", lambda: clock)
    page.waiting = 1  # the one before has not even left
    page.frames(acknowledged=False)
    assert names(page.heard()) == {"ticks": 1}
    page.waiting = 0
    page.frames(acknowledged=False)
    assert names(page.heard()) == {"ticks": 1}
    assert page.live.delivery.unacknowledged == 1


def test_events_of_a_stalled_browser_wait_up_to_a_bound_and_then_it_begins_again(page: Page) -> None:
    page.acknowledge()
    page.waiting = 1
    told = 0
    while not page.browser.is_behind:
        page.live.signal(a_pattern(f"N{told}"))
        told += 1
        assert page.browser.flow.unacknowledged <= MOST_UNACKNOWLEDGED
    assert told > 1500
    for number in range(1000):
        page.live.signal(an_alert(f"N{number}"))
        page.live.send_states()
        page.frames(acknowledged=False)
    heard = page.heard()
    assert names(heard) == {"streaming_pattern": told - 1}
    page.acknowledge()
    (state, (name, snapshot)) = page.heard()  # a snapshot is sent only when nothing else is under way
    assert state[0] == "feed_status"
    assert (name, snapshot["seq"], len(snapshot["events"])) == ("snapshot", told + 1000, SNAPSHOT_EVENTS)
    page.acknowledge()
    page.say("since", {"epoch": snapshot["epoch"], "seq": told - 1})
    answers = []
    while not answers or answers[-1]["to"] < answers[-1]["until"]:
        page.acknowledge()
        answers += [message for name, message in page.heard() if name == "events"]
    assert len(answers) > 1
    assert [signal["seq"] for part in answers for signal in part["events"]] == list(range(told, told + 1001))
    page.acknowledge()
    page.live.signal(a_pattern("MSFT"))
    assert names(page.heard()) == {"streaming_pattern": 1}
    assert page.live.delivery.resyncs == 1


def test_questions_of_a_browser_that_does_not_read_pile_up_no_answers(page: Page) -> None:
    for number in range(2000):
        page.live.signal(a_pattern(f"N{number}"))
    page.acknowledge()
    page.heard()
    for _ in range(200):
        page.say("since", {"epoch": page.live.log.epoch, "seq": 0})
        page.say("watch", 5)
        page.say("watch", ["AAPL"])
        page.say("visible", False)
        page.say("visible", True)
    assert page.browser.flow.unacknowledged <= 2 * MOST_UNACKNOWLEDGED
    page.acknowledge()
    assert page.browser.flow.unacknowledged <= 2 * MOST_UNACKNOWLEDGED


def test_a_long_watchlist_comes_in_frames_of_bounded_size(page: Page) -> None:
    symbols = [f"S{number}" for number in range(3 * SLICE - 100)]
    for number, symbol in enumerate(symbols):
        page.tick(number + 1.0, symbol)
    page.say("watch", symbols)
    page.heard()
    seen: dict[str, float] = {}
    for _ in range(3):
        page.frames()
        ((name, frame),) = page.heard()
        assert (name, len(frame["symbols"]) <= SLICE) == ("ticks", True)
        seen |= prices(frame)
    assert set(seen) == set(symbols)
    page.tick(7.0, symbols[-1])
    page.frames()
    assert [prices(frame) for _, frame in page.heard()] == [{symbols[-1]: 7.0}]


def test_indicator_values_are_conflated_and_all_arrive(page: Page) -> None:
    symbols = [f"S{number}" for number in range(4000)]
    page.say("watch", symbols)
    page.acknowledge()
    page.heard()
    for minute in (1, 2, 3):
        for symbol in symbols:
            page.live.indicator(an_indicator(symbol, minute * 60_000))
    page.live.indicator(an_indicator("OTHER", 0))
    rounds = 0
    heard: list[Any] = []
    while len(heard) < len(symbols):
        page.frames()
        heard += [message for name, message in page.heard() if name == "streaming_indicator"]
        rounds += 1
    assert rounds > 1
    assert [(each["symbol"], each["bar_timestamp"]) for each in heard] == [(symbol, 180_000) for symbol in symbols]
    page.frames()
    assert page.heard() == []


def test_a_hidden_browser_gets_events_only_and_a_snapshot_when_it_is_seen_again(page: Page) -> None:
    page.say("visible", False)
    page.tick(257.0)
    page.live.indicator(an_indicator("AAPL"))
    page.live.health_report(a_report())
    page.live.send_states()
    page.frames()
    page.live.signal(a_pattern("AAPL"))
    assert names(page.heard()) == {"streaming_pattern": 1}
    page.acknowledge()
    page.say("visible", True)
    page.say("visible", True)
    ((name, snapshot),) = page.heard()
    assert name == "snapshot"
    assert prices(snapshot) == {"AAPL": 257.0}
    assert [each["symbol"] for each in snapshot["indicators"]] == ["AAPL"]
    assert snapshot["health"]["status"] == "healthy"
    page.frames()
    assert page.heard() == []


@pytest.mark.parametrize("packet", ["39999999[]", "30[]", "3[]", "3-1[]"])
def test_an_acknowledgement_of_nothing_is_counted(page: Page, packet: str) -> None:
    before = page.live.rejections.total
    page.services.socketio.server._handle_eio_message(page.client.eio_sid, packet)
    assert page.live.rejections.total == before + 1


def test_text_beyond_ascii_takes_no_more_memory_than_it_counts(page: Page) -> None:
    page.live.signal(a_pattern("Ä\U0001f600"))
    ((_, signal),) = page.heard()
    assert signal["symbol"] == "Ä\U0001f600"
    assert Message.of("x", {"symbol": "Ä\U0001f600"}).plain.data.isascii()


def test_what_was_stored_without_being_published_is_shown_and_counted_once(page: Page) -> None:
    page.live.begin_day(DAY)
    page.live.signal(a_pattern("AAPL", bar=BAR))
    page.acknowledge()
    page.heard()
    history = tuple(a_pattern(f"S{number}", bar=BAR, origin="history") for number in range(3))
    stored = StoredDay(4, 0, 0, 0, 0, (*history, a_pattern("AAPL", bar=BAR)))
    assert page.live.stored_day(stored, DAY, seq_before=1) == 3
    ((name, snapshot),) = page.heard()
    assert name == "snapshot"
    assert snapshot["counters"]["patterns"] == 4
    assert len(snapshot["events"]) == 4
    assert page.live.stored_day(stored, DAY, seq_before=4) == 0
    assert page.heard() == []


def test_states_are_sent_again_only_when_they_change(page: Page) -> None:
    page.live.health_report(a_report())
    page.live.send_states()
    page.heard()
    page.live.send_states()
    assert names(page.heard()) == {"feed_status": 1}
    page.live.begin_day(DAY)
    page.live.signal(a_pattern(bar=BAR))
    page.live.send_states()
    assert names(page.heard()) == {"streaming_pattern": 1, "feed_status": 1, "counters": 1}
