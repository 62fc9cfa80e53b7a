"""Indicators equal TA-Lib from its first index on: over the golden bars, walks, flat stretches, and long runs."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.indicator_runs import TALIB, IndicatorRun, values_of, values_of_many
from tests.analysis.series import Series, closes, golden, random_walk, series
from tickstock.analysis.indicator_kinds import DEFAULT_INSTANCES, bars_needed, read_instance, value_names
from tickstock.analysis.indicators import KINDS, indicator_from
from tickstock.analysis.results import BarColumns
from tickstock.analysis.smoothing import bars_until_weight

GOLDEN = ["SPY_1m", "AIG_1m_rth", "BAC_1m_rth"]
COMPUTED = [name for name in DEFAULT_INSTANCES if name.split("_")[0] in KINDS]
OTHER_PERIODS = [
    "SMA_2", "EMA_3", "WMA_7", "RSI_2", "MACD_5_8_1", "BollingerBands_10_2.5", "ATR_3", "Stochastic_5_1_4", "ADX_5", "CCI_3",
    "WilliamsR_2", "ROC_1", "MFI_5", "Donchian_7", "WMA_33", "Stochastic_16_5_1", "Donchian_50",
]  # fmt: skip
SHORT_PERIODS = [
    "SMA_5", "EMA_5", "WMA_5", "RSI_5", "MACD_3_6_4", "BollingerBands_5_2", "ATR_5", "OBV", "Stochastic_5_3_3", "ADX_5", "CCI_5",
    "WilliamsR_5", "ROC_3", "MFI_5", "Donchian_5",
]  # fmt: skip
IN_DOLLARS = ("SMA", "EMA", "WMA", "MACD", "BollingerBands", "ATR", "Donchian")


def with_volumes(one: Series, seed: int = 1) -> Series:
    """The same bars with volumes of their own, some of them 0, all in one session."""
    generator = np.random.default_rng(seed)
    volume = generator.integers(0, 50_000, len(one)) * (generator.random(len(one)) < 0.9)
    columns = (np.ascontiguousarray(column) for column in one.bars._replace(volume=volume.astype(np.float64)))
    return Series(BarColumns(*columns), np.zeros(len(one), np.int64))


def coarse(seed: int, length: int, price: float, tick: float, moving: float, flat_from: int | None = None) -> Series:
    """Bars that stand still most of the time, a tick wide or none, from some bar on for good."""
    generator = np.random.default_rng(seed)
    moves = np.arange(length) < (length if flat_from is None else flat_from)
    place = np.cumsum(generator.integers(-1, 2, length) * (generator.random(length) < moving) * moves)
    above, below = ((generator.random(length) < moving) * moves for _ in range(2))
    prices = [np.round(price + tick * each, 10) for each in (place, place + above, place - below, place)]
    return with_volumes(series(np.stack(prices, axis=1)))


def assert_equal_to_talib(one: Series, instances: list[str], values: dict[str, np.ndarray]) -> None:
    """Values from TA-Lib's first index on, and none before; TA-Lib's own running sums of prices are right to a part in 1e12."""
    price = float(one.bars.high.max())
    for instance in instances:
        kind, parameters = read_instance(instance)
        rounding = 1e-12 * price if kind.name in IN_DOLLARS else 1e-9
        for name, expected in zip(kind.value_names(parameters), TALIB[kind.name](one.bars, *parameters), strict=True):
            np.testing.assert_array_equal(np.isnan(values[name]), np.isnan(expected), err_msg=name)
            np.testing.assert_allclose(values[name], expected, rtol=1e-9, atol=rounding, err_msg=name)


def assert_all_equal_to_talib(many: list[Series], instances: list[str]) -> None:
    together = values_of_many(many, instances)
    for lane, one in enumerate(many):
        assert_equal_to_talib(one, instances, {name: value[lane] for name, value in together.items()})


@pytest.mark.parametrize("name", GOLDEN)
def test_every_kind_equals_talib_and_the_golden_file(name):
    golden_bars, columns = golden(name)
    one = Series(golden_bars.bars, np.zeros(len(golden_bars), np.int64))
    values = values_of(one, COMPUTED)
    assert_equal_to_talib(one, COMPUTED, values)
    for value, expected in (
        ("RSI_14", "rsi14"), ("SMA_20", "sma20"), ("SMA_50", "sma50"), ("EMA_12", "ema12"), ("EMA_26", "ema26"),
        ("MACD_12_26_9", "macd"), ("MACD_SIGNAL_12_26_9", "macd_signal"), ("MACD_HIST_12_26_9", "macd_hist"), ("ATR_14", "atr14"),
    ):  # fmt: skip
        np.testing.assert_allclose(values[value], columns[expected], rtol=0, atol=1e-9)
    for value, expected in (("BB_UPPER_20_2", "bb_upper"), ("BB_MIDDLE_20_2", "bb_middle"), ("BB_LOWER_20_2", "bb_lower")):
        np.testing.assert_allclose(values[value], columns[expected], rtol=0, atol=1e-6)


@pytest.mark.parametrize("instances", [COMPUTED, OTHER_PERIODS], ids=["defaults", "other periods"])
def test_every_kind_equals_talib_on_walks_at_any_price(instances):
    grids = [(100.0, 0.01), (3.0, 0.01), (812_345.6789, 0.01), (812_345.6789, 0.0001), (0.00015, 1e-9)]
    walks = [random_walk(seed, 1_000, price=price, tick=tick, ticks_a_step=2.0) for seed, (price, tick) in enumerate(grids)]
    assert_all_equal_to_talib([with_volumes(one) for one in walks], instances)


def test_every_kind_equals_talib_where_prices_stand_still():
    """No range, no deviation, no flow: TA-Lib says 0; typical prices that are equal but for their rounding are equal."""
    grids = [(100.0, 0.01), (812_345.6789, 0.01), (812_345.6789, 0.0001), (0.00015, 1e-6)]
    ways = [(0.02, None), (0.15, None), (0.5, 300)]
    assert_all_equal_to_talib([coarse(2, 1_500, *grid, *way) for grid in grids for way in ways], COMPUTED)


@given(
    st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), min_size=3, max_size=90),
    st.sampled_from([(10.0, 0.01), (812_345.6789, 0.0001), (0.00015, 0.000001)]),
)
@settings(max_examples=60, deadline=None)
def test_every_kind_equals_talib_on_any_series(moves, price_and_tick):
    price, tick = price_and_tick
    steps = np.array(moves)
    close = np.cumsum(steps[:, 0])
    opening = np.concatenate(([0], close[:-1]))
    high, low = np.maximum(opening, close) + steps[:, 1], np.minimum(opening, close) - steps[:, 2]
    one = with_volumes(series(np.round(price + tick * np.stack((opening, high, low, close), axis=1), 10)))
    one.bars.volume[:] = steps[:, 3] * 100.0
    assert_all_equal_to_talib([one], SHORT_PERIODS)


@pytest.mark.parametrize("instance", [*COMPUTED, *OTHER_PERIODS])
def test_values_are_there_when_the_catalogue_says_and_not_before(instance):
    values = values_of(with_volumes(random_walk(1, 250)), [instance])
    assert tuple(values) == value_names(instance)
    first = {name: int(np.argmax(~np.isnan(value))) for name, value in values.items()}
    assert max(first.values()) == bars_needed(instance) - 1
    assert all(not np.isnan(value[first[name] :]).any() for name, value in values.items())
    if not instance.startswith("ADX"):  # whose lines come before it
        assert len(set(first.values())) == 1


def test_a_moving_average_does_not_drift():
    """After prices a million times higher have passed through it, the mean is again exactly that of its window."""
    values = values_of(closes([0.1] * 30 + [123_456.789, 98_765.4321] * 40 + [0.1] * 60), ["SMA_20", "WMA_20", "SMA_50"])
    assert values["SMA_20"][-1] == values["SMA_50"][-1] == values["WMA_20"][-1] == 0.1


def test_windows_equal_the_exact_mean_after_many_bars():
    """To the last bits, where TA-Lib's running sums have long drifted."""
    close = random_walk(3, 8_000, price=812_345.6789, tick=0.0001, ticks_a_step=2.0).bars.close
    values = values_of(closes(close), ["SMA_20", "WMA_20", "BollingerBands_20_2"])
    window = [Fraction(each) for each in close[-20:]]
    mean = sum(window) / 20
    variance = sum((each - mean) ** 2 for each in window) / 20
    weighted = sum(weight * each for weight, each in enumerate(window, 1)) / 210
    assert abs(values["SMA_20"][-1] - mean) <= math.ulp(mean)
    assert abs(values["WMA_20"][-1] - weighted) <= math.ulp(weighted)
    width = values["BB_UPPER_20_2"][-1] - values["BB_LOWER_20_2"][-1]
    assert width == pytest.approx(4 * math.sqrt(variance), abs=1e-8)


