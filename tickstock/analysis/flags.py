"""Flags: a steep leg, the pole, and a few quiet bars after it, which drift against it or sideways.

The pole runs from a confirmed pivot to the running extreme on the other side. It need not become a pivot itself: a flag gives
back little, and a pullback that is a leg of its own before it is five bars old is no flag. Written for the bull flag.
"""

from __future__ import annotations

import numpy as np

from tickstock.analysis.chart_conditions import all_of, at_least, at_most
from tickstock.analysis.chart_pattern_rules import BEAR_FLAG, BULL_FLAG
from tickstock.analysis.chart_shape import ChartShape, Found, Line, Shape
from tickstock.analysis.lanes import RingView
from tickstock.analysis.pivots import Legs
from tickstock.analysis.results import Booleans, Floats, Integers
from tickstock.analysis.smoothing import sum_of_rows

_LIMIT = BULL_FLAG.parameters
LEAST_BARS, MOST_BARS = int(_LIMIT["least_bars"]), int(_LIMIT["most_bars"])

FLAG = ChartShape(
    top=BULL_FLAG,
    bottom=BEAR_FLAG,
    names=("pole start", "pole end"),
    key=(0, 1),
    void_reason="gave back too much",
    one_at_a_time=True,
)


def is_as_old_as_a_flag(age: Integers) -> Booleans:
    """Where a leg's extreme lies as many bars back as a flag has."""
    old: Booleans = (age >= LEAST_BARS) & (age < MOST_BARS)
    return old


def is_a_pole(legs: Legs, usual_range: Floats) -> Booleans:
    """Where a leg is steep and long enough."""
    poles: Booleans = (
        legs.known
        & (legs.end_index - legs.start_index <= _LIMIT["pole_most_bars"])
        & (legs.end_height - legs.start_height >= _LIMIT["pole_ranges"] * usual_range)
    )
    return poles


def find_flags(place: Integers, legs: Legs, index: Integers, usual_range: Floats, window: RingView, tick: Floats) -> Found:
    """Look for flags after these poles. The level to be broken is the extreme of the flag's bars; its channel is drawn."""
    age = index - legs.end_index
    flag = FlagBars(window, legs.kind, age, legs.end_height)
    pole = legs.end_height - legs.start_height
    fits = all_of(
        at_least(pole / usual_range, _LIMIT["pole_ranges"], _LIMIT["ideal_pole_ranges"]),
        # No bar lies above the pole, so what they give back is at least their range: one condition for both.
        at_most(legs.end_height - flag.lowest, _LIMIT["retrace"] * pole, tick),
        at_most(np.maximum(flag.slope * (age - 1), 0.0), _LIMIT["drift"] * pole, tick),
    )
    at_end = Line(legs.end_index, legs.end_time, legs.end_height, flag.slope)
    shape = Shape(
        fits,
        height=pole,
        upper=Line.flat(legs.end_index, legs.end_time, flag.highest),
        lower=None,
        void_above=None,
        void_below=legs.end_height - _LIMIT["retrace"] * pole,
        deadline=legs.end_index + MOST_BARS,
        channel=flag.channel(at_end),
    )
    times, heights = np.stack((legs.start_time, legs.end_time)), np.stack((legs.start_height, legs.end_height))
    return Found(FLAG, place, legs.kind, shape, times, heights, (legs.start_time, legs.end_time))


class FlagBars:
    """The bars after a pole's end in each lane, `age` of them: their extremes, and the regression of their closes on time."""

    def __init__(self, window: RingView, kind: Integers, age: Integers, pole_end: Floats) -> None:
        lags = range(int(age.max(initial=1)))
        self._bars_on: Integers = age - np.array(lags)[:, np.newaxis]  # from the pole's end to each bar; outside the flag none
        within, up = self._bars_on > 0, kind > 0
        high, low = window.columns("high", lags), window.columns("low", lags)
        self._tops = np.where(within, np.where(up, high, -low), -np.inf)
        self._bottoms = np.where(within, np.where(up, low, -high), np.inf)
        self.highest: Floats = self._tops.max(axis=0)
        self.lowest: Floats = self._bottoms.min(axis=0)
        closes = np.where(within, window.columns("close", lags) * kind - pole_end, 0.0)  # small, so exact
        from_middle = self._bars_on - (age + 1) / 2.0
        self.slope: Floats = sum_of_rows(from_middle * closes) / (age * (age * age - 1) / 12.0)

    def channel(self, through: Line) -> tuple[Line, Line]:
        """Two parallels with the regression's slope that hold all bars, given as they pass the bar of a line with that slope."""
        rise = self.slope * self._bars_on
        upper, lower = (self._tops - rise).max(axis=0), (self._bottoms - rise).min(axis=0)
        return through._replace(height=upper), through._replace(height=lower)
