"""Indicators equal TA-Lib from its first index on, over the golden bars and over long runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import talib

from tests.analysis.series import closes, golden, random_walk, run, run_together
from tickstock.analysis.indicators import AverageTrueRange, RelativeStrengthIndex, SimpleMovingAverage, bars_until_weight
from tickstock.analysis.results import BarColumns
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis

GOLDEN = ["SPY_1m", "AIG_1m_rth", "BAC_1m_rth"]


def column(results, name):
    return np.array([result.values[name][0] for result in results])


@pytest.mark.parametrize("name", GOLDEN)
def test_values_equal_the_golden_files_from_the_first_index_on(name):
    bars, columns = golden(name)
    results = run(bars)
    for value, expected in (("RSI_14", "rsi14"), ("SMA_20", "sma20"), ("SMA_50", "sma50")):
        np.testing.assert_allclose(column(results, value), columns[expected], rtol=0, atol=1e-9)


def test_values_equal_talib_at_the_end_of_a_long_run():
    many = [
        random_walk(5, 6_000, price=0.05, tick=0.0001, ticks_a_step=0.2),
        random_walk(6, 6_000),
        random_walk(7, 6_000, price=812_345.6789),
    ]
    results = run_together(many)
    for lane, one in enumerate(many):
        close = one.bars.close.copy()
        values = {name: np.array([result.values[name][lane] for result in results]) for name in results[0].values}
        np.testing.assert_allclose(values["SMA_20"], talib.SMA(close, timeperiod=20), rtol=1e-13, atol=1e-9)
        np.testing.assert_allclose(values["SMA_50"], talib.SMA(close, timeperiod=50), rtol=1e-13, atol=1e-9)
        np.testing.assert_allclose(values["RSI_14"], talib.RSI(close, timeperiod=14), rtol=0, atol=1e-9)


def test_a_moving_average_does_not_drift():
    """After prices a million times higher have passed through it, the mean is again exactly that of its window."""
    values = [0.1] * 30 + [123_456.789, 98_765.4321] * 40 + [0.1] * 60
    assert run(closes(values))[-1].values["SMA_20"][0] == 0.1


def test_the_average_true_range_equals_talib():
    bars, columns = golden("AIG_1m_rth")
    engine = TimeframeAnalysis("1min", 1)
    seen = []
    atr = next(each for each in engine._indicators if isinstance(each, AverageTrueRange))
    update = atr.update
    atr.update = lambda step: seen.append(update(step)) or seen[-1]
    run(bars, analysis=engine)
    np.testing.assert_allclose([each["ATR_14"][0] for each in seen], columns["atr14"], rtol=0, atol=1e-9)


def test_a_series_that_never_moved_has_an_rsi_of_zero_as_in_talib():
    results = run(closes([50.0] * 40))
    assert np.isnan(column(results, "RSI_14")[:14]).all()
    assert (column(results, "RSI_14")[14:] == 0).all()


def test_values_that_do_not_exist_yet_are_not_numbers():
    results = run(random_walk(1, 60))
    first = {name: int(np.argmax(~np.isnan(column(results, name)))) for name in ("RSI_14", "SMA_20", "SMA_50")}
    assert first == {"RSI_14": 14, "SMA_20": 19, "SMA_50": 49}


def test_an_indicator_is_warm_when_its_seed_weighs_less_than_asked():
    assert bars_until_weight(13 / 14, 1e-4) == 125
    assert bars_until_weight(13 / 14, 1e-2) == 63
    assert (13 / 14) ** 125 < 1e-4 <= (13 / 14) ** 124
    assert RelativeStrengthIndex(14).warm_from(1e-4) == AverageTrueRange(14).warm_from(1e-4) == 139
    assert SimpleMovingAverage(50).warm_from(1e-4) == 49


def test_lanes_at_different_places_in_their_series_are_computed_together():
    """One lane is seeding while another has been smoothing for long: each equals TA-Lib on its own closes."""
    long, short = random_walk(1, 300).bars, random_walk(2, 300).bars
    engine = TimeframeAnalysis("1min", 2)
    results = []
    for at in range(300):
        lanes = np.array([0, 1]) if at >= 200 else np.array([0])
        bars = BarColumns(*(np.array([one[at], other[at]])[: len(lanes)] for one, other in zip(long, short, strict=True)))
        results.append(engine.close_bars(lanes, bars, 0))
    late = [result.values["RSI_14"][1] for result in results[200:]]
    np.testing.assert_allclose(late, talib.RSI(short.close[200:].copy(), timeperiod=14), rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        [result.values["SMA_20"][0] for result in results], talib.SMA(long.close, timeperiod=20), rtol=0, atol=1e-9
    )
    assert math.isnan(results[200].values["SMA_50"][1])
