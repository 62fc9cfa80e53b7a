"""Events against all other bars of the same symbol and half-hour, over all of the days or some."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tickstock.analysis.outcome_tally import Cells, Events
from tickstock.analysis.resampled_days import chance_above, spread_of_draws, student_quantile, weighty_days
from tickstock.analysis.results import Booleans, Floats, Integers


@dataclass(slots=True)
class Comparison:
    """The rate of events that went their way, beside that of the other bars weighted as the events are."""

    events: int  # that moved, and have other bars to be compared with
    hits: int
    base_rate: float
    mean_return: float  # of all scored events, in their direction, before costs
    excess: Floats  # by day: hits beyond what the other bars let expect
    weight: Floats  # by day: events
    independent_error: float  # of as many events that have nothing to do with each other
    error: float = math.nan  # of the difference; set by `measure_errors`
    freedom: float = 0.0

    @property
    def days(self) -> int:
        """With an event that is compared."""
        return int(np.count_nonzero(self.weight))

    @property
    def rate(self) -> float:
        return self.hits / self.events if self.events else math.nan

    @property
    def difference(self) -> float:
        return self.rate - self.base_rate

    @property
    def chance(self) -> float:
        """Of a difference of at least this size, were there none; 1 where it was not measured."""
        return chance_above(self.difference / self.error, self.freedom) if self.error > 0 else 1.0

    def interval(self) -> tuple[float, float]:
        """Where the difference lies with 95 %."""
        reach = student_quantile(0.975, self.freedom) * self.error
        return self.difference - reach, self.difference + reach


class OtherBars:
    """The bars without this pattern and direction, summed by stratum and day."""

    def __init__(self, base: Cells, base_day: Integers, detected: Cells, detected_day: Integers, side: int) -> None:
        """The days are places among all days here, not ordinals; `side` is that of the events."""

        def without(all_bars: Floats, with_pattern: Floats) -> Floats:
            return np.concatenate((all_bars, -with_pattern))

        self._side = side
        self._stratum = np.concatenate((base.stratum, detected.stratum))
        self._day = np.concatenate((base_day, detected_day))
        self._hits = without(base.up, detected.up) if side > 0 else without(base.down, detected.down)
        self._moved = without(base.up + base.down, detected.up + detected.down)
        self._scored = without(base.scored, detected.scored)
        self._size = without(base.size, detected.size)
        self._strata = int(self._stratum.max(initial=-1)) + 1

    def mean_size(self, stratum: Integers) -> tuple[float | None, int]:
        """The mean absolute return where these events are, and how many of them have no other bar."""
        count, size = (np.bincount(self._stratum, values, self._strata) for values in (self._scored, self._size))
        matched = stratum[count[stratum] > 0.5]
        unmatched = len(stratum) - len(matched)
        return (float((size[matched] / count[matched]).mean()), unmatched) if len(matched) else (None, unmatched)

    def compare(self, events: Events, day: Integers, first: int, last: int) -> Comparison:
        """The events of the days from `first` to before `last` against the other bars of these days."""
        within = (day >= first) & (day < last) & np.isfinite(events.move)
        returns = self._side * events.move[within]
        stratum, day = events.stratum[within], day[within] - first
        cell = (self._day >= first) & (self._day < last)
        count, hits = self._sums(self._moved, cell), self._sums(self._hits, cell)
        expected = np.divide(hits, count, out=np.zeros(self._strata), where=count > 0.5)
        compared = (returns != 0) & (count[stratum] > 0.5)
        stratum, day, hit = stratum[compared], day[compared], returns[compared] > 0
        chance = expected[stratum]
        excess = np.bincount(day, hit - chance, last - first).astype(np.float64)
        self._take_error_of_base(excess, cell, first, count, expected, np.bincount(stratum, minlength=self._strata))
        return Comparison(
            events=len(hit),
            hits=int(hit.sum()),
            base_rate=float(chance.mean()) if len(hit) else math.nan,
            mean_return=float(returns.mean()) if len(returns) else math.nan,
            excess=excess,
            weight=np.bincount(day, minlength=last - first).astype(np.float64),
            independent_error=math.sqrt(float((chance * (1 - chance)).sum())) / max(len(hit), 1),
        )

    def _sums(self, values: Floats, cell: Booleans) -> Floats:
        return np.bincount(self._stratum[cell], values[cell], self._strata).astype(np.float64)

    def _take_error_of_base(
        self, excess: Floats, cell: Booleans, first: int, count: Floats, expected: Floats, events: Integers
    ) -> None:
        """The expected rate is itself measured: a day whose other bars rose more than usual raised it for all events.

        To first order a bar moves the expectation of each event of its stratum by its own surprise over the number of bars.
        """
        cell = cell & (events[self._stratum] > 0)
        stratum = self._stratum[cell]
        surprise = self._hits[cell] - expected[stratum] * self._moved[cell]
        share = np.divide(events, count, out=np.zeros(self._strata), where=count > 0.5)
        excess -= np.bincount(self._day[cell] - first, surprise * share[stratum], len(excess))


def measure_errors(comparisons: Sequence[Comparison], fewest_events: int, fewest_days: int) -> None:
    """Resample the days of comparisons over the same days; one with too few events or days stays unmeasured."""
    measured = [each for each in comparisons if each.events >= fewest_events and each.days >= fewest_days]
    if not measured:
        return
    weight = np.stack([each.weight for each in measured], axis=1)
    excess = np.stack([each.excess for each in measured], axis=1)
    spread, days = spread_of_draws(excess, weight), weighty_days(weight)
    for each, error, weighty in zip(measured, spread.tolist(), days.tolist(), strict=True):
        each.error = max(error, each.independent_error)
        each.freedom = weighty - 1.0
