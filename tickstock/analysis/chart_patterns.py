"""The chart patterns that are shapes on the last confirmed pivots; flags and breakouts also look at the bars themselves."""

from __future__ import annotations

from tickstock.analysis.chart_shape import PivotShapes
from tickstock.analysis.doubles_and_triples import DOUBLES, TRIPLES
from tickstock.analysis.head_and_shoulders import HEAD_AND_SHOULDERS
from tickstock.analysis.triangles_and_wedges import TRIANGLES_AND_WEDGES

PIVOT_SHAPES: tuple[PivotShapes, ...] = (HEAD_AND_SHOULDERS, TRIPLES, DOUBLES, TRIANGLES_AND_WEDGES)
