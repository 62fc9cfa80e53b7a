"""Conditions of chart patterns: each says in one expression where it holds and how far inside it every lane is."""

from __future__ import annotations

from functools import reduce

import numpy as np

from tickstock.analysis.quantities import Margins
from tickstock.analysis.results import Booleans, Floats, Integers


def at_most(length: Floats, limit: Floats, tick: Floats) -> Margins:
    """A length within a limit: ideal is none, measured in the limit.

    The length counts as one tick at least, and a limit under a tick leaves no room.
    """
    return _condition(length <= limit, np.where(limit < tick, 0.0, 1.0 - np.maximum(length, tick) / limit))


def at_least(value: Floats, least: Floats | float, ideal: Floats | float) -> Margins:
    """A value from `least` up: ideal from `ideal` on."""
    return _condition(value >= least, (value - least) / (ideal - least))


def ratio_at_most(ratio: Floats, limit: float) -> Margins:
    """The ratio of a longer to a shorter length: ideal is 1, measured in logarithms."""
    return _condition(ratio <= limit, 1.0 - np.log(ratio) / np.log(limit))


def better_near_one(share: Floats) -> Margins:
    """A share of at most 1 that is no condition, and yet makes a shape better the nearer it is to 1."""
    return _condition(np.ones(len(share), np.bool_), share)


def all_of(*conditions: Margins) -> Margins:
    """All of them: at least one with a margin."""
    return reduce(
        lambda left, right: Margins(left.holds & right.holds, left.product * right.product, left.count + right.count), conditions
    )


def rows_of_condition(condition: Margins, chosen: Integers) -> Margins:
    """A condition in some of its lanes."""
    return Margins(condition.holds[chosen], condition.product[chosen], condition.count)


def _condition(holds: Booleans, margin: Floats) -> Margins:
    return Margins.of(holds, np.minimum(np.maximum(margin, 0.0), 1.0))
