"""What the database holds of a trading day before a moment: the sums of the stored one-minute bars of symbols that it has whole.

It has a symbol's day whole when every minute before that moment was closed, no gap of the feed waits for bars, and the vendor's
bars of the time before TickStockPL took part are stored. Where that cannot be told, it has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select

from tickstock.database.connection import database_errors, open_engine
from tickstock.database.models import JOINED, bar_coverage, bars, feed_gaps, streaming_progress, streaming_sessions
from tickstock.market_hours import MINUTE_MS

SYMBOLS_PER_QUESTION = 200

# symbol, timestamp, open, high, low, close, volume
Bar = tuple[str, int, float, float, float, float, int]


@dataclass(frozen=True, slots=True)
class EarlierMinutes:
    """The minutes of a trading day before `until`. Every time is in Unix milliseconds."""

    until: int
    day_start: int
    session_start: int  # of the session that was running just before `until`
    regular_start: int
    regular_end: int
    previous_day_start: int
    previous_day_end: int


class EarlierFigures(Struct, frozen=True):
    """What a symbol's stored one-minute bars tell of a trading day before the start of a minute, `until`."""

    until: int
    volume: int
    high: float | None  # None: no trade before
    low: float | None
    session_start: int  # of the session that was running just before `until`
    session_volume: int
    dollars: float  # of that session
    day_open: float | None
    traded_since: int | None  # start of the first of the minutes up to `until` that all had a trade; None: the last had none


def read_earlier(
    database_url: str, minutes: EarlierMinutes, symbols: Sequence[str], run: str, only_from_rest: bool
) -> dict[str, EarlierFigures]:
    """The figures of those symbols whose day before `minutes.until` is stored in whole.

    Args:
        run: the present run of the app.
        only_from_rest: what was closed does not count, because the feed did not send these symbols.
    """
    engine = open_engine(database_url)
    try:
        with database_errors(database_url), engine.connect() as connection:
            found: dict[str, EarlierFigures] = {}
            is_closed = not only_from_rest and _is_closed(connection, minutes, run)
            began = _session_began(connection)
            for first in range(0, len(symbols), SYMBOLS_PER_QUESTION):
                part = symbols[first : first + SYMBOLS_PER_QUESTION]
                whole = list(_covered(connection, minutes, part, began, is_closed))
                found |= dict.fromkeys(whole, figures_of((), minutes))
                found |= {symbol: figures_of(group, minutes) for symbol, group in _bars(connection, minutes, whole)}
            return found
    finally:
        engine.dispose()


def figures_of(stored: Iterable[Bar], minutes: EarlierMinutes) -> EarlierFigures:
    """The sums of one symbol's bars, which stand in their order; of a bar that is there more than once the last counts."""
    day = list({bar[1]: bar for bar in stored}.values())
    session = [bar for bar in day if bar[1] >= minutes.session_start]
    opened = next((bar[2] for bar in day if minutes.regular_start <= bar[1] < minutes.regular_end), None)
    traded, since = {bar[1] for bar in day}, minutes.until
    while since - MINUTE_MS in traded:
        since -= MINUTE_MS
    return EarlierFigures(
        minutes.until,
        sum(bar[6] for bar in day),
        max((bar[3] for bar in day), default=None),
        min((bar[4] for bar in day), default=None),
        minutes.session_start,
        sum(bar[6] for bar in session),
        sum((bar[3] + bar[4] + bar[5]) / 3 * bar[6] for bar in session),  # a bar does not tell what each share cost
        opened,
        since if since < minutes.until else None,
    )


def _is_closed(connection: Connection, minutes: EarlierMinutes, run: str) -> bool:
    """Whether every minute before was closed with all of its bars."""
    reached = connection.execute(select(streaming_progress.c.minute).where(streaming_progress.c.run == run)).scalar()
    if reached is None or reached < minutes.until - MINUTE_MS:
        return False
    waiting = select(feed_gaps.c.id).where(
        feed_gaps.c.repair.is_(None),
        feed_gaps.c.lost.is_(None),
        feed_gaps.c.started < minutes.until,
        feed_gaps.c.ended > minutes.day_start,
    )
    return connection.execute(waiting.limit(1)).first() is None


def _session_began(connection: Connection) -> int | None:
    """When the TickStockPL that runs now, or ran last, was started."""
    newest = select(streaming_sessions.c.started).order_by(streaming_sessions.c.started.desc()).limit(1)
    return connection.execute(newest).scalar()


def _covered(
    connection: Connection, minutes: EarlierMinutes, symbols: Sequence[str], began: int | None, is_closed: bool
) -> Iterator[str]:
    table, days = bar_coverage, (minutes.day_start, minutes.previous_day_start, JOINED)
    query = select(table.c.symbol, table.c.day, table.c.until).where(table.c.symbol.in_(symbols), table.c.day.in_(days))
    until = {(row[0], row[1]): row[2] for row in connection.execute(query)}
    was_there = began is not None and began < minutes.day_start
    for symbol in symbols:
        today = until.get((symbol, minutes.day_start))
        joined = until.get((symbol, JOINED), 0)
        if today is not None:
            is_whole = today >= minutes.until or (is_closed and today >= min(joined, minutes.until))
        elif joined >= minutes.day_start:
            is_whole = False  # what it missed has not come yet
        else:  # it ran when the day began; then a symbol that it knew had its day before completed
            is_whole = is_closed and was_there and until.get((symbol, days[1]), 0) >= minutes.previous_day_end
        if is_whole:
            yield symbol


def _bars(connection: Connection, minutes: EarlierMinutes, symbols: Sequence[str]) -> Iterator[tuple[str, Iterator[Any]]]:
    columns = [bars.c[name] for name in ("symbol", "timestamp", "open", "high", "low", "close", "volume")]
    query = select(*columns).where(
        bars.c.symbol.in_(symbols),
        bars.c.timeframe == "1min",
        bars.c.timestamp >= minutes.day_start,
        bars.c.timestamp < minutes.until,
    )
    rows = connection.execute(query.order_by(bars.c.symbol, bars.c.timestamp, bars.c.revision))
    return groupby(rows, key=itemgetter(0))
