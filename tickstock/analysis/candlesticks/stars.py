"""Stars: a long body, a small one that stands apart from it, and a third bar that takes the move back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickstock.analysis.candlesticks.definition import Sides, candlestick

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow, Matches

PENETRATION = {"penetration": 0.3}  # how much of the long body the third bar takes back


@candlestick(
    "MorningStar", bars=3, lookback=12, direction="bullish", role="reversal", talib="CDLMORNINGSTAR", parameters=PENETRATION
)
def morning_star(bars: BarWindow) -> Matches:
    """A long black body, a short one below it and a white one that closes well within the first: the fall has turned."""
    return bars.body_is_not_long(1) & bars.body_gap_down(1, 2) & _fall_is_taken_back(bars)


@candlestick(
    "EveningStar", bars=3, lookback=12, direction="bearish", role="reversal", talib="CDLEVENINGSTAR", parameters=PENETRATION
)
def evening_star(bars: BarWindow) -> Matches:
    """A long white body, a short one above it and a black one that closes well within the first: the rise has turned."""
    return bars.body_is_not_long(1) & bars.body_gap_up(1, 2) & _rise_is_taken_back(bars)


@candlestick(
    "MorningDojiStar",
    bars=3,
    lookback=12,
    direction="bullish",
    role="reversal",
    talib="CDLMORNINGDOJISTAR",
    parameters=PENETRATION,
)
def morning_doji_star(bars: BarWindow) -> Matches:
    """A morning star whose star is a doji: the fall came to a stand before it turned."""
    return bars.body_is_doji(1) & bars.body_gap_down(1, 2) & _fall_is_taken_back(bars)


@candlestick(
    "EveningDojiStar",
    bars=3,
    lookback=12,
    direction="bearish",
    role="reversal",
    talib="CDLEVENINGDOJISTAR",
    parameters=PENETRATION,
)
def evening_doji_star(bars: BarWindow) -> Matches:
    """An evening star whose star is a doji: the rise came to a stand before it turned."""
    return bars.body_is_doji(1) & bars.body_gap_up(1, 2) & _rise_is_taken_back(bars)


@candlestick(
    "AbandonedBaby", bars=3, lookback=12, direction="either", role="reversal", talib="CDLABANDONEDBABY", parameters=PENETRATION
)
def abandoned_baby(bars: BarWindow) -> Sides:
    """A doji star that no shadow of its neighbours reaches: those who traded there were left behind when the price turned."""
    doji = bars.body_is_doji(1)
    return Sides(
        doji & bars.gap_down(1, 2) & bars.gap_up(0, 1) & _fall_is_taken_back(bars),
        doji & bars.gap_up(1, 2) & bars.gap_down(0, 1) & _rise_is_taken_back(bars),
    )


@candlestick("TriStar", bars=3, lookback=12, direction="either", role="reversal", talib="CDLTRISTAR")
def tri_star(bars: BarWindow) -> Sides:
    """Three dojis, the middle one apart from the others: the trend has run out of conviction."""
    limit = bars.doji_limit(2)
    dojis = (bars.body(2) <= limit) & (bars.body(1) <= limit) & (bars.body(0) <= limit)
    return Sides(
        dojis & bars.body_gap_down(1, 2) & (bars.body_bottom(0) > bars.body_bottom(1)),
        dojis & bars.body_gap_up(1, 2) & (bars.body_top(0) < bars.body_top(1)),
    )


def _fall_is_taken_back(bars: BarWindow) -> Matches:
    """A long black body two bars ago, and now a white one that is not short and closes well within it."""
    return (
        bars.is_black(2)
        & bars.body_is_long(2)
        & bars.is_white(0)
        & bars.body_is_long(0)
        & (bars.close(0) > bars.close(2) + PENETRATION["penetration"] * bars.body(2))
    )


def _rise_is_taken_back(bars: BarWindow) -> Matches:
    """A long white body two bars ago, and now a black one that is not short and closes well within it."""
    return (
        bars.is_white(2)
        & bars.body_is_long(2)
        & bars.is_black(0)
        & bars.body_is_long(0)
        & (bars.close(0) < bars.close(2) - PENETRATION["penetration"] * bars.body(2))
    )
