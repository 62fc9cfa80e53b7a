"""One symbol on the live board: its newest price, its running minute, and its sums of the day and of the session.

The sums are of whole minutes only. Those from `whole_from` on were taken in tick by tick; what lies before is not known here and
comes as `EarlierFigures`, from stored bars. Without them a figure that needs them is None: absent, not wrong.
"""

from __future__ import annotations

from msgspec import Struct

from tickstock.database.earlier_minutes import EarlierFigures
from tickstock.market_data.market_span import MarketSpan
from tickstock.market_hours import MINUTE_MS

STEADY_MINUTES = 10
_NO_DAY = -1


class DayFigures(Struct, frozen=True):
    """What is known of a symbol's day and session; None is what is not known, or not there yet."""

    volume: int | None
    session_volume: int | None
    dollars: float | None
    day_open: float | None
    high: float | None
    low: float | None


_NO_TRADE = EarlierFigures(0, 0, None, None, 0, 0, 0.0, None, None)


class SymbolLane:
    """The mutable state. `LiveBoard.update` writes the running minute itself, because a call for each tick would be dear."""

    __slots__ = (
        "_counts_for_day", "_counts_for_session", "_day_high", "_day_low", "_day_start", "_day_volume",
        "_opened", "_opened_at", "_opened_minute", "_session_dollars", "_session_start", "_session_volume", "_since",
        "dollars", "earlier", "first", "high", "low", "minute", "minute_end", "open", "price", "received", "timestamp",
        "version", "volume", "whole_from",
    )  # fmt: skip

    _day_volume: int  # of the minutes that are over, like the next ones
    _day_high: float
    _day_low: float
    _session_volume: int
    _session_dollars: float
    _opened: float  # the regular session's first price,
    _opened_at: int  # when it was printed (0: not yet),
    _opened_minute: int  # and its minute, while that is running

    def __init__(self, whole_from: int, earlier: EarlierFigures | None) -> None:
        self.whole_from = whole_from
        self.earlier = earlier
        self.version = self.received = 0
        # The running minute; its last print is the symbol's newest, and its close the symbol's price.
        self.minute = self.minute_end = self.first = self.timestamp = self.volume = 0
        self.price = self.open = self.high = self.low = self.dollars = 0.0
        self._since = 0
        self._day_start = self._session_start = _NO_DAY
        self._counts_for_day = self._counts_for_session = False  # the running minute
        self._clear_day()
        self._clear_session()

    def begin_minute(self, span: MarketSpan, timestamp: int, price: float) -> None:
        """A tick of a newer minute than any before."""
        self._settle()
        minute = timestamp - timestamp % MINUTE_MS
        if minute != self.minute_end:
            self._since = minute
        self.minute, self.minute_end = minute, minute + MINUTE_MS
        self.first = self.timestamp = timestamp
        self.price = self.open = self.high = self.low = price
        self.volume, self.dollars = 0, 0.0
        if minute >= span.day_start != self._day_start:
            self._day_start = span.day_start
            self._clear_day()
        if minute >= span.session_start != self._session_start:
            self._session_start = span.session_start
            self._clear_session()
        is_whole = minute >= self.whole_from
        self._counts_for_day = is_whole and minute >= span.day_start
        self._counts_for_session = is_whole and minute >= span.session_start
        if is_whole and not self._opened_at and span.regular_start <= minute < span.regular_end:
            self._opened_minute, self._opened_at = minute, timestamp

    def add_to_older_minute(self, span: MarketSpan, timestamp: int, price: float, volume: int) -> None:
        """A tick of a minute before the running one: it counts for the sums alone."""
        if timestamp < self.whole_from:
            return
        if timestamp >= self._day_start != _NO_DAY:
            self._day_volume += volume
            self._day_high, self._day_low = max(self._day_high, price), min(self._day_low, price)
            if span.regular_start <= timestamp < span.regular_end and (not self._opened_at or timestamp < self._opened_at):
                self._opened, self._opened_at, self._opened_minute = price, timestamp, 0
        if timestamp >= self._session_start != _NO_DAY:
            self._session_volume += volume
            self._session_dollars += price * volume

    def miss_until(self, whole_from: int, earlier: EarlierFigures | None) -> None:
        """Minutes that start before `whole_from` were not taken in whole: what is summed up begins again there."""
        self.whole_from, self.earlier = whole_from, earlier
        self._counts_for_day = self._counts_for_session = False
        self._clear_day()
        self._clear_session()

    def figures(self, span: MarketSpan) -> DayFigures:
        """The sums now."""
        earlier = self._earlier(span)
        if earlier is None:
            is_known = self.whole_from <= span.session_start
            volume, dollars = self._session_sums(span) if is_known else (None, None)
            return DayFigures(None, volume, dollars, self._day_open(span), None, None)
        day_volume, high, low = self._day_sums(span)
        session_volume, dollars = self._session_sums(span)
        if earlier.session_start == span.session_start:
            session_volume += earlier.session_volume
            dollars += earlier.dollars
        return DayFigures(
            day_volume + earlier.volume,
            session_volume,
            dollars,
            earlier.day_open if earlier.day_open is not None else self._day_open(span),
            max((each for each in (high, earlier.high) if each is not None), default=None),
            min((each for each in (low, earlier.low) if each is not None), default=None),
        )

    @property
    def is_steady(self) -> bool:
        """Whether each of the ten minutes up to that of the last print had one."""
        since, earlier = self._since, self.earlier
        if earlier is not None and earlier.traded_since is not None and since <= earlier.until:
            since = min(since, earlier.traded_since)
        return self.minute_end - since >= STEADY_MINUTES * MINUTE_MS

    def _settle(self) -> None:
        """Add the running minute to the sums: it is over."""
        if self._counts_for_day:
            self._day_volume += self.volume
            self._day_high, self._day_low = max(self._day_high, self.high), min(self._day_low, self.low)
            if self._opened_minute == self.minute:
                self._opened, self._opened_at = self.open, self.first
        if self._counts_for_session:
            self._session_volume += self.volume
            self._session_dollars += self.dollars

    def _earlier(self, span: MarketSpan) -> EarlierFigures | None:
        if self.whole_from <= span.day_start:
            return _NO_TRADE
        earlier = self.earlier
        return earlier if earlier is not None and earlier.until == self.whole_from else None

    def _day_sums(self, span: MarketSpan) -> tuple[int, float | None, float | None]:
        if self._day_start != span.day_start:
            return 0, None, None
        volume, high, low = self._day_volume, self._day_high, self._day_low
        if self._counts_for_day:
            volume, high, low = volume + self.volume, max(high, self.high), min(low, self.low)
        return (volume, high, low) if high else (volume, None, None)

    def _session_sums(self, span: MarketSpan) -> tuple[int, float]:
        if self._session_start != span.session_start:
            return 0, 0.0
        if self._counts_for_session:
            return self._session_volume + self.volume, self._session_dollars + self.dollars
        return self._session_volume, self._session_dollars

    def _day_open(self, span: MarketSpan) -> float | None:
        """The first price of the regular session, where its first minutes were taken in."""
        if self._day_start != span.day_start or not self._opened_at:
            return None
        if self.whole_from > span.regular_start and self._earlier(span) is None:
            return None
        return self.open if self._opened_minute == self.minute else self._opened

    def _clear_day(self) -> None:
        self._day_volume, self._day_high, self._day_low = 0, 0.0, float("inf")
        self._opened, self._opened_at, self._opened_minute = 0.0, 0, 0

    def _clear_session(self) -> None:
        self._session_volume, self._session_dollars = 0, 0.0
