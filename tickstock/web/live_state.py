"""What a browser is shown beside ticks and signals: health, feed status, indicator values. Pure: the time comes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tickstock import contract
from tickstock.contract import FeedStatus, StreamingHealth, StreamingIndicator

HEALTH_EXPIRES_MS = 12_000


class HealthWatch:
    """TickStockPL by its own reports: silent for 12 s is down, and says since when."""

    def __init__(self, started: int) -> None:
        self.report: StreamingHealth | None = None
        self.received = started  # of the last report; before the first, since when it is waited for
        self.redis_away_since: int | None = None  # then nothing can be heard, which says nothing about TickStockPL
        self.restarts = 0  # of TickStockPL, as far as they were seen

    def take(self, report: StreamingHealth, received: int) -> bool:
        """Hold a report; True when it is of another PL session than the one before, or the first that is active."""
        before = self.report
        if before is not None and report.timestamp < before.timestamp and report.session_id == before.session_id:
            return False
        self.restarts += before is not None and before.session_id != report.session_id
        self.report, self.received = report, received
        return before is None or (before.session_id, before.session) != (report.session_id, report.session)

    def redis_away(self, since: int | None, now: int) -> None:
        """Redis does not answer since then; None: it does (again), and TickStockPL has its time to report."""
        if since is None and self.redis_away_since is not None:
            self.received = max(self.received, now)
        self.redis_away_since = since

    def is_down(self, now: int) -> bool:
        """Whether the last report is too old to believe."""
        return self.redis_away_since is not None or now - self.received > HEALTH_EXPIRES_MS

    def status(self, now: int) -> str:
        """healthy | degraded | stopped as reported; waiting before the first report; down without one for 12 s."""
        if self.is_down(now):
            return "down"
        return self.report.status if self.report is not None else "waiting"

    def message(self, now: int) -> dict[str, Any]:
        """The `streaming_health` of this moment for a browser."""
        shown: dict[str, Any] = msgspec.to_builtins(self.report) if self.report is not None else {"type": "streaming_health"}
        shown["age_ms"] = now - self.received
        shown["status"] = status = self.status(now)
        if self.redis_away_since is not None:
            shown["since"] = self.redis_away_since
            shown["issues"] = [
                "Redis does not answer: TickStockPL cannot be heard; patterns and alerts resume when Redis is back"
            ]
        elif status == "down":
            shown["since"] = self.received
            shown["issues"] = [
                "TickStockPL has stopped reporting; patterns and alerts resume when it is back"
                if self.report is not None
                else "TickStockPL has not reported since this page's server started; is it running?"
            ]
        elif status == "waiting":
            shown["since"] = self.received
            shown["issues"] = ["Waiting for the first report of TickStockPL"]
        return shown


class LatestIndicators:
    """The newest indicator values of every symbol and timeframe, as the bytes that browsers get."""

    def __init__(self) -> None:
        self.version = 0  # rises with every change
        self._held: dict[str, dict[str, tuple[int, bytes]]] = {}

    def take(self, indicator: StreamingIndicator) -> None:
        """Hold its message."""
        self.version += 1
        self._held.setdefault(indicator.symbol, {})[indicator.timeframe] = (self.version, contract.encode(indicator))

    def changed_since(self, version: int, symbols: Iterable[str]) -> list[tuple[int, bytes]]:
        """The messages of these symbols that came after `version`, each with its own, in the order of their coming."""
        found = (held for symbol in symbols for held in self._held.get(symbol, {}).values() if held[0] > version)
        return sorted(found)


def status_message(status: FeedStatus | None, started: int, now: int, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The `feed_status` of this moment for a browser; without a status, why there is none."""
    if status is not None:
        shown: dict[str, Any] = msgspec.to_builtins(status)
        return shown
    passive = figures.get("passive")
    return {
        "type": "feed_status",
        "status": "stopped" if passive else "connecting",
        "since": started,
        "timestamp": now,
        "detail": f"this app only serves pages: {passive}" if passive else "the app is starting",
    }
