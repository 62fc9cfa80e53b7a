"""MarketDataService from frames to Redis and the database; only the market is a stand-in.

Run as a script it does one run of the same under eventlet, which a test below starts in a process of its own.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

if __name__ == "__main__":
    import eventlet

    eventlet.monkey_patch(psycopg=False)

from sqlalchemy import select

from tests.feed.scripted_feed import KEY, Conversation, ScriptedFeed
from tests.market_data.stand_ins import (
    ScriptedClient,
    eventually,
    log_entries,
    observing,
    trade,
)
from tests.servers import RedisServer
from tickstock.contract import PUBLISHER_LEASE_KEY, STATUS_CHANNEL, TICKS_TAKEN_KEY, FeedStatus, TakenPosition, encode
from tickstock.database import models
from tickstock.database.connection import open_engine
from tickstock.database.migrate import migrate
from tickstock.feed.massive_client import MassiveClient
from tickstock.market_data.live_board import LiveBoard
from tickstock.market_data.service import Clock, MarketDataService
from tickstock.market_data.tick_forwarder import RedisTickForwarder
from tickstock.market_data.tick_recorder import TickRecorder
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, ExchangeCalendar
from tickstock.settings import Settings


class App:
    """The market data half of the app, wired as the web process wires it."""

    def __init__(
        self,
        redis_url: str,
        database_url: str,
        *,
        real_client: bool = False,
        clock: Clock = time.time,
        steady: Clock = time.monotonic,
        **changed: object,
    ) -> None:
        self.settings = Settings(**{"channel": "T", "feed": "simulated", "calendar": "always_open"} | changed)  # type: ignore[arg-type]
        replay = self.settings.feed_clock == "events"
        calendar = ExchangeCalendar() if replay else AlwaysOpenCalendar()
        self.client = ScriptedClient()
        self.board = LiveBoard(calendar, self.settings.feed)
        self.recorder = TickRecorder(database_url, spill=Path(tempfile.mkdtemp()) / "ticks")
        self.forwarder = RedisTickForwarder(redis_url, self.settings.feed, follow_taken=replay)
        self.service = MarketDataService(
            self.settings,
            calendar,
            self.board,
            self.recorder,
            self.forwarder,
            connect=MassiveClient.for_settings if real_client else self.client,
            clock=clock,
            steady=steady,
        )

    def start(self) -> None:
        self.recorder.start()
        self.forwarder.start()
        self.service.start()

    def stop(self) -> None:
        self.service.stop()
        self.forwarder.stop(2.0)
        self.recorder.stop(2.0)

    def go_live(self) -> None:
        assert self.client.started.wait(15)
        self.client.confirm()
        eventually(lambda: self.service.status and self.service.status.status == "live")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    return url


@pytest.fixture
def start(database_url: str) -> Iterator[Callable[..., App]]:
    apps: list[App] = []

    def build(redis_url: str, **changed: Any) -> App:
        app = App(redis_url, database_url, **changed)
        apps.append(app)
        app.start()
        return app

    yield build
    for app in apps:
        app.stop()


def now() -> int:
    return int(time.time() * 1000)


def stored_ticks(url: str) -> list[tuple[Any, ...]]:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(select(models.ticks).order_by(models.ticks.c.position))]
    engine.dispose()
    return found


def logged(server: RedisServer) -> list[tuple[int, str, float, int, int]]:
    """(position, symbol, price, volume, timestamp) of every tick in the log."""
    found = []
    for entry in log_entries(server):
        position = entry.first
        for message in entry.messages:
            if not isinstance(message, FeedStatus):
                found.append((position, message.symbol, message.price, message.volume, message.timestamp))
                position += 1
    return found


def logged_statuses(server: RedisServer) -> list[FeedStatus]:
    return [message for entry in log_entries(server) for message in entry.messages if isinstance(message, FeedStatus)]


def test_a_tick_reaches_the_board_the_database_and_redis(
    redis_server: RedisServer, start: Callable[..., App], database_url: str
) -> None:
    app = start(redis_server.url)
    with observing(redis_server) as observer:
        app.go_live()
        begin = now()
        for number in range(1, 301):
            app.client.frame(trade(number, begin + number // 10, f"S{number % 3}", 10.0 + number % 50 / 100))
        eventually(lambda: sum("ticks" in channel for channel, _ in observer.messages) >= 300)
    status = app.service.status
    assert status is not None
    eventually(lambda: app.recorder.stored_ticks == 300)
    stored = stored_ticks(database_url)
    assert {row[0] for row in stored} == {status.run}
    assert [(row[1], *row[2:6]) for row in stored] == logged(redis_server)
    assert [row[1] for row in stored] == list(range(1, 301))
    last = json.loads([data for channel, data in observer.messages if "ticks" in channel][-1])
    states = {state.symbol: state for state in app.board.snapshot()[1]}
    assert (states[last["symbol"]].price, states[last["symbol"]].timestamp) == (last["price"], last["timestamp"])
    assert (last["type"], last["source"]) == ("market_tick", "simulated")


def test_watched_symbols_come_and_go_without_a_new_connection(redis_server: RedisServer, start: Callable[..., App]) -> None:
    app = start(redis_server.url, symbols=("AAPL",))
    app.go_live()
    assert app.client.watched == ("AAPL",)
    app.service.watch(("AAPL", "XYZ"))
    eventually(lambda: app.client.watched == ("AAPL", "XYZ"))
    asked = now()
    app.client.change("XYZ")
    app.client.frame(trade(1, asked, "XYZ"))
    eventually(lambda: logged(redis_server))
    messages = [message for entry in log_entries(redis_server) for message in entry.messages]
    (told,) = [each for each in messages if isinstance(each, FeedStatus) and each.joined is not UNSET]
    assert told.joined.symbols == ["XYZ"] and asked < told.joined.at <= now() + MINUTE_MS
    assert [isinstance(each, FeedStatus) for each in messages[messages.index(told) :]].index(False)  # its ticks stand behind it
    assert app.service.state()["connected_times"] == 1
    assert app.service.status is not None and app.service.status.detail == "71 of 71 subscriptions confirmed"


def test_the_board_knows_which_minutes_it_did_not_get(redis_server: RedisServer, start: Callable[..., App]) -> None:
    app = start(redis_server.url, symbols=("AAPL",))
    before = now()
    app.go_live()
    app.client.frame(trade(1, now()))
    app.service.watch(("AAPL", "XYZ"))
    eventually(lambda: app.client.watched == ("AAPL", "XYZ"))
    app.client.change("XYZ")
    eventually(lambda: len(app.board.without_earlier(["XYZ"])) == 2)
    missing = app.board.without_earlier(["XYZ"])
    kinds = {each.joined: each.until for each in missing}
    assert [kinds[joined] % MINUTE_MS for joined in (False, True)] == [0, 0]
    assert before <= kinds[False] <= kinds[True] <= now() + MINUTE_MS
    assert {each.joined: symbols for each, symbols in missing.items()} == {False: ["AAPL"], True: ["XYZ"]}


def test_halts_are_shown_and_are_no_ticks(redis_server: RedisServer, start: Callable[..., App]) -> None:
    app = start(redis_server.url)
    app.go_live()
    at = now() // MINUTE_MS * MINUTE_MS
    halt = {"ev": "LULD", "T": "AAPL", "i": [17], "t": at * 1_000_000}
    app.client.frame(trade(1, at), halt, trade(2, at + 1))
    eventually(lambda: app.board.snapshot()[1] and app.board.snapshot()[1][0].halted == at)
    app.client.frame({**halt, "i": [18], "t": (at + 5) * 1_000_000})
    eventually(lambda: app.board.snapshot()[1][0].halted is None)
    state = app.service.state()
    assert state["ticks"] == 2
    assert state["halts"] == {"detail": "unknown: not asked for yet", "halts": 1, "resumptions": 1}
    assert state["counts"].get("other_channel", 0) == 0 and not state["rejected"]


def test_with_all_symbols_subscribed_a_watchlist_changes_nothing(redis_server: RedisServer, start: Callable[..., App]) -> None:
    app = start(redis_server.url, symbols=("*",))
    app.service.watch(("XYZ",))
    app.go_live()
    assert app.client.watched == ("*",)


def test_the_count_of_each_status_is_the_count_of_the_ticks_before_it(
    redis_server: RedisServer, start: Callable[..., App]
) -> None:
    with observing(redis_server) as observer:
        app = start(redis_server.url)
        app.go_live()
        for number in range(1, 1001):
            app.client.frame(trade(number, now()))
            if number % 100 == 0:
                time.sleep(0.15)
        eventually(lambda: len(observer.tick_numbers) == 1000)
        eventually(lambda: observer.statuses[-1]["forwarded"] == 1000)
    count = 0
    for channel, data in observer.messages:
        if channel == STATUS_CHANNEL:
            assert json.loads(data)["forwarded"] == count
        else:
            count += 1
    first = observer.statuses[0]
    assert (first["status"], first["forwarded"]) == ("connecting", 0)
    assert "gap" in next(each for each in observer.statuses if each["status"] == "live")
    stamps = [each["timestamp"] for each in observer.statuses]
    assert max(after - before for before, after in pairwise(stamps)) < 2_000


def test_ticks_of_a_new_connection_stand_behind_the_live_status_with_its_gap(
    redis_server: RedisServer, start: Callable[..., App]
) -> None:
    app = start(redis_server.url)
    app.go_live()
    app.client.frame(trade(1, now()))
    app.client.state("reconnecting", "connection lost")
    app.client.confirm()
    app.client.frame(trade(2, now()))
    eventually(lambda: len(logged(redis_server)) == 2)
    messages = [message for entry in log_entries(redis_server) for message in entry.messages]
    told = [message.status if isinstance(message, FeedStatus) else "tick" for message in messages]
    story = [each for at, each in enumerate(told) if at == 0 or told[at - 1] != each]
    assert story[:6] == ["connecting", "live", "tick", "reconnecting", "live", "tick"]
    gaps = [message.gap for message in messages if isinstance(message, FeedStatus) and isinstance(message.gap, tuple)]
    assert len(gaps) == 2
    assert all(begin <= end for begin, end in gaps)


def test_over_a_broken_connection_of_the_real_client_the_log_tells_the_gap_before_the_next_tick(
    redis_server: RedisServer, start: Callable[..., App]
) -> None:
    def drop_after_one(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(trade(1, now()))
        eventually(lambda: len(logged(redis_server)) == 1)
        feed.drop()

    def send_one_at_once(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(trade(2, now(), price=99.0))
        feed.stay()

    with ScriptedFeed(drop_after_one, send_one_at_once) as feed:
        app = start(
            redis_server.url, real_client=True, feed_url=feed.url, massive_api_key=KEY, symbols=("AAPL",),
            reconnect_max_seconds=0.1,
        )  # fmt: skip
        eventually(lambda: len(logged(redis_server)) == 2)
        app.stop()
    messages = [message for entry in log_entries(redis_server) for message in entry.messages]
    second = next(at for at, each in enumerate(messages) if not isinstance(each, FeedStatus) and each.price == 99.0)
    live = [each for each in messages[:second] if isinstance(each, FeedStatus) and each.status == "live"][-1]
    broken = next(each for each in messages if isinstance(each, FeedStatus) and each.status == "reconnecting")
    assert isinstance(live.gap, tuple)
    assert live.gap[0] == broken.watermark
    assert live.detail == "1 of 1 subscriptions confirmed"


@pytest.mark.parametrize("broken", ["board", "recorder", "forwarder"])
def test_a_step_that_fails_stops_no_other(
    redis_server: RedisServer, start: Callable[..., App], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    app = start(redis_server.url)
    app.go_live()

    def fail(*_: object) -> None:
        raise RuntimeError("out of order")

    target, method = {
        "board": (app.board, "update"),
        "recorder": (app.recorder, "add"),
        "forwarder": (app.forwarder, "add"),
    }[broken]
    monkeypatch.setattr(target, method, fail)
    app.client.frame(trade(1, now()))
    eventually(lambda: app.service.state()["step_faults"])
    if broken != "board":
        eventually(lambda: app.board.snapshot()[1])
    if broken != "recorder":
        eventually(lambda: app.recorder.stored_ticks == 1)
    if broken != "forwarder":
        eventually(lambda: len(logged(redis_server)) == 1)
    monkeypatch.undo()


def test_the_page_goes_on_while_redis_is_paused_and_everything_arrives_afterwards(
    mortal_redis: RedisServer, start: Callable[..., App], database_url: str
) -> None:
    app = start(mortal_redis.url)
    with observing(mortal_redis) as observer:
        app.go_live()
        begin = now()
        mortal_redis.pause()
        try:
            for number in range(1, 101):
                app.client.frame(trade(number, begin + number, price=10.0 + number))
                eventually(lambda price=10.0 + number: any(s.price == price for s in app.board.snapshot()[1]), 5)
            eventually(lambda: app.recorder.stored_ticks == 100, 5)
            eventually(lambda: app.forwarder.state()["connected"] is False)
        finally:
            mortal_redis.resume()
        eventually(lambda: len(observer.tick_numbers) == 100)
    assert len(logged(mortal_redis)) == 100
    numbers = [json.loads(data)["price"] for channel, data in observer.messages if channel != STATUS_CHANNEL]
    assert numbers == [10.0 + number for number in range(1, 101)]


def test_bad_frames_and_bad_events_stop_nothing(redis_server: RedisServer, start: Callable[..., App]) -> None:
    app = start(redis_server.url)
    app.go_live()
    for frame in (b"", b"{", b"null", b"[1]", b"\xff\xfe", b'[{"ev":"T","sym":5}]', b'[{"ev":"??"}]'):
        app.client._on_frame(frame, now())
    app.client.frame(trade(1, now(), price=-5.0), trade(2, now()), trade(3, now(), symbol="A\nB"))
    eventually(lambda: len(logged(redis_server)) == 1)
    assert sum(app.service.state()["rejected"].values()) >= 8


def test_a_second_app_serves_pages_and_takes_over_when_the_first_has_stopped(
    redis_server: RedisServer, start: Callable[..., App]
) -> None:
    first = start(redis_server.url)
    first.go_live()
    first.client.frame(trade(1, now()))
    eventually(lambda: len(logged(redis_server)) == 1)
    second = start(redis_server.url)
    eventually(lambda: second.service.state()["passive"])
    assert first.service.status is not None
    assert first.service.status.run in second.service.state()["passive"]
    assert second.service.status is None
    assert not second.client.started.is_set()
    first.stop()
    second.go_live()
    run = second.service.state()["run"]
    eventually(lambda: (run, "live") in [(each.run, each.status) for each in logged_statuses(redis_server)])
    statuses = logged_statuses(redis_server)
    runs = list(dict.fromkeys(each.run for each in statuses))
    assert len(runs) == 2
    before = [each for each in statuses if each.run == runs[0]][-1]
    after = next(each for each in statuses if each.run == runs[1] and each.status == "live")
    assert (before.status, before.detail) == ("stopped", "the app was stopped")
    assert isinstance(after.gap, tuple)
    assert after.gap[0] == before.watermark


def test_an_app_that_loses_the_lease_leaves_the_feed(redis_server: RedisServer, start: Callable[..., App]) -> None:
    app = start(redis_server.url)
    app.go_live()
    with redis_server.client() as client:
        client.set(PUBLISHER_LEASE_KEY, "cccccccccccc")
        assert app.client.stopped.wait(15)
        eventually(lambda: "cccccccccccc" in app.service.state()["passive"])
        client.delete(PUBLISHER_LEASE_KEY)
    app.go_live()


def test_an_app_whose_key_was_refused_gives_the_lease_back_and_another_ingests(
    redis_server: RedisServer, start: Callable[..., App]
) -> None:
    refused = start(redis_server.url)
    assert refused.client.started.wait(15)
    refused.client.state("refused", "The feed refused the key")
    eventually(lambda: refused.client.stopped.is_set() and refused.service.state()["passive"])
    assert "refused" in refused.service.state()["passive"]
    other = start(redis_server.url)
    other.go_live()
    other.client.frame(trade(1, now()))
    eventually(lambda: len(logged(redis_server)) == 1)
    assert refused.service.status is not None
    assert (refused.service.status.status, refused.service.status.detail) == ("stopped", "The feed refused the key")
    assert not refused.client.started.is_set() or refused.client.stopped.is_set()  # it does not try again
    runs = {entry.run for entry in log_entries(redis_server)}
    assert len(runs) == 2


def test_a_replay_is_held_while_nobody_takes_its_ticks_and_says_so(
    redis_server: RedisServer, start: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickstock.market_data.flow.PATIENCE_SECONDS", 0.5)
    app = start(redis_server.url, feed="replay", feed_clock="events", calendar="exchange")
    assert app.client.started.wait(15)
    app.client.confirm()
    at = 1_381_152_600_000  # 2013-10-07 09:30 in New York
    for first in range(1, 60_001, 1000):
        app.client.frame(*(trade(number, at + number, f"S{number % 4}") for number in range(first, first + 1000)))
    assert app.client.held.wait(20)
    eventually(lambda: app.service.status and "waiting for TickStockPL" in app.service.status.detail)
    run = app.service.state()["run"]
    assert app.forwarder.state()["acknowledged_position"] <= 20_000
    with redis_server.client() as client:
        deadline = time.monotonic() + 30
        while (position := app.forwarder.state()["acknowledged_position"]) < 60_000:
            assert time.monotonic() < deadline
            client.set(TICKS_TAKEN_KEY, encode(TakenPosition(run, position)))
            time.sleep(0.02)
    eventually(lambda: not app.client.held.is_set())
    eventually(lambda: app.service.status and "waiting" not in app.service.status.detail)
    assert [each[0] for each in logged(redis_server)] == list(range(1, 60_001))


def test_the_app_begins_without_redis(start: Callable[..., App], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickstock.market_data.service.REDIS_WAIT_SECONDS", 0.3)
    server = RedisServer()
    server.kill()
    try:
        app = start(server.url)
        app.go_live()
        app.client.frame(trade(1, now()))
        eventually(lambda: app.board.snapshot()[1])
        server.start()
        eventually(lambda: len(logged(server)) == 1)
        first = log_entries(server)[0].messages[0]
        assert isinstance(first, FeedStatus)
        assert (first.status, first.forwarded) == ("connecting", 0)
        app.stop()
    finally:
        server.kill()


def test_a_feed_that_is_more_delayed_than_set_is_an_issue(redis_server: RedisServer, start: Callable[..., App]) -> None:
    app = start(redis_server.url)
    app.go_live()
    app.client.frame(trade(1, now() - 900_000))
    eventually(lambda: app.service.state()["ticks"] == 1)
    (issue,) = app.service.state()["issues"]
    assert "900 s after their time, expected are 0 s" in issue
    app.client.frame(trade(2, now()))
    eventually(lambda: not app.service.state()["issues"])


def test_the_count_of_forwarded_ticks_is_logged(
    redis_server: RedisServer, start: Callable[..., App], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = start(redis_server.url)
    app.go_live()
    app.client.frame(*(trade(number, now()) for number in range(1, 151)))
    eventually(lambda: "MARKET-DATA-SERVICE: Forwarded 100 ticks to TickStockPL streaming" in caplog.text)


def test_ticks_that_came_while_the_process_stood_still_are_not_late(
    redis_server: RedisServer, start: Callable[..., App], database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    behind = 300.0  # the process has stood still since then, once this is 0

    def clock() -> float:
        return time.time() - behind

    app = start(redis_server.url, clock=clock, steady=lambda: time.monotonic() - behind)
    app.go_live()
    began = now() - 300_000
    app.client.frame(trade(1, began))
    eventually(lambda: app.recorder.stored_ticks == 1)
    behind = 0.0
    eventually(lambda: "stood still for 300 s" in caplog.text)
    app.client.frame(*(trade(2 + minute, began + minute * 60_000) for minute in range(5)))  # read only now
    eventually(lambda: app.recorder.stored_ticks == 6)
    assert [late for *_, late in stored_ticks(database_url)] == [False] * 6
    reached = began + 290_000
    eventually(lambda: app.service.status and app.service.status.watermark > reached)  # and then the clock goes on


@pytest.mark.parametrize("jump", [-7200.0, -90.0, 90.0, 7200.0])
def test_a_wall_clock_that_is_set_while_running_makes_no_tick_late_and_moves_no_minute(
    redis_server: RedisServer, start: Callable[..., App], database_url: str, jump: float, caplog: pytest.LogCaptureFixture
) -> None:
    set_by = 0.0

    def clock() -> float:
        return time.time() + set_by

    app = start(redis_server.url, clock=clock)
    app.go_live()
    app.client.frame(trade(1, now()))
    eventually(lambda: app.recorder.stored_ticks == 1)
    set_by = jump
    for number in range(2, 42):
        app.client._on_frame(json.dumps([trade(number, now())]).encode(), int(clock() * 1000))
        time.sleep(0.02)
    eventually(lambda: app.recorder.stored_ticks == 41)
    assert [late for *_, late in stored_ticks(database_url)] == [False] * 41
    begun = app.service.status.watermark if app.service.status else 0
    eventually(lambda: app.service.status and app.service.status.watermark > begun + 1500)  # it goes on by the clock
    statuses = logged_statuses(redis_server)
    assert all(before.watermark <= after.watermark <= now() for before, after in pairwise(statuses))
    assert abs(statuses[-1].timestamp - clock() * 1000) < 3_000  # what is shown has the time that the computer shows
    assert f"the computer's clock was set by {jump:.0f} s" in caplog.text
    assert not app.service.state()["rejected"]


def test_the_silence_of_a_feed_is_logged_when_it_begins_and_when_it_ends(
    redis_server: RedisServer, start: Callable[..., App], caplog: pytest.LogCaptureFixture
) -> None:
    app = start(redis_server.url, silent_seconds=1.0)
    app.go_live()
    eventually(lambda: app.service.status and app.service.status.status == "silent")
    app.client.frame(trade(1, now()))
    eventually(lambda: app.service.status and app.service.status.status == "live")
    app.stop()
    lines = [record.message for record in caplog.records if "silen" in record.message]
    assert ["the feed is silent (no data for more than 1 s)" in lines[0], "is over" in lines[1], len(lines)] == [True, True, 2]


def test_it_works_on_green_threads_and_leaves_them_time(redis_server: RedisServer, tmp_path: Path) -> None:
    """Under eventlet: everything arrives, and another green thread is never kept waiting for long."""
    database = f"sqlite:///{(tmp_path / 'green.db').as_posix()}"
    migrate(database)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.market_data.test_service", redis_server.url, database],
        cwd=Path(__file__).resolve().parents[2], env=os.environ.copy(), capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["stored"] == report["forwarded"] == 20_000
    assert len(logged(redis_server)) == 20_000
    assert report["longest_pause"] < 1.0


def green_run(redis_url: str, database_url: str) -> dict[str, float]:
    """Twenty thousand ticks in frames of 50, while a green thread measures how long it is kept waiting."""
    import threading

    app = App(redis_url, database_url)
    app.start()
    app.go_live()
    longest = 0.0
    ended = threading.Event()

    def measure() -> None:
        nonlocal longest
        while not ended.is_set():
            began = time.monotonic()
            time.sleep(0.001)
            longest = max(longest, time.monotonic() - began)

    meter = threading.Thread(target=measure)
    meter.start()
    for first in range(1, 20_001, 50):
        app.client.frame(*(trade(number, now(), f"S{number % 9}") for number in range(first, first + 50)))
        if first % 1000 == 1:
            time.sleep(0.01)
    eventually(lambda: app.forwarder.state()["acknowledged_position"] == 20_000, 40)
    eventually(lambda: app.recorder.stored_ticks == 20_000, 40)
    ended.set()
    meter.join()
    app.stop()
    assert isinstance(app.board.snapshot()[1][0].price, float)
    return {
        "forwarded": app.forwarder.state()["acknowledged_position"],
        "stored": app.recorder.stored_ticks,
        "longest_pause": longest,
    }


if __name__ == "__main__":
    print(json.dumps(green_run(sys.argv[1], sys.argv[2])))
