"""What the database holds of one trading day. Runs in a native thread: its own connection, plain data in and out."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from itertools import islice
from sys import intern
from typing import Any

from sqlalchemy import Connection, Table, func, select

from tickstock.contract import IndicatorAlert, StreamingPattern
from tickstock.database.connection import database_errors, open_engine
from tickstock.database.models import bars, indicator_alerts, intraday_indicators, intraday_patterns, ticks
from tickstock.database.queries import TIMEFRAMES
from tickstock.market_hours import DAY_MS, new_york_ms
from tickstock.web.day_counters import StoredDay, TradingDay
from tickstock.web.event_log import KEPT_ENTRIES, Signal

LONGEST_PAUSE_MS = 14 * DAY_MS  # an older day bar is no previous close
SYMBOLS_PER_QUESTION = 200


def read_stored_day(database_url: str, day: TradingDay, run: str, count_ticks: bool) -> StoredDay:
    """Count a trading day's rows, and read its newest signals, oldest first; ticks of `run` are not counted."""
    engine = open_engine(database_url)
    try:
        with database_errors(database_url), engine.connect() as connection:
            signals = _newest_signals(connection, day)
            counts = [_count_signals(connection, table, day) for table in (intraday_patterns, indicator_alerts)]
            return StoredDay(
                patterns=counts[0],
                alerts=counts[1],
                indicators=_count(connection, intraday_indicators, intraday_indicators.c.bar_timestamp, day),
                bars=_count_bars(connection, day),
                ticks=_count(connection, ticks, ticks.c.timestamp, day, ticks.c.run != run) if count_ticks else None,
                signals=tuple(signals),
                complete_from=signals[0].detection_timestamp if len(signals) < sum(counts) else 0,
            )
    finally:
        engine.dispose()


def count_stored(database_url: str, day: TradingDay, count_bars: bool) -> tuple[int, int, int, int]:
    """How many patterns, alerts and, when asked for, indicator values and bars the database holds of a trading day."""
    engine = open_engine(database_url)
    try:
        with database_errors(database_url), engine.connect() as connection:
            signals = [_count_signals(connection, table, day) for table in (intraday_patterns, indicator_alerts)]
            if not count_bars:
                return signals[0], signals[1], 0, 0
            values = _count(connection, intraday_indicators, intraday_indicators.c.bar_timestamp, day)
            return signals[0], signals[1], values, _count_bars(connection, day)
    finally:
        engine.dispose()


def read_previous_closes(database_url: str, symbols: Sequence[str], day: date) -> Mapping[str, float]:
    """The close of the last day bar before a trading day, for the symbols that have one.

    Symbol by symbol in the key: asked again and again for the few that are missing, it costs next to nothing.
    """
    before = new_york_ms(day, time())
    newest = select(bars.c.symbol, bars.c.close).where(
        bars.c.timeframe == "1day", bars.c.timestamp < before, bars.c.timestamp >= before - LONGEST_PAUSE_MS
    )
    engine = open_engine(database_url)
    try:
        found: dict[str, float] = {}
        with database_errors(database_url), engine.connect() as connection:
            for first in range(0, len(symbols), SYMBOLS_PER_QUESTION):
                part = newest.where(bars.c.symbol.in_(symbols[first : first + SYMBOLS_PER_QUESTION]))
                rows = connection.execute(part.order_by(bars.c.timestamp, bars.c.revision))
                found |= {row.symbol: row.close for row in rows}
        return found
    finally:
        engine.dispose()


def _of_day(table: Table, day: TradingDay) -> tuple[Any, ...]:
    # A detection is never before its bar, and detection_timestamp has the index.
    return (
        table.c.detection_timestamp >= day.start,
        table.c.bar_timestamp >= day.start,
        table.c.bar_timestamp < day.end,
    )


def _count_signals(connection: Connection, table: Table, day: TradingDay) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(*_of_day(table, day))).scalar_one())


def _count(connection: Connection, table: Table, column: Any, day: TradingDay, *more: Any) -> int:
    asked = select(func.count()).select_from(table).where(column >= day.start, column < day.end, *more)
    return int(connection.execute(asked).scalar_one())


def _count_bars(connection: Connection, day: TradingDay) -> int:
    of_timeframes = bars.c.timeframe.in_(TIMEFRAMES)  # the index begins with the timeframe
    return _count(connection, bars, bars.c.timestamp, day, of_timeframes, bars.c.revision == 0)


def _newest_signals(connection: Connection, day: TradingDay) -> list[Signal]:
    """As many as are kept, oldest first. Row by row from both tables: twice as many would be held for nothing."""
    patterns = _signals(connection, intraday_patterns, StreamingPattern, day)
    alerts = _signals(connection, indicator_alerts, IndicatorAlert, day)
    newest_first = heapq.merge(patterns, alerts, key=lambda signal: signal.detection_timestamp, reverse=True)
    return list(islice(newest_first, KEPT_ENTRIES))[::-1]


def _signals(connection: Connection, table: Table, kind: type[Any], day: TradingDay) -> Iterator[Signal]:
    newest = select(table).where(*_of_day(table, day)).order_by(table.c.detection_timestamp.desc()).limit(KEPT_ENTRIES)
    for row in connection.execute(newest).mappings():
        # Names come again and again, each time as another object: a third of what 20,000 signals take.
        yield kind(**{name: intern(value) if type(value) is str and name != "id" else value for name, value in row.items()})
