"""Candles drawn shape by shape, so that patterns which hardly ever occur are there, and are just missed, often.

Everything is in ticks: an ordinary bar spans about twenty, its body about eight. A drawing is the bullish side of one or two
patterns; a series holds each as often with its prices turned over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.analysis.series import Series, series

BARS_BEFORE = 11  # ordinary ones between two drawings: the averages look ten bars back from the bar before
UNMOVED = 0.4  # of the measures of a drawing are as written, the others a few ticks off
SPOILED = 0.4  # of the drawings have one candle that is plainly another one

Row = tuple[int, int, int, int]  # open, high, low, close


@dataclass(frozen=True)
class Candle:
    """A bar by its body and shadows; `opens` and `closes` are places on the bar before, as in "low-4", or on an earlier one:
    "low@2-4" is on the bar two before."""

    body: int = 0
    upper: int = 0
    lower: int = 0
    opens: str = ""
    closes: str = ""


MARUBOZU = Candle(20)
DOJI = Candle(0, 8, 8)
BLACK = Candle(-20, 3, 3)

DRAWINGS: dict[str, tuple[Candle, ...]] = {
    "Doji": (DOJI,),
    "DragonflyDoji": (Candle(1, 0, 12),),
    "LongLeggedDoji": (Candle(1, 3, 20),),
    "RickshawMan": (Candle(-1, 10, 10),),
    "RickshawMan, at the end of near": (Candle(0, 15, 7),),
    "Hammer": (BLACK, Candle(3, 0, 14, opens="low")),
    "HangingMan": (Candle(20, 3, 3), Candle(-3, 0, 14, opens="high+2")),
    "InvertedHammer": (BLACK, Candle(2, 12, 0, opens="close-5")),
    "SpinningTop": (Candle(3, 9, 9),),
    "HighWave but for a long body": (Candle(12, 28, 28),),
    "Marubozu": (MARUBOZU,),
    "ClosingMarubozu": (Candle(20, 0, 8),),
    "BeltHold": (Candle(20, 8, 0),),
    "LongLine": (Candle(20, 3, 3),),
    "ShortLine": (Candle(4, 3, 3),),
    "Engulfing": (Candle(-4, 3, 3), Candle(opens="close-2", closes="open+2", upper=2, lower=2)),
    "Engulfing at its end": (Candle(-4, 3, 3), Candle(opens="close", closes="open+2", upper=2, lower=2)),
    "Harami": (BLACK, Candle(5, 3, 3, opens="close+6")),
    "Harami at its end": (BLACK, Candle(5, 3, 3, opens="close")),
    "HaramiCross": (BLACK, Candle(0, 8, 8, opens="close+10")),
    "HaramiCross at its end": (BLACK, Candle(1, 8, 8, opens="close")),
    "Piercing": (BLACK, Candle(opens="low-3", closes="close+15", upper=2, lower=2)),
    "DojiStar": (BLACK, Candle(0, 5, 5, opens="close-6")),
    "Kicking": (Candle(-20), Candle(24, opens="high+5")),
    "Kicking, the first longer": (Candle(-24), Candle(20, opens="high+5")),
    "Kicking but for short bodies": (Candle(-7), Candle(7, opens="high+5")),
    "HomingPigeon": (BLACK, Candle(-5, 3, 3, opens="open-7")),
    "MatchingLow": (BLACK, Candle(-8, 3, 3, closes="close")),
    "InNeck": (BLACK, Candle(opens="low-6", closes="close", upper=2, lower=2)),
    "InNeck, a tick inside": (BLACK, Candle(opens="low-6", closes="close+1", upper=2, lower=2)),
    "OnNeck": (Candle(-20, 3, 0), Candle(opens="low-8", closes="low", upper=2, lower=2)),
    "Thrusting": (BLACK, Candle(opens="low-4", closes="close+6", upper=2, lower=2)),
    "SeparatingLines": (BLACK, Candle(20, 4, 0, opens="open")),
    "CounterAttack": (BLACK, Candle(20, 3, 3, closes="close")),
}


def drawn(
    seed: int,
    rounds: int,
    drawings: Mapping[str, Sequence[Candle]] = DRAWINGS,
    *,
    base: float = 50.0,
    tick: float = 0.01,
    pace: int = 1,
) -> Series:
    """Every drawing so many times and turned over as often, in random order; `pace` makes all bars that many times as long.

    What lay on the grid before lies on or around it then, so that limits which fall between two of its prices are hit too. The
    lowest low is at the base, in dollars.
    """
    generator = np.random.default_rng(seed)
    rows: list[Row] = [(0, 10, -10, 0)]
    each = list(drawings.values()) * rounds
    for at in generator.permutation(2 * len(each)).tolist():
        start = len(rows) - 1
        rows += _ordinary(generator, rows[-1][3])
        drawing, turned_over = each[at // 2], at % 2
        if turned_over:
            rows[-1] = _turned_over(rows[-1])
        spoiled = int(generator.integers(len(drawing))) if generator.random() < SPOILED else None
        for place, candle in enumerate(drawing):
            bar = _bar(generator, candle, rows)
            rows.append(_spoiled(generator, bar) if place == spoiled else bar)
        if turned_over:
            rows[-len(drawing) - 1 :] = [_turned_over(row) for row in rows[-len(drawing) - 1 :]]
        assert len(rows) == start + 1 + BARS_BEFORE + len(drawing)
    ticks = np.array(rows) * pace
    ticks += generator.integers(-(pace // 2), pace // 2 + 1, ticks.shape) * (generator.random(ticks.shape) < 0.5)
    ticks[:, 1], ticks[:, 2] = ticks.max(axis=1), ticks.min(axis=1)
    return series(np.round(base + (ticks - ticks.min()) * tick, 6))


def _ordinary(generator: np.random.Generator, close: int) -> list[Row]:
    rows = []
    for _ in range(BARS_BEFORE):
        opening = close + int(generator.integers(-1, 2))
        close = opening + int(generator.integers(4, 13)) * (1 if generator.random() < 0.5 else -1)
        upper, lower = generator.integers(3, 10, 2).tolist()
        rows.append((opening, max(opening, close) + upper, min(opening, close) - lower, close))
    return rows


def _bar(generator: np.random.Generator, candle: Candle, before: list[Row]) -> Row:
    def about(ticks: int) -> int:
        return ticks if generator.random() < UNMOVED else ticks + int(generator.integers(-3, 4))

    body = about(candle.body)
    opening = about(_place(candle.opens or "close", before))
    close = about(_place(candle.closes, before)) if candle.closes else opening + body
    if candle.closes and not candle.opens:
        opening = close - body
    upper, lower = max(about(candle.upper), 0), max(about(candle.lower), 0)
    return (opening, max(opening, close) + upper, min(opening, close) - lower, close)


def _spoiled(generator: np.random.Generator, bar: Row) -> Row:
    """Of the other colour, or with one measure far off, or in another place."""
    opening, high, low, close = bar
    ticks = int(generator.integers(4, 16)) * (1 if generator.random() < 0.5 else -1)
    match generator.integers(5):
        case 0:
            return (close, high, low, opening)
        case 1:
            return (opening, max(high + ticks, opening, close), low, close)
        case 2:
            return (opening, high, min(low - ticks, opening, close), close)
        case 3:
            return (opening, max(high, close + ticks), min(low, close + ticks), close + ticks)
        case _:
            return (opening + ticks, high + ticks, low + ticks, close + ticks)


def _place(words: str, before: list[Row]) -> int:
    name, back, ticks = re.fullmatch(r"(open|high|low|close)(?:@(\d))?([+-]\d+)?", words).groups()
    return before[-int(back or 1)][("open", "high", "low", "close").index(name)] + int(ticks or 0)


def _turned_over(row: Row) -> Row:
    opening, high, low, close = row
    return (-opening, -low, -high, -close)
