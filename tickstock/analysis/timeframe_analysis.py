"""`TimeframeAnalysis`: everything that is computed when bars of one timeframe close, for all lanes at once."""

from __future__ import annotations

import numpy as np

from tickstock.analysis.results import BarColumns, BarResult, Integers
from tickstock.analysis.timeframes import LENGTH_MS


class TimeframeAnalysis:
    """Indicators, patterns and alerts of one timeframe; a lane is a symbol.

    What a lane gives is a function of the sequence of its own bars: other lanes, their order, and how many close together make no
    difference. After `reset()` the same bars give the same results again.
    """

    def __init__(self, timeframe: str, capacity: int = 0) -> None:
        if timeframe not in LENGTH_MS:
            raise ValueError(f"timeframe must be one of {', '.join(LENGTH_MS)}; got {timeframe!r}")
        self.timeframe = timeframe
        self.ensure_lanes(capacity)

    def ensure_lanes(self, lanes: int) -> None:
        """Make room for lanes 0 to `lanes - 1`; growing is amortised."""

    def reset(self) -> None:
        """Forget every bar: the start of a new anchored series."""

    def close_bars(self, lanes: Integers, bars: BarColumns, session_start: Integers | int) -> BarResult:
        """Take one closed bar of each of these lanes (unique) and return what it gave.

        `session_start` is the start of the session that holds the bar, in Unix milliseconds: one for all, or one per lane.
        """
        nothing = np.full(len(lanes), np.nan)
        return BarResult(lanes, {name: nothing for name in ("RSI_14", "SMA_20", "SMA_50")}, [], [], 0)
