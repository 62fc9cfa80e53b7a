"""5, 15 and 60 minute bars and the day's bar, always from one-minute bars: as they close, and over stored history.

They align to the start of their own session and end with it, so the last one of a session may be short.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.resampling import bounds_of
from tickstock.market_hours import DAY_MS, MINUTE_MS, Calendar, Session
from tickstock.streaming.bar_columns import Bars, Floats, Integers, no_bars

TIMEFRAME_MS = {"1min": MINUTE_MS, "5min": 5 * MINUTE_MS, "15min": 15 * MINUTE_MS, "60min": 60 * MINUTE_MS, "1day": DAY_MS}


def bar_bounds(timeframe: str, timestamp: int, session: Session) -> tuple[int, int]:
    """Start and end (ms) of the bar of a timeframe that holds a minute of a session."""
    length = TIMEFRAME_MS[timeframe]
    if timeframe == "1day":
        return session.start, session.end
    start = session.start + (timestamp - session.start) // length * length
    return start, min(start + length, session.end)


class GrowingTimeframe:
    """The running bar of every lane in one timeframe; all lanes are in the same bar, because all are in one session."""

    def __init__(self, timeframe: str) -> None:
        self.timeframe = timeframe
        self.start = 0
        self.end = 0  # 0 while nothing is open
        self._bars = _Growing(0)

    def restart(self) -> None:
        """Forget the running bars."""
        self.end = 0
        self._bars = _Growing(0)

    def add(self, bars: Bars, session: Session) -> None:
        """Take the one-minute bars of a minute; `due` bars must have been closed before."""
        start, self.end = bar_bounds(self.timeframe, int(bars.timestamp[0]), session)
        self.start = start
        self._bars.add(bars)

    def due(self, until: int) -> bool:
        """Whether the running bar ends at or before this moment."""
        return 0 < self.end <= until

    def close(self) -> Bars:
        """The finished bars, in the order of their lanes."""
        closed = self._bars.close(self.start)
        self.end = 0
        return closed

    def adopt(self, other: GrowingTimeframe, lanes: Integers) -> None:
        """Let the running bars of these lanes be those of the first lanes of another one, which stands at the same moment."""
        self._bars.forget(lanes)
        theirs = np.flatnonzero(other._bars.used[: len(lanes)])
        if other.end and len(theirs):
            self.start, self.end = other.start, other.end
            self._bars.put(lanes[theirs], other._bars.columns[:, theirs])

    def state(self) -> dict[str, NDArray[Any]]:
        """The running bars, as copies by name."""
        lanes = np.flatnonzero(self._bars.used)
        return {"bar": np.array([self.start, self.end]), "lanes": lanes, "columns": self._bars.columns[:, lanes]}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on with the running bars that `state` gave.

        Raises:
            KeyError, ValueError, IndexError: it gave none.
        """
        self.start, self.end = state["bar"].tolist()
        self._bars = _Growing(int(state["lanes"].max(initial=-1)) + 1)
        self._bars.used[state["lanes"]] = True
        self._bars.columns[:, state["lanes"]] = state["columns"]


class _Growing:
    """Arrays by lane; a lane without a bar has no ticks in it yet: `used` is false."""

    def __init__(self, lanes: int) -> None:
        self.used = np.zeros(lanes, dtype=bool)
        self.columns = np.zeros((9, lanes))  # open high low close volume ticks trades first_tick last_tick

    def add(self, bars: Bars) -> None:
        if len(bars) and int(bars.lanes.max()) >= len(self.used):
            self._grow(int(bars.lanes.max()) + 1)
        lanes, used = bars.lanes, self.used[bars.lanes]
        _, high, low, close, volume, ticks, trades, _, last = self.columns
        fresh, old = lanes[~used], lanes[used]
        for column, values in zip(self.columns, _columns(bars), strict=True):
            column[fresh] = values[~used]
        high[old] = np.maximum(high[old], bars.high[used])
        low[old] = np.minimum(low[old], bars.low[used])
        close[old] = bars.close[used]
        volume[old] += bars.volume[used]
        ticks[old] += bars.ticks[used]
        trades[old] += bars.trades[used]
        last[old] = bars.last_tick[used]
        self.used[lanes] = True

    def put(self, lanes: Integers, columns: Floats) -> None:
        if int(lanes.max()) >= len(self.used):
            self._grow(int(lanes.max()) + 1)
        self.used[lanes] = True
        self.columns[:, lanes] = columns

    def forget(self, lanes: Integers) -> None:
        self.used[lanes[lanes < len(self.used)]] = False

    def close(self, start: int) -> Bars:
        lanes = np.flatnonzero(self.used)
        self.used[:] = False
        return Bars(lanes, np.full(len(lanes), start, dtype=np.int64), *(column[lanes] for column in self.columns))

    def _grow(self, lanes: int) -> None:
        size = max(lanes, 2 * len(self.used), 128)
        used, columns = np.zeros(size, dtype=bool), np.zeros((9, size))
        used[: len(self.used)], columns[:, : len(self.used)] = self.used, self.columns
        self.used, self.columns = used, columns


def _columns(bars: Bars) -> tuple[Floats, ...]:
    return (
        bars.open, bars.high, bars.low, bars.close, bars.volume, bars.ticks, bars.trades, bars.first_tick, bars.last_tick
    )  # fmt: skip


def resample(bars: Bars, timeframe: str, calendar: Calendar) -> tuple[Bars, Integers]:
    """Bars of a timeframe from one-minute bars of many lanes and moments, in order of (start, lane), with their ends (ms).

    The one-minute bars must be in order of time for each lane; those outside every session are left out, and for 1day
    those outside the regular session.
    """
    if not len(bars):
        return bars, bars.timestamp
    starts, ends = bounds_of(bars.timestamp, timeframe, calendar)
    inside = np.flatnonzero(starts >= 0)
    if not len(inside):
        return no_bars(), ends[inside]
    order = inside[np.lexsort((bars.timestamp[inside], bars.lanes[inside], starts[inside]))]
    starts, lanes = starts[order], bars.lanes[order]
    first = np.flatnonzero(np.r_[True, (np.diff(starts) != 0) | (np.diff(lanes) != 0)])
    opens, closes = order[first], order[np.r_[first[1:], len(order)] - 1]
    return (
        Bars(  # one column at a time: weeks of minutes of many symbols are never copied whole
            lanes[first],
            starts[first],
            bars.open[opens],
            np.maximum.reduceat(bars.high[order], first),
            np.minimum.reduceat(bars.low[order], first),
            bars.close[closes],
            np.add.reduceat(bars.volume[order], first),
            np.add.reduceat(bars.ticks[order], first),
            np.add.reduceat(bars.trades[order], first),
            bars.first_tick[opens],
            bars.last_tick[closes],
        ),
        ends[opens],
    )
