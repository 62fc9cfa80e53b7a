"""An edge is claimed where there is one, and hardly ever where there is none: on markets without drift or memory."""

from __future__ import annotations

import time
from collections.abc import Collection

import numpy as np
import pytest

from tests.analysis.memoryless_market import memoryless_series
from tickstock.analysis.outcome_rows import OutcomeRow, outcome_rows
from tickstock.analysis.outcome_tally import OutcomeTally
from tickstock.analysis.outcomes import HORIZONS
from tickstock.analysis.selection import PATTERNS
from tickstock.history.bar_series import BarSeries
from tickstock.history.search import search

NO_COST = 0.0  # the hardest for a claim of nothing: whatever is above zero pays
PLANTED = "Hammer"


def report(many: list[BarSeries], patterns: Collection[str] = PATTERNS, horizons: tuple[int, ...] = HORIZONS) -> list[OutcomeRow]:
    tallies = [OutcomeTally("1min", horizon) for horizon in horizons]
    for series in many:
        search(series, patterns, lambda _: None).add_to(tallies)
    return outcome_rows(tallies, NO_COST)


def memoryless(run: int, days: int, symbols: int) -> list[BarSeries]:
    return [memoryless_series(1_000 * run + number, days, f"S{number}") for number in range(symbols)]


def rise_after(pattern: str, bars: int, ticks: float):
    """A drift of so many ticks a step in the bars after each detection of a pattern."""

    def plant(series: BarSeries) -> np.ndarray:
        drift = np.zeros(len(series) + bars + 1)
        for places in search(series, (pattern,), lambda _: None).confirmed():
            for later in range(1, bars + 1):
                drift[places.bar + later] = ticks
        return drift[: len(series)]

    return plant


def measured(rows: list[OutcomeRow]) -> list[OutcomeRow]:
    return [row for row in rows if row.interval is not None]


def test_an_edge_is_claimed_in_at_most_two_of_forty_markets_without_drift_or_memory(thorough: bool) -> None:
    runs, days, symbols = (40, 200, 2) if thorough else (4, 60, 1)
    began, covered, claimed, survived, rows_of_runs = time.monotonic(), [], 0, 0, 0
    for run in range(runs):
        rows = report(memoryless(run, days, symbols))
        claimed += any(row.edge for row in rows)
        survived += any(row.survives for row in rows)
        rows_of_runs += len(rows)
        covered += [row.interval[0] <= 0 <= row.interval[1] for row in rows if row.interval is not None]
    print(
        f"\n{runs} markets of {days} days: {rows_of_runs:,} rows; the interval holds nothing in {np.mean(covered):.1%} of "
        f"{len(covered):,}; a row survives Benjamini-Hochberg in {survived} runs, an edge is claimed in {claimed} "
        f"({time.monotonic() - began:.0f} s)"
    )
    assert claimed <= runs // 20
    assert survived <= runs // 8  # the first test alone is held to 5 % of runs: six of forty would be a chance of 1.4 %
    assert 0.93 <= np.mean(covered) <= 0.99


def test_a_planted_rise_is_found_and_only_it() -> None:
    many = [memoryless_series(seed, 120, f"S{seed}", rise_after(PLANTED, 5, 1.0)) for seed in range(2)]
    rows = report(many, patterns=(PLANTED, "Engulfing", "ShootingStar"), horizons=(5,))
    edges = [row for row in rows if row.edge]
    assert ("Hammer", "bullish", "all") in {(row.pattern, row.direction, row.quality) for row in edges}
    assert {row.pattern for row in edges} == {PLANTED}


@pytest.mark.parametrize("ticks", [0.04, 0.08, 0.16])
def test_a_planted_effect_is_found_and_the_events_it_needs_are_told(ticks: float, thorough: bool) -> None:
    if not thorough:
        pytest.skip("long: with --thorough")
    for days in (40, 80, 160, 320, 640, 1280, 2560):
        rows = report([memoryless_series(7, days, "S", rise_after(PLANTED, 5, ticks))], horizons=(5,))
        row = next(row for row in rows if (row.pattern, row.direction, row.quality) == (PLANTED, "bullish", "all"))
        print(
            f"\nplanted {ticks} ticks a step: {days} days, {row.events} events, rate {row.rate:.1%} beside {row.base_rate:.1%}, "
            f"chance {row.chance:.1e} among {len(rows)} rows: {'an edge' if row.edge else 'not claimed'}",
            end="",
        )
        if row.edge:
            return
    pytest.fail(f"{row.events} events were not enough")
