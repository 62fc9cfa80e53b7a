"""Head and shoulders: found in its shape and not in others, causal, indifferent to scale, shift and mirror, with one end each."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.analysis.series import MINUTE, START, Series, golden, patterns, random_walk, run, run_together, series
from tests.analysis.shape_reference import find_head_and_shoulders, find_pivots
from tickstock.analysis.pivots import PivotTracker
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

TOP, BOTTOM = "HeadShoulders", "InverseHeadShoulders"
SHAPE = [(0, 100.0), (15, 100.0), (30, 96.0), (45, 103.0), (57, 100.0), (69, 106.0), (81, 100.0), (93, 103.0), (110, 94.0)]
TRIANGLE = [(0, 100.0), (20, 94.0), (35, 106.0), (50, 95.5), (64, 105.0), (77, 97.0), (89, 103.5), (100, 98.5), (120, 99.0)]
RISE = [(0, 100.0), (120, 130.0)]


def drawn(corners: list[tuple[int, float]], seed: int, noise: float = 0.15) -> Series:
    """Bars along straight lines between corners, with noise."""
    generator = np.random.default_rng(seed)
    at, price = np.array(corners).T
    length = int(at[-1]) + 1
    close = np.interp(np.arange(length), at, price) + generator.normal(0, noise, length)
    opening = np.concatenate((close[:1], close[:-1]))
    upper, lower = np.abs(generator.normal(0, noise, (2, length)))
    return series(
        np.round(np.stack((opening, np.maximum(opening, close) + upper, np.minimum(opening, close) - lower, close), axis=1), 4)
    )


def mirrored(one: Series) -> Series:
    return one.with_prices(lambda price: 200.0 - price)


def told(results, names=(TOP, BOTTOM)):
    """What is told of shapes: bar time, pattern, state, key."""
    return [(hit.bar_timestamp, hit.pattern, hit.state, hit.key) for hit in patterns(results, *names)]


def by_lane(results) -> dict[int, list]:
    lanes: dict[int, list] = {}
    for hit in patterns(results, TOP, BOTTOM):
        lanes.setdefault(hit.lane, []).append((hit.bar_timestamp, hit.pattern, hit.state, hit.key))
    return lanes


def test_the_shape_is_confirmed_for_every_seed_and_its_opposite_never():
    results = run_together([drawn(SHAPE, seed) for seed in range(200)])
    assert {hit.lane for hit in patterns(results, TOP) if hit.state == "confirmed"} == set(range(200))
    assert not patterns(results, BOTTOM)


def test_the_inverse_shape_is_confirmed_for_every_seed_and_its_opposite_never():
    results = run_together([mirrored(drawn(SHAPE, seed)) for seed in range(200)])
    assert {hit.lane for hit in patterns(results, BOTTOM) if hit.state == "confirmed"} == set(range(200))
    assert not patterns(results, TOP)


@pytest.mark.parametrize("corners", [TRIANGLE, RISE], ids=["triangle", "steady rise"])
def test_other_shapes_are_not_taken_for_it(corners):
    assert not patterns(run_together([drawn(corners, seed) for seed in range(200)]), TOP, BOTTOM)


@pytest.mark.parametrize("seed", range(6))
def test_pivots_and_patterns_of_random_walks_are_those_of_the_plain_reference(seed):
    one = random_walk(seed, 3_000, ticks_a_step=(0.5, 2.0, 6.0)[seed % 3])
    expected = find_head_and_shoulders(one)
    assert expected
    found = sorted(
        (
            (hit.bar_timestamp - START) // MINUTE,
            hit.pattern,
            hit.state,
            *((int(part) - START) // MINUTE for part in hit.key.split("-")),
        )
        for hit in patterns(run(one), TOP, BOTTOM)
    )
    assert found == expected


def take(tracker: PivotTracker, at: int, bar, previous_close, starts_anew: bool):
    """One bar of the only lane."""
    lane, index = np.array([0]), np.array([at])
    usual_range = tracker.usual_range(lane, index, np.array([0.01]))
    return tracker.update(lane, index, bar, previous_close, np.array([starts_anew]), usual_range)


def test_pivots_of_a_random_walk_are_those_of_the_plain_reference():
    one = random_walk(11, 2_000, ticks_a_step=2.0)
    tracker = PivotTracker()
    tracker.ensure_lanes(1)
    found = []
    for at in range(len(one)):
        before = one.bars.close[at - 1 : at] if at else np.zeros(1)
        bar = one.bars.rows(np.array([at]))
        if len(take(tracker, at, bar, before, at == 0)):
            last = tracker.last(np.array([0]))
            found.append(("high" if last.kind[0] > 0 else "low", int(last.index(0)[0]), float(last.price(0)[0]), at))
    assert found == [(pivot.kind, pivot.index, pivot.price, pivot.confirmed) for pivot in find_pivots(one)]
    assert len(found) > 50


def test_nothing_is_told_that_later_bars_could_change():
    """The events of a prefix are the prefix of the events."""
    walks = [random_walk(seed, 1_200, ticks_a_step=4.0) for seed in range(30)]
    whole = by_lane(run_together(walks))
    assert sum(map(len, whole.values())) > 60
    for cut in (400, 701, 1_003):
        part = by_lane(run_together([walk.part(slice(0, cut)) for walk in walks]))
        end = START + cut * MINUTE
        assert part == {lane: kept for lane, events in whole.items() if (kept := [event for event in events if event[0] < end])}


@pytest.mark.parametrize("change", [lambda price: price * 64.0, lambda price: price + 5_000.0], ids=["scaled", "shifted"])
def test_scale_and_shift_change_nothing(change):
    walks = [random_walk(seed, 1_000, ticks_a_step=8.0) for seed in range(20)]
    assert by_lane(run_together([walk.with_prices(change) for walk in walks])) == by_lane(run_together(walks))


def test_quality_is_the_same_at_another_scale():
    one = drawn(SHAPE, 1)
    small = [hit.quality for hit in patterns(run(one), TOP)]
    large = [hit.quality for hit in patterns(run(one.with_prices(lambda price: price * 64.0)), TOP)]
    assert small
    assert large == pytest.approx(small)


def test_upside_down_the_tops_are_bottoms():
    walks = [random_walk(seed, 1_000, ticks_a_step=8.0) for seed in range(20)]
    turned = run_together([walk.with_prices(lambda price: 256.0 - price) for walk in walks])
    other = {TOP: BOTTOM, BOTTOM: TOP}
    expected = {
        lane: [(time, other[name], state, key) for time, name, state, key in events]
        for lane, events in by_lane(run_together(walks)).items()
    }
    assert by_lane(turned) == expected


def test_how_often_random_walks_show_it():
    """Pinned: a change of the definition shows here. Per 1,000 bars; the prototype's walks had 1.76 in all, 1.39 confirmed."""
    walks = [random_walk(seed, 2_000, ticks_a_step=5.0) for seed in range(100)]
    hits = patterns(run_together(walks), TOP, BOTTOM)
    states = Counter(hit.state for hit in hits)
    shapes = len({(hit.lane, hit.key) for hit in hits})
    per_thousand = {"shapes": shapes / 200, **{state: count / 200 for state, count in states.items()}}
    assert 1.5 < per_thousand["shapes"] < 2.4
    assert 1.1 < per_thousand["confirmed"] < 1.9
    assert 0.25 < per_thousand["void"] < 0.7


