"""What is told of a symbol is the same minute by minute and over its history, alone and among others, in whatever order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.analysis.drawn_candles import drawn
from tests.analysis.series import MINUTE, START, Series, golden, moments
from tests.analysis.test_candlesticks import EVERY, assert_same, grid_bars, over_history
from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candle_bars import DEPTH, HistoryBars, LaggedBars, LiveBars
from tickstock.analysis.candlestick_detector import CandlestickDetector, talib_values
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.results import BarColumns

DAY = 86_400_000
SESSIONS = ((START, 90), (START + DAY, 45), (START + 2 * DAY, 90))  # the second is half a day
DETECTOR = CandlestickDetector(CANDLESTICKS.values(), "1min")


class Told:
    """TA-Lib's values and the detections, by symbol, pattern and bar."""

    def __init__(self) -> None:
        self.values: dict[tuple[int, str, int], int] = {}
        self.detections: dict[tuple[int, str, int], tuple] = {}
        self.suppressed = 0

    def add(self, bars: LaggedBars, symbols: np.ndarray, at: np.ndarray) -> None:
        """The lanes are these symbols at these of their bars; at bar -1 there is nothing."""
        window = BarWindow(bars)
        for name in EVERY:
            values = talib_values(CANDLESTICKS[name], window)
            assert not values[at < 0].any()
            found = np.flatnonzero(values)
            keys = zip(symbols[found].tolist(), at[found].tolist(), values[found].tolist(), strict=True)
            self.values |= {(symbol, name, bar): value for symbol, bar, value in keys}
        detected, suppressed = DETECTOR.detect(bars)
        self.suppressed += suppressed
        for each in detected:
            columns = (symbols[each.place], at[each.place], each.quality, each.side, each.details())
            for symbol, bar, quality, side, details in zip(*columns, strict=True):
                self.detections[int(symbol), each.pattern.name, int(bar)] = (float(quality), int(side), details)


def market(symbols: int) -> list[Series]:
    """Symbols of which some trade in every minute, some in few, and some from later on; with bars of few shares."""
    minutes = np.concatenate([start + MINUTE * np.arange(length) for start, length in SESSIONS])
    starts = np.repeat([start for start, _ in SESSIONS], [length for _, length in SESSIONS])
    generator = np.random.default_rng(7)
    every = []
    for symbol in range(symbols):
        there = generator.random(len(minutes)) < (1.0, 0.95, 0.6)[symbol % 3]
        there[: (0, 0, 100, 217)[symbol % 4]] = False
        bars = drawn(symbol, 1, base=(0.3, 20.0, 700.0)[symbol % 3], tick=(0.0001, 0.01, 0.01)[symbol % 3]).bars
        of_day = BarColumns(
            minutes[there], *(column[: there.sum()] for column in bars[1:5]), generator.integers(50, 5_000, there.sum())
        )
        every.append(Series(of_day, starts[there]))
    return every


def minute_by_minute(every: list[Series], symbols_known_at_first: int) -> Told:
    """The live axis: in each minute the bars that closed, in any order; room is made when a symbol first comes."""
    told, live, order = Told(), LiveBars(), np.random.default_rng(3)
    live.ensure_lanes(symbols_known_at_first)
    position = np.zeros(len(every), np.int64)
    for minute in np.unique(np.concatenate([one.bars.timestamp for one in every])):
        due = [at < len(one) and one.bars.timestamp[at] == minute for one, at in zip(every, position, strict=True)]
        lanes = order.permutation(np.flatnonzero(due))
        rows = [every[lane].bars.rows(position[lane : lane + 1]) for lane in lanes]
        bars = BarColumns(*(np.concatenate(column) for column in zip(*rows, strict=True)))
        sessions = np.array([every[lane].sessions[position[lane]] for lane in lanes])
        live.ensure_lanes(int(lanes.max()) + 1)
        told.add(live.append(lanes, bars, sessions), lanes, position[lanes])
        position[lanes] += 1
    return told


