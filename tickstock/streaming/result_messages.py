"""The messages that a bar's results become."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tickstock.analysis.bar_result import BarResult
from tickstock.contract import BarValues, IndicatorAlert, StreamingIndicator, StreamingPattern
from tickstock.market_hours import Session
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.higher_timeframes import bar_bounds

LIVE, REPAIR, HISTORY = "live", "repair", "history"


class ResultMessages:
    """Writes messages for one origin: what is found in stored bars is stamped with the bar's end, all else with the clock."""

    def __init__(self, symbols: Sequence[str], source: str, origin: str, now: int, session_of: Callable[[int], Session]) -> None:
        """`session_of` gives the session that holds the start of a bar."""
        self._symbols = symbols  # by lane
        self._source = source
        self._origin = origin
        self._now = now
        self._session_of = session_of

    def patterns(self, timeframe: str, result: BarResult) -> list[StreamingPattern]:
        """A message for each pattern."""
        found = []
        for hit in result.pattern_hits():
            symbol, session = self._symbols[hit.lane], self._session_of(hit.bar_timestamp)
            detected = self._detected(timeframe, hit.bar_timestamp, session)
            found.append(
                StreamingPattern(
                    f"{symbol}:{timeframe}:{hit.pattern}:{hit.key}", symbol, hit.pattern, hit.direction, hit.state, timeframe,
                    session.name, hit.bar_timestamp, detected, hit.price, hit.quality, self._source, self._origin, hit.details,
                )
            )  # fmt: skip
        return found

    def alerts(self, timeframe: str, result: BarResult) -> list[IndicatorAlert]:
        """A message for each alert."""
        found = []
        for alert in result.alerts:
            symbol, session = self._symbols[alert.lane], self._session_of(alert.bar_timestamp)
            found.append(
                IndicatorAlert(
                    f"{symbol}:{timeframe}:{alert.alert}:{alert.indicator}:{alert.bar_timestamp}", symbol, alert.alert,
                    alert.indicator, alert.value, alert.threshold, alert.direction, timeframe, session.name,
                    alert.bar_timestamp, self._detected(timeframe, alert.bar_timestamp, session), self._source, self._origin,
                )
            )  # fmt: skip
        return found

    def indicators(self, timeframe: str, bars: Bars, result: BarResult) -> list[StreamingIndicator]:
        """A message for each bar, with the values that exist."""
        if not len(bars):
            return []
        session = self._session_of(int(bars.timestamp[0])).name
        names = list(result.values)
        columns = [values.tolist() for values in result.values.values()]
        prices = zip(
            bars.open.tolist(), bars.high.tolist(), bars.low.tolist(), bars.close.tolist(), bars.volume.astype(np.int64).tolist(),
            strict=True,
        )  # fmt: skip
        found = []
        for lane, timestamp, ohlcv, *values in zip(bars.lanes.tolist(), bars.timestamp.tolist(), prices, *columns, strict=True):
            there = {name: value for name, value in zip(names, values, strict=True) if value == value}
            found.append(
                StreamingIndicator(
                    self._symbols[lane], timeframe, session, timestamp, self._now, BarValues(*ohlcv), there, self._source
                )
            )
        return found

    def _detected(self, timeframe: str, start: int, session: Session) -> int:
        return self._now if self._origin != HISTORY else bar_bounds(timeframe, start, session)[1]
