"""A browser that stops reading, against the real process, while others go on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import websocket

from tests.web.conftest import World
from tests.web.services import a_pattern, wait_until
from tests.web.test_socketio import browser

STALLED = 12
BURSTS, SIGNALS = 40, 150
MOST_BYTES = 2 * 1024 * 1024


def stalled(world: World) -> websocket.WebSocket:
    """Connect, take nothing more than the handshake, and stay."""
    connection = websocket.create_connection(
        f"ws://127.0.0.1:{world.app.port}/socket.io/?EIO=4&transport=websocket", timeout=10,
        sockopt=[(6, 10, 8192), (1, 8, 8192)],  # TCP_WINDOW_CLAMP and SO_RCVBUF: little fits into the network
    )  # fmt: skip
    connection.recv()
    connection.send("40")
    return connection


def memory(world: World) -> int:
    """Bytes of the app that are its own."""
    status = Path(f"/proc/{world.app.process.child.pid}/status").read_text()
    return 1024 * int(status.split("RssAnon:")[1].split()[0])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_browsers_that_stop_reading_cost_little_and_the_others_nothing(own_world: World) -> None:
    world = own_world
    with browser(world) as page:
        page.wait_for("ticks", 3)
        start = page.wait_for("snapshot")["seq"]
        before = memory(world)
        lost = [stalled(world) for _ in range(STALLED)]
        try:
            wait_until(lambda: browsers(world)["connected"] == STALLED + 1, "all connected")
            frames, began = len(page.all("ticks")), time.monotonic()
            details = {"points": list(range(100))}
            for burst in range(BURSTS):
                world.streaming.minute(patterns=[a_pattern(f"X{burst}-{n}", details=details) for n in range(SIGNALS)])
                wait_until(lambda count=burst + 1: len(page.signals()) >= count * SIGNALS, "the burst at the other browser")
            took = time.monotonic() - began
            report = browsers(world)
            assert report["behind"] == report["connected"] - 1 <= STALLED  # whose pings stay unanswered is cut off
            assert report["connected"] > 1 or took > 15
            assert memory(world) - before < STALLED * MOST_BYTES
            numbers = [signal["seq"] for signal in page.signals()]
            assert sorted(numbers) == list(range(start + 1, start + 1 + BURSTS * SIGNALS))
            assert len(page.all("ticks")) - frames >= 0.5 * took  # the simulated feed ticks once a second
        finally:
            for connection in lost:
                connection.close(timeout=0)


def heard(connection: websocket.WebSocket, *, answered: bool = True) -> tuple[str, Any]:
    """The next event, acknowledged where it asks for that."""
    while True:
        packet = str(connection.recv())
        if packet == "2":
            connection.send("3")
        if packet.startswith("42"):
            number, bracket, text = packet[2:].partition("[")
            if number and answered:
                connection.send(f"43{number}[]")
            event, message = msgspec.json.decode(bracket + text)
            return event, message


def numbers_in(event: str, message: Any) -> set[int]:
    """The signals that a message brings."""
    if event in ("snapshot", "events"):
        return {signal["seq"] for signal in message["events"]}
    return {message["seq"]} if event in ("streaming_pattern", "indicator_alert") else set()


def ask_since(connection: websocket.WebSocket, epoch: str, seq: int) -> None:
    connection.send("42" + msgspec.json.encode(["since", {"epoch": epoch, "seq": seq}]).decode())


def tell(world: World, bursts: int) -> None:
    """A hundred signals of some size each, all at once."""
    details = {"points": list(range(100))}
    for burst in range(bursts):
        world.streaming.minute(patterns=[a_pattern(f"Y{burst}-{n}", details=details) for n in range(100)])


def taken_in(world: World, seq: int) -> None:
    wait_until(lambda: world.app.get("/api/status")[1]["seq"] == seq, "all are taken in")


def browsers(world: World) -> dict[str, int]:
    """Figures of the browsers, from /health."""
    found: dict[str, int] = world.app.get("/health")[1]["stages"]["browsers"]
    return found


def test_a_browser_that_reads_again_gets_a_snapshot_and_can_ask_for_what_it_missed(own_world: World) -> None:
    world = own_world
    connection = stalled(world)
    try:
        wait_until(lambda: browsers(world)["connected"] == 1, "connected")
        tell(world, 30)
        wait_until(lambda: browsers(world)["behind"] == 1, "it is behind")
        taken_in(world, 3000)
        held, snapshots = set[int](), 0
        deadline = time.monotonic() + 60
        while len(held) < 3000 and time.monotonic() < deadline:
            event, message = heard(connection)
            held |= numbers_in(event, message)
            snapshots += event == "snapshot"
            if event == "snapshot" and message["seq"] == 3000:
                ask_since(connection, message["epoch"], 0)
        assert snapshots >= 2
        assert held == set(range(1, 3001))
    finally:
        connection.close(timeout=0)


def test_what_is_told_while_a_long_answer_waits_to_be_read_comes_after_it(own_world: World) -> None:
    world = own_world
    tell(world, 30)
    taken_in(world, 3000)
    connection = stalled(world)
    try:
        event, message = heard(connection)
        while event != "snapshot":
            event, message = heard(connection)
        held = numbers_in(event, message)
        ask_since(connection, message["epoch"], 0)
        while event != "events":  # the answer has begun, and goes as far as it may
            event, message = heard(connection, answered=False)
            held |= numbers_in(event, message)
        world.streaming.minute(patterns=[a_pattern(f"Z{n}", details={"points": list(range(100))}) for n in range(50)])
        taken_in(world, 3050)
        assert browsers(world)["behind"] == 0
        deadline = time.monotonic() + 60
        while len(held) < 3050 and time.monotonic() < deadline:
            event, message = heard(connection)
            assert event != "snapshot"
            held |= numbers_in(event, message)
        assert held == set(range(1, 3051))
    finally:
        connection.close(timeout=0)
