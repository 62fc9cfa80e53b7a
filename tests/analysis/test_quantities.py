"""Margins: how far inside a condition a quantity is, on the scale that belongs to its kind."""

from __future__ import annotations

import numpy as np

from tickstock.analysis.quantities import Kind, Measured, Scale

TICK, USUAL_RANGE = 100.0, 1_000.0


def measured(kind: Kind, *values: float) -> Measured:
    scale = Scale(np.full(len(values), TICK), np.full(len(values), USUAL_RANGE))
    return Measured(np.array(values), kind, scale)


def quality(condition) -> list[float]:
    return np.round(condition.quality(), 9).tolist()


def test_a_length_under_an_average_is_measured_in_that_average():
    lengths = measured(Kind.LENGTH, 100.0, 250.0, 499.0, 500.0, 501.0)
    assert quality(lengths < measured(Kind.AVERAGE, *[500.0] * 5)) == [0.8, 0.5, 0.002, 0.0, 0.0]
    assert (lengths <= measured(Kind.AVERAGE, *[500.0] * 5)).holds.tolist() == [True, True, True, True, False]


def test_a_length_counts_as_one_tick_at_least_and_a_limit_under_one_is_no_room():
    assert quality(measured(Kind.LENGTH, 0.0, 0.0) < measured(Kind.AVERAGE, 500.0, 99.0)) == [0.8, 0.0]


def test_a_length_over_an_average_is_ideal_at_twice_that():
    assert quality(measured(Kind.LENGTH, 500.0, 750.0, 1_500.0) > measured(Kind.AVERAGE, *[500.0] * 3)) == [0.0, 0.5, 1.0]


def test_a_length_over_another_is_ideal_at_three_times_that():
    assert quality(measured(Kind.LENGTH, 200.0, 400.0, 600.0) > measured(Kind.LENGTH, *[200.0] * 3)) == [0.0, 0.5, 1.0]


def test_whether_a_length_is_over_another_or_the_other_under_it_says_the_same():
    shadows, bodies = measured(Kind.LENGTH, 50.0, 100.0, 200.0, 250.0), measured(Kind.LENGTH, 0.0, 0.0, 0.0, 150.0)
    assert quality(shadows > bodies) == quality(bodies < shadows) == [0.0, 0.0, 0.5, round(1 / 3, 9)]


def test_prices_are_measured_in_usual_ranges():
    prices = measured(Kind.PRICE, 50_000.0, 49_750.0, 48_000.0)
    assert quality(prices <= measured(Kind.PRICE, *[50_000.0] * 3)) == [0.0, 0.25, 1.0]
    assert quality(prices >= measured(Kind.PRICE, *[49_500.0] * 3)) == [0.5, 0.25, 0.0]


def test_a_price_and_a_length_make_a_price_and_two_prices_a_length():
    price, length = measured(Kind.PRICE, 50_000.0), measured(Kind.LENGTH, 300.0)
    assert (price + length).kind is (price - length).kind is (length + price).kind is Kind.PRICE
    assert (price - measured(Kind.PRICE, 49_000.0)).kind is Kind.LENGTH
    assert (0.5 * length).kind is (length * 0.5).kind is Kind.LENGTH
    assert (0.5 * length).values.tolist() == [150.0]


def test_quality_is_the_geometric_mean_of_all_margins_however_they_are_grouped():
    a, b, c = (measured(Kind.LENGTH, 100.0 * n) < measured(Kind.AVERAGE, 1_000.0) for n in (1, 2, 3))
    expected = [round((0.9 * 0.8 * 0.7) ** (1 / 3), 9)]
    assert quality((a & b) & c) == quality(a & (b & c)) == expected


def test_of_two_ways_to_be_one_the_better_that_holds_counts():
    near = measured(Kind.LENGTH, 900.0, 1_200.0) < measured(Kind.AVERAGE, 1_000.0, 1_000.0)
    far = measured(Kind.LENGTH, 200.0, 200.0) < measured(Kind.AVERAGE, 1_000.0, 1_000.0)
    assert quality(near | far) == quality(far | near) == [0.8, 0.8]
    assert (near & near).holds.tolist() == [True, False]
    assert quality(near | (near & near)) == [0.1, 0.0]
