"""The Socket.IO contract, with real clients against the real process and the simulator, in both async modes."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import engineio
import pytest
import socketio

from tests.web.conftest import TRADES, World
from tests.web.services import a_pattern, an_alert, an_indicator, wait_until

EVENTS = (
    "snapshot", "ticks", "streaming_pattern", "indicator_alert", "streaming_indicator", "streaming_health", "feed_status",
    "counters", "session", "events", "error",
)  # fmt: skip


class InOrder(engineio.Client):
    """Hears messages in the order in which they came: otherwise each has a thread of its own."""

    def _trigger_event(self, event: str, *args: Any, run_async: bool = False, **options: Any) -> Any:
        return super()._trigger_event(event, *args, run_async=run_async and event != "message", **options)


class OrderedClient(socketio.Client):
    """A client whose handlers are called one after the other."""

    def _engineio_client_class(self) -> type[engineio.Client]:
        return InOrder


class Browser:
    """A client that keeps what it hears."""

    def __init__(self, world: World, **options: Any) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.client = OrderedClient(reconnection=False)
        for event in EVENTS:
            self.client.on(event, self._keep(event))
        self.client.connect(world.app.url, transports=["websocket"], wait_timeout=10, **options)

    def _keep(self, event: str) -> Any:
        return lambda message: self.heard.append((event, message))

    def all(self, event: str) -> list[Any]:
        return [message for name, message in list(self.heard) if name == event]

    def signals(self) -> list[Any]:
        return [message for name, message in list(self.heard) if name in ("streaming_pattern", "indicator_alert")]

    def wait_for(self, event: str, count: int = 1, seconds: float = 20) -> Any:
        wait_until(lambda: len(self.all(event)) >= count, f"{count} {event}", seconds)
        return self.all(event)[count - 1]


@contextmanager
def browser(world: World, **options: Any) -> Iterator[Browser]:
    made = Browser(world, **options)
    try:
        yield made
    finally:
        made.client.disconnect()


@pytest.fixture(scope="module")
def app_settings() -> dict[str, str]:
    return TRADES


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, app_settings: dict[str, str]
) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp(request.param), request.param, **app_settings)
    yield made
    assert made.close() == 0, made.app.process.output()


def test_a_browser_gets_a_snapshot_and_then_frames_of_what_it_watches(world: World) -> None:
    with browser(world) as page:
        snapshot = page.wait_for("snapshot")
        assert len(snapshot["watch"]) == 70
        assert {"epoch", "seq", "symbols", "events", "counters", "session", "health", "feed"} <= set(snapshot)
        frame = page.wait_for("ticks", 3)
        assert {row["symbol"] for row in frame["symbols"]} <= set(snapshot["watch"])
        assert frame["symbols"][0]["price"] > 0
        assert page.wait_for("feed_status")["source"] == "simulated"


def test_after_watch_only_those_symbols_come_with_their_state_at_once(world: World) -> None:
    with browser(world) as page:
        page.wait_for("ticks", 2)
        world.streaming.minute(indicators=[an_indicator("AAPL"), an_indicator("MSFT")])
        page.wait_for("streaming_indicator", 2)
        page.heard.clear()
        page.client.emit("watch", ["AAPL"])
        page.wait_for("streaming_health")
        page.wait_for("feed_status")
        page.wait_for("streaming_indicator")
        assert [each["symbol"] for each in page.all("streaming_indicator")] == ["AAPL"]
        page.heard.clear()
        page.wait_for("ticks", 1)
        assert {row["symbol"] for frame in page.all("ticks") for row in frame["symbols"]} == {"AAPL"}


def test_signals_carry_the_same_numbers_for_every_browser(world: World) -> None:
    with browser(world) as one, browser(world) as two:
        start = one.wait_for("snapshot")["seq"]
        two.wait_for("snapshot")
        for number in range(20):
            world.streaming.minute(patterns=[a_pattern(f"N{number}")], alerts=[an_alert(f"N{number}")])
        world.streaming.minute(patterns=[a_pattern("N3")])  # told already
        world.streaming.minute(patterns=[a_pattern("LAST")])
        wait_until(lambda: len(one.signals()) >= 41 and len(two.signals()) >= 41, "all signals at both")
        assert one.signals() == two.signals()
        assert [signal["seq"] for signal in one.signals()] == list(range(start + 1, start + 42))


def test_since_gives_the_events_after_a_number_or_a_snapshot(world: World) -> None:
    with browser(world) as page:
        first = page.wait_for("snapshot")
        world.streaming.minute(patterns=[a_pattern(f"E{number}") for number in range(3)])
        wait_until(lambda: len(page.signals()) == 3, "three signals")
        page.client.emit("since", {"epoch": first["epoch"], "seq": first["seq"] + 1})
        answer = page.wait_for("events")
        assert (answer["from"], answer["to"]) == (first["seq"] + 2, first["seq"] + 3)
        assert answer["events"] == page.signals()[1:]
        page.client.emit("since", {"epoch": "another", "seq": 0})
        assert page.wait_for("snapshot", 2)["seq"] == first["seq"] + 3
        page.client.emit("since", {"epoch": first["epoch"], "seq": 10_000})
        page.wait_for("snapshot", 3)


def test_a_late_joiner_sees_what_fired_before(world: World) -> None:
    with browser(world) as page:
        page.wait_for("snapshot")
        world.streaming.minute(patterns=[a_pattern("EARLY")])
        wait_until(lambda: any(each["symbol"] == "EARLY" for each in page.signals()), "the signal")
        with browser(world) as late:
            events = late.wait_for("snapshot")["events"]
            assert "EARLY" in {each["symbol"] for each in events}
            assert late.wait_for("snapshot")["epoch"] == page.all("snapshot")[0]["epoch"]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("watch", None),
        ("watch", "AAPL"),
        ("watch", [1, 2]),
        ("watch", ["A" * 33]),
        ("watch", {"list": 7}),
        ("watch", {"list": ""}),
        ("watch", {"symbols": "AAPL"}),
        ("watch", [["AAPL"]]),
        ("since", None),
        ("since", []),
        ("since", {"epoch": 1, "seq": "x"}),
        ("since", {"epoch": "e"}),
    ],
)
def test_a_malformed_message_is_answered_with_what_is_expected(world: World, event: str, message: Any) -> None:
    with browser(world) as page:
        page.wait_for("snapshot")
        page.client.emit(event, message)
        answer = page.wait_for("error")
        assert answer["event"] == event
        assert f"`{event}` must be " in answer["message"]
        page.wait_for("ticks", 1)


def test_pages_of_other_origins_are_refused(world: World) -> None:
    def handshake(origin: str) -> int:
        request = urllib.request.Request(f"{world.app.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code

    assert handshake(f"http://localhost:{world.app.port}") == 200
    assert handshake(f"http://127.0.0.1:{world.app.port}") == 200
    assert handshake("http://evil.example") == 400
    assert handshake(f"http://evil.example:{world.app.port}") == 400


def test_a_burst_of_results_leaves_the_server_answering(world: World) -> None:
    with browser(world) as page:
        page.wait_for("snapshot")
        before = len(page.all("ticks"))
        publisher = threading.Thread(
            target=lambda: [world.streaming.minute(patterns=[a_pattern(f"B{k}-{n}") for n in range(100)]) for k in range(20)]
        )
        publisher.start()
        assert world.app.get("/api/status")[0] == 200
        publisher.join()
        wait_until(lambda: len({each["id"] for each in page.signals()}) >= 2000, "all 2,000 signals")
        wait_until(lambda: len(page.all("ticks")) > before, "ticks again")  # frames may be skipped while the burst waits
        numbers = [each["seq"] for each in page.signals()]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_counters_are_the_same_for_all_and_survive_reconnecting(world: World) -> None:
    with browser(world) as one:
        one.wait_for("snapshot")
        seq = len(one.signals())
        world.streaming.minute(patterns=[a_pattern("COUNT")], indicators=[an_indicator("COUNT")])
        wait_until(lambda: len(one.signals()) > seq, "the signal")
    status = world.app.get("/api/status")[1]
    with browser(world) as two:
        counters = two.wait_for("snapshot")["counters"]
        assert counters["patterns"] == status["counters"]["patterns"]
        assert counters["patterns"] + counters["alerts"] == two.all("snapshot")[0]["seq"]


def test_health_counts_the_browsers(world: World) -> None:
    with browser(world) as page:
        page.wait_for("ticks", 2)
        wait_until(lambda: world.app.get("/health")[1]["stages"]["browsers"]["connected"] == 1, "those before are gone")
        _, report = world.app.get("/health")
        assert report["stages"]["browsers"]["connected"] == 1
        assert report["stages"]["browsers"]["frames_sent"] > 0
        assert report["stages"]["feed_client"]["status"] == "ok"
        assert report["stages"]["tick_forwarder"]["status"] == "ok"


def test_redis_restarted_and_web_restarted_lose_nothing(own_world: World) -> None:
    world = own_world
    with browser(world) as page:
        page.wait_for("ticks", 2)
        world.redis.kill()
        page.heard.clear()
        page.wait_for("ticks", 5)  # the page goes on without Redis
        wait_until(lambda: world.app.get("/health")[1]["stages"]["results_subscriber"]["status"] == "down", "said so")
        world.redis.start()
        wait_until(lambda: world.app.get("/health")[1]["stages"]["results_subscriber"]["status"] == "ok", "subscribed again")
        world.streaming.minute(patterns=[a_pattern("AFTER")])
        wait_until(lambda: any(each["symbol"] == "AFTER" for each in page.signals()), "results flow again")
        epoch = world.app.get("/api/status")[1]["epoch"]
    assert world.app.stop() == 0
    world.streaming.minute(patterns=[a_pattern("MISSED")], publish=False)
    world.app.start()
    with browser(world) as page:
        snapshot = page.wait_for("snapshot")
        assert snapshot["epoch"] != epoch
        wait_until(lambda: world.app.get("/api/status")[1]["seq"] == 2, "the results' log was read")
    with browser(world) as page:
        assert [each["symbol"] for each in page.wait_for("snapshot")["events"]] == ["AFTER", "MISSED"]
