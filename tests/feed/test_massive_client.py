from __future__ import annotations

import http.server
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from launcher.ports import unused_port
from tests.feed.scripted_feed import KEY, PATIENCE, SYMBOLS, Conversation, Recorder, ScriptedFeed, aggregate, status
from tickstock.feed.massive_client import ConnectionState, MassiveClient
from tickstock.market_hours import AlwaysOpenCalendar
from tickstock.settings import Settings

LOGGER = "tickstock.feed"


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, LOGGER)
    yield caplog
    assert KEY not in caplog.text  # a secret is never logged


def confirm_and_send_one(feed: Conversation) -> None:
    feed.log_in_and_confirm()
    feed.send(aggregate(0))
    feed.stay()


# --- the ordinary course ---


def test_it_logs_in_subscribes_and_hands_frames_over(log: pytest.LogCaptureFixture) -> None:
    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(aggregate(0), aggregate(1))
        feed.send(aggregate(2))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed) as got:
        got.wait_for_frames(2)
    assert feed.received[1] == {"action": "subscribe", "params": "A.AAPL,A.MSFT,A.BRK.B"}
    assert got.kinds == ["connecting", "confirmed"]
    assert got.states[1] == ConnectionState("confirmed", "3 of 3 subscriptions confirmed", 3, 3)
    assert "MASSIVE-CLIENT: Connection established successfully" in log.messages
    assert "MASSIVE-CLIENT: All 3 ticker subscriptions confirmed" in log.messages


def test_all_tickers_are_one_subscription(log: pytest.LogCaptureFixture) -> None:
    with ScriptedFeed(confirm_and_send_one) as feed, Recorder(feed, symbols=("*",), channel="T") as got:
        got.wait_for_frames(1)
    assert feed.received[1]["params"] == "T.*"
    assert "MASSIVE-CLIENT: All tickers: subscription confirmed" in log.messages


def test_many_symbols_are_asked_for_in_chunks(log: pytest.LogCaptureFixture) -> None:
    symbols = tuple(f"S{n}" for n in range(450))

    def script(feed: Conversation) -> None:
        channels = feed.log_in()
        while len(channels) < len(symbols):
            channels += feed.receive()["params"].split(",")
        feed.send(*(status("success", f"subscribed to: {channel}") for channel in channels))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed, symbols=symbols) as got:
        assert got.wait_for_state("confirmed").confirmed == 450
    assert len(feed.received) == 4
    assert "MASSIVE-CLIENT: All 450 ticker subscriptions confirmed" in log.messages


def test_acknowledgements_may_come_one_per_frame() -> None:
    def script(feed: Conversation) -> None:
        for channel in feed.log_in():
            feed.send(status("success", f"subscribed to: {channel}"))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed) as got:
        assert got.wait_for_state("confirmed").detail == "3 of 3 subscriptions confirmed"


def test_no_frame_comes_before_its_connection_is_confirmed() -> None:
    def script(feed: Conversation) -> None:
        first, *others = feed.log_in()
        feed.send(status("success", f"subscribed to: {first}"), aggregate(0))
        feed.send(aggregate(1))
        feed.send(*(status("success", f"subscribed to: {channel}") for channel in others), aggregate(2))
        feed.send(aggregate(3))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed) as got:
        got.wait_for_frames(4)
    assert [type(item) for item in got.items] == [ConnectionState] * 2 + [bytes] * 4
    assert [b"%d" % (1_763_739_000_000 + n * 1_000) in frame for n, frame in enumerate(got.frames)] == [True] * 4


def test_frames_are_handed_over_undecoded_and_stamped_with_the_wall_clock() -> None:
    stamps: list[int] = []
    got = threading.Event()

    def on_frame(frame: bytes, received_ms: int) -> None:
        stamps.append(received_ms)
        got.set()

    before = time.time_ns() // 1_000_000
    with ScriptedFeed(confirm_and_send_one) as feed:
        client = MassiveClient(feed.url, KEY, "A", SYMBOLS, on_frame=on_frame, on_state=lambda state: None)
        client.start()
        assert got.wait(PATIENCE)
        client.stop(PATIENCE)
    assert before <= stamps[0] <= time.time_ns() // 1_000_000


# --- what is missing, unknown or malformed ---


