"""Flags in detail: the pole, the bars after it, and what ends the wait for the break."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.drawn_shapes import DRAWINGS, drawn, mirrored, shapes_of
from tests.analysis.series import MINUTE, START

FLAG = DRAWINGS["BullFlag"]


def at_minute(timestamp: int) -> int:
    return (timestamp - START) // MINUTE


def test_a_flag_runs_from_its_pole_to_a_close_beyond_its_bars():
    one = drawn(FLAG, 2)
    forming, confirmed = shapes_of(one, names=["BullFlag"])
    start, end = forming.details["points"]
    assert [start["name"], end["name"]] == ["pole start", "pole end"]
    assert (start["kind"], end["kind"]) == ("low", "high")
    assert at_minute(forming.bar_timestamp) - at_minute(end["timestamp"]) >= 5
    bars = slice(at_minute(end["timestamp"]) + 1, at_minute(forming.bar_timestamp) + 1)
    assert confirmed.details["level"] == one.bars.high[bars].max() < confirmed.price
    assert confirmed.details["height"] == pytest.approx(end["price"] - start["price"])
    assert confirmed.direction == "bullish"


def test_the_channel_holds_the_flags_bars_and_leans_as_they_do():
    one = drawn(FLAG, 2)
    forming, _ = shapes_of(one, names=["BullFlag"])
    upper, lower = forming.details["lines"]
    first, last = (at_minute(point["timestamp"]) for point in upper["points"])
    rows = np.arange(first + 1, last + 1)
    tops, bottoms = (np.interp(rows, (first, last), [point["price"] for point in line["points"]]) for line in (upper, lower))
    assert (one.bars.high[rows] <= tops + 1e-9).all()
    assert (one.bars.low[rows] >= bottoms - 1e-9).all()
    slope = np.polyfit(rows, one.bars.close[rows], 1)[0]
    assert (tops[-1] - tops[0]) / (len(rows) - 1) == pytest.approx(slope)


@pytest.mark.parametrize("turned", [False, True], ids=["bull", "bear"])
@pytest.mark.parametrize(
    ("after", "reason"),
    [([(41, 104.2), (50, 99.0)], "gave back too much"), ([(41, 104.2), (70, 103.9)], "out of time")],
    ids=["falls back", "no break"],
)
def test_a_flag_that_does_not_break_is_void(after, reason, turned):
    one = drawn([*FLAG[:4], *after], 2, noise=0.05)
    one, name = (mirrored(one), "BearFlag") if turned else (one, "BullFlag")
    forming, void = shapes_of(one, names=[name])
    assert (forming.state, void.state, void.details["reason"]) == ("forming", "void", reason)
    if reason == "out of time":
        assert at_minute(void.bar_timestamp) == at_minute(forming.details["points"][1]["timestamp"]) + 20


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 100.0), (15, 100.0), (25, 97.5), (45, 105.0), (58, 103.6), (66, 110.0)],
        [(0, 100.0), (15, 100.0), (25, 97.5), (33, 105.0), (39, 100.5), (50, 101.0), (58, 110.0)],
        [(0, 100.0), (15, 100.0), (25, 97.5), (33, 105.0), (36, 104.2), (48, 115.0)],
    ],
    ids=["a slow pole", "most of the pole given back", "a pause of three bars"],
)
def test_what_is_no_flag(corners):
    assert not shapes_of(drawn(corners, 2, noise=0.05), names=["BullFlag"])
