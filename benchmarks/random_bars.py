"""One-minute bars of random walks on the tick grid, for benchmarks: many symbols side by side, or years of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tickstock.analysis.results import BarColumns, Floats, Integers

MINUTE = 60_000
START = 1_728_307_800_000  # 09:30 New York
MINUTES_A_SESSION = 390
DAY = 86_400_000
STEPS = 8  # of the walk in one bar


def walks(minutes: int, symbols: int, seed: int = 1) -> BarColumns:
    """Bars of shape [minutes, symbols]: prices from 5 to 600 dollars, steps of a few cents, 100 to 20,000 shares."""
    chance = np.random.default_rng(seed)
    start = np.rint(np.exp(chance.uniform(np.log(5), np.log(600), symbols)) * 100)
    size = np.maximum(start * 0.0003, 1.5)  # ticks a step
    moves = np.rint(chance.normal(0.0, 1.0, (minutes, STEPS, symbols)) * size)
    path = np.maximum(start + np.cumsum(moves.reshape(-1, symbols), axis=0), 100.0).reshape(minutes, STEPS, symbols) / 100
    opening = np.concatenate((start[np.newaxis] / 100, path[:-1, -1]))
    high, low = np.maximum(path.max(axis=1), opening), np.minimum(path.min(axis=1), opening)
    volume = np.rint(np.exp(chance.normal(7.5, 1.0, (minutes, symbols))))
    timestamp = np.broadcast_to(times(minutes)[0][:, np.newaxis], (minutes, symbols))
    return BarColumns(timestamp, opening, high, low, path[:, -1], volume)


def times(minutes: int) -> tuple[Integers, Integers]:
    """The start of each minute, and of its session: 390 minutes a day, every day."""
    day, minute = np.divmod(np.arange(minutes), MINUTES_A_SESSION)
    sessions = START + DAY * day
    return sessions + MINUTE * minute, sessions


def at(bars: BarColumns, minute: int, chosen: Integers) -> BarColumns:
    """The bars of some symbols in one minute."""
    return each_column(bars, lambda column: column[minute].take(chosen))


def one_symbol(bars: BarColumns) -> BarColumns:
    """The bars of the first symbol, as one series."""
    return each_column(bars, lambda column: np.ascontiguousarray(column[:, 0]))


def each_column(bars: BarColumns, change: Callable[[Any], Any]) -> BarColumns:
    """The bars with every column changed."""
    return BarColumns(*(change(column) for column in bars))


def in_units(bars: BarColumns) -> tuple[Floats, Floats, Floats, Floats]:
    """Open, high, low, close as whole 1/10,000 dollars, as TA-Lib is given them."""
    opening, high, low, close = (np.ascontiguousarray(np.rint(price * 10_000)) for price in bars[1:5])
    return opening, high, low, close
