"""Ticks from trades (channel T): each forwarded price with the volume that belongs to it.

A bar built from these ticks in the order of (timestamp, arrival) equals the vendor's in open, high, low, close and volume, in
whatever order the trades arrive.
"""

from __future__ import annotations

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
from tickstock.feed.massive_events import Event, Trade
from tickstock.feed.new_york_day import NO_DAY, new_york_day_at
from tickstock.feed.recent_trades import RecentTrades
from tickstock.feed.trade_rules import EVERYTHING, HIGH_LOW, LAST, VOLUME, effect
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS, Calendar

_ROUNDING = 1e-7  # fractions such as 0.1 are not exact in binary; ten of them are one share
_MOST_SHARES = 1e12
_MOST_EFFECTS = 10_000


class _Minute:
    """What is known of one symbol's minute."""

    __slots__ = ("end", "first", "held", "last", "price", "sealed", "unpriced", "waiting")

    def __init__(self, end: int) -> None:
        self.end = end
        self.price: float | None = None  # of the newest eligible print, whose time is `last`
        self.first = 0
        self.last = 0
        self.held = 0.0  # shares that wait for the next tick of the minute
        self.waiting: list[tuple[float, float]] = []  # high-low-only prints before the first eligible one: price, size
        self.unpriced = 0  # shares counted as held_without_price
        self.sealed = False  # a tick stands at the minute's last millisecond


