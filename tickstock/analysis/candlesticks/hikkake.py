"""Hikkake: an inside bar, a break out of it, and what confirms that the break was false.

TA-Lib tells the setup and, when a close goes beyond the other end of the inside bar within three bars, the confirmation. It keeps
the last setup for that; here the bars of the window say the same: the latest of the setups one to three bars ago counts, unless
there is a new one now, and only the first close beyond it confirms.

`bars` are those of the setup. The session and the thin bars of a confirmation are judged by as many last bars, of which the
latest to confirm are three bars behind the setup.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tickstock.analysis.candlesticks.definition import STAGE, Sides, candlestick

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow

LATEST_CONFIRMATION = 3  # bars after the setup


@candlestick("Hikkake", bars=3, lookback=5, direction="either", role="reversal", talib="CDLHIKKAKE", mark=STAGE)
def hikkake(bars: BarWindow) -> Sides:
    """An inside bar, then a break out of it that may be a trap; it was one when a close goes beyond the bar's other end."""
    return _with_confirmation(bars, _hikkake_setup)


@candlestick("HikkakeModified", bars=4, lookback=10, direction="either", role="reversal", talib="CDLHIKKAKEMOD", mark=STAGE)
def hikkake_modified(bars: BarWindow) -> Sides:
    """A hikkake whose inside bar follows another one and closes at the end where the trap is laid."""
    return _with_confirmation(bars, _modified_setup)


def _hikkake_setup(bars: BarWindow, lag: int) -> Sides:
    """An inside bar, and a bar that leaves it on one side with both its ends."""
    inside = bars.is_inside(lag + 1)
    return Sides(inside & bars.lies_lower(lag), inside & bars.lies_higher(lag))


def _modified_setup(bars: BarWindow, lag: int) -> Sides:
    """Two inside bars, of which the first closes near its end, and a bar that leaves the second there with both its ends."""
    before = lag + 2
    inside = bars.is_inside(before) & bars.is_inside(lag + 1)
    return Sides(
        inside & bars.lies_lower(lag) & (bars.close(before) <= bars.low(before) + bars.near(before)),
        inside & bars.lies_higher(lag) & (bars.close(before) >= bars.high(before) - bars.near(before)),
    )


def _with_confirmation(bars: BarWindow, setup: Callable[[BarWindow, int], Sides]) -> Sides:
    """The setup at this bar, or the confirmation of the latest one before it."""
    now = setup(bars, 0)
    bullish, bearish = now.bullish, now.bearish
    superseded = bullish | bearish  # by a later setup
    setup_now = superseded
    for lag in range(1, LATEST_CONFIRMATION + 1):
        then = setup(bars, lag)
        up = then.bullish & ~superseded & bars.closes_above_high(0, lag + 1)
        down = then.bearish & ~superseded & bars.closes_below_low(0, lag + 1)
        for since in range(1, lag):
            up = up & ~bars.closes_above_high(since, lag + 1)
            down = down & ~bars.closes_below_low(since, lag + 1)
        bullish, bearish = bullish | up, bearish | down
        superseded = superseded | then.bullish | then.bearish
    return Sides(bullish, bearish, ~setup_now)
