"""From expressions to detections: where a candlestick may be reported, which bars are too thin for one, its quality and context.

It works on either axis of `BarWindow`, so what is said live and over history is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np

from tickstock.analysis.bar_window import USUAL_RANGE, BarWindow, MeasuredBars
from tickstock.analysis.candle_bars import LaggedBars, TickSize, tick_in_units
from tickstock.analysis.candlesticks.definition import CandlestickPattern, Sides
from tickstock.analysis.quantities import Condition, Margins
from tickstock.analysis.results import Booleans, Candlesticks, Floats, Integers, PatternHit
from tickstock.analysis.timeframes import LENGTH_MS, WITHIN_SESSION

THIN_SHARES = 100  # a bar of fewer shares, or without a range, says nothing
THIN_RANGE_TICKS = 4  # neither does a body or shadow where bars usually span fewer ticks
BARS_BEFORE = 10  # over which the usual range is taken
TREND_BARS = 5  # over which the trend before a pattern is taken; a change under one usual range is flat
HOLE_MS = 5 * 60_000  # without a trade, in a symbol that traded in each of the minutes before
HOLE_BARS = 3  # after a hole that say so


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
        judged = Surroundings(window, self._tick_size(bars.column("close", 0)), self._length, self._within_session)
        found: list[Candlesticks] = []
        suppressed = 0
        for pattern in self.patterns:
            there = matches(pattern, window) & judged.stand_together(pattern.bars)
            told = there & ~judged.are_thin(pattern.bars)
            suppressed += int(np.count_nonzero(there)) - int(np.count_nonzero(told))
            place = np.flatnonzero(told)
            if len(place):
                found.append(self._measured(pattern, bars, place))
        return found, suppressed

    def quality(self, pattern: CandlestickPattern, bars: LaggedBars) -> Floats:
        """How far inside its conditions the pattern is, in [0, 1]; 0 where it is not."""
        return _quality(pattern.expression(MeasuredBars(bars, self._tick_size(bars.column("close", 0)))))

    def _measured(self, pattern: CandlestickPattern, bars: LaggedBars, place: Integers) -> Candlesticks:
        chosen = bars.select(place)
        window = MeasuredBars(chosen, self._tick_size(chosen.column("close", 0)))
        sides = pattern.expression(window)
        nothing = np.zeros(len(place), np.int64)
        if isinstance(sides, Sides):
            side = np.where(cast("Margins", sides.bullish).holds, 1, -1)
            marked = np.zeros(len(place), np.bool_) if sides.marked is None else cast("Margins", sides.marked).holds
        else:
            side, marked = nothing, np.zeros(len(place), np.bool_)
        trend = _trend_before(pattern, window, side)
        return Candlesticks(pattern, place, side, marked, _quality(sides), trend, self.after_gap(window))

    def mark_gaps(self, hits: Sequence[PatternHit], bars: LaggedBars) -> None:
        """Note in patterns of another kind, found in these bars, what `after_gap` says of them."""
        for hit, after_gap in zip(hits, self.after_gap(BarWindow(bars)).tolist(), strict=True):
            if after_gap:
                hit.details["after_gap"] = True

    def after_gap(self, bars: BarWindow) -> Booleans:
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


class Surroundings:
    """What forbids a detection, for each length of a pattern judged once."""

    def __init__(self, window: BarWindow, tick: Floats, length: int, within_session: bool) -> None:
        self._window = window
        self._tick = tick
        self._length = length
        self._within_session = within_session
        self._together: dict[int, Booleans] = {}
        self._thin: dict[int, Booleans] = {}

    def stand_together(self, bars: int) -> Booleans:
        """So many last bars are of one session and within two bar lengths more than they need."""
        known = self._together.get(bars)
        if known is None:
            known = self._together[bars] = self._stand_together(bars)
        return known

    def are_thin(self, bars: int) -> Booleans:
        """One of so many last bars has no range or too few shares, or the ten bars before them hardly moved."""
        known = self._thin.get(bars)
        if known is None:
            known = self._thin[bars] = self._one_is_thin(bars) | self._hardly_moved_before(bars)
        return known

    def _stand_together(self, bars: int) -> Booleans:
        window = self._window
        if bars == 1 or not self._within_session:
            return np.ones(len(window.bars.available), np.bool_)
        span = window.column("timestamp", 0) + self._length - window.column("timestamp", bars - 1)
        together: Booleans = (window.column("session", 0) == window.column("session", bars - 1)) & (
            span <= (bars + 2) * self._length
        )
        return together

    def _one_is_thin(self, bars: int) -> Booleans:
        window, lag = self._window, bars - 1
        thin: Booleans = (window.column("high", lag) == window.column("low", lag)) | (window.column("volume", lag) < THIN_SHARES)
        return thin if bars == 1 else thin | self._one_is_thin(bars - 1)

    def _hardly_moved_before(self, bars: int) -> Booleans:
        window = self._window
        before = np.minimum(window.bars.available - bars, BARS_BEFORE)
        total = window.column("ranges", bars) - window.column("ranges", bars + BARS_BEFORE)
        hardly: Booleans = total < THIN_RANGE_TICKS * self._tick * before
        return hardly


def matches(pattern: CandlestickPattern, window: BarWindow) -> Booleans:
    """Where TA-Lib's function is not zero: in each lane that has the bars it needs."""
    sides = pattern.expression(window)
    there = sides.bullish | sides.bearish if isinstance(sides, Sides) else sides
    return cast("Booleans", there) & (window.bars.available > pattern.lookback)


def talib_values(pattern: CandlestickPattern, window: BarWindow) -> Integers:
    """TA-Lib's value in each lane: 0, 100 or -100, or the pattern's other value."""
    sides = pattern.expression(window)
    if isinstance(sides, Sides):
        sign = cast("Booleans", sides.bullish).astype(np.int64) - cast("Booleans", sides.bearish)
        value = 100 if pattern.mark is None else np.where(cast("Booleans", sides.marked), pattern.mark.value, 100)
    else:
        sign, value = pattern.talib_sign * cast("Booleans", sides).astype(np.int64), 100
    return np.where(window.bars.available > pattern.lookback, sign * value, 0)


def _quality(sides: Condition | Sides) -> Floats:
    if not isinstance(sides, Sides):
        return cast("Margins", sides).quality()
    bullish, bearish = cast("Margins", sides.bullish), cast("Margins", sides.bearish)
    return np.where(bullish.holds, bullish.quality(), bearish.quality())


def _trend_before(pattern: CandlestickPattern, bars: BarWindow, side: Integers) -> Integers:
    """Whether the bars before the pattern ran as the book asks; where they are too few, the trend is flat."""
    if pattern.role == "indecision":
        return np.zeros(len(side), np.int64)
    change = bars.column("close", pattern.bars) - bars.column("close", pattern.bars + TREND_BARS)
    usual = bars.average(USUAL_RANGE, pattern.bars - 1)
    known = bars.bars.available > pattern.bars + TREND_BARS
    meant = side if pattern.direction == "either" else (-1 if pattern.direction == "bearish" else 1)
    wanted = meant if pattern.role == "continuation" else -meant
    return np.where(known & (np.abs(change) >= usual), wanted * np.sign(change), 0).astype(np.int64)
