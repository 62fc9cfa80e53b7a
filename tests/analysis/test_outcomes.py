"""Entry, exit and return after a bar, and which detections count."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis import outcome_reference as reference
from tests.analysis.series import MINUTE, START, Series, closes, series
from tickstock.analysis.candle_bars import HistoryBars
from tickstock.analysis.candlestick_detector import CandlestickDetector
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.outcomes import Followed, first_within_horizon, half_hours, thin_bars, trading_days, what_followed
from tickstock.analysis.results import BarColumns
from tickstock.market_hours import DAY_MS, ExchangeCalendar, new_york_ms, regular_session_of

HOUR = 60 * MINUTE


def followed(one: Series, horizon: int, timeframe: str = "1min", **more: int) -> Followed:
    return what_followed(one.bars, one.sessions, timeframe, horizon, **more)


def test_the_entry_is_the_next_bars_open_and_the_exit_the_last_close_within_the_horizon() -> None:
    one = series([(10, 11, 9, 10.5), (10.6, 12, 10, 11.0), (11.1, 12, 11, 11.4), (11.5, 12, 11, 11.8)])
    assert followed(one, 1).entry[0] == 10.6
    assert [followed(one, horizon).exit[0] for horizon in (1, 2, 3)] == [11.0, 11.4, 11.8]
    assert followed(one, 2).returns[0] == pytest.approx(11.4 / 10.6 - 1)


def test_the_horizon_is_clock_time_from_the_entry_not_a_number_of_bars() -> None:
    quiet = closes([10.0, 10.1, 10.2, 10.3, 10.4], timestamp=START + MINUTE * np.array([0, 3, 4, 6, 7]))
    after = followed(quiet, 5)
    assert after.entry_time[0] == START + 3 * MINUTE
    assert after.exit[0] == 10.4  # the minute from 7 to 8


def test_an_outcome_is_incomplete_where_the_last_bar_length_had_no_trade() -> None:
    quiet = closes([10.0, 10.1, 10.2, 10.3], timestamp=START + MINUTE * np.array([0, 1, 2, 5]))
    assert np.isnan(followed(quiet, 3).exit[0])  # nothing from 3 to 4
    assert followed(quiet, 2).exit[0] == 10.2
    assert followed(quiet, 5).exit[0] == 10.3


def test_an_outcome_ends_with_its_session() -> None:
    times = START + MINUTE * np.array([0, 1, 2, 3, 1440, 1441, 1442])
    sessions = np.where(np.arange(7) < 4, START, START + DAY_MS)
    after = followed(closes(range(10, 17), timestamp=times, sessions=sessions), 2)
    assert np.isfinite(after.exit).tolist() == [True, True, False, False, True, False, False]
    assert np.isnan(after.entry[3])  # the session's last bar has no next one
    assert after.entry_time[3] == START + 4 * MINUTE


def test_the_short_last_bar_of_a_session_is_a_last_bar_length() -> None:
    hours = closes([10, 11, 12], step=HOUR)
    assert followed(hours, 1, "60min").exit.tolist()[:2] == [11, 12]


def test_day_bars_are_held_over_nights_weekends_and_changes_of_the_clock() -> None:
    calendar = ExchangeCalendar()
    days = [new_york_ms(day, session_time) for day, session_time in opening_times(calendar)]
    daily = closes(np.arange(100.0, 100.0 + len(days)), timestamp=days, sessions=days)
    weekdays = [day.weekday() for day, _ in opening_times(calendar)]
    after = followed(daily, 5, "1day")
    for at, exit_price in enumerate(after.exit.tolist()[:-6]):
        # Five days of clock time from a Tuesday's opening end on Sunday, else five days later stands another weekday's opening.
        bars_held = {0: 5, 1: 4, 2: 3, 3: 3, 4: 3}[weekdays[at + 1]]
        assert exit_price == 100.0 + at + bars_held, daily.bars.timestamp[at]
    assert followed(daily, 1, "1day").exit.tolist()[:-1] == daily.bars.close.tolist()[1:]


def opening_times(calendar: ExchangeCalendar) -> list[tuple]:
    first = datetime.date(2024, 2, 26)  # no holiday for four weeks; the clocks change on 10 March
    days = [first + datetime.timedelta(days=number) for number in range(28)]
    return [(day, datetime.time(9, 30)) for day in days if regular_session_of(calendar, day) is not None]


def test_day_bars_that_are_not_known_yet_leave_an_outcome_incomplete() -> None:
    days = START + DAY_MS * np.arange(4)
    daily = closes([10, 11, 12, 13], timestamp=days, sessions=days)
    assert np.isfinite(followed(daily, 3, "1day").exit).tolist() == [True, False, False, False]
    assert np.isfinite(followed(daily, 3, "1day", known_until=days[3] + 3 * DAY_MS).exit).tolist() == [True, True, True, False]


def test_nothing_follows_where_there_are_no_bars() -> None:
    assert len(followed(closes([]), 1).exit) == 0
    assert np.isnan(followed(closes([10]), 1).exit).all()


bar_steps = st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.integers(90, 110)), min_size=1, max_size=60)


def drawn(steps: list[tuple[int, bool, int]], length: int) -> tuple[Series, list[reference.Bar]]:
    bars, time, session = [], START, START
    for step, new_session, price in steps:
        time += step * length
        if new_session:
            time = session = time + 100 * length
        bars.append(reference.Bar(time, price + 0.5, float(price), session))
    columns = [np.array([getattr(bar, name) for bar in bars], float) for name in ("open", "close")]
    times = np.array([bar.start for bar in bars])
    prices = (columns[0], np.maximum(*columns), np.minimum(*columns), columns[1])
    sessions = np.array([bar.session for bar in bars])
    return Series(BarColumns(times, *prices, np.full(len(bars), 1000.0)), sessions), bars


@given(bar_steps, st.sampled_from(["1min", "5min", "60min"]), st.integers(1, 20))
def test_entries_and_exits_are_those_of_a_plain_reading(steps: list, timeframe: str, horizon: int) -> None:
    length = {"1min": MINUTE, "5min": 5 * MINUTE, "60min": HOUR}[timeframe]
    one, bars = drawn(steps, length)
    after = followed(one, horizon, timeframe)
    for at in range(len(bars)):
        entry, exit_price = reference.outcome(bars, at, length, horizon)
        assert (None if np.isnan(after.entry[at]) else after.entry[at]) == entry
        assert (None if np.isnan(after.exit[at]) else after.exit[at]) == exit_price


@given(bar_steps, st.integers(1, 20), st.data())
def test_detections_that_count_are_those_of_a_plain_reading(steps: list, horizon: int, data: st.DataObject) -> None:
    one, bars = drawn(steps, MINUTE)
    places = sorted(data.draw(st.sets(st.integers(0, len(bars) - 1))))
    entry_time = followed(one, horizon).entry_time[places]
    first = first_within_horizon(entry_time, "1min", horizon)
    assert np.array(places)[first].tolist() == reference.counted(bars, places, MINUTE, horizon)
    assert (np.diff(entry_time[first]) >= horizon * MINUTE).all()


@given(bar_steps, st.integers(1, 20))
def test_bars_after_the_horizon_do_not_change_an_outcome(steps: list, horizon: int) -> None:
    one, bars = drawn(steps, MINUTE)
    whole, half = followed(one, horizon), len(bars) // 2
    part = followed(one.part(slice(0, half)), horizon)
    known = np.isfinite(part.exit)
    assert part.exit[known].tolist() == whole.exit[:half][known].tolist()


def test_a_bar_is_too_thin_for_the_base_where_a_candlestick_of_one_bar_would_be_suppressed() -> None:
    generator = np.random.default_rng(3)
    cents = 5000 + generator.integers(0, 9, (2000, 4)) * (1 + (np.arange(2000) // 40 % 3 > 0))[:, np.newaxis]
    opening, high, low, close = cents[:, 0], cents.max(axis=1), cents.min(axis=1), cents[:, 1]
    volume = generator.choice([50.0, 99.0, 100.0, 500.0], 2000, p=[0.1, 0.1, 0.4, 0.4])
    one = series(np.stack((opening, high, low, close), axis=1) / 100)
    bars = one.bars._replace(volume=volume)
    thin = thin_bars(bars, one.sessions, "1min")
    for at in range(2000):
        before = (high - low)[max(at - 10, 0) : at]
        hardly_moved = before.sum() < 4 * len(before)
        assert thin[at] == (high[at] == low[at] or volume[at] < 100 or hardly_moved), at
    history = HistoryBars(bars, one.sessions)
    moments = history.moments(0, len(history))
    (found,), suppressed = CandlestickDetector([CANDLESTICKS["Doji"]], "1min").detect(moments)
    assert suppressed > 0
    assert not thin[history.bar_at(found.place + moments.first)].any()


def test_half_hours_are_those_of_new_york_and_days_its_trading_days() -> None:
    calendar = ExchangeCalendar()
    summer, winter = (regular_session_of(calendar, datetime.date(2024, month, 8)) for month in (7, 11))
    assert summer is not None
    assert winter is not None
    times = np.array([summer.start, summer.start + 30 * MINUTE, summer.end - MINUTE, winter.start, winter.start + 29 * MINUTE])
    sessions = np.array([summer.start] * 3 + [winter.start] * 2)
    one = closes(range(5), timestamp=times, sessions=sessions)
    assert half_hours(one.bars, sessions, "1min").tolist() == [19, 20, 31, 19, 19]
    assert half_hours(one.bars, sessions, "1day").tolist() == [0] * 5
    days = trading_days(sessions)
    assert [datetime.date.fromordinal(day) for day in days.tolist()] == [datetime.date(2024, 7, 8)] * 3 + [
        datetime.date(2024, 11, 8)
    ] * 2
