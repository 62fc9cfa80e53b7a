"""LiveBoard: the latest state of every symbol, for the page. Conflated: who looks gets the newest, however much came between."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from tickstock.database.earlier_minutes import EarlierFigures
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.market_span import MarketSpan
from tickstock.market_data.symbol_lane import SymbolLane
from tickstock.market_hours import MINUTE_MS, Calendar


class SymbolState(Struct, frozen=True):
    """What the page shows of one symbol. A figure that is not known is None."""

    symbol: str
    price: float  # the newest
    timestamp: int  # when it was printed
    received: int  # when the symbol's last tick arrived
    source: str
    volume: int | None  # shares of the trading day
    session_volume: int | None  # of the present session: pre, regular or post
    dollars: float | None  # price x volume of the present session
    day_open: float | None  # the first price of the regular session
    high: float | None  # of the trading day
    low: float | None
    previous_close: float | None  # of the regular session before this trading day
    change: float | None  # price ÷ previous close − 1
    steady: bool  # it traded in each of the ten minutes up to its last print
    halted: int | None  # since when, where the feed tells of halts


class FormingBar(Struct, frozen=True):
    """The running one-minute bar of a symbol, from every tick; after the minute it stays until the first tick of another."""

    symbol: str
    timestamp: int  # start of the minute
    open: float
    high: float
    low: float
    close: float
    volume: int
    whole: bool  # false: the feed was joined, or was away, within this minute


class Missing(NamedTuple):
    """Minutes that were not taken in."""

    until: int  # the start of the first that is whole
    joined: bool  # because the feed did not send the symbol before: what was closed from the log says nothing of it


class LiveBoard:
    """Written by MarketDataService, read by the web; each call is atomic against the others.

    Args:
        calendar: gives the trading day and the session by which volumes, high and low are kept.
        source: what the ticks are, as in the contract.
    """

    def __init__(self, calendar: Calendar, source: str) -> None:
        self._calendar = calendar
        self._source = source
        self._lanes: dict[str, SymbolLane] = {}
        self._lock = threading.Lock()
        self._version = 0
        self._span = MarketSpan()
        self._previous_closes: Mapping[str, float] = {}
        self._previous_closes_day: date | None = None
        self._whole_from = 0  # minutes from here on are taken in whole; the symbols that differ stand in the next one
        self._whole_from_of: dict[str, int] = {}
        self._earlier: dict[str, EarlierFigures] = {}
        self._halts: dict[str, int] = {}  # symbol: since when

    @property
    def version(self) -> int:
        """Number of the last publication; 0 before the first."""
        return self._version

    @property
    def trading_day(self) -> date | None:
        """The trading day of the newest tick; None before the first."""
        return self._span.day

    @property
    def span(self) -> MarketSpan:
        """The day and session of the newest tick."""
        return self._span

    # --- from the service ------------------------------------------------------------------------------------------

    def update(self, ticks: Sequence[FeedTick], received: int) -> None:
        """Take in ticks that arrived at `received` (ms). They are seen once `publish` was called.

        Within its minute a tick does what it does in `BarBuilder`: the first by (timestamp, arrival) gives the open, the last
        one the close.
        """
        with self._lock:
            lanes, version, span = self._lanes, self._version + 1, self._span
            for tick in ticks:
                symbol, price, timestamp, volume = tick.symbol, tick.price, tick.timestamp, tick.volume
                if timestamp >= span.until:
                    span = self._begin_span(timestamp)
                lane = lanes.get(symbol)
                if lane is None:
                    lane = self._new_lane(symbol)
                lane.version, lane.received = version, received
                if timestamp >= lane.minute_end:
                    lane.begin_minute(span, timestamp, price)
                    if self._halts:
                        self._printed(symbol, lane.minute)
                elif timestamp >= lane.timestamp:
                    lane.price, lane.timestamp = price, timestamp
                elif timestamp < lane.first:
                    if timestamp < lane.minute:
                        lane.add_to_older_minute(span, timestamp, price, volume)
                        continue
                    lane.open, lane.first = price, timestamp
                if price > lane.high:
                    lane.high = price
                elif price < lane.low:
                    lane.low = price
                lane.volume += volume
                lane.dollars += price * volume

    def publish(self) -> None:
        """Show what `update` took in."""
        with self._lock:
            self._version += 1

    def miss_until(self, moment: int, symbols: Iterable[str] | None = None) -> None:
        """Ticks of these symbols (default: all) before this moment did not all come: whole are the minutes that start later."""
        whole_from = moment + -moment % MINUTE_MS
        with self._lock:
            if symbols is None:
                self._whole_from = whole_from
                self._whole_from_of.clear()
                missing: Iterable[str] = tuple(self._lanes)
            else:
                missing = tuple(symbols)
                self._whole_from_of.update(dict.fromkeys(missing, whole_from))
            for symbol in missing:
                if lane := self._lanes.get(symbol):
                    lane.miss_until(whole_from, self._earlier.get(symbol))
            self._show(missing)

    def halt(self, symbol: str, since: int) -> None:
        """Trading of a symbol was halted."""
        with self._lock:
            self._halts[symbol] = since
            self._show((symbol,))

    def resume(self, symbol: str) -> None:
        """Trading of a symbol goes on."""
        with self._lock:
            if self._halts.pop(symbol, None) is not None:
                self._show((symbol,))

    # --- from the database -----------------------------------------------------------------------------------------

    def set_previous_closes(self, closes: Mapping[str, float], trading_day: date) -> None:
        """The closes against which `trading_day` is measured; on any other day there is no change to show."""
        with self._lock:
            self._previous_closes, self._previous_closes_day = dict(closes), trading_day
            self._show(closes)

    def set_earlier(self, figures: Mapping[str, EarlierFigures]) -> None:
        """What stored bars tell of the minutes that were not taken in here, unless there was another gap since."""
        with self._lock:
            fitting = {
                symbol: earlier
                for symbol, earlier in figures.items()
                if earlier.until == self._whole_from_of.get(symbol, self._whole_from)
            }
            self._earlier.update(fitting)
            for symbol, earlier in fitting.items():
                if lane := self._lanes.get(symbol):
                    lane.earlier = earlier
            self._show(fitting)

    def without_earlier(self, symbols: Iterable[str]) -> dict[Missing, list[str]]:
        """Of these symbols and all that ticked, those whose day is not known in whole."""
        found: dict[Missing, list[str]] = {}
        with self._lock:
            for symbol in dict.fromkeys((*symbols, *self._lanes)):
                until = self._whole_from_of.get(symbol, self._whole_from)
                known = self._earlier.get(symbol)
                if until > self._span.day_start > 0 and (known is None or known.until != until):
                    found.setdefault(Missing(until, symbol in self._whole_from_of), []).append(symbol)
        return found

    # --- what is looked at -----------------------------------------------------------------------------------------

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

    def forming_bar(self, symbol: str) -> FormingBar | None:
        """The running minute of a symbol; None before its first tick, and while one waits to be published."""
        with self._lock:
            lane = self._lanes.get(symbol)
            if lane is None or lane.version > self._version:
                return None
            return FormingBar(
                symbol, lane.minute, lane.open, lane.high, lane.low, lane.price, lane.volume, lane.minute >= lane.whole_from
            )

    def _state(self, symbol: str, lane: SymbolLane) -> SymbolState:
        figures = lane.figures(self._span)
        close = self._previous_closes.get(symbol) if self._span.day == self._previous_closes_day else None
        return SymbolState(
            symbol, lane.price, lane.timestamp, lane.received, self._source,
            figures.volume, figures.session_volume, figures.dollars, figures.day_open, figures.high, figures.low,
            close, lane.price / close - 1.0 if close else None,
            lane.is_steady, self._halts.get(symbol),
        )  # fmt: skip

    # --- seldom ----------------------------------------------------------------------------------------------------

    def _new_lane(self, symbol: str) -> SymbolLane:
        whole_from = self._whole_from_of.get(symbol, self._whole_from)
        lane = self._lanes[symbol] = SymbolLane(whole_from, self._earlier.get(symbol))
        return lane

    def _begin_span(self, timestamp: int) -> MarketSpan:
        before = self._span
        self._span = MarketSpan.at(self._calendar, timestamp)
        if self._span.day != before.day:
            begun = self._span.day_start
            self._halts = {symbol: since for symbol, since in self._halts.items() if since >= begun}
            self._earlier = {symbol: earlier for symbol, earlier in self._earlier.items() if earlier.until > begun}
        for lane in self._lanes.values():  # its sums are of another day or session now
            lane.version = self._version + 1
        return self._span

    def _printed(self, symbol: str, minute: int) -> None:
        since = self._halts.get(symbol)
        if since is not None and since < minute:
            del self._halts[symbol]

    def _show(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            if lane := self._lanes.get(symbol):
                lane.version = self._version + 1
        self._version += 1
