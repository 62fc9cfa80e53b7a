"""Candlesticks in the stored bars that a series begins with: on the history axis, all lanes at once, only where they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from tickstock.analysis.bar_result import BarResult
from tickstock.analysis.candle_bars import HistoryBars, LiveBars
from tickstock.analysis.candlestick_detector import CandlestickDetector
from tickstock.analysis.open_shapes import ShapeStates
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers

MOMENTS_AT_ONCE = 16_000  # so that what is computed of them stays in the processor's cache


class StoredBars:
    """The bars of one timeframe, in order of (time, lane), and what candlestick detection makes of them."""

    def __init__(
        self,
        detector: CandlestickDetector,
        lanes: Integers,
        bars: BarColumns,
        session_start: Integers,
        figures: Mapping[str, Floats],
    ) -> None:
        self._detector = detector
        self._lanes = lanes
        self._bars = bars
        self._session_start = session_start
        self._figures = figures
        self._by_lane = np.argsort(lanes, kind="stable")  # the bars lane by lane, each lane's in order of time

    def fill(self, candles: LiveBars) -> None:
        """Let the live axis continue behind the last bar of each lane."""
        order = self._by_lane
        candles.fill(self._lanes[order], self._bars.rows(order), self._session_start[order])

    def candlesticks(self, chosen: Booleans) -> Iterator[BarResult]:
        """What these of the bars show, in order of time; other bars only count as what came before."""
        rows = np.flatnonzero(chosen)
        for first in range(0, len(rows), MOMENTS_AT_ONCE):
            at = rows[first : first + MOMENTS_AT_ONCE]
            found, suppressed = self._detector.detect(self._history.at(self._moments(at)))
            figures = {name: values[at] for name, values in self._figures.items()}
            yield BarResult(self._lanes[at], self._bars.rows(at), {}, figures, ShapeStates.none(), [], found, suppressed)

    def after_gap(self, rows: Integers) -> Booleans:
        """Whether these bars come after a gap."""
        return self._detector.after_gap(self._history.at(self._moments(rows)))

    @cached_property
    def _history(self) -> HistoryBars:
        order = self._by_lane
        _, lengths = np.unique(self._lanes, return_counts=True)
        return HistoryBars(self._bars.rows(order), self._session_start[order], lengths.tolist())

    @cached_property
    def _place(self) -> Integers:
        """Of each bar in the order lane by lane."""
        place = np.empty(len(self._lanes), np.int64)
        place[self._by_lane] = np.arange(len(self._lanes))
        return place

    def _moments(self, rows: Integers) -> Integers:
        return self._history.moment_of(self._place[rows])
