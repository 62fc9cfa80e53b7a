"""When a symbol's stored day counts as whole, and what its bars sum up to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tickstock.database.earlier_minutes import EarlierMinutes, figures_of, read_earlier
from tickstock.database.migrate import migrate
from tickstock.database.models import JOINED
from tickstock.database.writers import Batch, Writer

MINUTE, HOUR = 60_000, 3_600_000
DAY = 1_728_288_000_000  # 2024-10-07 04:00 New York
REGULAR = DAY + 330 * MINUTE
UNTIL = REGULAR + 30 * MINUTE
MINUTES = EarlierMinutes(UNTIL, DAY, REGULAR, REGULAR, REGULAR + 390 * MINUTE, DAY - 72 * HOUR, DAY - 56 * HOUR)
RUN = "0123456789ab"


def bar(at: int, price: float = 10.0, volume: int = 100, revision: int = 0, symbol: str = "AAPL") -> tuple[Any, ...]:
    return (symbol, "1min", at, revision, price, price + 1, price - 1, price, volume, 7, None, "massive", None, None)


@pytest.fixture
def url(empty_database_url: str) -> str:
    """Bars of AAPL and MSFT before and after the moment; all minutes before it are closed, and its history is there."""
    migrate(empty_database_url)
    with Writer(empty_database_url) as writer, writer.transaction() as batch:
        for symbol in ("AAPL", "MSFT"):
            batch.insert_bars([bar(DAY - MINUTE, 5.0, 7, 0, symbol), bar(DAY, 9.0, 100, 0, symbol)])
            batch.insert_bars([bar(REGULAR + n * MINUTE, 10.0 + n, 1_000, 0, symbol) for n in (2, 28, 29, 30)])
        batch.insert_bars([bar(REGULAR + 28 * MINUTE, 50.0, 500, 1)])
        batch.set_progress(RUN, 900, UNTIL - MINUTE, 901, UNTIL)
        batch.set_coverage([("AAPL", DAY, REGULAR), ("MSFT", DAY, REGULAR)])
        batch.start_session("one", REGULAR)
    return empty_database_url


def store(url: str, work: Any) -> None:
    with Writer(url) as writer, writer.transaction() as batch:
        work(batch)


def known(url: str, *, run: str = RUN, only_from_rest: bool = False, minutes: EarlierMinutes = MINUTES) -> set[str]:
    return set(read_earlier(url, minutes, ["AAPL", "MSFT", "IBM"], run, only_from_rest))


def test_the_sums_are_of_the_day_and_the_session_before_the_moment(url: str) -> None:
    found = read_earlier(url, MINUTES, ["AAPL"], RUN, False)["AAPL"]
    assert (found.until, found.volume, found.session_start, found.session_volume) == (UNTIL, 2_600, REGULAR, 2_500)
    assert (found.high, found.low, found.day_open, found.traded_since) == (51.0, 8.0, 12.0, UNTIL - 2 * MINUTE)
    assert found.dollars == pytest.approx(12.0 * 1_000 + 50.0 * 500 + 39.0 * 1_000)


def test_a_symbol_that_did_not_trade_has_a_whole_day_of_nothing(url: str) -> None:
    store(url, lambda batch: batch.set_coverage([("IBM", DAY, REGULAR)]))
    found = read_earlier(url, MINUTES, ["IBM"], RUN, False)["IBM"]
    assert (found.volume, found.dollars, found.high, found.day_open, found.traded_since) == (0, 0.0, None, None, None)


def test_no_bar_of_another_timeframe_is_counted(url: str) -> None:
    before = read_earlier(url, MINUTES, ["AAPL"], RUN, False)
    store(url, lambda batch: batch.insert_bars([("AAPL", "5min", *bar(REGULAR)[2:])]))
    assert read_earlier(url, MINUTES, ["AAPL"], RUN, False) == before


def test_a_day_is_whole_when_its_minutes_are_closed_and_its_history_has_come(url: str) -> None:
    assert known(url) == {"AAPL", "MSFT"}


def test_minutes_that_another_run_closed_say_nothing_of_this_ones(url: str) -> None:
    assert known(url, run="another") == set()


def test_a_minute_that_is_not_closed_yet_is_waited_for(url: str) -> None:
    assert known(url, minutes=replace(MINUTES, until=UNTIL + MINUTE)) == set()


@pytest.mark.parametrize(("repair", "is_known"), [(None, False), ("minute bars from REST", True)])
def test_a_gap_that_waits_for_bars_leaves_the_day_unknown(url: str, repair: str | None, is_known: bool) -> None:
    store(url, lambda batch: batch.upsert_gap("feed:1", REGULAR, REGULAR + MINUTE, "the feed was away", repair, None))
    assert bool(known(url)) is is_known


def test_a_gap_of_another_day_does_not_matter(url: str) -> None:
    store(url, lambda batch: batch.upsert_gap("feed:1", DAY - HOUR, DAY - 1, "the feed was away", None, None))
    assert known(url) == {"AAPL", "MSFT"}


def test_symbols_that_joined_are_known_when_rest_has_told_all_before(url: str) -> None:
    assert known(url, only_from_rest=True) == set()
    store(url, lambda batch: batch.set_coverage([("MSFT", DAY, UNTIL)]))
    assert known(url, only_from_rest=True) == {"MSFT"}


def test_a_symbol_that_came_back_within_the_day_is_known_when_rest_has_told_what_it_missed(url: str) -> None:
    back = REGULAR + 10 * MINUTE
    store(url, lambda batch: batch.set_coverage([("AAPL", JOINED, back), ("MSFT", JOINED, DAY - HOUR)]))
    assert known(url) == {"MSFT"}
    store(url, lambda batch: batch.set_coverage([("AAPL", DAY, back)]))
    assert known(url) == {"AAPL", "MSFT"}


def test_who_ran_when_the_day_began_has_it_whole_without_rest(url: str) -> None:
    def another_night(batch: Batch) -> None:
        batch.start_session("earlier", DAY - HOUR)
        batch.set_coverage([("IBM", MINUTES.previous_day_start, MINUTES.previous_day_end)])

    store(url, another_night)
    assert known(url) == {"AAPL", "MSFT"}, "the one that runs now was started within the day"


def test_who_was_started_before_the_day_has_it_whole_without_rest(empty_database_url: str) -> None:
    migrate(empty_database_url)

    def night(batch: Batch) -> None:
        batch.start_session("one", DAY - HOUR)
        batch.set_progress(RUN, 900, UNTIL, 901, UNTIL)
        batch.set_coverage([("IBM", MINUTES.previous_day_start, MINUTES.previous_day_end)])

    store(empty_database_url, night)
    assert known(empty_database_url) == {"IBM"}, "of the others it may never have heard"
    store(empty_database_url, lambda batch: batch.set_coverage([("IBM", JOINED, REGULAR)]))
    assert known(empty_database_url) == set(), "it came back within the day, and what it missed has not come"


def test_of_a_bar_that_was_corrected_the_last_revision_counts() -> None:
    rows = [("AAPL", REGULAR, 1.0, 1.0, 1.0, 1.0, volume) for volume in (5, 7)]
    assert figures_of(rows, MINUTES).volume == 7
