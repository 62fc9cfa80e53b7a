"""`BarWindow`: the last bars of many lanes, in the words that candlestick patterns are written in.

A lane is a symbol at this moment (live) or a moment of one symbol (history); a pattern is one expression and does not know which.
Everything is read by lag: 0 is the current bar. Prices and lengths are whole numbers of 1/10,000 dollar. The candle averages and
the order of their operations are TA-Lib's: https://github.com/TA-Lib/ta-lib/blob/main/src/ta_common/ta_utility.h
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from tickstock.analysis.candle_bars import LaggedBars
from tickstock.analysis.quantities import Condition, Kind, Measured, Quantity, Scale
from tickstock.analysis.results import Floats

Matches = Condition


@dataclass(frozen=True, slots=True)
class CandleAverage:
    """An average over the bars before a candle, which says what is usual there."""

    sums: str  # the running sum it is made from: bodies, ranges or shadows
    period: int
    factor: float
    divisor: float = 1.0  # TA-Lib halves averages of shadows, of which a candle has two


BODY_SHORT = CandleAverage("bodies", 10, 1.0)
BODY_DOJI = CandleAverage("ranges", 10, 0.1)
SHADOW_VERY_SHORT = CandleAverage("ranges", 10, 0.1)
NEAR = CandleAverage("ranges", 5, 0.2)
USUAL_RANGE = CandleAverage("ranges", 10, 1.0)


class BarWindow:
    """Many lanes' last bars; a comparison gives true or false for each lane."""

    def __init__(self, bars: LaggedBars) -> None:
        self.bars = bars
        self._known: dict[tuple[object, int], Floats] = {}

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

    def upper_shadow(self, lag: int) -> Quantity:
        return self._as(Kind.LENGTH, self._value("upper_shadow", lag))

    def lower_shadow(self, lag: int) -> Quantity:
        return self._as(Kind.LENGTH, self._value("lower_shadow", lag))

    def near(self, lag: int) -> Quantity:
        """What counts as near at that candle."""
        return self._as(Kind.AVERAGE, self.average(NEAR, lag))

    def body_is_short(self, lag: int) -> Condition:
        return self.body(lag) < self._as(Kind.AVERAGE, self.average(BODY_SHORT, lag))

    def body_is_doji(self, lag: int) -> Condition:
        """Open and close are as good as equal."""
        return self.body(lag) <= self._as(Kind.AVERAGE, self.average(BODY_DOJI, lag))

    def upper_shadow_is_very_short(self, lag: int) -> Condition:
        return self.upper_shadow(lag) < self._as(Kind.AVERAGE, self.average(SHADOW_VERY_SHORT, lag))

    def average(self, of: CandleAverage, lag: int) -> Floats:
        """A candle average as an array: over the bars before the candle at `lag`, which itself is left out."""
        known = self._known.get((of, lag))
        if known is None:
            total = self.column(of.sums, lag + 1) - self.column(of.sums, lag + 1 + of.period)
            known = self._known[of, lag] = of.factor * (total / of.period) / of.divisor
        return known

    def column(self, name: str, lag: int) -> Floats:
        """A field of the bars as an array."""
        return self._value(name, lag)

    def _value(self, name: str, lag: int) -> Floats:
        known = self._known.get((name, lag))
        if known is None:
            known = self._known[name, lag] = self._computed(name, lag)
        return known

    def _computed(self, name: str, lag: int) -> Floats:
        match name:
            case "body":
                return np.abs(self._value("close", lag) - self._value("open", lag))
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


class MeasuredBars(BarWindow):
    """The same window for lanes that matched; a comparison also tells how far inside it each lane is."""

    def __init__(self, bars: LaggedBars, tick: Floats) -> None:
        """`tick` is the smallest price step of each lane, in 1/10,000 dollar."""
        super().__init__(bars)
        self.tick = tick
        self._scale = Scale(tick, np.maximum(self.average(USUAL_RANGE, 0), tick))

    def _as(self, kind: Kind, values: Floats) -> Quantity:
        return Measured(values, kind, self._scale)
