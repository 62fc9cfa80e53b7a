"""Chart patterns over history are those of the live run, event for event, with every detail."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.drawn_shapes import NAMES, shapes_of
from tests.analysis.series import MINUTE, START, Series, golden, random_walk
from tickstock.analysis.shape_history import chart_patterns_over_history

DAY = 86_400_000


def of_days(seed: int, minutes_of_days: list[int], traded: float) -> Series:
    """A walk over days of so many minutes, each minute with a bar or, as it happens, without."""
    generator, times, sessions = np.random.default_rng(seed), [], []
    for day, minutes in enumerate(minutes_of_days):
        with_bar = np.flatnonzero(generator.random(minutes) < traded)
        times += (START + day * DAY + MINUTE * with_bar).tolist()
        sessions += [START + day * DAY] * len(with_bar)
    walk = random_walk(seed, len(times), ticks_a_step=5.0)
    volume = generator.integers(0, 3, len(times)) * 500.0
    return Series(walk.bars._replace(timestamp=np.array(times), volume=volume), np.array(sessions))


SERIES = {
    "full days": of_days(1, [390] * 5, 1.0),
    "missing minutes and half days": of_days(2, [390, 210, 390, 8, 0, 390, 210, 1, 390], 0.8),
    "a first session too short for an average range": of_days(3, [9, 390, 4, 390], 1.0),
    "one session": of_days(4, [390], 1.0),
}


@pytest.mark.parametrize("timeframe", ["1min", "15min", "60min", "1day"])
@pytest.mark.parametrize("one", SERIES.values(), ids=SERIES)
def test_history_equals_the_live_run(one, timeframe):
    live = shapes_of(one, timeframe)
    assert chart_patterns_over_history(one.bars, one.sessions, timeframe, NAMES) == live
    assert len(live) > 5


@pytest.mark.parametrize("name", ["SPY_1m_rth", "BAC_1m_rth"])
def test_history_equals_the_live_run_on_real_minutes(name):
    one, _ = golden(name)
    live = shapes_of(one)
    assert chart_patterns_over_history(one.bars, one.sessions, "1min", NAMES) == live
    assert {hit.state for hit in live} == {"forming", "confirmed", "void"}


def test_only_what_is_asked_for_is_found():
    one = SERIES["full days"]
    found = chart_patterns_over_history(one.bars, one.sessions, "1min", ["BearFlag", "Hammer"])
    assert {hit.pattern for hit in found} == {"BearFlag"}


def test_no_bars_have_no_patterns():
    one = SERIES["full days"].part(slice(0, 0))
    assert chart_patterns_over_history(one.bars, one.sessions, "1min", NAMES) == []
