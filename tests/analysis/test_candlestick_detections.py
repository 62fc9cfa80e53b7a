"""What is told of a candlestick: its quality, the bars too thin for one, the trend before it, and holes in the series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis import series as every
from tests.analysis.drawn_candles import drawn
from tests.analysis.series import MINUTE, START, Series, moments, random_walk, series
from tests.analysis.test_candlesticks import grid_bars
from tickstock.analysis.bar_result import BarResult
from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candlestick_detector import CandlestickDetector, matches
from tickstock.analysis.candlesticks import CANDLESTICKS, CandlestickPattern
from tickstock.analysis.results import PatternHit
from tickstock.analysis.selection import Enabled
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

TWO = Enabled(frozenset({"Doji", "Hammer"}), (), frozenset())  # so that no other pattern is in the way
USUAL = (50.0, 50.5, 49.5, 50.2)  # a range of 100 ticks, a body of 20


def run(one: Series, timeframe: str = "1min") -> list[BarResult]:
    """The bars of one symbol, one after the other, searched for Doji and Hammer."""
    return every.run(one, timeframe, TimeframeAnalysis(timeframe, 1, TWO))


def qualities(one: Series, tick: float = 100.0) -> dict[str, np.ndarray]:
    """The quality of each pattern in every bar, with a tick in 1/10,000 dollar."""
    detector = CandlestickDetector(CANDLESTICKS.values(), "1min", lambda price: np.full(len(price), tick))
    bars = moments(one)
    everything = bars.select(np.arange(len(one)))
    return {name: detector.quality(pattern, everything) for name, pattern in CANDLESTICKS.items()}


def last_bar(opening: float, high: float, low: float, close: float, *, before=USUAL, **more) -> list[PatternHit]:
    return run(series([*[before] * 12, (opening, high, low, close)], **more))[-1].pattern_hits()


def quality_of(name: str, *bar: float) -> float:
    return next(hit.quality for hit in last_bar(*bar) if hit.pattern == name)


@st.composite
def bars_of_any_pattern(draw) -> Series:
    """Few bars on a grid, or some of the bars that are drawn for every pattern."""
    if draw(st.booleans()):
        return draw(grid_bars())
    first = draw(st.integers(0, 500))
    return drawn(draw(st.integers(0, 100)), 1).part(slice(first, first + 150))


@settings(max_examples=100)
@given(bars_of_any_pattern())
def test_quality_is_between_0_and_1_and_above_0_only_where_the_pattern_is(one):
    window = BarWindow(moments(one))
    for name, quality in qualities(one).items():
        there = matches(CANDLESTICKS[name], window)
        early = np.arange(len(one)) < CANDLESTICKS[name].lookback
        assert ((quality >= 0) & (quality <= 1)).all()
        assert (there | early)[quality > 0].all()


def test_every_pattern_has_a_quality_above_0_somewhere_and_not_the_same_everywhere():
    for name, quality in qualities(drawn(3, 80), tick=10).items():
        if CANDLESTICKS[name].bars <= 2:
            above = quality[quality > 0]
            assert len(above) >= 10, name
            assert np.quantile(above, 0.9) > 1.2 * np.quantile(above, 0.1), name


@settings(max_examples=60)
@given(bars_of_any_pattern(), st.sampled_from([2, 5, 100]))
def test_quality_does_not_change_when_prices_and_tick_are_scaled_together(one, factor):
    scaled = qualities(one.with_prices(lambda price: price * factor), tick=factor)
    for name, quality in qualities(one, tick=1).items():
        np.testing.assert_allclose(scaled[name], quality, rtol=0, atol=1e-12)


@settings(max_examples=60)
@given(bars_of_any_pattern(), st.sampled_from([1, 40, 4_000]))
def test_quality_does_not_change_when_all_prices_are_shifted(one, dollars):
    shifted = qualities(one.with_prices(lambda price: price + dollars))
    for name, quality in qualities(one).items():
        np.testing.assert_allclose(shifted[name], quality, rtol=0, atol=1e-12)


def test_the_quality_of_a_doji_falls_from_its_ideal_to_0_at_the_boundary():
    found = [quality_of("Doji", 50.0, 50.4, 49.6, 50.0 + ticks / 100) for ticks in (0, 1, 2, 5, 9, 10)]
    assert found == pytest.approx([0.9, 0.9, 0.8, 0.5, 0.1, 0.0])  # the limit is 10 ticks; no body counts as one tick
    assert not any(hit.pattern == "Doji" for hit in last_bar(50.0, 50.4, 49.6, 50.11))


def test_a_limit_under_one_tick_leaves_no_quality():
    """Bars of five ticks: half a tick is the limit of a Doji, so that only a body of zero is one, and it says nothing."""
    hits = last_bar(50.0, 50.03, 49.98, 50.0, before=(50.0, 50.03, 49.98, 50.02))
    assert [(hit.pattern, hit.quality) for hit in hits] == [("Doji", 0.0)]


def test_below_one_dollar_the_tick_is_a_hundredth_of_a_cent():
    before = tuple(price / 100 for price in USUAL)
    hits = last_bar(0.5, 0.504, 0.496, 0.5, before=before)
    assert [hit.quality for hit in hits if hit.pattern == "Doji"] == pytest.approx([0.9])


def test_each_condition_of_a_hammer_moves_its_quality():
    ideal = (49.3, 49.36, 48.4, 49.35)
    best = quality_of("Hammer", *ideal)
    assert best > 0.7
    assert quality_of("Hammer", 49.3, 49.36, 49.22, 49.35) < best  # a shorter lower shadow
    assert quality_of("Hammer", 49.3, 49.43, 48.4, 49.35) < best  # a longer upper shadow
    assert quality_of("Hammer", 49.2, 49.36, 48.2, 49.35) < best  # a longer body
    assert quality_of("Hammer", 49.65, 49.71, 48.75, 49.7) < best  # higher above the previous low
    assert quality_of("Hammer", 49.7, 49.76, 48.8, 49.75) == 0.0  # exactly as high as it may be


def test_the_result_carries_what_the_message_needs():
    hit = next(hit for hit in last_bar(49.3, 49.36, 48.4, 49.35) if hit.pattern == "Hammer")
    assert (hit.lane, hit.direction, hit.state, hit.price) == (0, "bullish", "confirmed", 49.35)
    assert hit.bar_timestamp == START + 12 * MINUTE
    assert hit.key == str(hit.bar_timestamp)


@pytest.mark.parametrize(
    "thin",
    [
        {"bar": (50.0, 50.0, 50.0, 50.0)},  # no range
        {"bar": (50.0, 50.4, 49.6, 50.0), "volume": 99},
        {"bar": (50.0, 50.4, 49.6, 50.0), "before": (50.0, 50.03, 50.0, 50.02)},  # bars of three ticks before
    ],
)
def test_a_candlestick_in_bars_that_say_nothing_is_suppressed_and_counted(thin):
    rows = [*[thin.get("before", USUAL)] * 12, thin["bar"]]
    results = run(series(rows, volume=thin.get("volume", 1000)))
    assert results[-1].pattern_hits() == []
    assert results[-1].suppressed == 1


def test_a_hundred_shares_and_a_mean_range_of_four_ticks_are_enough():
    results = run(series([*[(50.0, 50.04, 50.0, 50.02)] * 12, (50.0, 50.4, 49.6, 50.0)], volume=100))
    assert [hit.pattern for hit in results[-1].pattern_hits()] == ["Doji"]
    assert results[-1].suppressed == 0


@pytest.mark.parametrize(("step", "expected"), [(-0.5, "with"), (0.5, "against"), (0.01, "flat")])
def test_a_hammer_says_whether_the_fall_before_it_was_there(step, expected):
    before = [tuple(price + step * at for price in USUAL) for at in range(12)]
    low = before[-1][2]
    hits = run(series([*before, (low - 0.2, low - 0.14, low - 1.1, low - 0.15)]))[-1].pattern_hits()
    assert [hit.details for hit in hits if hit.pattern == "Hammer"] == [{"trend_before": expected}]


def test_a_pattern_that_asks_for_no_trend_says_nothing_of_it():
    assert [hit.details for hit in last_bar(50.0, 50.4, 49.6, 50.0) if hit.pattern == "Doji"] == [{}]


@pytest.mark.parametrize(("missing", "told"), [(5, [True, True, True, False]), (4, [False] * 4)])
def test_three_bars_after_a_hole_of_five_minutes_say_so(missing, told):
    doji = (50.0, 50.4, 49.6, 50.0)
    minutes = [*range(15), *range(15 + missing, 19 + missing)]
    results = run(series([*[USUAL] * 15, *[doji] * 4], timestamp=[START + MINUTE * minute for minute in minutes]))
    assert [hit.details.get("after_gap", False) for result in results[15:] for hit in result.pattern_hits()] == told


def test_a_hole_counts_only_where_every_minute_before_it_had_a_trade():
    minutes = [*range(12), 13, 14, 15, 25]
    results = run(series([*[USUAL] * 15, (50.0, 50.4, 49.6, 50.0)], timestamp=[START + MINUTE * minute for minute in minutes]))
    assert [hit.details for hit in results[-1].pattern_hits()] == [{}]


def test_the_night_is_not_a_hole():
    times = [START + MINUTE * minute for minute in range(15)] + [START + 86_400_000]
    one = series([*[USUAL] * 15, (50.0, 50.4, 49.6, 50.0)], timestamp=times, sessions=[START] * 15 + [times[-1]])
    assert [hit.details for hit in run(one)[-1].pattern_hits()] == [{}]


@pytest.mark.parametrize(("timeframe", "reported"), [("1min", [True, True, False, False]), ("60min", [True] * 4)])
def test_the_bars_of_a_pattern_stand_together_within_one_session(timeframe, reported):
    """Three bars are told when they are of one session and at most two bars are missing between them."""
    length = MINUTE * (60 if timeframe == "60min" else 1)
    rising = CandlestickPattern(
        "Rising", 3, 10, "bullish", "reversal", "", 1, None, "",
        lambda bars: (bars.close(0) > bars.close(1)) & (bars.close(1) > bars.close(2)),
    )  # fmt: skip
    told = []
    for gap, other_session in ((1, False), (3, False), (4, False), (1, True)):
        times = [START + length * at for at in range(14)]
        times.append(times[-1] + gap * length)
        sessions = [START] * 14 + [times[-1] if other_session else START]
        rows = [USUAL] * 12 + [(50.2 + at, 50.9 + at, 50.1 + at, 50.7 + at) for at in range(3)]
        one = series(rows, timestamp=times, sessions=sessions)
        found, _ = CandlestickDetector([rising], timeframe).detect(moments(one))
        told.append(bool(found) and 14 in found[0].place.tolist())
    assert told == reported


def test_a_run_of_the_same_bars_gives_the_same_detections_again():
    one = random_walk(4, 200, ticks_a_step=8.0)
    assert [result.pattern_hits() for result in run(one)] == [result.pattern_hits() for result in run(one)]
