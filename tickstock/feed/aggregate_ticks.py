"""Ticks from aggregates (channels A and AM): each window as a path of up to four prices, its volume on the close."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from tickstock.feed import feed_items
from tickstock.feed.feed_items import (
    ANCIENT_MS,
    EARLIEST_MS,
    HIGHEST_PRICE,
    REMEMBERED_MS,
    FeedItem,
    FeedTick,
    in_milliseconds,
    is_ticker,
)
from tickstock.feed.massive_events import Aggregate, Event, MinuteAggregate, SecondAggregate
from tickstock.feed.new_york_day import NO_DAY, new_york_day_at
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS, Calendar

_MOST_SHARES = 1e15
_MOST_WINDOWS = 1_000  # of one symbol: seconds of the last 15 minutes, and a little more
_FIELDS = 5  # open, high, low, close, volume
_SHORTEST_MS = 4  # four stamps


class _Lane:
    """One symbol: where its accumulated volume stands, and the windows of the last 15 minutes in 48 bytes each."""

    __slots__ = ("day_start", "highest", "minute", "starts", "values")

    def __init__(self) -> None:
        self.starts = array("q")  # rising
        self.values = array("d")  # _FIELDS per window
        self.forget_volume()

    def forget_volume(self) -> None:
        self.highest: int | None = None  # the highest `av` seen of this day on this connection
        self.minute = 0  # start of the newest minute seen on this connection
        self.day_start = 0

    def volume_of(self, window: Aggregate, start: int, day_start: int, earlier: float | None) -> int:
        """The shares that this window adds: the rise of `av` where the symbol's windows follow one another, else its own."""
        minute = start - start % MINUTE_MS
        newer = day_start > self.day_start or minute > self.minute
        follows = day_start == self.day_start and 0 <= minute - self.minute <= MINUTE_MS
        accumulated = None if window.av is None else int(window.av)
        if follows and accumulated is not None and self.highest is not None:
            volume = max(accumulated - self.highest, 0)
            self.highest = max(accumulated, self.highest)
        else:
            volume = int(window.v) if earlier is None else max(int(window.v) - int(earlier), 0)
            if newer or (self.highest is None and day_start == self.day_start):
                self.highest = accumulated  # `av` starts anew each day, so it may be lower than before
            elif accumulated is not None and day_start == self.day_start:
                self.highest = max(accumulated, self.highest or 0)
        if newer:
            self.minute, self.day_start = minute, day_start
        return volume

    def place_of(self, start: int) -> tuple[int, bool]:
        """Where the window that starts then is, or belongs; and whether it was seen before."""
        starts = self.starts
        if not starts or start > starts[-1]:
            return len(starts), False
        at = bisect_left(starts, start)
        return at, starts[at] == start

    def remember(self, at: int, start: int, window: Aggregate, seen: bool) -> None:
        fields = (window.o, window.h, window.l, window.c, window.v)
        if at == len(self.starts):
            self.starts.append(start)
            self.values.extend(fields)
        else:
            self.values[at * _FIELDS : (at + seen) * _FIELDS] = array("d", fields)
            if not seen:
                self.starts.insert(at, start)
        if self.starts[-1] - self.starts[0] > REMEMBERED_MS + MINUTE_MS or len(self.starts) > _MOST_WINDOWS:
            outdated = max(bisect_left(self.starts, self.starts[-1] - REMEMBERED_MS), len(self.starts) - _MOST_WINDOWS)
            del self.starts[:outdated], self.values[: outdated * _FIELDS]


