"""What TickStockPL reports about itself: measured figures, and in words what is wrong."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from tickstock.contract import HEALTH_CHANNEL, HEALTH_LATEST_KEY, StreamingHealth, encode
from tickstock.logs import CounterLog
from tickstock.market_hours import now_ms
from tickstock.streaming.result_publisher import redis_client

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 5.0
LATEST_EXPIRES_SECONDS = 12
STALE_MINUTES = 5
LAGS_KEPT = 600


@dataclass(slots=True)
class Figures:
    """What the main loop counts; the health thread only reads it."""

    ticks_total: int = 0
    ticks_rejected: int = 0
    ticks_late: int = 0
    patterns: int = 0
    indicators: int = 0
    alerts: int = 0
    bars_last_minute: int = 0
    feed_status: str = ""  # of the latest status; empty before the first
    feed_detail: str = ""
    session: str = "waiting"  # active | waiting | stopped
    warming_up: bool = False
    warm_up_step: str = "history is being loaded"
    catching_up: bool = False
    lags: deque[float] = field(default_factory=lambda: deque(maxlen=LAGS_KEPT))  # ms, status by status
    last_minute_of: dict[str, int] = field(default_factory=dict)  # symbol: start of its last closed minute
    minute: int = 0  # the last closed one
    waits_for_splits: bool = False
    joining: list[str] = field(default_factory=list)  # symbols whose history is awaited
    day_bars: dict[str, Any] | None = None
    reconciliation: dict[str, Any] | None = None


class HealthReporter:
    """Publishes health every five seconds and on every change of status, from a thread that nothing holds up."""

    def __init__(
        self,
        redis_url: str,
        session_id: str,
        figures: Figures,
        issues: Callable[[], list[str]],
        rejected: Callable[[], dict[str, int]],
        waiting: Callable[[], dict[str, int]],
    ) -> None:
        self._client = redis_client(redis_url)
        self._session_id = session_id
        self._figures = figures
        self._issues = issues
        self._rejected = rejected
        self._waiting = waiting
        self._started = time.monotonic()
        self._rate_from = (self._started, 0)
        self._changed = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)
        self._last_status = ""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Report `stopped` and end the thread."""
        self._stopped = True
        self._changed.set()
        self._thread.join(5)
        self._publish(self.report())
        self._client.close()

    def look(self) -> None:
        """Something may have changed: report now if the status did."""
        self._changed.set()

    def report(self) -> StreamingHealth:
        """The state at this moment."""
        figures = self._figures
        issues = self._own_issues() + self._issues()
        status = "stopped" if self._stopped else "degraded" if issues else "healthy"
        since, ticks = self._rate_from
        now = time.monotonic()
        active = [m for m in figures.last_minute_of.copy().values() if m > figures.minute - STALE_MINUTES * 60_000]
        lags = sorted(figures.lags.copy())
        return StreamingHealth(
            status=status,
            issues=issues,
            timestamp=now_ms(),
            session_id=self._session_id,
            session="stopped" if self._stopped else figures.session,
            uptime_seconds=int(now - self._started),
            symbols_active=len(active),
            symbols_stale=len(figures.last_minute_of) - len(active),
            ticks_per_second=round((figures.ticks_total - ticks) / max(now - since, 0.001), 1),
            ticks_total=figures.ticks_total,
            ticks_rejected=figures.ticks_rejected,
            ticks_late=figures.ticks_late,
            bars_per_minute=figures.bars_last_minute,
            lag_ms={"p50": _quantile(lags, 0.5), "p99": _quantile(lags, 0.99)},
            patterns_detected=figures.patterns,
            indicators_calculated=figures.indicators,
            alerts_raised=figures.alerts,
            day_bars=figures.day_bars,
            reconciliation=figures.reconciliation,
            rejected=self._rejected(),
            waiting=self._waiting(),
        )

    def _own_issues(self) -> list[str]:
        figures = self._figures
        issues = []
        if not figures.feed_status:
            issues.append("no feed status yet: the app has not published anything")
        elif figures.feed_status not in ("live", "ended"):
            issues.append(f"the feed is {figures.feed_status}: {figures.feed_detail}")
        elif not figures.ticks_total and not figures.warming_up:
            issues.append("no ticks yet")
        if figures.warming_up:
            issues.append(f"warming up: {figures.warm_up_step}")
        if figures.waits_for_splits:
            issues.append("the splits of the day are not known yet: history is not fetched before REST has told them")
        if joining := figures.joining:
            verb = "joins: waiting for its" if len(joining) == 1 else "join: waiting for their"
            issues.append(f"{shown(joining)} {verb} history from REST")
        if figures.catching_up:
            issues.append("catching up with the log of ticks")
        return issues

    def _run(self) -> None:
        next_report = time.monotonic()
        while not self._stopped:
            report = self.report()
            now = time.monotonic()
            if now >= next_report or report.status != self._last_status:
                self._last_status = report.status
                self._publish(report)
                if now >= next_report:
                    self._rate_from = (now, self._figures.ticks_total)
                    next_report = now + PERIOD_SECONDS
            self._changed.wait(max(0.05, min(1.0, next_report - time.monotonic())))
            self._changed.clear()

    def _publish(self, report: StreamingHealth) -> None:
        message = encode(report)
        try:
            pipeline = self._client.pipeline(transaction=True)
            pipeline.publish(HEALTH_CHANNEL, message)
            pipeline.set(HEALTH_LATEST_KEY, message, ex=LATEST_EXPIRES_SECONDS)
            pipeline.execute()
        except redis.RedisError:
            pass  # the publisher of results says that Redis is away; a health message of the past is worth nothing


def _quantile(values: list[float], share: float) -> float:
    return round(values[min(len(values) - 1, int(share * len(values)))], 1) if values else 0.0


def tick_counter() -> CounterLog:
    """The log line that counts what came from Redis."""
    return CounterLog(lambda total: logger.info("STREAMING: Processed %d ticks from Redis", total))


def shown(symbols: Sequence[str], most: int = 5) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(symbols) - most} more" if len(symbols) > most else ""
    return ", ".join(symbols[:most]) + more
