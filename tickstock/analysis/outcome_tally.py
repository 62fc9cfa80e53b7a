"""Collects what followed, symbol by symbol: of detections as events, of all other bars as counts by half-hour and day."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import NamedTuple

import numpy as np

from tickstock.analysis.outcomes import first_within_horizon, half_hours, thin_bars, trading_days, what_followed
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers

HALF_HOURS = 48
LAST_ORDINAL = date.max.toordinal() + 1
SIDES = {"bullish": 1, "bearish": -1, "neutral": 0}


class Events(NamedTuple):
    """Detections that count: the first of their symbol, pattern and direction within a horizon."""

    stratum: Integers  # symbol and half-hour
    day: Integers  # ordinal of the trading day
    move: Floats  # the return of a buyer; NaN where the outcome is incomplete
    quality: Floats


class Cells(NamedTuple):
    """What followed bars, summed by stratum and day."""

    stratum: Integers
    day: Integers
    up: Floats  # how many bars
    down: Floats
    scored: Floats  # up, down or unchanged
    size: Floats  # sum of the absolute returns

    @classmethod
    def of(cls, stratum: Integers, day: Integers, move: Floats) -> Cells:
        """Bars whose outcomes are complete."""
        keys, at = np.unique(stratum * LAST_ORDINAL + day, return_inverse=True)
        count = len(keys)
        each = (move > 0, move < 0, np.ones(len(at)), np.abs(move))
        up, down, scored, size = (np.bincount(at, values, count).astype(np.float64) for values in each)
        return cls(keys // LAST_ORDINAL, keys % LAST_ORDINAL, up, down, scored, size)


class BarOutcomes(NamedTuple):
    """What followed each bar of one symbol, and where it belongs."""

    entry_time: Integers
    move: Floats  # the return of a buyer; NaN where the outcome is incomplete
    base_move: Floats  # the same as the base counts it
    stratum: Integers
    day: Integers
    in_base: Booleans  # complete, and not too thin


class OutcomeTally:
    """The outcomes of one timeframe after one horizon."""

    def __init__(self, timeframe: str, horizon: int) -> None:
        self.timeframe = timeframe
        self.horizon = horizon
        self._symbols: dict[str, int] = {}
        self._base: list[Cells] = []
        self._events: dict[tuple[str, int], list[Events]] = defaultdict(list)
        self._detected: dict[tuple[str, int], list[Cells]] = defaultdict(list)

    def add_bars(self, symbol: str, bars: BarColumns, session_start: Integers, known_until: int | None = None) -> BarOutcomes:
        """Take bars of a symbol, in the order of time, into the base; arguments as in `what_followed`."""
        followed = what_followed(bars, session_start, self.timeframe, self.horizon, known_until)
        number = self._symbols.setdefault(symbol, len(self._symbols))
        stratum = number * HALF_HOURS + half_hours(bars, session_start, self.timeframe)
        move = followed.returns
        in_base = np.isfinite(move) & ~thin_bars(bars, session_start, self.timeframe)
        outcomes = BarOutcomes(followed.entry_time, move, move, stratum, trading_days(session_start), in_base)
        self._base.append(Cells.of(stratum[in_base], outcomes.day[in_base], move[in_base]))
        return outcomes

    def add_detections(self, bars: BarOutcomes, pattern: str, side: int, place: Integers, quality: Floats) -> None:
        """Take the unsuppressed, confirmed detections of one pattern and direction among these bars, in the order of time.

        Args:
            side: +1 bullish, -1 bearish, 0 neutral.
            place: the bar of each detection; those of the base are counted among the others no more.
        """
        first = first_within_horizon(bars.entry_time[place], self.timeframe, self.horizon)
        counted = place[first]
        self._events[pattern, side].append(Events(bars.stratum[counted], bars.day[counted], bars.move[counted], quality[first]))
        taken = place[bars.in_base[place]]
        self._detected[pattern, side].append(Cells.of(bars.stratum[taken], bars.day[taken], bars.base_move[taken]))

    @property
    def names(self) -> list[tuple[str, int]]:
        """The patterns and sides that were found."""
        return sorted(self._events)

    def days(self) -> Integers:
        """The trading days of all bars, in order."""
        return np.unique(np.concatenate([cells.day for cells in self._base] or [np.empty(0, np.int64)]))

    def events(self, pattern: str, side: int) -> Events:
        """The events of one pattern and direction, of all symbols."""
        return Events(*(np.concatenate(columns) for columns in zip(*self._events[pattern, side], strict=True)))

    def base(self) -> Cells:
        """What followed all unsuppressed bars."""
        if not self._base:
            whole, real = np.empty(0, np.int64), np.empty(0)
            return Cells(whole, whole, real, real, real, real)
        return Cells(*(np.concatenate(columns) for columns in zip(*self._base, strict=True)))

    def detected(self, pattern: str, side: int) -> Cells:
        """What of the base followed detections of this pattern and direction, counted or not."""
        return Cells(*(np.concatenate(columns) for columns in zip(*self._detected[pattern, side], strict=True)))
