"""Conditions of chart patterns: where they hold, and how far inside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstock.analysis.chart_conditions import all_of, at_least, at_most, better_near_one, ratio_at_most
from tickstock.analysis.quantities import Margins

TICK = np.full(5, 0.01)
lengths = st.floats(0.0, 100.0)


def test_a_length_within_a_limit_is_measured_in_the_limit():
    condition = at_most(np.array([0.25, 0.5, 0.99, 1.0, 1.01]), np.ones(5), TICK)
    assert condition.holds.tolist() == [True] * 4 + [False]
    assert condition.quality().tolist() == pytest.approx([0.75, 0.5, 0.01, 0.0, 0.0])


def test_a_length_counts_as_one_tick_at_least_and_a_limit_under_one_leaves_no_room():
    assert at_most(np.zeros(2), np.array([0.04, 0.009]), TICK[:2]).quality().tolist() == pytest.approx([0.75, 0.0])


def test_a_value_is_ideal_from_its_ideal_on():
    condition = at_least(np.array([0.9, 1.0, 1.5, 2.0, 3.0]), 1.0, 2.0)
    assert condition.holds.tolist() == [False] + [True] * 4
    assert condition.quality().tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_a_ratio_is_ideal_at_one():
    condition = ratio_at_most(np.array([1.0, 2.0, 4.0, 5.0]), 4.0)
    assert condition.holds.tolist() == [True, True, True, False]
    assert condition.quality().tolist() == pytest.approx([1.0, 0.5, 0.0, 0.0])


def test_quality_is_the_geometric_mean_of_the_margins_and_orders_count_for_nothing():
    half, eighth = better_near_one(np.array([0.5])), better_near_one(np.array([0.125]))
    assert all_of(Margins.label(np.array([True])), half, eighth).quality().tolist() == pytest.approx([0.25])
    spoilt = all_of(half, Margins.label(np.array([False])), eighth)
    assert (spoilt.holds.tolist(), spoilt.quality().tolist()) == ([False], [0.0])


@given(lengths, lengths, st.floats(0.01, 100.0))
def test_a_shorter_length_is_never_worse(one, other, limit):
    shorter, longer = at_most(np.array(sorted((one, other))), np.full(2, limit), TICK[:2]).quality().tolist()
    assert 0.0 <= longer <= shorter < 1.0
