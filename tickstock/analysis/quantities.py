"""What candlestick expressions are made of: quantities that compare, and conditions that combine.

In the search over all lanes both are plain arrays. For the few lanes that matched, the same expression runs again on `Measured`
quantities, whose comparisons say how far inside they are: a margin from 0 at the boundary to 1 at the ideal. The quality of a
match is the geometric mean of the margins of its conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, cast

import numpy as np

from tickstock.analysis.results import Booleans, Floats


class Condition(Protocol):
    """True or false for each lane; in the second pass with margins."""

    def __and__(self, other: Condition, /) -> Condition: ...
    def __or__(self, other: Condition, /) -> Condition: ...
    def __invert__(self) -> Condition: ...


class Quantity(Protocol):
    """A price, a length or an average of lengths, for each lane."""

    def __add__(self, other: Quantity, /) -> Quantity: ...
    def __sub__(self, other: Quantity, /) -> Quantity: ...
    def __mul__(self, other: float, /) -> Quantity: ...
    def __rmul__(self, other: float, /) -> Quantity: ...
    def __abs__(self) -> Quantity: ...
    def __lt__(self, other: Quantity, /) -> Condition: ...
    def __le__(self, other: Quantity, /) -> Condition: ...
    def __gt__(self, other: Quantity, /) -> Condition: ...
    def __ge__(self, other: Quantity, /) -> Condition: ...


class Kind(Enum):
    """What a quantity is decides the scale on which its margins are measured."""

    PRICE = "a price: differences are measured against the usual range of a bar"
    LENGTH = "a length measured on a candle"
    AVERAGE = "what is usual: an average over the bars before"


@dataclass(frozen=True, slots=True)
class Scale:
    """The measures of each lane: one tick, and the usual range of a bar, never under one tick."""

    tick: Floats
    usual_range: Floats


@dataclass(slots=True, eq=False)  # not frozen: many are made for each pattern, and that would double what one costs
class Measured:
    """A quantity whose comparisons carry margins."""

    values: Floats
    kind: Kind
    scale: Scale

    def __add__(self, other: Quantity) -> Quantity:
        right = cast("Measured", other)
        return self._of(self.values + right.values, Kind.PRICE if Kind.PRICE in (self.kind, right.kind) else self.kind)

    def __sub__(self, other: Quantity) -> Quantity:
        right = cast("Measured", other)
        kind = self.kind if right.kind is not Kind.PRICE else Kind.LENGTH
        return self._of(self.values - right.values, kind)

    def __mul__(self, other: float) -> Quantity:
        return self._of(self.values * other, self.kind)

    __rmul__ = __mul__

    def __abs__(self) -> Quantity:
        return self._of(np.abs(self.values), self.kind)

    def __lt__(self, other: Quantity) -> Condition:
        right = cast("Measured", other)
        return Margins.of(self.values < right.values, _margin_below(self, right))

    def __le__(self, other: Quantity) -> Condition:
        right = cast("Measured", other)
        return Margins.of(self.values <= right.values, _margin_below(self, right))

    def __gt__(self, other: Quantity) -> Condition:
        right = cast("Measured", other)
        return Margins.of(self.values > right.values, _margin_above(self, right))

    def __ge__(self, other: Quantity) -> Condition:
        right = cast("Measured", other)
        return Margins.of(self.values >= right.values, _margin_above(self, right))

    def _of(self, values: Floats, kind: Kind) -> Quantity:
        return Measured(values, kind, self.scale)


@dataclass(slots=True, eq=False)
class Margins:
    """A condition and how far inside it each lane is: the product of its margins and their number."""

    holds: Booleans
    product: Floats
    count: float | Floats  # by lane only where lanes went different ways of an `or`

    @classmethod
    def of(cls, holds: Booleans, margin: Floats) -> Margins:
        return cls(holds, np.where(holds, margin, 0.0), 1.0)

    @classmethod
    def label(cls, holds: Booleans) -> Margins:
        """A condition that says nothing about quality."""
        return cls(holds, holds.astype(np.float64), 0.0)

    def __and__(self, other: Condition) -> Condition:
        right = cast("Margins", other)
        return Margins(self.holds & right.holds, self.product * right.product, self.count + right.count)

    def __or__(self, other: Condition) -> Condition:
        right = cast("Margins", other)
        return self.where(self.holds & (~right.holds | (self.quality() >= right.quality())), right)

    def __invert__(self) -> Condition:
        """That something is not there says nothing about quality."""
        return Margins.label(~self.holds)

    def where(self, mine: Booleans, other: Margins) -> Margins:
        """These margins in some of the lanes, the other ones elsewhere."""
        count: float | Floats
        if isinstance(self.count, float) and isinstance(other.count, float) and self.count == other.count:
            count = self.count
        else:
            count = np.where(mine, self.count, other.count)
        return Margins(self.holds | other.holds, np.where(mine, self.product, other.product), count)

    def quality(self) -> Floats:
        """The geometric mean of the margins, in [0, 1]."""
        mean: Floats = self.product ** (1.0 / np.maximum(self.count, 1.0))
        return mean


def _margin_below(left: Measured, right: Measured) -> Floats:
    """How far left lies below right.

    A measured length counts as at least one tick, and a limit under one tick leaves no room: a body of exactly zero says little
    in a stock whose usual range is two ticks.
    """
    if Kind.PRICE in (left.kind, right.kind):
        return _share(right.values - left.values, left.scale.usual_range)
    tick = left.scale.tick
    length = np.maximum(left.values, tick)
    if right.kind is Kind.AVERAGE:
        return np.where(right.values < tick, 0.0, _share(right.values - length, np.maximum(right.values, tick)))
    return np.where(right.values < tick, 0.0, _share(right.values - length, 2.0 * length))


def _margin_above(left: Measured, right: Measured) -> Floats:
    """How far left lies above right: ideal is twice what is usual, and three times another length of the candle."""
    if Kind.PRICE in (left.kind, right.kind):
        return _share(left.values - right.values, left.scale.usual_range)
    limit = np.maximum(right.values, left.scale.tick)
    if right.kind is Kind.AVERAGE:
        return _share(left.values - right.values, limit)
    return _share(left.values - limit, 2.0 * limit)


def _share(distance: Floats, whole: Floats) -> Floats:
    return np.minimum(np.maximum(distance / whole, 0.0), 1.0)  # np.clip costs five times as much on few lanes
