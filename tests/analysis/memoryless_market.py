"""A simulated market without drift or memory: whole ticks up and down by symmetrical chance, whatever came before.

Its days are busy or quiet, its mornings and evenings are busier than its noons, and some minutes pass without a trade, as on a
real market; none of that says where the price goes next.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from tickstock.analysis.results import BarColumns
from tickstock.history.bar_series import BarSeries
from tickstock.market_hours import MINUTE_MS, OPENING, new_york_ms

MINUTES, STEPS = 390, 8
START_CENTS = 10_000
FIRST_DAY = date(2013, 1, 2)

# From the places of what was planted (bars) to the drift of each later bar, in ticks a step.
Plant = Callable[[BarSeries], np.ndarray]


def market_days(count: int) -> list[int]:
    """The openings of so many weekdays."""
    days = [FIRST_DAY + timedelta(days=number) for number in range(2 * count + 7)]
    return [new_york_ms(day, OPENING) for day in days if day.weekday() < 5][:count]


def memoryless_series(seed: int, days: int, symbol: str = "WALK", plant: Plant | None = None) -> BarSeries:
    """One-minute bars of one symbol; `plant` is shown the bars and may add a drift to each of them."""
    generator = np.random.default_rng(seed)
    busy_day = np.exp(generator.normal(0, 0.4, (days, 1, 1)))
    busy_time = 1.5 - np.sin(np.linspace(0, np.pi, MINUTES))[np.newaxis, :, np.newaxis]
    steps = np.rint(2.0 * busy_day * busy_time * generator.normal(0, 1, (days, MINUTES, STEPS)))
    traded = generator.random(days * MINUTES) > 0.03
    series = _bars(steps, traded, symbol)
    if plant is not None:
        drift = np.zeros(days * MINUTES)
        drift[traded] = plant(series)
        series = _bars(steps + drift.reshape(days, MINUTES, 1), traded, symbol)
    return series


def _bars(steps: np.ndarray, traded: np.ndarray, symbol: str) -> BarSeries:
    days = len(steps)
    path = START_CENTS + np.rint(np.cumsum(steps.reshape(days, -1), axis=1))
    prices = path.reshape(-1, STEPS)[traded] / 100
    sessions = np.repeat(market_days(days), MINUTES)[traded]
    times = sessions + np.tile(np.arange(MINUTES) * MINUTE_MS, days)[traded]
    volume = np.full(len(prices), 1000.0)
    bars = BarColumns(times, prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1], volume)
    return BarSeries(symbol, "1min", bars, sessions)
