"""Live detections get their outcomes once, whenever the process ran; the report is what history says of the same detections."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict

import msgspec
import numpy as np
import pytest
from sqlalchemy import select

from tests.analysis.memoryless_market import memoryless_series
from tickstock.analysis.outcome_rows import outcome_rows
from tickstock.analysis.outcome_tally import OutcomeTally
from tickstock.analysis.outcomes import HORIZONS, what_followed
from tickstock.database.connection import open_engine
from tickstock.database.models import pattern_outcomes
from tickstock.database.queries import Queries
from tickstock.database.writers import Writer
from tickstock.history.bar_series import BarSeries
from tickstock.history.search import Detection, search
from tickstock.market_hours import DAY_MS, MINUTE_MS, ExchangeCalendar
from tickstock.settings import Settings
from tickstock.streaming.outcome_ageing import OutcomeAgeing
from tickstock.streaming.outcome_reporter import NOTHING_YET, OutcomeReporter
from tickstock.streaming.outcomes import Outcomes

PATTERNS = ("Hammer", "Doji", "Engulfing")


def never() -> bool:
    return False


def ageing(url: str, timeframe: str = "1min") -> OutcomeAgeing:
    return OutcomeAgeing(url, ExchangeCalendar(), (timeframe,), never)


def store_bars(url: str, series: BarSeries, timeframe: str = "1min") -> None:
    rows = [
        (series.symbol, timeframe, timestamp, 0, *prices, int(volume), 9, None, "massive", timestamp, timestamp)
        for timestamp, *prices, volume in zip(*(column.tolist() for column in series.bars), strict=True)
    ]
    with Writer(url) as writer, writer.transaction() as batch:
        batch.insert_bars(rows)


def store_patterns(url: str, found: list[Detection], origin: str = "live", state: str = "confirmed") -> list[str]:
    rows = [
        (
            f"{each.symbol}:{each.timeframe}:{each.pattern}:{each.bar_timestamp}", each.symbol, each.pattern, each.direction,
            state, each.timeframe, "regular", each.bar_timestamp, each.bar_timestamp + MINUTE_MS, each.price, each.quality,
            "massive", origin, {},
        )
        for each in found
    ]  # fmt: skip
    with Writer(url) as writer, writer.transaction() as batch:
        batch.upsert_patterns(rows)
    return [row[0] for row in rows]


def stored(url: str) -> dict[tuple[str, int], tuple]:
    with open_engine(url).connect() as connection:
        rows = connection.execute(select(pattern_outcomes))
        return {(row.id, row.horizon): tuple(row)[2:7] for row in rows}


def a_day(symbol: str = "AAPL", seed: int = 1, days: int = 1) -> tuple[BarSeries, list[Detection]]:
    series = memoryless_series(seed, days, symbol)
    return series, list(search(series, PATTERNS, lambda _: None).detections())


def test_a_detection_gets_each_horizon_when_it_can_be_known_and_never_again(database_url: str) -> None:
    series, found = a_day()
    store_bars(database_url, series)
    names = store_patterns(database_url, found)
    one = ageing(database_url)
    opening = int(series.bars.timestamp[0])
    assert one.age(opening + 30 * MINUTE_MS) > 0
    early = stored(database_url)
    assert {horizon for _, horizon in early} == {1, 5, 15}
    assert {row[0] for row in early.values()} == {"scored"}  # what is incomplete waits for the end of the session
    one.age(opening + DAY_MS)
    late = stored(database_url)
    assert len(late) == len(names) * len(HORIZONS)
    assert {key: late[key] for key in early} == early
    for horizon in HORIZONS:
        after = what_followed(series.bars, series.session_start, "1min", horizon)
        for name, each in zip(names, found, strict=True):
            at = int(np.searchsorted(series.bars.timestamp, each.bar_timestamp))
            state, entry_time, _, exit_price, move = late[name, horizon]
            assert entry_time == after.entry_time[at]
            assert (state == "scored") == bool(np.isfinite(after.exit[at]))
            assert exit_price == (after.exit[at] if state == "scored" else None)
            assert move == (pytest.approx(after.returns[at]) if state == "scored" else None)
    assert one.age(opening + DAY_MS) == 0
    assert ageing(database_url).age(opening + 2 * DAY_MS) == 0


def test_stops_and_starts_change_no_outcome(database_url: str) -> None:
    series, found = a_day(days=2)
    store_bars(database_url, series)
    store_patterns(database_url, found)
    moments = range(int(series.bars.timestamp[0]), int(series.bars.timestamp[-1]) + DAY_MS, 97 * MINUTE_MS)
    for number, until in enumerate(moments):
        stops_early = number % 2 == 1
        OutcomeAgeing(database_url, ExchangeCalendar(), ("1min",), lambda stop=stops_early: stop).age(until)
    ageing(database_url).age(int(series.bars.timestamp[-1]) + DAY_MS)
    piecemeal = stored(database_url)
    with open_engine(database_url).begin() as connection:
        connection.execute(pattern_outcomes.delete())
    ageing(database_url).age(int(series.bars.timestamp[-1]) + DAY_MS)
    assert stored(database_url) == piecemeal
    assert len(piecemeal) == len(found) * len(HORIZONS)


def test_only_live_and_confirmed_detections_age(database_url: str) -> None:
    series, found = a_day()
    store_bars(database_url, series)
    third = len(found) // 3
    store_patterns(database_url, found[:third], origin="history")
    store_patterns(database_url, found[third : 2 * third], origin="repair")
    store_patterns(database_url, found[2 * third :], state="forming")
    assert ageing(database_url).age(int(series.bars.timestamp[-1]) + DAY_MS) == 0


def test_a_detection_whose_bars_are_gone_is_incomplete_after_a_while(database_url: str) -> None:
    _, found = a_day()
    store_patterns(database_url, found[:1])
    bar = found[0].bar_timestamp
    assert ageing(database_url).age(bar + DAY_MS) == 0
    assert ageing(database_url).age(bar + 3 * DAY_MS) == len(HORIZONS)
    assert {row[0] for row in stored(database_url).values()} == {"incomplete"}


def test_day_bars_are_waited_for_and_given_up_after_ten_days(database_url: str) -> None:
    days = memoryless_series(5, 15)
    opening = np.unique(days.session_start)
    first = np.searchsorted(days.session_start, opening)
    series = BarSeries("AAPL", "1day", days.bars.rows(first)._replace(timestamp=opening), opening)
    store_bars(database_url, series, "1day")
    detection = Detection("AAPL", "1day", "Hammer", "bullish", "confirmed", int(opening[2]), 1.0, 0.5, {})
    last = detection._replace(bar_timestamp=int(opening[-1]))
    name, of_last = store_patterns(database_url, [detection, last])
    ageing(database_url, "1day").age(int(opening[3]) + 5 * DAY_MS)
    assert {horizon for _, horizon in stored(database_url)} == {1, 5}
    assert stored(database_url)[name, 1][3] == series.bars.close[3]
    held = int(np.searchsorted(opening, opening[3] + 5 * DAY_MS)) - 1
    assert stored(database_url)[name, 5][3] == series.bars.close[held]
    ageing(database_url, "1day").age(int(opening[-1]) + 10 * DAY_MS)
    assert (of_last, 1) not in stored(database_url)
    ageing(database_url, "1day").age(int(opening[-1]) + 11 * DAY_MS)
    assert stored(database_url)[of_last, 1][0] == "incomplete"


def reported(url: str, until: int, computed: int = 5_000_000) -> dict:
    settings = Settings(database_url=url, symbols=("AAPL", "F"), timeframes=("1min",), outcome_cost_basis_points=2.0)
    OutcomeReporter(settings, ExchangeCalendar(), never).report(until, computed)
    report = Queries(url).outcome_report("live")
    assert report is not None
    return report


def test_the_report_is_what_history_says_of_the_same_detections(database_url: str) -> None:
    tallies = [OutcomeTally("1min", horizon) for horizon in HORIZONS]
    until = 0
    for seed, symbol in enumerate(("AAPL", "MSFT")):
        series, found = a_day(symbol, seed, days=3)
        store_bars(database_url, series)
        store_patterns(database_url, found)
        until = int(series.bars.timestamp[-1]) + DAY_MS
        first = int(np.searchsorted(series.bars.timestamp, found[0].bar_timestamp))  # the base begins there
        watched = BarSeries(symbol, "1min", series.bars.rows(np.arange(first, len(series))), series.session_start[first:])
        for tally in tallies:
            bars = tally.add_bars(symbol, watched.bars, watched.session_start)
            for each in search(series, PATTERNS, lambda _: None).confirmed():
                tally.add_detections(bars, each.pattern, each.side, each.bar - first, each.quality)
    ageing(database_url).age(until)
    report = reported(database_url, until)
    key = ("pattern", "timeframe", "direction", "horizon", "quality")
    expected = {tuple(getattr(row, name) for name in key): asdict(row) for row in outcome_rows(tallies, 0.0002)}
    told = {tuple(row[name] for name in key): row for row in report["outcomes"]}
    assert told.keys() == expected.keys()
    for name, row in expected.items():
        assert told[name] == msgspec.json.decode(msgspec.json.encode(row)), name
    header = report["header"]
    assert (header["universe"], header["rows"], header["days"], header["empty"]) == (["AAPL", "F", "MSFT"], len(told), 3, None)
    assert "delisted" in header["missing"]


def test_a_new_report_takes_the_place_of_the_one_before(database_url: str) -> None:
    series, found = a_day()
    store_bars(database_url, series)
    store_patterns(database_url, found)
    until = int(series.bars.timestamp[-1]) + DAY_MS
    ageing(database_url).age(until)
    for computed in (1_000, 2_000, 3_000):
        report = reported(database_url, until, computed)
        assert report["computed"] == computed
        assert len(report["outcomes"]) == report["header"]["rows"]
    with open_engine(database_url).connect() as connection:
        kept = connection.exec_driver_sql("SELECT count(DISTINCT computed) FROM outcome_rows").scalar_one()
    assert kept == 2  # whoever read the header of the last one still finds its rows


def test_a_report_on_nothing_says_why_it_is_empty(database_url: str) -> None:
    report = reported(database_url, 0)
    assert report["outcomes"] == []
    assert report["header"]["empty"] == NOTHING_YET


def test_the_thread_ages_reports_and_stops_at_once(database_url: str) -> None:
    series, found = a_day()
    store_bars(database_url, series)
    store_patterns(database_url, found)
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.set_progress("run", 1, int(series.bars.timestamp[-1]), 1, 1)
    settings = Settings(database_url=database_url, timeframes=("1min",))
    outcomes = Outcomes(settings, ExchangeCalendar(), every_seconds=0.05)
    outcomes.start()
    deadline = time.monotonic() + 60
    while not ((report := Queries(database_url).outcome_report("live")) and report["outcomes"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    began = time.monotonic()
    outcomes.stop()
    assert time.monotonic() - began < 2
    assert "outcomes" not in {thread.name for thread in threading.enumerate()}
