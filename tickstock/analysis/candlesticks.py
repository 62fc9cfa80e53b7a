"""The candlestick patterns: one expression each, equal to TA-Lib's function in every bar.

The expressions need no arrays of their own, so the catalogue can be read without NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow, Matches

Expression = Callable[["BarWindow"], "Matches"]


@dataclass(frozen=True, slots=True)
class CandlestickPattern:
    """A pattern and what is said of it; `expression` is true where it is."""

    name: str
    bars: int  # of its own; the bar or the averages it is compared with come before them
    lookback: int  # bars before the current one that it needs in all
    direction: str  # bullish | bearish | neutral
    talib: str
    prior_trend: str | None  # up | down: what the book asks of the bars before
    description: str
    expression: Expression


CANDLESTICKS: dict[str, CandlestickPattern] = {}


def candlestick(
    name: str, *, bars: int, lookback: int, direction: str, talib: str, prior_trend: str | None = None
) -> Callable[[Expression], Expression]:
    """Enter an expression into `CANDLESTICKS`; its docstring is the description."""

    def enter(expression: Expression) -> Expression:
        description = (expression.__doc__ or "").strip()
        CANDLESTICKS[name] = CandlestickPattern(name, bars, lookback, direction, talib, prior_trend, description, expression)
        return expression

    return enter


@candlestick("Doji", bars=1, lookback=10, direction="neutral", talib="CDLDOJI")
def doji(bars: BarWindow) -> Matches:
    """Open and close are as good as equal: neither side won the bar."""
    return bars.body_is_doji(0)


@candlestick("Hammer", bars=1, lookback=11, direction="bullish", talib="CDLHAMMER", prior_trend="down")
def hammer(bars: BarWindow) -> Matches:
    """A small body near the top with a long lower shadow, after a fall to or near the previous low."""
    return (
        bars.body_is_short(0)
        & (bars.lower_shadow(0) > bars.body(0))
        & bars.upper_shadow_is_very_short(0)
        & (bars.body_bottom(0) <= bars.low(1) + bars.near(1))
    )
