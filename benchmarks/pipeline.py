"""How many ticks a second go through the whole system: simulator, app, Redis, TickStockPL, database, as separate processes.

    python -m benchmarks.pipeline [--rate N|max] [--symbols N] [--seconds S] [--database URL]

Every trade of the load moves a price, so that a trade offered is a tick forwarded. After the run the market stops, everything
drains, and what each stage holds is counted; the stored bars are compared with bars that SQL makes of the stored ticks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import create_engine, text

from benchmarks.running_system import RunningSystem
from tickstock.contract import RESULTS_LOG_FIELD, RESULTS_LOG_KEY, STATUS_CHANNEL, FeedStatus, ResultsEntry, decode
from tickstock.market_hours import MINUTE_MS

MAX_RATE = 200_000
HOLD_MS = 1000  # of channel T
DRAIN_SECONDS = 90.0


@dataclass
class Lags:
    """Delays in milliseconds, hop by hop."""

    feed: list[float] = field(default_factory=list)  # the newest event's own time -> the app has taken it in
    redis: list[float] = field(default_factory=list)  # the app has taken it in -> a subscriber of Redis has it


class StatusListener(threading.Thread):
    """Notes how long statuses take to a subscriber of Redis; they stand among the ticks, so ticks take as long."""

    def __init__(self, url: str, lags: Lags) -> None:
        super().__init__(daemon=True)
        self.stopped = False
        self._client = redis.Redis.from_url(url)
        self._lags = lags

    def run(self) -> None:
        with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(STATUS_CHANNEL)
            while not self.stopped:
                message = subscription.get_message(timeout=0.2)
                if message is not None:
                    self._lags.redis.append(time.time() * 1000 - decode(message["data"], FeedStatus).timestamp)


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="tickstock-pipeline-") as folder:
        rate = str(MAX_RATE if options.rate == "max" else int(options.rate))
        environment = {
            "TICKSTOCK_FEED": "simulated",
            "TICKSTOCK_CALENDAR": "always_open",
            "TICKSTOCK_CHANNEL": "T",
            "TICKSTOCK_SYMBOLS": "*",
            "TICKSTOCK_GAP_WAIT_SECONDS": "0",
        }
        simulator = ["--symbols", str(options.symbols), "--rate", rate, "--plain", "--buffer-mb", "512"]
        with RunningSystem(Path(folder), simulator, environment, options.database) as system:
            return _measure(system, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__.split("\n")[0])
    parser.add_argument("--rate", default="50000", help="ticks a second of the whole market, or max (default 50000)")
    parser.add_argument("--symbols", type=int, default=5000, help="how many symbols (default 5000)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--database", help="URL of an empty database (default: SQLite in a temporary folder)")
    return parser.parse_args()


def _measure(system: RunningSystem, options: argparse.Namespace) -> int:
    _wait(lambda: _position(system) > 0, 60, "the first tick")
    # The first, incomplete minute comes from REST, symbol by symbol: not what this measures.
    _wait(lambda: system.health().get("bars_per_minute", 0) > 0 and not system.health()["issues"], 150, "the first minute")
    lags = Lags()
    listener = StatusListener(system.redis_url, lags)
    listener.start()
    begun, cpu, first = time.monotonic(), _cpu(system), _position(system)
    while time.monotonic() - begun < options.seconds:
        time.sleep(1.0)
        health = system.get("/health")
        lags.feed.append(health["time"] - health["stages"]["market_data"]["last_event_end"])
    seconds, forwarded = time.monotonic() - begun, _position(system) - first
    shares = {name: (used - cpu[name]) / seconds for name, used in _cpu(system).items()}
    listener.stopped = True
    streaming_lags = system.health()["lag_ms"]
    system.kill("simulator")
    _report(system, seconds, forwarded, shares, lags, streaming_lags)
    return 0


def _report(
    system: RunningSystem, seconds: float, forwarded: int, shares: dict[str, float], lags: Lags, streaming: dict[str, float]
) -> None:
    total = _drained(system)
    stages = system.get("/health")["stages"]
    offered = stages["market_data"]["counts"]["trades"]
    consumed = system.health()["ticks_total"]
    stored = stages["tick_recorder"]["stored_ticks"]
    lost = max(total - consumed, total - stored, offered - total)
    print(f"ticks: {offered:,} offered, {total:,} forwarded, {consumed:,} consumed, {stored:,} stored, {lost} lost")
    print(f"lag, event -> app: {_quantiles(lags.feed)}")
    print(f"lag, app -> Redis -> subscriber: {_quantiles(lags.redis)}")
    print(f"lag, app -> Redis -> TickStockPL has processed it: p50 {streaming['p50']:.0f} ms, p99 {streaming['p99']:.0f} ms")
    print(f"minute's end -> its results are published: {_quantiles(_close_lags(system))}")
    print(
        "CPU: "
        + ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        + f", together {sum(shares.values()):.0%} of a core"
    )
    checked, wrong = check_bars(system.database_url)
    print(f"stored bars: {checked:,} one-minute bars compared with bars made of the stored ticks, {wrong} differ")
    worst = max(_quantile(lags.feed, 0.99) + streaming["p99"], 0.0)
    print(f"pipeline: {forwarded / seconds:,.0f} ticks/s end to end, {lost} lost, lag p99 {worst:.0f} ms")


def _drained(system: RunningSystem) -> int:
    """Wait until every stage holds all that was forwarded, and return how much that is."""

    def all_there() -> bool:
        stages = system.get("/health")["stages"]
        position: int = stages["market_data"]["ticks"]
        return bool(
            stages["tick_recorder"]["stored_ticks"] >= position and system.health().get("ticks_total", 0) >= position
        )  # fmt: skip

    _wait(all_there, DRAIN_SECONDS, "everything to drain")
    return _position(system)


def _position(system: RunningSystem) -> int:
    return int(system.feed_status().get("forwarded", 0))


def _cpu(system: RunningSystem) -> dict[str, float]:
    """CPU seconds of each process so far, its own and its kernel's."""
    import psutil

    return {name: sum(psutil.Process(process.pid).cpu_times()[:2]) for name, process in system.processes.items()}


