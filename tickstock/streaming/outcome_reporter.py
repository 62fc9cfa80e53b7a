"""The report on what followed live detections: from stored outcomes and stored bars, stored for the web application."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from tickstock.analysis.outcome_report import report_header
from tickstock.analysis.outcome_rows import OutcomeRow, claim_edges, tally_rows
from tickstock.analysis.outcome_tally import SIDES, OutcomeTally
from tickstock.analysis.outcomes import HORIZONS
from tickstock.analysis.resampling import OUTSIDE, by_session
from tickstock.analysis.results import BarColumns, Integers
from tickstock.database.outcome_queries import OutcomeQueries, ResolvedPattern
from tickstock.database.retention import Retention
from tickstock.database.windows import window_bars
from tickstock.database.writers import Writer
from tickstock.market_hours import DAY_MS, Calendar
from tickstock.settings import Settings

REPORT = "live"
REPORT_DAYS = 120  # calendar days back: what the report is about, and what it costs to compute
ROWS_PER_TRANSACTION = 500
CHOSEN = "those watched when each signal was found, chosen before it was known what would follow"
NOTHING_YET = (
    "No live signal has a known outcome yet. One is known so many bar lengths after it was found, on 1min after 1 minute at the "
    "earliest; signals of history and of repaired minutes do not count."
)

KEYS = ("timeframe", "pattern", "direction", "horizon", "quality")


class OutcomeReporter:
    """Computes and stores the report of the last `REPORT_DAYS`."""

    def __init__(self, settings: Settings, calendar: Calendar, pause: Callable[[], bool]) -> None:
        """`pause` waits a moment for others, and says whether to stop."""
        self._url = settings.database
        self._timeframes = settings.timeframes
        self._watched = {symbol for symbol in settings.symbols if symbol != "*"}
        self._cost = settings.outcome_cost_basis_points
        self._sessions = ("regular",) if settings.analysis_sessions == "regular" else ("pre", "regular", "post")
        self._calendar = calendar
        self._pause = pause
        self._queries = OutcomeQueries(settings.database)

    def report(self, until: int, computed: int) -> int | None:
        """Store the report on the bars before `until`; the number of its rows, None when it was stopped.

        Raises:
            DatabaseError: the report before stays in force.
        """
        tallies: list[OutcomeTally] = []
        symbols = set(self._watched)
        since = until - REPORT_DAYS * DAY_MS
        for timeframe in self._timeframes:
            of_timeframe = {horizon: OutcomeTally(timeframe, horizon) for horizon in HORIZONS}
            for symbol in self._queries.symbols(timeframe, since):
                if self._pause():
                    return None
                if self._add(of_timeframe, symbol, timeframe, since, until):
                    symbols.add(symbol)
            tallies += of_timeframe.values()
        rows: list[OutcomeRow] = []
        for tally in tallies:
            rows += tally_rows(tally, self._cost / 10_000)
            if self._pause():
                return None
        claim_edges(rows)
        header = report_header(rows, tallies, sorted(symbols), CHOSEN, self._cost)
        return len(rows) if self._store(rows, header | {"empty": None if rows else NOTHING_YET}, computed) else None

    def _add(self, tallies: Mapping[int, OutcomeTally], symbol: str, timeframe: str, since: int, until: int) -> bool:
        resolved = self._queries.resolved(symbol, timeframe, since)
        if not resolved:
            return False
        # The base begins where the symbol was first watched.
        read = window_bars(self._url, [symbol], timeframe, resolved[0].bar_timestamp, until)
        bars = BarColumns(read.timestamp, read.open, read.high, read.low, read.close, read.volume)
        bars, starts = self._analysed(bars)
        of_horizon: dict[int, list[ResolvedPattern]] = defaultdict(list)
        for each in resolved:
            of_horizon[each.horizon].append(each)
        for horizon, known in of_horizon.items():
            if horizon in tallies and len(starts):
                _add_known(tallies[horizon], symbol, bars, starts, known, until)
        return True

    def _analysed(self, bars: BarColumns) -> tuple[BarColumns, Integers]:
        starts = np.full(len(bars.timestamp), OUTSIDE, np.int64)
        for session, inside in by_session(bars.timestamp, self._calendar):
            if session.name in self._sessions:
                starts[inside] = session.start
        return bars.rows(starts != OUTSIDE), starts[starts != OUTSIDE]

    def _store(self, rows: Sequence[OutcomeRow], header: Mapping[str, Any], computed: int) -> bool:
        """Rows first, then the header that puts them into force; those of the report before last go."""
        before = self._queries.report_computed(REPORT)
        stored = [_row(each, computed) for each in rows]
        with Writer(self._url) as writer:
            for first in range(0, len(stored), ROWS_PER_TRANSACTION):
                with writer.transaction() as batch:
                    batch.insert_outcome_rows(stored[first : first + ROWS_PER_TRANSACTION])
                if self._pause():
                    return False
            with writer.transaction() as batch:
                batch.set_outcome_report(REPORT, computed, header)
        retention = Retention(self._url)
        try:
            # Whoever read the header before this moment may still be about to read its rows.
            while before is not None and retention.delete_outcome_rows_before(before) and not self._pause():
                pass
        finally:
            retention.close()
        return True


def _row(row: OutcomeRow, computed: int) -> tuple[Any, ...]:
    figures = asdict(row)
    return (computed, *(figures.pop(name) for name in KEYS), figures)


def _add_known(
    tally: OutcomeTally, symbol: str, bars: BarColumns, starts: Integers, known: Sequence[ResolvedPattern], until: int
) -> None:
    """Take a symbol's bars into a tally as they are now, and its detections with what was stored of them."""
    outcomes = tally.add_bars(symbol, bars, starts, until)
    found = np.array([each.bar_timestamp for each in known])
    at = np.searchsorted(bars.timestamp, found).clip(max=len(starts) - 1)
    there = bars.timestamp[at] == found
    entry_time, move = outcomes.entry_time.copy(), outcomes.move.copy()
    entry_time[at[there]] = np.array([each.entry_timestamp for each in known])[there]
    move[at[there]] = np.array([np.nan if each.move is None else each.move for each in known])[there]
    outcomes = outcomes._replace(entry_time=entry_time, move=move)
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number in np.flatnonzero(there).tolist():
        places[known[number].pattern, known[number].direction].append(number)
    for (pattern, direction), numbers in places.items():
        quality = np.array([known[number].quality for number in numbers])
        tally.add_detections(outcomes, pattern, SIDES[direction], at[numbers], quality)
