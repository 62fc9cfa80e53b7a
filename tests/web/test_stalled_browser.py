"""A browser that stops reading, against the real process, while others go on."""

from __future__ import annotations

import time
from pathlib import Path

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
            wait_until(lambda: world.app.get("/health")[1]["stages"]["browsers"]["connected"] == STALLED + 1, "all connected")
            frames, began = len(page.all("ticks")), time.monotonic()
            details = {"points": list(range(100))}
            for burst in range(BURSTS):
                world.streaming.minute(patterns=[a_pattern(f"X{burst}-{n}", details=details) for n in range(SIGNALS)])
                wait_until(lambda count=burst + 1: len(page.signals()) >= count * SIGNALS, "the burst at the other browser")
            took = time.monotonic() - began
            report = world.app.get("/health")[1]["stages"]["browsers"]
            assert report["behind"] == report["connected"] - 1 <= STALLED  # whose pings stay unanswered is cut off
            assert report["connected"] > 1 or took > 15
            assert memory(world) - before < STALLED * MOST_BYTES
            numbers = [signal["seq"] for signal in page.signals()]
            assert sorted(numbers) == list(range(start + 1, start + 1 + BURSTS * SIGNALS))
            assert len(page.all("ticks")) - frames >= 0.5 * took  # the simulated feed ticks once a second
        finally:
            for connection in lost:
                connection.close(timeout=0)


def test_a_browser_that_reads_again_gets_a_snapshot_and_can_ask_for_what_it_missed(own_world: World) -> None:
    world = own_world
    connection = stalled(world)
    try:
        wait_until(lambda: world.app.get("/health")[1]["stages"]["browsers"]["connected"] == 1, "connected")
        details = {"points": list(range(100))}
        for burst in range(30):
            world.streaming.minute(patterns=[a_pattern(f"Y{burst}-{n}", details=details) for n in range(100)])
        wait_until(lambda: world.app.get("/health")[1]["stages"]["browsers"]["behind"] == 1, "it is behind")
        wait_until(lambda: world.app.get("/api/status")[1]["seq"] == 3000, "all are taken in")
        held, snapshots, epoch = set(), 0, ""
        deadline = time.monotonic() + 20
        while len(held) < 3000 and time.monotonic() < deadline:
            packet = str(connection.recv())
            if packet == "2":
                connection.send("3")
            if not packet.startswith("42"):
                continue
            number, bracket, text = packet[2:].partition("[")
            event, message = msgspec.json.decode(bracket + text)
            if number:
                connection.send(f"43{number}[]")
            if event == "snapshot":
                snapshots, epoch = snapshots + 1, message["epoch"]
            held |= {signal["seq"] for signal in (message["events"] if event in ("snapshot", "events") else [])}
            if event in ("streaming_pattern", "indicator_alert"):
                held.add(message["seq"])
            if event == "snapshot" and message["seq"] == 3000:
                connection.send("42" + msgspec.json.encode(["since", {"epoch": epoch, "seq": 0}]).decode())
        assert snapshots >= 2
        assert held == set(range(1, 3001))
    finally:
        connection.close(timeout=0)
