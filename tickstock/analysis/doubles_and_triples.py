"""Double and triple tops; upside down they are bottoms."""

from __future__ import annotations

import numpy as np

from tickstock.analysis.chart_conditions import all_of, at_most, better_near_one
from tickstock.analysis.chart_pattern_rules import DOUBLE_BOTTOM, DOUBLE_TOP, TRIPLE_BOTTOM, TRIPLE_TOP
from tickstock.analysis.chart_shape import ChartShape, Line, PivotShapes, Shape
from tickstock.analysis.pivots import PivotWindow
from tickstock.analysis.quantities import Margins
from tickstock.analysis.results import Floats


def double_top(pivots: PivotWindow, tick: Floats) -> tuple[Shape]:
    """Two peaks at about one height, after a rise from under the trough between them."""
    limit = DOUBLE_TOP.parameters
    start, first, trough, second = (pivots.height(lag) for lag in (3, 2, 1, 0))
    at_first, at_trough, at_second = (pivots.index(lag) for lag in (2, 1, 0))
    highest = np.maximum(first, second)
    height = highest - trough
    before, after = at_trough - at_first, at_second - at_trough
    fits = all_of(
        Margins.label(start < trough),
        at_most(np.abs(first - second), limit["peak_difference"] * height, tick),
        Margins.label(at_second - at_first >= limit["least_bars"]),
        better_near_one(np.minimum(before, after) / np.maximum(before, after)),
    )
    line = Line.flat(at_trough, pivots.time(1), trough)
    return (Shape(fits, height, None, line, highest + limit["void_beyond"] * height, None, at_second + (at_second - at_first)),)


def triple_top(pivots: PivotWindow, tick: Floats) -> tuple[Shape]:
    """Three peaks at about one height over two troughs at about one height, after a rise from under both."""
    limit = TRIPLE_TOP.parameters
    start, first, trough, second, other_trough, third = (pivots.height(lag) for lag in (5, 4, 3, 2, 1, 0))
    at_first, at_trough, at_second, at_other_trough, at_third = (pivots.index(lag) for lag in (4, 3, 2, 1, 0))
    highest = np.maximum(np.maximum(first, second), third)
    lowest = np.minimum(np.minimum(first, second), third)
    height = (first + second + third) / 3.0 - np.maximum(trough, other_trough)
    before, after = at_second - at_first, at_third - at_second
    fits = all_of(
        Margins.label((height > 0) & (start < np.minimum(trough, other_trough))),
        at_most(highest - lowest, limit["peak_difference"] * height, tick),
        at_most(np.abs(trough - other_trough), limit["trough_difference"] * height, tick),
        Margins.label(np.minimum(before, after) >= limit["least_bars"]),
        better_near_one(np.minimum(before, after) / np.maximum(before, after)),
    )
    first_is_lower = trough <= other_trough
    line = Line.flat(
        np.where(first_is_lower, at_trough, at_other_trough),
        np.where(first_is_lower, pivots.time(3), pivots.time(1)),
        np.minimum(trough, other_trough),
    )
    return (Shape(fits, height, None, line, highest + limit["void_beyond"] * height, None, at_third + (at_third - at_first)),)


DOUBLE = ChartShape(
    top=DOUBLE_TOP,
    bottom=DOUBLE_BOTTOM,
    names=("start", "first", "between", "second"),
    key=(1, 3),
    void_reason="beyond the peaks",
)
TRIPLE = ChartShape(
    top=TRIPLE_TOP,
    bottom=TRIPLE_BOTTOM,
    names=("start", "first", "after the first", "second", "after the second", "third"),
    key=(1, 5),
    void_reason="beyond the peaks",
)
DOUBLES = PivotShapes((DOUBLE,), pivots=4, expression=double_top)
TRIPLES = PivotShapes((TRIPLE,), pivots=6, expression=triple_top)
