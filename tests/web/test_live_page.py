"""LivePage in this process, with Flask-SocketIO's own test client: slow browsers, and what the database adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask_socketio.test_client import SocketIOTestClient

from tests.web.services import a_pattern, a_report, an_alert
from tickstock.feed.feed_items import FeedTick
from tickstock.market_hours import NEW_YORK, AlwaysOpenCalendar, now_ms
from tickstock.settings import Settings
from tickstock.web.application import WebServices, create_app
from tickstock.web.day_counters import StoredDay, trading_day
from tickstock.web.live import EVENT_BACKLOG, FRAME_BACKLOG

DAY = trading_day(AlwaysOpenCalendar(), int(datetime(2026, 11, 20, 12, tzinfo=NEW_YORK).timestamp() * 1000))
BAR = DAY.start + 36_000_000


class Page:
    """The services, one browser, and the packets that wait for it."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(data_dir=folder, async_mode="threading", calendar="always_open", symbols=("AAPL", "MSFT"))
        app = create_app(settings)
        self.services: WebServices = app.extensions["tickstock"]
        self.live = self.services.live
        self.waiting = 0
        self.live._backlog = lambda client: self.waiting  # type: ignore[method-assign]  # the network's part
        self.client: SocketIOTestClient = self.services.socketio.test_client(app)

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


def test_many_ticks_between_two_frames_are_one_row(page: Page) -> None:
    page.heard()
    for price in (257.0, 257.5, 256.5):
        page.tick(price)
    page.live.send_frames()
    page.live.send_frames()
    ((name, frame),) = page.heard()
    assert name == "ticks"
    assert [(row["symbol"], row["price"], row["volume"]) for row in frame["symbols"]] == [("AAPL", 256.5, 30)]


def test_a_slow_browser_misses_frames_and_then_gets_the_whole_state(page: Page) -> None:
    page.heard()
    page.waiting = FRAME_BACKLOG + 1
    page.tick(257.0)
    page.live.send_frames()
    page.tick(498.0, "MSFT")
    page.live.send_frames()
    assert page.live.signal(a_pattern())
    assert names(page.heard()) == {"streaming_pattern": 1}
    page.waiting = 0
    page.live.send_frames()
    ((name, frame),) = page.heard()
    assert name == "ticks"
    assert {row["symbol"] for row in frame["symbols"]} == {"AAPL", "MSFT"}
    assert page.live.frames_skipped == 2


def test_a_browser_that_is_far_behind_begins_again_with_a_snapshot(page: Page) -> None:
    page.heard()
    page.waiting = EVENT_BACKLOG + 1
    page.live.send_frames()
    page.live.signal(a_pattern("AAPL"))
    page.live.signal(an_alert("MSFT"))
    assert page.heard() == []
    page.waiting = 0
    page.live.send_frames()
    ((name, snapshot),) = page.heard()
    assert name == "snapshot"
    assert [event["symbol"] for event in snapshot["events"]] == ["AAPL", "MSFT"]
    page.live.signal(a_pattern("MSFT"))
    assert names(page.heard()) == {"streaming_pattern": 1}


def test_what_was_stored_without_being_published_is_shown_and_counted_once(page: Page) -> None:
    page.live.begin_day(DAY)
    page.live.signal(a_pattern("AAPL", bar=BAR))
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
