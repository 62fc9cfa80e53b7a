"""`StreamingEngine`: a minute's bars in; bars of every timeframe, patterns, indicators and alerts out. No I/O, no clock.

A symbol's lane is its column in every array. What a symbol gives depends on its own bars alone, so the same minutes give the
same results however the process was started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from tickstock.analysis.results import BarColumns, BarResult
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis
from tickstock.contract import BarValues, IndicatorAlert, StreamingIndicator, StreamingPattern
from tickstock.market_hours import MINUTE_MS, Calendar, Session
from tickstock.settings import Settings
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.higher_timeframes import GrowingTimeframe, bar_bounds

LIVE, REPAIR, HISTORY = "live", "repair", "history"


@dataclass(slots=True)
class MinuteResults:
    """Everything that closing one minute gave, as rows and messages."""

    minute: int  # its start, ms
    bars: list[tuple[Any, ...]] = field(default_factory=list)  # rows of the `bars` table
    patterns: list[StreamingPattern] = field(default_factory=list)
    alerts: list[IndicatorAlert] = field(default_factory=list)
    indicators: list[StreamingIndicator] = field(default_factory=list)
    symbols: int = 0  # that closed a one-minute bar
    suppressed: int = 0


class StreamingEngine:
    """All symbols in all timeframes."""

    def __init__(self, settings: Settings, calendar: Calendar, now: Callable[[], int]) -> None:
        self.symbols: list[str] = []  # by lane
        self.lane_of: dict[str, int] = {}
        self.trading_day: date | None = None  # of the series in the arrays
        self.absent: set[str] = set()  # timeframes whose history is not there yet: their bars are built, not analysed
        self.outside_sessions = 0  # bars of minutes in which the market is closed
        self._analyses = {timeframe: TimeframeAnalysis(timeframe) for timeframe in settings.timeframes}
        self._growing = [GrowingTimeframe(timeframe) for timeframe in ("5min", "15min", "60min")]
        self._day = GrowingTimeframe("1day")
        self._sessions = ("regular",) if settings.analysis_sessions == "regular" else ("pre", "regular", "post")
        self.source = settings.feed
        self._calendar = calendar
        self._now = now

    @property
    def timeframes(self) -> tuple[str, ...]:
        """The timeframes that are analysed."""
        return tuple(self._analyses)

    def lanes_for(self, symbols: Iterable[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The lanes of some symbols; a new symbol gets the next free one."""
        lane_of = self.lane_of
        lanes = []
        for symbol in symbols:
            lane = lane_of.get(symbol)
            if lane is None:
                lane = lane_of[symbol] = len(self.symbols)
                self.symbols.append(symbol)
            lanes.append(lane)
        for analysis in self._analyses.values():
            analysis.ensure_lanes(len(self.symbols))
        return np.array(lanes, dtype=np.int64)

    def analyses_sessions(self, session: Session) -> bool:
        """Whether bars of this session feed indicators and patterns."""
        return session.name in self._sessions

    def close_minute(self, start: int, bars: Bars, origin: str) -> MinuteResults:
        """Close a minute: its bars may be none; higher timeframes that end with it, or ended before it, close too."""
        results = MinuteResults(start)
        self._close_due(start, results, origin)
        session = self._calendar.session_at(start)
        if session is None:
            self.outside_sessions += len(bars)
        elif len(bars):
            results.symbols = len(bars)
            self._closed("1min", bars, session, results, origin)
            for growing in self._growing:
                growing.add(bars, session)
            if session.name == "regular":
                self._day.add(bars, session)
        self._close_due(start + MINUTE_MS, results, origin)
        return results

    def restart(self, timeframe: str) -> None:
        """Forget the series of a timeframe."""
        self._analyses[timeframe].reset()

    def continue_from(self, minutes: Bars, until: int) -> None:
        """Set the running bars of the higher timeframes from the running day's one-minute bars before `until`."""
        for growing in (*self._growing, self._day):
            growing.restart()
        for start in np.unique(minutes.timestamp).tolist():
            session = self._calendar.session_at(start)
            if session is None:
                continue
            chosen = minutes.take(minutes.timestamp == start)
            self._drop_due(start)
            for growing in self._growing:
                growing.add(chosen, session)
            if session.name == "regular":
                self._day.add(chosen, session)
        self._drop_due(until)  # those that ended were closed with their last minute

    def _drop_due(self, until: int) -> None:
        for growing in (*self._growing, self._day):
            if growing.due(until):
                growing.close()

    def warm(self, timeframe: str, bars: Bars, keep_after: int) -> MinuteResults:
        """Run stored bars of one timeframe through the analysis, in order of time.

        What is found in bars that start at or after `keep_after` is returned, as history.
        """
        results = MinuteResults(0)
        order = np.lexsort((bars.lanes, bars.timestamp))
        bars = bars.take(order)
        edges = np.flatnonzero(np.diff(bars.timestamp, prepend=-1, append=-1))
        for begin, end in pairwise(edges.tolist()):
            start = int(bars.timestamp[begin])
            session = self._calendar.session_at(start)
            if session is None or not self.analyses_sessions(session):
                continue
            result = self._analyse(timeframe, bars.take(np.arange(begin, end)), session)
            if start >= keep_after:
                self._add_hits(timeframe, result, session, results, HISTORY)
        return results

    def _close_due(self, until: int, results: MinuteResults, origin: str) -> None:
        for growing in (*self._growing, self._day):
            if growing.due(until):
                session = self._calendar.session_at(growing.start)
                assert session is not None
                self._closed(growing.timeframe, growing.close(), session, results, origin)

    def _closed(self, timeframe: str, bars: Bars, session: Session, results: MinuteResults, origin: str) -> None:
        results.bars += bars.rows(self.symbols, timeframe, 0, self.source)
        # The day's bar is analysed when the vendor's final one is there, not when the session ends.
        analysed = timeframe in self._analyses and timeframe not in self.absent and timeframe != "1day"
        if not analysed or not self.analyses_sessions(session):
            return
        result = self._analyse(timeframe, bars, session)
        self._add_hits(timeframe, result, session, results, origin)
        self._add_indicators(timeframe, bars, result, session, results)

    def _analyse(self, timeframe: str, bars: Bars, session: Session) -> BarResult:
        columns = BarColumns(bars.timestamp, bars.open, bars.high, bars.low, bars.close, bars.volume)
        return self._analyses[timeframe].close_bars(bars.lanes, columns, session.start)

    def _add_hits(self, timeframe: str, result: BarResult, session: Session, results: MinuteResults, origin: str) -> None:
        symbols, source = self.symbols, self.source
        now = self._now()
        results.suppressed += result.suppressed
        for hit in result.pattern_hits():
            symbol = symbols[hit.lane]
            detected = now if origin != HISTORY else self._end_of(timeframe, hit.bar_timestamp, session)
            results.patterns.append(
                StreamingPattern(
                    f"{symbol}:{timeframe}:{hit.pattern}:{hit.key}", symbol, hit.pattern, hit.direction, hit.state, timeframe,
                    session.name, hit.bar_timestamp, detected, hit.price, hit.quality, source, origin, hit.details,
                )
            )  # fmt: skip
        for alert in result.alerts:
            symbol = symbols[alert.lane]
            detected = now if origin != HISTORY else self._end_of(timeframe, alert.bar_timestamp, session)
            results.alerts.append(
                IndicatorAlert(
                    f"{symbol}:{timeframe}:{alert.alert}:{alert.indicator}:{alert.bar_timestamp}", symbol, alert.alert,
                    alert.indicator, alert.value, alert.threshold, alert.direction, timeframe, session.name,
                    alert.bar_timestamp, detected, source, origin,
                )
            )  # fmt: skip

    def _add_indicators(self, timeframe: str, bars: Bars, result: BarResult, session: Session, results: MinuteResults) -> None:
        symbols, source, now = self.symbols, self.source, self._now()
        names = list(result.values)
        columns = [values.tolist() for values in result.values.values()]
        prices = zip(
            bars.open.tolist(), bars.high.tolist(), bars.low.tolist(), bars.close.tolist(), bars.volume.astype(np.int64).tolist(),
            strict=True,
        )  # fmt: skip
        timestamps = bars.timestamp.tolist()
        for lane, timestamp, ohlcv, *values in zip(bars.lanes.tolist(), timestamps, prices, *columns, strict=True):
            there = {name: value for name, value in zip(names, values, strict=True) if value == value}
            results.indicators.append(
                StreamingIndicator(symbols[lane], timeframe, session.name, timestamp, now, BarValues(*ohlcv), there, source)
            )

    @staticmethod
    def _end_of(timeframe: str, start: int, session: Session) -> int:
        return bar_bounds(timeframe, start, session)[1]
