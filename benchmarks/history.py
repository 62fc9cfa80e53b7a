"""How fast history is searched: `python -m benchmarks.history [--years 10]`.

One symbol's one-minute bars, a random walk of ten years, are searched for every pattern on the history axis, detections with
quality and context included, as `python -m tickstock.history scan` does it. In the same run TA-Lib's 61 batch functions go over
the same bars; they only tell where a pattern is. The chart patterns, which TA-Lib does not have, are timed apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import talib

from benchmarks.random_bars import MINUTES_A_SESSION, in_units, one_symbol, times, walks
from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candle_bars import HistoryBars
from tickstock.analysis.candlestick_detector import STRETCH, CandlestickDetector, matches
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.results import BarColumns, Integers

DAYS_A_YEAR = 252


def candlesticks_found(bars: BarColumns, sessions: Integers) -> int:
    """Search all bars; the number of detections."""
    found, _ = CandlestickDetector(CANDLESTICKS.values(), "1min").detect_in_history(HistoryBars(bars, sessions))
    return sum(len(each.place) for each in found)


def candlesticks_matched(bars: BarColumns, sessions: Integers) -> int:
    """Tell only where each pattern is, as TA-Lib does; the number of places."""
    history, found = HistoryBars(bars, sessions), 0
    for first in range(0, len(history), STRETCH):
        window = BarWindow(history.moments(first, min(first + STRETCH, len(history))))
        found += sum(int(np.count_nonzero(matches(pattern, window))) for pattern in CANDLESTICKS.values())
    return found


def talib_found(bars: BarColumns) -> int:
    """TA-Lib's functions over the same bars; the number of places where one is not zero."""
    prices = in_units(bars)
    return sum(int(np.count_nonzero(getattr(talib, pattern.talib)(*prices))) for pattern in CANDLESTICKS.values())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=float, default=10)
    count = int(parser.parse_args().years * DAYS_A_YEAR * MINUTES_A_SESSION)
    bars, sessions = one_symbol(walks(count, 1)), times(count)[1]
    rates: dict[str, float] = {}
    searches: tuple[tuple[str, Callable[[], int]], ...] = (
        ("places of 61 candlesticks", lambda: candlesticks_matched(bars, sessions)),
        ("detections of 61 candlesticks", lambda: candlesticks_found(bars, sessions)),
        ("TA-Lib's 61 functions", lambda: talib_found(bars)),
    )
    for name, work in searches:
        began = time.perf_counter()
        found = work()
        seconds = time.perf_counter() - began
        rates[name] = count / seconds
        print(f"{name:<32}{seconds:7.2f} s {rates[name]:>12,.0f} bars/s   {found:,} found")
    ours, theirs = rates["detections of 61 candlesticks"], rates["TA-Lib's 61 functions"]
    print(
        f"history: {count:,} bars at {ours:,.0f} bars/s with quality and context, {ours / theirs:.1f} times TA-Lib's batch "
        "functions"
    )


if __name__ == "__main__":
    main()
