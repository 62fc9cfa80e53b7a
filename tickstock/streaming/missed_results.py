"""What was stored but not published before the process ended: published at the next start, from the database."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

import redis
from msgspec import convert

from tickstock.contract import IndicatorAlert, ResultsEntry, StreamingIndicator, StreamingPattern
from tickstock.database.queries import Progress, Queries
from tickstock.streaming.result_publisher import ResultPublisher

logger = logging.getLogger(__name__)

LOOK_BACK_MS = 15 * 60_000  # as far as the results' log reaches
PAGE = 1000

Result = StreamingPattern | IndicatorAlert | StreamingIndicator
_R = TypeVar("_R", bound=Result)


def publish_missed(queries: Queries, publisher: ResultPublisher, progress: Progress | None) -> int:
    """Compare the results' log with the committed position and publish the difference; return how many results that was.

    Raises:
        DatabaseUnavailable: nothing was published; try again.
    """
    if progress is None:
        return 0
    try:
        last = publisher.last_logged()
        if last is not None and (last.run, last.minute) == (progress.run, progress.minute):
            # Behind the last minute only what is found in final day bars is stored, and that has indicator values too.
            newest = max(map(_detected, _results(last)), default=progress.updated)
            if not queries.calculated_indicators(newest + 1, progress.updated + 1):
                return 0
        logged = publisher.logged()
    except redis.RedisError as problem:
        logger.warning("STREAMING: Redis is away at the start (%s); what it missed is served from the database", problem)
        return 0
    known = {_key(result) for entry in logged for result in _results(entry)}
    # What was found before the oldest logged minute was published before it, and is not in the log any more.
    oldest = min((_detected(result) for entry in logged[:1] for result in _results(entry)), default=0)
    since = max(progress.updated - LOOK_BACK_MS, oldest)
    patterns = _missing(known, StreamingPattern, "streaming_pattern", _all(queries.patterns, since))
    alerts = _missing(known, IndicatorAlert, "indicator_alert", _all(queries.alerts, since))
    rows = queries.calculated_indicators(since, progress.updated + 1)
    values = _missing(known, StreamingIndicator, "streaming_indicator", rows)
    patterns = [each for each in patterns if each.origin != "history"]
    alerts = [each for each in alerts if each.origin != "history"]
    publisher.publish(ResultsEntry(progress.run, progress.position, progress.minute, patterns, alerts, values))
    count = len(patterns) + len(alerts) + len(values)
    logger.info("STREAMING: %d results of the last session were stored but not published; they are published now", count)
    return count


def _results(entry: ResultsEntry) -> list[Result]:
    return [*entry.patterns, *entry.alerts, *entry.indicators]


def _key(result: Result) -> tuple[Any, ...]:
    """What the app merges by."""
    if isinstance(result, StreamingIndicator):
        return result.symbol, result.timeframe, result.bar_timestamp
    return result.id, result.state if isinstance(result, StreamingPattern) else ""


def _detected(result: Result) -> int:
    return result.calculation_timestamp if isinstance(result, StreamingIndicator) else result.detection_timestamp


def _missing(known: set[tuple[Any, ...]], kind: type[_R], tag: str, rows: list[dict[str, Any]]) -> list[_R]:
    found = (convert({**row, "type": tag}, kind) for row in rows)
    return [each for each in found if _key(each) not in known]


def _all(page: Any, since: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        found = page(since=since, limit=PAGE, after=after)
        rows += found.rows
        after = found.next
        if after is None:
            return rows[::-1]
