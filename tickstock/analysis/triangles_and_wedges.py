"""Triangles and wedges: five pivots between two lines that run together.

How much each line rises from the first to the fifth pivot, in heights, decides which of the five shapes it is; no pivots are two
of them. With the newest pivot a low, the same expressions find the mirror images.
"""

from __future__ import annotations

import numpy as np

from tickstock.analysis.chart_conditions import all_of, at_least, at_most
from tickstock.analysis.chart_pattern_rules import (
    ASCENDING_TRIANGLE,
    DESCENDING_TRIANGLE,
    FALLING_WEDGE,
    RISING_WEDGE,
    SYMMETRICAL_TRIANGLE,
)  # fmt: skip
from tickstock.analysis.chart_shape import VOID_BY_LINE, ChartShape, Line, PivotShapes, Shape
from tickstock.analysis.pivots import PivotWindow
from tickstock.analysis.quantities import Margins
from tickstock.analysis.results import Floats, Integers


def converging_lines(pivots: PivotWindow, tick: Floats) -> tuple[Shape, ...]:
    """Ascending, descending and symmetrical triangle, rising and falling wedge, in this order.

    The upper line is fitted to the three highs, the lower one joins the two lows.
    """
    limit = ASCENDING_TRIANGLE.parameters
    first, last, first_time = pivots.index(4), pivots.index(0), pivots.time(4)
    upper, distance = _through_three(pivots)
    low, at_low = pivots.height(3), pivots.index(3)
    slope = (pivots.height(1) - low) / (pivots.index(1) - at_low)
    lower = Line(first, first_time, low - slope * (at_low - first), slope)
    span = last - first
    height = upper.height - lower.height
    width = upper.at(last) - lower.at(last)
    converging = all_of(
        Margins.label((height > 0) & (width > 0) & (span >= limit["least_bars"])),
        at_most(width, limit["convergence"] * height, tick),
        at_most(distance, limit["touch"] * height, tick),
    )
    apex = span / (1.0 - np.minimum(width / height, 0.99))
    deadline = first + np.floor(limit["apex_share"] * np.where(converging.holds, apex, 0.0)).astype(np.int64)
    upper_rise, lower_rise = upper.slope * span, lower.slope * span
    flat, steep = limit["flat"] * height, limit["ideal_rise"] * height

    def rises(rise: Floats) -> Margins:
        return at_least(rise, flat, steep)

    def is_flat(rise: Floats) -> Margins:
        return at_most(np.abs(rise), flat, tick)

    kinds = (
        all_of(converging, is_flat(upper_rise), rises(lower_rise)),
        all_of(converging, is_flat(lower_rise), rises(-upper_rise)),
        all_of(converging, rises(-upper_rise), rises(lower_rise)),
        all_of(converging, rises(upper_rise), rises(lower_rise)),
        all_of(converging, rises(-upper_rise), rises(-lower_rise)),
    )
    return tuple(Shape(fits, height, upper, lower, None, None, deadline) for fits in kinds)


def _through_three(pivots: PivotWindow) -> tuple[Line, Floats]:
    """The line of least squares through the highs at lags 4, 2 and 0, and how far the furthest of them lies from it."""
    heights = tuple(pivots.height(lag) for lag in (4, 2, 0))
    at: tuple[Integers, ...] = tuple(pivots.index(lag) for lag in (4, 2, 0))
    middle_index = (at[0] + at[1] + at[2]) / 3.0
    middle_height = (heights[0] + heights[1] + heights[2]) / 3.0
    from_middle = tuple(index - middle_index for index in at)
    slope = sum_of(from_middle, heights) / sum_of(from_middle, from_middle)
    line = Line(at[0], pivots.time(4), middle_height + slope * from_middle[0], slope)
    residuals = tuple(np.abs(height - line.at(index)) for height, index in zip(heights, at, strict=True))
    return line, np.maximum(np.maximum(residuals[0], residuals[1]), residuals[2])


def sum_of(left: tuple[Floats, ...], right: tuple[Floats, ...]) -> Floats:
    """The sum of products, always in the same order, so that a lane gives the same alone and among others."""
    total: Floats = left[0] * right[0]
    for one, other in zip(left[1:], right[1:], strict=True):
        total = total + one * other
    return total


_NAMES = ("first", "second", "third", "fourth", "fifth")

TRIANGLES_AND_WEDGES = PivotShapes(
    shapes=(
        ChartShape(ASCENDING_TRIANGLE, DESCENDING_TRIANGLE, _NAMES, key=(0, 4), one_at_a_time=True),
        ChartShape(DESCENDING_TRIANGLE, ASCENDING_TRIANGLE, _NAMES, key=(0, 4), one_at_a_time=True),
        ChartShape(SYMMETRICAL_TRIANGLE, SYMMETRICAL_TRIANGLE, _NAMES, key=(0, 4), one_at_a_time=True),
        ChartShape(RISING_WEDGE, FALLING_WEDGE, _NAMES, key=(0, 4), above=VOID_BY_LINE, one_at_a_time=True),
        ChartShape(FALLING_WEDGE, RISING_WEDGE, _NAMES, key=(0, 4), below=VOID_BY_LINE, one_at_a_time=True),
    ),
    pivots=5,
    expression=converging_lines,
)
