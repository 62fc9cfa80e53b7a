"""Patterns of two bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickstock.analysis.candlesticks.definition import TOUCHING, Sides, candlestick

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow, Matches

PENETRATION = 0.5  # of the first body, which the second must close beyond to take the move back


@candlestick("Engulfing", bars=2, lookback=2, direction="either", role="reversal", talib="CDLENGULFING", mark=TOUCHING)
def engulfing(bars: BarWindow) -> Sides:
    """A body that swallows the body of the other colour before it; one end may touch, not both."""
    up = bars.is_white(0) & bars.is_black(1)
    down = bars.is_black(0) & bars.is_white(1)
    above, below = bars.body_top(0), bars.body_bottom(0)
    swallows = ((above >= bars.body_top(1)) & (below < bars.body_bottom(1))) | (
        (above > bars.body_top(1)) & (below <= bars.body_bottom(1))
    )
    return Sides(up & swallows, down & swallows, _bodies_touch(bars))


@candlestick("Harami", bars=2, lookback=11, direction="either", role="reversal", talib="CDLHARAMI", mark=TOUCHING)
def harami(bars: BarWindow) -> Sides:
    """A short body within the long body before it, like a child in its mother: the move has lost its force."""
    return _carried(bars, bars.body_is_not_long(0))


@candlestick("HaramiCross", bars=2, lookback=11, direction="either", role="reversal", talib="CDLHARAMICROSS", mark=TOUCHING)
def harami_cross(bars: BarWindow) -> Sides:
    """A doji within the long body before it: the move has come to a stand."""
    return _carried(bars, bars.body_is_doji(0))


@candlestick("Piercing", bars=2, lookback=11, direction="bullish", role="reversal", talib="CDLPIERCING")
def piercing(bars: BarWindow) -> Matches:
    """A long white body that opens below a long black one's low and closes in its upper half: buyers took back the most of it."""
    return (
        bars.is_black(1)
        & bars.body_is_long(1)
        & bars.is_white(0)
        & bars.body_is_long(0)
        & (bars.open(0) < bars.low(1))
        & bars.between(bars.close(1) + PENETRATION * bars.body(1), bars.close(0), bars.open(1))
    )


@candlestick(
    "DarkCloudCover",
    bars=2,
    lookback=11,
    direction="bearish",
    role="reversal",
    talib="CDLDARKCLOUDCOVER",
    parameters={"penetration": PENETRATION},
)
def dark_cloud_cover(bars: BarWindow) -> Matches:
    """A black body that opens above a long white one's high and closes in its lower half: sellers took back the most of it."""
    return (
        bars.is_white(1)
        & bars.body_is_long(1)
        & bars.is_black(0)
        & (bars.open(0) > bars.high(1))
        & bars.between(bars.open(1), bars.close(0), bars.close(1) - PENETRATION * bars.body(1))
    )


@candlestick("DojiStar", bars=2, lookback=11, direction="either", role="reversal", talib="CDLDOJISTAR")
def doji_star(bars: BarWindow) -> Sides:
    """A doji that gaps away from the end of a long body: the move went on and found nobody to follow."""
    long_then_doji = bars.body_is_long(1) & bars.body_is_doji(0)
    after = bars.by_colour(1, long_then_doji)
    return Sides(after.bearish & bars.body_gap_down(0, 1), after.bullish & bars.body_gap_up(0, 1))


@candlestick("Kicking", bars=2, lookback=11, direction="either", role="reversal", talib="CDLKICKING")
def kicking(bars: BarWindow) -> Sides:
    """Two marubozus of opposite colour with a gap between them: the second kicks the price the other way."""
    return _kicked(bars)


@candlestick("KickingByLength", bars=2, lookback=11, direction="either", role="reversal", talib="CDLKICKINGBYLENGTH")
def kicking_by_length(bars: BarWindow) -> Sides:
    """Two marubozus of opposite colour with a gap between them; the longer of the two tells the side."""
    kicked = _kicked(bars)
    second_is_longer = bars.body(0) > bars.body(1)
    first_is_longer = bars.body(0) <= bars.body(1)
    return Sides(
        (kicked.bullish & second_is_longer) | (kicked.bearish & first_is_longer),
        (kicked.bearish & second_is_longer) | (kicked.bullish & first_is_longer),
    )


@candlestick("HomingPigeon", bars=2, lookback=11, direction="bullish", role="reversal", talib="CDLHOMINGPIGEON")
def homing_pigeon(bars: BarWindow) -> Matches:
    """A short black body within a long black one: sellers go on, with much less behind them."""
    return (
        bars.is_black(1)
        & bars.body_is_long(1)
        & bars.is_black(0)
        & bars.body_is_not_long(0)
        & (bars.open(0) < bars.open(1))
        & (bars.close(0) > bars.close(1))
    )


