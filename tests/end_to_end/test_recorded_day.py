"""A recorded day of real trades through the whole system: simulator, app, Redis, TickStockPL, database, as processes."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from benchmarks.running_system import RunningSystem
from tests.conftest import shared_file
from tests.feed.vendor_reference import ReferenceBar, Rules, read_prints, read_rules, vendor_bars, with_odd_lots
from tests.servers import PostgresServer
from tickstock.database import models
from tickstock.database.connection import open_engine
from tickstock.database.migrate import migrate
from tickstock.database.vendor_queries import VendorQueries
from tickstock.database.writers import Writer
from tickstock.market_hours import ExchangeCalendar
from tickstock.streaming.final_days import PROGRESS as FINAL_DAYS
from tickstock.streaming.history_requests import LONG_DAYS

pytestmark = pytest.mark.slow

DAY = "2013-10-07"
SYMBOLS = "AIG,BAC,IBM,SPY"
REPLAY = {
    "TICKSTOCK_FEED": "replay",
    "TICKSTOCK_FEED_CLOCK": "events",
    "TICKSTOCK_CALENDAR": "exchange",
    "TICKSTOCK_CHANNEL": "T",
}
Rows = dict[tuple[Any, ...], tuple[Any, ...]]


def replay(
    folder: Path,
    file: Path,
    database_url: str | None = None,
    during: Callable[[RunningSystem], None] | None = None,
    symbols: str = SYMBOLS,
) -> dict[str, Any]:
    """Play a file at full speed until everything of it is stored, the vendor's final bars too; what was forwarded and stored."""
    settings = {**REPLAY, "TICKSTOCK_SYMBOLS": symbols}
    system = RunningSystem(folder, ["--replay", str(file), "--speed", "max"], settings, database_url)
    know_of_no_history(system.database_url, symbols.split(","))
    with system:
        if during is not None:
            during(system)
        system.wait_until(lambda: system.feed_status().get("status") == "ended", 240, "the end of the recording")
        end = system.feed_status()
        day_end = end["watermark"] - 60_000

        def stored() -> bool:
            rows = table(system.database_url, models.streaming_progress, ("run",))
            return any(row[1] >= day_end for row in rows.values())

        system.wait_until(stored, 60, "TickStockPL to store the day's last minute")
        vendors_word = VendorQueries(system.database_url)
        system.wait_until(lambda: vendors_word.progress(FINAL_DAYS) is not None, 60, "the day's final bars")
        system.wait_until(lambda: count(system.database_url, models.ticks) >= end["forwarded"], 60, "all ticks to be stored")
        system.wait_until(lambda: system.health().get("ticks_total", 0) >= end["forwarded"] or during is not None, 15, "health")
        return {"forwarded": end["forwarded"], "run": end["run"], "database": system.database_url,
                "health": system.health()}  # fmt: skip


def know_of_no_history(url: str, symbols: Sequence[str]) -> None:
    """Store that nothing came before the day: else it depends on REST's speed from which bar on a series is analysed."""
    migrate(url)
    calendar, day = ExchangeCalendar(), date.fromisoformat(DAY)
    before = [calendar.sessions_of(each) for each in calendar.trading_days_before(day, LONG_DAYS)]
    begun = calendar.sessions_of(day)[0].start
    covered = [*((of_day[0].start, of_day[-1].end) for of_day in before), (begun, begun), (models.DAY_SERIES, begun)]
    with Writer(url) as writer, writer.transaction() as batch:
        batch.set_coverage([(symbol, *each) for symbol in symbols for each in covered])


def table(url: str, of: Any, keys: tuple[str, ...], leave_out: tuple[str, ...] = ()) -> Rows:
    """A table as {key: the other columns}."""
    engine = open_engine(url)
    with engine.connect() as connection:
        found = {}
        for row in connection.execute(select(of)).mappings():
            key = tuple(row[name] for name in keys)
            found[key] = tuple(value for name, value in row.items() if name not in (*keys, *leave_out))
        return found


def count(url: str, of: Any) -> int:
    engine = open_engine(url)
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {of.name}").scalar_one())


def results(url: str) -> dict[str, Rows]:
    """Everything that must not depend on what failed: all tables of results, without the times of making."""
    return {
        "bars": newest_bars(url),
        "patterns": table(
            url, models.intraday_patterns, ("id", "state"), ("detection_timestamp", "origin")
        ),
        "alerts": table(url, models.indicator_alerts, ("id",), ("detection_timestamp", "origin")),
        "indicators": table(
            url, models.intraday_indicators, ("symbol", "timeframe", "bar_timestamp"), ("calculation_timestamp",)
        ),
    }  # fmt: skip


