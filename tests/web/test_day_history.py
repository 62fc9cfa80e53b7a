"""What the page knows of a trading day from the database, and how it notices what was stored without being published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.web.services import a_pattern, an_alert, an_indicator, row
from tests.web.test_day_counters import BAR, DAY
from tickstock.database.migrate import migrate
from tickstock.database.models import indicator_alerts, intraday_indicators, intraday_patterns
from tickstock.database.writers import TickWriter, Writer
from tickstock.settings import Settings
from tickstock.web.application import create_app
from tickstock.web.day_history import count_stored, read_previous_closes, read_stored_day
from tickstock.web.day_keeper import DayKeeper

MINUTE = 60_000


def a_bar(timeframe: str, timestamp: int, close: float = 1.5, revision: int = 0) -> tuple[Any, ...]:
    return ("AAPL", timeframe, timestamp, revision, 1.0, 2.0, 0.5, close, 100, 7, None, "massive", None, None)


@pytest.fixture
def url(empty_database_url: str) -> str:
    migrate(empty_database_url)
    with Writer(empty_database_url) as writer, writer.transaction() as batch:
        batch.upsert_patterns([
            row(intraday_patterns, a_pattern("AAPL", bar=BAR, detection_timestamp=BAR + 2 * MINUTE)),
            row(intraday_patterns, a_pattern("MSFT", bar=BAR, detection_timestamp=BAR + MINUTE, origin="history")),
            row(intraday_patterns, a_pattern("IBM", bar=DAY.start - MINUTE, detection_timestamp=DAY.start)),
        ])  # fmt: skip
        batch.insert_alerts([row(indicator_alerts, an_alert("AAPL", bar=BAR, detection_timestamp=BAR + 3 * MINUTE))])
        batch.insert_indicators([row(intraday_indicators, an_indicator("AAPL", bar=BAR))])
        batch.insert_bars([
            a_bar("1min", BAR), a_bar("1min", BAR, revision=1), a_bar("5min", BAR), a_bar("1min", DAY.start - MINUTE),
            a_bar("1day", DAY.start - 14 * 3_600_000, 250.0), a_bar("1day", DAY.start + 9 * 3_600_000, 260.0),
        ])  # fmt: skip
    with TickWriter(empty_database_url) as writer:
        writer.insert_ticks([(run, position, "AAPL", 1.5, 10, BAR, False) for run in ("one", "two") for position in (1, 2, 3)])
    return empty_database_url


def test_a_stored_day_is_counted_and_its_signals_come_oldest_first(url: str) -> None:
    stored = read_stored_day(url, DAY, "two", count_ticks=True)
    assert (stored.patterns, stored.alerts, stored.indicators, stored.bars, stored.ticks) == (2, 1, 1, 3, 3)
    assert [signal.symbol for signal in stored.signals] == ["MSFT", "AAPL", "AAPL"]
    assert stored.signals[0] == a_pattern("MSFT", bar=BAR, detection_timestamp=BAR + MINUTE, origin="history")
    assert stored.complete_from == 0
    assert count_stored(url, DAY, count_bars=True) == (2, 1, 1, 3)
    assert count_stored(url, DAY, count_bars=False) == (2, 1, 0, 0)


def test_the_previous_close_is_that_of_the_last_day_bar_before_the_day(url: str) -> None:
    assert read_previous_closes(url, ["AAPL", "MSFT"], DAY.day) == {"AAPL": 250.0}
    day = 24 * 60 * MINUTE
    with Writer(url) as writer, writer.transaction() as batch:
        batch.insert_bars([a_bar("1day", DAY.start - 14 * 3_600_000, 251.0, revision=1)])
        batch.insert_bars([a_bar("1day", DAY.start - 2 * day, 240.0)])
        batch.insert_bars([("OLD", *a_bar("1day", DAY.start - 20 * day, 9.0)[1:])])
    assert read_previous_closes(url, ["AAPL", "OLD", *(f"S{n}" for n in range(500))], DAY.day) == {"AAPL": 251.0}


def test_what_pl_stores_without_publishing_it_is_noticed(url: str, tmp_path: Path) -> None:
    app = create_app(Settings(database_url=url, data_dir=tmp_path, async_mode="threading", calendar="always_open"))
    live = app.extensions["tickstock"].live
    keeper = DayKeeper(live, url)
    live.clock.refresh(BAR, None)
    live.begin_day(DAY)
    keeper._read_day(DAY)
    assert (live.counters.patterns, live.log.seq) == (2, 3)
    assert not keeper._lacks_something(DAY)
    with Writer(url) as writer, writer.transaction() as batch:
        batch.upsert_patterns([row(intraday_patterns, a_pattern("NVDA", bar=BAR, detection_timestamp=BAR + MINUTE))])
    keeper._check_due = 0.0
    assert not keeper._lacks_something(DAY)  # it may be on its way: only what is still missing at the next look is read
    keeper._check_due = 0.0
    assert keeper._lacks_something(DAY)
    keeper._read_day(DAY)
    assert (live.counters.patterns, live.log.seq) == (3, 4)
