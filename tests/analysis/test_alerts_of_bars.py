"""Indicator alerts of series of bars, through the whole analysis: flat series, sessions, a restart, warm-up."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest

from tests.analysis.series import MINUTE, START, Series, alerts, closes, golden, random_walk, run, run_together, series
from tickstock.analysis.alert_rules import ALERT_RULES, rules_for
from tickstock.analysis.indicators import indicator_from
from tickstock.analysis.results import AlertHit
from tickstock.analysis.selection import EVERYTHING, Enabled
from tickstock.analysis.session_figures import SessionFigures
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis
from tickstock.analysis.timeframes import LENGTH_MS
from tickstock.market_hours import AlwaysOpenCalendar

FROM_BARS_ALONE = {f"{name}_{side}_CROSS" for name in ("SMA", "SMA_20_50", "MACD") for side in ("BULLISH", "BEARISH")}
FROM_BARS_ALONE |= {"RSI_OVERBOUGHT", "RSI_OVERSOLD", "BB_UPPER_BREAK", "BB_LOWER_BREAK"}
NO_PATTERNS = Enabled(frozenset(), (), EVERYTHING.alerts)


def alerts_of(one: Series, *names: str, timeframe: str = "1min") -> list[AlertHit]:
    return alerts(run(one, analysis=TimeframeAnalysis(timeframe, 1, NO_PATTERNS)), *names)


def test_a_series_that_never_moved_fires_nothing_when_it_moves_at_last():
    """Its RSI is 0 by convention, and jumps to 100: that is no crossing."""
    flat = [50.0] * 200
    assert not alerts_of(closes([*flat, 51.0, 52.0]), "RSI_OVERBOUGHT", "RSI_OVERSOLD")
    assert not alerts_of(closes([*flat, 49.0, 48.0]), "RSI_OVERBOUGHT", "RSI_OVERSOLD")


def test_a_series_that_stands_still_for_very_long_does_not_become_oversold():
    moving = random_walk(1, 200).bars.close.tolist()
    hits = alerts_of(closes([*moving, *[moving[-1]] * 600]), "RSI_OVERSOLD")
    assert not [hit for hit in hits if hit.bar_timestamp > START + 210 * MINUTE]


def test_a_flat_price_does_not_cross_its_own_average():
    assert not alerts_of(closes([0.1 + 0.2] * 400))


def test_on_long_timeframes_a_crossing_may_span_sessions_and_arming_starts_with_the_series():
    values = [100.0] * 30 + [99.0, 101.0, 99.98, 100.1]
    sessions = [START + at * 86_400_000 for at in range(len(values))]
    one = closes(values, timestamp=sessions, sessions=sessions)
    assert [hit.bar_timestamp for hit in alerts_of(one, "SMA_BULLISH_CROSS", timeframe="1day")] == [sessions[31]]
    assert not alerts_of(one)


def test_a_start_within_a_session_rebuilds_the_armed_flags_from_the_bars():
    one, _ = golden("SPY_1m_rth")
    uninterrupted = alerts_of(one)
    analysis = TimeframeAnalysis("1min", 1, NO_PATTERNS)
    run(random_walk(3, 500), analysis=analysis)  # whatever it held before
    analysis.reset()
    before, after = (alerts(run(one.part(part), analysis=analysis)) for part in (slice(0, 1_000), slice(1_000, None)))
    assert one.sessions[999] == one.sessions[1_000]
    assert (before, after) == (
        [hit for hit in uninterrupted if hit.bar_timestamp <= one.bars.timestamp[999]],
        [hit for hit in uninterrupted if hit.bar_timestamp > one.bars.timestamp[999]],
    )


@pytest.mark.parametrize(("timeframe", "first"), [("1min", 139), ("60min", 77), ("1day", 139)])
def test_60_minute_bars_are_warm_earlier(timeframe, first):
    walks = [random_walk(seed, 160, ticks_a_step=6.0) for seed in range(150)]
    hits = alerts(run_together(walks, timeframe), "RSI_OVERBOUGHT", "RSI_OVERSOLD")
    assert min(hit.bar_timestamp for hit in hits) == START + first * MINUTE


def first_bars(timeframe: str, names: set[str], many: list[Series]) -> dict[str, int]:
    """How many bars a series had when each alert fired for the first time."""
    first: dict[str, int] = {}
    for hit in alerts(run_together(many, timeframe), *names):
        bars = (hit.bar_timestamp - START) // MINUTE + 1
        first[hit.alert] = min(first.get(hit.alert, bars), bars)
    return first


def test_a_crossing_first_fires_at_the_bar_that_its_rule_says():
    walks = [random_walk(seed, 150, ticks_a_step=6.0) for seed in range(300)]
    bars = {rule.name: rule.bars for rule in ALERT_RULES if rule.name in FROM_BARS_ALONE}
    assert first_bars("1min", FROM_BARS_ALONE, walks) == bars


def test_golden_crosses_first_fire_at_the_bar_that_their_rule_says():
    turns = [closes([*[100.0 - side * 0.01 * at for at in range(200)], 100.0 + side * 500.0, 100.0]) for side in (+1, -1)]
    assert first_bars("1day", {"GOLDEN_CROSS", "DEATH_CROSS"}, turns) == {"GOLDEN_CROSS": 201, "DEATH_CROSS": 201}
    assert {rule.bars for rule in ALERT_RULES if rule.timeframes == ("1day",)} == {201}


def test_every_quantity_that_a_rule_names_exists_on_its_timeframes():
    """One that does not would keep its alert silent for ever."""
    calendar = AlwaysOpenCalendar()
    session = calendar.sessions_of(date(2024, 12, 5))[0]
    bars = series([(100.0, 100.0, 100.0, 100.0)], timestamp=[session.start]).bars
    day = SessionFigures(calendar)
    day.take(session, np.array([0]), bars)
    for timeframe in LENGTH_MS:
        figures = day.of(timeframe, np.array([0]), bars, session.start + LENGTH_MS[timeframe]) if timeframe != "1day" else {}
        for rule in rules_for(timeframe, EVERYTHING.alerts):
            computed = {value for name in rule.indicators for value in indicator_from(name).names}
            named = set(
                re.findall(r"'(\w+)'", repr((rule.indicator, rule.threshold, rule.rearm, rule.at_least, rule.only_where)))
            )
            assert named <= {*computed, *figures, "open", "close", "volume", "tick"}