def newest_bars(url: str) -> Rows:
    """(symbol, timeframe, start): open, high, low, close, volume in the highest revision."""
    bars = table(url, models.bars, ("symbol", "timeframe", "timestamp", "revision"))
    return {key[:3]: row[:5] for key, row in sorted(bars.items())}


def assert_equals_reference(url: str, reference: dict[tuple[str, int], ReferenceBar], *, prices: bool = True) -> int:
    stored = {(key[0], key[2]): row for key, row in newest_bars(url).items() if key[1] == "1min"}
    priced = {key: bar for key, bar in reference.items() if bar.priced}
    assert stored.keys() == priced.keys()
    for key, bar in priced.items():
        assert stored[key] == (bar.open, bar.high, bar.low, bar.close, bar.volume), key
    return len(priced)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return read_rules(shared_file("trade-condition-rules.json"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return replay(tmp_path_factory.mktemp("day"), shared_file("data", f"{DAY}.csv.gz"))


def test_bars_of_a_recorded_day_equal_the_vendors_rules_in_every_field(undisturbed: dict[str, Any], rules: Rules) -> None:
    reference = vendor_bars(read_prints(shared_file("data", f"{DAY}.csv.gz")), rules)

    assert assert_equals_reference(undisturbed["database"], reference) == 2292


def test_no_forwarded_tick_is_missing_in_tickstock_pl_or_in_the_database(undisturbed: dict[str, Any]) -> None:
    stored = table(undisturbed["database"], models.ticks, ("run", "position"))

    assert undisturbed["forwarded"] > 300_000
    assert sorted(position for _, position in stored) == list(range(1, undisturbed["forwarded"] + 1))
    assert undisturbed["health"]["ticks_total"] == undisturbed["forwarded"]
    assert undisturbed["health"]["ticks_rejected"] == 0
    assert count(undisturbed["database"], models.feed_gaps) <= 1  # the minute in which the recording begins


def test_volume_is_exact_when_small_prints_are_odd_lots(tmp_path: Path, rules: Rules) -> None:
    file = tmp_path / "odd_lots.csv.gz"
    with (
        gzip.open(shared_file("data", f"{DAY}.csv.gz"), "rt", newline="") as source,
        gzip.open(file, "wt", newline="", compresslevel=1) as target,
    ):
        rows = csv.DictReader(source)
        assert rows.fieldnames is not None
        writer = csv.DictWriter(target, rows.fieldnames)
        writer.writeheader()
        for row in rows:
            if row["ticker"] == "SPY":
                continue  # two thirds of all trades: the others say as much
            if float(row["size"]) <= 100:
                row["conditions"] = ",".join(filter(None, [row["conditions"], "37"]))
            writer.writerow(row)
    prints = (each for each in read_prints(shared_file("data", f"{DAY}.csv.gz")) if each.symbol != "SPY")
    reference = vendor_bars(with_odd_lots(prints), rules)

    outcome = replay(tmp_path / "run", file, symbols="AIG,BAC,IBM")

    assert assert_equals_reference(outcome["database"], reference) > 1000


def test_a_day_in_which_tickstock_pl_is_killed_again_and_again_ends_with_the_same_tables(
    undisturbed: dict[str, Any], tmp_path: Path, postgres_server: PostgresServer
) -> None:
    moments = random.Random(7)

    def kill_again_and_again(system: RunningSystem) -> None:
        for _ in range(5):
            at = system.feed_status().get("forwarded", 0) + moments.randrange(20_000, 50_000)
            system.wait_until(
                lambda at=at: system.feed_status().get("forwarded", 0) >= at or system.feed_status().get("status") == "ended",
                60, "more of the day",
            )  # fmt: skip
            system.kill("streaming")
            system.start("streaming")

    outcome = replay(
        tmp_path, shared_file("data", f"{DAY}.csv.gz"), postgres_server.create_database("killed_day"), kill_again_and_again
    )

    expected, found = results(undisturbed["database"]), results(outcome["database"])
    assert outcome["forwarded"] == undisturbed["forwarded"]
    for name, rows in expected.items():
        assert rows, name
        assert found[name].keys() == rows.keys(), name
        assert found[name] == rows, name
