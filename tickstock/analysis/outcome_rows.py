"""The report of outcomes: one row for each pattern, direction, horizon and third of quality, and whether an edge may be claimed.

An edge is claimed only where, in the first two thirds of the days, the rate beats that of the other bars so clearly that it
survives Benjamini-Hochberg over all rows of the report, and the mean return pays the cost; and where both hold again in the last
third of the days, which the first test did not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tickstock.analysis.outcome_comparison import Comparison, OtherBars, measure_errors
from tickstock.analysis.outcome_tally import SIDES, Events, OutcomeTally
from tickstock.analysis.resampled_days import survivors
from tickstock.analysis.results import Integers

FEWEST_EVENTS, FEWEST_DAYS = 30, 20
FALSE_DISCOVERIES = 0.05
CHANCE_OF_REPETITION = 0.05  # at most, in the last third of the days
THIRDS = ("low", "middle", "high")  # of the events by their quality
DIRECTIONS = {side: direction for direction, side in SIDES.items()}


@dataclass(slots=True, kw_only=True)
class OutcomeRow:
    """What followed one pattern in one direction; rates and returns are fractions, not percent."""

    timeframe: str
    pattern: str
    direction: str
    horizon: int  # bar lengths
    quality: str  # all, or a third of the events by their quality: low, middle, high
    events: int  # scored or incomplete
    incomplete: int
    zero: int  # scored and unchanged: neither hits nor misses
    unmatched: int = 0  # without another bar of their symbol and half-hour: not compared
    days: int = 0  # with a scored event
    hits: int | None = None  # those compared that went their way; none for a neutral pattern, as all that speaks of a direction
    rate: float | None = None
    base_rate: float | None = None
    interval: tuple[float, float] | None = None  # of rate - base_rate, 95 %; none where there are too few
    chance: float = 1.0  # of such a difference in the first two thirds of the days, were there none
    mean_return: float | None = None  # in the pattern's direction
    median_return: float | None = None
    mean_after_cost: float | None = None
    median_after_cost: float | None = None
    mean_size: float | None = None  # of a neutral pattern: of the move, up or down
    median_size: float | None = None
    base_size: float | None = None
    too_few: bool = True  # events or days
    survives: bool = False  # Benjamini-Hochberg over all rows
    pays: bool = False  # the mean return after cost is positive in both parts of the days
    repeats: bool = False  # in the last third of the days
    edge: bool = False


@dataclass(slots=True)
class _Tested:
    """A row with enough events, and what its edge is judged by."""

    row: OutcomeRow
    whole: Comparison
    early: Comparison  # the first two thirds of the days
    late: Comparison

    def judge(self, cost: float) -> None:
        self.row.interval = self.whole.interval()
        self.row.chance = self.early.chance
        self.row.pays = self.early.mean_return > cost and self.late.mean_return > cost
        self.row.repeats = self.late.chance <= CHANCE_OF_REPETITION


def outcome_rows(tallies: Sequence[OutcomeTally], cost: float) -> list[OutcomeRow]:
    """All rows of a report, in the order of the tallies and of the patterns' names.

    Args:
        cost: of buying and selling, as a fraction of the price; taken off every return.
    """
    rows = [row for tally in tallies for row in tally_rows(tally, cost)]
    claim_edges(rows)
    return rows


def tally_rows(tally: OutcomeTally, cost: float) -> list[OutcomeRow]:
    """The rows of one timeframe and horizon, with all but what depends on the other rows of the report."""
    return _TallyRows(tally, cost).made()


def claim_edges(rows: Sequence[OutcomeRow]) -> None:
    """Say in all rows of a report which of them survive the others, and which may be called an edge."""
    chances = np.array([row.chance for row in rows])
    for row, survives in zip(rows, survivors(chances, FALSE_DISCOVERIES).tolist(), strict=True):
        row.survives = survives
        row.edge = row.survives and row.pays and row.repeats


class _TallyRows:
    """The rows of one timeframe and horizon."""

    def __init__(self, tally: OutcomeTally, cost: float) -> None:
        self._tally = tally
        self._cost = cost
        self._calendar = tally.days()
        # A return over several day bars is shared by as many days: they are drawn together, as one.
        self._together = tally.horizon if tally.timeframe == "1day" else 1
        self._days = -(-len(self._calendar) // self._together)
        self._cut = 2 * self._days // 3
        self._base = tally.base()
        self._tested: list[_Tested] = []

    def made(self) -> list[OutcomeRow]:
        rows = [row for pattern, side in self._tally.names for row in self._of_pattern(pattern, side)]
        measure_errors([each.whole for each in self._tested], FEWEST_EVENTS, FEWEST_DAYS)
        measure_errors([each.early for each in self._tested], 2 * FEWEST_EVENTS // 3, 2 * FEWEST_DAYS // 3)
        measure_errors([each.late for each in self._tested], FEWEST_EVENTS // 3, FEWEST_DAYS // 3)
        for each in self._tested:
            each.judge(self._cost)
        return rows

    def _day(self, ordinals: Integers) -> Integers:
        return np.searchsorted(self._calendar, ordinals) // self._together

    def _of_pattern(self, pattern: str, side: int) -> Iterator[OutcomeRow]:
        events, detected = self._tally.events(pattern, side), self._tally.detected(pattern, side)
        others = OtherBars(self._base, self._day(self._base.day), detected, self._day(detected.day), side)
        yield self._row(pattern, side, "all", events, others)
        third = np.searchsorted(np.quantile(events.quality, (1 / 3, 2 / 3)), events.quality)  # equal ones stay together
        for number in np.unique(third) if np.ptp(third) else ():
            part = Events(*(column[third == number] for column in events))
            yield self._row(pattern, side, THIRDS[number], part, others)

    def _row(self, pattern: str, side: int, quality: str, events: Events, others: OtherBars) -> OutcomeRow:
        scored = np.isfinite(events.move)
        row = OutcomeRow(
            timeframe=self._tally.timeframe, pattern=pattern, direction=DIRECTIONS[side], horizon=self._tally.horizon,
            quality=quality, events=len(scored), incomplete=int((~scored).sum()), zero=int((events.move == 0).sum()),
        )  # fmt: skip
        if scored.any():
            row.days = len(np.unique(events.day[scored]))
            if side:
                self._add_direction(row, side, events, others)
            else:
                size = np.abs(events.move[scored])
                row.mean_size, row.median_size = float(size.mean()), float(np.median(size))
                row.base_size, row.unmatched = others.mean_size(events.stratum[scored])
                row.too_few = len(size) < FEWEST_EVENTS or row.days < FEWEST_DAYS
        return row

    def _add_direction(self, row: OutcomeRow, side: int, events: Events, others: OtherBars) -> None:
        day = self._day(events.day)
        returns = side * events.move[np.isfinite(events.move)]
        row.mean_return, row.median_return = float(returns.mean()), float(np.median(returns))
        row.mean_after_cost, row.median_after_cost = row.mean_return - self._cost, row.median_return - self._cost
        whole = others.compare(events, day, 0, self._days)
        row.unmatched = len(returns) - row.zero - whole.events
        row.hits = whole.hits
        if whole.events:
            row.rate, row.base_rate = whole.rate, whole.base_rate
        row.too_few = whole.events < FEWEST_EVENTS or whole.days < FEWEST_DAYS
        if not row.too_few:
            early = others.compare(events, day, 0, self._cut)
            self._tested.append(_Tested(row, whole, early, others.compare(events, day, self._cut, self._days)))
