"""Head and shoulders in detail: its points and line, and what ends it; and shapes where a new session begins."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.drawn_shapes import DRAWINGS, drawn, mirrored, shapes_of
from tests.analysis.series import MINUTE, START, Series, golden

TOP, BOTTOM = "HeadShoulders", "InverseHeadShoulders"
SHAPE = DRAWINGS[TOP]


def test_details_hold_the_points_the_line_and_the_arithmetic_target():
    forming, confirmed = shapes_of(drawn(SHAPE, 3), names=[TOP])
    assert (forming.state, confirmed.state) == ("forming", "confirmed")
    assert forming.key == confirmed.key
    points = confirmed.details["points"]
    assert [point["name"] for point in points] == [
        "start", "left shoulder", "left neck", "head", "right neck", "right shoulder",
    ]  # fmt: skip
    assert [point["kind"] for point in points] == ["low", "high"] * 3
    assert confirmed.key == f"{points[1]['timestamp']}-{points[5]['timestamp']}"
    assert points[3]["price"] == max(point["price"] for point in points)
    bars = {time: at for at, time in enumerate(START + MINUTE * np.arange(111))}
    left, right = points[2], points[4]
    slope = (right["price"] - left["price"]) / (bars[right["timestamp"]] - bars[left["timestamp"]])
    line = left["price"] + slope * (bars[confirmed.bar_timestamp] - bars[left["timestamp"]])
    assert confirmed.details["neckline"] == pytest.approx(line)
    assert confirmed.price < line
    assert confirmed.details["target"] == pytest.approx(line - confirmed.details["height"])
    assert 0 < confirmed.quality <= 1
    assert confirmed.direction == "bearish"


def test_the_inverse_points_up():
    confirmed = shapes_of(mirrored(drawn(SHAPE, 3)), names=[BOTTOM])[-1]
    assert confirmed.direction == "bullish"
    assert confirmed.price > confirmed.details["neckline"]
    assert confirmed.details["target"] == pytest.approx(confirmed.details["neckline"] + confirmed.details["height"])
    assert [point["kind"] for point in confirmed.details["points"]] == ["high", "low"] * 3


def test_a_high_above_the_head_makes_it_void():
    after = [*SHAPE[:-1], (98, 101.5), (112, 109.0)]
    states = [(hit.state, hit.details.get("reason")) for hit in shapes_of(drawn(after, 2, noise=0.02), names=[TOP])]
    assert states[:2] == [("forming", None), ("void", "beyond the head")]


def test_a_neckline_that_holds_for_too_long_makes_it_void():
    after = [*SHAPE[:-1], (98, 101.5), (190, 101.5)]
    forming, void = shapes_of(drawn(after, 2, noise=0.02), names=[TOP])[:2]
    assert (forming.state, void.state, void.details["reason"]) == ("forming", "void", "out of time")
    left, right = (int(part) for part in void.key.split("-"))
    assert void.bar_timestamp == right + (right - left)


def with_new_session(one: Series, at: int) -> Series:
    sessions = one.sessions.copy()
    sessions[at:] = one.bars.timestamp[at]
    return Series(one.bars, sessions)


@pytest.mark.parametrize(("timeframe", "states"), [("1min", ["forming", "void"]), ("60min", ["forming", "confirmed"])])
def test_a_new_session_ends_what_is_forming_on_short_timeframes(timeframe, states):
    one = drawn(SHAPE, 3)
    forming, confirmed = shapes_of(one, names=[TOP])
    between = (forming.bar_timestamp - START) // MINUTE + 1
    assert confirmed.bar_timestamp > forming.bar_timestamp + MINUTE
    hits = shapes_of(with_new_session(one, between), timeframe, names=[TOP])
    assert [hit.state for hit in hits] == states
    if timeframe == "1min":
        assert hits[-1].details["reason"] == "new session"


@pytest.mark.parametrize(("timeframe", "found"), [("1min", False), ("15min", False), ("60min", True)])
def test_pivots_of_two_sessions_make_no_shape_on_short_timeframes(timeframe, found):
    assert bool(shapes_of(with_new_session(drawn(SHAPE, 3), 70), timeframe, names=[TOP])) == found


def test_real_minutes_show_it_about_as_often_as_random_walks():
    shapes, bars = 0, 0
    for name in ("SPY_1m_rth", "AIG_1m_rth", "BAC_1m_rth"):
        one, _ = golden(name)
        shapes += len({hit.key for hit in shapes_of(one, names=[TOP, BOTTOM])})
        bars += len(one)
    assert 0.5 < 1000 * shapes / bars < 3.5
