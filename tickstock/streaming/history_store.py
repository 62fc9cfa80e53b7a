"""The vendor's REST bars on their way into the database. Runs in the threads that fetched them, so the main loop never waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tickstock.database.models import DAY_SERIES
from tickstock.database.writers import Batch, Writer
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import Calendar, new_york_time, regular_session_of
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.corrections import OPEN, REVISION, START, SYMBOL, VOLUME, Row, build_above
from tickstock.streaming.higher_timeframes import resample
from tickstock.streaming.reconciliation import reconcile

ROWS_PER_TRANSACTION = 4_000  # so that live minutes and ticks never wait long for the database


class HistoryStore:
    """Stores fetched bars, the higher timeframes that follow from them, and which days are covered now.

    Every method raises DatabaseUnavailable when the database is away; what was stored until then does no harm.
    """

    def __init__(self, url: str, source: str, calendar: Calendar) -> None:
        self._url = url
        self._source = source
        self._calendar = calendar

    def store_minutes(
        self, symbol: str, bars: list[RestBar], days: tuple[int, ...], until: int, today: int = 0, *, mends: bool = False
    ) -> None:
        """Store one-minute bars of some trading days (their starts, ms), known up to `until`, and the timeframes above.

        Days before `today` of which something is stored already are compared with the vendor's bars and corrected. Where
        `mends`, the bars of `today` lie between stored ones: the timeframes above are built from both.
        """
        minutes = Bars.from_rest(np.zeros(len(bars), dtype=np.int64), bars)
        rows = minutes.rows([symbol], "1min", 0, self._source)
        with Writer(self._url) as writer:
            known = set()
            for day in days:
                if day < today:
                    with writer.transaction() as batch:
                        if batch.bars_between("1min", symbol, day, self._day_end(day)):
                            reconcile(batch, symbol, day, rows, self._day_end(day), self._calendar, first_revision=0)
                            known.add(day)
            fresh = self._of_other_days(minutes, known)
            self._insert(writer, symbol, fresh, until, whole_until=today if mends else until)
            with writer.transaction() as batch:
                if mends:
                    minutes_of_today = {(symbol, start) for start in fresh.timestamp.tolist() if start >= today}
                    build_above(batch, minutes_of_today, self._calendar, complete_until=until, first_revision=0)
                batch.set_coverage([(symbol, day, min(until, self._day_end(day))) for day in days])

    def reconcile(self, symbol: str, bars: list[RestBar], day: int, until: int) -> None:
        """Compare the running trading day's one-minute bars before `until` with the vendor's, and correct them.

        Analysis sees this day's bars as they were first closed, so a bar that was missing begins with revision 1.
        """
        rows = Bars.from_rest(np.zeros(len(bars), dtype=np.int64), bars).rows([symbol], "1min", 0, self._source)
        with Writer(self._url) as writer, writer.transaction() as batch:
            reconcile(batch, symbol, day, rows, until, self._calendar, first_revision=1)

    def _of_other_days(self, minutes: Bars, days: set[int]) -> Bars:
        chosen = np.ones(len(minutes), dtype=bool)
        for day in days:
            chosen &= (minutes.timestamp < day) | (minutes.timestamp >= self._day_end(day))
        return minutes.take(chosen)

    def _insert(self, writer: Writer, symbol: str, minutes: Bars, until: int, whole_until: int) -> None:
        """Store minutes, and the timeframes above as far as all of their minutes are among these."""
        rows = minutes.rows([symbol], "1min", 0, self._source)
        whole = minutes.take(minutes.timestamp < whole_until)
        for timeframe in ("5min", "15min", "60min"):
            higher, ends = resample(whole, timeframe, self._calendar)
            rows += higher.take(ends <= until).rows([symbol], timeframe, 0, self._source)
        for first in range(0, len(rows), ROWS_PER_TRANSACTION):
            with writer.transaction() as batch:
                batch.insert_bars(rows[first : first + ROWS_PER_TRANSACTION])

    def store_days(self, symbol: str, bars: list[RestBar], until: int) -> None:
        """Store day bars. The vendor's are final: where a provisional one is stored, they are its next revision."""
        rows: list[list[Any]] = []
        for bar in bars:
            session = regular_session_of(self._calendar, new_york_time(bar.timestamp).date())
            if session is not None:
                row = list(Bars.from_rest(np.zeros(1, dtype=np.int64), [bar]).rows([symbol], "1day", 0, self._source)[0])
                row[START] = session.start
                rows.append(row)
        with Writer(self._url) as writer, writer.transaction() as batch:
            insert_final_days(batch, rows)
            batch.set_coverage([(symbol, DAY_SERIES, until)])

    def _day_end(self, start: int) -> int:
        session = self._calendar.session_at(start)
        assert session is not None
        return self._calendar.sessions_of(session.trading_day)[-1].end


def insert_final_days(batch: Batch, rows: Sequence[Row]) -> None:
    """Store the vendor's day bars; where another one is stored, they are its next revision."""
    final = {(row[SYMBOL], row[START]): list(row) for row in rows}
    for key, before in (batch.newest_bars("1day", list(final)) if final else {}).items():
        if tuple(before[OPEN : VOLUME + 1]) == tuple(final[key][OPEN : VOLUME + 1]):
            del final[key]
        else:
            final[key][REVISION] = before[REVISION] + 1
    batch.insert_bars(list(final.values()))
