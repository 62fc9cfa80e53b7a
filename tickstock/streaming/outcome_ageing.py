"""What followed live detections, as they age: computed from stored bars and stored, each once.

Where it stands is in the database alone: what has no outcome yet is asked for again, so a restart or a second run changes
nothing. A stored outcome never changes; an incomplete one is stored only when its session is over, because bars of a gap may
still come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tickstock.analysis.outcomes import HORIZONS, what_followed
from tickstock.analysis.resampling import OUTSIDE, by_session
from tickstock.analysis.results import BarColumns, Integers
from tickstock.analysis.timeframes import LENGTH_MS
from tickstock.database.outcome_queries import AgeingPattern, OutcomeQueries
from tickstock.database.windows import window_bars
from tickstock.database.writers import Writer
from tickstock.market_hours import DAY_MS, Calendar, now_ms

PATTERNS_AT_ONCE = 1_000  # rows of one transaction: some 10 ms on SQLite
STORED_WITHIN_MS = 3_600_000  # of its detection a pattern is stored: minutes wait in memory while the database is away
DAYS_WITHOUT_A_BAR = 10  # after which the next day bar is given up

Row = tuple[Any, ...]


class OutcomeAgeing:
    """Gives every live, confirmed pattern its outcomes when they can be known."""

    def __init__(self, url: str, calendar: Calendar, timeframes: Sequence[str], pause: Callable[[], bool]) -> None:
        """`pause` waits a moment for others, and says whether to stop."""
        self._url = url
        self._calendar = calendar
        self._pause = pause
        self._series = [(timeframe, horizon) for timeframe in timeframes for horizon in HORIZONS]
        self._since = dict.fromkeys(self._series, 0)  # detections before this moment have their outcome
        self._queries = OutcomeQueries(url)

    def age(self, until: int) -> int:
        """Store what can be known when all bars that end at or before `until` are stored; the number of outcomes.

        Raises:
            DatabaseError: what was stored until then stands; call again.
        """
        stored, begun = 0, now_ms()
        with Writer(self._url) as writer:
            for timeframe, horizon in self._series:
                pending: int | None = None  # when the first that has to wait was detected
                last: AgeingPattern | None = None
                since = self._since[timeframe, horizon]
                while page := self._queries.unresolved(timeframe, horizon, since, PATTERNS_AT_ONCE, last):
                    ripe = [each for each in page if self._can_be_known(each, timeframe, horizon, until)]
                    rows = self._outcomes(ripe, timeframe, horizon, until) if ripe else []
                    with writer.transaction() as batch:
                        stored += batch.insert_outcomes(rows)
                    resolved = {row[0] for row in rows}
                    waiting = (each.detection_timestamp for each in page if each.id not in resolved)
                    pending = next(waiting, None) if pending is None else pending
                    last = page[-1]
                    if self._pause():
                        return stored
                recent = begun - STORED_WITHIN_MS
                self._since[timeframe, horizon] = recent if pending is None else min(pending, recent)
        return stored

    def _can_be_known(self, pattern: AgeingPattern, timeframe: str, horizon: int, until: int) -> bool:
        """Whether the earliest exit has come, or the session is over."""
        if pattern.bar_timestamp + (1 + horizon) * LENGTH_MS[timeframe] <= until:
            return True
        session = self._calendar.session_at(pattern.bar_timestamp)
        return timeframe != "1day" and (session is None or session.end <= until)

    def _outcomes(self, page: Sequence[AgeingPattern], timeframe: str, horizon: int, until: int) -> list[Row]:
        of_symbol: dict[str, list[AgeingPattern]] = defaultdict(list)
        for each in page:
            of_symbol[each.symbol].append(each)
        times = [each.bar_timestamp for each in page]
        until = min(until, max(times) + _reach(timeframe, horizon))
        read = window_bars(self._url, tuple(of_symbol), timeframe, min(times), until)
        columns = (read.timestamp, read.open, read.high, read.low, read.close, read.volume)
        edges = np.searchsorted(read.lane, np.arange(len(of_symbol) + 1))
        rows: list[Row] = []
        for lane, patterns in enumerate(of_symbol.values()):
            bars = BarColumns(*(column[edges[lane] : edges[lane + 1]] for column in columns))  # type: ignore[arg-type]
            rows += self._of_symbol(patterns, bars, timeframe, horizon, until)
        return rows

    def _of_symbol(
        self, patterns: Sequence[AgeingPattern], bars: BarColumns, timeframe: str, horizon: int, until: int
    ) -> list[Row]:
        bars, starts, ends = self._within_sessions(bars, until)
        after = what_followed(bars, starts, timeframe, horizon, until)
        now, length, reach = now_ms(), LENGTH_MS[timeframe], _reach(timeframe, horizon)
        rows: list[Row] = []
        for each in patterns:
            at = int(np.searchsorted(bars.timestamp, each.bar_timestamp))
            if at == len(bars.timestamp) or bars.timestamp[at] != each.bar_timestamp:
                if each.bar_timestamp + reach <= until:  # its own bar is not stored
                    rows.append((each.id, horizon, "incomplete", each.bar_timestamp + length, None, None, None, now))
                continue
            entry, exit_price, move = (float(column[at]) for column in (after.entry, after.exit, after.returns))
            over = each.bar_timestamp + reach <= until if timeframe == "1day" else ends[at] <= until
            if exit_price == exit_price:
                rows.append((each.id, horizon, "scored", int(after.entry_time[at]), entry, exit_price, move, now))
            elif over:
                known_entry = entry if entry == entry else None
                rows.append((each.id, horizon, "incomplete", int(after.entry_time[at]), known_entry, None, None, now))
        return rows

    def _within_sessions(self, bars: BarColumns, until: int) -> tuple[BarColumns, Integers, Integers]:
        """The bars of sessions, and the start and the end of each one's session."""
        starts, ends = (np.full(len(bars.timestamp), OUTSIDE, np.int64) for _ in range(2))
        for session, inside in by_session(bars.timestamp, self._calendar):
            starts[inside], ends[inside] = session.start, session.end
        inside_one = starts != OUTSIDE
        return bars.rows(inside_one), starts[inside_one], ends[inside_one]


def _reach(timeframe: str, horizon: int) -> int:
    """How long after a bar its outcome is known, or given up: its session is over, or no further day bar has come for long."""
    return 2 * DAY_MS if timeframe != "1day" else (DAYS_WITHOUT_A_BAR + horizon) * DAY_MS
