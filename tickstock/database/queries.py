"""What the pages, the API and TickStockPL read. Rows come as plain dicts with the columns' names, times in Unix milliseconds.

Each call opens a connection of its own and shares nothing, so that it may run in any thread (`cooperation.in_native_thread`).
Lists stand newest first, where no other sort is asked for; `next` of a page is where the following one starts. Every call raises
`DatabaseUnavailable` when the database cannot be reached, and `DatabaseError` when it is of no use.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, Table, and_, func, or_, select
from sqlalchemy.sql.elements import KeyedColumnElement

from tickstock.database.connection import database_errors, open_engine
from tickstock.database.detections import YEAR_10000_MS, Question, Sorting
from tickstock.database.detections import Page as Page
from tickstock.database.detections import Record as Record
from tickstock.database.models import (
    bar_coverage,
    bars,
    feed_gaps,
    indicator_alerts,
    intraday_indicators,
    intraday_patterns,
    outcome_reports,
    outcome_rows,
    stored_history,
    streaming_progress,
    ticks,
)

PAGE_SIZE = 100
TIMEFRAMES = ("1min", "5min", "15min", "60min", "1day")

_bar_columns = [column for column in bars.columns if column.name not in ("first_tick", "last_tick")]


class Progress(NamedTuple):
    """How far everything of a run of the feed is stored: the row of `streaming_progress`."""

    run: str
    position: int
    minute: int
    replay_from: int
    updated: int


class StoredTick(NamedTuple):
    """A tick as it was forwarded."""

    position: int
    symbol: str
    price: float
    volume: int
    timestamp: int
    late: bool


class Coverage(NamedTuple):
    """The stored bars of a symbol within a range of time: how many, and when the first and the last of them start."""

    bars: int
    first: int
    last: int


class Queries:
    """All questions that TickStock asks its database, but those for bulk windows (`windows.py`)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = open_engine(url)

    def patterns(
        self,
        *,
        symbol: str | None = None,
        pattern: str | None = None,
        among: Collection[str] | None = None,
        direction: str | None = None,
        timeframe: str | None = None,
        session: str | None = None,
        state: str | None = None,
        origin: str | None = None,
        quality_from: float | None = None,
        since: int | None = None,
        until: int | None = None,
        sort: str = "detection",
        order: str = "desc",
        limit: int = PAGE_SIZE,
        after: str | None = None,
        before: str | None = None,
    ) -> Page:
        """Patterns with `since` <= detection_timestamp < `until`, by `sort` (detection, quality, symbol, pattern) and `order`.

        One whose bar was revised since says so in its details. (A day's bar is analysed when it is final: its revisions came
        before.)

        Args:
            among: only patterns of these names.
            after: the `next` of the page before.
            before: the `previous` of the page behind.

        Raises:
            ValueError: `after` or `before` is not such a token, or one of another sort or order.
        """
        table = intraday_patterns
        wanted = {"symbol": symbol, "pattern": pattern, "direction": direction, "timeframe": timeframe, "session": session}
        chosen = _equal(table, {**wanted, "state": state, "origin": origin})
        if quality_from is not None:
            chosen.append(table.c.quality >= quality_from)
        if among is not None:
            chosen.append(table.c.pattern.in_(sorted(among)))
        chosen += _detected(table, since, until)
        columns = [*table.columns, _was_revised(table).label("bar_revised")]
        page = self._detections(Question(Sorting(table, sort, order), chosen, limit, after, before), columns)
        for row in page.rows:
            if row.pop("bar_revised"):
                row["details"]["bar_revised"] = True
        return page

    def alerts(
        self,
        *,
        symbol: str | None = None,
        alert: str | None = None,
        among: Collection[str] | None = None,
        direction: str | None = None,
        timeframe: str | None = None,
        session: str | None = None,
        origin: str | None = None,
        since: int | None = None,
        until: int | None = None,
        sort: str = "detection",
        order: str = "desc",
        limit: int = PAGE_SIZE,
        after: str | None = None,
        before: str | None = None,
    ) -> Page:
        """Indicator alerts, as `patterns` gives patterns; by `sort` (detection, symbol, alert) and `order`."""
        table = indicator_alerts
        wanted = {"symbol": symbol, "alert": alert, "direction": direction, "timeframe": timeframe, "session": session}
        chosen = [*_equal(table, {**wanted, "origin": origin}), *_detected(table, since, until)]
        if among is not None:
            chosen.append(table.c.alert.in_(sorted(among)))
        return self._detections(Question(Sorting(table, sort, order), chosen, limit, after, before), table.columns)

    def indicators(
        self,
        symbol: str,
        timeframe: str,
        *,
        since: int | None = None,
        until: int | None = None,
        limit: int = PAGE_SIZE,
        after: str | None = None,
    ) -> Page:
        """Indicator values of one symbol with `since` <= bar_timestamp < `until`, newest first."""
        table = intraday_indicators
        chosen = _equal(table, {"symbol": symbol, "timeframe": timeframe})
        return self._page(table, table.c.bar_timestamp, chosen, since, until, limit, after)

    def bars(
        self,
        symbol: str,
        timeframe: str,
        *,
        since: int | None = None,
        until: int | None = None,
        limit: int = 1000,
        after: str | None = None,
    ) -> Page:
        """Bars of one symbol in their highest revision, with `since` <= start < `until`, newest first.

        A bar of 1day says whether it is `provisional`: made from ticks, because the vendor's final one is not there yet.
        """
        chosen = [*_equal(bars, {"symbol": symbol, "timeframe": timeframe}), _is_newest_revision()]
        page = self._page(bars, bars.c.timestamp, chosen, since, until, limit, after, _bar_columns)
        if timeframe == "1day":
            table = bar_coverage
            final = self._rows(select(table.c.until).where(table.c.symbol == symbol, table.c.day == 0))
            for row in page.rows:
                row["provisional"] = not final or row["timestamp"] >= final[0]["until"]
        return page

    def calculated_indicators(self, since: int, until: int) -> list[Record]:
        """Indicator values with `since` <= calculation_timestamp < `until`, each with its `bar`, as in the message.

        That is the bar as first closed, of 1day the final one.
        """
        table = intraday_indicators
        joined = and_(
            bars.c.symbol == table.c.symbol,
            bars.c.timeframe == table.c.timeframe,
            bars.c.timestamp == table.c.bar_timestamp,
            or_(and_(bars.c.timeframe != "1day", bars.c.revision == 0), and_(bars.c.timeframe == "1day", _is_newest_revision())),
        )
        names = ("open", "high", "low", "close", "volume")
        ohlcv = [bars.c[name] for name in names]
        when = table.c.calculation_timestamp
        query = select(table, *ohlcv).select_from(table.join(bars, joined)).where(when >= since, when < until)
        rows = self._rows(query.order_by(table.c.bar_timestamp, table.c.symbol))
        return [{"bar": {name: row.pop(name) for name in names}, **row} for row in rows]

    def coverage(self, timeframe: str, since: int, until: int) -> dict[str, Coverage]:
        """How many bars with `since` <= start < `until` each symbol has; a symbol without any is left out."""
        start = bars.c.timestamp
        query = (
            select(bars.c.symbol, func.count(start.distinct()), func.min(start), func.max(start))
            .where(bars.c.timeframe == timeframe, start >= since, start < until)
            .group_by(bars.c.symbol)
        )
        with database_errors(self._url), self._engine.connect() as connection:
            return {row[0]: Coverage(*row[1:]) for row in connection.execute(query)}

    def symbols_with_bars(self, timeframe: str, since: int, until: int) -> list[str]:
        """The symbols that have a bar with `since` <= start < `until`, in their order.

        It steps from symbol to symbol in the key, so that it costs the same however many bars each has.
        """
        found = select(func.min(bars.c.symbol).label("symbol")).cte("found", recursive=True)
        following = select(func.min(bars.c.symbol)).where(bars.c.symbol > found.c.symbol).scalar_subquery()
        found = found.union_all(select(following).where(found.c.symbol.is_not(None)))
        chosen = (bars.c.timeframe == timeframe, bars.c.timestamp >= since, bars.c.timestamp < until)
        there = select(bars.c.symbol).where(bars.c.symbol == found.c.symbol, *chosen).exists()
        with database_errors(self._url), self._engine.connect() as connection:
            return sorted(row[0] for row in connection.execute(select(found.c.symbol).where(there)))

    def stored_history(self) -> dict[str, int]:
        """Until when what warm-up found is stored, by timeframe."""
        return {row["timeframe"]: row["until"] for row in self._rows(select(stored_history))}

    def covered_days(self) -> dict[tuple[str, int], int]:
        """Until when the vendor's bars are stored, by symbol and start of the trading day (0: day bars)."""
        return {(row["symbol"], row["day"]): row["until"] for row in self._rows(select(bar_coverage))}

    def progress(self, run: str | None = None) -> Progress | None:
        """The committed position: of this run, or the one that was set last; None when there is none."""
        query = select(streaming_progress).order_by(streaming_progress.c.updated.desc()).limit(1)
        if run is not None:
            query = query.where(streaming_progress.c.run == run)
        rows = self._rows(query)
        return Progress(**rows[0]) if rows else None

    def stored_ticks(self, run: str, first: int, last: int) -> list[StoredTick]:
        """The ticks of a run from one position to another, both included, in their order."""
        columns = [ticks.c[name] for name in StoredTick._fields]
        query = select(*columns).where(ticks.c.run == run, ticks.c.position.between(first, last))
        with database_errors(self._url), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(ticks.c.position))
            return [StoredTick(*row) for row in rows]

    def gaps(self, *, since: int | None = None, open_only: bool = False, limit: int = PAGE_SIZE) -> list[Record]:
        """Gaps of feed and bus that started at or after a time, newest first; with `open_only` those still waiting."""
        query = select(feed_gaps).order_by(feed_gaps.c.started.desc(), feed_gaps.c.id).limit(limit)
        if since is not None:
            query = query.where(feed_gaps.c.started >= since)
        if open_only:
            query = query.where(feed_gaps.c.repair.is_(None), feed_gaps.c.lost.is_(None))
        return self._rows(query)

    def server(self) -> dict[str, str]:
        """What the database is, its version, and the revision of its schema."""
        with database_errors(self._url), self._engine.connect() as connection:
            is_sqlite = connection.dialect.name == "sqlite"
            version = connection.exec_driver_sql("SELECT sqlite_version()" if is_sqlite else "SHOW server_version").scalar_one()
            revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        return {"kind": "SQLite" if is_sqlite else "PostgreSQL", "version": str(version), "schema": str(revision)}

    def outcome_report(self, name: str, **wanted: str | int | None) -> Record | None:
        """The header of a report, when its rows were computed, and those rows that have these keys; None before the first one."""
        found = self._rows(select(outcome_reports).where(outcome_reports.c.name == name))
        if not found:
            return None
        table = outcome_rows
        query = select(table).where(table.c.computed == found[0]["computed"], *_equal(table, wanted))
        rows = self._rows(query.order_by(*(table.c[key] for key in ("pattern", "timeframe", "direction", "horizon", "quality"))))
        told = [{**{key: row[key] for key in row if key not in ("computed", "figures")}, **row["figures"]} for row in rows]
        return {"computed": found[0]["computed"], "header": found[0]["header"], "outcomes": told}

    def _detections(self, question: Question, columns: Iterable[ColumnElement[Any]]) -> Page:
        return question.page(self._rows(question.statement([*columns])))

    def _page(
        self,
        table: Table,
        when: KeyedColumnElement[int],
        chosen: list[ColumnElement[bool]],
        since: int | None,
        until: int | None,
        limit: int,
        after: str | None,
        columns: Sequence[KeyedColumnElement[Any]] | None = None,
    ) -> Page:
        """The rows of one symbol and timeframe: one per time."""
        query = select(*(columns or table.columns)).where(*chosen, *_within(when, since, until))
        if after is not None:
            query = query.where(when < _read_token(after))
        rows = self._rows(query.order_by(when.desc()).limit(limit + 1))
        if len(rows) <= limit:
            return Page(rows, None)
        return Page(rows[:limit], _token(rows[limit - 1][when.key]))

    def _rows(self, query: Select[Any]) -> list[Record]:
        with database_errors(self._url), self._engine.connect() as connection:
            # Plain text as keys: SQLAlchemy's own class of names is not what msgspec takes for text.
            return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def _equal(table: Table, wanted: Mapping[str, str | int | None]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in wanted.items() if value is not None]


