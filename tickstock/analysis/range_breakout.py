"""The range breakout: a close beyond a narrow Donchian channel. Written for the break upwards."""

from __future__ import annotations

import numpy as np

from tickstock.analysis.chart_conditions import all_of, at_least, at_most, rows_of_condition
from tickstock.analysis.chart_pattern_rules import RANGE_BREAKOUT
from tickstock.analysis.chart_shape import ChartShape, Found, Line, Shape
from tickstock.analysis.lanes import RingView
from tickstock.analysis.quantities import Margins
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers
from tickstock.analysis.smoothing import sum_of_rows

_LIMIT = RANGE_BREAKOUT.parameters
RANGE_BARS = int(_LIMIT["range_bars"])
_ALL_LAGS = range(1, RANGE_BARS + 1)
_FEW_LAGS = range(RANGE_BARS, 0, -5)  # these rule most lanes out

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
) -> Found | None:
    """Look for breakouts at these places among the lanes, whose series hold enough bars; `times` holds the starts of the bars."""
    for lags in (_FEW_LAGS, _ALL_LAGS):
        fits, kind = _judge(bars, usual_range, window, tick, lags)
        left = np.flatnonzero(fits.holds)
        if not len(left):
            return None
        place, index, kind, bars = place[left], index[left], kind[left], bars.rows(left)
        usual_range, tick, window, times = usual_range[left], tick[left], window.select(left), times.select(left)
    highs, lows = (window.columns(name, _ALL_LAGS) for name in ("high", "low"))
    tops, bottoms = np.where(kind > 0, highs, -lows), np.where(kind > 0, lows, -highs)
    broken, far = tops.max(axis=0), bottoms.min(axis=0)
    first, first_time = index - RANGE_BARS, times.column("time", RANGE_BARS).astype(np.int64)
    upper, lower = Line.flat(first, first_time, broken), Line.flat(first, first_time, far)
    shape = Shape(rows_of_condition(fits, left), broken - far, upper, lower, None, None, index)
    starts = times.columns("time", _ALL_LAGS).astype(np.int64)
    latest = np.stack((bottoms.argmin(axis=0), tops.argmax(axis=0)))  # the newest bars that reached the two sides
    key = (first_time, bars.timestamp)
    return Found(
        BREAKOUT,
        place,
        kind,
        shape,
        starts[latest, np.arange(len(place))],
        np.stack((far, broken)),
        key,
        _volume_ratio(bars, window),
    )


def _judge(bars: BarColumns, usual_range: Floats, window: RingView, tick: Floats, lags: range) -> tuple[Margins, Integers]:
    """How well the close breaks out of the bars at these lags, and on which side."""
    high, low = window.columns("high", lags).max(axis=0), window.columns("low", lags).min(axis=0)
    kind = np.where(bars.close > high, 1, -1)
    width, beyond = high - low, np.where(kind > 0, bars.close - high, low - bars.close)
    fits = all_of(
        Margins.label(beyond > 0),
        at_most(width, _LIMIT["width"] * usual_range, tick),
        at_least(beyond, 0.0, _LIMIT["ideal_break"] * width),
    )
    return fits, kind


def _volume_ratio(bars: BarColumns, window: RingView) -> Floats:
    """The bar's volume to the mean of the range's bars; NaN where they have none."""
    total = sum_of_rows(window.columns("volume", _ALL_LAGS))
    return np.where(total > 0, bars.volume * RANGE_BARS / np.where(total > 0, total, 1.0), np.nan)
