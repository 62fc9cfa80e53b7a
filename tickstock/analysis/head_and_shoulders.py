"""Head and shoulders (Osler and Chang 1995, 1999)."""

from __future__ import annotations

import numpy as np

from tickstock.analysis.chart_conditions import all_of, at_least, at_most, ratio_at_most
from tickstock.analysis.chart_pattern_rules import HEAD_SHOULDERS, INVERSE_HEAD_SHOULDERS
from tickstock.analysis.chart_shape import ChartShape, Line, PivotShapes, Shape
from tickstock.analysis.pivots import PivotWindow
from tickstock.analysis.quantities import Margins
from tickstock.analysis.results import Floats


def head_and_shoulders(pivots: PivotWindow, tick: Floats) -> tuple[Shape]:
    """Three peaks after a rise, the middle one highest, the outer two alike, over two troughs at about one height.

    The six pivots are start, left shoulder, left trough, head, right trough, right shoulder; the neckline joins the troughs.
    """
    limit = HEAD_SHOULDERS.parameters
    start, left, left_trough, head, right_trough, right = (pivots.height(lag) for lag in (5, 4, 3, 2, 1, 0))
    at_left, at_left_trough, at_head, at_right_trough, at_right = (pivots.index(lag) for lag in (4, 3, 2, 1, 0))
    slope = (right_trough - left_trough) / (at_right_trough - at_left_trough)
    neckline = Line(at_left_trough, pivots.time(3), left_trough, slope)
    height = head - neckline.at(at_head)
    left_height, right_height = left - neckline.at(at_left), right - neckline.at(at_right)
    before, after = at_head - at_left, at_right - at_head
    fits = all_of(
        Margins.label((head > left) & (head > right) & (left_height > 0) & (right_height > 0) & (height > 0)),
        at_least(height / np.maximum(left_height, right_height), limit["prominence"], limit["ideal_prominence"]),
        at_most(np.abs(left_height - right_height), limit["shoulder_difference"] * height, tick),
        at_most(np.abs(right_trough - left_trough), limit["trough_difference"] * height, tick),
        ratio_at_most(np.maximum(before, after) / np.minimum(before, after), limit["time_ratio"]),
        Margins.label(np.minimum(before, after) >= limit["least_bars"]),
        Margins.label(start < np.minimum(left_trough, right_trough)),
    )
    return (Shape(fits, height, None, neckline, head, None, at_right + (at_right - at_left)),)


HEAD_AND_SHOULDERS = PivotShapes(
    shapes=(
        ChartShape(
            top=HEAD_SHOULDERS,
            bottom=INVERSE_HEAD_SHOULDERS,
            names=("start", "left shoulder", "left neck", "head", "right neck", "right shoulder"),
            key=(1, 5),
            level="neckline",
            void_reason="beyond the head",
        ),
    ),
    pivots=6,
    expression=head_and_shoulders,
)
