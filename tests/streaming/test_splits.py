"""Splits are read from the simulator over HTTP and applied to stored bars once, whatever interrupts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.streaming.process import rows_of
from tickstock.database.migrate import migrate
from tickstock.database.writers import Batch, Writer
from tickstock.errors import DatabaseUnavailable
from tickstock.feed.massive_rest import MassiveRest, Split
from tickstock.market_hours import MINUTE_MS, ExchangeCalendar, regular_session_of
from tickstock.simulator.clock import DayClock
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.rest_server import RestServer
from tickstock.simulator.splits import SPLITS
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape
from tickstock.streaming import splits as splits_module
from tickstock.streaming.history_store import HistoryStore
from tickstock.streaming.splits import Splits

SYMBOLS = ["AAPL", "F", "NOW"]
CALENDAR = ExchangeCalendar()
FRIDAY = max(each.day for each in SPLITS)
WEDNESDAY = FRIDAY - timedelta(days=2)
MARKET = SyntheticMarket(SYMBOLS, 1, CALENDAR)  # it remembers its bars
BETWEEN = (WEDNESDAY - timedelta(days=7), WEDNESDAY)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    return url


class Vendor:
    """The simulator's REST interface, with a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = DayClock(opening(WEDNESDAY) + 11 * 3_600_000, 1.0)
        self.server = RestServer(RestInterface(SyntheticTape(MARKET), self.clock, "key"), "127.0.0.1", 0)
        self.server.start()
        self.rest = MassiveRest(f"http://127.0.0.1:{self.server.port}", "key")

    def close(self) -> None:
        self.rest.close()
        self.server.stop()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    started = Vendor()
    yield started
    started.close()


def opening(day: date) -> int:
    session = regular_session_of(CALENDAR, day)
    assert session is not None
    return session.start


def store_history(url: str, vendor: Vendor, symbol: str) -> None:
    """What a start on Wednesday evening stores: some days, and a stretch of Wednesday's minutes with the timeframes above."""
    store = HistoryStore(url, "simulated", CALENDAR)
    store.store_days(symbol, vendor.rest.day_bars(symbol, *BETWEEN), vendor.clock.now())
    first = opening(WEDNESDAY)
    until = first + 60 * MINUTE_MS
    store.store_minutes(symbol, vendor.rest.minute_bars(symbol, first, until), (), until)


def newest(url: str) -> dict[tuple[str, str, int], dict[str, Any]]:
    """The bars in force: rows come in the order of their revision."""
    return {(row["symbol"], row["timeframe"], row["timestamp"]): row for row in rows_of(url, "bars")}


def apply_all(url: str, vendor: Vendor, day: date) -> list[str]:
    splits = Splits(url)
    found = splits.read(vendor.rest, day)
    return splits.apply(found, day)


def assert_in_new_shares(url: str, vendor: Vendor) -> None:
    """Every bar in force is the one that the vendor gives now."""
    found = newest(url)
    vendor.clock.move_to(opening(FRIDAY))
    minutes = days = 0
    for symbol in SYMBOLS:
        first = opening(WEDNESDAY)
        for bar in vendor.rest.minute_bars(symbol, first, first + 60 * MINUTE_MS):
            row = found[symbol, "1min", bar.timestamp]
            assert [row[name] for name in ("open", "high", "low", "close")] == [bar.open, bar.high, bar.low, bar.close]
            assert row["volume"] == pytest.approx(bar.volume, abs=1)
            minutes += 1
        for bar in vendor.rest.day_bars(symbol, *BETWEEN):
            row = found[symbol, "1day", bar.timestamp + 570 * MINUTE_MS]
            assert (row["close"], row["high"]) == (bar.close, bar.high)
            assert row["volume"] == pytest.approx(bar.volume, abs=1)
            days += 1
        hour = found[symbol, "60min", first]
        inside = [found[symbol, "1min", start] for start in range(first, first + 60 * MINUTE_MS, MINUTE_MS)]
        assert (hour["open"], hour["close"]) == (inside[0]["open"], inside[-1]["close"])
        assert hour["high"] == max(row["high"] for row in inside)
        assert hour["volume"] == pytest.approx(sum(row["volume"] for row in inside), abs=60)
    assert (minutes, days) == (180, 18)


