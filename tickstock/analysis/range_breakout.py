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
    """Look for breakouts at these places among the lanes, whose series hold enough bars; `times` holds the starts of the bars."""
    fits, _ = _judge(bars, usual_range, window, tick, _FEW_LAGS)
    possible = np.flatnonzero(fits.holds)
    place, index, bars, usual_range, tick = (
        place[possible],
        index[possible],
        bars.rows(possible),
        usual_range[possible],
        tick[possible],
    )
    window, times = window.select(possible), times.select(possible)
    fits, (kind, broken, far) = _judge(bars, usual_range, window, tick, _ALL_LAGS)
    first, first_time = index - RANGE_BARS, times.column("time", RANGE_BARS).astype(np.int64)
    upper, lower = Line.flat(first, first_time, broken), Line.flat(first, first_time, far)
    shape = Shape(fits, broken - far, upper, lower, None, None, index)
    points = np.stack((_times_of(-far, -kind, window, times), _times_of(broken, kind, window, times)))
    key = (first_time, bars.timestamp)
    return Found(BREAKOUT, place, kind, shape, points, np.stack((far, broken)), key, _volume_ratio(bars, window))


def _judge(
    bars: BarColumns, usual_range: Floats, window: RingView, tick: Floats, lags: Sequence[int]
) -> tuple[Margins, tuple[Integers, Floats, Floats]]:
    """How well the close breaks out of the bars at these lags; the side, and the heights of the broken and the far side."""
    high, low = window.column("high", lags[0]), window.column("low", lags[0])
    for lag in lags[1:]:
        high, low = np.maximum(high, window.column("high", lag)), np.minimum(low, window.column("low", lag))
    kind = np.where(bars.close > high, 1, -1)
    broken, far = np.where(kind > 0, high, -low), np.where(kind > 0, low, -high)
    width, beyond = high - low, kind * bars.close - broken
    fits = all_of(
        Margins.label(beyond > 0),
        at_most(width, _LIMIT["width"] * usual_range, tick),
        at_least(beyond, 0.0, _LIMIT["ideal_break"] * width),
    )
    return fits, (kind, broken, far)


def _times_of(height: Floats, side: Integers, window: RingView, times: RingView) -> Integers:
    """The start of the latest bar of the range that reached this height: with its high on side +1, with its low on side -1."""
    found = np.zeros(len(height))
    for lag in range(RANGE_BARS, 0, -1):
        reached = np.where(side > 0, window.column("high", lag), -window.column("low", lag)) == height
        found = np.where(reached, times.column("time", lag), found)
    return found.astype(np.int64)


def _volume_ratio(bars: BarColumns, window: RingView) -> Floats:
    """The bar's volume to the mean of the range's bars; NaN where they have none."""
    total = np.zeros(len(bars.close))
    for lag in range(1, RANGE_BARS + 1):
        total = total + window.column("volume", lag)
    return np.where(total > 0, bars.volume * RANGE_BARS / np.where(total > 0, total, 1.0), np.nan)
