"""What followed a detection: entry, exit and return of each bar, and which detections count.

The entry is the open of the symbol's next bar. The exit is the last close at or before the entry plus so many bar lengths of
clock time; on intraday timeframes within the session, and with a trade in the last bar length, else the outcome is *incomplete*:
it is counted, not scored.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import numpy as np

from tickstock.analysis.bar_window import BarWindow
from tickstock.analysis.candle_bars import DEPTH, HistoryBars, tick_in_units
from tickstock.analysis.candlestick_detector import Surroundings
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers
from tickstock.analysis.timeframes import LENGTH_MS
from tickstock.market_hours import MINUTE_MS, new_york_time

HORIZONS = (1, 5, 15, 60)  # in bar lengths
HALF_HOUR_MS = 30 * MINUTE_MS
DAY_CLOSES_MS = 12 * 60 * MINUTE_MS  # after its start; between two day bars lie 23 to 25 hours, as the clocks change


class Followed(NamedTuple):
    """What followed each bar of one symbol."""

    entry_time: Integers  # start of the next bar; where the session has none, the end of this one
    entry: Floats  # NaN where there is no next bar
    exit: Floats  # NaN where the outcome is incomplete

    @property
    def returns(self) -> Floats:
        """Of a buyer, before costs; NaN where the outcome is incomplete."""
        relative: Floats = self.exit / self.entry - 1.0
        return relative


def what_followed(
    bars: BarColumns, session_start: Integers, timeframe: str, horizon: int, known_until: int | None = None
) -> Followed:
    """The entry and the exit after each bar of one symbol, `horizon` bar lengths after the entry.

    `bars` are in the order of time and `session_start` is the start of the session of each. `known_until` is the moment (Unix
    milliseconds) up to which there would be bars; without it, the end of the last one.
    """
    length, intraday = LENGTH_MS[timeframe], timeframe != "1day"
    if not len(bars.close):
        return Followed(np.empty(0, np.int64), np.empty(0), np.empty(0))
    known_until = int(bars.timestamp[-1]) + length if known_until is None else known_until
    following = np.minimum(np.arange(1, len(bars.close) + 1), len(bars.close) - 1)
    has_entry = np.arange(len(bars.close)) < following
    if intraday:
        has_entry &= session_start[following] == session_start
    entry_time = np.where(has_entry, bars.timestamp[following], bars.timestamp + length)
    until = entry_time + horizon * length
    closes = bars.timestamp + (length if intraday else DAY_CLOSES_MS)
    last = np.searchsorted(closes, until, side="right") - 1
    complete = has_entry & (last >= following)
    if intraday:
        complete &= (session_start[last] == session_start) & (closes[last] > until - length)
    else:
        complete &= until <= known_until
    return Followed(entry_time, np.where(has_entry, bars.open[following], np.nan), np.where(complete, bars.close[last], np.nan))


def first_within_horizon(entry_time: Integers, timeframe: str, horizon: int) -> Booleans:
    """Which detections count, of one symbol, pattern and direction in the order of time: no two share a horizon."""
    times, span = entry_time.tolist(), horizon * LENGTH_MS[timeframe]
    first = np.zeros(len(times), np.bool_)
    at = 0
    while at < len(times):
        first[at] = True
        at = bisect_left(times, times[at] + span, at + 1)
    return first


def thin_bars(bars: BarColumns, session_start: Integers, timeframe: str) -> Booleans:
    """The bars of one symbol in which a candlestick of one bar would be suppressed."""
    moments = HistoryBars(bars, session_start).moments(0, DEPTH + len(bars.close))
    tick = tick_in_units(moments.column("close", 0))
    return Surroundings(BarWindow(moments), tick, LENGTH_MS[timeframe], within_session=True).are_thin(1)


def trading_days(session_start: Integers) -> Integers:
    """The trading day of each bar, as the ordinal of its date in New York."""
    starts, where = np.unique(session_start, return_inverse=True)
    days = np.array([new_york_time(start).date().toordinal() for start in starts.tolist()], np.int64)
    return days[where]


def half_hours(bars: BarColumns, session_start: Integers, timeframe: str) -> Integers:
    """The half-hour of the New York day in which each bar starts, from 0 to 47; 0 for day bars."""
    if timeframe == "1day":
        return np.zeros(len(bars.close), np.int64)
    starts, where = np.unique(session_start, return_inverse=True)
    times = [new_york_time(start) for start in starts.tolist()]
    since_midnight = np.array([time.hour * 60 + time.minute for time in times], np.int64)[where] * MINUTE_MS
    halves: Integers = (since_midnight + bars.timestamp - session_start) // HALF_HOUR_MS
    return np.clip(halves, 0, 47)
