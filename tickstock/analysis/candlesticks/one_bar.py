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


@candlestick("Hammer", bars=1, lookback=11, direction="bullish", role="reversal", talib="CDLHAMMER")
def hammer(bars: BarWindow) -> Matches:
    """A small body near the top with a long lower shadow, after a fall to or near the previous low."""
    return (
        bars.body_is_short(0)
        & (bars.lower_shadow(0) > bars.body(0))
        & bars.upper_shadow_is_very_short(0)
        & (bars.body_bottom(0) <= bars.low(1) + bars.near(1))
    )


@candlestick("SpinningTop", bars=1, lookback=10, direction="neutral", role="indecision", talib="CDLSPINNINGTOP")
def spinning_top(bars: BarWindow) -> Sides:
    """A small body between two longer shadows: both sides tried and neither held."""
    return bars.by_colour(
        0, bars.body_is_short(0) & (bars.upper_shadow(0) > bars.body(0)) & (bars.lower_shadow(0) > bars.body(0))
    )
