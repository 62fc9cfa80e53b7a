"""Series of bars for the tests of the analysis: golden files, random walks, drawn paths; and a run of them through the engine."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.conftest import shared_file
from tickstock.analysis.bar_result import BarResult
from tickstock.analysis.candle_bars import HistoryBars, HistoryStretch
from tickstock.analysis.results import AlertHit, BarColumns, PatternHit
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

MINUTE = 60_000
START = 1_381_152_600_000  # 2013-10-07 09:30 New York


@dataclass
class Series:
    """The bars of one symbol, and the start of each bar's session."""

    bars: BarColumns
    sessions: np.ndarray

    def __len__(self) -> int:
        return len(self.bars.close)

    def part(self, chosen: slice) -> Series:
        return Series(BarColumns(*(column[chosen] for column in self.bars)), self.sessions[chosen])

    def with_prices(self, change) -> Series:
        """The same bars with other prices; a change that turns prices over swaps highs and lows."""
        bars = self.bars
        ends = np.stack((change(bars.high), change(bars.low)))
        prices = (change(bars.open), ends.max(axis=0), ends.min(axis=0), change(bars.close))
        return Series(BarColumns(bars.timestamp, *prices, bars.volume), self.sessions)


def golden(name: str) -> tuple[Series, dict[str, np.ndarray]]:
    """A golden file: its bars, and TA-Lib's outputs by column, NaN where there is none."""
    with gzip.open(shared_file("golden", f"{name}.csv.gz"), "rt") as file:
        rows = list(csv.DictReader(file))
    columns = {key: np.array([float(row[key]) if row[key] else np.nan for row in rows]) for key in rows[0] if key != "ny_time"}
    days = np.array([int(row["ny_time"][8:10]) for row in rows])
    timestamp = columns["bar_start_utc"].astype(np.int64) * 1000
    sessions = timestamp[np.searchsorted(days, days)]  # of a day's first bar
    bars = BarColumns(timestamp, *(columns[key] for key in ("open", "high", "low", "close", "volume")))
    return Series(bars, sessions), columns


def series(
    prices: Sequence[Sequence[float]] | np.ndarray, *, volume: float = 1000.0, timestamp=None, sessions=None, step: int = MINUTE
) -> Series:
    """Bars from rows of open, high, low, close, one a minute in one session unless told otherwise."""
    table = np.asarray(prices, np.float64).reshape(-1, 4)
    times = START + step * np.arange(len(table)) if timestamp is None else np.asarray(timestamp, np.int64)
    of_session = np.full(len(table), START) if sessions is None else np.asarray(sessions, np.int64)
    columns = (np.ascontiguousarray(column) for column in table.T)
    return Series(BarColumns(times, *columns, np.full(len(table), volume)), of_session)


def closes(values: Sequence[float], **more) -> Series:
    """Bars that open at the close before and have no shadows."""
    close = np.asarray(values, np.float64)
    opening = np.concatenate((close[:1], close[:-1]))
    return series(np.stack((opening, np.maximum(opening, close), np.minimum(opening, close), close), axis=1), **more)


def random_walk(seed: int, length: int, *, price: float = 100.0, tick: float = 0.01, ticks_a_step: float = 3.0) -> Series:
    """A walk on the tick grid, eight steps a bar."""
    generator = np.random.default_rng(seed)
    path = np.cumsum(np.rint(generator.normal(0, ticks_a_step, (length, 8))).reshape(-1)).reshape(length, 8)
    path = np.concatenate((np.concatenate(([0.0], path[:-1, -1]))[:, np.newaxis], path), axis=1)
    path = np.round(price + tick * path, 6)
    return series(np.stack((path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]), axis=1))


def run(one: Series, timeframe: str = "1min", analysis: TimeframeAnalysis | None = None, lane: int = 0) -> list[BarResult]:
    """The bars of one symbol, one after the other, through the engine."""
    engine = analysis or TimeframeAnalysis(timeframe, lane + 1)
    lanes = np.array([lane])
    return [engine.close_bars(lanes, one.bars.rows(np.array([at])), one.sessions[at : at + 1]) for at in range(len(one))]


def moments(one: Series) -> HistoryStretch:
    """The history axis: every bar a lane."""
    history = HistoryBars(one.bars, one.sessions)
    return history.moments(0, len(history))


def run_together(many: Sequence[Series], timeframe: str = "1min", analysis: TimeframeAnalysis | None = None) -> list[BarResult]:
    """Symbols of equally many bars, all of them at each step."""
    engine = analysis or TimeframeAnalysis(timeframe, len(many))
    lanes = np.arange(len(many))
    columns = [np.stack([getattr(one.bars, name) for one in many], axis=1) for name in BarColumns._fields]
    sessions = np.stack([one.sessions for one in many], axis=1)
    return [engine.close_bars(lanes, BarColumns(*(column[at] for column in columns)), sessions[at]) for at in range(len(many[0]))]


def patterns(results: Sequence[BarResult], *names: str) -> list[PatternHit]:
    return [hit for result in results for hit in result.pattern_hits() if not names or hit.pattern in names]


def alerts(results: Sequence[BarResult], *names: str) -> list[AlertHit]:
    return [hit for result in results for hit in result.alerts if not names or hit.alert in names]
