"""The alert engine gives what the table says when it is read plainly: on drawn quantities, on real weeks, in any company."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.alert_reference import ALERTS, DOWNWARD, LOWER, MACD, MIDDLE, SIGNAL, UPPER, UPWARD, PlainAlerts
from tests.analysis.series import MINUTE, Series, golden
from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.alerts import AlertEngine
from tickstock.analysis.results import AlertHit
from tickstock.analysis.selection import EVERYTHING, Enabled
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

NO_PATTERNS = Enabled(frozenset(), (), EVERYTHING.alerts)
ORDER = {rule.name: place for place, rule in enumerate(ALERT_RULES)}
WARM = {"RSI_14": 3, "SMA_20": 1, "SMA_50": 2, "SMA_200": 4, MACD: 5, SIGNAL: 6, UPPER: 1}
PRICES = (
    "open", "SMA_20", "SMA_50", "SMA_200", "VWAP", UPPER, LOWER, "HIGH_OF_DAY", "LOW_OF_DAY", "PREV_DAY_HIGH", "PREV_DAY_LOW",
    "PREV_CLOSE", "PREMARKET_HIGH", "PREMARKET_LOW", "OPENING_RANGE_HIGH", "OPENING_RANGE_LOW",
)  # fmt: skip
CHOICES = {  # few values, so that equality and steps to and fro are common
    "RSI_14": (28.0, 29.5, 30.0, 30.5, 34.75, 35.0, 50.0, 65.0, 65.25, 69.5, 70.0, 70.5, 72.0),
    "ATR_14": (0.0, 1.0, 2.0),
    MACD: (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2),
    SIGNAL: (0.0, 0.05),
    "BarVolumeRatio": (1.5, 2.0, 2.5, 4.75, 5.0, 6.0),
    "volume": (100.0, 9_999.0, 10_000.0, 20_000.0),
    "minutes": (1.0, 1.0, 1.0, 2.0, 4.0),  # since the bar before
}


def values_of(seed: int, length: int, exists: float) -> list[dict[str, float]]:
    """The quantities of a symbol's bars, each there with this likelihood."""
    generator = np.random.default_rng(seed)
    bars = []
    for _ in range(length):
        bar = {name: float(generator.choice(choices)) for name, choices in CHOICES.items()}
        bar |= {name: 100.0 + 0.25 * float(generator.integers(-3, 4)) for name in PRICES}
        bar["close"] = 100.0 + 0.25 * float(generator.integers(-4, 5))
        bar["open"] = bar["PREV_CLOSE"] * float(generator.choice((0.97, 0.98, 0.985, 1.0, 1.015, 1.02, 1.03)))
        bar["FIRST_OPEN"] = bar["open"] if generator.random() < 0.2 else np.nan
        bar[LOWER] = bar[UPPER] - float(generator.choice((0.03, 0.04, 1.0, 2.0)))
        bar[MIDDLE] = (bar[UPPER] + bar[LOWER]) / 2
        for name in bar.keys() - {"open", "close", "volume", "minutes"}:
            if generator.random() > exists:
                bar[name] = np.nan
        bars.append(bar)
    return bars


def as_told(hits: list[AlertHit]) -> set[tuple[int, str, str, float, float, str]]:
    return {(hit.lane, hit.alert, hit.indicator, hit.value, hit.threshold, hit.direction) for hit in hits}


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), symbols=st.integers(1, 6), exists=st.sampled_from((1.0, 0.97)), missing=st.booleans())
def test_any_symbols_in_any_order_give_what_the_table_read_plainly_gives(seed, symbols, exists, missing):
    generator = np.random.default_rng(seed)
    length = 80
    bars = [values_of(seed + lane, length, exists) for lane in range(symbols)]
    plain = [PlainAlerts(WARM) for _ in range(symbols)]
    engine = AlertEngine(ALERT_RULES, WARM)
    taken, time = [0] * symbols, [0] * symbols
    left_out = set(generator.choice(["VWAP", "ATR_14", "RSI_14", MIDDLE, "FIRST_OPEN", "HIGH_OF_DAY"], 2)) if missing else set()
    for _ in range(length):
        lanes = generator.permutation(symbols)[: generator.integers(1, symbols + 1)]
        now = [{name: value for name, value in bars[lane][taken[lane]].items() if name not in left_out} for lane in lanes]
        new_session = generator.random(len(lanes)) < 0.1
        for lane, bar in zip(lanes, now, strict=True):
            time[lane] += int(bar["minutes"]) * MINUTE
        engine.ensure_lanes(int(lanes.max()) + 1)
        hits = engine.update(
            lanes,
            np.array([taken[lane] for lane in lanes]),
            {name: np.array([bar[name] for bar in now]) for name in now[0]},
            new_session,
            np.array([time[lane] for lane in lanes]),
        )
        assert as_told(hits) == {
            (lane, *fired)
            for lane, bar, new in zip(lanes.tolist(), now, new_session.tolist(), strict=True)
            for fired in plain[lane].close_bar(taken[lane], bar, new, time[lane])
        }
        places = [(ORDER[hit.alert], lanes.tolist().index(hit.lane)) for hit in hits]
        assert places == sorted(places)
        assert all(hit.bar_timestamp == time[hit.lane] for hit in hits)
        for lane in lanes:
            taken[lane] += 1


