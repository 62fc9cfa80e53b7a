"""A candle as the book draws it has a high quality; towards every edge of a pattern, quality falls to nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.analysis.series import moments, series
from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candlestick_detector import CandlestickDetector, talib_values
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.candlesticks.definition import Sides

Rows = np.ndarray  # of open, high, low and close
CENT = 100.0  # units
USUAL = (0, 50, -50, 20)  # bars of a range of 100 cents and a body of 20 come before
FALL = (20, 25, -185, -180)

# Open, high, low and close of a pattern's own bars, in cents; the bullish or white side where it has two.
TEXTBOOK: dict[str, list[tuple[int, int, int, int]]] = {
    "Doji": [(0, 40, -40, 0)],
    "DragonflyDoji": [(0, 1, -80, 0)],
    "GravestoneDoji": [(0, 80, -1, 0)],
    "LongLeggedDoji": [(0, 80, -80, 1)],
    "RickshawMan": [(0, 70, -70, 1)],
    "Takuri": [(0, 3, -80, 2)],
    "Hammer": [(-75, -69, -165, -70)],
    "HangingMan": [(70, 76, -15, 75)],
    "InvertedHammer": [(-80, 0, -80, -75)],
    "ShootingStar": [(100, 180, 100, 105)],
    "SpinningTop": [(0, 30, -25, 5)],
    "HighWave": [(0, 45, -40, 5)],
    "Marubozu": [(0, 100, 0, 100)],
    "ClosingMarubozu": [(0, 100, -20, 100)],
    "BeltHold": [(0, 120, 0, 100)],
    "LongLine": [(0, 102, -2, 100)],
    "ShortLine": [(0, 6, -2, 4)],
    "Engulfing": [(0, 30, -50, -20), (-100, 85, -105, 80)],
    "Harami": [FALL, (-90, -65, -105, -80)],
    "HaramiCross": [FALL, (-80, -55, -105, -80)],
    "Piercing": [FALL, (-270, -20, -275, -30)],
    "DarkCloudCover": [(0, 205, -5, 200), (290, 295, 40, 50)],
    "DojiStar": [FALL, (-260, -230, -290, -260)],
    "Kicking": [(20, 20, -100, -100), (100, 220, 100, 220)],
    "KickingByLength": [(20, 20, -30, -30), (100, 260, 100, 260)],
    "HomingPigeon": [FALL, (-60, -50, -90, -65)],
    "MatchingLow": [(20, 40, -100, -80), (-40, -30, -100, -80)],
    "InNeck": [FALL, (-270, -170, -275, -178)],
    "OnNeck": [FALL, (-270, -180, -275, -185)],
    "Thrusting": [FALL, (-270, -120, -275, -130)],
    "SeparatingLines": [(20, 25, -105, -100), (20, 150, 20, 140)],
    "CounterAttack": [FALL, (-400, -175, -405, -180)],
}


def drawn_in_the_book(name: str) -> Rows:
    return np.array([*[USUAL] * 12, *TEXTBOOK[name]]) * CENT


def turned_over(rows: Rows) -> Rows:
    return -rows[:, [0, 2, 1, 3]]


def look(name: str, rows: Rows, tick: float) -> tuple[int, float]:
    """TA-Lib's value and our quality in the last bar; rows and tick in 1/10,000 dollar."""
    bars = moments(series((rows + 500_000) / 10_000))
    detector = CandlestickDetector([], "1min", lambda price: np.full(len(price), tick))
    quality = detector.quality(CANDLESTICKS[name], bars.select(np.array([len(rows) - 1])))[0]
    return int(talib_values(CANDLESTICKS[name], BarWindow(bars))[-1]), float(quality)


def two_sided(name: str) -> bool:
    return isinstance(CANDLESTICKS[name].expression(BarWindow(moments(series([USUAL])))), Sides)


def is_a_bar(row: Rows) -> bool:
    return bool(row[2] <= row[[0, 3]].min() and row[[0, 3]].max() <= row[1])


@pytest.mark.parametrize("name", TEXTBOOK)
def test_a_pattern_as_the_book_draws_it_has_a_high_quality(name):
    value, quality = look(name, drawn_in_the_book(name), CENT)
    assert value == (100 if two_sided(name) else 100 * CANDLESTICKS[name].talib_sign)
    assert 0.7 < quality < 1.0


@pytest.mark.parametrize("name", [name for name in TEXTBOOK if two_sided(name)])
def test_the_other_side_has_the_same_quality(name):
    _, quality = look(name, drawn_in_the_book(name), CENT)
    value, other = look(name, turned_over(drawn_in_the_book(name)), CENT)
    assert value == -100
    assert other == pytest.approx(quality)


@pytest.mark.parametrize("name", TEXTBOOK)
def test_quality_falls_to_nothing_towards_every_edge_of_a_pattern(name):
    """Each price of the own bars is moved up and down until the pattern ends, to 1/10,000 dollar, which is the tick here.

    What remains there is the root of a few ten-thousandths, with as many other conditions as the pattern has.
    """
    own, edges = len(TEXTBOOK[name]), 0
    for bar in range(-own, 0):
        for field in range(4):
            for step in (1, -1):

                def moved(by: int, bar: int = bar, field: int = field, step: int = step) -> tuple[int, float]:
                    rows = drawn_in_the_book(name)
                    rows[bar, field] += step * by
                    return look(name, rows, 1.0) if is_a_bar(rows[bar]) else (0, -1.0)

                edge = last_there(moved, CANDLESTICKS[name].direction == "either")
                if edge is None or moved(edge + 1)[1] == -1.0:
                    continue  # it ends where the bar is none, or never
                edges += 1
                at_edge, near, further = (moved(edge - back)[1] for back in (0, 10, 100))
                assert at_edge < near < further
                assert at_edge < 0.6
                assert moved(edge + 1)[1] < near
    assert edges >= 2


def last_there(moved: Callable[[int], tuple[int, float]], of_a_side: bool) -> int | None:
    """How far a price can be moved with the pattern still there, on its side if that is one."""
    here = moved(0)[0]

    def there(by: int) -> bool:
        value = moved(by)[0]
        return value * here > 0 if of_a_side else value != 0

    last, gone = 0, 1
    while there(gone):
        last, gone = gone, 2 * gone
        if gone > 100_000:
            return None
    while gone - last > 1:
        middle = (last + gone) // 2
        last, gone = (middle, gone) if there(middle) else (last, middle)
    return last
