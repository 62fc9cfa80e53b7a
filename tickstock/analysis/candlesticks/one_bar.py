"""Patterns of one bar; some compare it with the bar before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickstock.analysis.candlesticks.definition import Sides, candlestick

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow, Matches


@candlestick("Doji", bars=1, lookback=10, direction="neutral", role="indecision", talib="CDLDOJI")
def doji(bars: BarWindow) -> Matches:
    """Open and close are as good as equal: neither side won the bar."""
    return bars.body_is_doji(0)


@candlestick("DragonflyDoji", bars=1, lookback=10, direction="bullish", role="reversal", talib="CDLDRAGONFLYDOJI")
def dragonfly_doji(bars: BarWindow) -> Matches:
    """A doji at the top of its range: sellers took the price down and buyers brought all of it back."""
    return (
        bars.body_is_doji(0)
        & bars.upper_shadow_is_very_short(0)
        & bars.has_lower_shadow(0)
    )  # fmt: skip


@candlestick("GravestoneDoji", bars=1, lookback=10, direction="bearish", role="reversal", talib="CDLGRAVESTONEDOJI", talib_sign=1)
def gravestone_doji(bars: BarWindow) -> Matches:
    """A doji at the bottom of its range: buyers took the price up and sellers brought all of it back."""
    return (
        bars.body_is_doji(0)
        & bars.lower_shadow_is_very_short(0)
        & bars.has_upper_shadow(0)
    )  # fmt: skip


@candlestick("LongLeggedDoji", bars=1, lookback=10, direction="neutral", role="indecision", talib="CDLLONGLEGGEDDOJI")
def long_legged_doji(bars: BarWindow) -> Matches:
    """A doji with at least one shadow longer than its body: the price went far and came back to where it began."""
    return bars.body_is_doji(0) & (bars.upper_shadow_is_long(0) | bars.lower_shadow_is_long(0))


@candlestick("RickshawMan", bars=1, lookback=10, direction="neutral", role="indecision", talib="CDLRICKSHAWMAN")
def rickshaw_man(bars: BarWindow) -> Matches:
    """A doji in the middle of two long shadows: both sides pulled as hard and neither got anywhere."""
    middle = bars.low(0) + 0.5 * bars.range(0)
    return (
        bars.body_is_doji(0)
        & bars.upper_shadow_is_long(0)
        & bars.lower_shadow_is_long(0)
        & bars.body_within(0, middle, bars.near(0))
    )


@candlestick("Takuri", bars=1, lookback=10, direction="bullish", role="reversal", talib="CDLTAKURI")
def takuri(bars: BarWindow) -> Matches:
    """A dragonfly doji with a very long lower shadow: buyers sounded the depth and pulled the price back up."""
    return (
        bars.body_is_doji(0)
        & bars.upper_shadow_is_very_short(0)
        & (bars.lower_shadow(0) > 2.0 * bars.body(0))
    )  # fmt: skip


@candlestick("Hammer", bars=1, lookback=11, direction="bullish", role="reversal", talib="CDLHAMMER")
def hammer(bars: BarWindow) -> Matches:
    """A small body near the top with a long lower shadow, after a fall to or near the previous low."""
    return (
        bars.body_is_short(0)
        & bars.lower_shadow_is_long(0)
        & bars.upper_shadow_is_very_short(0)
        & (bars.body_bottom(0) <= bars.low(1) + bars.near(1))
    )


@candlestick("HangingMan", bars=1, lookback=11, direction="bearish", role="reversal", talib="CDLHANGINGMAN")
def hanging_man(bars: BarWindow) -> Matches:
    """The shape of a hammer at or near the previous high: selling set in, though it was bought up once more."""
    return (
        bars.body_is_short(0)
        & bars.lower_shadow_is_long(0)
        & bars.upper_shadow_is_very_short(0)
        & (bars.body_bottom(0) >= bars.high(1) - bars.near(1))
    )


@candlestick("InvertedHammer", bars=1, lookback=11, direction="bullish", role="reversal", talib="CDLINVERTEDHAMMER")
def inverted_hammer(bars: BarWindow) -> Matches:
    """A small body below the previous one, with a long upper shadow and none below: a first try of the buyers."""
    return bars.body_is_short(0) & bars.upper_shadow_is_long(0) & bars.lower_shadow_is_very_short(0) & bars.body_gap_down(0, 1)


@candlestick("ShootingStar", bars=1, lookback=11, direction="bearish", role="reversal", talib="CDLSHOOTINGSTAR")
def shooting_star(bars: BarWindow) -> Matches:
    """A small body above the previous one, with a long upper shadow and none below: the rise was sold off."""
    return bars.body_is_short(0) & bars.upper_shadow_is_long(0) & bars.lower_shadow_is_very_short(0) & bars.body_gap_up(0, 1)


@candlestick("SpinningTop", bars=1, lookback=10, direction="neutral", role="indecision", talib="CDLSPINNINGTOP")
def spinning_top(bars: BarWindow) -> Sides:
    """A small body between two longer shadows: both sides tried and neither held."""
    return bars.by_colour(0, bars.body_is_short(0) & bars.upper_shadow_is_long(0) & bars.lower_shadow_is_long(0))


@candlestick("HighWave", bars=1, lookback=10, direction="neutral", role="indecision", talib="CDLHIGHWAVE")
def high_wave(bars: BarWindow) -> Sides:
    """A small body between two very long shadows: the market lost its sense of direction."""
    very_long = 2.0 * bars.body(0)
    return bars.by_colour(
        0, bars.body_is_short(0) & (bars.upper_shadow(0) > very_long) & (bars.lower_shadow(0) > very_long)
    )  # fmt: skip


@candlestick("Marubozu", bars=1, lookback=10, direction="either", role="continuation", talib="CDLMARUBOZU")
def marubozu(bars: BarWindow) -> Sides:
    """A long body that is the whole bar: one side led from the open to the close."""
    return bars.by_colour(
        0, bars.body_is_long(0) & bars.upper_shadow_is_very_short(0) & bars.lower_shadow_is_very_short(0)
    )  # fmt: skip


@candlestick("ClosingMarubozu", bars=1, lookback=10, direction="either", role="continuation", talib="CDLCLOSINGMARUBOZU")
def closing_marubozu(bars: BarWindow) -> Sides:
    """A long body without a shadow at the close: one side was still pressing when the bar ended."""
    up = bars.by_colour(0, bars.body_is_long(0) & bars.upper_shadow_is_very_short(0))
    down = bars.by_colour(0, bars.body_is_long(0) & bars.lower_shadow_is_very_short(0))
    return Sides(up.bullish, down.bearish)


@candlestick("BeltHold", bars=1, lookback=10, direction="either", role="reversal", talib="CDLBELTHOLD")
def belt_hold(bars: BarWindow) -> Sides:
    """A long body without a shadow at the open: one side took over with the first trade."""
    up = bars.by_colour(0, bars.body_is_long(0) & bars.lower_shadow_is_very_short(0))
    down = bars.by_colour(0, bars.body_is_long(0) & bars.upper_shadow_is_very_short(0))
    return Sides(up.bullish, down.bearish)


@candlestick("LongLine", bars=1, lookback=10, direction="either", role="continuation", talib="CDLLONGLINE")
def long_line(bars: BarWindow) -> Sides:
    """A long body with short shadows: a bar that went one way."""
    return bars.by_colour(0, bars.body_is_long(0) & bars.upper_shadow_is_short(0) & bars.lower_shadow_is_short(0))


@candlestick("ShortLine", bars=1, lookback=10, direction="neutral", role="indecision", talib="CDLSHORTLINE")
def short_line(bars: BarWindow) -> Sides:
    """A short body with short shadows: a bar in which little happened."""
    return bars.by_colour(0, bars.body_is_short(0) & bars.upper_shadow_is_short(0) & bars.lower_shadow_is_short(0))
