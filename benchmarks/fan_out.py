"""How many dashboards one web process serves: `python -m benchmarks.fan_out [--clients 200,1000] [--seconds 20]`.

The real app, fed by the simulator, and that many Socket.IO clients (the page's own library, run by Node in a process of its own),
each watching a list of its own. Signals are published on Redis as TickStockPL does, 20 at once every 5 s. For each number of
clients a line of figures; the last line says how many dashboards get four frames a second with p99 of delivery under 250 ms.
Delivery is from the making of a frame, and from the publishing of a signal, to the client's handler.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from benchmarks.running_system import ROOT, RunningSystem
from tickstock import contract
from tickstock.contract import StreamingPattern
from tickstock.market_hours import now_ms
from tickstock.settings import DEFAULT_SYMBOLS

CLIENTS = ROOT / "benchmarks" / "fan_out_clients.mjs"
WATCHED = 20
SIMULATOR = ["--rate", "1000", "--plain"]
BURST, BURST_SECONDS = 20, 5.0
ARRIVAL_SECONDS = 30.0  # for the last signals; what is not there then is lost
WARM_UP_SECONDS = 6.0
FRAMES_WANTED = 4.0
P99_WANTED_MS = 250
SEARCHED = (100, 200, 400, 600, 800, 1000, 1500, 2000)


@dataclass
class Found:
    """What was measured with some clients."""

    clients: int
    frames: float  # a second and client
    events: int  # delivered
    lost: int
    twice: int
    frame_ms: tuple[float, float]  # p50 and p99
    event_ms: tuple[float, float]
    tick_ms: tuple[float, float]  # from a tick's arrival in the app
    cpu_share: float  # of a core
    cpu_us: float  # per delivered frame or event
    memory_kb: float  # per client

    @property
    def serves(self) -> bool:
        """Whether so many dashboards are served."""
        enough = self.frames >= 0.95 * FRAMES_WANTED
        return enough and max(self.frame_ms[1], self.event_ms[1]) <= P99_WANTED_MS and not self.lost and not self.twice

    def __str__(self) -> str:
        return (
            f"{self.clients:>6} clients: {self.frames:.2f} frames/s each, {self.events} events, {self.lost} lost, "
            f"{self.twice} twice; delivery p50/p99 frames {self.frame_ms[0]:.0f}/{self.frame_ms[1]:.0f} ms, "
            f"events {self.event_ms[0]:.0f}/{self.event_ms[1]:.0f} ms, from tick {self.tick_ms[0]:.0f}/{self.tick_ms[1]:.0f} ms; "
            f"{100 * self.cpu_share:.0f} % of a core, {self.cpu_us:.0f} us per delivery, {self.memory_kb:.0f} KB per client"
        )


class Clients:
    """The process of the clients."""

    def __init__(self, port: int, count: int) -> None:
        node = shutil.which("node")
        if node is None:
            raise SystemExit("fan_out: no node on PATH; the clients need one of version 20 or later")
        self._process = subprocess.Popen(
            [node, "--no-warnings", "--experimental-websocket", str(CLIENTS), f"http://127.0.0.1:{port}", str(count),
             str(WATCHED), ",".join(DEFAULT_SYMBOLS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.count = count

    def figures(self) -> dict[str, Any]:
        """The figures since the last call."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


class Process:
    """CPU seconds and bytes of a process, from /proc."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    @property
    def cpu(self) -> float:
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> int:
        return 1024 * int((self._folder / "status").read_text().split("RssAnon:")[1].split()[0])


def publish(client: redis.Redis, number: int) -> None:
    """A burst of signals, as TickStockPL publishes them."""
    pipeline = client.pipeline(transaction=True)
    for each in range(BURST):
        bar = now_ms() // 60_000 * 60_000
        pattern = StreamingPattern(
            f"{DEFAULT_SYMBOLS[each]}:1min:Hammer:{number}", DEFAULT_SYMBOLS[each], "Hammer", "bullish", "confirmed", "1min",
            "regular", bar, now_ms(), 257.01, 0.82, "simulated", "live", {},
        )  # fmt: skip
        pipeline.publish(contract.PATTERNS_CHANNEL, contract.encode(pattern))
    pipeline.execute()


def measure(system: RunningSystem, count: int, seconds: float, bursts: Iterator[int]) -> Found:
    """Connect so many clients and look at them for some seconds."""
    app = Process(system.processes["app"].pid)
    idle_memory = app.memory
    clients = Clients(system.port, count)
    try:
        deadline = time.monotonic() + 60
        while clients.figures()["connected"] < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"fan_out: not all of {count} clients could connect")
            time.sleep(0.3)
        time.sleep(WARM_UP_SECONDS)
        memory = app.memory
        clients.figures()
        began, cpu = time.monotonic(), app.cpu
        while time.monotonic() - began < seconds:
            number = next(bursts)
            publish(system.client, number)
            time.sleep(BURST_SECONDS)
        told = clients.figures()
        took, used = time.monotonic() - began, app.cpu - cpu
        total = BURST * number  # published since the app's start
        end = clients.figures()
        delivered = told["events"] + end["events"]
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while end["held"] < total * count and time.monotonic() < deadline:
            time.sleep(0.5)
            end = clients.figures()
            delivered += end["events"]
    finally:
        clients.close()
    return Found(
        count,
        told["frames"] / took / count,
        delivered,
        total * count - end["held"],
        end["twice"],
        tuple(told["frame"]),
        tuple(told["event"]),
        tuple(told["tick"]),
        used / took,
        1e6 * used / max(1, told["frames"] + told["events"] + told["indicators"]),
        (memory - idle_memory) / count / 1024,
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="200,1000", help="how many, separated by commas")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--mode", default="eventlet", choices=("eventlet", "threading"))
    options = parser.parse_args()
    asked = [int(each) for each in options.clients.split(",")]
    environment = {
        "TICKSTOCK_CALENDAR": "always_open",
        "TICKSTOCK_FEED": "simulated",
        "TICKSTOCK_CHANNEL": "T",
        "TICKSTOCK_ASYNC_MODE": options.mode,
    }
    found: dict[int, Found] = {}
    with (
        tempfile.TemporaryDirectory(prefix="tickstock-fan-out-") as folder,
        RunningSystem(Path(folder), SIMULATOR, environment) as system,
    ):
        system.stop_one("streaming")
        bursts = iter(range(1, 1_000_000))
        for count in asked:
            found[count] = measure(system, count, options.seconds, bursts)
            print(found[count], flush=True)
        for count in SEARCHED:
            known = found.get(count)
            if known is None and not any(each.serves and each.clients > count for each in found.values()):
                known = found[count] = measure(system, count, options.seconds / 2, bursts)
                print(known, flush=True)
            if known is not None and not known.serves:
                break
    most = max((each.clients for each in found.values() if each.serves), default=0)
    print(f"fan out: {most} dashboards at {FRAMES_WANTED:g} frames/s with p99 under {P99_WANTED_MS} ms in one process")
    return 0


if __name__ == "__main__":
    sys.exit(main())
