"""What gaps of the feed need of REST: their minutes are asked for, answers taken, and what is to be stored of it all is kept.

It belongs to the main thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.corrections import Row
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.gap_retries import GapRetries
from tickstock.streaming.health import Figures
from tickstock.streaming.late_bars import GapRow, LateBars
from tickstock.streaming.minute_queue import FeedGap, MinuteQueue, ReadyMinute, RestRange
from tickstock.streaming.rest_fetcher import GAP, Fetched, RestFetcher

STAGE = "gap"


class GapRepair:
    """Asks for the minutes that touch a gap, again and again where it must, until the trading day is over."""

    def __init__(
        self,
        queue: MinuteQueue,
        engine: StreamingEngine,
        fetcher: RestFetcher,
        figures: Figures,
        symbols: Callable[[], set[str]],
        steady: Callable[[], int],
    ) -> None:
        """`symbols` are those whose minutes are asked for, `steady` gives ms of a clock that nobody sets."""
        self._queue = queue
        self._engine = engine
        self._fetcher = fetcher
        self._figures = figures
        self._symbols = symbols
        self._steady = steady
        self._retries = GapRetries()
        self._late = LateBars()
        self._gap_rows: list[GapRow] = []  # for the next transaction
        self._late_bars: list[Row] = []

    def note(self, row: GapRow) -> None:
        """Write down a gap."""
        self._gap_rows.append(row)

    def ask_again(self) -> None:
        """Ask for what failed and is still of use."""
        for missing, symbol in self._retries.due(self._steady()):
            if self._queue.waits_for(missing) or self._late.misses(missing, symbol):
                self._ask(missing, [symbol])

    def ask(self) -> None:
        """Ask for what the minutes at the head of the queue need."""
        wanted = self._queue.wanted(self._symbols)
        if wanted is not None:
            self._ask(wanted, wanted.symbols)
        for incomplete, symbol in self._queue.incomplete():
            self._retries.failed(incomplete, symbol, self._steady())

    def answered(self, fetched: Fetched) -> None:
        """Take an answer to what was asked here."""
        wanted = fetched.tag[1]
        assert isinstance(wanted, RestRange)
        if fetched.bars is None:
            if not fetched.refused:
                self._retries.failed(wanted, fetched.symbol, self._steady())
            return
        bars = {bar.timestamp: bar for bar in fetched.bars}
        wanted.delivered[fetched.symbol] = bars
        late = self._late.come(wanted, fetched.symbol, bars)
        if late:
            lanes = self._engine.lanes_for([fetched.symbol]).repeat(len(late))
            self._late_bars += Bars.from_rest(lanes, late).rows(self._engine.symbols, "1min", 0, self._engine.source)
        self._gap_rows += self._late.repaired()

    def compared(self, symbol: str, until: int) -> None:
        """All of a symbol's bars before a moment were compared with the vendor's and are stored."""
        self._late.compared(symbol, until)
        self._gap_rows += self._late.repaired()

    def closed(self, ready: ReadyMinute) -> None:
        """A minute is closed, with or without all of its bars."""
        self._late.closed_without(ready.ended.start, ready.undelivered)
        self._gap_rows += [self._late.closed(gap) for gap in ready.repaired]

    def day_is_over(self) -> None:
        """What has not come until now is lost."""
        self._gap_rows += self._late.day_is_over()

    def reopen(self, rows: Sequence[dict[str, Any]], until: int, today: int) -> None:
        """What was still missing when the last process ended is asked for again; where its day is over, it is lost.

        Args:
            rows: of `feed_gaps`.
            until: everything before was closed.
            today: when the trading day began.
        """
        for row in sorted(rows, key=lambda each: each["started"]):
            first = row["started"] - row["started"] % MINUTE_MS
            last = (row["ended"] - 1) - (row["ended"] - 1) % MINUTE_MS
            if not row["id"].startswith("feed:") or last >= until:
                continue  # the log tells of it again
            wanted = RestRange(first, last, self._symbols())
            for minute in range(first, last + 1, MINUTE_MS):
                self._late.closed_without(minute, wanted.symbols)
            self._late.closed(FeedGap(row["started"], row["ended"], row["cause"], first, last, "", 0))
            if first < today:
                self.day_is_over()
            else:
                self._ask(wanted, wanted.symbols)

    def take_rows(self) -> tuple[list[GapRow], list[Row]]:
        """Rows of gaps, and bars that came late, to be stored with the next minute."""
        gaps, self._gap_rows = self._gap_rows, []
        bars, self._late_bars = self._late_bars, []
        return gaps, bars

    def _ask(self, wanted: RestRange, symbols: Iterable[str]) -> None:
        """Those that traded last come first."""
        traded = self._figures.last_minute_of
        by_need = sorted(symbols, key=lambda each: (-traded.get(each, 0), each))
        self._fetcher.minutes(by_need, wanted.first, wanted.last + MINUTE_MS, GAP, (STAGE, wanted))
