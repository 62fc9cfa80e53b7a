"""Bars as columns, in the revision that the analysis is to see."""

from __future__ import annotations

import numpy as np

from tests.database.examples import MINUTE, START, bar
from tickstock.database.windows import window_bars
from tickstock.database.writers import Writer

LAST = START + 2 * MINUTE


def store(url: str) -> None:
    with Writer(url) as writer, writer.transaction() as batch:
        batch.insert_bars(
            [
                bar("ZM", START, close=1.0),
                bar("ZM", START, revision=1, close=2.0),
                bar("ZM", START, revision=2, close=3.0),
                bar("ZM", LAST, close=4.0),
                bar("ZM", LAST, revision=1, close=5.0),
                bar("AA", START + MINUTE, revision=1, close=6.0),  # came late: it has no revision 0
                bar("AA", LAST, revision=1, close=7.0),
                bar("AA", LAST, timeframe="5min", close=8.0),
                bar("other", START),
            ]
        )


def test_bars_come_in_their_highest_revision_ordered_by_lane_and_time(database_url: str) -> None:
    store(database_url)
    found = window_bars(database_url, ["ZM", "none", "AA"], "1min", START, LAST + 1)
    assert found.symbols == ("ZM", "none", "AA")
    assert found.lane.tolist() == [0, 0, 2, 2]
    assert found.timestamp.tolist() == [START, LAST, START + MINUTE, LAST]
    assert found.close.tolist() == [3.0, 5.0, 6.0, 7.0]
    assert found.volume.dtype == np.int64
    assert found.open.tolist() == [256.9] * 4


def test_from_a_time_on_bars_come_as_they_were_first_closed(database_url: str) -> None:
    store(database_url)
    found = window_bars(database_url, ["ZM", "AA"], "1min", START, LAST + 1, as_first_closed_from=LAST)
    assert found.close.tolist() == [3.0, 4.0, 6.0]
    found = window_bars(database_url, ["ZM", "AA"], "1min", START, LAST + 1, as_first_closed_from=START)
    assert found.close.tolist() == [1.0, 4.0]


def test_the_range_ends_before_its_end_and_may_be_empty(database_url: str) -> None:
    store(database_url)
    assert window_bars(database_url, ["ZM"], "1min", START, LAST).close.tolist() == [3.0]
    for symbols, since in (([], START), (["ZM"], LAST + 1), (["none"], START)):
        found = window_bars(database_url, symbols, "1min", since, since + MINUTE)
        assert len(found) == 0
        assert found.close.dtype == np.float64


def test_other_timeframes_are_left_alone(database_url: str) -> None:
    store(database_url)
    assert window_bars(database_url, ["AA"], "5min", START, LAST + 1).close.tolist() == [8.0]