def all_at_once(every: list[Series]) -> Told:
    """The history axis, one symbol behind the other."""
    lengths = [len(one) for one in every]
    bars = BarColumns(*(np.concatenate(column) for column in zip(*(one.bars for one in every), strict=True)))
    history = HistoryBars(bars, np.concatenate([one.sessions for one in every]), lengths)
    stretch = history.moments(0, len(history))
    bar = history.bar_at(np.arange(stretch.first, len(history)))
    symbols = np.where(bar < 0, -1, np.repeat(np.arange(len(every)), lengths)[bar])
    firsts = np.cumsum([0, *lengths[:-1]])
    told = Told()
    told.add(stretch, symbols, np.where(bar < 0, -1, bar - firsts[symbols]))
    return told


def one_by_one(one: Series) -> dict[str, np.ndarray]:
    live = LiveBars()
    live.ensure_lanes(1)
    found = {name: [] for name in EVERY}
    for at in range(len(one)):
        window = BarWindow(live.append(np.array([0]), one.bars.rows(np.array([at])), one.sessions[at : at + 1]))
        for name in EVERY:
            found[name].append(int(talib_values(CANDLESTICKS[name], window)[0]))
    return {name: np.array(values) for name, values in found.items()}


@settings(max_examples=40)
@given(grid_bars())
def test_the_live_axis_equals_the_history_axis(one):
    assert_same(one_by_one(one), over_history(one))


def test_the_live_axis_equals_the_history_axis_on_a_real_day_of_bars_with_missing_minutes():
    one, _ = golden("AIG_1m")
    day = one.part(slice(0, 500))
    assert_same(one_by_one(day), over_history(day))


def test_a_market_of_late_and_quiet_symbols_over_a_half_day_is_told_the_same_on_both_axes():
    every = market(24)
    live, history = minute_by_minute(every, symbols_known_at_first=3), all_at_once(every)
    assert live.values == history.values
    assert live.detections == history.detections
    assert live.suppressed == history.suppressed > 30
    assert len(history.detections) > 1_000
    assert {name for _, name, _ in history.values} >= {name for name in EVERY if CANDLESTICKS[name].bars <= 2}


def test_a_symbol_is_told_the_same_alone_and_among_others_in_any_order():
    every = market(12)
    order = np.random.default_rng(1).permutation(len(every)).tolist()
    among_others = all_at_once([every[symbol] for symbol in order])
    for place, symbol in enumerate(order):
        alone = all_at_once([every[symbol]])
        for told, expected in ((among_others.values, alone.values), (among_others.detections, alone.detections)):
            assert {key[1:]: value for key, value in told.items() if key[0] == place} == {
                key[1:]: value for key, value in expected.items()
            }


def test_detections_of_a_real_day_are_told_the_same_on_both_axes():
    one, _ = golden("SPY_1m")
    one = one.part(slice(300, 700))
    live, history = minute_by_minute([one], 1), all_at_once([one])
    assert live.detections == history.detections
    assert len(live.detections) > 100
    assert live.suppressed == history.suppressed > 0


@pytest.mark.parametrize("length", [7, 64])
def test_a_history_read_stretch_by_stretch_is_the_history_read_at_once(length):
    one = drawn(2, 1)
    history = HistoryBars(one.bars, one.sessions)
    at_once, piecewise = BarWindow(moments(one)), {name: [] for name in EVERY}
    for first in range(DEPTH, len(history), length):
        window = BarWindow(history.moments(first, min(first + length, len(history))))
        for name in EVERY:
            piecewise[name].append(talib_values(CANDLESTICKS[name], window))
    for name in EVERY:
        expected = talib_values(CANDLESTICKS[name], at_once)
        np.testing.assert_array_equal(np.concatenate(piecewise[name]), expected, err_msg=name)
