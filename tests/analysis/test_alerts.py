"""Indicator alerts: each row of the table, at its threshold, trembling on it, across sessions, and armed again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.series import MINUTE, START, alerts, closes, golden, random_walk, run, run_together
from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.alerts import AlertEngine

# A quantity's way across its threshold: x as it stands in the table, with ATR_14 = 2.
QUIET = {"RSI_14": 50.0, "close": 100.0, "SMA_20": 100.0, "SMA_50": 100.0, "ATR_14": 2.0}
ROWS = {
    # rule: quantity, threshold, sign of the crossing, distance at which it is armed again
    "RSI_OVERBOUGHT": ("RSI_14", 70.0, +1, 5.0),
    "RSI_OVERSOLD": ("RSI_14", 30.0, -1, 5.0),
    "SMA_BULLISH_CROSS": ("close", 100.0, +1, 0.5),
    "SMA_BEARISH_CROSS": ("close", 100.0, -1, 0.5),
    "SMA_20_50_BULLISH_CROSS": ("SMA_20", 100.0, +1, 0.2),
    "SMA_20_50_BEARISH_CROSS": ("SMA_20", 100.0, -1, 0.2),
}


def feed(name: str, way: list[float], *, sessions: list[int] | None = None, first: int = 1_000, **more: float) -> list[int]:
    """At which steps the rule fires, when its quantity less its threshold goes this way (upwards being the crossing)."""
    quantity, threshold, side, _ = ROWS[name]
    engine = AlertEngine(ALERT_RULES, {"RSI_14": 139})
    engine.ensure_lanes(1)
    fired = []
    for step, x in enumerate(way):
        values = {**QUIET, "SMA_50": 100.0, **more, quantity: threshold + side * x}
        if quantity == "close":
            values["SMA_50"] = values["SMA_20"]
        new = sessions is not None and step > 0 and sessions[step] != sessions[step - 1]
        columns = {key: np.array([value]) for key, value in values.items()}
        hits = engine.update(np.array([0]), np.array([first + step]), columns, np.array([new]), np.array([step * MINUTE]))
        fired += [step for hit in hits if hit.alert == name]
    return fired


@pytest.mark.parametrize("name", ROWS)
def test_it_fires_on_the_crossing_and_not_on_the_level(name):
    assert feed(name, [-1.0, 1.0, 2.0, 3.0]) == [1]


@pytest.mark.parametrize("name", ROWS)
def test_the_threshold_itself_is_not_beyond_it(name):
    assert feed(name, [-1.0, 0.0, 0.0]) == []
    assert feed(name, [-1.0, 0.0, 0.001]) == [2]


@pytest.mark.parametrize("name", ROWS)
def test_it_does_not_fire_on_the_way_back(name):
    assert feed(name, [1.0, -1.0]) == []


@pytest.mark.parametrize("name", ROWS)
def test_trembling_on_the_threshold_fires_once(name):
    distance = ROWS[name][3]
    assert feed(name, [-1.0, 0.1, *[-0.9 * distance, 0.1] * 10]) == [1]


@pytest.mark.parametrize("name", ROWS)
def test_it_is_armed_again_when_the_quantity_has_come_back_far_enough(name):
    distance = ROWS[name][3]
    assert feed(name, [-1.0, 0.1, -distance, 0.1, -1.1 * distance, -0.1, 0.1]) == [1, 3, 6]


@pytest.mark.parametrize("name", ROWS)
def test_a_crossing_needs_both_bars_in_one_session_and_a_session_arms_anew(name):
    assert feed(name, [-1.0, 1.0], sessions=[0, 1]) == []
    assert feed(name, [-1.0, 0.1, -0.1, -0.1, 0.1], sessions=[0, 0, 0, 1, 1]) == [1, 4]


@pytest.mark.parametrize("name", ROWS)
def test_the_first_value_has_nothing_to_cross_from(name):
    assert feed(name, [1.0, 2.0]) == []
    assert feed(name, [np.nan, 1.0]) == []


@pytest.mark.parametrize("name", ["RSI_OVERBOUGHT", "RSI_OVERSOLD"])
def test_no_rsi_alert_before_the_rsi_is_warm(name):
    assert feed(name, [-1.0, 1.0], first=137) == []
    assert feed(name, [-1.0, 1.0], first=138) == [1]


def test_the_rounding_of_floats_is_not_a_crossing():
    assert feed("SMA_BULLISH_CROSS", [-1.0, 1e-13, 2e-13]) == []


def test_hits_name_quantity_value_threshold_and_direction():
    engine = AlertEngine(ALERT_RULES, {})
    engine.ensure_lanes(3)
    seen = {}
    ways = [
        {"RSI_14": 60.0, "close": 99.0, "SMA_20": 100.0, "SMA_50": 101.0, "ATR_14": 1.0},
        {"RSI_14": 72.0, "close": 103.0, "SMA_20": 102.0, "SMA_50": 101.0, "ATR_14": 1.0},
        {"RSI_14": 20.0, "close": 90.0, "SMA_20": 99.0, "SMA_50": 100.0, "ATR_14": 1.0},
    ]
    for step, values in enumerate(ways):
        columns = {key: np.array([value]) for key, value in values.items()}
        for hit in engine.update(np.array([2]), np.array([500 + step]), columns, np.array([False]), np.array([step])):
            assert (hit.lane, hit.bar_timestamp) == (2, step)
            seen[hit.alert] = (hit.indicator, hit.value, hit.threshold, hit.direction)
    assert seen == {
        "RSI_OVERBOUGHT": ("RSI_14", 72.0, 70.0, "bearish"),
        "RSI_OVERSOLD": ("RSI_14", 20.0, 30.0, "bullish"),
        "SMA_BULLISH_CROSS": ("close", 103.0, 102.0, "bullish"),
        "SMA_BEARISH_CROSS": ("close", 90.0, 99.0, "bearish"),
        "SMA_20_50_BULLISH_CROSS": ("SMA_20", 102.0, 101.0, "bullish"),
        "SMA_20_50_BEARISH_CROSS": ("SMA_20", 99.0, 100.0, "bearish"),
    }


def plain_alerts(one, columns) -> list[tuple[str, int]]:
    """The table read plainly, bar by bar, over TA-Lib's values of a golden file."""
    found = []
    warm = {"rsi": 139, "sma": 0}
    close, rsi, sma20, sma50, atr = (columns[name] for name in ("close", "rsi14", "sma20", "sma50", "atr14"))
    rules = [
        ("RSI_OVERBOUGHT", rsi - 70, rsi <= 65, +1, warm["rsi"]),
        ("RSI_OVERSOLD", rsi - 30, rsi >= 35, -1, warm["rsi"]),
        ("SMA_BULLISH_CROSS", close - sma20, close - sma20 <= -0.25 * atr, +1, 0),
        ("SMA_BEARISH_CROSS", close - sma20, close - sma20 >= 0.25 * atr, -1, 0),
        ("SMA_20_50_BULLISH_CROSS", sma20 - sma50, sma20 - sma50 <= -0.1 * atr, +1, 0),
        ("SMA_20_50_BEARISH_CROSS", sma20 - sma50, sma20 - sma50 >= 0.1 * atr, -1, 0),
    ]
    for name, difference, rearmed, side, first in rules:
        x = np.where(np.abs(difference) < 1e-9, 0.0, difference * side)
        armed = True
        for at in range(len(one)):
            if at == 0 or one.sessions[at] != one.sessions[at - 1]:
                armed = True
            elif armed and x[at - 1] <= 0 < x[at] and at >= first:
                found.append((name, int(one.bars.timestamp[at])))
                armed = False
            armed = armed or bool(rearmed[at])
    return sorted(found)


