"""Whether Redis answers, how fast, and how much it holds of the two logs; found out within a time that /health can afford."""

from __future__ import annotations

import time
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tickstock.contract import RESULTS_LOG_KEY, TICKS_LOG_KEY, TICKS_LOG_MAX_BYTES

PATIENCE_SECONDS = 1.0  # for a connection, and for each answer
FRESH_SECONDS = 1.0  # several pages that ask at once share one answer


class RedisProbe:
    """Asks over a connection of its own, which nothing else waits for."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS, retry=Retry(NoBackoff(), 0)
        )
        self._asked_at = float("-inf")
        self._stage: dict[str, Any] = {}

    def stage(self) -> dict[str, Any]:
        """Redis's part of the /health report."""
        if time.monotonic() - self._asked_at >= FRESH_SECONDS:
            self._stage = self._ask()
            self._asked_at = time.monotonic()
        return {**self._stage, "age_ms": int((time.monotonic() - self._asked_at) * 1000)}

    def _ask(self) -> dict[str, Any]:
        try:
            began = time.monotonic()
            self._client.ping()
            round_trip = (time.monotonic() - began) * 1000
            return {"status": "ok", "detail": "answers", "round_trip_ms": round(round_trip, 1), **self._facts()}
        except redis.RedisError as problem:
            return {"status": "down", "detail": f"does not answer: {problem}"}

    def _facts(self) -> dict[str, Any]:
        asked = self._client.pipeline(transaction=False)
        asked.info()
        asked.xlen(TICKS_LOG_KEY)
        asked.memory_usage(TICKS_LOG_KEY)
        asked.xlen(RESULTS_LOG_KEY)
        found: list[Any] = asked.execute(raise_on_error=False)
        info, entries, size, results = (None if isinstance(each, Exception) else each for each in found)
        known: dict[str, Any] = info or {}
        return {
            "server": str(known.get("server_name", "redis")),
            "version": str(known.get("valkey_version") or known.get("redis_version", "")),
            "uptime_seconds": known.get("uptime_in_seconds"),
            "memory_bytes": known.get("used_memory"),
            "most_memory_bytes": known.get("maxmemory") or None,
            "clients": known.get("connected_clients"),
            "ticks_log": {"entries": entries, "bytes": size, "most_bytes": TICKS_LOG_MAX_BYTES},
            "results_log": {"entries": results},
        }