@candlestick("MatchingLow", bars=2, lookback=6, direction="bullish", role="reversal", talib="CDLMATCHINGLOW")
def matching_low(bars: BarWindow) -> Matches:
    """Two black bodies that close at the same price: sellers came twice and got no further."""
    return bars.is_black(1) & bars.is_black(0) & bars.within(bars.close(0), bars.close(1), bars.equal(1))


@candlestick("InNeck", bars=2, lookback=11, direction="bearish", role="continuation", talib="CDLINNECK")
def in_neck(bars: BarWindow) -> Matches:
    """A white body that opens below a long black one's low and closes barely inside its body: a weak rally in a fall."""
    return _rally_after_long_black(bars) & bars.between(
        bars.close(1), bars.close(0), bars.close(1) + bars.equal(1), lower_too=True, upper_too=True
    )


@candlestick("OnNeck", bars=2, lookback=11, direction="bearish", role="continuation", talib="CDLONNECK")
def on_neck(bars: BarWindow) -> Matches:
    """A white body that opens below a long black one's low and closes at that low: the rally ends where the fall did."""
    return _rally_after_long_black(bars) & bars.within(bars.close(0), bars.low(1), bars.equal(1))


@candlestick("Thrusting", bars=2, lookback=11, direction="bearish", role="continuation", talib="CDLTHRUSTING")
def thrusting(bars: BarWindow) -> Matches:
    """A white body that opens below a long black one's low and closes inside its lower half: a rally that did not pierce it."""
    return _rally_after_long_black(bars) & bars.between(
        bars.close(1) + bars.equal(1), bars.close(0), bars.close(1) + 0.5 * bars.body(1), upper_too=True
    )


@candlestick("SeparatingLines", bars=2, lookback=11, direction="either", role="continuation", talib="CDLSEPARATINGLINES")
def separating_lines(bars: BarWindow) -> Sides:
    """A long body that starts at the same open as the body of the other colour before it: the trend takes up again at once."""
    from_same_open = bars.body_is_long(0) & bars.within(bars.open(0), bars.open(1), bars.equal(1))
    return Sides(
        bars.is_black(1) & bars.is_white(0) & from_same_open & bars.lower_shadow_is_very_short(0),
        bars.is_white(1) & bars.is_black(0) & from_same_open & bars.upper_shadow_is_very_short(0),
    )


@candlestick("CounterAttack", bars=2, lookback=11, direction="either", role="reversal", talib="CDLCOUNTERATTACK")
def counter_attack(bars: BarWindow) -> Sides:
    """Two long bodies of opposite colour that close at the same price: the other side took back the whole new move."""
    meet = bars.body_is_long(1) & bars.body_is_long(0) & bars.within(bars.close(0), bars.close(1), bars.equal(1))
    return Sides(bars.is_black(1) & bars.is_white(0) & meet, bars.is_white(1) & bars.is_black(0) & meet)


def _bodies_touch(bars: BarWindow) -> Matches:
    return bars.same(bars.body_top(0), bars.body_top(1)) | bars.same(bars.body_bottom(0), bars.body_bottom(1))


def _carried(bars: BarWindow, small: Matches) -> Sides:
    """A small body that a long one before it contains: the next side is the other one than the long body's."""
    inside = (bars.body_top(0) <= bars.body_top(1)) & (bars.body_bottom(0) >= bars.body_bottom(1))
    mother = bars.by_colour(1, bars.body_is_long(1) & small & inside)
    return Sides(mother.bearish, mother.bullish, _bodies_touch(bars))


def _kicked(bars: BarWindow) -> Sides:
    """Two marubozus of opposite colour, the second beyond a gap on its own side."""
    marubozus = _is_marubozu(bars, 1) & _is_marubozu(bars, 0)
    return Sides(
        bars.is_black(1) & bars.is_white(0) & marubozus & bars.gap_up(0, 1),
        bars.is_white(1) & bars.is_black(0) & marubozus & bars.gap_down(0, 1),
    )


def _is_marubozu(bars: BarWindow, lag: int) -> Matches:
    return bars.body_is_long(lag) & bars.upper_shadow_is_very_short(lag) & bars.lower_shadow_is_very_short(lag)


def _rally_after_long_black(bars: BarWindow) -> Matches:
    """A white body that opens below the low of a long black one."""
    return bars.is_black(1) & bars.body_is_long(1) & bars.is_white(0) & (bars.open(0) < bars.low(1))
