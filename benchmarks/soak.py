"""Whether anything grows in a long run: the whole system as separate processes on the simulated market, in real time.

    python -m benchmarks.soak --minutes M [--rate R] [--symbols N] [--database URL]

Two browsers listen, one of which is closed and opened again every minute, and /health is read. Every ten seconds each process's
memory, descriptors and threads, what waits in every queue, and the size of the database and the logs are noted. The first tenth
of the run is warm-up: what grows is measured after it. Every trade of the load moves a price, so that a trade offered is a tick;
after the run the market stops, everything drains, and what each stage holds is counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import socketio

from benchmarks.pipeline import check_bars
from benchmarks.running_system import RunningSystem
from tickstock.contract import RESULTS_LOG_KEY, TICKS_LOG_KEY, TICKS_TAKEN_KEY, TakenPosition, decode
from tickstock.settings import DEFAULT_SYMBOLS

SAMPLE_SECONDS = 10.0
RELOAD_SECONDS = 60.0
DRAIN_SECONDS = 90.0
WARM_UP_SHARE = 0.1
AVERAGED = 5  # samples that stand for the start, the middle and the end
MEGABYTE = 1 << 20
ENVIRONMENT = {
    "TICKSTOCK_FEED": "simulated",
    "TICKSTOCK_CALENDAR": "always_open",
    "TICKSTOCK_CHANNEL": "T",
    "TICKSTOCK_SYMBOLS": "*",
}
QUEUES = {  # of /health
    "feed frames": ("market_data", "frame_bytes_waiting"),
    "ticks for the database": ("tick_recorder", "waiting_ticks"),
    "ticks in the spill file": ("tick_recorder", "spilled_ticks"),
    "ticks for Redis": ("tick_forwarder", "waiting_ticks"),
}


class Browser:
    """An open page: it watches symbols and counts what it hears."""

    def __init__(self, port: int, symbols: Iterable[str], reload_seconds: float | None = None) -> None:
        self.frames = self.signals = self.reloads = 0
        self._url = f"http://127.0.0.1:{port}"
        self._symbols = list(symbols)
        self._reload_seconds = reload_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave."""
        self._stopped.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stopped.is_set():
            client = socketio.Client()
            client.on("ticks", self._on_ticks)
            client.on("streaming_pattern", self._on_signal)
            client.on("indicator_alert", self._on_signal)
            try:
                client.connect(self._url, transports=["websocket"])
                client.emit("watch", self._symbols)
                self._stopped.wait(self._reload_seconds)
            except socketio.exceptions.ConnectionError:
                self._stopped.wait(1.0)
            finally:
                client.disconnect()
            self.reloads += 1

    def _on_ticks(self, _: Any) -> None:
        self.frames += 1

    def _on_signal(self, _: Any) -> None:
        self.signals += 1