def test_the_drawn_quantities_make_every_alert_fire():
    """Otherwise the comparison above would say little."""
    plain, fired = PlainAlerts(WARM), dict.fromkeys(ALERTS, 0)
    for index, bar in enumerate(values_of(1, 2_000, 1.0)):
        for alert, *_ in plain.close_bar(index, bar, index % 10 == 0, index * MINUTE):
            fired[alert] += 1
    assert min(fired.values()) >= 10
    assert set(fired) == set(ORDER)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), start=st.integers(1, 7))
def test_a_start_at_a_sessions_first_bar_gives_what_the_uninterrupted_engine_gives(seed, start):
    bars, length = values_of(seed, 80, 0.97), 10

    def alerts_from(first: int) -> list[AlertHit]:
        engine = AlertEngine(ALERT_RULES, WARM)
        engine.ensure_lanes(1)
        hits = []
        for at in range(first, len(bars)):
            columns = {name: np.array([value]) for name, value in bars[at].items()}
            new_session = np.array([at % length == 0])
            hits += engine.update(np.array([0]), np.array([at]), columns, new_session, np.array([at * MINUTE]))
        return hits

    assert alerts_from(start * length) == [hit for hit in alerts_from(0) if hit.bar_timestamp >= start * length * MINUTE]


COLUMNS = {
    "RSI_14": "rsi14", "SMA_20": "sma20", "SMA_50": "sma50", "ATR_14": "atr14", MACD: "macd", SIGNAL: "macd_signal",
    UPPER: "bb_upper", MIDDLE: "bb_middle", LOWER: "bb_lower", "open": "open", "close": "close", "volume": "volume",
}  # fmt: skip


def figures_of(one: Series) -> list[dict[str, float]]:
    """The figures of the trading day at the end of each regular bar, from the bars of a week, one a minute."""
    bars, found = one.bars, []
    minutes = (bars.timestamp - one.sessions) // MINUTE
    starts = np.unique(one.sessions)
    for at, (session, minute) in enumerate(zip(one.sessions, minutes, strict=True)):
        today, yesterday = one.sessions == session, one.sessions == max((s for s in starts if s < session), default=0)
        so_far = today & (bars.timestamp <= bars.timestamp[at])
        before, opening = today & (bars.timestamp < bars.timestamp[at]), today & (minutes < 15)
        figures = {
            "VWAP": np.sum((bars.high + bars.low + bars.close)[so_far] / 3 * bars.volume[so_far]) / np.sum(bars.volume[so_far]),
            "FIRST_OPEN": bars.open[at] if minute == 0 else np.nan,
        }
        if minute >= 5:
            figures |= {"HIGH_OF_DAY": bars.high[before].max(), "LOW_OF_DAY": bars.low[before].min()}
        if minute >= 15:
            figures |= {"OPENING_RANGE_HIGH": bars.high[opening].max(), "OPENING_RANGE_LOW": bars.low[opening].min()}
        if yesterday.any():
            figures |= {"PREV_DAY_HIGH": bars.high[yesterday].max(), "PREV_DAY_LOW": bars.low[yesterday].min()}
            figures["PREV_CLOSE"] = bars.close[yesterday][-1]
        found.append({name: float(value) for name, value in figures.items()})
    return found


@pytest.mark.parametrize("name", ["SPY_1m_rth", "AIG_1m_rth", "BAC_1m_rth"])
def test_a_real_week_gives_the_alerts_of_the_table_read_plainly(name):
    one, columns = golden(name)
    plain, figures, engine = (
        PlainAlerts({"RSI_14": 139, MACD: 145, SIGNAL: 145}),
        figures_of(one),
        TimeframeAnalysis("1min", 1, NO_PATTERNS),
    )
    fired = dict.fromkeys(ALERTS, 0)
    for at, (time, session) in enumerate(zip(one.bars.timestamp.tolist(), one.sessions, strict=True)):
        talib = {quantity: float(columns[column][at]) for quantity, column in COLUMNS.items()}
        new_session = at == 0 or session != one.sessions[at - 1]
        expected = plain.close_bar(at, talib | figures[at], bool(new_session), time)
        result = engine.close_bars(
            np.array([0]),
            one.bars.rows(np.array([at])),
            session,
            {quantity: np.array([value]) for quantity, value in figures[at].items()},
        )
        assert {(hit.alert, hit.indicator, hit.direction) for hit in result.alerts} == {(a, i, d) for a, i, _, _, d in expected}
        for alert, *_ in expected:
            fired[alert] += 1
    assert {alert for alert, count in fired.items() if count} >= {
        "RSI_OVERBOUGHT",
        "MACD_BEARISH_CROSS",
        "BB_UPPER_BREAK",
        "NEW_HIGH_OF_DAY",
        "PREV_DAY_LOW_BREAK",
    }


def test_the_plain_table_has_the_names_and_messages_of_the_rules():
    crossings = {rule.name: (rule.indicator, rule.threshold, rule.direction) for rule in ALERT_RULES if rule.crossing}
    assert crossings == UPWARD | DOWNWARD
