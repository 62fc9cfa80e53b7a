"""Ticks to one-minute bars, by event time, all symbols at once. Pure: ticks and watermarks in, closed minutes out.

A minute is open until a status says that the watermark has passed its end. Within a minute ticks are ordered by
(timestamp, order of arrival): the first one gives the open, the last one the close. A tick for a minute that has ended is
late: it is kept apart, to correct the stored bar, and never touches an open one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tickstock.contract import MarketTick
from tickstock.market_hours import MINUTE_MS

# A bar in the making is a plain list, because attribute access would double the cost of a tick.
OPEN, HIGH, LOW, CLOSE, VOLUME, TICKS, FIRST, LAST = range(8)
GrowingBar = list[float]


class LateTick(NamedTuple):
    """A tick whose minute had ended when it came."""

    symbol: str
    price: float
    volume: int
    timestamp: int


@dataclass(slots=True)
class EndedMinute:
    """A minute that the watermark has passed: its bars, and where in the log the engine stands behind it."""

    start: int  # ms
    bars: dict[str, GrowingBar]
    run: str
    position: int  # of the status that ended it
    replay_from: int  # the lowest position that a minute still open needs
    late: list[LateTick] = field(default_factory=list)  # came since the minute before was ended


class BarBuilder:
    """The open minutes of all symbols."""

    def __init__(self) -> None:
        self.complete_until = 0  # minutes that end at or before this moment are complete
        self._open: dict[int, dict[str, GrowingBar]] = {}
        self._first_position: dict[int, int] = {}  # of each open minute
        self._late: list[LateTick] = []
        self._run = ""  # whose positions these are

    def restart(self, complete_until: int, run: str = "") -> None:
        """Forget the open minutes; what ended at or before `complete_until` stays complete. `run` is whose ticks follow."""
        self.complete_until = complete_until
        self._run = run
        self._open.clear()
        self._first_position.clear()
        self._late.clear()

    def add(self, ticks: Sequence[MarketTick], first_position: int) -> None:
        """Take ticks in the order of their positions, the first of which is `first_position`."""
        self._add(ticks, first_position, keep_late=True)

    def add_again(self, ticks: Sequence[MarketTick], first_position: int) -> None:
        """Take ticks at or before the committed position: they fill the open minutes, and the late ones are stored already."""
        self._add(ticks, first_position, keep_late=False)

    def _add(self, ticks: Sequence[MarketTick], first_position: int, *, keep_late: bool) -> None:
        complete_until = self.complete_until
        minute, bars = -1, None
        for offset, tick in enumerate(ticks):
            timestamp, price, symbol = tick.timestamp, tick.price, tick.symbol
            start = timestamp - timestamp % MINUTE_MS
            if start != minute:
                if start < complete_until:
                    if keep_late:
                        self._late.append(LateTick(symbol, price, tick.volume, timestamp))
                    continue
                minute, bars = start, self._open.get(start)
                if bars is None:
                    bars = self._open[start] = {}
                    self._first_position[start] = first_position + offset
            assert bars is not None
            bar = bars.get(symbol)
            if bar is None:
                bars[symbol] = [price, price, price, price, tick.volume, 1, timestamp, timestamp]
                continue
            if timestamp >= bar[LAST]:
                bar[CLOSE] = price
                bar[LAST] = timestamp
            elif timestamp < bar[FIRST]:
                bar[OPEN] = price
                bar[FIRST] = timestamp
            if price > bar[HIGH]:
                bar[HIGH] = price
            elif price < bar[LOW]:
                bar[LOW] = price
            bar[VOLUME] += tick.volume
            bar[TICKS] += 1

    def advance(self, watermark: int, run: str, position: int, also: Iterable[int] = ()) -> list[EndedMinute]:
        """End every minute that ends at or before the watermark, oldest first.

        `also` names minutes (their starts) that must come out although no tick fell into them. When minutes ended but none
        of them holds anything, the last one comes out empty, so that the progress is recorded.
        """
        if run != self._run:
            if self._run:
                # What a minute still needs of an earlier run cannot be named by a position of this one: the feed was away in
                # between, so such a minute comes from REST. Of this run it needs everything.
                self._first_position = dict.fromkeys(self._first_position, 1)
            self._run = run
        until = watermark - watermark % MINUTE_MS
        if until <= self.complete_until:
            return []
        begun = self.complete_until
        starts = sorted({start for start in (*self._open, *also) if begun <= start < until} | {until - MINUTE_MS})
        self.complete_until = until
        ended = []
        for start in starts:
            bars = self._open.pop(start, {})
            self._first_position.pop(start, None)
            replay_from = min(self._first_position.values(), default=position + 1)
            ended.append(EndedMinute(start, bars, run, position, replay_from))
        ended[0].late, self._late = self._late, []
        return ended

    @property
    def symbols_open(self) -> set[str]:
        """The symbols that have a bar in the making."""
        return {symbol for bars in self._open.values() for symbol in bars}
