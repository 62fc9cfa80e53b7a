"""What a row of the report says, on events and bars that were made for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.series import MINUTE, START
from tickstock.analysis.outcome_report import report_header
from tickstock.analysis.outcome_rows import OutcomeRow, outcome_rows
from tickstock.analysis.outcome_tally import OutcomeTally
from tickstock.analysis.resampled_days import chance_above, spread_of_draws, student_quantile, survivors, weighty_days
from tickstock.analysis.results import BarColumns
from tickstock.market_hours import DAY_MS

UP, DOWN, SAME = 0.01, -0.01, 0.0


def tally_of(
    days: list[list[float]],
    *,
    at: dict[int, list[int]],
    side: int = 1,
    quality: list[float] | None = None,
    timeframe: str = "1min",
    tally: OutcomeTally | None = None,
    symbol: str = "AAPL",
) -> OutcomeTally:
    """Days of bars that each give a return, entered at 100 and left a bar later, and detections at places of some days.

    The bar behind the last return of a day has no return, because the session ends with it.
    """
    length, bars, sessions, places, first = (DAY_MS if timeframe == "1day" else MINUTE), [], [], [], 0
    for number, returns in enumerate(days):
        opening = START + number * DAY_MS
        closes = [100.0, *(100.0 * (1 + each) for each in returns)]
        bars += [
            (opening + step * length, 100.0, max(100.0, close) + 1, min(100.0, close) - 1, close)
            for step, close in enumerate(closes)
        ]
        sessions += [opening] * len(closes)
        places += [first + place for place in at.get(number, [])]
        first += len(closes)
    columns = [np.array(column) for column in zip(*bars, strict=True)]
    series = BarColumns(columns[0].astype(np.int64), *columns[1:], np.full(len(bars), 1000.0))
    tally = tally or OutcomeTally(timeframe, 1)
    outcomes = tally.add_bars(symbol, series, np.array(sessions))
    tally.add_detections(outcomes, "Hammer", side, np.array(places, np.int64), np.array(quality or [0.5] * len(places)))
    return tally


def row_of(tally: OutcomeTally, quality: str = "all", cost: float = 0.0) -> OutcomeRow:
    return next(row for row in outcome_rows([tally], cost) if row.quality == quality)


def test_an_event_is_a_hit_when_it_goes_its_way_and_others_are_the_base() -> None:
    day = [UP, UP, DOWN, UP, DOWN, DOWN, DOWN, UP]
    rise = row_of(tally_of([day], at={0: [0, 1, 2]}))
    assert (rise.events, rise.hits, rise.rate) == (3, 2, pytest.approx(2 / 3))
    assert rise.base_rate == pytest.approx(2 / 5)  # of the five other bars
    fall = row_of(tally_of([day], at={0: [0, 1, 2]}, side=-1))
    assert (fall.hits, fall.base_rate) == (1, pytest.approx(3 / 5))
    assert fall.mean_return == pytest.approx(-rise.mean_return)


def test_unchanged_prices_are_counted_apart_in_events_and_base_alike() -> None:
    row = row_of(tally_of([[UP, SAME, SAME, SAME, SAME, UP, DOWN, UP, DOWN, DOWN, DOWN]], at={0: [0, 1, 2]}))
    assert (row.events, row.zero, row.hits, row.rate) == (3, 2, 1, 1.0)
    assert row.base_rate == pytest.approx(2 / 6)
    assert row.mean_return == pytest.approx(UP / 3)  # a return of nothing is a return


def test_incomplete_outcomes_are_counted_and_not_scored() -> None:
    row = row_of(tally_of([[UP, DOWN, UP]], at={0: [0, 3]}))  # the last bar has no next one
    assert (row.events, row.incomplete, row.hits) == (2, 1, 1)


def test_detections_within_a_horizon_are_no_events_and_not_among_the_others_either() -> None:
    tally = OutcomeTally("1min", 2)
    day = [UP, UP, UP, UP, DOWN, DOWN, DOWN, DOWN]
    row = row_of(tally_of([day], at={0: [0, 1]}, tally=tally))
    assert (row.events, row.hits) == (1, 1)
    assert row.base_rate == pytest.approx(1 / 5)  # places 2 to 6; the last two bars are incomplete


def test_the_base_is_of_the_same_symbol_and_half_hour_and_weighted_as_the_events_are() -> None:
    tally = OutcomeTally("1min", 1)
    rising, falling = [UP] * 9 + [DOWN], [DOWN] * 9 + [UP]
    tally_of([rising], at={0: [0]}, tally=tally, symbol="UP")
    tally_of([falling], at={0: [0, 1, 2]}, tally=tally, symbol="DOWN")
    row = row_of(tally)
    assert row.events == 4
    assert row.base_rate == pytest.approx((1 * (8 / 9) + 3 * (1 / 7)) / 4)
    # The half-hours of one day: 29 falling bars, then 31 rising ones.
    halves = row_of(tally_of([[DOWN] * 30 + [UP] * 29 + [DOWN]], at={0: [5, 35]}))
    assert halves.base_rate == pytest.approx((0 / 29 + 28 / 29) / 2)


def test_an_event_without_another_bar_is_not_compared() -> None:
    row = row_of(tally_of([[UP]], at={0: [0]}))
    assert (row.events, row.unmatched, row.hits, row.rate) == (1, 1, 0, None)


def test_returns_are_told_before_and_after_the_cost() -> None:
    row = row_of(tally_of([[UP, UP, DOWN, UP, DOWN]], at={0: [0, 1, 2]}), cost=0.002)
    assert row.mean_return == pytest.approx(UP / 3)
    assert row.median_return == pytest.approx(UP)
    assert row.mean_after_cost == pytest.approx(UP / 3 - 0.002)
    assert row.median_after_cost == pytest.approx(UP - 0.002)


def test_a_neutral_pattern_has_a_size_and_no_rate() -> None:
    row = row_of(tally_of([[0.03, -0.01, 0.01, 0.01, -0.02]], at={0: [0, 1]}, side=0))
    assert row.direction == "neutral"
    assert row.mean_size == pytest.approx(0.02)
    assert row.base_size == pytest.approx(0.04 / 3)
    assert (row.rate, row.hits, row.mean_return, row.chance, row.edge) == (None, None, None, 1.0, False)


def test_thirds_are_by_quality_and_hold_all_events() -> None:
    day = [UP, DOWN] * 12
    tally = tally_of([day], at={0: list(range(9))}, quality=[0.9, 0.1, 0.5, 0.8, 0.2, 0.4, 0.7, 0.3, 0.6])
    rows = {row.quality: row for row in outcome_rows([tally], 0.0)}
    assert {quality: row.events for quality, row in rows.items()} == {"all": 9, "low": 3, "middle": 3, "high": 3}
    assert rows["high"].hits == 2  # qualities 0.9, 0.8, 0.7 at places 0, 3, 6


def test_equal_qualities_make_no_thirds() -> None:
    assert [row.quality for row in outcome_rows([tally_of([[UP, DOWN] * 6], at={0: [0, 1, 2]})], 0.0)] == ["all"]


@pytest.mark.parametrize(
    ("days", "a_day", "too_few"), [(19, 3, True), (20, 1, True), (29, 1, True), (30, 1, False), (20, 2, False)]
)
def test_under_30_events_or_20_days_are_too_few_for_an_interval(days: int, a_day: int, too_few: bool) -> None:
    generator = np.random.default_rng(1)
    returns = [generator.choice([UP, DOWN], 12).tolist() for _ in range(days)]
    row = row_of(tally_of(returns, at={day: list(range(a_day)) for day in range(days)}))
    assert row.too_few == too_few
    assert (row.interval is None) == too_few


def edge_rows(early: float, late: float, cost: float = 0.0) -> OutcomeRow:
    """150 days of four events each that rise at this rate in the first hundred days, and at another one in the last fifty."""
    generator = np.random.default_rng(5)
    days = []
    for day in range(150):
        rate = early if day < 100 else late
        events = np.where(generator.random(4) < rate, UP, DOWN).tolist()
        days.append([*events, *generator.permutation([UP, DOWN] * 10).tolist()])
    return row_of(tally_of(days, at={day: [0, 1, 2, 3] for day in range(150)}), cost=cost)


def test_an_edge_survives_the_test_pays_its_cost_and_repeats() -> None:
    row = edge_rows(0.7, 0.7)
    assert (row.survives, row.pays, row.repeats, row.edge) == (True, True, True, True)
    assert row.interval is not None
    assert row.interval[0] > 0


def test_what_does_not_repeat_in_the_last_third_is_no_edge() -> None:
    row = edge_rows(0.75, 0.5)
    assert (row.survives, row.repeats, row.edge) == (True, False, False)


def test_the_first_test_does_not_see_the_last_third() -> None:
    assert edge_rows(0.6, 0.9).chance == edge_rows(0.6, 0.1).chance


def test_what_does_not_pay_its_cost_is_no_edge() -> None:
    row = edge_rows(0.7, 0.7, cost=0.009)
    assert (row.survives, row.pays, row.repeats, row.edge) == (True, False, True, False)


def test_events_of_one_day_are_not_taken_for_independent() -> None:
    generator = np.random.default_rng(2)
    fate = generator.choice([UP, DOWN], 40)
    days = [[day_fate] * 8 + generator.choice([UP, DOWN], 30).tolist() for day_fate in fate.tolist()]
    together = row_of(tally_of(days, at={day: list(range(8)) for day in range(40)}))
    assert together.interval is not None
    wide = together.interval[1] - together.interval[0]
    alone = 2 * 1.96 * 0.5 / np.sqrt(320)
    assert wide > 2 * alone  # eight events a day that go the same way are worth one


def test_day_bars_are_resampled_in_as_many_days_as_a_return_spans() -> None:
    generator = np.random.default_rng(3)
    prices = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, 700)))
    times = START + DAY_MS * np.arange(700)
    opening = np.concatenate((prices[:1], prices[:-1]))
    bars = BarColumns(times, opening, np.maximum(opening, prices) + 1, np.minimum(opening, prices) - 1, prices, np.full(700, 1e6))
    rows = {}
    for horizon in (1, 60):
        tally = OutcomeTally("1day", horizon)
        for number in range(3):  # symbols that move together share their returns
            outcomes = tally.add_bars(f"S{number}", bars, times)
            place = np.arange(number, 690, 7)
            tally.add_detections(outcomes, "Hammer", 1, place, np.full(len(place), 0.5))
        rows[horizon] = row_of(tally)
    assert not rows[1].too_few
    assert rows[60].too_few  # 700 days are eleven times sixty


def test_the_header_names_the_universe_when_it_was_chosen_what_is_missing_and_how_many_rows_there_are() -> None:
    tally = tally_of([[UP, DOWN] * 6] * 3, at={0: [0], 2: [1]})
    rows = outcome_rows([tally], 0.0005)
    header = report_header(rows, [tally], ["MSFT", "AAPL"], "chosen on 2026-11-22", 5.0)
    assert header["universe"] == ["AAPL", "MSFT"]
    assert (header["chosen"], header["rows"], header["rows_tested"], header["edges"]) == ("chosen on 2026-11-22", len(rows), 0, 0)
    assert "delisted" in header["missing"]
    assert (header["days"], header["first_day"], header["last_day"]) == (3, "2013-10-07", "2013-10-09")


def test_a_report_on_nothing_is_empty() -> None:
    assert outcome_rows([OutcomeTally("1min", 1)], 0.0) == []
    assert outcome_rows([], 0.0) == []


def test_benjamini_hochberg_keeps_the_rows_under_the_rising_line() -> None:
    chances = np.array([0.041, 0.001, 0.008, 0.039, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216])
    assert np.flatnonzero(survivors(chances)).tolist() == [1, 2]  # the paper's step-up: 0.008 <= 2/10 * 0.05
    assert survivors(np.array([0.04, 0.05])).all()  # the larger one carries the smaller
    assert not survivors(np.array([0.04, 0.06])).any()
    assert not survivors(np.array([])).any()


@pytest.mark.parametrize(
    ("freedom", "value", "chance"),  # tables of Student's t
    [(5, 2.571, 0.025), (10, 1.812, 0.05), (19, 2.093, 0.025), (30, 3.385, 0.001), (100, 1.660, 0.05), (100, 3.174, 0.001)],
)
def test_students_tail_and_quantile_are_those_of_the_tables(freedom: float, value: float, chance: float) -> None:
    assert chance_above(value, freedom) == pytest.approx(chance, rel=0.01)
    assert student_quantile(1 - chance, freedom) == pytest.approx(value, rel=0.005)
    assert chance_above(-value, freedom) == pytest.approx(1 - chance, rel=0.001)


@given(st.floats(-6, 6), st.floats(3, 500))
def test_tail_and_quantile_are_inverse(value: float, freedom: float) -> None:
    assert student_quantile(1 - chance_above(value, freedom), freedom) == pytest.approx(value, abs=1e-4)


def test_the_spread_of_draws_is_the_error_of_a_mean_of_days() -> None:
    generator = np.random.default_rng(4)
    excess = generator.normal(0, 1, (200, 3))
    spread = spread_of_draws(excess, np.ones((200, 3)))
    assert spread == pytest.approx(excess.std(axis=0, ddof=1) / np.sqrt(200), rel=0.06)
    assert (spread == spread_of_draws(excess, np.ones((200, 3)))).all()  # seeded


def test_days_weigh_by_their_events() -> None:
    assert weighty_days(np.array([[1.0, 10.0], [1.0, 1.0], [1.0, 0.0]])).tolist() == pytest.approx([3.0, 121 / 101])