def test_the_money_flow_of_bars_without_volume_is_none_again_after_large_flows():
    one = with_volumes(random_walk(4, 200, price=812_345.6789))
    one.bars.volume[:100], one.bars.volume[100:] = 1e9, 0.0
    assert (values_of(one, ["MFI_14"])["MFI_14"][114:] == 0.0).all()


def test_a_series_that_never_moved_has_an_rsi_of_zero_as_in_talib_and_says_so():
    run = IndicatorRun(["RSI_14"], 2)
    rsi = run.indicators[0]
    for at in range(40):
        price = np.array([50.0, 50.0 if at < 30 else 50.01])
        values = run.close_bars(np.array([0, 1]), BarColumns(np.full(2, at), *[price] * 4, np.ones(2)), np.zeros(2, np.int64))
        assert np.isnan(values["RSI_14"][0]) if at < 14 else values["RSI_14"][0] == 0
        assert rsi.has_moved(np.array([0, 1])).tolist() == [False, at >= 30]


def test_on_balance_volume_begins_anew_with_each_session():
    one = with_volumes(random_walk(5, 60))
    one.sessions[25:] = 1
    values = values_of(one, ["OBV"])["OBV"]
    for part in (slice(0, 25), slice(25, 60)):
        expected = TALIB["OBV"](BarColumns(*(column[part].copy() for column in one.bars)))[0]
        np.testing.assert_array_equal(values[part], expected)
    assert values[25] == one.bars.volume[25]


