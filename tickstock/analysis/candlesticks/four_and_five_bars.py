"""Patterns of four and five bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickstock.analysis.candlesticks.definition import Sides, candlestick

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow, Matches

HOLD_PENETRATION = 0.5  # how much of the long body the pause may take back


@candlestick("ThreeLineStrike", bars=4, lookback=8, direction="either", role="continuation", talib="CDL3LINESTRIKE")
def three_line_strike(bars: BarWindow) -> Sides:
    """Three bodies of one colour that go on in step, and one of the other that takes all of it back at a stroke."""
    opens_in_step = _opens_near_body(bars, 2) & _opens_near_body(bars, 1)
    return Sides(
        opens_in_step
        & bars.is_white(3)
        & bars.is_white(2)
        & bars.is_white(1)
        & bars.closes_higher(2, 3)
        & bars.closes_higher(1, 2)
        & bars.is_black(0)
        & (bars.open(0) > bars.close(1))
        & (bars.close(0) < bars.open(3)),
        opens_in_step
        & bars.is_black(3)
        & bars.is_black(2)
        & bars.is_black(1)
        & bars.closes_lower(2, 3)
        & bars.closes_lower(1, 2)
        & bars.is_white(0)
        & (bars.open(0) < bars.close(1))
        & (bars.close(0) > bars.open(3)),
    )


@candlestick("ConcealingBabySwallow", bars=4, lookback=13, direction="bullish", role="reversal", talib="CDLCONCEALBABYSWALL")
def concealing_baby_swallow(bars: BarWindow) -> Matches:
    """Two black marubozus, a black body below with a shadow up into them, and a black bar that swallows it: the last sellers."""
    return (
        bars.is_black(3)
        & bars.is_black(2)
        & bars.is_black(1)
        & bars.is_black(0)
        & bars.upper_shadow_is_very_short(3)
        & bars.lower_shadow_is_very_short(3)
        & bars.upper_shadow_is_very_short(2)
        & bars.lower_shadow_is_very_short(2)
        & bars.body_gap_down(1, 2)
        & bars.has_upper_shadow(1)
        & (bars.high(1) > bars.close(2))
        & (bars.high(0) > bars.high(1))
        & (bars.low(0) < bars.low(1))
    )


@candlestick("Breakaway", bars=5, lookback=14, direction="either", role="reversal", talib="CDLBREAKAWAY")
def breakaway(bars: BarWindow) -> Sides:
    """A long body, a gap away from it and two more bars that way, then one of the other colour that closes back in the gap."""
    return Sides(
        bars.body_is_long(4)
        & bars.is_black(4)
        & bars.is_black(3)
        & bars.is_black(1)
        & bars.is_white(0)
        & bars.body_gap_down(3, 4)
        & bars.lies_lower(2)
        & bars.lies_lower(1)
        & (bars.close(0) > bars.open(3))
        & bars.closes_lower(0, 4),
        bars.body_is_long(4)
        & bars.is_white(4)
        & bars.is_white(3)
        & bars.is_white(1)
        & bars.is_black(0)
        & bars.body_gap_up(3, 4)
        & bars.lies_higher(2)
        & bars.lies_higher(1)
        & (bars.close(0) < bars.open(3))
        & bars.closes_higher(0, 4),
    )


@candlestick("LadderBottom", bars=5, lookback=14, direction="bullish", role="reversal", talib="CDLLADDERBOTTOM")
def ladder_bottom(bars: BarWindow) -> Matches:
    """Three black bodies step by step down, a fourth with an upper shadow, and a white one that closes above it."""
    return (
        bars.is_black(4)
        & bars.is_black(3)
        & bars.is_black(2)
        & (bars.open(3) < bars.open(4))
        & (bars.open(2) < bars.open(3))
        & bars.closes_lower(3, 4)
        & bars.closes_lower(2, 3)
        & bars.is_black(1)
        & bars.has_upper_shadow(1)
        & bars.is_white(0)
        & (bars.open(0) > bars.open(1))
        & bars.closes_above_high(0, 1)
    )


@candlestick(
    "MatHold",
    bars=5,
    lookback=14,
    direction="bullish",
    role="continuation",
    talib="CDLMATHOLD",
    parameters={"penetration": HOLD_PENETRATION},
)
def mat_hold(bars: BarWindow) -> Matches:
    """A long white body, a gap up, three short bars that drift back but hold above its middle, and a close above them all."""
    held = bars.close(4) - HOLD_PENETRATION * bars.body(4)
    return (
        bars.is_white(4)
        & bars.body_is_long(4)
        & bars.is_black(3)
        & bars.body_gap_up(3, 4)
        & bars.body_is_short(3)
        & bars.body_is_short(2)
        & bars.body_is_short(1)
        & bars.between(held, bars.body_bottom(2), bars.close(4))
        & bars.between(held, bars.body_bottom(1), bars.close(4))
        & (bars.body_top(2) < bars.open(3))
        & (bars.body_top(1) < bars.body_top(2))
        & bars.is_white(0)
        & (bars.open(0) > bars.close(1))
        & bars.closes_above_high(0, 3)
        & bars.closes_above_high(0, 2)
        & bars.closes_above_high(0, 1)
    )


@candlestick("RiseFallThreeMethods", bars=5, lookback=14, direction="either", role="continuation", talib="CDLRISEFALL3METHODS")
def rise_fall_three_methods(bars: BarWindow) -> Sides:
    """A long body, three short ones of the other colour that drift back within its range, and a long one beyond its close."""
    rests = (
        bars.body_is_long(4)
        & bars.body_is_short(3)
        & bars.body_is_short(2)
        & bars.body_is_short(1)
        & bars.body_is_long(0)
        & _body_reaches_into(bars, 3)
        & _body_reaches_into(bars, 2)
        & _body_reaches_into(bars, 1)
    )
    return Sides(
        rests
        & bars.is_white(4)
        & bars.is_black(3)
        & bars.is_black(2)
        & bars.is_black(1)
        & bars.closes_lower(2, 3)
        & bars.closes_lower(1, 2)
        & bars.is_white(0)
        & (bars.open(0) > bars.close(1))
        & bars.closes_higher(0, 4),
        rests
        & bars.is_black(4)
        & bars.is_white(3)
        & bars.is_white(2)
        & bars.is_white(1)
        & bars.closes_higher(2, 3)
        & bars.closes_higher(1, 2)
        & bars.is_black(0)
        & (bars.open(0) < bars.close(1))
        & bars.closes_lower(0, 4),
    )


def _opens_near_body(bars: BarWindow, lag: int) -> Matches:
    """The open lies within the body of the bar before, or near it."""
    before, near = lag + 1, bars.near(lag + 1)
    lower, upper = bars.body_bottom(before) - near, bars.body_top(before) + near
    return bars.between(lower, bars.open(lag), upper, lower_too=True, upper_too=True)


def _body_reaches_into(bars: BarWindow, lag: int) -> Matches:
    """The body has a part within the range of the pattern's first bar."""
    return (bars.body_bottom(lag) < bars.high(4)) & (bars.body_top(lag) > bars.low(4))
