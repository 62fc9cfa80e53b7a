"""What was stored but not published before the process ended: published at the next start, from the database."""

from __future__ import annotations

import logging
from typing import Any

import redis
from msgspec import convert

from tickstock.contract import IndicatorAlert, StreamingIndicator, StreamingPattern
from tickstock.database.queries import Progress, Queries
from tickstock.streaming.result_publisher import Publication, ResultPublisher

logger = logging.getLogger(__name__)

OVERLAP_MS = 10_000  # a minute is detected before the one before it is published; ids make repeats harmless
LOOK_BACK_MS = 15 * 60_000  # as far as the results' log reaches
PAGE = 1000


def publish_missed(queries: Queries, publisher: ResultPublisher, progress: Progress | None) -> int:
    """Compare the results' log with the committed position and publish the difference; return how many results that was.

    Raises:
        DatabaseUnavailable: nothing was published; try again.
    """
    if progress is None:
        return 0
    try:
        last = publisher.last_logged()
    except redis.RedisError as problem:
        logger.warning("STREAMING: Redis is away at the start (%s); what it missed is served from the database", problem)
        return 0
    if last is not None and (last[0].run, last[0].minute) == (progress.run, progress.minute):
        return 0
    since = progress.updated - LOOK_BACK_MS
    if last is not None:
        since = max(since, last[1] - OVERLAP_MS)
    patterns = [convert({**row, "type": "streaming_pattern"}, StreamingPattern) for row in _all(queries.patterns, since)]
    alerts = [convert({**row, "type": "indicator_alert"}, IndicatorAlert) for row in _all(queries.alerts, since)]
    values = [
        convert({**row, "type": "streaming_indicator"}, StreamingIndicator)
        for row in queries.calculated_indicators(since, progress.updated + 1)
    ]
    patterns = [each for each in patterns if each.origin != "history"]
    alerts = [each for each in alerts if each.origin != "history"]
    publisher.publish(Publication(progress.run, progress.position, progress.minute, patterns, alerts, values))
    count = len(patterns) + len(alerts) + len(values)
    logger.info("STREAMING: %d results of the last session were stored but not published; they are published now", count)
    return count


def _all(page: Any, since: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        found = page(since=since, limit=PAGE, after=after)
        rows += found.rows
        after = found.next
        if after is None:
            return rows[::-1]
