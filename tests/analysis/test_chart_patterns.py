"""Every chart pattern: found where it is drawn and not elsewhere, causal, indifferent to scale, shift, mirror and company."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.drawn_shapes import (
    DRAWINGS,
    MIRROR,
    NAMES,
    by_lane,
    drawn,
    mirrored,
    shape_analysis,
    shapes_of,
    shapes_together,
)  # fmt: skip
from tests.analysis.series import MINUTE, START, Series, random_walk, run, series
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.results import BarColumns

SEEDS = range(100)
ENTRIES = {entry.name: entry for entry in CHART_PATTERNS}
SIXTY_FOURTH = 1.0 / 64.0  # a price step that binary numbers hold exactly, at another scale and shift too


def walks(count: int, length: int, ticks_a_step: float = 6.0) -> list[Series]:
    return [random_walk(seed, length, tick=SIXTY_FOURTH, ticks_a_step=ticks_a_step, price=256.0) for seed in range(count)]


@pytest.fixture(scope="module")
def of_walks():
    """Random walks and what is told of them."""
    many = walks(30, 1_000)
    return many, shapes_together(many)


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("turned", [False, True], ids=["as drawn", "upside down"])
def test_a_drawn_shape_is_confirmed_for_every_seed_and_its_opposite_never(name, turned):
    hits = shapes_together([mirrored(drawn(DRAWINGS[name], seed)) if turned else drawn(DRAWINGS[name], seed) for seed in SEEDS])
    expected = MIRROR[name] if turned else name
    assert {hit.lane for hit in hits if (hit.pattern, hit.state) == (expected, "confirmed")} == set(SEEDS)
    assert {hit.lane for hit in hits if (hit.pattern, hit.state) == (expected, "forming")} == set(SEEDS)
    assert MIRROR[expected] == expected or not any(hit.pattern == MIRROR[expected] for hit in hits)


REVERSALS = {name for name in NAMES if "Shoulders" in name or "Triple" in name}
TRIANGLES = {name for name in NAMES if "Triangle" in name}
WEDGES = {name for name in NAMES if "Wedge" in name}


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("HeadShoulders", TRIANGLES | {"TripleTop", "TripleBottom", "DoubleBottom", "FallingWedge"}),
        ("DoubleTop", TRIANGLES | REVERSALS | {"FallingWedge"}),
        ("TripleTop", {"HeadShoulders", "InverseHeadShoulders", "TripleBottom", "DescendingTriangle", "FallingWedge"}),
        ("AscendingTriangle", REVERSALS | WEDGES | {"DoubleBottom"}),
        ("SymmetricalTriangle", REVERSALS | WEDGES | {"AscendingTriangle"}),
        ("RisingWedge", REVERSALS | TRIANGLES | {"DoubleTop", "DoubleBottom", "FallingWedge"}),
        ("BullFlag", REVERSALS | TRIANGLES | WEDGES | {"DoubleTop", "DoubleBottom", "BearFlag"}),
    ],
)
def test_a_drawn_shape_is_not_taken_for_others(name, others):
    """One seed in a hundred may blur into another shape."""
    hits = shapes_together([drawn(DRAWINGS[name], seed) for seed in SEEDS])
    strays = Counter(pattern for pattern in others for seed in {hit.lane for hit in hits if hit.pattern == pattern})
    assert all(count <= 1 for count in strays.values()), strays


def test_nothing_but_breakouts_is_found_in_a_steady_rise():
    rise = [(0, 100.0), (120, 130.0)]
    assert {hit.pattern for hit in shapes_together([drawn(rise, seed) for seed in SEEDS])} <= {"RangeBreakout"}


def test_nothing_is_told_that_later_bars_could_change(of_walks):
    """The events of a prefix are the prefix of the events, in every detail."""
    many, whole = of_walks
    for cut in (400, 901):
        end = START + cut * MINUTE
        assert shapes_together([one.part(slice(0, cut)) for one in many]) == [hit for hit in whole if hit.bar_timestamp < end]


@pytest.mark.parametrize("change", [lambda price: price * 64.0, lambda price: price + 4_096.0], ids=["scaled", "shifted"])
def test_scale_and_shift_change_nothing(of_walks, change):
    many, hits = of_walks
    assert by_lane(shapes_together([one.with_prices(change) for one in many])) == by_lane(hits)


def test_quality_is_the_same_at_another_scale_of_prices_and_ticks():
    """The tick is 0.0001 under a dollar and 0.01 above."""
    cents = [random_walk(seed, 700, price=50.0, ticks_a_step=6.0) for seed in range(20)]
    whole = shapes_together(cents)
    small = shapes_together([one.with_prices(lambda price: np.round(price / 100.0, 4)) for one in cents])
    of_whole, of_small = ({(hit.lane, hit.pattern, hit.key): hit.quality for hit in hits} for hits in (whole, small))
    both = of_whole.keys() & of_small.keys()
    assert len(both) > 0.98 * len(of_whole) > 300  # decimal prices are rounded, which may decide a tie
    assert [of_small[shape] for shape in both] == pytest.approx([of_whole[shape] for shape in both], abs=1e-9)


def test_upside_down_every_pattern_is_its_mirror(of_walks):
    many, hits = of_walks
    turned = shapes_together([one.with_prices(lambda price: 512.0 - price) for one in many])
    sides = {"bullish": "bearish", "bearish": "bullish", "neutral": "neutral"}
    assert sorted((hit.lane, hit.bar_timestamp, hit.pattern, hit.state, hit.direction, hit.key) for hit in turned) == sorted(
        (hit.lane, hit.bar_timestamp, MIRROR[hit.pattern], hit.state, sides[hit.direction], hit.key) for hit in hits
    )


def test_a_pattern_ends_at_most_once_and_never_has_two_states_in_a_bar(of_walks):
    _, hits = of_walks
    lives: dict[tuple[int, str, str], list[tuple[str, int]]] = {}
    for hit in hits:
        lives.setdefault((hit.lane, hit.pattern, hit.key), []).append((hit.state, hit.bar_timestamp))
    for life in lives.values():
        states, times = zip(*life, strict=True)
        assert states in {("forming",), ("forming", "confirmed"), ("forming", "void"), ("confirmed",)}
        assert len(set(times)) == len(times)
    assert {hit.pattern for hit in hits} == set(NAMES)


def test_directions_targets_and_lines_agree(of_walks):
    _, hits = of_walks
    for hit in hits:
        details, textbook = hit.details, ENTRIES[hit.pattern].direction
        assert 0.0 <= hit.quality <= 1.0
        assert details["version"] == ENTRIES[hit.pattern].parameters["version"]
        if hit.state != "confirmed":
            assert hit.direction == ("neutral" if textbook == "either" else textbook)
        if hit.direction == "neutral":
            assert "target" not in details
            continue
        side = 1 if hit.direction == "bullish" else -1
        level = details.get("level", details.get("neckline"))
        assert details["target"] == pytest.approx(level + side * details["height"])
        assert details.get("against", False) == (hit.state == "confirmed" and textbook not in {"either", hit.direction})
        if hit.state == "confirmed":
            assert side * (hit.price - level) > 0
        assert ("reason" in details) == (hit.state == "void")
        for line in details["lines"]:
            assert line["points"][0]["timestamp"] < line["points"][1]["timestamp"] == hit.bar_timestamp


def test_points_are_pivots_in_order_and_name_the_key(of_walks):
    many, hits = of_walks
    for hit in hits:
        bars = many[hit.lane].bars
        for point in hit.details["points"]:
            row = (point["timestamp"] - START) // MINUTE
            assert point["price"] == (bars.high if point["kind"] == "high" else bars.low)[row]
        times = [point["timestamp"] for point in hit.details["points"]]
        first, last = (int(part) for part in hit.key.split("-"))
        if hit.pattern == "RangeBreakout":
            assert last == hit.bar_timestamp == first + 20 * MINUTE
        else:
            assert times == sorted(set(times))
            assert {first, last} <= set(times)
            assert last == times[-1]


RATES = {  # shapes and confirmations per 1,000 bars of random walks, both sides together
    ("HeadShoulders", "InverseHeadShoulders"): (2.05, 1.53),
    ("DoubleTop", "DoubleBottom"): (10.47, 5.87),
    ("TripleTop", "TripleBottom"): (0.99, 0.67),
    ("AscendingTriangle", "DescendingTriangle"): (2.23, 2.11),
    ("SymmetricalTriangle",): (0.81, 0.73),
    ("RisingWedge", "FallingWedge"): (3.79, 3.13),
    ("BullFlag", "BearFlag"): (7.83, 3.50),
    ("RangeBreakout",): (3.43, 3.43),
}


def test_how_often_random_walks_show_each():
    """Pinned: a change of a definition shows here."""
    hits = shapes_together([random_walk(seed, 1_500, ticks_a_step=5.0) for seed in range(100)])
    for names, expected in RATES.items():
        of_these = [hit for hit in hits if hit.pattern in names]
        shapes = len({(hit.lane, hit.pattern, hit.key) for hit in of_these})
        confirmed = sum(hit.state == "confirmed" for hit in of_these)
        assert (shapes / 150, confirmed / 150) == pytest.approx(expected, rel=0.03), names


def test_equal_highs_make_one_pivot_at_the_first():
    steps = [*np.linspace(100, 96, 16), *np.linspace(96.5, 104, 10), *[103.9] * 5, *np.linspace(103, 97, 10)]
    rows = np.stack([steps, np.array(steps) + 0.1, np.array(steps) - 0.1, steps], axis=1)
    rows[26:30, 1] = rows[25, 1]  # the high of the top five times in a row
    bars = series([*([(100.0, 100.1, 99.9, 100.0)] * 15), *rows.tolist()])
    analysis = shape_analysis()
    run(bars, analysis=analysis)
    last = analysis._shapes._pivots.last(np.array([0]))
    assert (int(last.kind[0]), int(last.index(0)[0])) == (1, 15 + 25)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 7), st.randoms(use_true_random=False))
def test_a_lane_tells_the_same_alone_and_among_others_in_any_order(seed, count, shuffler):
    """Symbols of which some have no bar in some minutes."""
    many = [random_walk(seed + number, 200, ticks_a_step=6.0) for number in range(count)]
    generator = np.random.default_rng(seed)
    trades = generator.random((200, count)) < 0.9
    analysis, hits = shape_analysis(lanes=count), []
    for minute in range(200):
        lanes = np.flatnonzero(trades[minute])
        shuffler.shuffle(lanes)
        if len(lanes):
            rows = [tuple(column[minute] for column in many[lane].bars) for lane in lanes]
            bars = BarColumns(*(np.array(column) for column in zip(*rows, strict=True)))
            hits += analysis.close_bars(lanes, bars, START).shape_hits()
    together = by_lane(hits)
    for lane, one in enumerate(many):
        own = Series(one.bars.rows(trades[:, lane]), one.sessions[trades[:, lane]])
        assert together.get(lane, []) == by_lane(shapes_of(own)).get(0, [])


def test_a_series_begun_again_from_its_anchor_tells_the_same():
    one = random_walk(3, 900, ticks_a_step=6.0)
    analysis = shape_analysis()
    run(one.part(slice(0, 433)), analysis=analysis)
    analysis.reset()
    again = [hit for result in run(one, analysis=analysis) for hit in result.shape_hits()]
    assert again == shapes_of(one)
    assert len(again) > 20


@pytest.mark.parametrize(
    "enabled", [{"BearFlag"}, {"DoubleTop", "RisingWedge"}, {"RangeBreakout", "Doji"}, {"InverseHeadShoulders"}]
)
def test_only_what_is_enabled_is_found_and_it_is_the_same(of_walks, enabled):
    many, hits = of_walks
    expected = [hit for hit in hits if hit.pattern in enabled]
    for hit in (found := shapes_together(many, names=enabled)):
        hit.details.pop("part_of", None)
    assert by_lane(found) == by_lane(expected)


def test_a_new_session_ends_every_open_shape_where_pivots_start_anew(of_walks):
    many, hits = of_walks
    cut = 600
    sessions = np.where(np.arange(1_000) < cut, START, START + cut * MINUTE)
    split = shapes_together([Series(one.bars, sessions) for one in many])
    at_cut = [hit for hit in split if hit.bar_timestamp == START + cut * MINUTE]
    assert {(hit.state, hit.details["reason"]) for hit in at_cut} == {("void", "new session")}
    open_before = Counter(
        (hit.lane, hit.pattern, hit.key) for hit in hits if hit.bar_timestamp < START + cut * MINUTE and hit.state == "forming"
    )
    ended = Counter(
        (hit.lane, hit.pattern, hit.key) for hit in hits if hit.bar_timestamp < START + cut * MINUTE and hit.state != "forming"
    )
    assert {(hit.lane, hit.pattern, hit.key) for hit in at_cut} == set(open_before - ended)
    first_possible = START + (cut + 3) * MINUTE
    assert all(int(hit.key.split("-")[0]) >= START + cut * MINUTE for hit in split if hit.bar_timestamp > first_possible)


def test_what_is_told_is_made_of_plain_numbers(of_walks):
    def plain(value) -> bool:
        if isinstance(value, dict):
            return all(map(plain, value.values()))
        return all(map(plain, value)) if isinstance(value, list) else type(value) in (int, float, str, bool)

    assert all(plain([hit.lane, hit.quality, hit.price, hit.bar_timestamp, hit.details]) for hit in of_walks[1])
