"""What is asked while live detections age: which are unresolved, and what followed those that are not."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select

from tickstock.database.connection import database_errors, open_engine
from tickstock.database.models import intraday_patterns, outcome_reports, pattern_outcomes


class AgeingPattern(NamedTuple):
    """A live, confirmed pattern."""

    id: str
    symbol: str
    bar_timestamp: int
    detection_timestamp: int


class ResolvedPattern(NamedTuple):
    """A live, confirmed pattern and what followed it after one horizon."""

    pattern: str
    direction: str
    quality: float
    bar_timestamp: int
    horizon: int
    entry_timestamp: int
    move: float | None  # the return of a buyer; None where the outcome is incomplete


class OutcomeQueries:
    """Each call opens a connection of its own. Every one raises `DatabaseUnavailable` when the database cannot be reached."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = open_engine(url)

    def unresolved(
        self, timeframe: str, horizon: int, since: int, limit: int, after: AgeingPattern | None = None
    ) -> list[AgeingPattern]:
        """Patterns with detection_timestamp >= `since` without an outcome, the oldest first; `after` is the last one known."""
        patterns, outcomes = intraday_patterns, pattern_outcomes
        when = patterns.c.detection_timestamp
        resolved = select(outcomes.c.id).where(outcomes.c.id == patterns.c.id, outcomes.c.horizon == horizon)
        query = select(*(patterns.c[name] for name in AgeingPattern._fields)).where(
            *_is_live(timeframe), when >= since, ~resolved.exists()
        )
        if after is not None:
            later = and_(when == after.detection_timestamp, patterns.c.id > after.id)
            query = query.where(when >= after.detection_timestamp, or_(when > after.detection_timestamp, later))
        with database_errors(self._url), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(when, patterns.c.id).limit(limit))
            return [AgeingPattern(*row) for row in rows]

    def symbols(self, timeframe: str, since: int) -> list[str]:
        """The symbols of live, confirmed patterns that were detected since then, in their order."""
        symbol = intraday_patterns.c.symbol
        query = select(symbol).distinct().where(*_is_live(timeframe), intraday_patterns.c.detection_timestamp >= since)
        with database_errors(self._url), self._engine.connect() as connection:
            return sorted(connection.execute(query).scalars())

    def resolved(self, symbol: str, timeframe: str, since: int) -> list[ResolvedPattern]:
        """The patterns of a symbol that were detected since then, once for each horizon, in the order of their bars."""
        patterns, outcomes = intraday_patterns, pattern_outcomes
        columns = (patterns.c.pattern, patterns.c.direction, patterns.c.quality, patterns.c.bar_timestamp)
        query = (
            select(*columns, outcomes.c.horizon, outcomes.c.entry_timestamp, outcomes.c["return"])
            .join(outcomes, outcomes.c.id == patterns.c.id)
            .where(*_is_live(timeframe), patterns.c.symbol == symbol, patterns.c.detection_timestamp >= since)
            .order_by(patterns.c.bar_timestamp, patterns.c.id, outcomes.c.horizon)
        )
        with database_errors(self._url), self._engine.connect() as connection:
            return [ResolvedPattern(*row) for row in connection.execute(query)]

    def report_computed(self, name: str) -> int | None:
        """When the rows in force of a report were computed."""
        query = select(outcome_reports.c.computed).where(outcome_reports.c.name == name)
        with database_errors(self._url), self._engine.connect() as connection:
            computed: int | None = connection.execute(query).scalar()
            return computed


def _is_live(timeframe: str) -> tuple[ColumnElement[bool], ...]:
    table = intraday_patterns
    return table.c.origin == "live", table.c.state == "confirmed", table.c.timeframe == timeframe
