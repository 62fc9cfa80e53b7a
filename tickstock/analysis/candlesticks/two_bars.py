"""Patterns of two bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickstock.analysis.candlesticks.definition import TOUCHING, Sides, candlestick

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow


@candlestick("Engulfing", bars=2, lookback=2, direction="either", role="reversal", talib="CDLENGULFING", mark=TOUCHING)
def engulfing(bars: BarWindow) -> Sides:
    """A body that swallows the body of the other colour before it; one end may touch, not both."""
    up = bars.is_white(0) & bars.is_black(1)
    down = bars.is_black(0) & bars.is_white(1)
    above, below = bars.body_top(0), bars.body_bottom(0)
    swallows = ((above >= bars.body_top(1)) & (below < bars.body_bottom(1))) | (
        (above > bars.body_top(1)) & (below <= bars.body_bottom(1))
    )
    touches = bars.same(above, bars.body_top(1)) | bars.same(below, bars.body_bottom(1))
    return Sides(up & swallows, down & swallows, touches)