def test_missing_acknowledgements_are_named_after_the_deadline_and_it_goes_on(log: pytest.LogCaptureFixture) -> None:
    def script(feed: Conversation) -> None:
        first, *_ = feed.log_in()
        feed.send(status("success", f"subscribed to: {first}"))
        feed.send(aggregate(0))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed, ack_seconds=1.5) as got:
        state = got.wait_for_state("confirmed")
        got.wait_for_frames(1)
    assert state == ConnectionState("confirmed", "1 of 3 subscriptions confirmed; missing: A.MSFT, A.BRK.B", 1, 3)
    assert f"MASSIVE-CLIENT: Only {state.detail}" in log.messages
    assert got.kinds == ["connecting", "confirmed"]


def test_an_acknowledgement_after_the_deadline_still_counts() -> None:
    is_over = threading.Event()

    def script(feed: Conversation) -> None:
        first, *others = feed.log_in()
        feed.send(status("success", f"subscribed to: {first}"))
        assert is_over.wait(PATIENCE)
        feed.send(*(status("success", f"subscribed to: {channel}") for channel in others))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed, ack_seconds=1.0) as got:
        assert got.wait_for_state("confirmed").confirmed == 1
        is_over.set()
        state = got.wait_for_state("changed")
    assert (state.confirmed, state.symbols) == (3, ("MSFT", "BRK.B"))
    assert len(feed.received) == 2  # a held channel is never asked for again


def test_a_flood_of_data_does_not_wait_for_the_last_acknowledgement() -> None:
    def script(feed: Conversation) -> None:
        first, *_ = feed.log_in()
        feed.send(status("success", f"subscribed to: {first}"))
        for number in range(20):
            feed.send(aggregate(number))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed, ack_seconds=60.0, held_bytes=500) as got:
        assert got.wait_for_state("confirmed").confirmed == 1
        got.wait_for_frames(20)


def test_a_channel_that_the_plan_does_not_include_stops_it_with_a_clear_message() -> None:
    def script(feed: Conversation) -> None:
        feed.log_in()
        feed.send(status("error", "not authorized"))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed, ack_seconds=0.3) as got:
        assert "TICKSTOCK_CHANNEL" in got.wait_for_state("refused").detail


def test_an_unknown_status_is_only_warned_of(log: pytest.LogCaptureFixture) -> None:
    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(status("weather", "sunny"), status("slow_consumer", "you are slow"))
        feed.send(aggregate(0))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed) as got:
        got.wait_for_frames(1)
    assert got.kinds == ["connecting", "confirmed"]
    assert any("weather: sunny" in message for message in log.messages)


@pytest.mark.parametrize(
    "malformed",
    ["{", "", '["status"', '[{"ev":"status","status":7}]', '{"ev":"status","status":"auth_failed"}', "null", '[["status"]]'],
)
def test_a_malformed_frame_does_not_end_the_connection(malformed: str) -> None:
    def script(feed: Conversation) -> None:
        feed.connection.send(malformed)
        feed.log_in_and_confirm()
        feed.connection.send(malformed)
        feed.send(aggregate(0))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed) as got:
        got.wait_for(lambda got: bool(got.frames) and b'"sym"' in got.frames[-1])
    assert got.kinds == ["connecting", "confirmed"]


def test_a_service_that_fails_on_a_frame_does_not_end_the_connection(log: pytest.LogCaptureFixture) -> None:
    frames: list[bytes] = []
    done = threading.Event()

    def on_frame(frame: bytes, received_ms: int) -> None:
        frames.append(frame)
        if len(frames) == 2:
            done.set()
        raise RuntimeError("the service is broken")

    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(aggregate(0))
        feed.send(aggregate(1))
        feed.stay()

    with ScriptedFeed(script) as feed:
        client = MassiveClient(feed.url, KEY, "A", SYMBOLS, on_frame=on_frame, on_state=lambda state: None)
        client.start()
        assert done.wait(PATIENCE)
        client.stop(PATIENCE)
    assert len(feed.connected_at) == 1
    assert "going on" in log.text


# --- refusals ---


