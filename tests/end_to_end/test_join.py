"""A symbol is added to a watchlist while the market runs: the whole system as processes, and nobody else notices."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.running_system import RunningSystem
from tickstock.database import models
from tickstock.database.connection import open_engine
from tickstock.market_hours import MINUTE_MS

WATCHED, NEW = ("AAPL", "MSFT", "NVDA", "SPY"), "TSLA"
SETTINGS = {
    "TICKSTOCK_FEED": "simulated", "TICKSTOCK_FEED_CLOCK": "events", "TICKSTOCK_CALENDAR": "exchange",
    "TICKSTOCK_CHANNEL": "A", "TICKSTOCK_SYMBOLS": ",".join(WATCHED),
}  # fmt: skip
MARKET = ["--start", "2026-11-19T11:00", "--speed", "40"]  # a minute is a second and a half


def rows(system: RunningSystem, of: Any, symbol: str | None = None) -> list[Any]:
    query = select(of) if symbol is None else select(of).where(of.c.symbol == symbol)
    with open_engine(system.database_url).connect() as connection:
        return list(connection.execute(query).all())


def indicators(system: RunningSystem, symbol: str) -> list[Any]:
    return sorted(
        (row for row in rows(system, models.intraday_indicators, symbol) if row.timeframe == "1min"),
        key=lambda row: row.bar_timestamp,
    )


def add_list(system: RunningSystem) -> None:
    body = json.dumps({"name": "Cars", "symbols": [NEW]}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{system.port}/api/watchlists", body, {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201


def test_a_symbol_that_is_added_is_followed_without_a_restart_and_no_other_is_disturbed(tmp_path: Path) -> None:
    with RunningSystem(tmp_path, MARKET, SETTINGS) as system:
        system.wait_until(lambda: len(rows(system, models.stored_history)) == 5, 120, "the history of what is watched")
        system.wait_until(lambda: len(indicators(system, "AAPL")) >= 2, 60, "indicators of what is watched")
        gaps = len(rows(system, models.feed_gaps))
        add_list(system)
        system.wait_until(lambda: bool(rows(system, models.ticks, NEW)), 30, "its ticks")
        confirmed = "5 of 5 subscriptions confirmed"
        system.wait_until(lambda: system.feed_status()["detail"].startswith(confirmed), 30, "the status that tells of it")
        # Of a minute that begins after it joined, with history that REST brought meanwhile.
        system.wait_until(lambda: len(indicators(system, NEW)) >= 3, 120, "its indicators")
        first = indicators(system, NEW)[0]
        always_watched = next(row for row in indicators(system, "AAPL") if row.bar_timestamp == first.bar_timestamp)
        assert first.values.keys() == always_watched.values.keys() >= {"RSI_14", "SMA_20", "VWAP", "RelativeVolume"}
        bars = [row for row in rows(system, models.bars, NEW) if row.timeframe == "1min" and row.revision == 0]
        from_ticks = min(row.timestamp for row in bars if row.last_tick is not None)
        ticks = [row.timestamp for row in rows(system, models.ticks, NEW)]
        assert from_ticks > min(ticks) - min(ticks) % MINUTE_MS  # the minute in which it came is REST's
        first_whole = [row for row in bars if row.timestamp == min(ticks) - min(ticks) % MINUTE_MS]
        assert first_whole and first_whole[0].last_tick is None
        patterns = models.intraday_patterns
        system.wait_until(lambda: any(row.origin == "history" for row in rows(system, patterns, NEW)), 60, "its past patterns")
        followed = [row.bar_timestamp for row in indicators(system, "AAPL")]
        assert followed == list(range(followed[0], followed[-1] + 1, MINUTE_MS))
        assert system.get("/health")["stages"]["market_data"]["connected_times"] == 1
        assert len(rows(system, models.feed_gaps)) == gaps
