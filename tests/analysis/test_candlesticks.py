"""Every candlestick pattern equals TA-Lib in every bar and every value, without tolerance, on both axes."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.series import START, Series, golden, moments, random_walk, series
from tests.conftest import shared_file
from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candle_bars import LiveBars, to_units
from tickstock.analysis.candlestick_detector import CandlestickDetector, talib_values
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.results import BarColumns

EVERY = sorted(CANDLESTICKS)

# TA-Lib's `penetration`, always given: its defaults have changed before.
PARAMETERS = {
    "AbandonedBaby": {"penetration": 0.3},
    "DarkCloudCover": {"penetration": 0.5},
    "EveningDojiStar": {"penetration": 0.3},
    "EveningStar": {"penetration": 0.3},
    "MatHold": {"penetration": 0.5},
    "MorningDojiStar": {"penetration": 0.3},
    "MorningStar": {"penetration": 0.3},
}


def over_history(one: Series) -> dict[str, list[int]]:
    window = BarWindow(moments(one))
    return {name: talib_values(CANDLESTICKS[name], window).tolist() for name in EVERY}


def one_by_one(one: Series) -> dict[str, list[int]]:
    live = LiveBars()
    live.ensure_lanes(1)
    found = {name: [] for name in EVERY}
    for at in range(len(one)):
        window = BarWindow(live.append(np.array([0]), one.bars.rows(np.array([at])), one.sessions[at : at + 1]))
        for name in EVERY:
            found[name].append(int(talib_values(CANDLESTICKS[name], window)[0]))
    return found


def by_talib(one: Series) -> dict[str, list[int]]:
    """TA-Lib on whole numbers of 1/10,000 dollar."""
    bars = one.bars
    prices = [np.ascontiguousarray(to_units(each)) for each in (bars.open, bars.high, bars.low, bars.close)]
    return {name: getattr(talib, CANDLESTICKS[name].talib)(*prices, **PARAMETERS.get(name, {})).tolist() for name in EVERY}


@st.composite
def grid_bars(draw) -> Series:
    """Bars on a grid of whole ticks, so coarse that ties are common."""
    length = draw(st.integers(1, 40))
    steps = st.integers(-4, 4)
    ticks, rows = draw(st.integers(50, 60)), []
    for _ in range(length):
        opening = ticks + draw(steps)
        close = opening + draw(steps)
        rows.append(
            (opening, max(opening, close) + draw(st.integers(0, 4)), min(opening, close) - draw(st.integers(0, 12)), close)
        )
        ticks = close if close > 20 else 50
    return series(np.array(rows) * draw(st.sampled_from([0.0001, 0.01, 0.05])))


@pytest.mark.parametrize("name", ["SPY_1m", "AIG_1m", "BAC_1m", "SPY_1m_rth", "AIG_1m_rth", "BAC_1m_rth"])
def test_every_bar_of_the_golden_files_is_decided_as_talib_decides_it(name):
    one, columns = golden(name)
    found = over_history(one)
    for pattern in EVERY:
        assert found[pattern] == columns[CANDLESTICKS[pattern].talib].tolist()


def test_every_witness_window_is_decided_as_talib_decides_it():
    with gzip.open(shared_file("golden", "witness.csv.gz"), "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["function"] in {each.talib for each in CANDLESTICKS.values()}]
    by_function = {each.talib: name for name, each in CANDLESTICKS.items()}
    assert {row["function"] for row in rows} == set(by_function) - {"CDLMATHOLD"}  # which never fired where they were sought
    for row in rows:
        one = series([[float(row[f"{part}{at}"]) / 10_000 for part in "ohlc"] for at in range(20)])
        assert over_history(one)[by_function[row["function"]]][-1] == int(row["value_at_last_bar"])


@settings(max_examples=100, deadline=None)
@given(grid_bars())
def test_bars_on_a_price_grid_are_decided_as_talib_decides_them(one):
    assert over_history(one) == by_talib(one)


def test_long_random_walks_are_decided_as_talib_decides_them():
    for seed in range(40):
        one = random_walk(seed, 5_000, ticks_a_step=(0.3, 0.7, 1.5, 4.0)[seed % 4])
        assert over_history(one) == by_talib(one)


@settings(max_examples=40, deadline=None)
@given(grid_bars())
def test_the_live_axis_equals_the_history_axis(one):
    assert one_by_one(one) == over_history(one)


def test_the_live_axis_equals_the_history_axis_on_a_real_day_of_bars_with_missing_minutes():
    one, _ = golden("AIG_1m")
    day = one.part(slice(0, 700))
    assert one_by_one(day) == over_history(day)


def test_detections_with_quality_and_context_are_the_same_on_both_axes():
    one, _ = golden("SPY_1m")
    one = one.part(slice(300, 1_100))
    detector = CandlestickDetector(CANDLESTICKS.values(), "1min")
    at_once, suppressed_at_once = detector.detect(moments(one))
    history = {
        (each.pattern.name, int(place)): (quality, details)
        for each in at_once
        for place, quality, details in zip(each.place, each.quality.tolist(), each.details(), strict=True)
    }
    live = LiveBars()
    live.ensure_lanes(1)
    seen, suppressed = {}, 0
    for at in range(len(one)):
        found, thin = detector.detect(live.append(np.array([0]), one.bars.rows(np.array([at])), one.sessions[at : at + 1]))
        suppressed += thin
        seen |= {(each.pattern.name, at): (float(each.quality[0]), each.details()[0]) for each in found}
    assert seen == history
    assert len(seen) > 50
    assert suppressed == suppressed_at_once > 0


@pytest.mark.parametrize("base", [812_345.6789, 0.00015, 0.4321])
def test_the_dearest_and_the_cheapest_stock_are_decided_as_talib_decides_them(base):
    unit = 1 if base < 1 else 25
    generator = np.random.default_rng(3)
    path = np.cumsum(generator.integers(-3, 4, (3_000, 4)), axis=None).reshape(3_000, 4) * unit
    path = path - path.min() + round(base * 10_000) + 30 * unit
    rows = np.stack((path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]), axis=1) / 10_000
    one = series(rows)
    assert over_history(one) == by_talib(one)
    assert sum(over_history(one)["Doji"]) > 10


@pytest.mark.parametrize(
    ("dollars", "units"),
    [
        (0.00015, 2),
        (0.00025, 2),
        (0.00035, 4),
        (812_345.6789, 8_123_456_789),
        (10.00005, 100_000),
        (10.00015, 100_002),
        (1.0, 10_000),
    ],
)
def test_prices_are_rounded_to_whole_units_half_to_even(dollars, units):
    assert to_units(np.array([dollars]))[0] == units


@settings(max_examples=100)
@given(st.integers(0, 8 * 10**9))
def test_every_printed_half_unit_is_rounded_to_even(whole):
    dollars = float(f"{whole // 10_000}.{whole % 10_000:04d}5")
    assert to_units(np.array([dollars]))[0] == whole + whole % 2


def test_a_hammer_needs_the_bars_that_talib_needs():
    falling = [(50 - at * 0.1, 50.02 - at * 0.1, 49.88 - at * 0.1, 49.9 - at * 0.1) for at in range(12)]
    falling[-1] = (48.85, 48.87, 48.5, 48.86)
    one = series(falling)
    assert over_history(one)["Hammer"] == [0] * 11 + [100]
    assert not any(over_history(one.part(slice(1, None)))["Hammer"])


def test_symbols_side_by_side_give_what_each_gives_alone():
    many = [random_walk(seed, 120, ticks_a_step=1.0) for seed in range(6)]
    live = LiveBars()
    live.ensure_lanes(6)
    order = np.random.default_rng(1)
    position = np.zeros(6, np.int64)
    found = {lane: {name: [] for name in EVERY} for lane in range(6)}
    while (position < 120).any():
        lanes = np.flatnonzero((position < 120) & (order.random(6) < 0.6))
        order.shuffle(lanes)
        if not len(lanes):
            continue
        rows = [tuple(column[position[lane]] for column in many[lane].bars) for lane in lanes]
        bars = BarColumns(*(np.array(column) for column in zip(*rows, strict=True)))
        window = BarWindow(live.append(lanes, bars, np.full(len(lanes), START)))
        for name in EVERY:
            for lane, value in zip(lanes.tolist(), talib_values(CANDLESTICKS[name], window).tolist(), strict=True):
                found[lane][name].append(value)
        position[lanes] += 1
    assert all(found[lane] == over_history(many[lane]) for lane in range(6))