@pytest.mark.parametrize("message", ["authentication failed", "Your plan doesn't include websocket access."])
def test_a_refused_key_stops_it_for_good(message: str, log: pytest.LogCaptureFixture) -> None:
    def script(feed: Conversation) -> None:
        feed.send(status("connected", "Connected Successfully"))
        feed.receive()
        feed.send(status("auth_failed", message))
        feed.drop()

    with ScriptedFeed(script) as feed, Recorder(feed) as got:
        state = got.wait_for_state("refused")
        got.client._thread.join(PATIENCE)
        assert not got.client._thread.is_alive()
    assert message in state.detail
    assert "MASSIVE_API_KEY" in state.detail
    assert len(feed.connected_at) == 1
    assert any(record.levelno == logging.ERROR for record in log.records)
    assert "Connection established" not in log.text


def test_used_up_connections_are_explained_and_waited_for(log: pytest.LogCaptureFixture) -> None:
    def refuse(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(status("max_connections", "Maximum number of websocket connections exceeded. "))
        feed.connection.close(1008, "policy")

    with ScriptedFeed(refuse, confirm_and_send_one) as feed, Recorder(feed, busy_seconds=0.7) as got:
        got.wait_for_frames(1)
    assert "one connection per account" in got.wait_for_state("reconnecting").detail
    assert feed.connected_at[1] - feed.connected_at[0] >= 0.7
    assert any("Trying again in 0.7 s" in message for message in log.messages)


def test_the_wait_for_used_up_connections_is_a_minute_by_default() -> None:
    client = MassiveClient("ws://127.0.0.1:1", KEY, "A", SYMBOLS, on_frame=lambda *_: None, on_state=lambda _: None)
    assert client._busy_seconds == 60.0


def test_a_login_that_the_feed_did_not_see_in_time_is_tried_again() -> None:
    def late(feed: Conversation) -> None:
        feed.send(status("auth_timeout", "No authentication request received."))
        feed.drop()

    with ScriptedFeed(late, confirm_and_send_one) as feed, Recorder(feed) as got:
        got.wait_for_frames(1)


def test_a_server_that_never_greets_is_left() -> None:
    with ScriptedFeed(Conversation.stay, confirm_and_send_one) as feed, Recorder(feed, ack_seconds=0.3) as got:
        got.wait_for_frames(1)
        assert "did not complete the login" in got.wait_for_state("reconnecting").detail


# --- broken connections ---


def after_data(end: object) -> object:
    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(aggregate(0))
        end(feed)  # type: ignore[operator]

    return script


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1013, 4000])
def test_it_comes_back_after_every_close_code(code: int) -> None:
    ending = after_data(lambda feed: feed.connection.close(code, "so it is"))
    with ScriptedFeed(ending, confirm_and_send_one) as feed, Recorder(feed) as got:  # type: ignore[arg-type]
        got.wait_for_frames(2)
    assert got.kinds == ["connecting", "confirmed", "reconnecting", "connecting", "confirmed"]
    assert f"(code {code}" in got.states[2].detail


def test_it_comes_back_when_the_feed_drops_it_without_a_word() -> None:
    with ScriptedFeed(after_data(Conversation.drop), confirm_and_send_one) as feed, Recorder(feed) as got:  # type: ignore[arg-type]
        got.wait_for_frames(2)
    assert got.kinds == ["connecting", "confirmed", "reconnecting", "connecting", "confirmed"]


def test_frames_of_a_connection_that_was_never_confirmed_are_part_of_the_gap() -> None:
    def half(feed: Conversation) -> None:
        first, *_ = feed.log_in()
        feed.send(status("success", f"subscribed to: {first}"), aggregate(7))
        feed.drop()

    with ScriptedFeed(half, confirm_and_send_one) as feed, Recorder(feed) as got:
        got.wait_for_frames(1)
    assert b"1763739000000" in got.frames[0]


def test_it_waits_for_a_server_that_is_not_there_yet() -> None:
    with ScriptedFeed(confirm_and_send_one) as feed:
        real, feed.url = feed.url, f"ws://127.0.0.1:{unused_port()}/stocks"
        with Recorder(feed) as got:
            got.wait_for_state("reconnecting", 3)
            got.client._url = real
            got.wait_for_frames(1)


