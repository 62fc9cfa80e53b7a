"""5, 15, 60 minute bars and the day's bar: as they grow equal to what stored minutes give."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, Calendar, ExchangeCalendar
from tickstock.streaming.bar_columns import Bars, concatenate, no_bars
from tickstock.streaming.higher_timeframes import TIMEFRAME_MS, GrowingTimeframe, bar_bounds, resample

ORDINARY, HALF_DAY = date(2024, 10, 7), date(2024, 11, 29)
HIGHER = [timeframe for timeframe in TIMEFRAME_MS if timeframe != "1min"]


def minute_bars(start: int, lanes: list[int], seed: int) -> Bars:
    chance = np.random.default_rng([seed, start // MINUTE_MS])
    close = chance.integers(900, 1100, len(lanes)) / 100
    open_ = chance.integers(900, 1100, len(lanes)) / 100
    volume, ticks = chance.integers(0, 999, len(lanes)).astype(float), chance.integers(1, 9, len(lanes)).astype(float)
    trades = np.where(chance.random(len(lanes)) < 0.3, np.nan, ticks)
    first, last = np.full(len(lanes), start + 1.0), np.full(len(lanes), start + 59_000.0)
    return Bars(
        np.array(lanes, dtype=np.int64), np.full(len(lanes), start, dtype=np.int64), open_, np.maximum(open_, close) + 0.01,
        np.minimum(open_, close) - 0.01, close, volume, ticks, trades, first, last,
    )  # fmt: skip


@pytest.mark.parametrize("calendar", [ExchangeCalendar(), AlwaysOpenCalendar()], ids=["exchange", "always open"])
@pytest.mark.parametrize("day", [ORDINARY, HALF_DAY], ids=["ordinary day", "half day"])
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.02, 0.4, 0.97]))
def test_growing_bars_equal_resampled_minutes_over_all_sessions(calendar: Calendar, day: date, seed: int, share: float) -> None:
    chance = np.random.default_rng(seed)
    sessions = calendar.sessions_of(day)
    growing = {timeframe: GrowingTimeframe(timeframe) for timeframe in HIGHER}
    minutes: list[Bars] = []
    closed: dict[str, list[Bars]] = {timeframe: [] for timeframe in HIGHER}
    for start in range(sessions[0].start, min(sessions[-1].end, sessions[0].start + 16 * 60 * MINUTE_MS), MINUTE_MS):
        session = calendar.session_at(start)
        lanes = [lane for lane in range(4) if chance.random() < share]
        chance.shuffle(lanes)
        for timeframe, each in growing.items():
            if each.due(start):
                closed[timeframe].append(each.close())
            if lanes and session is not None and (timeframe != "1day" or session.name == "regular"):
                each.add(minute_bars(start, lanes, seed), session)
        if lanes:
            minutes.append(minute_bars(start, lanes, seed))
    for timeframe, each in growing.items():
        if each.due(sessions[-1].end):
            closed[timeframe].append(each.close())
    stored = concatenate(minutes) if minutes else no_bars()
    for timeframe in HIGHER:
        expected, ends = resample(stored, timeframe, calendar)
        found = concatenate(closed[timeframe]) if closed[timeframe] else no_bars()
        whole = ends <= (minutes[-1].timestamp[0] + MINUTE_MS if minutes else 0)
        count = len(found) if found else 0
        assert count >= whole.sum()
        for name in Bars.__slots__:
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name)[:count], err_msg=f"{timeframe} {name}")


def test_the_last_bar_of_a_half_day_ends_with_the_session() -> None:
    regular = ExchangeCalendar().sessions_of(HALF_DAY)[1]
    assert bar_bounds("60min", regular.end - MINUTE_MS, regular) == (regular.end - 30 * MINUTE_MS, regular.end)
    assert bar_bounds("1day", regular.start + MINUTE_MS, regular) == (regular.start, regular.end)


def test_minutes_outside_every_session_are_left_out() -> None:
    before = ExchangeCalendar().sessions_of(ORDINARY)[0].start - MINUTE_MS
    bars, ends = resample(minute_bars(before, [0, 1], 1), "5min", ExchangeCalendar())
    assert len(bars) == 0
    assert len(ends) == 0


whole = st.integers(1, 10**9)
price = st.floats(0.0001, 1e6)


@given(st.lists(st.tuples(price, price, price, price, whole, whole, whole, whole), max_size=6))
def test_bars_of_ticks_become_rows_without_loss(growing: list[tuple[float, ...]]) -> None:
    lanes = np.arange(len(growing), dtype=np.int64)
    symbols = [f"S{lane}" for lane in lanes]
    rows = Bars.from_ticks(lanes, 60_000, [list(each) for each in growing]).rows(symbols, "1min", 0, "simulated")
    assert rows == [
        (symbol, "1min", 60_000, 0, *each[:4], each[4], each[5], None, "simulated", each[6], each[7])
        for symbol, each in zip(symbols, growing, strict=True)
    ]
    assert all(type(value) in (str, int, float, type(None)) for row in rows for value in row)


@given(st.lists(st.tuples(price, price, price, price, whole, st.none() | whole), max_size=6))
def test_bars_from_rest_become_rows_without_loss(bars: list[tuple[float, float, float, float, int, int | None]]) -> None:
    given_bars = [RestBar(number * MINUTE_MS, *bar) for number, bar in enumerate(bars)]
    rows = Bars.from_rest(np.zeros(len(bars), dtype=np.int64), given_bars).rows(["S"], "1min", 0, "massive")
    assert rows == [
        ("S", "1min", number * MINUTE_MS, 0, *bar[:5], None, bar[5], "massive", None, None) for number, bar in enumerate(bars)
    ]
