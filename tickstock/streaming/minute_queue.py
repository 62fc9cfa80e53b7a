"""Ended minutes on their way to the engine, in order; those that touch a gap of the feed wait for their REST bars. Pure.

A minute that touches a gap comes whole from REST: what its ticks made is thrown away. Later minutes wait behind it, at most
`wait_ms`; then it closes without a bar for the symbols that REST did not deliver.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.bar_builder import EndedMinute


@dataclass(slots=True)
class FeedGap:
    """The feed was away from `start` to `end` (ms); the minutes from `first` to `last` (their starts) touch that."""

    start: int
    end: int
    cause: str
    first: int
    last: int
    run: str
    position: int  # of the status that told of it: replaying from here tells of it again

    @property
    def id(self) -> str:
        """The key of its row in `feed_gaps`."""
        return f"feed:{self.start}"


@dataclass(slots=True)
class RestRange:
    """Minutes whose REST bars are wanted for some symbols, and what has come of them."""

    first: int
    last: int
    symbols: set[str]
    delivered: dict[str, dict[int, RestBar]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)  # requests without an answer, by symbol


@dataclass(slots=True)
class ReadyMinute:
    """A minute that may be closed: from ticks, or whole from REST."""

    ended: EndedMinute
    rest: dict[str, RestBar] | None  # the bars, when they came from REST
    undelivered: set[str] = field(default_factory=set)  # symbols that REST did not deliver in time
    repaired: list[FeedGap] = field(default_factory=list)  # gaps whose last minute this is


@dataclass(slots=True)
class _Waiting:
    ended: EndedMinute
    since: int


class MinuteQueue:
    """Ended minutes in order. Times are given by the caller, in milliseconds of a steady clock."""

    def __init__(self, wait_ms: int) -> None:
        self.gaps: list[FeedGap] = []
        self._wait_ms = wait_ms
        self._waiting: deque[_Waiting] = deque()
        self._asked: RestRange | None = None
        self._symbols: set[str] = set()  # of the last request

    def add_gap(self, gap: FeedGap) -> None:
        """Minutes from `gap.first` to `gap.last` come from REST.

        A feed that breaks again before anything came begins its gap where the last one began: that is one gap, a longer one.
        """
        for known in [each for each in self.gaps if each.start == gap.start]:
            self.gaps.remove(known)
            gap.end, gap.first, gap.last = max(known.end, gap.end), min(known.first, gap.first), max(known.last, gap.last)
            gap.position = min(known.position, gap.position) if known.run == gap.run else gap.position
        self.gaps.append(gap)

    def minutes_of_gaps(self, until: int) -> list[int]:
        """Starts of the minutes before `until` that touch a gap: they are closed even when no tick fell into them."""
        return sorted({m for gap in self.gaps for m in range(gap.first, min(gap.last + 1, until), MINUTE_MS)})

    def put(self, ended: list[EndedMinute], now: int) -> None:
        """Queue minutes that ended."""
        self._waiting.extend(_Waiting(each, now) for each in ended)

    def drop_waiting(self) -> None:
        """Forget what waits: the engine returns to its position and will end these minutes again."""
        self._waiting.clear()
        self._asked = None

    def wanted(self, symbols: Callable[[], set[str]]) -> RestRange | None:
        """The REST bars to ask for now: the touched minutes at the head of the queue, in a row. Each is asked for once."""
        if self._asked is not None or not self._waiting or not self._touches_gap(self._waiting[0].ended.start):
            return None
        minutes = []
        for waiting in self._waiting:
            if not self._touches_gap(waiting.ended.start):
                break
            minutes.append(waiting.ended.start)
        self._symbols = symbols()
        self._asked = RestRange(minutes[0], minutes[-1], self._symbols)
        return self._asked

    def incomplete(self) -> list[tuple[RestRange, str]]:
        """Whose answer lacks the bar of the minute at the head, although ticks of it were seen: the vendor has it a moment later.

        From now on it counts as not delivered.
        """
        asked = self._asked
        if asked is None or not self._waiting or not asked.first <= (start := self._waiting[0].ended.start) <= asked.last:
            return []
        seen = self._waiting[0].ended.bars
        found = [symbol for symbol, bars in asked.delivered.items() if symbol in seen and start not in bars]
        for symbol in found:
            del asked.delivered[symbol]
        return [(asked, symbol) for symbol in found]

    def ready(self, now: int) -> ReadyMinute | None:
        """The next minute that may be closed, or None."""
        if not self._waiting:
            return None
        head = self._waiting[0]
        start = head.ended.start
        if not self._touches_gap(start):
            self._waiting.popleft()
            return ReadyMinute(head.ended, None)
        asked = self._asked
        if asked is None or not asked.first <= start <= asked.last:
            self._asked = None
            if now - head.since < self._wait_ms:
                return None
            asked = RestRange(start, start, self._symbols)
        missing = asked.symbols - asked.delivered.keys()
        if missing and now - head.since < self._wait_ms:
            return None
        self._waiting.popleft()
        bars = {symbol: bars[start] for symbol, bars in asked.delivered.items() if start in bars}
        return ReadyMinute(head.ended, bars, missing, self._forget_past(start))

    def replay_from(self, run: str, position: int) -> int:
        """The lowest position from which a replay meets every gap whose minutes are not closed yet."""
        return min((gap.position for gap in self.gaps if gap.run == run), default=position)

    def waits_for(self, wanted: RestRange) -> bool:
        """Whether minutes wait for these bars."""
        return self._asked is wanted

    @property
    def waits(self) -> bool:
        """Whether an ended minute waits for something."""
        return bool(self._waiting)

    def _touches_gap(self, start: int) -> bool:
        return any(gap.first <= start <= gap.last for gap in self.gaps)

    def _forget_past(self, start: int) -> list[FeedGap]:
        past = [gap for gap in self.gaps if gap.last <= start]
        self.gaps = [gap for gap in self.gaps if gap.last > start]
        if self._asked is not None and self._asked.last <= start:
            self._asked = None
        return past