def test_an_answer_that_is_no_websocket_is_explained() -> None:
    class NotFound(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), NotFound) as server, ScriptedFeed(Conversation.stay) as feed:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        feed.url = f"ws://127.0.0.1:{server.server_port}/stocks"
        with Recorder(feed) as got:
            state = got.wait_for_state("reconnecting")
        server.shutdown()
    assert state.detail == "the server answered with HTTP 404 instead of a WebSocket"


def test_silence_makes_it_connect_anew() -> None:
    feed = ScriptedFeed(after_data(Conversation.stay), confirm_and_send_one)  # type: ignore[arg-type]
    got = Recorder(feed, reconnect_after_ms=lambda now_ms: 500 if len(feed.connected_at) == 1 and got.frames else None)
    with feed, got:
        got.wait_for_frames(2)
    assert "sent no data" in got.states[2].detail


def test_silence_means_nothing_while_the_market_is_closed() -> None:
    with ScriptedFeed(after_data(Conversation.stay)) as feed, Recorder(feed, ping_seconds=0.5) as got:  # type: ignore[arg-type]
        got.wait_for_frames(1)
        assert not feed.over.wait(2.0)
    assert len(feed.connected_at) == 1  # and its pings were answered


def test_pings_are_answered() -> None:
    answered = threading.Event()

    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        if feed.connection.ping(b"are you there").wait(PATIENCE):
            answered.set()
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed):
        assert answered.wait(PATIENCE)


def test_a_server_that_does_not_answer_pings_is_left() -> None:
    def deaf(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.connection.protocol.receive_data = lambda data: None  # type: ignore[method-assign]
        feed.server.over.wait(PATIENCE)

    with ScriptedFeed(deaf, confirm_and_send_one) as feed, Recorder(feed, ping_seconds=0.3) as got:
        got.wait_for_frames(1)
    assert "did not answer a ping" in got.states[2].detail


# --- the end, holding, stopping ---


def test_the_end_of_a_recording_ends_it_in_its_place() -> None:
    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(aggregate(0))
        feed.send(status("ended", "end of recording"))
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed) as got:
        got.wait_for_state("ended")
        got.client._thread.join(PATIENCE)
        assert not got.client._thread.is_alive()
    assert [getattr(item, "kind", "frame") for item in got.items] == ["connecting", "confirmed", "frame", "ended"]
    assert len(feed.connected_at) == 1


def test_while_held_nothing_is_handed_over_and_little_is_read_ahead() -> None:
    written = threading.Semaphore(0)

    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.send(aggregate(0))
        for _ in range(400):
            feed.send(*[aggregate(n) for n in range(500)])  # 50 KB
            written.release()
        feed.send(status("ended", "end of recording"))
        feed.stay()

    with ScriptedFeed(script) as feed:
        got = Recorder(feed, held_bytes=200_000, ping_seconds=0.5, reconnect_after_ms=lambda now_ms: 1_000)
        add = got.client._outbox._on_frame

        def hold_after_the_first(frame: bytes, received_ms: int) -> None:
            if not got.frames:
                got.client.hold()
            add(frame, received_ms)

        got.client._outbox._on_frame = hold_after_the_first
        with got:
            got.wait_for_frames(1)
            assert not feed.over.wait(1.5)  # longer than the watchdog and the ping would bear
            assert len(got.frames) == 1
            assert got.client._outbox.bytes < 400_000
            got.client.release()
            got.wait_for_state("ended")
    assert len(got.frames) == 401
    assert len(feed.connected_at) == 1


def test_what_was_held_comes_before_the_end_of_its_connection() -> None:
    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        for number in range(3):
            feed.send(aggregate(number))
        feed.drop()

    with ScriptedFeed(script, confirm_and_send_one) as feed:
        got = Recorder(feed)
        got.client.hold()
        with got:
            assert not feed.over.wait(0.7)
            assert got.items == []
            got.client.release()
            got.wait_for_frames(4)
    kinds = [getattr(item, "kind", "frame") for item in got.items]
    assert kinds == ["connecting", "confirmed", "frame", "frame", "frame", "reconnecting", "connecting", "confirmed", "frame"]


