"""The range breakout: a close beyond a narrow Donchian channel. Written for the break upwards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tickstock.analysis.chart_conditions import all_of, at_least, at_most
from tickstock.analysis.chart_pattern_rules import RANGE_BREAKOUT
from tickstock.analysis.chart_shape import ChartShape, Found, Line, Shape
from tickstock.analysis.lanes import RingView
from tickstock.analysis.quantities import Margins
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers

_LIMIT = RANGE_BREAKOUT.parameters
RANGE_BARS = int(_LIMIT["range_bars"])
_ALL_LAGS = range(1, RANGE_BARS + 1)
_FEW_LAGS = (RANGE_BARS, RANGE_BARS // 2, RANGE_BARS // 4)  # which rule most lanes out

BREAKOUT = ChartShape(
    top=RANGE_BREAKOUT,
    bottom=RANGE_BREAKOUT,
    names=("far side", "broken side"),
    key=(0, 1),
)


def leaves_bar_before(close: Floats, window: RingView) -> Booleans:
    """Where the close lies beyond the bar before, as a breakout's does."""
    beyond: Booleans = (close > window.column("high", 1)) | (close < window.column("low", 1))
    return beyond


def find_breakouts(
    place: Integers, index: Integers, bars: BarColumns, usual_range: Floats, window: RingView, times: RingView, tick: Floats
) -> Found:
    """Look for breakouts at some places among the lanes, whose series hold enough bars.

    `window` and `times`, the starts of the bars, are those of these places; the other columns are those of all lanes.
    """
    for lags in (_FEW_LAGS, _ALL_LAGS):
        high, low = _extremes(window, lags)
        close, widest = bars.close[place], _LIMIT["width"] * usual_range[place]
        left = np.flatnonzero(((close > high) | (close < low)) & (high - low <= widest))
        place, window, times = place[left], window.select(left), times.select(left)
    high, low, index, tick, usual_range, bars = (
        high[left],
        low[left],
        index[place],
        tick[place],
        usual_range[place],
        bars.rows(place),
    )
    kind = np.where(bars.close > high, 1, -1)
    broken, far = np.where(kind > 0, high, -low), np.where(kind > 0, low, -high)
    width = high - low
    beyond = kind * bars.close - broken
    fits = all_of(
        Margins.label(beyond > 0),
        at_most(width, _LIMIT["width"] * usual_range, tick),
        at_least(beyond, 0.0, _LIMIT["ideal_break"] * width),
    )
    first_time = times.column("time", RANGE_BARS).astype(np.int64)
    upper = Line.flat(index - RANGE_BARS, first_time, broken)
    shape = Shape(fits, width, upper, Line.flat(index - RANGE_BARS, first_time, far), None, None, index)
    when_high, when_low = _times_of(high, "high", window, times), _times_of(low, "low", window, times)
    points = np.where(kind > 0, np.stack((when_low, when_high)), np.stack((when_high, when_low)))
    return Found(
        BREAKOUT, place, kind, shape, points, np.stack((far, broken)), (first_time, bars.timestamp), _volume_ratio(bars, window)
    )


def _extremes(window: RingView, lags: Sequence[int]) -> tuple[Floats, Floats]:
    high, low = window.column("high", lags[0]), window.column("low", lags[0])
    for lag in lags[1:]:
        high, low = np.maximum(high, window.column("high", lag)), np.minimum(low, window.column("low", lag))
    return high, low


def _times_of(extreme: Floats, name: str, window: RingView, times: RingView) -> Integers:
    """The start of the latest bar of the range that reached its extreme."""
    found = np.zeros(len(extreme))
    for lag in range(RANGE_BARS, 0, -1):
        found = np.where(window.column(name, lag) == extreme, times.column("time", lag), found)
    return found.astype(np.int64)


def _volume_ratio(bars: BarColumns, window: RingView) -> Floats:
    """The bar's volume to the mean of the range's bars; NaN where they have none."""
    total = np.zeros(len(bars.close))
    for lag in range(1, RANGE_BARS + 1):
        total = total + window.column("volume", lag)
    return np.where(total > 0, bars.volume * RANGE_BARS / np.where(total > 0, total, 1.0), np.nan)
