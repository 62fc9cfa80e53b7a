"""Constructed examples of every pattern, found by our own detectors: what docs/patterns.md draws.

A candlestick is bred: from random candles behind a short trend those are kept that come nearest to the pattern's conditions, then
those that lie furthest inside them with the least ado. A chart pattern is drawn with a ruler, with a little noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candle_bars import DEPTH, HistoryBars, HistoryMoments
from tickstock.analysis.candlestick_detector import CandlestickDetector
from tickstock.analysis.candlesticks.definition import CandlestickPattern, Sides
from tickstock.analysis.quantities import Condition, Kind, Quantity
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers, PatternHit
from tickstock.analysis.selection import Enabled
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

MINUTE = 60_000
BASE, STEP, UNITS = 100.0, 0.05, 500.0  # dollars; a step, in which candles are measured, is so many units of 1/10,000 dollar
BEFORE = 11  # bars of the trend before a candlestick
USUAL = 20 * UNITS  # range of one of them
POPULATION, PARENTS, GENERATIONS = 384, 48, 140
DRAWINGS = 12  # of a chart pattern, of which the best is taken
MOST = np.array([26, 26, 24, 24])  # steps: of the gap before a bar, its body, its shadows
COST = np.array([0.012, 0.001, 0.001, 0.001])  # of a step of each, in quality: of equals the plainer one is taken
LEAST_RANGE, LEAST_BODY = 16, 3  # steps: a candle that is hardly to be seen shows nothing; each step less costs ...
COST_OF_RANGE, COST_OF_BODY = 0.015, 0.05  # ... in quality


Prices = tuple[Floats, Floats, Floats, Floats]  # open, high, low, close


@dataclass(frozen=True)
class Example:
    """Bars in which a pattern ends with the last one."""

    bars: BarColumns
    own: int  # of the last bars are the pattern's own; 0 for a chart pattern
    side: int  # +1 bullish, -1 bearish, 0 neither
    quality: float
    hit: PatternHit | None = None  # of a chart pattern: its points and lines


@dataclass(slots=True, eq=False)
class Shortfall:
    """A condition by how much it is missed; 0 where it holds."""

    missed: Floats

    @classmethod
    def of(cls, holds: Booleans, distance: Floats | float = 0.0) -> Self:
        """One for each condition that is missed, and how far that is in usual ranges."""
        return cls(np.where(holds, 0.0, 1.0 + np.abs(distance) / USUAL))

    def __and__(self, other: Condition) -> Condition:
        return Shortfall(self.missed + cast("Shortfall", other).missed)

    def __or__(self, other: Condition) -> Condition:
        return Shortfall(np.minimum(self.missed, cast("Shortfall", other).missed))

    def __invert__(self) -> Condition:
        return Shortfall.of(self.missed > 0)


@dataclass(slots=True, eq=False)
class Reaching:
    """A quantity whose comparisons say by how much they are missed."""

    values: Floats

    def __add__(self, other: Quantity) -> Quantity:
        return Reaching(self.values + cast("Reaching", other).values)

    def __sub__(self, other: Quantity) -> Quantity:
        return Reaching(self.values - cast("Reaching", other).values)

    def __mul__(self, other: float) -> Quantity:
        return Reaching(self.values * other)

    __rmul__ = __mul__

    def __abs__(self) -> Quantity:
        return Reaching(np.abs(self.values))

    def __lt__(self, other: Quantity) -> Condition:
        apart = self.values - cast("Reaching", other).values
        return Shortfall.of(apart < 0, apart)

    def __le__(self, other: Quantity) -> Condition:
        apart = self.values - cast("Reaching", other).values
        return Shortfall.of(apart <= 0, apart)

    def __gt__(self, other: Quantity) -> Condition:
        return other < cast("Quantity", self)

    def __ge__(self, other: Quantity) -> Condition:
        return other <= cast("Quantity", self)


class ReachingBars(BarWindow):
    """A window in which conditions say how far they are missed."""

    def same(self, left: Quantity, right: Quantity) -> Condition:
        apart = cast("Reaching", left).values - cast("Reaching", right).values
        return Shortfall.of(apart == 0, apart)

    def _as(self, kind: Kind, values: Floats) -> Quantity:
        return Reaching(values)

    def _label(self, holds: Booleans) -> Condition:
        return Shortfall.of(holds)

    def _coloured(self, lag: int, holds: Booleans) -> Condition:
        return Shortfall.of(holds, self.column("body", lag))


def candlestick_example(pattern: CandlestickPattern, seed: int = 1) -> Example:
    """The bullish side of a candlestick that has one, else its only side.

    Raises:
        LookupError: none was found.
    """
    chance = np.random.default_rng(seed)
    before = _trend(_trend_of(pattern), chance)
    candles = _random_candles(chance, POPULATION * 40, pattern.bars)
    for generation in range(GENERATIONS):
        fitness = np.round(_fitness(pattern, before, candles), 6)  # so that another processor takes the same one
        best = candles[np.argsort(-fitness, kind="stable")[:PARENTS]]
        if generation < GENERATIONS - 1:
            candles = np.concatenate((best, _children(chance, best)))
    bars = _bars(before, best[:1])
    found, _ = CandlestickDetector([pattern], "1min").detect(_last_moments(bars))
    if not found or (pattern.direction == "either" and found[0].side[0] < 0):
        raise LookupError(f"no example of {pattern.name} was found")
    return Example(_columns(bars), pattern.bars, int(found[0].side[0]), float(found[0].quality[0]))


def _trend_of(pattern: CandlestickPattern) -> int:
    """The side to which prices run before the pattern, as the book asks."""
    side = {"bullish": 1, "bearish": -1, "either": 1, "neutral": 0}[pattern.direction]
    return side if pattern.role == "continuation" else -side


def _trend(side: int, chance: np.random.Generator) -> Integers:
    """Ordinary candles: gap, body, upper and lower shadow in steps."""
    body = chance.integers(6, 10, BEFORE) * np.where(np.arange(BEFORE) % 3 == 2, -1, 1) * (side or 1)
    if not side:
        body[::2] = -np.abs(body[::2])
    upper, lower = chance.integers(7, 11, (2, BEFORE))
    return np.stack((np.zeros(BEFORE, np.int64), body, upper, lower), axis=1)


def _random_candles(chance: np.random.Generator, count: int, bars: int) -> Integers:
    """Of shape [count, bars, 4]; plain lengths are as likely as all others together."""
    signed = np.array([1, 1, 0, 0])
    any_length = chance.integers(-MOST * signed, MOST + 1, (count, bars, 4))
    plain = chance.choice(np.array([0, 0, 1, 3, 8, 16, 20]), (count, bars, 4)) * np.where(
        signed, chance.choice((-1, 1), (count, bars, 4)), 1
    )
    chosen: Integers = np.where(chance.random((count, bars, 4)) < 0.5, any_length, plain)
    return chosen


def _children(chance: np.random.Generator, parents: Integers) -> Integers:
    """Each has the candles of one of two parents, some of their measures changed."""
    count = POPULATION - PARENTS
    one, other = parents[chance.integers(0, len(parents), (2, count))]
    mixed = np.where(chance.random((count, parents.shape[1], 1)) < 0.8, one, other)
    step = np.rint(chance.normal(0, 1, mixed.shape) * chance.choice((1, 3, 8), (count, 1, 1))).astype(np.int64)
    changed = mixed + np.where(chance.random(mixed.shape) < 0.35, step, 0)
    kept: Integers = np.clip(changed, -MOST * np.array([1, 1, 0, 0]), MOST)
    return kept


def _fitness(pattern: CandlestickPattern, before: Integers, candles: Integers) -> Floats:
    moments = _last_moments(_bars(before, candles))
    sides = pattern.expression(ReachingBars(moments))
    missed = cast("Shortfall", sides.bullish if isinstance(sides, Sides) else sides).missed
    spans = np.abs(candles[:, :, 1:]).sum(axis=2)
    quality = CandlestickDetector([pattern], "1min").quality(pattern, moments)
    cost = (np.abs(candles) * COST).sum(axis=(1, 2)) + (np.maximum(LEAST_RANGE - spans, 0) * COST_OF_RANGE).sum(axis=1)
    cost += (np.maximum(LEAST_BODY - np.abs(candles[:, :, 1]), 0) * COST_OF_BODY).sum(axis=1)
    fitness: Floats = np.where((missed > 0) | (spans == 0).any(axis=1), -10.0 - missed, quality) - cost
    return fitness


def _bars(before: Integers, candles: Integers) -> Prices:
    """Open, high, low, close in units, of shape [candidates, bars]."""
    all_of_them = np.concatenate((np.broadcast_to(before, (len(candles), *before.shape)), candles), axis=1)
    gap, body, upper, lower = np.moveaxis(all_of_them, 2, 0) * UNITS
    close = BASE / STEP * UNITS + np.cumsum(gap + body, axis=1)
    opening = close - body
    return opening, np.maximum(opening, close) + upper, np.minimum(opening, close) - lower, close


def _columns(prices: Prices) -> BarColumns:
    """The bars of the candidates, one's behind the other's, in dollars."""
    count, length = prices[0].shape
    opening, high, low, close = (np.round(column.reshape(-1) / UNITS * STEP, 2) for column in prices)
    return BarColumns(np.tile(MINUTE * np.arange(length), count), opening, high, low, close, np.full(count * length, 1000.0))


def _last_moments(bars: Prices) -> HistoryMoments:
    """The last bar of each candidate as a lane."""
    count, length = bars[0].shape
    history = HistoryBars(_columns(bars), np.zeros(count * length, np.int64), [length] * count)
    return history.moments(0, len(history)).select(np.arange(1, count + 1) * (length + DEPTH) - DEPTH - 1)


Corners = Sequence[tuple[int, float]]
START: Corners = ((0, 100.0), (15, 100.0), (25, 97.0))  # bars for the average range, then a low to rise from

# The bars and heights between which prices run straight; each other pattern is one of these turned over.
SHAPES: dict[str, Corners] = {
    "HeadShoulders": (*START, (38, 102.0), (48, 99.5), (60, 105.0), (72, 99.5), (83, 102.0), (92, 97.5)),
    "DoubleTop": (*START, (40, 103.0), (52, 100.0), (64, 103.0), (74, 98.5)),
    "TripleTop": (*START, (40, 103.0), (51, 100.0), (62, 103.0), (73, 100.0), (84, 103.0), (94, 98.5)),
    "DescendingTriangle": (*START, (38, 105.0), (51, 99.0), (63, 103.4), (74, 99.0), (84, 101.8), (91, 99.6), (99, 96.0)),
    "SymmetricalTriangle": (
        *START[:2],
        (27, 95),
        (42, 106),
        (57, 96.5),
        (72, 104.6),
        (87, 98),
        (97, 103),
        (102, 101),
        (110, 106),
    ),
    "RisingWedge": (*START, (40, 103.0), (54, 98.4), (70, 105.6), (84, 102.4), (100, 108.4), (116, 101.0)),
    "BullFlag": ((0, 100.0), (15, 100.0), (25, 98.0), (33, 105.0), (44, 103.8), (52, 109.0)),
    "RangeBreakout": ((0, 99), (9, 99.3), (14, 98.7), (20, 99.4), (26, 98.6), (32, 99.4), (38, 98.8), (40, 99.3), (41, 100.4)),
}
TURNED_OVER = {
    "InverseHeadShoulders": "HeadShoulders",
    "DoubleBottom": "DoubleTop",
    "TripleBottom": "TripleTop",
    "AscendingTriangle": "DescendingTriangle",
    "FallingWedge": "RisingWedge",
    "BearFlag": "BullFlag",
}


def chart_pattern_example(name: str) -> Example:
    """Bars up to the one that confirms the pattern.

    Raises:
        LookupError: none was found.
    """
    corners = SHAPES[TURNED_OVER.get(name, name)]
    examples = [
        Example(bars.rows(np.arange(at + 1)), 0, 1 if hit.direction == "bullish" else -1, hit.quality, hit)
        for bars in (_along(corners, seed, turned_over=name in TURNED_OVER) for seed in range(DRAWINGS))
        for at, hit in _confirmed(name, bars)
    ]
    if not examples:
        raise LookupError(f"no example of {name} was found")
    return max(examples, key=lambda example: example.quality)


def _along(corners: Corners, seed: int, *, turned_over: bool) -> BarColumns:
    chance = np.random.default_rng(seed)
    at, price = np.array(corners).T
    length = int(at[-1]) + 1
    close = np.round(np.interp(np.arange(length), at, price) + chance.normal(0, 0.12, length), 2)
    opening = np.concatenate((close[:1], close[:-1]))
    upper, lower = np.round(np.abs(chance.normal(0, 0.15, (2, length))), 2)
    high, low = np.maximum(opening, close) + upper, np.minimum(opening, close) - lower
    if turned_over:
        opening, high, low, close = (200.0 - column for column in (opening, low, high, close))
    return BarColumns(MINUTE * np.arange(length), opening, high, low, close, np.full(length, 1000.0))


def _confirmed(name: str, bars: BarColumns) -> Iterator[tuple[int, PatternHit]]:
    analysis = TimeframeAnalysis("1min", 1, Enabled(frozenset({name}), (), frozenset()))
    for at in range(len(bars.close)):
        for hit in analysis.close_bars(np.zeros(1, np.int64), bars.rows(np.array([at])), 0).shape_hits():
            if hit.pattern == name and hit.state == "confirmed":
                yield at, hit
