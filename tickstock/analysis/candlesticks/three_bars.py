"""Patterns of three bars but for the stars and the hikkakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickstock.analysis.candlesticks.definition import Sides, candlestick

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow, Matches


@candlestick("ThreeInside", bars=3, lookback=12, direction="either", role="reversal", talib="CDL3INSIDE")
def three_inside(bars: BarWindow) -> Sides:
    """A harami, and a third bar that closes beyond the long body's open: the turn is confirmed."""
    harami = (
        bars.body_is_long(2)
        & bars.body_is_not_long(1)
        & (bars.body_top(1) < bars.body_top(2))
        & (bars.body_bottom(1) > bars.body_bottom(2))
    )
    return Sides(
        harami & bars.is_black(2) & bars.is_white(0) & (bars.close(0) > bars.open(2)),
        harami & bars.is_white(2) & bars.is_black(0) & (bars.close(0) < bars.open(2)),
    )


@candlestick("ThreeOutside", bars=3, lookback=3, direction="either", role="reversal", talib="CDL3OUTSIDE")
def three_outside(bars: BarWindow) -> Sides:
    """An engulfing body, and a third bar that closes farther on its side: the turn is confirmed."""
    engulfing = (bars.body_top(1) > bars.body_top(2)) & (bars.body_bottom(1) < bars.body_bottom(2))
    return Sides(
        engulfing & bars.is_black(2) & bars.is_white(1) & bars.closes_higher(0, 1),
        engulfing & bars.is_white(2) & bars.is_black(1) & bars.closes_lower(0, 1),
    )


@candlestick("ThreeWhiteSoldiers", bars=3, lookback=12, direction="bullish", role="reversal", talib="CDL3WHITESOLDIERS")
def three_white_soldiers(bars: BarWindow) -> Matches:
    """Three white bodies that climb in step, each from within the one before to near its own high: buyers are in command."""
    return (
        _white_bodies_climb(bars)
        & bars.upper_shadow_is_very_short(2)
        & bars.upper_shadow_is_very_short(1)
        & bars.upper_shadow_is_very_short(0)
        & (bars.body(1) > bars.body(2) - bars.far(2))
        & (bars.body(0) > bars.body(1) - bars.far(1))
        & bars.body_is_long(0)
    )


@candlestick("AdvanceBlock", bars=3, lookback=12, direction="bearish", role="reversal", talib="CDLADVANCEBLOCK")
def advance_block(bars: BarWindow) -> Matches:
    """Three white bodies that climb with less and less force, in smaller bodies or longer upper shadows: the advance tires."""
    smaller = bars.body(0) < bars.body(1)
    grows_weaker = (
        ((bars.body(1) < bars.body(2) - bars.far(2)) & (bars.body(0) < bars.body(1) + bars.near(1)))
        | (bars.body(0) < bars.body(1) - bars.far(1))
        | (
            smaller
            & (bars.body(1) < bars.body(2))
            & ((bars.upper_shadow(0) > bars.short_shadow(0)) | (bars.upper_shadow(1) > bars.short_shadow(1)))
        )
        | (smaller & bars.upper_shadow_is_long(0))
    )
    return (
        _white_bodies_climb(bars)
        & bars.body_is_long(2)
        & (bars.upper_shadow(2) < bars.short_shadow(2))
        & grows_weaker
    )  # fmt: skip


@candlestick("StalledPattern", bars=3, lookback=12, direction="bearish", role="reversal", talib="CDLSTALLEDPATTERN")
def stalled_pattern(bars: BarWindow) -> Matches:
    """Two long white bodies and a short one that rides on the second's shoulder: the advance has stalled."""
    return (
        bars.is_white(2)
        & bars.is_white(1)
        & bars.is_white(0)
        & bars.closes_higher(0, 1)
        & bars.closes_higher(1, 2)
        & bars.body_is_long(2)
        & bars.body_is_long(1)
        & bars.upper_shadow_is_very_short(1)
        & bars.opens_in_or_just_above_body(1, 2)
        & bars.body_is_short(0)
        & (bars.open(0) >= bars.close(1) - bars.body(0) - bars.near(1))
    )


