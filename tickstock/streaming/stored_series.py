"""The bars that the series of a trading day begin with, and the figures of the day at the end of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers
from tickstock.analysis.session_figures import SessionFigures
from tickstock.analysis.timeframes import WITHIN_SESSION
from tickstock.market_hours import MINUTE_MS, Calendar, Session
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.higher_timeframes import resample

CELLS_AT_ONCE = 1_000_000  # minutes times lanes of one stretch of the figures


@dataclass(frozen=True)
class StoredMinutes:
    """The one-minute bars before `until`, pre-market ones too, and where each series begins; times in ms."""

    minutes: Bars
    begins: Mapping[str, int]  # by intraday timeframe
    profile_from: int  # sessions from here on tell what volume is usual
    until: int


@dataclass
class SeriesBars:
    """The bars of one timeframe's series, in order of (time, lane), those of analysed sessions."""

    timeframe: str
    bars: Bars
    ends: Integers
    sessions: list[tuple[Session, int, int]]  # each with the first of its bars, and the first behind them
    figures: dict[str, Floats]  # parallel to the bars

    @cached_property
    def columns(self) -> BarColumns:
        return bar_columns(self.bars)

    @cached_property
    def session_start(self) -> Integers:
        """Of the session of each bar."""
        starts = [session.start for session, _, _ in self.sessions]
        return np.repeat(np.array(starts, np.int64), [end - begin for _, begin, end in self.sessions])

    def followed(self, keep_after: int) -> Booleans:
        """Of which bars patterns and alerts are followed: all, on timeframes where they run on from session to session.

        On the others those of sessions of which something is kept, and of the session before in each lane, because what is
        forming at its end becomes void with the lane's next bar.
        """
        if self.timeframe not in WITHIN_SESSION or not len(self.bars):
            return np.ones(len(self.bars), np.bool_)
        lanes, starts = self.bars.lanes, self.session_start
        first_kept = np.append(starts, np.iinfo(np.int64).max)[np.searchsorted(self.bars.timestamp, keep_after)]
        before = starts < first_kept
        last_before = np.zeros(int(lanes.max()) + 1, np.int64)
        np.maximum.at(last_before, lanes[before], starts[before])
        followed: Booleans = ~before | (starts == last_before[lanes])
        return followed

    def moments(self) -> Iterator[tuple[Session, int, int]]:
        """The bars that start together: their session, the first of them, and the first behind them."""
        for session, begin, end in self.sessions:
            edges = np.flatnonzero(np.diff(self.bars.timestamp[begin:end], prepend=-1, append=-1)) + begin
            for first, last in pairwise(edges.tolist()):
                yield session, first, last


def bar_columns(bars: Bars) -> BarColumns:
    """Bars as the analysis takes them."""
    return BarColumns(bars.timestamp, bars.open, bars.high, bars.low, bars.close, bars.volume)


def rows_of(columns: BarColumns, first: int, last: int) -> BarColumns:
    """Bars in a row, without a copy."""
    inside = slice(first, last)
    return BarColumns(
        columns.timestamp[inside], columns.open[inside], columns.high[inside], columns.low[inside], columns.close[inside],
        columns.volume[inside],
    )  # fmt: skip


def series_of(
    stored: StoredMinutes,
    timeframes: tuple[str, ...],
    calendar: Calendar,
    figures: SessionFigures,
    is_analysed: Callable[[Session], bool],
) -> list[SeriesBars]:
    """The series of these timeframes; `figures`, which are fresh, stand at the last minute then."""
    minutes = stored.minutes.take(np.lexsort((stored.minutes.lanes, stored.minutes.timestamp)))
    series = [_bars_of(timeframe, minutes, stored, calendar, is_analysed) for timeframe in timeframes]
    columns = bar_columns(minutes)
    at = dict.fromkeys(timeframes, 0)
    lanes = int(minutes.lanes.max()) + 1 if len(minutes) else 1
    for session, first, last, over in _stretches(minutes.timestamp, calendar, max(1, CELLS_AT_ONCE // lanes) * MINUTE_MS):
        figures.take(session, minutes.lanes[first:last], rows_of(columns, first, last))
        for each in series:
            begin = max(at[each.timeframe], int(np.searchsorted(each.bars.timestamp, session.start)))
            end = at[each.timeframe] = int(np.searchsorted(each.ends, over, side="right"))
            if begin < end:
                _fill(each, begin, end, figures)
    return series


def _bars_of(
    timeframe: str, minutes: Bars, stored: StoredMinutes, calendar: Calendar, is_analysed: Callable[[Session], bool]
) -> SeriesBars:
    bars = minutes.take(slice(np.searchsorted(minutes.timestamp, stored.begins[timeframe]), None))
    if timeframe == "1min":
        ends = bars.timestamp + MINUTE_MS
    else:
        bars, ends = resample(bars, timeframe, calendar)
    whole = ends <= stored.until
    bars, ends = bars.take(whole), ends[whole]
    parts = [part for part in sessions_of_bars(bars.timestamp, calendar) if is_analysed(part[0])]
    chosen = np.concatenate([np.arange(begin, end) for _, begin, end in parts] or [np.empty(0, np.int64)])
    sizes = np.cumsum([0, *(end - begin for _, begin, end in parts)]).tolist()
    sessions = [(part[0], begin, end) for part, begin, end in zip(parts, sizes[:-1], sizes[1:], strict=True)]
    return SeriesBars(timeframe, bars.take(chosen), ends[chosen], sessions, {})


def _fill(series: SeriesBars, begin: int, end: int, figures: SessionFigures) -> None:
    lanes, columns = series.bars.lanes[begin:end], rows_of(series.columns, begin, end)
    for name, values in figures.of(series.timeframe, lanes, columns, series.ends[begin:end]).items():
        whole = series.figures.get(name)
        if whole is None:
            whole = series.figures[name] = np.full(len(series.bars), np.nan)
        whole[begin:end] = values


def sessions_of_bars(timestamps: Integers, calendar: Calendar) -> Iterator[tuple[Session, int, int]]:
    """The sessions that hold bars in order of time; bars outside every session are left out."""
    at = 0
    while at < len(timestamps):
        session = calendar.session_at(int(timestamps[at]))
        if session is None:
            at = int(np.searchsorted(timestamps, timestamps[at], side="right"))
            continue
        end = int(np.searchsorted(timestamps, session.end))
        yield session, at, end
        at = end


def _stretches(timestamps: Integers, calendar: Calendar, longest: int) -> Iterator[tuple[Session, int, int, int]]:
    """Bars that the figures take at once, and the moment (ms) up to which they then stand."""
    for session, begin, end in sessions_of_bars(timestamps, calendar):
        while begin < end:
            over = int(timestamps[begin]) + longest
            last = min(int(np.searchsorted(timestamps, over)), end)
            yield session, begin, last, session.end if last == end else over
            begin = last
