"""The chart patterns as data: what the catalogue says of them, and the limits by which their shapes are judged."""

from __future__ import annotations

from tickstock.analysis.catalog_entry import CatalogEntry

_HEAD_SHOULDERS_PARAMETERS = {
    "version": 1,
    "prominence": 1.15,  # head over the higher shoulder, both measured from the neckline: at least
    "ideal_prominence": 2.0,
    "shoulder_difference": 0.35,  # between the shoulders, in head heights: at most
    "trough_difference": 0.35,  # between the troughs, in head heights: at most
    "time_ratio": 2.5,  # of the longer to the shorter distance between shoulder and head: at most
    "least_bars": 5,  # between shoulder and head
}

HEAD_SHOULDERS = CatalogEntry(
    name="HeadShoulders",
    kind="chart_pattern",
    family="reversal",
    direction="bearish",
    bars=26,
    description="Three peaks after a rise, the middle one highest; confirmed by a close below the line under the two troughs.",
    source="Osler and Chang 1995, 1999: causal pivots and ratio conditions",
    parameters=_HEAD_SHOULDERS_PARAMETERS,
)

INVERSE_HEAD_SHOULDERS = CatalogEntry(
    name="InverseHeadShoulders",
    kind="chart_pattern",
    family="reversal",
    direction="bullish",
    bars=26,
    description="Three troughs after a fall, the middle one deepest; confirmed by a close above the line over the two peaks.",
    source="Osler and Chang 1995, 1999: causal pivots and ratio conditions",
    parameters=_HEAD_SHOULDERS_PARAMETERS,
)

CHART_PATTERNS = (HEAD_SHOULDERS, INVERSE_HEAD_SHOULDERS)
