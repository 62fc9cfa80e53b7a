"""The chart patterns: shapes on the last confirmed pivots, each written once for the top and found upside down as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tickstock.analysis.catalog_entry import CatalogEntry
from tickstock.analysis.chart_pattern_rules import HEAD_SHOULDERS, INVERSE_HEAD_SHOULDERS
from tickstock.analysis.pivots import PivotWindow
from tickstock.analysis.results import Booleans, Floats, Integers


@dataclass(slots=True)
class Shape:
    """A shape in each lane: where it holds, and what decides its further life. Heights are turned as in `PivotWindow`."""

    holds: Booleans
    quality: Floats
    height: Floats  # of the shape, in dollars
    line_at: Integers  # bar index of a point of its line ...
    line_height: Floats  # ... the height there ...
    line_slope: Floats  # ... and the line's rise a bar: a close below the line confirms
    void_above: Floats  # a high above this makes it void
    deadline: Integers  # the last bar index that can confirm


@dataclass(frozen=True, slots=True)
class ChartShape:
    """A shape's definition: its expression on the last pivots, and the patterns that it is as a top and upside down."""

    top: CatalogEntry
    bottom: CatalogEntry
    pivots: int
    first: int  # lag of the first of its defining pivots; the newest is the last
    names: tuple[str, ...]  # of the pivots, oldest first
    expression: Callable[[PivotWindow, Floats], Shape]


def head_and_shoulders(pivots: PivotWindow, tick: Floats) -> Shape:
    """Three peaks after a rise, the middle one highest, the outer two alike, over two troughs at about one height.

    The six pivots are start, left shoulder, left trough, head, right trough, right shoulder; the neckline joins the troughs
    (Osler and Chang 1995, 1999, with the limits of the catalogue). `tick` is each lane's price step in dollars.
    """
    limit = HEAD_SHOULDERS.parameters
    start, left, left_trough, head, right_trough, right = (pivots.height(lag) for lag in (5, 4, 3, 2, 1, 0))
    at_left, at_left_trough, at_head, at_right_trough, at_right = (pivots.index(lag) for lag in (4, 3, 2, 1, 0))
    slope = (right_trough - left_trough) / np.maximum(at_right_trough - at_left_trough, 1)

    def above_neck(height: Floats, at: Integers) -> Floats:
        difference: Floats = height - (left_trough + slope * (at - at_left_trough))
        return difference

    head_height = above_neck(head, at_head)
    left_height, right_height = above_neck(left, at_left), above_neck(right, at_right)
    before, after = at_head - at_left, at_right - at_head
    positive = (head > left) & (head > right) & (np.minimum(np.minimum(left_height, right_height), head_height) > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        prominence = head_height / np.maximum(left_height, right_height)
        shoulders = np.abs(left_height - right_height)
        troughs = np.abs(right_trough - left_trough)
        balance = np.maximum(before, after) / np.minimum(before, after)
        holds = (
            positive
            & (prominence >= limit["prominence"])
            & (shoulders <= limit["shoulder_difference"] * head_height)
            & (troughs <= limit["trough_difference"] * head_height)
            & (balance <= limit["time_ratio"])
            & (np.minimum(before, after) >= limit["least_bars"])
            & (start < np.minimum(left_trough, right_trough))
        )
        quality = np.zeros(len(tick))
        if holds.any():
            margins = _geometric_mean(
                _room(shoulders, limit["shoulder_difference"] * head_height, tick),
                _room(troughs, limit["trough_difference"] * head_height, tick),
                1.0 - np.log(balance) / np.log(limit["time_ratio"]),
                (prominence - limit["prominence"]) / (limit["ideal_prominence"] - limit["prominence"]),
            )
            quality = np.where(holds, margins, 0.0)
    return Shape(
        holds=holds,
        quality=quality,
        height=head_height,
        line_at=at_left_trough,
        line_height=left_trough,
        line_slope=slope,
        void_above=head,
        deadline=at_right + (at_right - at_left),
    )


CHART_SHAPES = (
    ChartShape(
        top=HEAD_SHOULDERS,
        bottom=INVERSE_HEAD_SHOULDERS,
        pivots=6,
        first=4,
        names=("start", "left shoulder", "left neck", "head", "right neck", "right shoulder"),
        expression=head_and_shoulders,
    ),
)


def _room(length: Floats, limit: Floats, tick: Floats) -> Floats:
    """The margin of a length under a limit; the length counts as one tick at least, and a limit under a tick leaves no room."""
    return np.where(limit < tick, 0.0, 1.0 - np.maximum(length, tick) / limit)


def _geometric_mean(*margins: Floats) -> Floats:
    product: Floats = np.prod([np.clip(margin, 0.0, 1.0) for margin in margins], axis=0)
    mean: Floats = product ** (1.0 / len(margins))
    return mean
