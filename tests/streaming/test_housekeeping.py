"""Old indicator values go by themselves; a database that is away only puts that off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.database.examples import indicators
from tests.streaming.market import eventually
from tickstock.database.migrate import migrate
from tickstock.database.queries import Queries
from tickstock.database.writers import Writer
from tickstock.market_hours import DAY_MS, now_ms
from tickstock.streaming import housekeeping
from tickstock.streaming.housekeeping import Housekeeping


@contextmanager
def keeping(url: str, days: float) -> Iterator[Housekeeping]:
    keeper = Housekeeping(url, days)
    keeper.start()
    yield keeper
    keeper.stop()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "EVERY_SECONDS", 0.2)
    monkeypatch.setattr(housekeeping, "PAUSE_SECONDS", 0.01)


def store(url: str, ages_in_days: list[float]) -> None:
    now = now_ms()
    rows = [indicators(at=number * 60_000, calculated=int(now - age * DAY_MS)) for number, age in enumerate(ages_in_days)]
    with Writer(url) as writer, writer.transaction() as batch:
        batch.insert_indicators(rows)


def kept(url: str) -> list[int]:
    return sorted(row["bar_timestamp"] // 60_000 for row in Queries(url).indicators("AAPL", "1min").rows)


def test_values_past_their_retention_go_and_younger_ones_stay(database_url: str) -> None:
    store(database_url, [40.0, 31.0, 29.0, 0.0])
    with keeping(database_url, 30.0) as keeper:
        eventually(lambda: keeper.deleted == 2)
        time.sleep(0.5)
    assert kept(database_url) == [2, 3]


def test_what_grows_old_later_goes_later(database_url: str) -> None:
    store(database_url, [1.0])
    with keeping(database_url, 2.0) as keeper:
        time.sleep(0.5)
        assert keeper.deleted == 0
        store(database_url, [1.0, 3.0])
        eventually(lambda: keeper.deleted == 1)
    assert kept(database_url) == [0]


def test_a_database_that_is_away_puts_it_off(empty_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with keeping(empty_database_url, 30.0) as keeper:
        eventually(lambda: "stay for now" in caplog.text)
        migrate(empty_database_url)
        store(empty_database_url, [31.0, 1.0])
        eventually(lambda: keeper.deleted == 1)
    assert kept(empty_database_url) == [1]