class _Lane:
    """One symbol: its minutes of the last quarter of an hour, the newest at hand."""

    __slots__ = ("minute", "minutes", "recent", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.recent = RecentTrades()
        self.minute = _Minute(0)
        self.minutes: dict[int, _Minute] = {}


class TradeTicks:
    """The `TickMaker` of channel T.

    `counts`: trades, repeats, too_late (a day older than the minutes that ended: dropped), volume_only, high_low_only,
    no_effect; and held_without_price, in shares: the volume of ended
    minutes that have no price, which the vendor's bars do not show either.
    """

    def __init__(self, calendar: Calendar, rejections: Rejections) -> None:
        self.counts: Counter[str] = Counter()
        self.newest_end = 0
        self._calendar = calendar
        self._rejections = rejections
        self._lanes: dict[str, _Lane] = {}
        self._open: dict[int, list[tuple[_Lane, _Minute]]] = {}  # by the minute's end
        self._ended: dict[int, list[tuple[_Lane, _Minute]]] = {}
        self._closed = 0  # every minute that ends at or before it has ended
        self._day = NO_DAY
        self._effects: tuple[dict[tuple[int, ...], int], dict[tuple[int, ...], int]] = ({}, {})

    def take(self, events: Sequence[Event], start: int, stop_at: int, latest: int, out: list[FeedItem]) -> int:
        lanes, taken, ancient = self._lanes, 0, self._closed - ANCIENT_MS
        for index in range(start, len(events)):
            trade = events[index]
            if trade.__class__ is not Trade:
                self.counts["other_channel"] += 1
                continue
            time = trade.t
            if not EARLIEST_MS <= time <= latest:
                time = in_milliseconds(time)
            lane = lanes.get(trade.sym) or self._new_lane(trade.sym)
            price = trade.p
            size = _size_of(trade) if trade.ds else trade.s
            if lane is None or not (0.0 < price < HIGHEST_PRICE and 0.0 <= size <= _MOST_SHARES and 0 < time <= latest):
                self._reject(trade, price, size, time, latest)
                continue
            if time > self.newest_end:
                self.newest_end = time
            taken += 1
            if time < ancient:
                self.counts["too_late"] += 1
                continue
            if lane.recent.is_repeat(trade.x, trade.i, trade.trfi, trade.q, self.newest_end):
                self.counts["repeats"] += 1
            else:
                self._apply(lane, time, price, size, self._effect(trade.c, time) if trade.c else EVERYTHING, out)
            if time >= stop_at:
                break
        else:
            index = len(events) - 1
        self.counts["trades"] += taken
        return index + 1

    def end_minutes(self, watermark: int, out: list[FeedItem]) -> None:
        closed = watermark - watermark % MINUTE_MS
        for end in sorted(end for end in self._open if end <= closed):
            entries = self._ended[end] = self._open.pop(end)
            for lane, minute in entries:
                self._forward_held(lane, minute, False, out)
        self._closed = max(closed, self._closed)
        for end in [end for end in self._ended if end <= closed - REMEMBERED_MS]:
            for lane, _ in self._ended.pop(end):
                del lane.minutes[end]

    def new_connection(self) -> None:
        """Nothing: trades are told apart by their own numbers, over connections too."""

    def forget(self, symbols: Sequence[str]) -> None:
        """Nothing, for the same reason."""

    # --- one trade ---

    def _apply(self, lane: _Lane, time: int, price: float, size: float, allowed: int, out: list[FeedItem]) -> None:
        minute = lane.minute
        if not minute.end - MINUTE_MS <= time < minute.end:
            minute = self._minute_at(lane, time)
        if not allowed & VOLUME:
            size = 0.0
        if allowed & LAST:
            self._print(lane, minute, time, price, size, out)
        elif allowed & HIGH_LOW:
            self.counts["high_low_only"] += 1
            if minute.price is None:
                minute.waiting.append((price, size))
            else:
                self._high_low(lane, minute, time, price, size, out)
        elif allowed:
            self.counts["volume_only"] += 1
            minute.held += size
        else:
            self.counts["no_effect"] += 1
        if not allowed & LAST and minute.end <= self._closed:
            self._forward_held(lane, minute, True, out)

    def _print(self, lane: _Lane, minute: _Minute, time: int, price: float, size: float, out: list[FeedItem]) -> None:
        if minute.price is None:
            minute.price, minute.first, minute.last = price, time, time
            self.counts["held_without_price"] -= minute.unpriced
            minute.unpriced = 0
        elif time >= minute.last:
            minute.price, minute.last = price, time
        elif time < minute.first:
            minute.first = time
        total = minute.held + size
        volume = int(total + _ROUNDING)
        minute.held = total - volume
        out.append(FeedTick(lane.symbol, price, volume, time, time < self._closed))
        if minute.waiting:
            waiting, minute.waiting = minute.waiting, []
            for waiting_price, waiting_size in waiting:
                self._high_low(lane, minute, time, waiting_price, waiting_size, out)
        if minute.sealed and time == minute.last:
            # Behind this print stands an older price at the minute's last millisecond: this one must stay the close.
            out.append(FeedTick(lane.symbol, minute.price, 0, minute.end - 1, True))

    def _high_low(self, lane: _Lane, minute: _Minute, time: int, price: float, size: float, out: list[FeedItem]) -> None:
        """The price, and the last price again; between the first and the last eligible print, so that neither open nor close
        can become this price, not even when a further eligible print arrives out of order."""
        assert minute.price is not None
        stamp = min(max(time, minute.first), minute.last)
        late = stamp < self._closed
        total = minute.held + size
        volume = int(total + _ROUNDING)
        minute.held = total - volume
        out.append(FeedTick(lane.symbol, price, volume, stamp, late))
        out.append(FeedTick(lane.symbol, minute.price, 0, stamp, late))

    def _forward_held(self, lane: _Lane, minute: _Minute, late: bool, out: list[FeedItem]) -> None:
        """The volume that an ended minute still holds rides on a repeat of its last price; without one it is only counted."""
        if minute.price is None:
            shares = int(minute.held + sum(size for _, size in minute.waiting) + _ROUNDING)
            self.counts["held_without_price"] += shares - minute.unpriced
            minute.unpriced = shares
            return
        volume = int(minute.held + _ROUNDING)
        if volume:
            minute.held -= volume
            minute.sealed = True
            out.append(FeedTick(lane.symbol, minute.price, volume, minute.end - 1, late))

    # --- what is looked up ---

    def _minute_at(self, lane: _Lane, time: int) -> _Minute:
        end = time - time % MINUTE_MS + MINUTE_MS
        minute = lane.minutes.get(end)
        if minute is not None:
            return minute
        minute = _Minute(end)
        if end > self._closed - REMEMBERED_MS:
            lane.minutes[end] = minute
            entries = self._open if end > self._closed else self._ended
            entries.setdefault(end, []).append((lane, minute))
            if end > lane.minute.end:
                lane.minute = minute
        return minute

    def _new_lane(self, symbol: str) -> _Lane | None:
        if not is_ticker(symbol) or len(self._lanes) >= feed_items.MOST_TICKERS:
            return None
        lane = self._lanes[symbol] = _Lane(symbol)
        return lane

    def _effect(self, conditions: tuple[int, ...], time: int) -> int:
        day = self._day
        if not day.start <= time < day.end:
            day = self._day = new_york_day_at(self._calendar, time)
        regular = day.regular_start <= time < day.regular_end
        effects = self._effects[regular]
        allowed = effects.get(conditions)
        if allowed is None:
            if len(effects) >= _MOST_EFFECTS:
                effects.clear()
            allowed = effects[conditions] = effect(conditions, regular)
        return allowed

    def _reject(self, trade: Trade, price: float, size: float, time: int, latest: int) -> None:
        if not is_ticker(trade.sym):
            kind = "a trade without a proper ticker"
        elif trade.sym not in self._lanes:
            kind = "a trade of one ticker too many"
        elif not 0.0 < price < HIGHEST_PRICE:
            kind = "a trade with an impossible price"
        elif not 0.0 <= size <= _MOST_SHARES:
            kind = "a trade with an impossible size"
        elif time > latest:
            kind = "a trade from the future (is this computer's clock right?)"
        else:
            kind = "a trade without a proper time"
        self._rejections.add(kind, trade)


def _size_of(trade: Trade) -> float:
    """Shares with their fraction; negative when unreadable."""
    try:
        return float(trade.ds or 0.0)
    except ValueError:
        return -1.0