def test_a_pattern_ends_once_and_its_states_share_their_key():
    hits = patterns(run_together([random_walk(seed, 1_500, ticks_a_step=5.0) for seed in range(40)]), TOP, BOTTOM)
    lives: dict[tuple[int, str], list[str]] = {}
    for hit in hits:
        lives.setdefault((hit.lane, hit.key), []).append(hit.state)
    assert set(map(tuple, lives.values())) <= {
        ("forming",), ("forming", "confirmed"), ("forming", "void"), ("confirmed",),
    }  # fmt: skip


def test_details_hold_the_points_the_line_and_the_arithmetic_target():
    forming, confirmed = patterns(run(drawn(SHAPE, 3)), TOP)
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
    confirmed = patterns(run(mirrored(drawn(SHAPE, 3))), BOTTOM)[-1]
    assert confirmed.direction == "bullish"
    assert confirmed.price > confirmed.details["neckline"]
    assert confirmed.details["target"] == pytest.approx(confirmed.details["neckline"] + confirmed.details["height"])
    assert [point["kind"] for point in confirmed.details["points"]] == ["high", "low"] * 3


def test_a_high_above_the_head_makes_it_void():
    after = [*SHAPE[:-1], (98, 101.5), (112, 109.0)]
    states = [(hit.state, hit.details.get("reason")) for hit in patterns(run(drawn(after, 2, noise=0.02)), TOP)]
    assert states[:2] == [("forming", None), ("void", "beyond the head")]


