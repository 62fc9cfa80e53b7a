"""What the current trading day has brought so far, counted once for all browsers.

Pure. A day begins with the figures of the database; after that every new pattern, alert and bar's indicators counts one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tickstock.contract import IndicatorAlert, StreamingIndicator
from tickstock.market_hours import Calendar
from tickstock.web.event_log import Signal


@dataclass(frozen=True, slots=True)
class TradingDay:
    """A trading day from its first session to the next day's first; `start` inclusive, `end` exclusive, Unix milliseconds."""

    day: date
    start: int
    end: int

    def holds(self, timestamp: int) -> bool:
        """Whether this moment belongs to the day."""
        return self.start <= timestamp < self.end


def trading_day(calendar: Calendar, timestamp: int) -> TradingDay:
    """The trading day that a moment belongs to; after the last session it is still that day."""
    day = calendar.trading_day_at(timestamp)
    sessions = calendar.sessions_of(day)
    return TradingDay(day, sessions[0].start, calendar.next_session(sessions[-1].start).start)


@dataclass(frozen=True, slots=True)
class StoredDay:
    """What the database holds of a trading day at one moment, and its newest signals."""

    patterns: int
    alerts: int
    indicators: int
    bars: int
    ticks: int | None  # of other runs than the running one; None when not counted this time
    signals: tuple[Signal, ...]  # oldest first
    complete_from: int = 0  # no older detection is among `signals` although the day has some; 0 when all are


class TickCount:
    """Ticks of the day: those of the running run by its position, those of other runs as stored."""

    def __init__(self) -> None:
        self.other_runs = 0
        self._run = ""
        self._position = 0
        self._base = 0  # position at which the day began

    def begin(self, *, is_first: bool) -> None:
        """A new day; a run that goes on counts from here."""
        self.other_runs = 0
        self._base = 0 if is_first else self._position

    def count(self, run: str, position: int) -> int:
        """All ticks of the day, with the running run at this position."""
        if run != self._run:
            self.other_runs += self._position - self._base
            self._run, self._base = run, 0
        self._position = position
        return self.other_runs + position - self._base


class DayCounters:
    """Counts of one trading day; messages of other days are not counted."""

    def __init__(self) -> None:
        self.day: TradingDay | None = None
        self.patterns = 0
        self.alerts = 0
        self.indicators = 0
        self.bars = 0
        self.ticks = TickCount()
        self._newest_bar: dict[tuple[str, str], int] = {}

    def begin(self, day: TradingDay) -> None:
        """Start a day at nothing; in the process's first one the running run counts from its first tick."""
        self.ticks.begin(is_first=self.day is None)
        self.day = day
        self.patterns = self.alerts = self.indicators = self.bars = 0
        self._newest_bar.clear()

    def take(self, stored: StoredDay, arrived: Iterable[Signal]) -> None:
        """Set the figures to the database's; `arrived` are new signals that came while it was read."""
        if stored.ticks is not None:
            self.ticks.other_runs = stored.ticks
        held = {signal.id for signal in stored.signals}
        self.patterns, self.alerts = stored.patterns, stored.alerts
        self.indicators = max(self.indicators, stored.indicators)
        self.bars = max(self.bars, stored.bars)
        for signal in arrived:
            if signal.id not in held:
                self.add_signal(signal)

    def settle(self, counted: tuple[int, int], stored_indicators: int, stored_bars: int) -> None:
        """Agree with the database: it has everything before it is published, and holds what is published again only once.

        `counted` are the figures at the moment when the database was asked: what came since may be in its answer or not.
        """
        came = self.indicators - counted[0], self.bars - counted[1]
        self.indicators = max(stored_indicators, min(self.indicators, stored_indicators + came[0]))
        self.bars = max(stored_bars, min(self.bars, stored_bars + came[1]))

    def add_signal(self, signal: Signal) -> None:
        """Count a signal whose id is new."""
        if self.day is not None and self.day.holds(signal.bar_timestamp):
            if isinstance(signal, IndicatorAlert):
                self.alerts += 1
            else:
                self.patterns += 1

    def add_indicator(self, indicator: StreamingIndicator) -> bool:
        """Count the values of a bar; False when they are not newer than what this symbol and timeframe had."""
        key = (indicator.symbol, indicator.timeframe)
        if indicator.bar_timestamp <= self._newest_bar.get(key, -1):
            return False
        self._newest_bar[key] = indicator.bar_timestamp
        if self.day is not None and self.day.holds(indicator.bar_timestamp):
            self.indicators += 1
            self.bars += 1
        return True

    def as_dict(self, run: str, position: int) -> dict[str, int | str | None]:
        """The figures for a browser; the ticks of the running run are its `position`."""
        return {
            "trading_day": self.day.day.isoformat() if self.day else None,
            "patterns": self.patterns,
            "alerts": self.alerts,
            "indicators": self.indicators,
            "bars": self.bars,
            "ticks": self.ticks.count(run, position),
        }