@candlestick("ThreeBlackCrows", bars=3, lookback=13, direction="bearish", role="reversal", talib="CDL3BLACKCROWS")
def three_black_crows(bars: BarWindow) -> Matches:
    """Three black bodies after a white one, each from within the one before to near its own low: sellers are in command."""
    return (
        bars.is_white(3)
        & _black_bodies_fall_to_their_lows(bars)
        & bars.opens_in_body(1, 2)
        & bars.opens_in_body(0, 1)
        & (bars.close(2) < bars.high(3))
    )


@candlestick("IdenticalThreeCrows", bars=3, lookback=12, direction="bearish", role="reversal", talib="CDLIDENTICAL3CROWS")
def identical_three_crows(bars: BarWindow) -> Matches:
    """Three black bodies, each of which opens where the one before closed: a fall without a pause."""
    return (
        _black_bodies_fall_to_their_lows(bars)
        & bars.within(bars.open(1), bars.close(2), bars.equal(2))
        & bars.within(bars.open(0), bars.close(1), bars.equal(1))
    )


@candlestick("TwoCrows", bars=3, lookback=12, direction="bearish", role="reversal", talib="CDL2CROWS")
def two_crows(bars: BarWindow) -> Matches:
    """A long white body, a black one above it, and a black one from within that down into the first: the gap is closed."""
    return (
        bars.is_white(2)
        & bars.body_is_long(2)
        & bars.is_black(1)
        & bars.body_gap_up(1, 2)
        & bars.is_black(0)
        & bars.opens_in_body(0, 1)
        & bars.closes_in_body(0, 2)
    )


@candlestick("UpsideGapTwoCrows", bars=3, lookback=12, direction="bearish", role="reversal", talib="CDLUPSIDEGAP2CROWS")
def upside_gap_two_crows(bars: BarWindow) -> Matches:
    """A long white body and two black ones above it, the second around the first: the gap holds, but buyers fail twice."""
    return (
        bars.is_white(2)
        & bars.body_is_long(2)
        & bars.is_black(1)
        & bars.body_is_not_long(1)
        & bars.body_gap_up(1, 2)
        & bars.is_black(0)
        & (bars.open(0) > bars.open(1))
        & bars.closes_lower(0, 1)
        & bars.closes_higher(0, 2)
    )


@candlestick("ThreeStarsInSouth", bars=3, lookback=12, direction="bullish", role="reversal", talib="CDL3STARSINSOUTH")
def three_stars_in_south(bars: BarWindow) -> Matches:
    """Three black bodies, each smaller and with a higher low than the one before: the fall is running out."""
    return (
        bars.is_black(2)
        & bars.is_black(1)
        & bars.is_black(0)
        & bars.body_is_long(2)
        & bars.lower_shadow_is_long(2)
        & (bars.body(1) < bars.body(2))
        & bars.between(bars.close(2), bars.open(1), bars.high(2), upper_too=True)
        & bars.between(bars.low(2), bars.low(1), bars.close(2), lower_too=True)
        & bars.has_lower_shadow(1)
        & bars.body_is_short(0)
        & bars.lower_shadow_is_very_short(0)
        & bars.upper_shadow_is_very_short(0)
        & bars.is_inside(0)
    )


@candlestick("UniqueThreeRiver", bars=3, lookback=12, direction="bullish", role="reversal", talib="CDLUNIQUE3RIVER")
def unique_three_river(bars: BarWindow) -> Matches:
    """A long black body, a smaller one in it with a new low, and a short white one above that low: the bed of the river."""
    return (
        bars.is_black(2)
        & bars.body_is_long(2)
        & bars.is_black(1)
        & bars.closes_higher(1, 2)
        & (bars.open(1) <= bars.open(2))
        & (bars.low(1) < bars.low(2))
        & bars.is_white(0)
        & bars.body_is_short(0)
        & (bars.open(0) > bars.low(1))
    )


