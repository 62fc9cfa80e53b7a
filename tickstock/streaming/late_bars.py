"""Minutes of a gap that closed without bars of REST, and what becomes of the gap. Pure.

While something is missing the gap waits: its row says neither what repaired it nor what is lost. It is repaired when everything
has come, and what has not come when the trading day is over is lost.
"""

from __future__ import annotations

from typing import Any

from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.minute_queue import FeedGap, RestRange

GapRow = tuple[Any, ...]  # arguments of Batch.upsert_gap
IN_TIME, LATE = "minute bars from REST", "minute bars from REST, after their minutes had closed"


class LateBars:
    """Who lacks which minutes."""

    def __init__(self) -> None:
        self._missing: dict[int, set[str]] = {}  # minute: symbols
        self._gaps: list[FeedGap] = []  # closed, and not repaired yet

    def closed_without(self, minute: int, symbols: set[str]) -> None:
        """A minute closed, and REST had not delivered these symbols."""
        if symbols:
            self._missing[minute] = set(symbols)

    def misses(self, wanted: RestRange, symbol: str) -> bool:
        """Whether a minute of the range closed without the symbol: its bar is stored, as a revision, when it comes."""
        return any(symbol in self._missing.get(minute, ()) for minute in _minutes(wanted.first, wanted.last))

    def come(self, wanted: RestRange, symbol: str, bars: dict[int, RestBar]) -> list[RestBar]:
        """REST delivered a symbol; those of its bars whose minutes closed without them. Without a trade there is no bar."""
        late = []
        for minute in _minutes(wanted.first, wanted.last):
            missing = self._missing.get(minute)
            if missing is not None and symbol in missing:
                missing.discard(symbol)
                if not missing:
                    del self._missing[minute]
                if minute in bars:
                    late.append(bars[minute])
        return late

    def compared(self, symbol: str, until: int) -> None:
        """All of a symbol's bars before a moment were compared with the vendor's and are stored."""
        for minute in [each for each in self._missing if each < until]:
            self._missing[minute].discard(symbol)
            if not self._missing[minute]:
                del self._missing[minute]

    def closed(self, gap: FeedGap) -> GapRow:
        """The last minute of a gap closed: its row."""
        if not self._symbols_of(gap):
            return _row(gap, IN_TIME, None)
        self._gaps.append(gap)
        return _row(gap, None, None)

    def repaired(self) -> list[GapRow]:
        """The rows of gaps that wait for nothing any more, once."""
        done = [gap for gap in self._gaps if not self._symbols_of(gap)]
        self._gaps = [gap for gap in self._gaps if gap not in done]
        return [_row(gap, LATE, None) for gap in done]

    def day_is_over(self) -> list[GapRow]:
        """The rows of gaps of which something never came: it is lost."""
        rows = []
        for gap in self._gaps:
            minutes = sum(1 for minute in _minutes(gap.first, gap.last) if minute in self._missing)
            told = f"bars of {len(self._symbols_of(gap))} symbols in {minutes} minutes: REST did not deliver them that day"
            rows.append(_row(gap, IN_TIME, told))
        self._gaps, self._missing = [], {}
        return rows

    def _symbols_of(self, gap: FeedGap) -> set[str]:
        return {symbol for minute in _minutes(gap.first, gap.last) for symbol in self._missing.get(minute, ())}


def _minutes(first: int, last: int) -> range:
    return range(first, last + 1, MINUTE_MS)


def _row(gap: FeedGap, repair: str | None, lost: str | None) -> GapRow:
    return gap.id, gap.start, gap.end, gap.cause, repair, lost