def _was_revised(table: Table) -> ColumnElement[bool]:
    """Whether there is another version of the intraday bar that a row speaks of."""
    same = (bars.c[name] == table.c[of] for name, of in (("symbol", "symbol"), ("timestamp", "bar_timestamp")))
    intraday = and_(bars.c.timeframe == table.c.timeframe, table.c.timeframe != "1day")
    return select(bars.c.revision).where(*same, intraday, bars.c.revision > 0).exists()


def _is_newest_revision() -> ColumnElement[bool]:
    newer = bars.alias("newer")
    same = (newer.c[name] == bars.c[name] for name in ("symbol", "timeframe", "timestamp"))
    return ~select(newer.c.revision).where(*same, newer.c.revision > bars.c.revision).correlate(bars).exists()


def _within(when: ColumnElement[int], since: int | None, until: int | None) -> list[ColumnElement[bool]]:
    return [*([] if since is None else [when >= since]), *([] if until is None else [when < until])]


def _detected(table: Table, since: int | None, until: int | None) -> list[ColumnElement[bool]]:
    return _within(table.c.detection_timestamp, since, until)


def _token(timestamp: int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((timestamp, ""))).decode().rstrip("=")


def _read_token(token: str) -> int:
    try:
        content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        timestamp, _ = msgspec.json.decode(content, type=tuple[int, str])
        if not 0 <= timestamp < YEAR_10000_MS:
            raise ValueError("not a time")
        return timestamp
    except (binascii.Error, ValueError) as problem:  # msgspec's errors are ValueErrors too
        raise ValueError("after must be the `next` of the page before") from problem