def test_an_indicator_is_warm_when_its_seed_weighs_less_than_asked():
    assert bars_until_weight(13 / 14, 1e-4) == 125
    assert bars_until_weight(13 / 14, 1e-2) == 63
    assert (13 / 14) ** 125 < 1e-4 <= (13 / 14) ** 124
    warm = {name: indicator_from(name).warm_from(1e-4) for name in COMPUTED}
    assert warm["RSI_14"] == warm["ATR_14"] == 14 + 125
    assert warm["EMA_26"] == 25 + 120
    assert warm["MACD_12_26_9"] == max(25 + 120, 33 + 42)
    assert indicator_from("MACD_12_26_9").warm_from(1e-2) == max(25 + 60, 33 + 21)
    assert warm["ADX_14"] == 27 + 125
    windows = [name for name in COMPUTED if name.split("_")[0] not in ("RSI", "ATR", "EMA", "MACD", "ADX")]
    assert [warm[name] for name in windows] == [bars_needed(name) - 1 for name in windows]


@pytest.mark.parametrize("instance", ["EMA_12", "RSI_14", "ATR_14", "ADX_14", "MACD_12_26_9"])
def test_two_histories_agree_once_both_are_warm(instance):
    """What was before is forgotten to the degree that `warm_from` says, but for the averages of averages, which take longer."""
    seed_weight = 1e-4
    bars = random_walk(6, 600, ticks_a_step=4.0)
    start = 100
    whole, late = values_of(bars, [instance]), values_of(bars.part(slice(start, None)), [instance])
    warm = indicator_from(instance).warm_from(seed_weight)
    for name, value in whole.items():
        usual = np.nanmax(np.abs(value))
        assert abs(value[start + warm] - late[name][warm]) < 20 * seed_weight * usual
        assert value[-1] == pytest.approx(late[name][-1], rel=1e-6, abs=1e-9 * usual)


def test_many_symbols_together_give_what_each_gives_alone():
    many = [with_volumes(random_walk(seed, 120, price=price), seed) for seed, price in enumerate((100.0, 0.5, 812_345.6789))]
    together = values_of_many(many, COMPUTED)
    for lane, one in enumerate(many):
        for name, value in values_of(one, COMPUTED).items():
            np.testing.assert_array_equal(together[name][lane], value, err_msg=name)
