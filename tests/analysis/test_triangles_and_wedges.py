"""Triangles and wedges in detail: a break on either side, the wedge's wrong side, time, and one of a kind at a time."""

from __future__ import annotations

import pytest

from tests.analysis.drawn_shapes import DRAWINGS, drawn, mirrored, shapes_of, shapes_together
from tests.analysis.series import MINUTE, random_walk

ASCENDING, SYMMETRICAL, RISING = (DRAWINGS[name] for name in ("AscendingTriangle", "SymmetricalTriangle", "RisingWedge"))


def test_a_break_with_the_textbook_gives_its_direction():
    forming, confirmed = shapes_of(drawn(ASCENDING, 2), names=["AscendingTriangle"])[-2:]
    assert (forming.direction, confirmed.direction) == ("bullish", "bullish")
    assert "against" not in confirmed.details


@pytest.mark.parametrize("turned", [False, True], ids=["ascending", "descending"])
def test_a_break_against_the_textbook_is_confirmed_and_says_so(turned):
    fallen = drawn([*ASCENDING[:-2], (135, 94.0)], 2)
    one, name = (mirrored(fallen), "DescendingTriangle") if turned else (fallen, "AscendingTriangle")
    forming, confirmed = shapes_of(one, names=[name])[-2:]
    assert forming.direction == ("bearish" if turned else "bullish")
    assert confirmed.direction == ("bullish" if turned else "bearish")
    assert (confirmed.state, confirmed.details["against"]) == ("confirmed", True)
    side = 1 if turned else -1
    assert confirmed.details["target"] == pytest.approx(confirmed.details["level"] + side * confirmed.details["height"])


@pytest.mark.parametrize(("end", "direction"), [(108.0, "bullish"), (92.0, "bearish")])
def test_a_symmetrical_triangle_is_neutral_until_it_breaks(end, direction):
    forming, confirmed = shapes_of(drawn([*SYMMETRICAL[:-1], (144, end)], 2), names=["SymmetricalTriangle"])
    assert (forming.state, forming.direction) == ("forming", "neutral")
    assert not {"level", "target"} & forming.details.keys()
    assert (confirmed.state, confirmed.direction) == ("confirmed", direction)
    assert "against" not in confirmed.details


def test_both_lines_are_told_from_the_first_pivot_to_the_bar():
    for hit in shapes_of(drawn(SYMMETRICAL, 2), names=["SymmetricalTriangle"]):
        upper, lower = hit.details["lines"]
        assert (upper["name"], lower["name"]) == ("upper", "lower")
        first = hit.details["points"][0]["timestamp"]
        assert [point["timestamp"] for line in (upper, lower) for point in line["points"]] == [first, hit.bar_timestamp] * 2
        start, end = (above["price"] - below["price"] for above, below in zip(upper["points"], lower["points"], strict=True))
        assert start == pytest.approx(hit.details["height"])
        assert 0 < end < start


def test_a_shape_seen_upside_down_still_has_its_upper_line_above():
    for hit in shapes_of(mirrored(drawn(SYMMETRICAL, 2)), names=["SymmetricalTriangle"]):
        ends = {line["name"]: line["points"][1]["price"] for line in hit.details["lines"]}
        assert ends["upper"] > ends["lower"]


@pytest.mark.parametrize("turned", [False, True], ids=["rising", "falling"])
def test_a_wedge_is_void_on_the_wrong_side(turned):
    risen = drawn([*RISING[:-1], (126, 107.0), (136, 114.0)], 2, noise=0.05)
    one, name = (mirrored(risen), "FallingWedge") if turned else (risen, "RisingWedge")
    forming, void = shapes_of(one, names=[name])[:2]
    assert (forming.state, void.state) == ("forming", "void")
    assert void.details["reason"] == "broken on the wrong side"
    assert forming.direction == void.direction == ("bullish" if turned else "bearish")


def test_a_triangle_that_does_not_break_is_void_three_quarters_of_the_way_to_its_apex():
    one = drawn([*ASCENDING[:-2], (116, 102.3), (160, 102.4)], 2, noise=0.02)
    forming, void = shapes_of(one, names=["AscendingTriangle"])[-2:]
    assert (forming.state, void.details["reason"]) == ("forming", "out of time")
    first, last = forming.details["points"][0]["timestamp"], forming.bar_timestamp
    upper, lower = ([point["price"] for point in line["points"]] for line in forming.details["lines"])
    apex = first + (last - first) / (1 - (upper[1] - lower[1]) / (upper[0] - lower[0]))
    assert void.bar_timestamp == pytest.approx(first + 0.75 * (apex - first), abs=MINUTE)


@pytest.fixture(scope="module")
def hits():
    return shapes_together([random_walk(seed, 1_000, ticks_a_step=6.0) for seed in range(40)])


def test_a_lane_has_one_open_shape_of_a_name(hits):
    open_now: set[tuple[int, str]] = set()
    for hit in hits:
        if not any(word in hit.pattern for word in ("Triangle", "Wedge", "Flag")):
            continue
        if hit.state == "forming":
            assert (hit.lane, hit.pattern) not in open_now
            open_now.add((hit.lane, hit.pattern))
        else:
            open_now.discard((hit.lane, hit.pattern))
    assert len(hits) > 1_000


def test_five_pivots_are_never_two_of_these_shapes(hits):
    of_pivots: dict[tuple[int, str], set[str]] = {}
    for hit in hits:
        if "Triangle" in hit.pattern or "Wedge" in hit.pattern:
            of_pivots.setdefault((hit.lane, hit.key), set()).add(hit.pattern)
    assert all(len(names) == 1 for names in of_pivots.values())
    assert len(of_pivots) > 100