def test_stored_bars_become_those_that_the_vendor_gives_after_the_splits(database_url: str, vendor: Vendor) -> None:
    for symbol in SYMBOLS:
        store_history(database_url, vendor, symbol)
    before = rows_of(database_url, "bars")
    assert apply_all(database_url, vendor, FRIDAY) == ["F", "NOW"]
    assert_in_new_shares(database_url, vendor)
    after = rows_of(database_url, "bars")
    assert [row for row in after if row["revision"] == 0] == before  # a stored row never changes
    assert {row["symbol"] for row in after if row["revision"] == 1} == {"F", "NOW"}
    assert len(after) == len(before) * 5 // 3  # every bar of the two has one more revision


def test_a_split_is_applied_once(database_url: str, vendor: Vendor) -> None:
    store_history(database_url, vendor, "NOW")
    assert apply_all(database_url, vendor, FRIDAY) == ["NOW"]
    once = rows_of(database_url, "bars")
    splits = Splits(database_url)
    assert splits.are_read(FRIDAY) and not splits.are_read(FRIDAY + timedelta(days=3))
    assert splits.read(vendor.rest, FRIDAY + timedelta(days=3)) == []
    assert splits.apply([Split(each.ticker, each.day, each.split_from, each.split_to) for each in SPLITS], FRIDAY) == []
    assert rows_of(database_url, "bars") == once


def test_history_that_is_fetched_first_on_the_day_of_a_split_is_not_scaled_again(sqlite_url: str, vendor: Vendor) -> None:
    vendor.clock.move_to(opening(FRIDAY))
    assert apply_all(sqlite_url, vendor, FRIDAY) == []  # nothing is stored yet
    for symbol in SYMBOLS:
        store_history(sqlite_url, vendor, symbol)
    assert apply_all(sqlite_url, vendor, FRIDAY) == []
    assert apply_all(sqlite_url, vendor, FRIDAY + timedelta(days=3)) == []
    assert_in_new_shares(sqlite_url, vendor)


class Killed(Exception):
    """As if the process had ended."""


def test_scaling_that_is_cut_short_anywhere_goes_on_where_it_was(
    database_url: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splits_module, "BARS_PER_TRANSACTION", 12)
    for symbol in SYMBOLS:
        store_history(database_url, vendor, symbol)
    real, done = Batch.set_splits, 0
    cut_at = {1, 4, 7}

    def set_splits(self: Batch, rows: Any) -> int:
        nonlocal done
        done += 1
        if done in cut_at:
            raise Killed if done == 4 else DatabaseUnavailable("away")
        return real(self, rows)

    monkeypatch.setattr(Batch, "set_splits", set_splits)
    splits = Splits(database_url)
    for _ in cut_at:
        with pytest.raises((Killed, DatabaseUnavailable)):
            splits.apply(splits.read(vendor.rest, FRIDAY), FRIDAY)
        assert not splits.are_read(FRIDAY)
    splits.apply(splits.read(vendor.rest, FRIDAY), FRIDAY)
    assert done > 15
    assert_in_new_shares(database_url, vendor)


@pytest.mark.parametrize(("split_from", "split_to"), [(0, 4), (1, 0), (-1, 4), (float("nan"), 1)])
def test_a_split_that_cannot_be_is_passed_over(sqlite_url: str, split_from: float, split_to: float) -> None:
    with Writer(sqlite_url) as writer, writer.transaction() as batch:
        batch.insert_bars([("AAPL", "1day", opening(WEDNESDAY), 0, 1.0, 2.0, 0.5, 1.5, 9, None, None, "simulated", None, None)])
    before = rows_of(sqlite_url, "bars")
    assert Splits(sqlite_url).apply([Split("AAPL", FRIDAY, split_from, split_to)], FRIDAY) == []
    assert rows_of(sqlite_url, "bars") == before
