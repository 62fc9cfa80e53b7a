"""Bars made from ticks against the vendor's: what differs is corrected and counted, and nothing stored changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streaming.market import T0
from tests.streaming.process import rows_of
from tickstock.database.vendor_queries import COUNTS, VendorQueries
from tickstock.database.writers import Writer
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, ExchangeCalendar
from tickstock.streaming.corrections import OPEN, REVISION, START, VOLUME, built_from_minutes
from tickstock.streaming.history_store import HistoryStore
from tickstock.streaming.reconciliation import FIELDS, compare, match_rates

EXCHANGE = ExchangeCalendar()
DAY = EXCHANGE.sessions_of(EXCHANGE.trading_day_at(T0))[0].start  # 04:00; T0 is 09:30
UNTIL = T0 + 10 * MINUTE_MS


def ours(n: int, symbol: str = "A", revision: int = 0, **changed: float) -> list[Any]:
    bar = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100 + n, **changed}
    start = T0 + n * MINUTE_MS
    return [symbol, "1min", start, revision, *bar.values(), 7, None, "simulated", start + 1, start + 9]


def theirs(n: int, **changed: float) -> RestBar:
    bar = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100 + n, **changed}
    return RestBar(T0 + n * MINUTE_MS, *bar.values(), trades=5)  # type: ignore[arg-type]


def store(url: str, rows: Sequence[Sequence[Any]]) -> None:
    with Writer(url) as writer, writer.transaction() as batch:
        batch.insert_bars(rows)


def in_force(url: str, timeframe: str) -> dict[int, dict[str, Any]]:
    return {(row["timestamp"] - T0) // MINUTE_MS: row for row in rows_of(url, "bars") if row["timeframe"] == timeframe}


def test_what_differs_becomes_the_vendors_in_a_further_revision_and_is_counted(database_url: str) -> None:
    minutes = [ours(n) for n in range(5)] + [ours(1, revision=1, high=12.0)]
    store(database_url, [*minutes, built_from_minutes(minutes[:5], "5min", T0, 0)])
    vendor = [theirs(0), theirs(1), theirs(2, low=8.5), theirs(3, close=10.6, volume=5_000), theirs(6)]
    before = rows_of(database_url, "bars")
    HistoryStore(database_url, "simulated", EXCHANGE).reconcile("A", vendor, DAY, UNTIL)
    after = rows_of(database_url, "bars")
    assert all(row in after for row in before)
    found = in_force(database_url, "1min")
    assert {n: (row["revision"], row["high"], row["low"], row["close"], row["volume"]) for n, row in found.items()} == {
        0: (0, 11.0, 9.0, 10.5, 100), 1: (2, 11.0, 9.0, 10.5, 101), 2: (1, 11.0, 8.5, 10.5, 102),
        3: (1, 11.0, 9.0, 10.6, 5000), 4: (0, 11.0, 9.0, 10.5, 104), 6: (1, 11.0, 9.0, 10.5, 106),
    }  # fmt: skip
    assert found[3]["trades"] == 5
    five = in_force(database_url, "5min")
    assert (five[0]["revision"], five[0]["low"], five[0]["volume"]) == (1, 8.5, 100 + 101 + 102 + 5000 + 104)
    assert (five[5]["revision"], five[5]["open"], five[5]["volume"]) == (1, 10.0, 106)  # none was there
    assert not in_force(database_url, "15min")  # it has not ended yet
    queries = VendorQueries(database_url)
    assert queries.reconciled_symbols(DAY) == {"A"}
    sums = queries.last_reconciliation()
    assert sums is not None
    assert sums == {"day": DAY, "symbols": 1, "bars": 4, "open": 4, "high": 3, "low": 3, "close": 3, "volume": 3,
                    "missing": 1, "extra": 1, "corrected": 4}  # fmt: skip
    assert match_rates(sums) == {"open": 1.0, "high": 0.75, "low": 0.75, "close": 0.75, "volume": 0.75}


def test_comparing_again_corrects_nothing_and_keeps_the_first_counts(database_url: str) -> None:
    store(database_url, [ours(n) for n in range(4)])
    history = HistoryStore(database_url, "simulated", EXCHANGE)
    vendor = [theirs(n, open=10.1) for n in range(4)]
    history.reconcile("A", vendor, DAY, UNTIL)
    once = rows_of(database_url, "bars"), rows_of(database_url, "reconciliations")
    history.reconcile("A", vendor, DAY, UNTIL)
    assert (rows_of(database_url, "bars"), rows_of(database_url, "reconciliations")) == once
    assert VendorQueries(database_url).last_reconciliation()["open"] == 0  # type: ignore[index]


def test_an_earlier_day_is_compared_when_its_history_is_fetched_and_the_running_day_is_not(database_url: str) -> None:
    tomorrow = EXCHANGE.sessions_of(EXCHANGE.trading_day_at(T0 + 86_400_000))[0].start
    today_bar = ours(0, close=10.7)
    today_bar[START] += 86_400_000
    store(database_url, [ours(0, close=10.4), today_bar])
    fetched = [theirs(0), theirs(1), RestBar(T0 + 86_400_000, 1.0, 2.0, 0.5, 1.5, 9, 1)]
    history = HistoryStore(database_url, "simulated", EXCHANGE)
    history.store_minutes("A", fetched, (DAY, tomorrow), T0 + 86_400_000 + 9 * MINUTE_MS, tomorrow)
    found = in_force(database_url, "1min")
    assert [(n, row["revision"], row["close"]) for n, row in sorted(found.items())] == [
        (0, 1, 10.5), (1, 0, 10.5), (1440, 0, 10.7)
    ]  # fmt: skip
    sums = VendorQueries(database_url).last_reconciliation()
    assert sums is not None
    assert (sums["day"], sums["bars"], sums["close"], sums["missing"]) == (DAY, 1, 0, 1)
    assert set(in_force(database_url, "60min")) == {0}


def test_a_day_that_came_from_rest_alone_says_nothing_about_our_ticks(database_url: str) -> None:
    history = HistoryStore(database_url, "simulated", EXCHANGE)
    history.store_minutes("A", [theirs(0), theirs(1)], (DAY,), UNTIL)
    history.reconcile("A", [theirs(0, close=9.5), theirs(1)], DAY, UNTIL)
    assert in_force(database_url, "1min")[0]["close"] == 9.5  # the vendor's own correction is taken all the same
    assert VendorQueries(database_url).last_reconciliation() is None


def test_the_vendors_final_day_bar_is_not_built_again_from_minutes(database_url: str) -> None:
    calendar = AlwaysOpenCalendar()
    day = calendar.sessions_of(calendar.trading_day_at(T0))[0]
    final, provisional = (["A", "1day", day.start, 0, 1.0, 2.0, 0.5, 1.5, 9, None, None, "simulated", None, None] for _ in "12")
    provisional[0] = "B"
    store(database_url, [ours(0), ours(0, "B"), final, provisional])
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.set_coverage([("A", 0, day.end)])
    history = HistoryStore(database_url, "simulated", calendar)
    for symbol in "AB":
        history.reconcile(symbol, [theirs(0, high=99.0)], day.start, day.end)
    days = [row for row in rows_of(database_url, "bars") if row["timeframe"] == "1day"]
    assert [(row["symbol"], row["revision"], row["high"]) for row in days] == [("A", 0, 2.0), ("B", 0, 2.0), ("B", 1, 99.0)]


prices = st.sampled_from([9.0, 10.0, 10.5])
bars = st.dictionaries(st.integers(0, 9), st.tuples(prices, prices, prices, prices, st.integers(0, 4)), max_size=10)


@given(bars, bars, st.sets(st.integers(0, 9)))
def test_after_the_corrections_every_bar_of_the_vendor_is_there(
    mine: dict[int, Any], vendor: dict[int, Any], from_rest: set[int]
) -> None:
    def row(n: int, values: Any) -> list[Any]:
        last = None if n in from_rest else 9
        return ["A", "1min", n, 0, *values, None, None, "simulated", last, last]

    stored, wanted = ({n: row(n, values) for n, values in each.items()} for each in (mine, vendor))
    corrections, counts = compare(stored, wanted, 1)
    result = {**stored, **{each[START]: each for each in corrections}}
    for n, each in wanted.items():
        assert result[n][OPEN:VOLUME] == each[OPEN:VOLUME]
        assert abs(result[n][VOLUME] - each[VOLUME]) <= 1
    assert all(each[REVISION] == 1 for each in corrections)
    assert set(counts) == set(COUNTS)
    assert counts["corrected"] == len(corrections) and counts["missing"] == len(vendor.keys() - mine.keys())
    assert counts["bars"] == len((mine.keys() & vendor.keys()) - from_rest)
    assert all(counts[name] <= counts["bars"] for name in FIELDS)


def test_without_a_compared_bar_there_is_no_rate() -> None:
    assert match_rates(dict.fromkeys(COUNTS, 0)) == {}


@pytest.mark.parametrize("volume", [99, 100, 101])
def test_a_fraction_of_a_share_is_no_difference(volume: int) -> None:
    stored = {T0: ours(0)}
    other = ours(0, volume=volume)
    assert compare(stored, {T0: other}, 1)[0] == []