def test_a_neckline_that_holds_for_too_long_makes_it_void():
    after = [*SHAPE[:-1], (98, 101.5), (190, 101.5)]
    forming, void = patterns(run(drawn(after, 2, noise=0.02)), TOP)[:2]
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
    forming, confirmed = patterns(run(one), TOP)
    between = (forming.bar_timestamp - START) // MINUTE + 1
    assert confirmed.bar_timestamp > forming.bar_timestamp + MINUTE
    hits = patterns(run(with_new_session(one, between), timeframe), TOP)
    assert [hit.state for hit in hits] == states
    if timeframe == "1min":
        assert hits[-1].details["reason"] == "new session"


@pytest.mark.parametrize(("timeframe", "found"), [("1min", False), ("15min", False), ("60min", True)])
def test_pivots_of_two_sessions_make_no_shape_on_short_timeframes(timeframe, found):
    assert bool(patterns(run(with_new_session(drawn(SHAPE, 3), 70), timeframe), TOP)) == found


def test_the_average_range_carries_over_into_the_next_session_but_the_night_is_no_range():
    """A session that follows another finds its first pivots before it has fourteen bars of its own."""
    calm = drawn([(0, 100.0), (40, 100.0)], 1)
    second = drawn([(0, 150.0), (4, 152.0), (9, 148.0), (13, 152.0)], 1)
    bars = type(calm.bars)(*(np.concatenate(pair) for pair in zip(calm.bars, second.bars, strict=True)))
    times = START + MINUTE * np.arange(len(bars.close))
    sessions = np.where(times < times[41], START, times[41])
    tracker = PivotTracker()
    tracker.ensure_lanes(1)
    confirmed = []
    for at in range(len(times)):
        bar = bars.rows(np.array([at]))
        before = bars.close[at - 1 : at] if at else np.zeros(1)
        if len(take(tracker, at, bar, before, at in (0, 41))):
            confirmed.append(at)
    assert sessions[40] != sessions[41]
    assert next(at for at in confirmed if at >= 41) < 41 + 14


def test_a_move_of_a_few_ticks_is_no_pivot():
    """The threshold is at least three times two ticks, whatever the range of the bars before."""
    steps = np.tile([0, 1, 2, 3, 4, 5, 4, 3, 2, 1], 20) * 0.01 + 50.0
    rows = np.stack((steps, steps, steps, steps), axis=1)
    assert not find_pivots(series(rows))
    deeper = np.tile([0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1], 20) * 0.01 + 50.0
    assert find_pivots(series(np.stack((deeper,) * 4, axis=1)))


def test_real_minutes_show_it_about_as_often_as_random_walks():
    shapes, bars = 0, 0
    for name in ("SPY_1m_rth", "AIG_1m_rth", "BAC_1m_rth"):
        one, _ = golden(name)
        shapes += len({hit.key for hit in patterns(run(one), TOP, BOTTOM)})
        bars += len(one)
    assert 0.5 < 1000 * shapes / bars < 3.5


def test_forgetting_everything_is_starting_again():
    one = random_walk(3, 700, ticks_a_step=6.0)
    engine = TimeframeAnalysis("1min", 1)
    run(one.part(slice(0, 333)), analysis=engine)
    engine.reset()
    assert told(run(one, analysis=engine)) == told(run(one))
