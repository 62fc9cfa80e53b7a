"""Every candlestick pattern equals TA-Lib in every bar and every value, without tolerance."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
import talib.abstract
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.analysis.drawn_candles import drawn
from tests.analysis.series import Series, golden, moments, random_walk, series
from tests.conftest import shared_file
from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candle_bars import DEPTH, HistoryBars, to_units
from tickstock.analysis.candlestick_detector import talib_values
from tickstock.analysis.candlesticks import CANDLESTICKS, CandlestickPattern
from tickstock.analysis.candlesticks.definition import Sides
from tickstock.analysis.results import BarColumns

EVERY = sorted(CANDLESTICKS)
DRAWN = [name for name in EVERY if CANDLESTICKS[name].bars <= 2]
PENETRATION = {
    "AbandonedBaby": 0.3,
    "DarkCloudCover": 0.5,
    "EveningDojiStar": 0.3,
    "EveningStar": 0.3,
    "MatHold": 0.5,
    "MorningDojiStar": 0.3,
    "MorningStar": 0.3,
}  # as TA-Lib's documentation has it; always given, since defaults have changed before


def parameters(name: str) -> dict[str, float]:
    return {"penetration": PENETRATION[name]} if name in PENETRATION else {}


def over_history(one: Series) -> dict[str, np.ndarray]:
    window = BarWindow(moments(one))
    return {name: talib_values(CANDLESTICKS[name], window) for name in EVERY}


def by_talib(one: Series) -> dict[str, np.ndarray]:
    """TA-Lib on whole numbers of 1/10,000 dollar."""
    bars = one.bars
    prices = [np.ascontiguousarray(to_units(each)) for each in (bars.open, bars.high, bars.low, bars.close)]
    return {name: getattr(talib, CANDLESTICKS[name].talib)(*prices, **parameters(name)) for name in EVERY}


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> int:
    """Returns the number of cells, one for each function and bar."""
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
    return sum(len(values) for values in expected.values())


def possible_values(pattern: CandlestickPattern) -> set[int]:
    """The values other than 0 that TA-Lib's function can return."""
    if not isinstance(pattern.expression(BarWindow(moments(random_walk(0, 1)))), Sides):
        return {100 * pattern.talib_sign}
    sizes = {100} if pattern.mark is None else {100, pattern.mark.value}
    return {sign * size for sign in (1, -1) for size in sizes}


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


@st.composite
def long_walks(draw) -> Series:
    """Walks on a grid: of ticks, of steps down to one tick, dear and cheap, with gaps between the bars or without."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reach, shadow = draw(st.integers(1, 12)), draw(st.integers(0, 12))
    body = np.rint(generator.normal(0, reach, 5_000))
    between = np.rint(generator.normal(0, draw(st.sampled_from([0.0, 0.4, 2.0])) * reach, 5_000))
    close = np.cumsum(body + between)
    opening = close - body
    high = np.maximum(opening, close) + generator.integers(0, shadow + 1, 5_000) * (generator.random(5_000) < 0.7)
    low = np.minimum(opening, close) - generator.integers(0, shadow + 1, 5_000) * (generator.random(5_000) < 0.7)
    tick, cheapest = draw(st.sampled_from([(0.0001, 0.0002), (0.01, 1.0), (0.01, 400.0), (0.01, 812_345.67), (0.0025, 5.0)]))
    ticks = np.stack((opening, high, low, close), axis=1)
    return series(np.round(cheapest + (ticks - low.min()) * tick, 4))


@pytest.mark.parametrize("name", ["SPY_1m", "AIG_1m", "BAC_1m", "SPY_1m_rth", "AIG_1m_rth", "BAC_1m_rth"])
def test_every_bar_of_the_golden_files_is_decided_as_talib_decides_it(name):
    one, columns = golden(name)
    assert_same(over_history(one), {pattern: columns[CANDLESTICKS[pattern].talib] for pattern in EVERY})


def test_every_witness_window_is_decided_as_talib_decides_it():
    by_function = {each.talib: name for name, each in CANDLESTICKS.items()}
    with gzip.open(shared_file("golden", "witness.csv.gz"), "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["function"] in by_function]
    assert {row["function"] for row in rows} == set(by_function) - {"CDLMATHOLD"}
    windows = [series([[float(row[f"{part}{at}"]) / 10_000 for part in "ohlc"] for at in range(20)]) for row in rows]
    together = BarColumns(*(np.concatenate(column) for column in zip(*(one.bars for one in windows), strict=True)))
    history = HistoryBars(together, np.zeros(len(together.close), np.int64), [20] * len(windows))
    last_bars = history.moments(0, len(history)).select(np.arange(19, len(history) - DEPTH, 20 + DEPTH))
    found = {name: talib_values(CANDLESTICKS[name], BarWindow(last_bars)) for name in EVERY}
    assert [found[by_function[row["function"]]][at] for at, row in enumerate(rows)] == [
        int(row["value_at_last_bar"]) for row in rows
    ]
    for at, one in enumerate(windows):
        assert {name: values[at] for name, values in found.items()} == {
            name: values[-1] for name, values in by_talib(one).items()
        }


@settings(max_examples=150)
@given(grid_bars())
def test_bars_on_a_price_grid_are_decided_as_talib_decides_them(one):
    assert_same(over_history(one), by_talib(one))


def test_long_walks_on_a_price_grid_are_decided_as_talib_decides_them(thorough):
    cells = 0

    @settings(max_examples=60 if thorough else 6, phases=[Phase.generate])
    @given(long_walks())
    def compare(one):
        nonlocal cells
        cells += assert_same(over_history(one), by_talib(one))

    compare()
    print(f"{cells:,} cells compared with TA-Lib")
    assert cells > (10_000_000 if thorough else 1_000_000)


@pytest.mark.parametrize("pace", [1, 3, 5])
def test_every_function_gives_every_value_it_can_in_bars_drawn_for_it_and_each_as_talib_gives_it(pace, thorough):
    one = drawn(pace, 400 if thorough else 80, pace=pace)
    found = over_history(one)
    print(f"{assert_same(found, by_talib(one)):,} cells compared with TA-Lib")
    for name in DRAWN:
        seen = {value: int(np.count_nonzero(found[name] == value)) for value in possible_values(CANDLESTICKS[name])}
        assert min(seen.values()) >= 10, (name, seen)
        assert sum(seen.values()) == np.count_nonzero(found[name])


@pytest.mark.parametrize(("base", "tick"), [(812_345.6789, 0.01), (812_345.6789, 0.0001), (0.00015, 0.0001), (0.4321, 0.0001)])
def test_the_dearest_and_the_cheapest_stock_are_decided_as_talib_decides_them(base, tick):
    one = drawn(5, 10, base=base, tick=tick)
    found = over_history(one)
    assert_same(found, by_talib(one))
    assert all(np.count_nonzero(found[name]) for name in DRAWN)


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
    assert over_history(one)["Hammer"].tolist() == [0] * 11 + [100]
    assert not over_history(one.part(slice(1, None)))["Hammer"].any()


@pytest.mark.parametrize("name", EVERY)
def test_a_pattern_needs_the_bars_that_talib_needs(name):
    pattern = CANDLESTICKS[name]
    function = talib.abstract.Function(pattern.talib)
    assert set(function.parameters) == set(parameters(name))
    assert dict(pattern.parameters) == parameters(name)
    function.parameters = parameters(name)
    assert function.lookback == pattern.lookback