class AggregateTicks:
    """The `TickMaker` of channel A or AM.

    `counts`: windows; repeats (windows seen again); unexpressed (what changed in such a window and ticks cannot say, like a
    lower high); too_late (windows so old that a repeat cannot be told from a first one: dropped).
    """

    def __init__(self, channel: str, calendar: Calendar, rejections: Rejections) -> None:
        self.counts: Counter[str] = Counter()
        self.newest_end = 0
        self._kind = {"A": SecondAggregate, "AM": MinuteAggregate}[channel]
        self._width = {"A": 1_000, "AM": MINUTE_MS}[channel]
        self._calendar = calendar
        self._rejections = rejections
        self._lanes: dict[str, _Lane] = {}
        self._closed = 0  # every minute that ends at or before it has ended
        self._day = NO_DAY

    def take(self, events: Sequence[Event], start: int, stop_at: int, latest: int, out: list[FeedItem]) -> int:
        for index in range(start, len(events)):
            window = events[index]
            if not isinstance(window, self._kind):
                self.counts["other_channel"] += 1
                continue
            begin, end = window.s, window.e or window.s + self._width
            if not EARLIEST_MS <= begin <= latest:
                begin, end = in_milliseconds(begin), in_milliseconds(end)
            lane = self._lanes.get(window.sym)
            fault = _fault_of(window, begin, end, latest, lane is None)
            if lane is None and not fault and len(self._lanes) >= feed_items.MOST_TICKERS:
                fault = "an aggregate of one ticker too many"
            if fault:
                self._rejections.add(fault, window)
                continue
            if end > self.newest_end:
                self.newest_end = end
            self.counts["windows"] += 1
            if end > max(self.newest_end - REMEMBERED_MS, self._closed - ANCIENT_MS):
                if lane is None:
                    lane = self._lanes[window.sym] = _Lane()
                self._apply(lane, window, begin, end, out)
            else:
                self.counts["too_late"] += 1
            if end >= stop_at:
                return index + 1
        return len(events)

    def end_minutes(self, watermark: int, out: list[FeedItem]) -> None:
        self._closed = max(watermark - watermark % MINUTE_MS, self._closed)

    def new_connection(self) -> None:
        for lane in self._lanes.values():
            lane.forget_volume()

    def forget(self, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            if symbol in self._lanes:
                self._lanes[symbol].forget_volume()

    # --- one window ---

    def _apply(self, lane: _Lane, window: Aggregate, start: int, end: int, out: list[FeedItem]) -> None:
        day = self._day
        if not day.start <= start < day.end:
            day = self._day = new_york_day_at(self._calendar, start)
        at, seen = lane.place_of(start)
        if seen:
            self.counts["repeats"] += 1
            earlier = lane.values[at * _FIELDS : (at + 1) * _FIELDS]
            volume = lane.volume_of(window, start, day.start, earlier[4])
            self._forward_difference(window, earlier, start, end, volume, out)
        else:
            self._forward_path(window, start, end, lane.volume_of(window, start, day.start, None), out)
        lane.remember(at, start, window, seen)

    def _forward_path(self, window: Aggregate, start: int, end: int, volume: int, out: list[FeedItem]) -> None:
        symbol, opened, closed = window.sym, window.o, window.c
        late = start < self._closed
        first, second = (window.l, window.h) if closed >= opened else (window.h, window.l)
        out.append(FeedTick(symbol, opened, 0, start, late))
        if first != opened:
            out.append(FeedTick(symbol, first, 0, start + (end - start) // 3, late))
        if second != first:
            out.append(FeedTick(symbol, second, 0, start + 2 * (end - start) // 3, late))
        out.append(FeedTick(symbol, closed, volume, end - 1, late))

    def _forward_difference(
        self, window: Aggregate, earlier: Sequence[float], start: int, end: int, volume: int, out: list[FeedItem]
    ) -> None:
        opened, high, low, closed, _ = earlier
        late = start < self._closed
        forwarded = len(out)
        extremes = [(window.l, window.l < low), (window.h, window.h > high)]
        if window.c < window.o:
            extremes.reverse()
        for third, (price, is_new) in enumerate(extremes, 1):
            if is_new:
                out.append(FeedTick(window.sym, price, 0, start + third * (end - start) // 3, late))
        if volume or window.c != closed or len(out) > forwarded:
            out.append(FeedTick(window.sym, window.c, volume, end - 1, late))
        if window.o != opened or window.h < high or window.l > low or window.v < earlier[4]:
            self.counts["unexpressed"] += 1


def _fault_of(window: Aggregate, start: int, end: int, latest: int, is_new: bool) -> str:
    """What makes this aggregate unusable; empty when nothing does. Only a new ticker is looked at."""
    if is_new and not is_ticker(window.sym):
        return "an aggregate without a proper ticker"
    if not (0.0 < window.l <= window.o <= window.h < HIGHEST_PRICE and window.l <= window.c <= window.h):
        return "an aggregate with impossible prices"
    if not (0.0 <= window.v <= _MOST_SHARES and (window.av is None or 0.0 <= window.av <= _MOST_SHARES)):
        return "an aggregate with an impossible volume"
    if end > latest:
        return "an aggregate from the future (is this computer's clock right?)"
    if start <= 0 or end - start < _SHORTEST_MS or start // MINUTE_MS != (end - 1) // MINUTE_MS:
        return "an aggregate without a proper time"
    return ""
