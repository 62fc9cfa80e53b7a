"""From expressions to detections: where a candlestick may be reported, which bars are too thin for one, its quality and context.

It works on either axis of `BarWindow`, so what is said live and over history is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np

from tickstock.analysis.bar_window import USUAL_RANGE, BarWindow
from tickstock.analysis.candle_bars import HistoryBars, LaggedBars, TickSize, tick_in_units
from tickstock.analysis.candlesticks.definition import CandlestickPattern, Sides
from tickstock.analysis.measured_bars import MeasuredBars, taken
from tickstock.analysis.quantities import Condition, Margins
from tickstock.analysis.results import Booleans, Candlesticks, Floats, Integers
from tickstock.analysis.timeframes import LENGTH_MS, WITHIN_SESSION

THIN_SHARES = 100  # a bar of fewer shares, or without a range, says nothing
THIN_RANGE_TICKS = 4  # neither does a body or shadow where bars usually span fewer ticks
BARS_BEFORE = 10  # over which the usual range is taken
TREND_BARS = 5  # over which the trend before a pattern is taken; a change under one usual range is flat
HOLE_MS = 5 * 60_000  # without a trade, in a symbol that traded in each of the minutes before
STRETCH = 16_384  # moments of history that are searched together
HOLE_BARS = 3  # after a hole that say so


class CandlestickDetector:
    """Looks for candlestick patterns in the last bars of many lanes of one timeframe."""

    def __init__(self, patterns: Iterable[CandlestickPattern], timeframe: str, tick_size: TickSize = tick_in_units) -> None:
        self.patterns = tuple(patterns)
        self._length = LENGTH_MS[timeframe]
        self._within_session = timeframe in WITHIN_SESSION
        self._tick_size = tick_size

    def detect(self, bars: LaggedBars) -> tuple[list[Candlesticks], int]:
        """The detections of each pattern, and how many were suppressed because their bars are too thin."""
        around = self._surroundings(bars)
        places, suppressed = self._search(around)
        return [self._measured(pattern, around, place, place) for pattern, place in places], suppressed

    def detect_in_history(self, history: HistoryBars, first: int = 0) -> tuple[list[Candlesticks], int]:
        """The same over all moments of history from `first` on; `place` counts the bars of all symbols.

        It searches stretch by stretch, because what does not stay in the processor's cache costs several times as much, and
        measures what it found together, because few at a time do.
        """
        moments: dict[str, list[Integers]] = {pattern.name: [] for pattern in self.patterns}
        suppressed = 0
        for begin in range(first, len(history), STRETCH):
            stretch = history.moments(begin, min(begin + STRETCH, len(history)))
            places, thin = self._search(self._surroundings(stretch))
            suppressed += thin
            for pattern, place in places:
                moments[pattern.name].append(place + stretch.first)
        found: list[Candlesticks] = []
        for pattern in self.patterns:
            parts = moments[pattern.name]
            together = np.concatenate(parts) if parts else np.empty(0, np.int64)
            for begin in range(0, len(together), STRETCH):
                some = together[begin : begin + STRETCH]
                found.append(self._measured(pattern, self._surroundings(history.at(some)), None, history.bar_at(some)))
        return found, suppressed

    def _surroundings(self, bars: LaggedBars) -> Surroundings:
        tick = self._tick_size(bars.column("close", 0))
        return Surroundings(BarWindow(bars), tick, self._length, self._within_session)

    def _search(self, around: Surroundings) -> tuple[list[tuple[CandlestickPattern, Integers]], int]:
        found: list[tuple[CandlestickPattern, Integers]] = []
        suppressed = 0
        for pattern in self.patterns:
            there = matches(pattern, around.window) & around.stand_together(pattern.bars)
            told = there & ~around.are_thin(pattern.bars)
            suppressed += int(np.count_nonzero(there)) - int(np.count_nonzero(told))
            place = np.flatnonzero(told)
            if len(place):
                found.append((pattern, place))
        return found, suppressed

    def quality(self, pattern: CandlestickPattern, bars: LaggedBars) -> Floats:
        """How far inside its conditions the pattern is, in [0, 1]; 0 where it is not."""
        return _quality(pattern.expression(MeasuredBars(BarWindow(bars), self._tick_size(bars.column("close", 0)))))

    def _measured(
        self, pattern: CandlestickPattern, around: Surroundings, chosen: Integers | None, place: Integers
    ) -> Candlesticks:
        """The detections in lanes that are all of the pattern; without a choice in every lane."""
        sides = pattern.expression(MeasuredBars(around.window, around.tick, chosen))
        nothing = np.zeros(len(place), np.int64)
        if isinstance(sides, Sides):
            side = np.where(cast("Margins", sides.bullish).holds, 1, -1)
            marked = np.zeros(len(place), np.bool_) if sides.marked is None else cast("Margins", sides.marked).holds
        else:
            side, marked = nothing, np.zeros(len(place), np.bool_)
        trend = _as_the_book_asks(pattern, taken(around.trend_before(pattern.bars), chosen), side)
        return Candlesticks(pattern, place, side, marked, _quality(sides), trend, taken(around.after_gap(), chosen))

    def after_gap(self, bars: LaggedBars) -> Booleans:
        """Where one of the last bars came after a hole, for patterns of another kind that are found in them."""
        return self._surroundings(bars).after_gap()


class Surroundings:
    """What forbids a detection or is told of it; each is judged once for all lanes."""

    def __init__(self, window: BarWindow, tick: Floats, length: int, within_session: bool) -> None:
        self.window = window
        self.tick = tick
        self._length = length
        self._within_session = within_session
        self._together: dict[int, Booleans] = {}
        self._thin: dict[int, Booleans] = {}
        self._trend: dict[int, Integers] = {}
        self._after_gap: Booleans | None = None

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

    def trend_before(self, bars: int) -> Integers:
        """+1 where the price rose before so many last bars, -1 where it fell, 0 where it hardly moved or nothing is known."""
        known = self._trend.get(bars)
        if known is None:
            known = self._trend[bars] = self._trend_before(bars)
        return known

    def after_gap(self) -> Booleans:
        """One of the last three bars came after a hole of five minutes, before which ten minutes in a row had a trade.

        Only one-minute bars can tell.
        """
        if self._after_gap is None:
            self._after_gap = np.zeros(len(self.window.bars.available), np.bool_)
            if self._length == LENGTH_MS["1min"]:
                for lag in range(HOLE_BARS):
                    self._after_gap |= self._hole_before(lag)
        return self._after_gap

    def _stand_together(self, bars: int) -> Booleans:
        window = self.window
        if bars == 1 or not self._within_session:
            return np.ones(len(window.bars.available), np.bool_)
        span = window.column("timestamp", 0) + self._length - window.column("timestamp", bars - 1)
        together: Booleans = (window.column("session", 0) == window.column("session", bars - 1)) & (
            span <= (bars + 2) * self._length
        )
        return together

    def _one_is_thin(self, bars: int) -> Booleans:
        window, lag = self.window, bars - 1
        thin: Booleans = (window.column("high", lag) == window.column("low", lag)) | (window.column("volume", lag) < THIN_SHARES)
        return thin if bars == 1 else thin | self._one_is_thin(bars - 1)

    def _hardly_moved_before(self, bars: int) -> Booleans:
        window = self.window
        before = np.minimum(window.bars.available - bars, BARS_BEFORE)
        total = window.column("ranges", bars) - window.column("ranges", bars + BARS_BEFORE)
        hardly: Booleans = total < THIN_RANGE_TICKS * self.tick * before
        return hardly

    def _trend_before(self, bars: int) -> Integers:
        window = self.window
        change = window.column("close", bars) - window.column("close", bars + TREND_BARS)
        known = window.bars.available > bars + TREND_BARS
        moved = known & (np.abs(change) >= window.average(USUAL_RANGE, bars - 1))
        return np.where(moved, np.sign(change), 0).astype(np.int64)

    def _hole_before(self, lag: int) -> Booleans:
        """The bar at `lag` came after a hole, and the ten before that followed each other, in its session."""
        window = self.window
        time = window.column("timestamp", lag)
        hole: Booleans = time - window.column("timestamp", lag + 1) - self._length >= HOLE_MS
        if hole.any():
            span = window.column("timestamp", lag + 1) - window.column("timestamp", lag + BARS_BEFORE)
            hole = (
                hole
                & (span == (BARS_BEFORE - 1) * self._length)
                & (window.column("session", lag) == window.column("session", lag + BARS_BEFORE))
                & (window.bars.available > lag + BARS_BEFORE)
            )
        return hole


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
    return bullish.where(bullish.holds, bearish).quality()


def _as_the_book_asks(pattern: CandlestickPattern, trend: Integers, side: Integers) -> Integers:
    """+1 where the trend before is the one that the book wants before the pattern, -1 where it is the other one."""
    if pattern.role == "indecision":
        return np.zeros(len(side), np.int64)
    meant = side if pattern.direction == "either" else (-1 if pattern.direction == "bearish" else 1)
    return (meant if pattern.role == "continuation" else -meant) * trend
