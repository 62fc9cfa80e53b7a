"""What the Live Streaming page costs and how late it is: the real system on the simulated market, a real headless Chromium.

    python -m benchmarks.live_page [--rate 10000] [--symbols 500] [--seconds 60]

The page watches that many symbols of a market with that many ticks a second, and shows the chart of one of them, of which 1,000
made-up bars are stored. A probe in the page notes when each frame arrived and when the animation frame that drew it was handed
over. The share of each stage is told: the app (from a tick's arrival there until its frame is made), the way (until the page has
it), the page (until it is drawn).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import chromium
from benchmarks.running_system import RunningSystem
from tickstock.database.writers import Writer
from tickstock.market_hours import MINUTE_MS, now_ms

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

PROBE = Path(__file__).with_name("live_page_probe.js")
ENVIRONMENT = {
    "TICKSTOCK_FEED": "simulated",
    "TICKSTOCK_CALENDAR": "always_open",
    "TICKSTOCK_CHANNEL": "T",
    "TICKSTOCK_SYMBOLS": "*",
    "TICKSTOCK_GAP_WAIT_SECONDS": "0",
}
SETTLE_SECONDS = 5.0
CHARTED_BARS = 1_000
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """What the page had cost up to a moment: seconds of its main thread, and its heap."""

    task: float
    script: float
    layout: float
    heap: float

    @classmethod
    def of(cls, session: CDPSession, *, collected: bool) -> Machine:
        """Ask the browser; `collected`: after what is garbage was collected."""
        if collected:
            session.send("HeapProfiler.collectGarbage")
        told = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        layout = told["LayoutDuration"] + told["RecalcStyleDuration"]
        return cls(told["TaskDuration"], told["ScriptDuration"], layout, told["JSHeapUsedSize"])


def main() -> None:
    """Measure and print."""
    options = _options()
    from playwright.sync_api import sync_playwright

    program = chromium.chromium_program()
    if program is None:
        raise SystemExit(f"live_page needs a browser: {chromium.HOW_TO_GET_ONE}")
    simulator = ["--symbols", str(options.symbols), "--rate", str(options.rate), "--plain"]
    with (
        tempfile.TemporaryDirectory(prefix="tickstock-live-page-") as folder,
        RunningSystem(Path(folder), simulator, ENVIRONMENT) as system,
        sync_playwright() as player,
    ):
        symbols = [f"S{number:04}" for number in range(1, options.symbols + 1)]
        watchlist = _make_watchlist(system, symbols)
        _store_bars(system, symbols[0])
        system.wait_until(lambda: _is_closing_minutes(system), 200, "the first minute to close")
        browser = player.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
        page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
        page.add_init_script(path=PROBE)
        page.add_init_script(f"localStorage.setItem('tickstock.list', {json.dumps(watchlist)})")
        page.goto(f"http://127.0.0.1:{system.port}/dashboard?symbol={symbols[0]}&timeframe=1min")
        page.wait_for_function("count => document.querySelector('#watch-view').ariaRowCount > count", arg=options.symbols // 2)
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        _measure(system, page, options)
        browser.close()


def _measure(system: RunningSystem, page: Page, options: argparse.Namespace) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    first = page.evaluate("liveProbe.take()")
    before, position, begun = Machine.of(session, collected=True), _position(system), time.monotonic()
    page.wait_for_timeout(options.seconds * 1000)
    found = page.evaluate("liveProbe.take()")
    seconds = time.monotonic() - begun
    after, rate = Machine.of(session, collected=False), (_position(system) - position) / seconds
    kept = Machine.of(session, collected=True)
    frames = found["frames"]
    fps = 1000 / _quantile(frames, 0.5)
    print(
        f"first price drawn {first['firstPrice']:.0f} ms after the page was asked for, first signal {first['firstSignal']:.0f} ms"
    )
    for name, took in first["chart"]:
        print(f"{name}: {took:.0f} ms")
    print(f"frames: {fps:.0f} fps median, p95 {_quantile(frames, 0.95):.1f} ms, p99 {_quantile(frames, 0.99):.1f} ms")
    print(f"tick -> pixel: {_stages(found['ticks'], ('app', 'way', 'page'))}")
    print(f"signal -> pixel: {_stages(found['signals'], ('', 'TickStockPL, Redis, app and way', 'page'))}")
    print(
        f"main thread: {(after.task - before.task) / seconds:.0%} busy, scripts {(after.script - before.script) / seconds:.0%}, "
        f"style and layout {(after.layout - before.layout) / seconds:.0%}"
    )
    print(f"heap: {before.heap / MEGABYTE:.1f} MB at the start, {kept.heap / MEGABYTE:.1f} MB at the end")
    print(f"received: {found['messages'] / seconds:.1f} messages/s, {found['bytes'] / seconds / 1024:.0f} KB/s uncompressed")
    p50, p99 = (_quantile([each[3] for each in found["ticks"]], share) for share in (0.5, 0.99))
    print(f"live page: {fps:.0f} fps, tick to pixel p50 {p50:.0f} ms p99 {p99:.0f} ms at {rate:,.0f} ticks/s")


def _stages(found: Sequence[Sequence[float]], names: Sequence[str]) -> str:
    """p50 and p99 of the whole, and the mean share of each stage that has a name."""
    if not found:
        return "none came"
    whole = [each[3] for each in found]
    mean = sum(whole) / len(whole)
    shares = [
        f"{name} {sum(each[number] for each in found) / len(found) / mean:.0%}" for number, name in enumerate(names) if name
    ]
    return f"p50 {_quantile(whole, 0.5):.0f} ms, p99 {_quantile(whole, 0.99):.0f} ms of {len(found)}; {', '.join(shares)}"


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _make_watchlist(system: RunningSystem, symbols: Sequence[str]) -> str:
    base = f"http://127.0.0.1:{system.port}"
    body = json.dumps({"name": "All of them", "symbols": symbols}).encode()
    headers = {"Content-Type": "application/json", "Origin": base}
    with urllib.request.urlopen(urllib.request.Request(f"{base}/api/watchlists", body, headers), timeout=10) as answer:
        return str(json.load(answer)["id"])


def _store_bars(system: RunningSystem, symbol: str) -> None:
    """A walk of one-minute bars up to half an hour ago."""
    last = now_ms() // MINUTE_MS * MINUTE_MS - 30 * MINUTE_MS
    prices = 100 + np.cumsum(np.random.default_rng(1).normal(0, 0.05, CHARTED_BARS + 1))
    rows = [
        (symbol, "1min", last - (CHARTED_BARS - number) * MINUTE_MS, 0, begins, max(begins, ends) + 0.02,
         min(begins, ends) - 0.02, ends, 1_000, None, None, "simulated", None, None)
        for number, (begins, ends) in enumerate(pairwise(prices.round(2).tolist()))
    ]  # fmt: skip
    with Writer(system.database_url) as writer, writer.transaction() as batch:
        batch.insert_bars(rows)


def _position(system: RunningSystem) -> int:
    return int(system.get("/api/status")["counters"]["ticks"])


def _is_closing_minutes(system: RunningSystem) -> bool:
    health: dict[str, Any] = system.health()
    return bool(health.get("bars_per_minute")) and not health["issues"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_page", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rate", type=int, default=10_000, help="ticks a second of the whole market (10000)")
    parser.add_argument("--symbols", type=int, default=500, help="how many symbols are watched (500)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
