"""What can be streamed: a market's trades, minute by minute, whether made up or recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

import numpy as np

from tickstock.market_hours import MINUTE_MS
from tickstock.simulator.aggregation import bars_of
from tickstock.simulator.conditions import ConditionSets
from tickstock.simulator.halts import HaltEvents
from tickstock.simulator.splits import StockSplit
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.trades import Bars, Floats, Integers, Trades
from tickstock.simulator.trading_day import TradingDay


@dataclass(frozen=True)
class Totals:
    """Each symbol's day so far, before some moment."""

    volume: Integers  # millionths of a share
    dollars: Floats
    official_open: Floats  # NaN before it

    @classmethod
    def none(cls, symbols: int) -> Totals:
        """A day that has not begun."""
        return cls(np.zeros(symbols, np.int64), np.zeros(symbols), np.full(symbols, np.nan))


class Tape(Protocol):
    """The trades to send. Times are Unix milliseconds; a minute is named by its start."""

    symbols: list[str]
    conditions: ConditionSets

    def next_minute(self, start: int) -> int | None:
        """The first minute at or after this one that may hold trades; None when the tape is over."""

    def minute(self, start: int) -> Trades:
        """The minute's trades in the order of their times."""

    def day_of(self, start: int) -> date:
        """The trading day of a minute: totals begin anew with it."""

    def totals_before(self, start: int) -> Totals:
        """The day's totals before a minute."""

    def halts(self, start: int) -> HaltEvents:
        """The halts and resumptions of a minute."""


class BarSource(Protocol):
    """The bars that REST serves, as printed. `until` is the market's clock: only what ended by then exists."""

    symbols: list[str]
    splits: tuple[StockSplit, ...]

    def days_between(self, first: int, last: int) -> list[TradingDay]:
        """The trading days that have a minute between two moments, oldest first."""

    def minute_bars(self, ticker: str, day: TradingDay) -> Bars:
        """One symbol's minute bars; windows without a price have NaN prices."""

    def second_bars(self, ticker: str, day: TradingDay, minutes: slice) -> Bars:
        """One symbol's second bars of some minutes of the day."""

    def day_bar(self, ticker: str, day: TradingDay, until: int) -> Bars:
        """One symbol's bar of a day, one row or none."""

    def session_at(self, moment: int) -> str | None:
        """Name of the session at a moment; None when the market is closed."""


class SyntheticTape:
    """The synthetic market as a tape: endless on the wall clock, or to the end of one day, or of one of its minutes."""

    def __init__(self, market: SyntheticMarket, last_day: date | None = None, end: int | None = None) -> None:
        self.market = market
        self.symbols = market.symbols
        self.splits = market.splits
        self.conditions = market.conditions
        self._last_day = last_day
        self._end = end
        self._day_at = lru_cache(maxsize=8)(self._find_day)

    def next_minute(self, start: int) -> int | None:
        calendar = self.market.days.calendar
        if calendar.session_at(start) is None:
            start = calendar.next_session(start).start
        if self._end is not None and start >= self._end:
            return None
        if self._last_day is not None and calendar.trading_day_at(start) > self._last_day:
            return None
        return start

    def minute(self, start: int) -> Trades:
        day = self._trading_day(start)
        return self.market.trades(day, (start - day.start) // MINUTE_MS)

    def day_of(self, start: int) -> date:
        return self.market.days.calendar.trading_day_at(start)

    def totals_before(self, start: int) -> Totals:
        day = self._trading_day(start)
        return Totals(*self.market.totals(day, (start - day.start) // MINUTE_MS))

    def halts(self, start: int) -> HaltEvents:
        day = self._trading_day(start)
        return self.market.halts(day, (start - day.start) // MINUTE_MS)

    def days_between(self, first: int, last: int) -> list[TradingDay]:
        return self.market.days.between(first, last)

    def minute_bars(self, ticker: str, day: TradingDay) -> Bars:
        return self.market.minute_bars(ticker, day)

    def second_bars(self, ticker: str, day: TradingDay, minutes: slice) -> Bars:
        trades = self.market.trades_of(ticker, day, minutes)
        return bars_of(trades, trades.time // 1000 * 1000, self.conditions)

    def day_bar(self, ticker: str, day: TradingDay, until: int) -> Bars:
        return self.market.day_bar(ticker, day, until)

    def session_at(self, moment: int) -> str | None:
        session = self.market.days.calendar.session_at(moment)
        return session.name if session else None

    def _trading_day(self, start: int) -> TradingDay:
        return self._day_at(self.day_of(start))

    def _find_day(self, day: date) -> TradingDay:
        found = self.market.days.of(day)
        if found is None:
            raise ValueError(f"{day} is not a trading day")
        return found