@pytest.mark.parametrize("scripts", [(confirm_and_send_one,), (Conversation.stay,), (Conversation.drop,)])
def test_it_stops_at_any_moment(scripts: tuple[object, ...]) -> None:
    with ScriptedFeed(*scripts) as feed, Recorder(feed) as got:  # type: ignore[arg-type]
        got.wait_for_state("connecting")
        began = time.monotonic()
        got.client.stop(PATIENCE)
        assert time.monotonic() - began < PATIENCE
        assert not got.client._thread.is_alive()


def test_it_can_be_stopped_before_it_was_started() -> None:
    MassiveClient("ws://127.0.0.1:1", KEY, "A", SYMBOLS, on_frame=lambda *_: None, on_state=lambda _: None).stop()


def test_a_key_over_an_open_line_is_warned_of(log: pytest.LogCaptureFixture) -> None:
    client = MassiveClient("ws://feed.example/stocks", KEY, "A", SYMBOLS, on_frame=lambda *_: None, on_state=lambda _: None)
    client._warn_of_open_key()
    assert "not encrypted" in log.text


def test_the_settings_describe_a_client() -> None:
    settings = Settings(massive_api_key=KEY, channel="T", feed_url="ws://127.0.0.1:1/stocks", symbols=("AAPL",))
    client = MassiveClient.for_settings(settings, AlwaysOpenCalendar(), lambda *_: None, lambda _: None)
    assert (client._key, client._channel, client._symbols) == (KEY, "T", ("AAPL",))


def test_it_runs_on_green_threads() -> None:
    """Under eventlet's patch the client runs beside other green threads, and does not starve them."""
    program = textwrap.dedent("""
        import eventlet
        eventlet.monkey_patch(psycopg=False)
        import sys, threading, time
        from tickstock.feed.massive_client import MassiveClient
        frames, states, latest = [], [], [0.0]
        def heart():
            before = time.monotonic()
            while True:
                time.sleep(0.01)
                now = time.monotonic()
                latest[0] = max(latest[0], now - before)
                before = now
        threading.Thread(target=heart, daemon=True).start()
        client = MassiveClient(sys.argv[1], sys.argv[2], "A", ("AAPL",),
                               on_frame=lambda frame, at: frames.append(frame), on_state=states.append)
        client.start()
        deadline = time.monotonic() + 20
        while "ended" not in [state.kind for state in states] and time.monotonic() < deadline:
            time.sleep(0.01)
        client.stop()
        print(len(frames), ",".join(state.kind for state in states), latest[0] < 2.0)
    """)

    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        for _ in range(3_000):
            feed.send(*[aggregate(n) for n in range(20)])
        feed.send(status("ended", "end of recording"))
        feed.stay()

    with ScriptedFeed(script) as feed:
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, feed.url, KEY],
            capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."},
        )  # fmt: skip
    assert result.stdout.strip() == "3000 connecting,confirmed,ended True", result.stderr


# --- symbols that come and go ---


def test_symbols_come_and_go_on_the_open_connection() -> None:
    def script(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        for _ in range(2):
            message = feed.receive()
            feed.send(
                *(status("success", f"{message['action']}d to: {each}") for each in message["params"].split(",")), aggregate(0)
            )
        feed.stay()

    with ScriptedFeed(script) as feed, Recorder(feed) as got:
        got.wait_for_state("confirmed")
        got.client.watch(("AAPL", "MSFT", "NVDA"))
        got.wait_for(lambda self: any(state.symbols for state in self.states))
        got.wait_for_frames(2)
    assert feed.received[2:] == [
        {"action": "unsubscribe", "params": "A.BRK.B"},
        {"action": "subscribe", "params": "A.NVDA"},
    ]
    last = got.states[-1]
    assert last == ConnectionState("changed", "3 of 3 subscriptions confirmed", 3, 3, ("NVDA",))
    assert len(feed.connected_at) == 1
    assert got.items.index(last) < len(got.items) - 1  # the frame that came with the answer stands behind it


def test_a_new_connection_asks_for_what_is_watched_then() -> None:
    def first(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.receive()
        feed.drop()

    with ScriptedFeed(first, confirm_and_send_one) as feed, Recorder(feed) as got:
        got.wait_for_state("confirmed")
        got.client.watch(("NVDA",))
        assert got.wait_for_state("confirmed", 2).detail == "1 of 1 subscriptions confirmed"
    assert feed.received[-1]["params"] == "A.NVDA"
