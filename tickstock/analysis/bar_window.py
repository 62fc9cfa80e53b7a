"""`BarWindow`: the last bars of many lanes, in the words that candlestick patterns are written in.

A lane is a symbol at this moment (live) or a moment of one symbol (history); a pattern is one expression and does not know which.
Everything is read by lag: 0 is the current bar. Prices and lengths are whole numbers of 1/10,000 dollar. The candle averages and
the order of their operations are TA-Lib's: https://github.com/TA-Lib/ta-lib/blob/main/src/ta_common/ta_utility.h
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, cast

import numpy as np

from tickstock.analysis.candle_bars import LaggedBars
from tickstock.analysis.candlesticks.definition import Sides
from tickstock.analysis.quantities import Condition, Kind, Quantity
from tickstock.analysis.results import Booleans, Floats

Matches = Condition


@dataclass(frozen=True, slots=True, eq=False)
class CandleAverage:
    """An average over the bars before a candle, which says what is usual there."""

    sums: str  # the running sum it is made from: bodies, ranges or shadows
    period: int
    factor: float
    divisor: float = 1.0  # TA-Lib halves averages of shadows, of which a candle has two


USUAL_BODY = CandleAverage("bodies", 10, 1.0)  # longer is long, shorter is short
BODY_DOJI = CandleAverage("ranges", 10, 0.1)
SHADOW_SHORT = CandleAverage("shadows", 10, 1.0, 2.0)
SHADOW_VERY_SHORT = CandleAverage("ranges", 10, 0.1)
NEAR = CandleAverage("ranges", 5, 0.2)
FAR = CandleAverage("ranges", 5, 0.6)
EQUAL = CandleAverage("ranges", 5, 0.05)
USUAL_RANGE = CandleAverage("ranges", 10, 1.0)


Lags = ParamSpec("Lags")
Judge = Callable[Concatenate["BarWindow", Lags], Condition]


def judged_once(condition: Judge[Lags]) -> Judge[Lags]:
    """A condition that many patterns share is judged once for each window."""

    @wraps(condition)
    def known(self: BarWindow, /, *lags: Lags.args, **named: Lags.kwargs) -> Condition:
        judged = self._judged.get((condition, lags))
        if judged is None:
            judged = self._judged[condition, lags] = condition(self, *lags, **named)
        return judged

    return known


class BarWindow:
    """Many lanes' last bars; a comparison gives true or false for each lane."""

    def __init__(self, bars: LaggedBars) -> None:
        self.bars = bars
        self._known: dict[tuple[object, int], Floats] = {}
        self._judged: dict[tuple[object, tuple[object, ...]], Condition] = {}

    # --- prices and lengths ---

    def open(self, lag: int) -> Quantity:
        return self._as(Kind.PRICE, self._value("open", lag))

    def high(self, lag: int) -> Quantity:
        return self._as(Kind.PRICE, self._value("high", lag))

    def low(self, lag: int) -> Quantity:
        return self._as(Kind.PRICE, self._value("low", lag))

    def close(self, lag: int) -> Quantity:
        return self._as(Kind.PRICE, self._value("close", lag))

    def body_top(self, lag: int) -> Quantity:
        """The higher of open and close."""
        return self._as(Kind.PRICE, self._value("body_top", lag))

    def body_bottom(self, lag: int) -> Quantity:
        """The lower of open and close."""
        return self._as(Kind.PRICE, self._value("body_bottom", lag))

    def body(self, lag: int) -> Quantity:
        """The distance between open and close."""
        return self._as(Kind.LENGTH, self._value("body", lag))

    def range(self, lag: int) -> Quantity:
        """The distance between high and low."""
        return self._as(Kind.LENGTH, self._value("range", lag))

    def upper_shadow(self, lag: int) -> Quantity:
        return self._as(Kind.LENGTH, self._value("upper_shadow", lag))

    def lower_shadow(self, lag: int) -> Quantity:
        return self._as(Kind.LENGTH, self._value("lower_shadow", lag))

    # --- what is usual at a candle ---

    def usual_body(self, lag: int) -> Quantity:
        """The mean body of the ten bars before: a longer one is long, a shorter one short."""
        return self._as(Kind.AVERAGE, self.average(USUAL_BODY, lag))

    def doji_limit(self, lag: int) -> Quantity:
        """The longest body of a doji."""
        return self._as(Kind.AVERAGE, self.average(BODY_DOJI, lag))

    def short_shadow(self, lag: int) -> Quantity:
        """A shorter shadow is short."""
        return self._as(Kind.AVERAGE, self.average(SHADOW_SHORT, lag))

    def very_short_shadow(self, lag: int) -> Quantity:
        """A shorter shadow is as good as none."""
        return self._as(Kind.AVERAGE, self.average(SHADOW_VERY_SHORT, lag))

    def near(self, lag: int) -> Quantity:
        """What counts as near at that candle."""
        return self._as(Kind.AVERAGE, self.average(NEAR, lag))

    def far(self, lag: int) -> Quantity:
        """What counts as far at that candle."""
        return self._as(Kind.AVERAGE, self.average(FAR, lag))

    def equal(self, lag: int) -> Quantity:
        """What counts as equal at that candle."""
        return self._as(Kind.AVERAGE, self.average(EQUAL, lag))

    # --- conditions ---

    @judged_once
    def is_white(self, lag: int) -> Condition:
        """It closed at or above its open."""
        return self._coloured(lag, self._value("close", lag) >= self._value("open", lag))

    @judged_once
    def is_black(self, lag: int) -> Condition:
        """It closed below its open."""
        return self._coloured(lag, self._value("close", lag) < self._value("open", lag))

    @judged_once
    def body_is_long(self, lag: int) -> Condition:
        return self.body(lag) > self.usual_body(lag)

    @judged_once
    def body_is_not_long(self, lag: int) -> Condition:
        return self.body(lag) <= self.usual_body(lag)

    @judged_once
    def body_is_short(self, lag: int) -> Condition:
        return self.body(lag) < self.usual_body(lag)

    @judged_once
    def body_is_doji(self, lag: int) -> Condition:
        """Open and close are as good as equal."""
        return self.body(lag) <= self.doji_limit(lag)

    @judged_once
    def upper_shadow_is_very_short(self, lag: int) -> Condition:
        return self.upper_shadow(lag) < self.very_short_shadow(lag)

    @judged_once
    def lower_shadow_is_very_short(self, lag: int) -> Condition:
        return self.lower_shadow(lag) < self.very_short_shadow(lag)

    @judged_once
    def upper_shadow_is_short(self, lag: int) -> Condition:
        return self.upper_shadow(lag) < self.short_shadow(lag)

    @judged_once
    def lower_shadow_is_short(self, lag: int) -> Condition:
        return self.lower_shadow(lag) < self.short_shadow(lag)

    @judged_once
    def has_upper_shadow(self, lag: int) -> Condition:
        """One that is more than very short."""
        return self.upper_shadow(lag) > self.very_short_shadow(lag)

    @judged_once
    def has_lower_shadow(self, lag: int) -> Condition:
        """One that is more than very short."""
        return self.lower_shadow(lag) > self.very_short_shadow(lag)

    @judged_once
    def upper_shadow_is_long(self, lag: int) -> Condition:
        """It is longer than the body."""
        return self.upper_shadow(lag) > self.body(lag)

    @judged_once
    def lower_shadow_is_long(self, lag: int) -> Condition:
        """It is longer than the body."""
        return self.lower_shadow(lag) > self.body(lag)

    @judged_once
    def closes_higher(self, lag: int, earlier: int) -> Condition:
        return self.close(lag) > self.close(earlier)

    @judged_once
    def closes_lower(self, lag: int, earlier: int) -> Condition:
        return self.close(lag) < self.close(earlier)

    @judged_once
    def opens_in_body(self, lag: int, earlier: int) -> Condition:
        """The open lies between open and close of the earlier candle."""
        return self.between(self.body_bottom(earlier), self.open(lag), self.body_top(earlier))

    @judged_once
    def opens_in_or_just_above_body(self, lag: int, earlier: int) -> Condition:
        """The open lies above the bottom of the earlier candle's body and at most near above its top."""
        top = self.body_top(earlier) + self.near(earlier)
        return self.between(self.body_bottom(earlier), self.open(lag), top, upper_too=True)

    @judged_once
    def closes_in_body(self, lag: int, earlier: int) -> Condition:
        """The close lies between open and close of the earlier candle."""
        return self.between(self.body_bottom(earlier), self.close(lag), self.body_top(earlier))

    @judged_once
    def body_gap_up(self, lag: int, earlier: int) -> Condition:
        """The body lies above the earlier candle's body."""
        return self.body_bottom(lag) > self.body_top(earlier)

    @judged_once
    def body_gap_down(self, lag: int, earlier: int) -> Condition:
        """The body lies below the earlier candle's body."""
        return self.body_top(lag) < self.body_bottom(earlier)

    @judged_once
    def gap_up(self, lag: int, earlier: int) -> Condition:
        """The whole candle lies above the earlier one."""
        return self.low(lag) > self.high(earlier)

    @judged_once
    def gap_down(self, lag: int, earlier: int) -> Condition:
        """The whole candle lies below the earlier one."""
        return self.high(lag) < self.low(earlier)

    @judged_once
    def is_inside(self, lag: int) -> Condition:
        """High and low lie between those of the bar before."""
        return (self.high(lag) < self.high(lag + 1)) & (self.low(lag) > self.low(lag + 1))

    @judged_once
    def lies_higher(self, lag: int) -> Condition:
        """High and low lie above those of the bar before."""
        return (self.high(lag) > self.high(lag + 1)) & (self.low(lag) > self.low(lag + 1))

    @judged_once
    def lies_lower(self, lag: int) -> Condition:
        """High and low lie below those of the bar before."""
        return (self.high(lag) < self.high(lag + 1)) & (self.low(lag) < self.low(lag + 1))

    @judged_once
    def closes_above_high(self, lag: int, earlier: int) -> Condition:
        return self.close(lag) > self.high(earlier)

    @judged_once
    def closes_below_low(self, lag: int, earlier: int) -> Condition:
        return self.close(lag) < self.low(earlier)

    def within(self, left: Quantity, right: Quantity, limit: Quantity) -> Condition:
        """Two prices are at most a limit apart."""
        return (left <= right + limit) & (left >= right - limit)

    def body_within(self, lag: int, price: Quantity, limit: Quantity) -> Condition:
        """Some of the body, or the end of it that is nearer, is at most a limit away from a price."""
        return (self.body_bottom(lag) <= price + limit) & (self.body_top(lag) >= price - limit)

    def between(
        self, lower: Quantity, price: Quantity, upper: Quantity, *, lower_too: bool = False, upper_too: bool = False
    ) -> Condition:
        """A price lies between two others, of which it may be one only where that is said."""
        above = price >= lower if lower_too else price > lower
        return above & (price <= upper if upper_too else price < upper)

    def same(self, left: Quantity, right: Quantity) -> Condition:
        """Two prices are the same. It says nothing about quality."""
        return cast("Condition", left == right)

    def by_colour(self, lag: int, shape: Condition) -> Sides:
        """A shape of either colour, told apart by the colour of a candle; which one says nothing about quality."""
        white = self._value("close", lag) >= self._value("open", lag)
        return Sides(shape & self._label(white), shape & self._label(~white))

    # --- as arrays ---

    def average(self, of: CandleAverage, lag: int) -> Floats:
        """A candle average as an array: over the bars before the candle at `lag`, which itself is left out."""
        known = self._known.get((of, lag))
        if known is None:
            known = self._known[of, lag] = self._averaged(of, lag)
        return known

    def column(self, name: str, lag: int) -> Floats:
        """A field of the bars as an array."""
        return self._value(name, lag)

    def _value(self, name: str, lag: int) -> Floats:
        known = self._known.get((name, lag))
        if known is None:
            known = self._known[name, lag] = self._computed(name, lag)
        return known

    def _averaged(self, of: CandleAverage, lag: int) -> Floats:
        total = self.column(of.sums, lag + 1) - self.column(of.sums, lag + 1 + of.period)
        return of.factor * (total / of.period) / of.divisor

    def _computed(self, name: str, lag: int) -> Floats:
        match name:
            case "body":
                return np.abs(self._value("close", lag) - self._value("open", lag))
            case "range":
                return self._value("high", lag) - self._value("low", lag)
            case "body_top":
                return np.maximum(self._value("open", lag), self._value("close", lag))
            case "body_bottom":
                return np.minimum(self._value("open", lag), self._value("close", lag))
            case "upper_shadow":
                return self._value("high", lag) - self._value("body_top", lag)
            case "lower_shadow":
                return self._value("body_bottom", lag) - self._value("low", lag)
            case _:
                return self.bars.column(name, lag)

    def _as(self, kind: Kind, values: Floats) -> Quantity:
        return cast("Quantity", values)

    def _label(self, holds: Booleans) -> Condition:
        return cast("Condition", holds)

    def _coloured(self, lag: int, holds: Booleans) -> Condition:
        return cast("Condition", holds)
