"""A lane's indicators depend on its own bars alone: whoever closes beside it, in whatever order, and however often it began."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.indicator_runs import IndicatorRun, values_of
from tests.analysis.series import Series, random_walk
from tickstock.analysis.indicator_kinds import DEFAULT_INSTANCES
from tickstock.analysis.indicators import KINDS
from tickstock.analysis.results import BarColumns

COMPUTED = [name for name in DEFAULT_INSTANCES if name.split("_")[0] in KINDS and name != "SMA_200"]
BARS = 110


def symbols(count: int) -> list[Series]:
    """Walks of their own price and volumes, with a new session after half of the bars."""
    made = []
    for seed in range(count):
        generator = np.random.default_rng(seed)
        one = random_walk(seed, BARS, price=float(generator.choice([0.9, 40.0, 812_345.6789])))
        volume = generator.integers(0, 9_000, BARS).astype(np.float64)
        made.append(Series(one.bars._replace(volume=volume), np.where(np.arange(BARS) < BARS // 2, 0, 1)))
    return made


def alone(many: list[Series]) -> list[dict[str, np.ndarray]]:
    return [values_of(one, COMPUTED) for one in many]


def close_one_each(run: IndicatorRun, many: list[Series], lanes: np.ndarray, at: np.ndarray) -> dict[str, np.ndarray]:
    """The bar at its own place of each of these lanes."""
    rows = [many[lane].bars.rows(np.array([place])) for lane, place in zip(lanes, at, strict=True)]
    bars = BarColumns(*(np.concatenate(column) for column in zip(*rows, strict=True)))
    return run.close_bars(lanes, bars, np.array([many[lane].sessions[place] for lane, place in zip(lanes, at, strict=True)]))


SYMBOLS = symbols(6)
ALONE = alone(SYMBOLS)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 1.0))
@settings(max_examples=8, deadline=None)
def test_the_lanes_beside_it_and_their_order_change_nothing(seed, share):
    """Each minute some of the symbols have a bar, told in any order; so they begin, and are, at different places."""
    generator = np.random.default_rng(seed)
    run, closed = IndicatorRun(COMPUTED, len(SYMBOLS)), np.zeros(len(SYMBOLS), np.int64)
    for _ in range(BARS):
        lanes = generator.permutation(len(SYMBOLS))[: max(1, round(share * generator.random() * len(SYMBOLS)))]
        lanes = lanes[closed[lanes] < BARS]
        values = close_one_each(run, SYMBOLS, lanes, closed[lanes])
        for name, value in values.items():
            np.testing.assert_array_equal(value, [ALONE[lane][name][closed[lane]] for lane in lanes], err_msg=name)
        closed[lanes] += 1


def test_a_symbol_that_starts_late_seeds_while_others_have_long_been_smoothing():
    run = IndicatorRun(COMPUTED, 2)
    for at in range(BARS):
        close_one_each(run, SYMBOLS, np.array([0]), np.array([at]))
    run.close_bars(np.array([], np.int64), BarColumns(*(np.array([]) for _ in range(6))), np.array([], np.int64))
    for at in range(BARS):
        values = close_one_each(run, SYMBOLS, np.array([1]), np.array([at]))
        for name, value in values.items():
            np.testing.assert_array_equal(value[0], ALONE[1][name][at], err_msg=name)


def test_a_replay_from_the_same_anchor_gives_what_the_uninterrupted_run_has():
    run = IndicatorRun(COMPUTED, 3)
    for at in range(57):
        close_one_each(run, SYMBOLS, np.array([0, 1, 2]), np.full(3, at))
    run.reset()
    for at in range(BARS):
        values = close_one_each(run, SYMBOLS, np.array([0, 1, 2]), np.full(3, at))
    assert {name: value.tolist() for name, value in values.items()} == {
        name: [ALONE[lane][name][-1] for lane in range(3)] for name in values
    }


def test_lanes_that_are_added_later_leave_the_others_alone():
    run = IndicatorRun(COMPUTED, 1)
    for at in range(BARS):
        if at == 40:
            run.ensure_lanes(40)
        lanes = np.array([0]) if at < 40 else np.array([0, 5])
        values = close_one_each(run, SYMBOLS, lanes, np.array([at, at - 40])[: len(lanes)])
        for name, value in values.items():
            np.testing.assert_array_equal(value[0], ALONE[0][name][at], err_msg=name)
            if len(lanes) == 2:
                np.testing.assert_array_equal(value[1], ALONE[5][name][at - 40], err_msg=name)
