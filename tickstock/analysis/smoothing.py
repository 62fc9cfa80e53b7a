"""Moving sums and recursive averages over lanes, of which indicators are made.

A lane's value depends on that lane's bars alone and on nothing that drifts: moving sums carry what rounding took from them, so
that they still are the sum of the window after years of bars. The operations are element by element throughout, so that a lane's
last bit does not depend on how many lanes stand beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import Floats, Integers

SAME_PRICE = 1e-14  # typical prices that differ by less, relatively, are equal but for their rounding, in TA-Lib too


class MovingSums:
    """The sums of the last values of `rows` quantities."""

    def __init__(self, rows: int) -> None:
        self._state = LaneArrays()
        self._state.add("sum", rows=rows)
        self._state.add("lost", rows=rows)  # what rounding took from the sum

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(self, lanes: Integers, entering: Floats, leaving: Floats) -> Floats:
        """The sums [rows, k] after some values came in and others, 0 while the window fills, went out."""
        change, lost_in_change = exact_sum(entering, -leaving)
        total, lost_in_total = exact_sum(self._state.take("sum", lanes), change)
        lost = self._state.take("lost", lanes) + (lost_in_change + lost_in_total)
        self._state.put("sum", lanes, total)
        self._state.put("lost", lanes, lost)
        summed: Floats = total + lost
        return summed


class LastValues:
    """The last p values of a quantity, each in the row that its index gives it."""

    def __init__(self, period: int) -> None:
        self.period = period
        self._state = LaneArrays()
        self._state.add("values", rows=period)

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def with_newest(self, lanes: Integers, index: Integers, value: Floats) -> Floats:
        """Take the value of a bar and return the last ones [p, k], in no order of time; 0 where the series is shorter."""
        self._state["values"].reshape(-1)[self._slots(lanes, index)] = value
        return self._state.take("values", lanes)

    def replace_oldest(self, lanes: Integers, index: Integers, value: Floats) -> Floats:
        """Take the value of a bar and return the one of p bars ago; 0 where the series is shorter."""
        values, slots = self._state["values"].reshape(-1), self._slots(lanes, index)
        oldest: Floats = values.take(slots)
        values[slots] = value
        return oldest

    def _slots(self, lanes: Integers, index: Integers) -> Integers:
        return index % self.period * self._state.capacity + lanes


class MovingExtremes:
    """The highest high and the lowest low of the last p bars, at a cost that does not depend on p.

    A lane's bars are cut into blocks of p. The last p bars are the block that is being filled, whose extreme runs along, and the
    end of the block before, whose extremes towards its end are known since it was full (van Herk's algorithm). Lows are kept
    with their sign turned, so that both are a maximum.
    """

    def __init__(self, period: int) -> None:
        self.period = period
        self._state = LaneArrays()
        self._state.add("running", -np.inf, rows=2)
        # Of the block before, from each place to its end, overwritten place by place by the bars of this one; and one row of
        # nothing behind the last place: first for highs, then for lows.
        self._state.add("endings", -np.inf, rows=2 * (period + 1))

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(self, lanes: Integers, index: Integers, high: Floats, low: Floats) -> tuple[Floats, Floats]:
        """Take a bar and return the highest high and the lowest low, as far back as there are bars."""
        place = index % self.period
        values = np.stack((high, -low))
        running = np.maximum(np.where(place == 0, -np.inf, self._state.take("running", lanes)), values)
        self._state.put("running", lanes, running)
        endings = self._state["endings"].reshape(-1)
        slots = self._slots(place, lanes)
        np.maximum(running, endings.take(slots + self._state.capacity), out=running)
        endings[slots] = values
        full = lanes[place == self.period - 1]
        if len(full):
            self._complete(endings, self._slots(np.arange(self.period)[:, np.newaxis], full))
        return running[0], -running[1]

    def _slots(self, place: Integers, lanes: Integers) -> Integers:
        of_highs = place * self._state.capacity + lanes
        return np.stack((of_highs, of_highs + (self.period + 1) * self._state.capacity))

    def _complete(self, endings: Floats, slots: Integers) -> None:
        block = endings.take(slots)  # [2, period, lanes]
        reach = 1
        while reach < self.period:
            block[:, :-reach] = np.maximum(block[:, :-reach], block[:, reach:])
            reach *= 2
        endings[slots] = block


class ExponentialAverage:
    """Exponential averages of `rows` quantities: each begins as the mean of `period` values from index `start` on."""

    def __init__(self, periods: Sequence[int], starts: Sequence[int]) -> None:
        self._periods = np.array(periods, np.float64)[:, np.newaxis]
        self._starts = np.array(starts)[:, np.newaxis]
        self._seeded = self._starts + np.array(periods)[:, np.newaxis] - 1  # the index of the first average
        self._last_seeded = int(self._seeded.max())
        self._weights = 2.0 / (self._periods + 1.0)
        self._state = LaneArrays()
        self._state.add("average", rows=len(periods))

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def update(self, lanes: Integers, index: Integers, values: Floats) -> Floats:
        """Take the values of a bar, [rows, k] or [k] for all rows; return the averages [rows, k], sums before the first."""
        before = self._state.take("average", lanes)
        average: Floats = (values - before) * self._weights + before
        if index.min(initial=self._last_seeded + 1) <= self._last_seeded:
            total = before + np.where(index >= self._starts, values, 0.0)
            seed = np.where(index == self._seeded, total / self._periods, total)
            average = np.where(index <= self._seeded, seed, average)
        self._state.put("average", lanes, average)
        return average


class WilderAverage:
    """Wilder's smoothing of `rows` quantities: the mean of those at index 1 to p, from then on (avg (p - 1) + x) / p.

    Before index p it holds the sum so far; index 0 adds nothing. The order of operations is TA-Lib's.
    """

    def __init__(self, period: int, rows: int) -> None:
        self.period = period
        self._state = LaneArrays()
        self._state.add("average", rows=rows)

    def ensure_lanes(self, lanes: int) -> None:
        self._state.ensure(lanes)

    def reset(self) -> None:
        self._state.reset()

    def current(self, lanes: Integers) -> Floats:
        return self._state.take("average", lanes)

    def start_from(self, lanes: Integers, averages: Floats) -> None:
        """Go on from what `current` gave [rows, k]."""
        self._state.put("average", lanes, averages)

    def update(self, lanes: Integers, index: Integers, values: Floats) -> Floats:
        """Take the values [rows, k] of a bar and return the averages [rows, k]."""
        before = self._state.take("average", lanes)
        average: Floats = (before * (self.period - 1) + values) / self.period
        if index.min(initial=self.period + 1) <= self.period:
            total = before + np.where(index > 0, values, 0.0)
            seed = np.where(index == self.period, total / self.period, total)
            average = np.where(index <= self.period, seed, average)
        self._state.put("average", lanes, average)
        return average


def bars_until_weight(decay: float, weight: float) -> int:
    """The smallest m with decay ** m < weight: how many bars a recursive average needs to forget its seed that far."""
    if decay <= 0.0:
        return 1
    bars = math.ceil(math.log(weight) / math.log(decay))
    return bars if decay**bars < weight else bars + 1


def wilder_bars(period: int, seed_weight: float) -> int:
    """How many bars Wilder's average of a period needs until its seed weighs less."""
    return bars_until_weight((period - 1) / period, seed_weight)


def exponential_bars(period: int, seed_weight: float) -> int:
    """How many bars an exponential average of a period needs until its seed weighs less."""
    return bars_until_weight((period - 1) / (period + 1), seed_weight)


def sum_of_rows(rows: Floats) -> Floats:
    """The sum over the first axis, one after the other. (`sum(axis=0)` adds in another order when there is a single lane.)"""
    total: Floats = rows[0].copy()
    for row in rows[1:]:
        total += row
    return total


def exact_sum(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """The rounded sum and exactly what rounding took from it (Knuth's TwoSum)."""
    total = left + right
    right_part = total - left
    return total, (left - (total - right_part)) + (right - right_part)


def exact_product(value: Floats, factor: int) -> tuple[Floats, Floats]:
    """The rounded product with a whole number below 2 ** 26 and exactly what rounding took from it (Veltkamp's split)."""
    large = value * 134_217_729.0  # 2 ** 27 + 1
    upper = large - (large - value)
    product = value * factor
    return product, (upper * factor - product) + (value - upper) * factor


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole; 0 where the whole is nothing."""
    nothing = whole == 0.0
    if not nothing.any():
        return part / whole
    where_something: Floats = np.where(nothing, 0.0, part / np.where(nothing, 1.0, whole))
    return where_something