@candlestick("StickSandwich", bars=3, lookback=7, direction="bullish", role="reversal", talib="CDLSTICKSANDWICH")
def stick_sandwich(bars: BarWindow) -> Matches:
    """A white body between two black ones that close at the same price: sellers came back and got no further."""
    return (
        bars.is_black(2)
        & bars.is_white(1)
        & bars.is_black(0)
        & (bars.low(1) > bars.close(2))
        & bars.within(bars.close(0), bars.close(2), bars.equal(2))
    )


@candlestick("TasukiGap", bars=3, lookback=7, direction="either", role="continuation", talib="CDLTASUKIGAP")
def tasuki_gap(bars: BarWindow) -> Sides:
    """A body beyond a gap, and one of the other colour and like size that does not close it: the gap holds."""
    answered = bars.opens_in_body(0, 1) & (abs(bars.body(1) - bars.body(0)) < bars.near(1))
    into_gap_below = bars.between(bars.body_top(2), bars.close(0), bars.open(1))
    into_gap_above = bars.between(bars.open(1), bars.close(0), bars.body_bottom(2))
    return Sides(
        answered & bars.body_gap_up(1, 2) & bars.is_white(1) & bars.is_black(0) & into_gap_below,
        answered & bars.body_gap_down(1, 2) & bars.is_black(1) & bars.is_white(0) & into_gap_above,
    )


@candlestick("GapSideSideWhite", bars=3, lookback=7, direction="either", role="continuation", talib="CDLGAPSIDESIDEWHITE")
def gap_side_side_white(bars: BarWindow) -> Sides:
    """Two white bodies of like size and open, side by side beyond a gap: the gap holds."""
    side_by_side = (
        bars.is_white(1)
        & bars.is_white(0)
        & bars.within(bars.body(0), bars.body(1), bars.near(1))
        & bars.within(bars.open(0), bars.open(1), bars.equal(1))
    )
    return Sides(
        side_by_side & bars.body_gap_up(1, 2) & bars.body_gap_up(0, 2),
        side_by_side & bars.body_gap_down(1, 2) & bars.body_gap_down(0, 2),
    )


@candlestick("XSideGapThreeMethods", bars=3, lookback=2, direction="either", role="continuation", talib="CDLXSIDEGAP3METHODS")
def x_side_gap_three_methods(bars: BarWindow) -> Sides:
    """Two bodies of one colour with a gap between them, and one of the other from within the second into the first."""
    fills = bars.opens_in_body(0, 1) & bars.closes_in_body(0, 2)
    return Sides(
        fills & bars.is_white(2) & bars.is_white(1) & bars.is_black(0) & bars.body_gap_up(1, 2),
        fills & bars.is_black(2) & bars.is_black(1) & bars.is_white(0) & bars.body_gap_down(1, 2),
    )


def _white_bodies_climb(bars: BarWindow) -> Matches:
    """Three white bodies, each of which opens within or just above the one before and closes above it."""
    return (
        bars.is_white(2)
        & bars.is_white(1)
        & bars.is_white(0)
        & bars.closes_higher(1, 2)
        & bars.closes_higher(0, 1)
        & bars.opens_in_or_just_above_body(1, 2)
        & bars.opens_in_or_just_above_body(0, 1)
    )


def _black_bodies_fall_to_their_lows(bars: BarWindow) -> Matches:
    """Three black bodies without lower shadows, each of which closes below the one before."""
    return (
        bars.is_black(2)
        & bars.is_black(1)
        & bars.is_black(0)
        & bars.lower_shadow_is_very_short(2)
        & bars.lower_shadow_is_very_short(1)
        & bars.lower_shadow_is_very_short(0)
        & bars.closes_lower(1, 2)
        & bars.closes_lower(0, 1)
    )
