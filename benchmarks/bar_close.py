"""What one bar close costs with everything enabled: `python -m benchmarks.bar_close [--symbols 10000]`.

Random walks are closed minute by minute; some symbols have no bar in a minute, as in the real market. Measured is the wall-clock
time of `close_bars`, in which all detections are arrays; messages and rows are apart, because they depend on what a user enables.
In the same run the 61 candlesticks are computed by TA-Lib: per symbol (a sample, scaled) on its last 16 bars, and once per
function on one array of all symbols' last 16 bars, the fastest exact way to use it. The results are compared: all must be equal.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable

import msgspec
import numpy as np
import talib

from benchmarks.random_bars import MINUTES_A_SESSION, at, each_column, in_units, times, walks
from tickstock.analysis.bar_result import BarResult
from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candle_bars import DEPTH, LiveBars
from tickstock.analysis.candlestick_detector import matches, talib_values
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.results import BarColumns, Integers
from tickstock.analysis.selection import EVERYTHING, Enabled
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis
from tickstock.contract import StreamingPattern

WARM_MINUTES, MEASURED_MINUTES = 210, 40
WITHOUT_A_BAR = 0.15  # share of the symbols that do not trade in a minute
SAMPLE = 100  # symbols that TA-Lib is called for one by one
ROUNDS = 5
NOTHING = Enabled(frozenset(), (), frozenset())
STAGES = {
    "candlesticks": Enabled(frozenset(CANDLESTICKS), (), frozenset()),
    "chart patterns": Enabled(EVERYTHING.patterns - CANDLESTICKS.keys(), (), frozenset()),
    "indicators": Enabled(frozenset(), EVERYTHING.indicators, frozenset()),
    "indicators and alerts": Enabled(frozenset(), EVERYTHING.indicators, EVERYTHING.alerts),
}


class Market:
    """The minutes of many symbols, with holes."""

    def __init__(self, symbols: int) -> None:
        self.symbols = symbols
        minutes = WARM_MINUTES + MEASURED_MINUTES
        self.bars = walks(minutes, symbols)
        chance = np.random.default_rng(3)
        self.lanes = [np.flatnonzero(chance.random(symbols) >= WITHOUT_A_BAR) for _ in range(minutes)]
        self.sessions = times(minutes)[1]
        # What the engine knows of the trading day beside the bars; their making is part of the engine, not of the analysis.
        self.figures = {name: np.full(symbols, np.nan) for name in ("VWAP", "RelativeVolume", "BarVolumeRatio")}

    def minute(self, minute: int) -> tuple[Integers, BarColumns, int]:
        lanes = self.lanes[minute]
        return lanes, at(self.bars, minute, lanes), int(self.sessions[minute])


def closed(market: Market, enabled: Enabled) -> tuple[list[float], list[BarResult]]:
    """Run all minutes; the milliseconds and results of the measured ones."""
    analysis = TimeframeAnalysis("1min", market.symbols, enabled)
    took, results = [], []
    for minute in range(WARM_MINUTES + MEASURED_MINUTES):
        lanes, bars, session = market.minute(minute)
        began = time.perf_counter()
        result = analysis.close_bars(lanes, bars, session)
        if minute >= WARM_MINUTES:
            took.append((time.perf_counter() - began) * 1000)
            results.append(result)
    return took, results


def messages_of(result: BarResult) -> int:
    """Build and encode the pattern messages of a bar close, as the engine and the publisher do; returns their bytes."""
    encode = msgspec.json.Encoder().encode
    size = 0
    for hit in result.pattern_hits():
        message = StreamingPattern(
            f"S{hit.lane}:1min:{hit.pattern}:{hit.key}", f"S{hit.lane}", hit.pattern, hit.direction, hit.state, "1min", "regular",
            hit.bar_timestamp, hit.bar_timestamp, hit.price, hit.quality, "simulated", "live", hit.details,
        )  # fmt: skip
        size += len(encode(message))
    return size


def shortest(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds of the fastest of some rounds."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return min(took)


def candlesticks_compared(symbols: int) -> tuple[float, float, float]:
    """Milliseconds of the 61 candlesticks at one bar close: ours, TA-Lib per symbol, TA-Lib on one array."""
    bars = walks(DEPTH, symbols, seed=2)
    sessions = times(DEPTH)[1]
    live, lanes = LiveBars(), np.arange(symbols)
    live.ensure_lanes(symbols)
    for minute in range(DEPTH - 1):
        live.append(lanes, at(bars, minute, lanes), sessions[minute].repeat(symbols))
    last, session = at(bars, DEPTH - 1, lanes), sessions[-1].repeat(symbols)
    taking = time.perf_counter()
    closed_bars = live.append(lanes, last, session)
    appending = (time.perf_counter() - taking) * 1000

    def ours() -> None:
        window = BarWindow(closed_bars.select(lanes))
        for pattern in CANDLESTICKS.values():
            matches(pattern, window)

    functions = {name: getattr(talib, pattern.talib) for name, pattern in CANDLESTICKS.items()}
    table = each_column(bars, lambda column: np.ascontiguousarray(column.T))  # [symbols, 16]
    prices = in_units(table)
    one_array = [np.ascontiguousarray(price.reshape(-1)) for price in prices]

    def per_symbol() -> None:
        for symbol in range(SAMPLE):
            mine = [price[symbol] for price in prices]
            for function in functions.values():
                function(*mine)

    def concatenated() -> None:
        for function in functions.values():
            function(*one_array)

    window = BarWindow(closed_bars.select(lanes))
    for name, function in functions.items():
        theirs = function(*one_array).reshape(symbols, DEPTH)[:, -1]
        if not np.array_equal(theirs, talib_values(CANDLESTICKS[name], window)):
            raise SystemExit(f"{name} is not equal to TA-Lib's")
    return appending + shortest(ours), shortest(per_symbol, 2) * symbols / SAMPLE, shortest(concatenated, 2)


def memory_of(symbols: int) -> float:
    """Bytes of state a symbol and timeframe, everything enabled, after a session."""
    tracemalloc.start()
    analysis = TimeframeAnalysis("1min", symbols)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del analysis
    return held / symbols


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=10_000)
    symbols = parser.parse_args().symbols
    market = Market(symbols)
    bars = statistics.mean(len(lanes) for lanes in market.lanes)
    print(f"{symbols:,} symbols, {bars:,.0f} of them with a bar in a minute, {MINUTES_A_SESSION} minutes a session")
    alone = statistics.median(closed(market, NOTHING)[0])
    print(f"{'taking the bars':<24}{alone:8.2f} ms")
    for name, enabled in STAGES.items():
        print(f"{name:<24}{statistics.median(closed(market, enabled)[0]) - alone:8.2f} ms")
    took, results = closed(market, EVERYTHING)
    total = statistics.median(took)
    found = statistics.mean(sum(len(each.place) for each in result.candlesticks) + len(result.states.fate) for result in results)
    print(f"{'all of analysis':<24}{total:8.2f} ms, the slowest {max(took):.2f} ms: {found:,.0f} detections as arrays")
    size = messages_of(results[-1])
    building = shortest(lambda: messages_of(results[-1]))
    print(f"{'messages of all of them':<24}{building:8.2f} ms for {size / 1e6:.1f} MB, apart; the default set is smaller")
    print(f"{'memory':<24}{memory_of(symbols) / 1000:8.1f} kB a symbol and timeframe")
    ours, per_symbol, concatenated = candlesticks_compared(symbols)
    print(
        f"61 candlesticks, all equal: ours {ours:.2f} ms, TA-Lib per symbol {per_symbol:,.0f} ms, "
        f"on one array {concatenated:,.0f} ms"
    )
    print(
        f"bar close: {symbols} symbols in {total:.1f} ms; candlesticks {per_symbol / ours:.0f} times faster than TA-Lib per "
        f"symbol, {concatenated / ours:.1f} times faster than TA-Lib concatenated"
    )


if __name__ == "__main__":
    main()
