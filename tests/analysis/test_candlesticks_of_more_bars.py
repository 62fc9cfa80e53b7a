"""Candlesticks of three and more bars, drawn shape by shape: equal to TA-Lib where they are and where they just are not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.drawn_candles import BLACK, DOJI, Candle, drawn
from tests.analysis.series import Series, moments, series
from tests.analysis.test_candlesticks import EVERY, assert_same, by_talib, over_history, possible_values
from tickstock.analysis.candlestick_detector import CandlestickDetector
from tickstock.analysis.candlesticks import CANDLESTICKS

OF_MORE_BARS = [name for name in EVERY if CANDLESTICKS[name].bars > 2]

WHITE = Candle(20, 3, 3)
SOLDIER = Candle(18, 1, 3, opens="close-6")
SMALL_BLACK = Candle(-5, 2, 2, opens="close-2")
INSIDE = (Candle(8, 14, 14), Candle(2, 5, 5, opens="close-4"))
FALSE_BREAK = Candle(-8, 2, 6, opens="close-1")
TWICE_INSIDE = (
    Candle(-2, 18, 18),
    Candle(-4, 12, 1, opens="close+2"),
    Candle(2, 4, 0, opens="close+2"),
    Candle(-6, 1, 4, opens="close-1"),
)
PAUSE = Candle(-1, 2, 2)
RALLY = Candle(20, 2, 2)

# The bullish side; of a pattern that is bearish only, its bars turned over, unless they are white.
DRAWINGS: dict[str, tuple[Candle, ...]] = {
    "ThreeInside": (BLACK, Candle(5, 3, 3, opens="close+6"), Candle(15, 2, 2)),
    "ThreeOutside": (Candle(-4, 3, 3), Candle(opens="close-3", closes="open+3", upper=2, lower=2), Candle(8, 2, 2)),
    "ThreeWhiteSoldiers": (SOLDIER, SOLDIER, SOLDIER),
    "ThreeBlackCrows": (Candle(-8, 3, 3), Candle(18, 1, 3, opens="close+2"), SOLDIER, SOLDIER),
    "ThreeWhiteSoldiers, nearly tired": (Candle(28, 0, 3), Candle(16, 0, 3, opens="close-6"), Candle(16, 0, 3, opens="close-6")),
    "ThreeBlackCrows from a high": (Candle(-8, 3, 3), Candle(18, 0, 3, closes="low+1"), SOLDIER, SOLDIER),
    "IdenticalThreeCrows": (Candle(18, 0, 3), Candle(18, 0, 3, opens="close"), Candle(18, 0, 3, opens="close")),
    "AdvanceBlock, the second far less": (Candle(26, 3, 3), Candle(9, 2, 3, opens="close-3"), Candle(9, 2, 3, opens="close-3")),
    "AdvanceBlock, the third far less": (Candle(12, 3, 3), Candle(22, 2, 3, opens="close-3"), Candle(5, 2, 3, opens="close-1")),
    "AdvanceBlock, shadows": (Candle(20, 3, 3), Candle(16, 8, 3, opens="close-3"), Candle(12, 8, 3, opens="close-3")),
    "AdvanceBlock, a long shadow": (Candle(12, 3, 3), Candle(14, 2, 3, opens="close-3"), Candle(4, 6, 3, opens="close-1")),
    "StalledPattern": (WHITE, SOLDIER, Candle(5, 3, 3, opens="close-2")),
    "StalledPattern, hardly on the shoulder": (WHITE, SOLDIER, Candle(5, 3, 3, opens="close-9")),
    "TwoCrows": (BLACK, Candle(8, 3, 3, opens="close-14"), Candle(opens="close-4", closes="close@2+8", upper=2, lower=2)),
    "UpsideGapTwoCrows": (BLACK, Candle(5, 3, 3, opens="close-14"), Candle(opens="open-4", closes="close+5", upper=2, lower=2)),
    "ThreeStarsInSouth": (Candle(-16, 3, 26), Candle(-10, 4, 6, opens="close+3"), Candle(-3, 0, 0, opens="close+1")),
    "UniqueThreeRiver": (BLACK, Candle(-6, 2, 14, opens="close+9"), Candle(3, 2, 2, opens="close-5")),
    "ThreeStarsInSouth, one white": (Candle(-16, 3, 26), Candle(10, 4, 14, opens="close+1"), Candle(-3, 0, 0, closes="low+2")),
    "UniqueThreeRiver, from the low": (BLACK, Candle(-6, 2, 14, opens="close+9"), Candle(3, 2, 4, opens="low+1")),
    "StickSandwich": (Candle(-10, 3, 3), Candle(10, 3, 1, opens="close+6"), Candle(-16, 3, 3, closes="close@2")),
    "TasukiGap": (
        Candle(10, 3, 3), Candle(10, 3, 3, opens="close+8"), Candle(opens="close-4", closes="open-4", upper=2, lower=2)
    ),
    "GapSideSideWhite above": (Candle(10, 3, 3), Candle(8, 3, 3, opens="close+8"), Candle(8, 3, 3, opens="open")),
    "GapSideSideWhite below": (Candle(-10, 3, 3), Candle(8, 3, 3, opens="close-16"), Candle(8, 3, 3, opens="open")),
    "XSideGapThreeMethods": (
        Candle(10, 3, 3), Candle(10, 3, 3, opens="close+6"), Candle(opens="close-4", closes="close@2-5", upper=2, lower=2)
    ),
    "MorningStar": (BLACK, Candle(4, 3, 3, opens="close-10"), Candle(15, 3, 3, opens="close+2")),
    "MorningDojiStar": (BLACK, Candle(0, 5, 5, opens="close-8"), Candle(18, 3, 3, opens="close+2")),
    "AbandonedBaby": (BLACK, Candle(0, 2, 2, opens="low-8"), Candle(18, 2, 2, opens="high+8")),
    "TriStar": (DOJI, Candle(0, 8, 8, opens="close-6"), Candle(0, 8, 8, opens="close+4")),
    "Hikkake": (*INSIDE, FALSE_BREAK),
    "Hikkake, confirmed after one bar": (*INSIDE, FALSE_BREAK, RALLY),
    "Hikkake, confirmed after three bars": (*INSIDE, FALSE_BREAK, PAUSE, PAUSE, RALLY),
    "Hikkake, confirmed too late": (*INSIDE, FALSE_BREAK, PAUSE, PAUSE, PAUSE, RALLY),
    "Hikkake, confirmed twice": (*INSIDE, FALSE_BREAK, RALLY, RALLY),
    "Hikkake after a hikkake": (*INSIDE, FALSE_BREAK, Candle(2, 2, 2), Candle(-8, 1, 6, opens="close-1"), RALLY),
    "HikkakeModified": TWICE_INSIDE,
    "HikkakeModified, confirmed after one bar": (*TWICE_INSIDE, RALLY),
    "HikkakeModified, confirmed after three bars": (*TWICE_INSIDE, PAUSE, PAUSE, RALLY),
    "HikkakeModified, confirmed too late": (*TWICE_INSIDE, PAUSE, PAUSE, PAUSE, RALLY),
    "HikkakeModified, confirmed twice": (*TWICE_INSIDE, RALLY, RALLY),
    "ThreeLineStrike": (
        Candle(10, 3, 3),
        Candle(10, 3, 3, opens="close-4"),
        Candle(10, 3, 3, opens="close-4"),
        Candle(opens="close+5", closes="open@3-5", upper=2, lower=2),
    ),
    "ConcealingBabySwallow": (
        Candle(-16, 0, 0),
        Candle(-16, 0, 0),
        Candle(-8, 14, 2, opens="close-7"),
        Candle(opens="high+3", closes="low-4", upper=2, lower=2),
    ),
    "Breakaway": (
        BLACK,
        Candle(-8, 3, 3, opens="close-12"),
        Candle(-6, 2, 4),
        Candle(-8, 2, 4),
        Candle(opens="close+2", closes="close@4-6", upper=2, lower=2),
    ),
    "LadderBottom": (
        Candle(-10, 3, 3),
        Candle(-10, 3, 3, opens="close+4"),
        Candle(-10, 3, 3, opens="close+4"),
        Candle(-6, 8, 2, opens="close+2"),
        Candle(opens="open+4", closes="high+5", upper=2, lower=2),
    ),
    "MatHold": (
        Candle(30, 3, 3),
        Candle(-5, 2, 2, opens="close+10"),
        Candle(-6, 2, 2, opens="close-2"),
        Candle(-4, 2, 2, opens="close-1"),
        Candle(opens="close+4", closes="high@3+6", upper=2, lower=2),
    ),
    "MatHold but for a black first": (
        Candle(-30, 3, 3),
        Candle(-5, 2, 2, opens="open+10"),
        Candle(-6, 2, 2, opens="close@2+2"),
        Candle(-4, 2, 2, opens="close-1"),
        Candle(opens="close+4", closes="high@3+6", upper=2, lower=2),
    ),
    "MatHold but for a white second": (
        Candle(30, 3, 3),
        Candle(5, 2, 2, opens="close+10"),
        Candle(-6, 2, 2, opens="open-12"),
        Candle(-4, 2, 2, opens="close-1"),
        Candle(opens="close+4", closes="high@3+6", upper=2, lower=2),
    ),
    "MatHold, hardly held": (
        Candle(30, 3, 3),
        Candle(-7, 2, 2, opens="close+6"),
        Candle(-7, 2, 2, opens="open-1"),
        Candle(-7, 2, 2, opens="open-1"),
        Candle(opens="close+1", closes="high@3+1", upper=2, lower=2),
    ),
    "RiseFallThreeMethods": (
        Candle(30, 4, 4),
        SMALL_BLACK,
        SMALL_BLACK,
        SMALL_BLACK,
        Candle(opens="close+4", closes="close@4+6", upper=2, lower=2),
    ),
}  # fmt: skip


def crowded(seed: int, length: int, reach: int) -> Series:
    """Bars of at most so many ticks that jump about, often without a body or a shadow, some in one direction for a while."""
    generator = np.random.default_rng(seed)
    body, gap = generator.integers(-reach, reach + 1, (2, length)) // generator.choice([1, 1, 3, reach + 1], (2, length))
    direction = np.repeat(generator.integers(-1, 2, length // 8 + 1), 8)[:length]
    body = np.where((direction != 0) & (generator.random(length) < 0.4), np.abs(body) * direction, body)
    shadows = generator.integers(0, reach + 1, (2, length)) * (generator.random((2, length)) < 0.5)
    close = np.cumsum(gap + body)
    opening = close - body
    ticks = np.stack((opening, np.maximum(opening, close) + shadows[0], np.minimum(opening, close) - shadows[1], close), axis=1)
    return series(np.round(1.0 + (ticks - ticks.min()) * 0.01, 2))


@pytest.mark.parametrize("pace", [1, 3, 5])
def test_every_function_gives_every_value_it_can_in_bars_drawn_for_it_and_each_as_talib_gives_it(pace, thorough):
    one = drawn(pace, 400 if thorough else 80, DRAWINGS, pace=pace)
    found = over_history(one)
    print(f"{assert_same(found, by_talib(one)):,} cells compared with TA-Lib")
    for name in OF_MORE_BARS:
        seen = {value: int(np.count_nonzero(found[name] == value)) for value in possible_values(CANDLESTICKS[name])}
        assert min(seen.values()) >= 10, (name, seen)
        assert sum(seen.values()) == np.count_nonzero(found[name])


@pytest.mark.parametrize("reach", [2, 3, 5, 12])
def test_crowded_bars_full_of_ties_are_decided_as_talib_decides_them(reach, thorough):
    one = crowded(reach, 400_000 if thorough else 20_000, reach)
    print(f"{assert_same(over_history(one), by_talib(one)):,} cells compared with TA-Lib")


@pytest.mark.parametrize("name", ["Hikkake", "HikkakeModified"])
def test_a_hikkake_says_whether_it_is_a_setup_or_confirmed(name):
    one = drawn(2, 30, {f"{name}, confirmed after one bar": DRAWINGS[f"{name}, confirmed after one bar"]})
    by_function = by_talib(one)[name]
    (found,), suppressed = CandlestickDetector([CANDLESTICKS[name]], "1min").detect(moments(one))
    seen = {(value, details["stage"]) for value, details in zip(by_function[found.place].tolist(), found.details(), strict=True)}
    assert seen == {(100, "setup"), (-100, "setup"), (200, "confirmed"), (-200, "confirmed")}
    assert found.directions() == ["bullish" if value > 0 else "bearish" for value in by_function[found.place].tolist()]
    assert len(found.place) + suppressed == np.count_nonzero(by_function)