@pytest.mark.parametrize("name", ["SPY_1m_rth", "AIG_1m_rth", "BAC_1m_rth"])
def test_a_real_week_gives_the_alerts_of_the_table_read_plainly(name):
    one, columns = golden(name)
    expected = plain_alerts(one, columns)
    names = {alert for alert, _ in expected}
    assert len(names) == 6
    assert sorted((hit.alert, hit.bar_timestamp) for hit in alerts(run(one), *names)) == expected


def test_a_series_that_never_moved_fires_nothing_when_it_moves_at_last():
    """Its RSI is 0 by convention, and jumps to 100: that is no crossing."""
    flat = [50.0] * 200
    assert not alerts(run(closes([*flat, 51.0, 52.0])), "RSI_OVERBOUGHT", "RSI_OVERSOLD")
    assert not alerts(run(closes([*flat, 49.0, 48.0])), "RSI_OVERBOUGHT", "RSI_OVERSOLD")


def test_a_series_that_stands_still_for_very_long_does_not_become_oversold():
    moving = random_walk(1, 200).bars.close.tolist()
    assert not [
        hit
        for hit in alerts(run(closes([*moving, *[moving[-1]] * 600])), "RSI_OVERSOLD")
        if hit.bar_timestamp > START + 210 * MINUTE
    ]


def test_a_flat_price_does_not_cross_its_own_average():
    assert not alerts(run(closes([0.1 + 0.2] * 400)))


def test_on_long_timeframes_a_crossing_may_span_sessions_and_arming_starts_with_the_series():
    values = [100.0] * 30 + [99.0, 101.0, 99.98, 100.1]
    sessions = [START + at * 86_400_000 for at in range(len(values))]
    one = closes(values, timestamp=sessions, sessions=sessions)
    assert [hit.bar_timestamp for hit in alerts(run(one, "1day"), "SMA_BULLISH_CROSS")] == [sessions[31]]
    assert not alerts(run(one, "1min"))


def test_a_start_within_a_session_rebuilds_the_armed_flags_from_the_bars():
    one, _ = golden("SPY_1m_rth")
    whole = [(hit.alert, hit.bar_timestamp) for hit in alerts(run(one))]
    again = [(hit.alert, hit.bar_timestamp) for hit in alerts(run(one.part(slice(0, 1_000))))]
    assert again == [each for each in whole if each[1] <= one.bars.timestamp[999]]


@pytest.mark.parametrize(("timeframe", "first"), [("1min", 139), ("60min", 77), ("1day", 139)])
def test_60_minute_bars_are_warm_earlier(timeframe, first):
    walks = [random_walk(seed, 160, ticks_a_step=6.0) for seed in range(150)]
    hits = alerts(run_together(walks, timeframe), "RSI_OVERBOUGHT", "RSI_OVERSOLD")
    assert min(hit.bar_timestamp for hit in hits) == START + first * MINUTE