def _close_lags(system: RunningSystem) -> list[float]:
    entries: Any = system.client.xrange(RESULTS_LOG_KEY)
    found = []
    for entry_id, fields in entries:
        entry = decode(fields[RESULTS_LOG_FIELD.encode()], ResultsEntry)
        if entry.indicators:
            found.append(int(entry_id.split(b"-")[0]) - (entry.minute + MINUTE_MS + HOLD_MS))
    return [float(each) for each in found[1:]]  # the first one waited for REST


def check_bars(url: str) -> tuple[int, int]:
    """Compare every stored bar that was made of ticks with the stored ticks of its minute."""
    engine = create_engine(url)
    minute = "timestamp - timestamp % 60000" if engine.dialect.name == "sqlite" else "date_trunc('minute', timestamp)"
    query = f"""
        SELECT count(*), count(*) FILTER (WHERE bars.high <> made.high OR bars.low <> made.low
            OR bars.volume <> made.volume OR bars.ticks <> made.ticks OR bars.open <> made.open OR bars.close <> made.close)
        FROM bars JOIN (
            SELECT symbol, {minute} AS start, max(price) AS high, min(price) AS low, sum(volume) AS volume, count(*) AS ticks,
                   min(CASE WHEN first_one = 1 THEN price END) AS open, min(CASE WHEN last_one = 1 THEN price END) AS close
            FROM (SELECT *,
                    row_number() OVER (PARTITION BY symbol, {minute} ORDER BY timestamp, position) AS first_one,
                    row_number() OVER (PARTITION BY symbol, {minute} ORDER BY timestamp DESC, position DESC) AS last_one
                  FROM ticks WHERE NOT late) AS ordered
            GROUP BY symbol, {minute}
        ) AS made ON made.symbol = bars.symbol AND made.start = bars.timestamp
        WHERE bars.timeframe = '1min' AND bars.revision = 0 AND bars.ticks IS NOT NULL
    """
    with engine.connect() as connection:
        compared, wrong = connection.execute(text(query)).one()
    return int(compared), int(wrong)


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _quantiles(values: list[float]) -> str:
    return f"p50 {_quantile(values, 0.5):.0f} ms, p99 {_quantile(values, 0.99):.0f} ms"


def _wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.25)


if __name__ == "__main__":
    sys.exit(main())
