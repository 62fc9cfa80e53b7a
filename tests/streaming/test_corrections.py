"""What comes late after a bar was stored: further revisions, always equal to what all ticks together give."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.streaming.market import T0
from tickstock.database.migrate import migrate
from tickstock.database.writers import Writer
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar
from tickstock.streaming.bar_builder import LateTick
from tickstock.streaming.corrections import CLOSE, HIGH, LOW, OPEN, REVISION, TICKS, VOLUME, built_from_minutes, store_corrections

CALENDAR = AlwaysOpenCalendar()
_numbers = itertools.count()
ticks = st.builds(
    LateTick, st.sampled_from("AB"), st.sampled_from([9.0, 10.0, 11.0, 12.5]), st.integers(0, 9), st.integers(T0, T0 + 299_999)
)


def stored_minutes(url: str, count: int = 5) -> list[tuple[Any, ...]]:
    """Minutes of A and B as they were closed, B without its second one; and A's 5min bar."""
    rows = [
        (symbol, "1min", T0 + n * MINUTE_MS, 0, 10.0, 10.5, 9.5, 10.2, 100, 4, None, "simulated",
         T0 + n * MINUTE_MS + 20_000, T0 + n * MINUTE_MS + 40_000)
        for symbol in "AB" for n in range(count) if (symbol, n) != ("B", 1)
    ]  # fmt: skip
    for symbol in "AB" if count == 5 else "":
        rows.append(tuple(built_from_minutes([row for row in rows if row[0] == symbol], "5min", T0, 0)))
    with Writer(url) as writer, writer.transaction() as batch:
        batch.insert_bars(rows)
    return rows


def correct(url: str, late: Sequence[LateTick], closed: Sequence[Any] = (), bars: Sequence[Any] = ()) -> int:
    with Writer(url) as writer, writer.transaction() as batch:
        batch.insert_bars(closed)
        return store_corrections(batch, late, bars, closed, "simulated", CALENDAR)


def newest(url: str, timeframe: str, symbol: str) -> list[Any]:
    keys = [(symbol, T0 + n * MINUTE_MS) for n in range(5)]
    with Writer(url) as writer, writer.transaction() as batch:
        found = batch.newest_bars(timeframe, keys)
    return [found[key] for key in sorted(found)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ticks, max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_late_ticks_give_the_same_bars_at_once_and_commit_by_commit(
    tmp_path: Path, late: list[LateTick], cuts: list[int]
) -> None:
    urls = []
    edges = sorted({0, len(late), *(cut for cut in cuts if cut < len(late))})
    for parts in ([late], [late[a:b] for a, b in itertools.pairwise(edges)]):
        urls.append(f"sqlite:///{(tmp_path / f'{next(_numbers)}.db').as_posix()}")
        migrate(urls[-1])
        stored_minutes(urls[-1])
        for part in parts:
            correct(urls[-1], part)
    for symbol in "AB":
        at_once, stepwise = (newest(url, "1min", symbol) for url in urls)
        assert [row[OPEN : TICKS + 1] for row in at_once] == [row[OPEN : TICKS + 1] for row in stepwise]
        for url, minutes in zip(urls, (at_once, stepwise), strict=True):
            (above,) = newest(url, "5min", symbol)
            assert tuple(above[OPEN:]) == tuple(built_from_minutes(minutes, "5min", T0, 0)[OPEN:])


def test_a_late_tick_is_a_further_revision_and_the_stored_row_stays(database_url: str) -> None:
    before = stored_minutes(database_url)
    assert correct(database_url, [LateTick("A", 12.0, 7, T0 + 10)]) == 1
    row = newest(database_url, "1min", "A")[0]
    assert [row[n] for n in (REVISION, OPEN, HIGH, LOW, CLOSE, VOLUME, TICKS)] == [1, 12.0, 12.0, 9.5, 10.2, 107, 5]
    above = newest(database_url, "5min", "A")[0]
    assert [above[n] for n in (REVISION, OPEN, HIGH, VOLUME)] == [1, 12.0, 12.0, 507]
    assert correct(database_url, [LateTick("A", 11.0, 1, T0 + 59_000), LateTick("A", 11.5, 1, T0 + 59_000)]) == 1
    row = newest(database_url, "1min", "A")[0]
    assert [row[n] for n in (REVISION, CLOSE, VOLUME)] == [2, 11.5, 109]
    with Writer(database_url) as writer, writer.transaction() as batch:
        assert batch.insert_bars(before) == 0  # all of revision 0 are there as they were


def test_a_late_tick_for_a_minute_without_a_bar_makes_one_in_revision_1(database_url: str) -> None:
    stored_minutes(database_url)
    correct(database_url, [LateTick("B", 20.0, 3, T0 + MINUTE_MS + 5)])
    row = newest(database_url, "1min", "B")[1]
    assert [row[n] for n in (REVISION, OPEN, CLOSE, VOLUME, TICKS)] == [1, 20.0, 20.0, 3, 1]
    assert newest(database_url, "5min", "B")[0][HIGH] == 20.0


def test_a_bar_whose_minute_was_corrected_before_it_closed_gets_its_revision_with_it(database_url: str) -> None:
    minutes = [row for row in stored_minutes(database_url, count=4) if row[0] == "A"]
    correct(database_url, [LateTick("A", 15.0, 5, T0 + 10)])
    last = ("A", "1min", T0 + 4 * MINUTE_MS, 0, 10.0, 10.0, 10.0, 10.0, 1, 1, None, "simulated", T0 + 240_001, T0 + 240_001)
    five = tuple(built_from_minutes([*minutes, last], "5min", T0, 0))
    correct(database_url, [], closed=[last, five])
    above = newest(database_url, "5min", "A")[0]
    assert [above[n] for n in (REVISION, OPEN, HIGH, VOLUME)] == [1, 15.0, 15.0, 406]


def test_a_late_rest_bar_is_stored_in_revision_1_and_built_into_the_bars_above(database_url: str) -> None:
    stored_minutes(database_url)
    bar = ("B", "1min", T0 + MINUTE_MS, 0, 30.0, 31.0, 29.0, 30.5, 1000, None, 9, "simulated", None, None)
    assert correct(database_url, [], bars=[bar]) == 1
    assert newest(database_url, "1min", "B")[1][REVISION] == 1
    above = newest(database_url, "5min", "B")[0]
    assert [above[n] for n in (REVISION, HIGH, VOLUME, TICKS)] == [1, 31.0, 1400, None]


def test_a_late_rest_bar_does_not_replace_what_was_stored(database_url: str) -> None:
    stored_minutes(database_url)
    bar = ("A", "1min", T0, 0, 30.0, 31.0, 29.0, 30.5, 1000, None, 9, "simulated", None, None)
    assert correct(database_url, [], bars=[bar]) == 0
    assert newest(database_url, "1min", "A")[0][REVISION] == 0


@pytest.mark.parametrize("offset", [-1, 5 * MINUTE_MS])
def test_only_the_bars_that_hold_the_minute_are_revised(database_url: str, offset: int) -> None:
    stored_minutes(database_url)
    correct(database_url, [LateTick("A", 99.0, 1, T0 + offset)])
    assert newest(database_url, "5min", "A")[0][REVISION] == 0
