"""A lane gives what its own bars say: whatever other lanes do, however many close together, and after starting again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.series import MINUTE, START, Series, random_walk, run
from tickstock.analysis.bar_result import BarResult
from tickstock.analysis.results import BarColumns
from tickstock.analysis.selection import Enabled
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

SYMBOLS, BARS = 12, 320


def walks() -> list[Series]:
    """Symbols of a day of two sessions, each with minutes of its own missing, some starting late."""
    generator, many = np.random.default_rng(2), []
    for symbol in range(SYMBOLS):
        one = random_walk(symbol, BARS, ticks_a_step=5.0)
        minutes = np.sort(generator.choice(np.arange(20 * (symbol % 3), 700), BARS, replace=False))
        times = START + MINUTE * minutes
        sessions = np.where(minutes < 400, START, START + 400 * MINUTE)
        many.append(Series(one.bars._replace(timestamp=times), sessions))
    return many


def events(results: list[BarResult]) -> dict[int, list]:
    """By lane: every value, pattern, alert in order."""
    told: dict[int, list] = {}
    for result in results:
        for place, lane in enumerate(result.lanes.tolist()):
            values = {name: float(column[place]) for name, column in result.values.items() if not np.isnan(column[place])}
            told.setdefault(lane, []).append(values)
        for hit in result.pattern_hits():
            told[hit.lane].append(replace(hit, lane=0))
        for hit in result.alerts:
            told[hit.lane].append(replace(hit, lane=0))
    return told


def by_minute(many: list[Series], timeframe: str, shuffle: np.random.Generator | None = None) -> list[BarResult]:
    """As the engine is fed: every minute, all symbols that have a bar, here in any order; lanes are added as symbols come."""
    engine, results, at = TimeframeAnalysis(timeframe), [], np.zeros(len(many), np.int64)
    lanes_of: dict[int, int] = {}
    for minute in range(700):
        time = START + minute * MINUTE
        symbols = [s for s in range(len(many)) if at[s] < len(many[s]) and many[s].bars.timestamp[at[s]] == time]
        if shuffle is not None:
            shuffle.shuffle(symbols)
        if not symbols:
            continue
        for symbol in symbols:
            lanes_of.setdefault(symbol, len(lanes_of))
        engine.ensure_lanes(len(lanes_of))
        rows = [tuple(column[at[s]] for column in many[s].bars) for s in symbols]
        bars = BarColumns(*(np.array(column) for column in zip(*rows, strict=True)))
        lanes = np.array([lanes_of[s] for s in symbols])
        results.append(engine.close_bars(lanes, bars, np.array([many[s].sessions[at[s]] for s in symbols])))
        at[symbols] += 1
    symbol_of = {lane: symbol for symbol, lane in lanes_of.items()}

    def symbols_of(lanes: np.ndarray) -> np.ndarray:
        return np.array([symbol_of[lane] for lane in lanes.tolist()], np.int64)

    return [
        replace(
            result,
            lanes=symbols_of(result.lanes),
            states=result.states._replace(shapes=result.states.shapes._replace(lane=symbols_of(result.states.shapes.lane))),
            alerts=[replace(hit, lane=symbol_of[hit.lane]) for hit in result.alerts],
        )
        for result in results
    ]


@pytest.mark.parametrize("timeframe", ["1min", "60min"])
def test_a_symbol_gives_the_same_alone_and_among_others_in_any_order(timeframe, thorough):
    many = walks()
    together, shuffled = (events(by_minute(many, timeframe, order)) for order in (None, np.random.default_rng(8)))
    assert together == shuffled
    kinds = set()
    for symbol, one in list(enumerate(many))[:: 1 if thorough else 3]:
        alone = events(run(one, timeframe))[0]
        assert together[symbol] == alone
        kinds |= {getattr(event, "pattern", getattr(event, "alert", "values")) for event in alone}
    assert {"Doji", "Hammer", "values"} < kinds


def test_after_a_reset_the_same_bars_give_the_same_again():
    one = walks()[4]
    engine = TimeframeAnalysis("1min", 1)
    run(one.part(slice(0, 200)), analysis=engine)
    engine.reset()
    assert events(run(one, analysis=engine)) == events(run(one))


def test_later_bars_never_change_what_was_told():
    one = walks()[1]
    whole = run(one)
    part = run(one.part(slice(0, 150)))
    assert events(part) == events(whole[:150])


def test_room_for_more_lanes_keeps_what_is_there():
    one = random_walk(3, 120, ticks_a_step=5.0)
    engine = TimeframeAnalysis("1min", 1)
    first = run(one.part(slice(0, 60)), analysis=engine)
    engine.ensure_lanes(5_000)
    rest = run(one.part(slice(60, None)), analysis=engine)
    assert events(first + rest) == events(run(one))


def test_one_session_start_may_stand_for_all_lanes():
    one = random_walk(3, 80, ticks_a_step=5.0)
    engine = TimeframeAnalysis("1min", 1)
    results = [engine.close_bars(np.array([0]), one.bars.rows(np.array([at])), START) for at in range(80)]
    assert events(results) == events(run(one))


def test_volumes_may_be_whole_numbers():
    one = random_walk(3, 80, ticks_a_step=5.0)
    whole = Series(one.bars._replace(volume=one.bars.volume.astype(np.int64)), one.sessions)
    assert events(run(whole)) == events(run(one))


def test_no_bars_give_nothing():
    engine = TimeframeAnalysis("1min", 3)
    nothing = np.empty(0, np.int64)
    result = engine.close_bars(nothing, BarColumns(nothing, *(np.empty(0),) * 5), nothing)
    assert (result.pattern_hits(), result.alerts, result.suppressed) == ([], [], 0)


def test_what_is_told_is_made_of_plain_numbers():
    """So that it can be encoded and stored without looking for NumPy's."""
    for result in run(random_walk(6, 400, ticks_a_step=5.0)):
        for hit in result.pattern_hits():
            assert {type(hit.lane), type(hit.bar_timestamp)} == {int}
            assert {type(hit.quality), type(hit.price)} == {float}
            for value in (*hit.details.values(), *(v for point in hit.details.get("points", ()) for v in point.values())):
                assert type(value) in (int, float, str, bool, list)
        for hit in result.alerts:
            assert {type(hit.lane), type(hit.bar_timestamp)} == {int}
            assert {type(hit.value), type(hit.threshold)} == {float}


def test_obv_begins_with_the_session_and_on_day_bars_with_the_series():
    walk = walks()[0]
    many = Series(walk.bars._replace(volume=1000.0 + 7.0 * np.arange(len(walk)) ** 2), walk.sessions)
    only = Enabled(frozenset(), ("OBV",), frozenset())
    for timeframe, begins in (("1min", True), ("1day", False)):
        values = [float(each.values["OBV"][0]) for each in run(many, timeframe, TimeframeAnalysis(timeframe, 1, only))]
        second = int(np.flatnonzero(many.sessions != many.sessions[0])[0])
        assert bool(values[second] == many.bars.volume[second]) is begins
