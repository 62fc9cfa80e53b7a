"""`StreamingEngine`: a minute's bars in; bars of every timeframe, patterns, indicators and alerts out. No I/O, no clock.

A symbol's lane is its column in every array. What a symbol gives depends on its own bars alone, so the same minutes give the
same results however the process was started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.selection import EVERYTHING, Enabled
from tickstock.analysis.session_figures import SessionFigures
from tickstock.analysis.state import Arrays, named, under
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis
from tickstock.contract import IndicatorAlert, StreamingIndicator, StreamingPattern
from tickstock.market_hours import MINUTE_MS, Calendar, Session
from tickstock.settings import Settings
from tickstock.streaming.bar_columns import Bars, Floats, no_bars
from tickstock.streaming.higher_timeframes import GrowingTimeframe, resample
from tickstock.streaming.result_messages import HISTORY, ResultMessages
from tickstock.streaming.stored_series import SeriesBars, StoredMinutes, bar_columns, series_of, sessions_of_bars

UNTOLD = ""  # the origin of what is computed again and was told before


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

    def add(self, other: MinuteResults) -> None:
        """What another minute gave, too."""
        self.bars += other.bars
        self.patterns += other.patterns
        self.alerts += other.alerts
        self.indicators += other.indicators
        self.suppressed += other.suppressed


class StreamingEngine:
    """All symbols in all timeframes."""

    def __init__(
        self,
        settings: Settings,
        calendar: Calendar,
        now: Callable[[], int],
        enabled: Mapping[str, Enabled] | None = None,
    ) -> None:
        """`enabled` says what each timeframe computes; by default everything."""
        self.symbols: list[str] = []  # by lane
        self.lane_of: dict[str, int] = {}
        self.trading_day: date | None = None  # of the series in the arrays
        self.absent: set[str] = set()  # timeframes whose history is not there yet: their bars are built, not analysed
        self.outside_sessions = 0  # bars of minutes in which the market is closed
        self._settings, self._enabled = settings, enabled
        self._awaited_lanes = no_bars().lanes
        self._analyses = {
            timeframe: TimeframeAnalysis(timeframe, enabled=(enabled or {}).get(timeframe, EVERYTHING))
            for timeframe in settings.timeframes
        }
        self._growing = [GrowingTimeframe(timeframe) for timeframe in ("5min", "15min", "60min")]
        self._running_day = GrowingTimeframe("1day")
        self._sessions = ("regular",) if settings.analysis_sessions == "regular" else ("pre", "regular", "post")
        self.source = settings.feed
        self._calendar = calendar
        self._now = now
        self._figures = SessionFigures(calendar, self._sessions)
        self._days = (no_bars().lanes, bar_columns(no_bars()))

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

    def fresh(self) -> StreamingEngine:
        """Another engine of the same settings that knows no symbol yet."""
        return StreamingEngine(self._settings, self._calendar, self._now, self._enabled)

    def await_history(self, symbols: Iterable[str]) -> None:
        """Of these symbols, and no others, only the one-minute bars are told, until `adopt` brings their series."""
        self._awaited_lanes = self.lanes_for(sorted(symbols))

    def adopt(self, other: StreamingEngine) -> None:
        """Take over all series of the symbols of another engine of the same settings; both stand between the same two minutes.

        What there was of these symbols is forgotten. The day bars that the figures look up are to be given anew (`warm_days`).
        """
        lanes = self.lanes_for(other.symbols)
        for timeframe, analysis in self._analyses.items():
            analysis.adopt(other._analyses[timeframe], lanes)
        for ours, theirs in zip((*self._growing, self._running_day), (*other._growing, other._running_day), strict=True):
            ours.adopt(theirs, lanes)
        self._figures.adopt(other._figures, lanes)

    def analyses_sessions(self, session: Session) -> bool:
        """Whether bars of this session feed indicators and patterns."""
        return session.name in self._sessions

    def state(self) -> Arrays:
        """All that the intraday series and the figures of the day remember, as copies by name; lanes as in `symbols`."""
        lanes = len(self.symbols)
        state = named("figures", self._figures.state(lanes))
        for timeframe, analysis in self._analyses.items():
            if timeframe != "1day":
                state |= named(timeframe, analysis.state(lanes))
        for growing in (*self._growing, self._running_day):
            state |= named(f"growing {growing.timeframe}", growing.state())
        return state

    def begin_lanes(self, symbols: Sequence[str]) -> None:
        """Give these symbols the first lanes, in this order; series that have begun must be begun anew."""
        known = frozenset(symbols)
        self.symbols[:] = [*symbols, *(each for each in self.symbols if each not in known)]
        self.lane_of = {symbol: lane for lane, symbol in enumerate(self.symbols)}
        self.lanes_for(())

    def restore(self, state: Mapping[str, NDArray[Any]], lanes: int) -> None:
        """Go on from what `state` gave, of an engine with the same settings and first lanes; the 1day series stays as it is.

        Raises:
            KeyError, ValueError, IndexError: it was given by another engine; `warm` and `continue_from` then.
        """
        for timeframe, analysis in self._analyses.items():
            if timeframe != "1day":
                analysis.restore(under(timeframe, state), lanes)
        for growing in (*self._growing, self._running_day):
            growing.restore(under(f"growing {growing.timeframe}", state))
        figures = SessionFigures(self._calendar, self._sessions)
        figures.restore(under("figures", state), lanes)
        figures.set_days(*self._days)
        self._figures = figures

    def close_minute(self, start: int, bars: Bars, origin: str) -> MinuteResults:
        """Close a minute: its bars may be none; higher timeframes that end with it, or ended before it, close too.

        With the origin `UNTOLD` nothing is told: a minute that was closed before.
        """
        results = MinuteResults(start)
        self._close_due(start, results, origin)
        session = self._calendar.session_at(start)
        if session is None:
            self.outside_sessions += len(bars)
        elif len(bars):
            results.symbols = len(bars)
            self._figures.take(session, bars.lanes, bar_columns(bars))
            self._closed("1min", bars, session, start + MINUTE_MS, results, origin)
            for growing in self._growing:
                growing.add(bars, session)
            if session.name == "regular":
                self._running_day.add(bars, session)
        self._close_due(start + MINUTE_MS, results, origin)
        return results

    def close_again(self, minutes: Bars, until: int) -> None:
        """Take one-minute bars before `until` that were closed and told before."""
        self.close_minutes(minutes, until, UNTOLD)

    def close_minutes(self, minutes: Bars, until: int, origin: str) -> MinuteResults:
        """Close every minute before `until` that these one-minute bars are of; what it gives is told as of the last one."""
        results = MinuteResults(until - MINUTE_MS)
        minutes = minutes.take(np.lexsort((minutes.lanes, minutes.timestamp)))
        edges = np.flatnonzero(np.diff(minutes.timestamp, prepend=-1, append=-1)) if len(minutes) else no_bars().lanes
        for begin, end in pairwise(edges.tolist()):
            results.add(self.close_minute(int(minutes.timestamp[begin]), minutes.take(np.arange(begin, end)), origin))
        results.add(self.close_minute(until - MINUTE_MS, no_bars(), origin))
        return results

    def continue_from(self, minutes: Bars, until: int) -> None:
        """Set the running bars of the higher timeframes from the running day's one-minute bars before `until`."""
        for growing in (*self._growing, self._running_day):
            growing.restart()
            bars, ends = resample(minutes, growing.timeframe, self._calendar)
            running = bars.take(ends > until)  # those that ended were closed with their last minute
            if len(running):
                growing.add(running, self._session_of(int(running.timestamp[0])))

    def warm(self, timeframes: Sequence[str], stored: StoredMinutes, keep_after: Mapping[str, int]) -> MinuteResults:
        """Begin these intraday series, and the figures of the day, anew with stored bars.

        What is found in bars that start at or after a timeframe's `keep_after` is returned, as history. The other series go on.
        """
        results = MinuteResults(0)
        figures = SessionFigures(self._calendar, self._sessions, stored.profile_from)
        figures.set_days(*self._days)
        for series in series_of(stored, tuple(timeframes), self._calendar, figures, self.analyses_sessions):
            self._begin(series, keep_after.get(series.timeframe, 0), results)
        self._figures = figures
        return results

    def warm_days(self, bars: Bars, series: Bars | None = None) -> MinuteResults:
        """Take the day bars that the figures of the day look up, and begin the 1day series anew with the bars of `series`."""
        self._days = (bars.lanes, bar_columns(bars))
        self._figures.set_days(*self._days)
        results = MinuteResults(0)
        if series is not None:
            series = series.take(np.lexsort((series.lanes, series.timestamp)))
            sessions = list(sessions_of_bars(series.timestamp, self._calendar))
            self._begin(SeriesBars("1day", series, series.timestamp, sessions, {}), 0, results)
        return results

    def close_final_days(self, bars: Bars, minute: int, origin: str) -> MinuteResults:
        """Analyse the final bars of one trading day, once, behind those of the days before; `minute` is the last closed one."""
        results = MinuteResults(minute)
        bars = self._without_awaited(bars)
        if "1day" in self._analyses and len(bars):
            self._analyse("1day", bars, self._session_of(int(bars.timestamp[0])), {}, results, origin)
        return results

    def _begin(self, series: SeriesBars, keep_after: int, results: MinuteResults) -> None:
        analysis, timeframe, lanes = self._analyses[series.timeframe], series.timeframe, series.bars.lanes
        messages = self._messages(HISTORY, lru_cache(maxsize=None)(self._session_of))
        analysis.reset()
        stored = analysis.stored(lanes, series.columns, series.session_start, series.figures)
        followed = series.followed(keep_after)
        for session, first, last in series.moments():
            rows = np.arange(first, last)
            chosen, passed = rows[followed[first:last]], rows[~followed[first:last]]
            if len(passed):
                analysis.pass_over(lanes[passed], series.columns.rows(passed), session.start)
            if len(chosen):
                figures = {name: values[chosen] for name, values in series.figures.items()}
                result = analysis.follow(lanes[chosen], series.columns.rows(chosen), session.start, figures)
                if series.bars.timestamp[first] >= keep_after:
                    if len(result.states.fate):
                        result.shapes_after_gap = stored.after_gap(chosen[result.places_of_shapes()])
                        results.patterns += messages.patterns(timeframe, result)
                    results.alerts += messages.alerts(timeframe, result)
        for result in stored.candlesticks(series.columns.timestamp >= keep_after):
            results.patterns += messages.patterns(timeframe, result)
            results.suppressed += result.suppressed

    def _close_due(self, until: int, results: MinuteResults, origin: str) -> None:
        for growing in (*self._growing, self._running_day):
            if growing.due(until):
                session, end = self._session_of(growing.start), growing.end
                self._closed(growing.timeframe, growing.close(), session, end, results, origin)

    def _closed(self, timeframe: str, bars: Bars, session: Session, end: int, results: MinuteResults, origin: str) -> None:
        whole = self._without_awaited(bars)
        if origin != UNTOLD:  # a minute is whole; a longer bar of which minutes came before would not be
            results.bars += (bars if timeframe == "1min" else whole).rows(self.symbols, timeframe, 0, self.source)
        bars = whole
        # The day's bar is analysed when the vendor's final one is there, not when the session ends.
        analysed = timeframe in self._analyses and timeframe not in self.absent and timeframe != "1day"
        if not analysed or not self.analyses_sessions(session) or not len(bars):
            return
        figures = self._figures.of(timeframe, bars.lanes, bar_columns(bars), end)
        self._analyse(timeframe, bars, session, figures, results, origin)

    def _without_awaited(self, bars: Bars) -> Bars:
        return bars.take(~np.isin(bars.lanes, self._awaited_lanes)) if len(self._awaited_lanes) else bars

    def _analyse(
        self, timeframe: str, bars: Bars, session: Session, figures: Mapping[str, Floats], results: MinuteResults, origin: str
    ) -> None:
        result = self._analyses[timeframe].close_bars(bars.lanes, bar_columns(bars), session.start, figures)
        if origin == UNTOLD:
            return
        messages = self._messages(origin, lambda _: session)
        results.suppressed += result.suppressed
        results.patterns += messages.patterns(timeframe, result)
        results.alerts += messages.alerts(timeframe, result)
        results.indicators += messages.indicators(timeframe, bars, result)

    def _messages(self, origin: str, session_of: Callable[[int], Session]) -> ResultMessages:
        return ResultMessages(self.symbols, self.source, origin, self._now(), session_of)

    def _session_of(self, start: int) -> Session:
        session = self._calendar.session_at(start)
        assert session is not None
        return session
