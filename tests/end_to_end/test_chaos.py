"""A short day in which everything fails; `python -m tests.chaos` has longer ones."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from tests.chaos.comparison import StoredDay, differences
from tests.chaos.day import VirtualDay
from tests.chaos.faults import EMPTIES_REDIS, FAULTS
from tests.chaos.run import run_seed, shown
from tests.chaos.schedule import steps
from tests.servers import PostgresServer

MINUTE = 1_793_629_860_000
PATIENCE = 290.0  # seconds: many tests may run beside it


def test_a_seed_gives_the_same_day_and_the_same_faults_every_time() -> None:
    for seed in range(5):
        assert VirtualDay.of(seed, 2) == VirtualDay.of(seed, 2)
        assert list(islice(steps(seed), 50)) == list(islice(steps(seed), 50))
    assert len({tuple(islice(steps(seed), 5)) for seed in range(20)}) == 20


def test_every_fault_comes_and_what_is_not_promised_never_comes_together() -> None:
    struck = list(islice(steps(3), 400))
    assert {strike.fault for step in struck for strike in step.strikes} == FAULTS.keys()
    together = [step.strikes for step in struck if len(step.strikes) > 1]
    assert together
    assert not any(EMPTIES_REDIS in FAULTS[strike.fault].effects for strikes in together for strike in strikes)


def stored(**changes: object) -> StoredDay:
    bar = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 1000} | changes
    pattern = {
        "state": "confirmed",
        "direction": "bullish",
        "quality": 0.5,
        "details": {"points": [{"price": changes.get("price", 1.0)}]},
    }
    tables = {"bars": {("AAPL", "1min", MINUTE): bar}, "intraday_patterns": {("AAPL:1min:Hammer:1",): pattern}}
    return StoredDay(tables, {}, [], 0, 0)


@pytest.mark.parametrize(
    ("changes", "table"),
    [({"close": 10.5001}, "bars"), ({"volume": 1002}, "bars"), ({"price": 1.00001}, "intraday_patterns")],
)
def test_the_comparison_finds_what_differs(changes: dict[str, object], table: str) -> None:
    assert {each.table: len(each) for each in differences(stored(), stored(**changes), lambda _: False)}[table] == 1


@pytest.mark.parametrize("changes", [{}, {"volume": 1001}, {"price": 1.0 + 1e-12}])
def test_the_comparison_lets_pass_what_is_equal(changes: dict[str, object]) -> None:
    assert not any(map(len, differences(stored(), stored(**changes), lambda _: False)))


def test_the_comparison_finds_what_is_missing_and_what_is_there_besides() -> None:
    nothing = StoredDay({"bars": {}, "intraday_patterns": {}}, {}, [], 0, 0)
    assert [len(each.missing) for each in differences(stored(), nothing, lambda _: False)] == [1, 1]
    assert [len(each.surplus) for each in differences(nothing, stored(), lambda _: False)] == [1, 1]
    assert [len(each.missing) for each in differences(stored(), nothing, "AAPL".__eq__)] == [1, 0]  # late prints: bars only


@pytest.mark.slow
def test_a_day_in_which_everything_fails_ends_as_the_undisturbed_one(tmp_path: Path) -> None:
    outcome = run_seed(887, 0.35, "sqlite", tmp_path, print, seconds=PATIENCE)
    assert outcome.is_good, "\n".join(shown(outcome))
    assert outcome.faults
    assert all(outcome.compared.values())


def test_the_same_on_postgresql(tmp_path: Path, postgres_server: PostgresServer, thorough: bool) -> None:
    if not thorough:
        pytest.skip("runs with --thorough")
    outcome = run_seed(12, 0.5, "postgresql", tmp_path, print, server=postgres_server, seconds=PATIENCE)
    assert outcome.is_good, "\n".join(shown(outcome))
