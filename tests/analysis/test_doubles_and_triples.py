"""Double and triple tops in detail: the trough that must break, what ends them, and the double that becomes part of a triple."""

from __future__ import annotations

import pytest

from tests.analysis.drawn_shapes import DRAWINGS, drawn, mirrored, shapes_of
from tests.analysis.series import MINUTE

DOUBLE, TRIPLE = DRAWINGS["DoubleTop"], DRAWINGS["TripleTop"]
LOWER_FIRST = [*TRIPLE[:6], (81, 99.9), *TRIPLE[7:]]  # with the first of its troughs the lower one


def test_a_double_top_breaks_at_the_trough_between_its_peaks():
    forming, confirmed = shapes_of(drawn(DOUBLE, 1), names=["DoubleTop"])
    _start, first, between, second = forming.details["points"]
    assert [point["name"] for point in forming.details["points"]] == ["start", "first", "between", "second"]
    assert confirmed.details["level"] == between["price"]
    assert confirmed.price < between["price"]
    assert confirmed.details["height"] == pytest.approx(max(first["price"], second["price"]) - between["price"])
    assert confirmed.details["target"] == pytest.approx(between["price"] - confirmed.details["height"])
    assert (forming.key, forming.direction) == (f"{first['timestamp']}-{second['timestamp']}", "bearish")
    (line,) = confirmed.details["lines"]
    assert line["points"] == [
        {"timestamp": between["timestamp"], "price": between["price"]},
        {"timestamp": confirmed.bar_timestamp, "price": between["price"]},
    ]


def test_quality_is_that_of_the_documents():
    """The geometric mean of 1 - |P1 - P2| / (0.25 h) and the balance of the times."""
    forming, _ = shapes_of(drawn(DOUBLE, 1), names=["DoubleTop"])
    _, first, between, second = forming.details["points"]
    height = max(first["price"], second["price"]) - between["price"]
    alike = 1.0 - abs(first["price"] - second["price"]) / (0.25 * height)
    before, after = between["timestamp"] - first["timestamp"], second["timestamp"] - between["timestamp"]
    assert forming.quality == pytest.approx((alike * min(before, after) / max(before, after)) ** 0.5)


@pytest.mark.parametrize(
    ("after", "reason"),
    [([(74, 100.6), (90, 106.0)], "beyond the peaks"), ([(74, 100.6), (120, 100.6)], "out of time")],
    ids=["new high", "no break"],
)
def test_a_double_top_that_does_not_break_is_void(after, reason):
    forming, void = shapes_of(drawn([*DOUBLE[:-1], *after], 3, noise=0.02), names=["DoubleTop"])[:2]
    assert (forming.state, void.state, void.details["reason"]) == ("forming", "void", reason)
    first, second = (int(part) for part in void.key.split("-"))
    if reason == "out of time":
        assert void.bar_timestamp == second + (second - first)
    else:
        assert void.bar_timestamp <= second + (second - first)


def test_peaks_too_near_to_each_other_are_no_double_top():
    near = [(0, 100.0), (15, 100.0), (27, 96.0), (42, 103.0), (46, 99.5), (50, 103.0), (70, 93.0)]
    assert not shapes_of(drawn(near, 3, noise=0.02), names=["DoubleTop"])


def test_without_a_rise_before_there_is_no_top():
    """The low before the first peak lies above the trough."""
    fall = [(0, 106.0), (15, 106.0), (27, 101.0), (42, 103.0), (55, 97.0), (68, 103.0), (90, 90.0)]
    assert not shapes_of(drawn(fall, 3, noise=0.02), names=["DoubleTop", "TripleTop"])


@pytest.mark.parametrize("turned", [False, True], ids=["top", "bottom"])
def test_doubles_in_a_triple_keep_their_ids_and_say_so_from_then_on(turned):
    one = mirrored(drawn(LOWER_FIRST, 7, noise=0.02)) if turned else drawn(LOWER_FIRST, 7, noise=0.02)
    double, triple = ("DoubleBottom", "TripleBottom") if turned else ("DoubleTop", "TripleTop")
    hits = shapes_of(one, names=[double, triple])
    (known, broken) = (hit for hit in hits if hit.pattern == triple)
    name = f"{triple}:{known.key}"
    lives: dict[str, list] = {}
    for hit in hits:
        if hit.pattern == double:
            lives.setdefault(hit.key, []).append(hit)
    peaks = [point["timestamp"] for point in known.details["points"]][1::2]
    first_double, second_double = lives[f"{peaks[0]}-{peaks[1]}"], lives[f"{peaks[1]}-{peaks[2]}"]
    assert first_double[0].state == "forming"
    assert "part_of" not in first_double[0].details
    assert [hit.details.get("part_of") for hit in second_double] == [name, name]
    assert second_double[0].bar_timestamp == known.bar_timestamp
    assert (second_double[1].state, broken.state) == ("confirmed", "confirmed")
    later = [hit for hit in first_double if hit.bar_timestamp > known.bar_timestamp]
    assert all(hit.details["part_of"] == name for hit in later)


def test_the_first_double_of_a_triple_says_so_when_it_ends_later():
    """The third peak comes soon after the second, so that the first double is still open."""
    quick = [*TRIPLE[:4], (58, 99.5), (80, 103.0), (86, 100.4), (92, 103.0), (98, 100.3), (112, 108.0)]
    hits = shapes_of(drawn(quick, 5, noise=0.02), names=["DoubleTop", "TripleTop"])
    triple = next(hit for hit in hits if hit.pattern == "TripleTop")
    first, second, _ = (point["timestamp"] for point in triple.details["points"][1::2])
    forming, void = (hit for hit in hits if hit.key == f"{first}-{second}")
    assert void.bar_timestamp > triple.bar_timestamp
    assert "part_of" not in forming.details
    assert void.details["part_of"] == f"TripleTop:{triple.key}"
    assert void.details["reason"] == "beyond the peaks"


def test_a_triple_top_breaks_at_the_lower_of_its_troughs_in_time():
    hits = shapes_of(drawn(LOWER_FIRST, 7, noise=0.02), names=["TripleTop"])
    points = {point["name"]: point for point in hits[0].details["points"]}
    assert hits[-1].details["level"] == points["after the first"]["price"] < points["after the second"]["price"]
    slow = [*TRIPLE[:-1], (100, 100.6), (170, 100.6)]
    forming, void = shapes_of(drawn(slow, 7, noise=0.02), names=["TripleTop"])
    first, third = (int(part) for part in void.key.split("-"))
    assert (forming.state, void.details["reason"]) == ("forming", "out of time")
    assert void.bar_timestamp == third + (third - first)
    assert (third - first) // MINUTE == pytest.approx(52, abs=1)
