from __future__ import annotations

from itertools import combinations

import pytest

from tests.conftest import shared_file
from tests.feed.vendor_reference import read_rules
from tickstock.feed.trade_rules import EVERYTHING, HIGH_LOW, LAST, VOLUME, effect


def as_effect(allowed: tuple[bool, bool, bool]) -> int:
    high_low, open_close, volume = allowed
    return HIGH_LOW * high_low + LAST * open_close + VOLUME * volume


def test_every_condition_follows_the_vendors_table() -> None:
    for code, allowed in read_rules(shared_file("trade-condition-rules.json")).items():
        assert effect((code,), regular_hours=True) == as_effect(allowed), code


def test_every_pair_of_conditions_allows_what_both_allow() -> None:
    rules = read_rules(shared_file("trade-condition-rules.json"))
    for one, other in combinations(rules, 2):
        assert effect((one, other), True) == as_effect(rules[one]) & as_effect(rules[other]), (one, other)


@pytest.mark.parametrize("conditions", [(), (0,), (57, 62, 71), (999,)])
def test_no_or_neutral_or_unknown_conditions_allow_everything(conditions: tuple[int, ...]) -> None:
    assert effect(conditions, True) == EVERYTHING


def test_form_t_is_neutral_outside_regular_hours_only() -> None:
    assert effect((12,), regular_hours=True) == VOLUME
    assert effect((12,), regular_hours=False) == EVERYTHING
    assert effect((12, 37), regular_hours=False) == VOLUME
    assert effect((13,), regular_hours=False) == VOLUME
