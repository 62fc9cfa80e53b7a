"""How sure a rate is when whole days are the only independent observations: resampling, Student's t, Benjamini-Hochberg.

Signals of one day share its market, so days are drawn, not signals. The spread of the draws is the error of the difference. Its
tails are Student's with as many degrees of freedom as there are days that carry weight, which keeps small samples honest: 2,000
draws alone could not tell a chance of one in a million from one in a thousand, and many rows need that.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from tickstock.analysis.results import Booleans, Floats

DRAWS = 2_000
# Larger products would wake the threads of the linear algebra library, which spin on cores that others need: measured, five
# times slower beside busy processes. https://github.com/OpenMathLib/OpenBLAS/blob/develop/interface/gemm.c
DRAWS_AT_ONCE, LARGEST_PRODUCT = 10, 250_000
SEED = 20_131_007


def spread_of_draws(excess: Floats, events: Floats, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """The standard deviation of Σ excess ÷ Σ events when whole days are drawn with replacement.

    Args:
        excess: by day and row, what the day's events have more than was expected of them.
        events: by day and row, how many there were.
    """
    days, rows = excess.shape
    generator = np.random.default_rng(seed)
    rows_at_once = max(LARGEST_PRODUCT // (DRAWS_AT_ONCE * days), 1)
    ratios = np.full((draws, rows), np.nan)
    for first in range(0, draws, DRAWS_AT_ONCE):
        drawn = slice(first, min(first + DRAWS_AT_ONCE, draws))
        times = generator.multinomial(days, np.full(days, 1.0 / days), drawn.stop - first).astype(np.float64)
        for row in range(0, rows, rows_at_once):
            some = slice(row, row + rows_at_once)
            count = times @ events[:, some]
            np.divide(times @ excess[:, some], count, out=ratios[drawn, some], where=count > 0)
    spread: Floats = np.nanstd(ratios, axis=0) * math.sqrt(days / max(days - 1, 1))
    return spread


def weighty_days(events: Floats) -> Floats:
    """How many equally busy days would weigh as much as these, by row: (Σ n)² ÷ Σ n²."""
    squares = (events**2).sum(axis=0)
    return np.where(squares > 0, events.sum(axis=0) ** 2 / np.maximum(squares, 1e-300), 0.0)


def chance_above(statistic: float, freedom: float) -> float:
    """The probability that Student's t exceeds a value (Wallace 1959: the normal deviate of the same tail)."""
    if not freedom > 0:
        return 1.0
    deviate = _narrowing(freedom) * math.sqrt(freedom * math.log1p(statistic * statistic / freedom))
    return 0.5 * math.erfc(math.copysign(deviate, statistic) / math.sqrt(2.0))


def student_quantile(probability: float, freedom: float) -> float:
    """The value that Student's t stays under with this probability; the inverse of `chance_above`."""
    if not freedom > 0:
        return math.inf
    deviate = NormalDist().inv_cdf(probability) / _narrowing(freedom)
    return math.copysign(math.sqrt(freedom * math.expm1(min(deviate * deviate / freedom, 700.0))), deviate)


def _narrowing(freedom: float) -> float:
    return (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)


def survivors(chances: Floats, rate: float = 0.05) -> Booleans:
    """Which rows survive Benjamini-Hochberg at a false discovery rate, over all of them; a row without a test has chance 1.

    Benjamini and Hochberg 1995, https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    """
    order = np.argsort(chances, kind="stable")
    limits = rate * np.arange(1, len(chances) + 1) / max(len(chances), 1)
    below = np.flatnonzero(chances[order] <= limits)
    survive = np.zeros(len(chances), np.bool_)
    if len(below):
        survive[order[: below[-1] + 1]] = True
    return survive