@dataclass
class Growth:
    """A figure, sample by sample."""

    hours: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, hours: float, value: float) -> None:
        """Note a sample."""
        self.hours.append(hours)
        self.values.append(value)

    def at(self, share: float) -> float:
        """The median of the samples about this share of the run."""
        middle = int(share * (len(self.values) - 1))
        first = max(0, min(middle - AVERAGED // 2, len(self.values) - AVERAGED))
        return statistics.median(self.values[first : first + AVERAGED])

    def per_hour(self) -> float:
        """The slope of the straight line through the samples after the warm-up."""
        first = int(len(self.hours) * WARM_UP_SHARE)
        return statistics.linear_regression(self.hours[first:], self.values[first:]).slope if len(self.hours) - first > 1 else 0.0

    def since_warm_up(self) -> float:
        """By how much the end is above the start."""
        return self.at(1.0) - self.at(WARM_UP_SHARE)


class Samples:
    """All figures of a run: per process and of the system."""

    def __init__(self, system: RunningSystem) -> None:
        self.figures: dict[str, Growth] = {}
        self.largest_queues: dict[str, float] = {}
        self.issues: set[str] = set()
        self._system = system
        self._began = time.monotonic()
        self._processes = {name: psutil.Process(each.pid) for name, each in system.processes.items()}

    def take(self) -> None:
        """Note everything as it is now.

        Raises:
            SystemExit: a process is not there any more.
        """
        for name, process in self._processes.items():
            if self._system.processes[name].poll() is not None:
                raise SystemExit(f"{name} ended:\n{self._system.log_of(name)[-2000:]}")
            with process.oneshot():
                memory = process.memory_full_info()
                self._add(f"{name} memory MB", memory.rss / MEGABYTE)
                self._add(f"{name} own memory MB", memory.uss / MEGABYTE)
                self._add(f"{name} threads", process.num_threads())
                self._add(f"{name} descriptors", process.num_fds())
        self._take_sizes()
        for name, length in queues(self._system).items():
            self.largest_queues[name] = max(self.largest_queues.get(name, 0), length)

    def line(self) -> str:
        """The latest memory and descriptors in one line."""
        latest = {name: growth.values[-1] for name, growth in self.figures.items()}
        parts = [f"{each} {latest[f'{each} memory MB']:.1f} MB" for each in self._processes]
        return f"{(time.monotonic() - self._began) / 60:5.1f} min: {', '.join(parts)}; ticks {latest['ticks']:,.0f}"

    def total(self, what: str) -> float:
        """The growth of all processes together."""
        return sum(self.figures[f"{name} {what}"].since_warm_up() for name in self._processes)

    def _take_sizes(self) -> None:
        system = self._system
        files = list(system.folder.iterdir())
        self._add("database MB", _megabytes(each for each in files if each.name.startswith("tickstock.db")))
        self._add("logs MB", _megabytes(system.logs.iterdir()))
        info: Any = system.client.info("memory")
        self._add("redis data MB", info["used_memory"] / MEGABYTE)
        lengths: Any = [system.client.xlen(key) for key in (TICKS_LOG_KEY, RESULTS_LOG_KEY)]
        self._add("redis log entries", sum(lengths))
        self._add("ticks", system.health().get("ticks_total", 0))
        self.issues.update(system.get("/health")["issues"])

    def _add(self, name: str, value: float) -> None:
        self.figures.setdefault(name, Growth()).add((time.monotonic() - self._began) / 3600, value)


def queues(system: RunningSystem) -> dict[str, float]:
    """What waits where."""
    stages = system.get("/health")["stages"]
    found = {name: stages[stage].get(figure, 0) for name, (stage, figure) in QUEUES.items()}
    taken: Any = system.client.get(TICKS_TAKEN_KEY)
    position = decode(taken, TakenPosition).position if taken else 0
    found["ticks for TickStockPL"] = max(0, stages["market_data"].get("ticks", 0) - position)
    return {
        **found,
        **{f"{what.replace('_', ' ')} in TickStockPL": count for what, count in system.health().get("waiting", {}).items()},
    }


def main() -> int:
    """Run, report, and return 1 when something was lost or still waits."""
    options = _options()
    simulator = ["--plain"]
    if options.symbols is not None:
        simulator += ["--symbols", str(options.symbols)]
    if options.rate is not None:
        simulator += ["--rate", str(options.rate)]
    with (
        tempfile.TemporaryDirectory(prefix="tickstock-soak-") as folder,
        RunningSystem(Path(folder), simulator, ENVIRONMENT, options.database) as system,
    ):
        return _run(system, options.minutes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, required=True, help="how long")
    parser.add_argument("--rate", type=float, help="ticks a second of the whole market (default: like a real day)")
    parser.add_argument("--symbols", type=int, help="how many made-up symbols (default: the 70 known ones)")
    parser.add_argument("--database", help="URL of an empty database (default: SQLite in a temporary folder)")
    return parser.parse_args()


def _run(system: RunningSystem, minutes: float) -> int:
    system.wait_until(lambda: system.health().get("ticks_total", 0) > 0, 120, "the first tick")
    symbols = DEFAULT_SYMBOLS[:50]
    browsers = [Browser(system.port, symbols), Browser(system.port, symbols, RELOAD_SECONDS)]
    samples = Samples(system)
    began = time.monotonic()
    count = max(2, int(minutes * 60 / SAMPLE_SECONDS))
    for number in range(1, count + 1):
        samples.take()
        if number % 6 == 1:
            print(samples.line(), flush=True)
        time.sleep(max(0.0, began + number * minutes * 60 / count - time.monotonic()))
    samples.take()
    for browser in browsers:
        browser.close()
    _report(samples, browsers)
    system.kill("simulator")
    left, lost = _drained(system)
    app, streaming = (samples.figures[f"{name} memory MB"].per_hour() for name in ("app", "streaming"))
    descriptors, threads = (samples.total(what) for what in ("descriptors", "threads"))
    print(
        f"soak: {minutes:g} minutes, memory {app:+.1f} MB/h app, {streaming:+.1f} MB/h streaming, "
        f"descriptors {descriptors:+.0f}, threads {threads:+.0f}, queues {left:,.0f}, {lost} lost"
    )
    return 1 if left or lost else 0


def _report(samples: Samples, browsers: list[Browser]) -> None:
    print(f"\n{'':28}{'start':>12}{'after 10 %':>12}{'middle':>12}{'end':>12}{'per hour':>12}")
    for name, growth in sorted(samples.figures.items()):
        moments = "".join(f"{growth.at(share):12,.1f}" for share in (0.0, WARM_UP_SHARE, 0.5, 1.0))
        print(f"{name:28}{moments}{growth.per_hour():+12,.1f}")
    print("\nlongest queues: " + ", ".join(f"{name} {length:,.0f}" for name, length in samples.largest_queues.items()))
    for number, browser in enumerate(browsers, 1):
        print(f"browser {number}: {browser.frames:,} frames, {browser.signals:,} signals, opened {browser.reloads} times")
    print("issues shown on the way: " + ("; ".join(sorted(samples.issues)) or "none"))


def _drained(system: RunningSystem) -> tuple[float, int]:
    """Wait until nothing waits; how much still does, and how many ticks are nowhere or bars are wrong."""

    def nothing_waits() -> bool:
        position = system.get("/health")["stages"]["market_data"]["ticks"]
        return not sum(queues(system).values()) and bool(system.health().get("ticks_total", 0) >= position)

    try:
        system.wait_until(nothing_waits, DRAIN_SECONDS, "everything to drain")
    except TimeoutError as problem:
        print(problem)
    stages = system.get("/health")["stages"]
    offered, forwarded = stages["market_data"]["counts"]["trades"], stages["market_data"]["ticks"]
    consumed, stored = system.health()["ticks_total"], stages["tick_recorder"]["stored_ticks"]
    lost = max(forwarded - consumed, forwarded - stored, offered - forwarded)
    print(f"ticks: {offered:,} offered, {forwarded:,} forwarded, {consumed:,} consumed, {stored:,} stored, {lost} lost")
    checked, wrong = check_bars(system.database_url)
    print(f"stored bars: {checked:,} one-minute bars compared with bars made of the stored ticks, {wrong} differ")
    return sum(queues(system).values()), lost + wrong


def _megabytes(files: Iterable[Path]) -> float:
    return sum(each.stat().st_size for each in files) / MEGABYTE


if __name__ == "__main__":
    sys.exit(main())
