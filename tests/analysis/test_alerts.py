"""Indicator alerts, row by row of the table: at the threshold, trembling on it, armed again, across sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from tickstock.analysis.alert_rules import ALERT_RULES, rules_for
from tickstock.analysis.alerts import AlertEngine

MINUTE = 60_000
MACD, SIGNAL = "MACD_12_26_9", "MACD_SIGNAL_12_26_9"
UPPER, MIDDLE, LOWER = "BB_UPPER_20_2", "BB_MIDDLE_20_2", "BB_LOWER_20_2"


@dataclass(frozen=True)
class Row:
    """A row of the table: what crosses what, and how far back it is armed again (ATR_14 is 2, a band's half 2)."""

    indicator: str
    threshold: str | float
    side: int
    direction: str
    back: float | None = None
    level: float = 100.0  # the threshold, where it is a quantity
    around: dict[str, float] = field(default_factory=lambda: {"ATR_14": 2.0})  # other quantities

    def values(self, x: float) -> dict[str, float]:
        """The quantities when the indicator is this far beyond the threshold."""
        level = self.level if isinstance(self.threshold, str) else self.threshold
        values = {"close": 100.0, "open": 100.0, "volume": 1_000.0, **self.around, self.indicator: level + self.side * x}
        return values | {self.threshold: level} if isinstance(self.threshold, str) else values


BAND_ABOVE = {MIDDLE: 98.0, LOWER: 96.0}
BAND_BELOW = {MIDDLE: 102.0, UPPER: 104.0}
CROSSINGS = {
    "RSI_OVERBOUGHT": Row("RSI_14", 70.0, +1, "bearish", 5.0),
    "RSI_OVERSOLD": Row("RSI_14", 30.0, -1, "bullish", 5.0),
    "SMA_BULLISH_CROSS": Row("close", "SMA_20", +1, "bullish", 0.5),
    "SMA_BEARISH_CROSS": Row("close", "SMA_20", -1, "bearish", 0.5),
    "SMA_20_50_BULLISH_CROSS": Row("SMA_20", "SMA_50", +1, "bullish", 0.2),
    "SMA_20_50_BEARISH_CROSS": Row("SMA_20", "SMA_50", -1, "bearish", 0.2),
    "MACD_BULLISH_CROSS": Row(MACD, SIGNAL, +1, "bullish", 0.1, level=0.5),
    "MACD_BEARISH_CROSS": Row(MACD, SIGNAL, -1, "bearish", 0.1, level=0.5),
    "BB_UPPER_BREAK": Row("close", UPPER, +1, "bullish", 1.0, around=BAND_ABOVE),
    "BB_LOWER_BREAK": Row("close", LOWER, -1, "bearish", 1.0, around=BAND_BELOW),
    "VWAP_BULLISH_CROSS": Row("close", "VWAP", +1, "bullish", 0.5),
    "VWAP_BEARISH_CROSS": Row("close", "VWAP", -1, "bearish", 0.5),
}
LONG_CROSSINGS = {
    "GOLDEN_CROSS": Row("SMA_50", "SMA_200", +1, "bullish"),
    "DEATH_CROSS": Row("SMA_50", "SMA_200", -1, "bearish"),
}
ONCE_A_SESSION = {
    "PREV_DAY_HIGH_BREAK": Row("close", "PREV_DAY_HIGH", +1, "bullish"),
    "PREV_DAY_LOW_BREAK": Row("close", "PREV_DAY_LOW", -1, "bearish"),
    "PREMARKET_HIGH_BREAK": Row("close", "PREMARKET_HIGH", +1, "bullish"),
    "PREMARKET_LOW_BREAK": Row("close", "PREMARKET_LOW", -1, "bearish"),
}
OPENING_RANGE = {
    "OPENING_RANGE_BREAK_UP": Row("close", "OPENING_RANGE_HIGH", +1, "bullish"),
    "OPENING_RANGE_BREAK_DOWN": Row("close", "OPENING_RANGE_LOW", -1, "bearish"),
}
EXTREMES = {
    "NEW_HIGH_OF_DAY": Row("close", "HIGH_OF_DAY", +1, "bullish"),
    "NEW_LOW_OF_DAY": Row("close", "LOW_OF_DAY", -1, "bearish"),
}
ALL_CROSSINGS = CROSSINGS | LONG_CROSSINGS | ONCE_A_SESSION
ROWS = ALL_CROSSINGS | OPENING_RANGE | EXTREMES

Bars = list[dict[str, float]]


def fired(name: str, bars: Bars, *, sessions: list[int] | None = None, minutes: list[int] | None = None, first: int = 1_000,
          warm_from: dict[str, int] | None = None) -> list[int]:  # fmt: skip
    """At which of the bars the alert fires; they are a minute apart and in one session unless told otherwise."""
    engine = AlertEngine(ALERT_RULES, warm_from or {})
    engine.ensure_lanes(1)
    found = []
    for step, bar in enumerate(bars):
        new = sessions is not None and (step == 0 or sessions[step] != sessions[step - 1])
        time = (step if minutes is None else minutes[step]) * MINUTE
        values = {key: np.array([value]) for key, value in bar.items()}
        hits = engine.update(np.array([0]), np.array([first + step]), values, np.array([new]), np.array([time]))
        found += [step for hit in hits if hit.alert == name]
    return found


def along(name: str, way: list[float], **more) -> list[int]:
    """At which steps the alert fires when its indicator is so far beyond the threshold."""
    return fired(name, [ROWS[name].values(x) for x in way], **more)


def test_every_alert_of_the_table_is_among_these_rows():
    assert {*ROWS, "GAP_UP", "GAP_DOWN", "VOLUME_SPIKE"} == {rule.name for rule in ALERT_RULES}
    for name, row in ROWS.items():
        (rule,) = [rule for rule in ALERT_RULES if rule.name == name]
        assert (rule.indicator, rule.threshold, rule.direction) == (row.indicator, row.threshold, row.direction)


@pytest.mark.parametrize("name", ALL_CROSSINGS)
def test_it_fires_on_the_crossing_and_not_on_the_level(name):
    assert along(name, [-1.0, 1.0, 2.0, 3.0]) == [1]


@pytest.mark.parametrize("name", ALL_CROSSINGS)
def test_the_threshold_itself_is_not_beyond_it(name):
    assert along(name, [-1.0, 0.0, 0.0]) == []
    assert along(name, [-1.0, 0.0, 0.001]) == [2]


@pytest.mark.parametrize("name", ALL_CROSSINGS)
def test_it_does_not_fire_on_the_way_back(name):
    assert along(name, [1.0, -1.0]) == []


@pytest.mark.parametrize("name", CROSSINGS)
def test_trembling_on_the_threshold_fires_once(name):
    back = 0.9 * CROSSINGS[name].back
    assert along(name, [-1.0, *[0.1, -back] * 10]) == [1]


@pytest.mark.parametrize("name", CROSSINGS)
def test_it_is_armed_again_exactly_at_the_distance(name):
    back = CROSSINGS[name].back
    assert along(name, [-1.0, 0.1, -back + 1e-6, 0.1]) == [1]
    assert along(name, [-1.0, 0.1, -back, 0.1, -1.1 * back, -0.1, 0.1]) == [1, 3, 6]


@pytest.mark.parametrize("name", LONG_CROSSINGS)
def test_averages_that_touch_are_not_armed_again_but_those_that_crossed_back_are(name):
    assert along(name, [-1.0, 0.1, 0.0, 0.1]) == [1]
    assert along(name, [-1.0, 0.1, -1e-6, 0.1]) == [1, 3]


@pytest.mark.parametrize("name", ONCE_A_SESSION)
def test_a_level_of_the_day_breaks_once_a_session(name):
    assert along(name, [-1.0, 0.1, -50.0, 0.1, -1.0, 0.1], sessions=[0, 0, 0, 0, 1, 1]) == [1, 5]


@pytest.mark.parametrize("name", OPENING_RANGE)
def test_the_opening_range_breaks_once_a_side_and_session_from_the_first_bar_after_it(name):
    assert along(name, [0.0, 0.001, -50.0, 0.1, 0.0, 0.1], sessions=[0, 0, 0, 0, 1, 1]) == [1, 5]
    within = ROWS[name].values(-1.0) | {ROWS[name].threshold: np.nan}
    assert fired(name, [within, ROWS[name].values(1.0)]) == [1]
    assert fired(name, [within, within | {"close": 500.0}]) == []


@pytest.mark.parametrize("name", ALL_CROSSINGS)
def test_a_crossing_needs_both_bars_in_one_session_and_a_session_arms_anew(name):
    assert along(name, [-1.0, 1.0], sessions=[0, 1]) == []
    assert along(name, [-1e-3, 1e-3, -1e-3, -1e-3, 1e-3], sessions=[0, 0, 0, 1, 1])[-1] == 4


@pytest.mark.parametrize("name", ALL_CROSSINGS)
def test_the_first_bar_has_nothing_to_cross_from(name):
    assert along(name, [1.0, 2.0]) == []


@pytest.mark.parametrize("name", ALL_CROSSINGS)
def test_a_quantity_that_does_not_exist_crosses_nothing_before_at_or_after(name):
    row = ALL_CROSSINGS[name]
    for quantity in (row.indicator, row.threshold):
        if isinstance(quantity, str) and quantity != "close":
            bars = [row.values(x) for x in (-1.0, 1.0, -0.01, 1.0)]
            assert fired(name, bars[:2]) == [1]
            for gone in (0, 1):
                assert fired(name, [bar | {quantity: np.nan} if at == gone else bar for at, bar in enumerate(bars)]) == [3]
            assert fired(name, [{key: value for key, value in bar.items() if key != quantity} for bar in bars]) == []


@pytest.mark.parametrize(
    "name", [name for name, row in CROSSINGS.items() if "ATR_14" in row.around and row.indicator != "RSI_14"]
)
def test_without_an_average_range_it_fires_and_is_not_armed_again(name):
    bars = [CROSSINGS[name].values(x) | {"ATR_14": np.nan} for x in (-1.0, 1.0, -9.0, 1.0)]
    assert fired(name, bars) == [1]


@pytest.mark.parametrize("name", ALL_CROSSINGS)
def test_no_alert_before_what_it_compares_is_warm(name):
    row = ALL_CROSSINGS[name]
    for quantity in (row.indicator, row.threshold):
        if isinstance(quantity, str) and quantity != "close":
            assert along(name, [-1.0, 1.0], first=137, warm_from={quantity: 139}) == []
            assert along(name, [-1.0, 1.0], first=138, warm_from={quantity: 139}) == [1]


@pytest.mark.parametrize("name", ["MACD_BULLISH_CROSS", "MACD_BEARISH_CROSS"])
def test_a_macd_crosses_from_bar_index_34_on(name):
    assert along(name, [-1.0, 1.0], first=32) == []
    assert along(name, [-1.0, 1.0], first=33) == [1]


@pytest.mark.parametrize(("name", "edge"), [("BB_UPPER_BREAK", UPPER), ("BB_LOWER_BREAK", LOWER)])
@pytest.mark.parametrize(("price", "tick"), [(100.0, 0.01), (0.5, 0.0001)])
def test_no_bollinger_alert_while_the_bands_are_under_four_ticks_apart(name, edge, price, tick):
    side = ROWS[name].side
    for ticks, expected in ((3.9999, []), (4.0, [1])):
        other = price - side * ticks * tick
        bands = {edge: price, LOWER if edge == UPPER else UPPER: other, MIDDLE: (price + other) / 2}
        bars = [{"open": price, "volume": 1.0, "close": price + side * x * tick, **bands} for x in (-1.0, 1.0)]
        assert fired(name, bars) == expected


@pytest.mark.parametrize("name", ALL_CROSSINGS)
def test_the_rounding_of_floats_is_not_a_crossing(name):
    assert along(name, [-1.0, 1e-13, 2e-13]) == []
    assert along(name, [-1e-13, 1e-13, -1e-13, 1e-13]) == []


@pytest.mark.parametrize("name", EXTREMES)
def test_a_new_extreme_fires_beyond_it_and_not_at_it_even_without_a_bar_before(name):
    assert along(name, [1.0]) == [0]
    assert along(name, [0.0, -1.0, 0.01]) == [2]


@pytest.mark.parametrize("name", EXTREMES)
def test_a_new_extreme_is_told_again_five_minutes_later_and_at_a_new_session(name):
    assert along(name, [1.0] * 12) == [0, 5, 10]
    assert along(name, [1.0, 1.0, 1.0, 1.0], minutes=[0, 4, 5, 9]) == [0, 2]
    assert along(name, [1.0, -1.0, -1.0, 1.0], minutes=[0, 3, 9, 10]) == [0, 3]
    assert along(name, [1.0, 1.0, 1.0], sessions=[0, 0, 1]) == [0, 2]


@pytest.mark.parametrize("name", EXTREMES)
def test_there_is_no_new_extreme_where_there_is_no_extreme_yet(name):
    bars = [ROWS[name].values(1.0) | {ROWS[name].threshold: extreme} for extreme in (np.nan, np.nan, 100.0)]
    assert fired(name, bars) == [2]


def gap(opening: float, previous: float, *, first: bool = True) -> dict[str, float]:
    return {"close": 70.0, "volume": 1.0, "open": opening, "PREV_CLOSE": previous, "FIRST_OPEN": opening if first else np.nan}


@pytest.mark.parametrize(("name", "side"), [("GAP_UP", +1), ("GAP_DOWN", -1)])
@pytest.mark.parametrize("previous", [0.05, 33.3, 50.0, 100.0, 812_345.65])
def test_a_gap_of_two_percent_is_enough_and_less_is_not(name, side, previous):
    opening = previous * (1 + side * 0.02)
    assert fired(name, [gap(opening, previous)]) == [0]
    assert fired(name, [gap(opening * (1 - side * 1e-6), previous)]) == []
    assert fired(name, [gap(previous * (1 - side * 0.02), previous)]) == []


@pytest.mark.parametrize(("name", "opening"), [("GAP_UP", 103.0), ("GAP_DOWN", 97.0)])
def test_a_gap_is_told_once_at_the_first_regular_bar_of_each_session(name, opening):
    assert fired(name, [gap(opening, 100.0, first=False)] * 3) == []
    assert fired(name, [gap(opening, 100.0)] * 4, sessions=[0, 0, 1, 1]) == [0, 2]
    assert fired(name, [gap(opening, np.nan)]) == []


def spike(ratio: float, volume: float = 10_000.0) -> dict[str, float]:
    return {"close": 100.0, "open": 100.0, "volume": volume, "BarVolumeRatio": ratio}


def test_a_volume_spike_needs_five_times_the_usual_volume_and_ten_thousand_shares():
    assert fired("VOLUME_SPIKE", [spike(5.0)]) == [0]
    assert fired("VOLUME_SPIKE", [spike(4.999)]) == []
    assert fired("VOLUME_SPIKE", [spike(5.0, 9_999.0), spike(6.0)]) == [1]
    assert fired("VOLUME_SPIKE", [spike(np.nan)]) == []


def test_a_volume_spike_is_armed_again_below_twice_the_usual_volume():
    assert fired("VOLUME_SPIKE", [spike(ratio) for ratio in (9.0, 4.0, 9.0, 2.0, 9.0, 1.999, 9.0)]) == [0, 6]
    assert fired("VOLUME_SPIKE", [spike(9.0, volume) for volume in (1e5, 1e5, 1e5)], sessions=[0, 0, 1]) == [0, 2]


def test_hits_carry_indicator_value_threshold_direction_and_time():
    engine = AlertEngine(ALERT_RULES, {})
    engine.ensure_lanes(8)
    seen = {}
    for name, row in ROWS.items():
        for step, x in enumerate((-1.0, 1.0)):
            columns = {key: np.array([value]) for key, value in row.values(x).items()}
            for hit in engine.update(np.array([7]), np.array([500 + step]), columns, np.array([step == 0]), np.array([step])):
                if hit.alert == name:
                    assert (hit.lane, hit.bar_timestamp) == (7, 1)
                    seen[name] = (hit.indicator, hit.value, hit.threshold, hit.direction)
    assert seen == {
        name: (
            row.indicator,
            row.values(1.0)[row.indicator],
            row.level if isinstance(row.threshold, str) else row.threshold,
            row.direction,
        )
        for name, row in ROWS.items()
    }


@pytest.mark.parametrize(
    ("bar", "told"),
    [
        (gap(104.0, 100.0), ("GAP_UP", "open", 104.0, 100.0, "bullish")),
        (gap(96.0, 100.0), ("GAP_DOWN", "open", 96.0, 100.0, "bearish")),
        (spike(7.5), ("VOLUME_SPIKE", "BarVolumeRatio", 7.5, 5.0, "neutral")),
    ],
)
def test_gaps_and_spikes_carry_theirs(bar, told):
    engine = AlertEngine(ALERT_RULES, {})
    engine.ensure_lanes(1)
    columns = {key: np.array([value]) for key, value in bar.items()}
    (hit,) = engine.update(np.array([0]), np.array([0]), columns, np.array([True]), np.array([9]))
    assert (hit.alert, hit.indicator, hit.value, hit.threshold, hit.direction) == told


def test_golden_crosses_are_for_days_and_levels_of_the_day_for_minutes():
    everything = {rule.name for rule in ALERT_RULES}
    on = {name: {rule.name for rule in rules_for(name, everything)} for name in ("1min", "5min", "15min", "60min", "1day")}
    days = {"GOLDEN_CROSS", "DEATH_CROSS"}
    of_the_day = {*ONCE_A_SESSION, *OPENING_RANGE, *EXTREMES, "GAP_UP", "GAP_DOWN", "VOLUME_SPIKE"}
    vwap = {"VWAP_BULLISH_CROSS", "VWAP_BEARISH_CROSS"}
    assert on["1min"] == everything - days
    assert on["5min"] == on["15min"] == on["60min"] == everything - days - of_the_day
    assert on["1day"] == everything - of_the_day - vwap
    assert [rule.name for rule in rules_for("1min", {"GAP_UP", "RSI_OVERSOLD", "GOLDEN_CROSS"})] == ["RSI_OVERSOLD", "GAP_UP"]


def test_a_timeframe_without_alerts_is_quiet():
    engine = AlertEngine((), {})
    engine.ensure_lanes(1)
    assert engine.update(np.array([0]), np.array([0]), {"close": np.array([1.0])}, np.array([True]), np.array([0])) == []


def test_a_rule_names_the_indicators_that_its_quantities_come_from():
    instance = {SIGNAL: MACD, UPPER: "BollingerBands_20_2", LOWER: "BollingerBands_20_2"}
    for rule in ALERT_RULES:
        compared = {instance.get(name, name) for name in (rule.indicator, str(rule.threshold)) if re.search(r"[A-Z]_\d+", name)}
        assert compared <= set(rule.indicators)
        assert ("ATR_14" in str(rule.rearm)) == ("ATR_14" in rule.indicators)
