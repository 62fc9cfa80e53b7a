"""Series of one-minute bars that rates are measured on: real ones, random walks, the simulated market."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks.random_bars import times
from tickstock.analysis.results import BarColumns, Integers
from tickstock.market_hours import AlwaysOpenCalendar, Calendar, ExchangeCalendar
from tickstock.settings import DEFAULT_SYMBOLS
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.trades import SHARE

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden"
GOLDEN_SYMBOLS = ("SPY", "AIG", "BAC")
SIMULATED_FROM = date(2026, 11, 16)
STEPS = 12  # of a walk in one bar; the first leads from the close before to the open
LEAST_STEP, STEP = 2.0, 0.00025  # in ticks, and as a share of the price


@dataclass(frozen=True)
class Series:
    """The bars of one symbol, and the start of each one's session."""

    symbol: str
    bars: BarColumns
    sessions: Integers

    def __len__(self) -> int:
        return len(self.bars.close)


def golden(folder: Path = GOLDEN, suffix: str = "_1m_rth") -> list[Series]:
    """The real bars: three symbols, five days; `_1m` instead of `_1m_rth` has the extended hours too."""
    return [_golden(symbol, folder / f"{symbol}{suffix}.csv.gz") for symbol in GOLDEN_SYMBOLS]


def _golden(symbol: str, path: Path) -> Series:
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    prices = (np.array([float(row[name]) for row in rows]) for name in ("open", "high", "low", "close", "volume"))
    timestamp = np.array([int(row["bar_start_utc"]) * 1000 for row in rows])
    sessions = _sessions(timestamp, ExchangeCalendar())
    return Series(symbol, BarColumns(timestamp, *prices), sessions)


def _sessions(timestamp: Integers, calendar: Calendar) -> Integers:
    found = [calendar.session_at(each) for each in timestamp.tolist()]
    return np.array([0 if session is None else session.start for session in found])


def walks(symbols: int, days: int, seed: int = 1) -> list[Series]:
    """Random walks on the grid of cents without drift or memory, 390 bars a day, from 5 to 600 dollars.

    A bar opens one step from the close before, so that there are gaps; a step is never so small that bars are without a range.
    """
    chance = np.random.default_rng(seed)
    timestamp, sessions = times(days * 390)
    series = []
    for number in range(symbols):
        start = np.rint(np.exp(chance.uniform(np.log(5), np.log(600))) * 100)
        size = max(start * STEP, LEAST_STEP)
        moves = np.rint(chance.normal(0.0, size, (len(timestamp), STEPS)))
        path = np.maximum(start + np.cumsum(moves.reshape(-1)), 100.0).reshape(-1, STEPS) / 100
        volume = np.rint(100 + np.exp(chance.normal(7.5, 1.0, len(timestamp))))
        bars = BarColumns(timestamp, path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1], volume)
        series.append(Series(f"WALK{number}", bars, sessions))
    return series


def simulated(days: int, seed: int = 1) -> list[Series]:
    """The market that the simulator shows on the wall clock: its 70 default symbols, each day of 1,440 minutes one session."""
    market = SyntheticMarket(DEFAULT_SYMBOLS, seed, AlwaysOpenCalendar())
    chosen = [SIMULATED_FROM + timedelta(days=number) for number in range(days)]
    return [_simulated(market, symbol, chosen) for symbol in DEFAULT_SYMBOLS]


def _simulated(market: SyntheticMarket, symbol: str, days: Sequence[date]) -> Series:
    parts, sessions = [], []
    for each in days:
        day = market.days.of(each)
        assert day is not None
        bars = market.minute_bars(symbol, day)
        there = ~np.isnan(bars.open)
        columns = (bars.start, bars.open, bars.high, bars.low, bars.close, bars.volume / SHARE)
        parts.append([np.asarray(column)[there] for column in columns])
        sessions.append(np.full(int(np.count_nonzero(there)), day.start))
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    return Series(symbol, BarColumns(*joined), np.concatenate(sessions))


def minutes_of(series: Sequence[Series]) -> Iterator[tuple[int, Integers, BarColumns]]:
    """Minute by minute, as they close: the start, the lanes (places in `series`) that have a bar, and their bars."""
    lanes = np.repeat(np.arange(len(series)), [len(each) for each in series])
    columns = [np.concatenate([getattr(each.bars, name) for each in series]) for name in BarColumns._fields]
    order = np.argsort(columns[0], kind="stable")
    starts, begins = np.unique(columns[0][order], return_index=True)
    for start, place in zip(starts.tolist(), np.split(order, begins[1:]), strict=True):
        yield start, lanes[place], BarColumns(*(column[place] for column in columns))
