"""LiveBoard: the latest state of every symbol, for the page. Conflated: who looks gets the newest, however much came between."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct

from tickstock.feed.feed_items import FeedTick
from tickstock.market_hours import Calendar


class SymbolState(Struct, frozen=True):
    """What the page shows of one symbol. Day figures cover the ticks that this app has seen of the trading day."""

    symbol: str
    price: float  # the newest
    timestamp: int  # when it was printed
    received: int  # when the symbol's last tick arrived
    source: str
    volume: int  # shares of the day
    open: float
    high: float
    low: float
    previous_close: float | None  # of the regular session before this trading day
    change: float | None  # price ÷ previous close − 1


class _Lane:
    """The mutable state of one symbol."""

    __slots__ = ("day_start", "high", "low", "open", "price", "received", "timestamp", "version", "volume")

    def __init__(self) -> None:
        self.price = self.open = self.high = self.low = 0.0
        self.timestamp = self.received = self.volume = 0
        self.day_start = -1
        self.version = 0


class LiveBoard:
    """Written by MarketDataService, read by the web; each call is atomic against the others.

    Args:
        calendar: gives the trading day, by which volume, open, high and low are kept.
        source: what the ticks are, as in the contract.
    """

    def __init__(self, calendar: Calendar, source: str) -> None:
        self._calendar = calendar
        self._source = source
        self._lanes: dict[str, _Lane] = {}
        self._lock = threading.Lock()
        self._version = 0
        self._day_start = self._day_end = 0
        self._trading_day: date | None = None
        self._previous_closes: Mapping[str, float] = {}
        self._previous_closes_day: date | None = None

    @property
    def version(self) -> int:
        """Number of the last publication; 0 before the first."""
        return self._version

    @property
    def trading_day(self) -> date | None:
        """The trading day of the newest tick; None before the first."""
        return self._trading_day

    def update(self, ticks: Sequence[FeedTick], received: int) -> None:
        """Take in ticks that arrived at `received` (ms). They are seen once `publish` was called."""
        with self._lock:
            lanes, version = self._lanes, self._version + 1
            for tick in ticks:
                price, timestamp = tick.price, tick.timestamp
                if timestamp >= self._day_end:
                    self._begin_day(timestamp)
                lane = lanes.get(tick.symbol)
                if lane is None:
                    lane = lanes[tick.symbol] = _Lane()
                lane.version, lane.received = version, received
                if timestamp >= lane.timestamp:
                    lane.price, lane.timestamp = price, timestamp
                if timestamp < self._day_start:
                    continue
                if lane.day_start != self._day_start:
                    lane.day_start = self._day_start
                    lane.open = lane.high = lane.low = price
                    lane.volume = 0
                elif price > lane.high:
                    lane.high = price
                elif price < lane.low:
                    lane.low = price
                lane.volume += tick.volume

    def publish(self) -> None:
        """Show what `update` took in."""
        with self._lock:
            self._version += 1

    def set_previous_closes(self, closes: Mapping[str, float], trading_day: date) -> None:
        """The closes against which `trading_day` is measured; on any other day there is no change to show."""
        with self._lock:
            self._previous_closes, self._previous_closes_day = dict(closes), trading_day
            for symbol in closes:
                if lane := self._lanes.get(symbol):
                    lane.version = self._version + 1
            self._version += 1

    def snapshot(self, symbols: Iterable[str] | None = None) -> tuple[int, list[SymbolState]]:
        """The version, and the state of these symbols (default: all) as far as they have ticked."""
        return self.changed_since(0, symbols)

    def changed_since(self, version: int, symbols: Iterable[str] | None = None) -> tuple[int, list[SymbolState]]:
        """The version now, and the states that changed after `version`, of these symbols (default: all)."""
        with self._lock:
            now, lanes = self._version, self._lanes
            wanted = lanes if symbols is None else symbols
            return now, [
                self._state(symbol, lane)
                for symbol in wanted
                if (lane := lanes.get(symbol)) is not None and version < lane.version <= now
            ]

    def _state(self, symbol: str, lane: _Lane) -> SymbolState:
        in_day = lane.day_start == self._day_start
        close = self._previous_closes.get(symbol) if self._trading_day == self._previous_closes_day else None
        return SymbolState(
            symbol, lane.price, lane.timestamp, lane.received, self._source,
            lane.volume if in_day else 0, lane.open, lane.high, lane.low,
            close, lane.price / close - 1.0 if close else None,
        )  # fmt: skip

    def _begin_day(self, timestamp: int) -> None:
        day = self._calendar.trading_day_at(timestamp)
        self._day_start = self._calendar.sessions_of(day)[0].start
        following = self._calendar.next_session(timestamp)
        while following.trading_day == day:
            following = self._calendar.next_session(following.start)
        self._day_end = following.start
        self._trading_day = day
