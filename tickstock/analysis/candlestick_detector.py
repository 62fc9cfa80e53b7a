"""From expressions to detections: where a candlestick may be reported, which bars are too thin for one, its quality and context.

It works on either axis of `BarWindow`, so what is said live and over history is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from tickstock.analysis.bar_window import USUAL_RANGE, BarWindow, MeasuredBars
from tickstock.analysis.candle_bars import LaggedBars, TickSize, tick_in_units
from tickstock.analysis.candlesticks import CandlestickPattern
from tickstock.analysis.quantities import Margins
from tickstock.analysis.results import Booleans, Floats, Integers
from tickstock.analysis.timeframes import LENGTH_MS, WITHIN_SESSION

THIN_SHARES = 100  # a bar of fewer shares, or without a range, says nothing
THIN_RANGE_TICKS = 4  # neither does a body or shadow where bars usually span fewer ticks
BARS_BEFORE = 10  # over which the usual range is taken
TREND_BARS = 5  # over which the trend before a pattern is taken; a change under one usual range is flat
HOLE_MS = 5 * 60_000  # without a trade, in a symbol that traded in each of the minutes before
HOLE_BARS = 3  # after a hole that say so


@dataclass(slots=True)
class Candlesticks:
    """The detections of one pattern: parallel arrays, `place` counting among the lanes that were searched."""

    pattern: CandlestickPattern
    place: Integers
    quality: Floats
    trend: Integers  # +1 as the book asks, -1 against it, 0 flat
    after_gap: Booleans

    def details(self) -> list[dict[str, Any]]:
        """The `details` of each detection."""
        words = {1: "with", -1: "against", 0: "flat"}
        found: list[dict[str, Any]] = []
        for trend, after_gap in zip(self.trend.tolist(), self.after_gap.tolist(), strict=True):
            details: dict[str, Any] = {} if self.pattern.prior_trend is None else {"trend_before": words[trend]}
            if after_gap:
                details["after_gap"] = True
            found.append(details)
        return found


class CandlestickDetector:
    """Looks for candlestick patterns in the last bars of many lanes of one timeframe."""

    def __init__(self, patterns: Iterable[CandlestickPattern], timeframe: str, tick_size: TickSize = tick_in_units) -> None:
        self.patterns = tuple(patterns)
        self._length = LENGTH_MS[timeframe]
        self._within_session = timeframe in WITHIN_SESSION
        self._minutes = timeframe == "1min"
        self._tick_size = tick_size

    def detect(self, bars: LaggedBars) -> tuple[list[Candlesticks], int]:
        """The detections of each pattern, and how many were suppressed because their bars are too thin."""
        window = BarWindow(bars)
        found: list[Candlesticks] = []
        suppressed = 0
        for pattern in self.patterns:
            place = np.flatnonzero(matches(pattern, window))
            if not len(place):
                continue
            measured = self._measured(bars.select(place))
            placed = self._stand_together(pattern, measured)
            told = placed & ~self._are_thin(pattern, measured)
            suppressed += int(placed.sum()) - int(told.sum())
            if told.any():
                quality = cast("Margins", pattern.expression(measured)).quality()
                trend, after_gap = _trend_before(pattern, measured), self._after_gap(measured)
                found.append(Candlesticks(pattern, place[told], quality[told], trend[told], after_gap[told]))
        return found, suppressed

    def quality(self, pattern: CandlestickPattern, bars: LaggedBars) -> Floats:
        """How far inside its conditions the pattern is, in [0, 1]; 0 where it is not."""
        return cast("Margins", pattern.expression(self._measured(bars))).quality()

    def _measured(self, bars: LaggedBars) -> MeasuredBars:
        return MeasuredBars(bars, self._tick_size(bars.column("close", 0)))

    def _stand_together(self, pattern: CandlestickPattern, bars: BarWindow) -> Booleans:
        """The pattern's own bars are of one session and within two bar lengths more than they need."""
        if pattern.bars == 1 or not self._within_session:
            return np.ones(len(bars.bars.available), np.bool_)
        first = pattern.bars - 1
        span = bars.column("timestamp", 0) + self._length - bars.column("timestamp", first)
        together: Booleans = (bars.column("session", 0) == bars.column("session", first)) & (
            span <= (pattern.bars + 2) * self._length
        )
        return together

    def _are_thin(self, pattern: CandlestickPattern, bars: MeasuredBars) -> Booleans:
        before = np.minimum(bars.bars.available - pattern.bars, BARS_BEFORE)
        total = bars.column("ranges", pattern.bars) - bars.column("ranges", pattern.bars + BARS_BEFORE)
        thin: Booleans = total < THIN_RANGE_TICKS * bars.tick * before
        for lag in range(pattern.bars):
            thin |= bars.column("high", lag) == bars.column("low", lag)
            thin |= bars.column("volume", lag) < THIN_SHARES
        return thin

    def _after_gap(self, bars: BarWindow) -> Booleans:
        """One of the last three bars came after a hole of five minutes, before which ten minutes in a row had a trade.

        Only one-minute bars can tell.
        """
        after = np.zeros(len(bars.bars.available), np.bool_)
        span = bars.column("timestamp", 0) - bars.column("timestamp", HOLE_BARS)
        if not self._minutes or not (span >= HOLE_BARS * self._length + HOLE_MS).any():
            return after
        for lag in range(HOLE_BARS):
            hole = bars.column("timestamp", lag) - bars.column("timestamp", lag + 1) - self._length >= HOLE_MS
            if hole.any():
                after |= hole & self._ten_in_a_row(bars, lag)
        return after

    def _ten_in_a_row(self, bars: BarWindow, lag: int) -> Booleans:
        """The ten bars before the one at `lag` follow each other without a hole, in its session."""
        span = bars.column("timestamp", lag + 1) - bars.column("timestamp", lag + BARS_BEFORE)
        steady: Booleans = (
            (span == (BARS_BEFORE - 1) * self._length)
            & (bars.column("session", lag) == bars.column("session", lag + BARS_BEFORE))
            & (bars.bars.available > lag + BARS_BEFORE)
        )
        return steady


def matches(pattern: CandlestickPattern, window: BarWindow) -> Booleans:
    """Where TA-Lib's function is not zero: in each lane that has the bars it needs."""
    return cast("Booleans", pattern.expression(window)) & (window.bars.available > pattern.lookback)


def _trend_before(pattern: CandlestickPattern, bars: BarWindow) -> Integers:
    """Whether the bars before the pattern ran as the book asks; where they are too few, the trend is flat."""
    if pattern.prior_trend is None:
        return np.zeros(len(bars.bars.available), np.int64)
    change = bars.column("close", pattern.bars) - bars.column("close", pattern.bars + TREND_BARS)
    usual = bars.average(USUAL_RANGE, pattern.bars - 1)
    known = bars.bars.available > pattern.bars + TREND_BARS
    wanted = 1 if pattern.prior_trend == "up" else -1
    return np.where(known & (np.abs(change) >= usual), wanted * np.sign(change), 0).astype(np.int64)
