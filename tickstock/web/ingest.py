"""The ingesting side of the app as one thing: made, started and stopped together, and looked at by the pages."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from tickstock.contract import FeedStatus
from tickstock.market_data.live_board import LiveBoard
from tickstock.market_data.service import BACKLOG_BYTES, MarketDataService
from tickstock.market_data.tick_forwarder import BUFFER_BYTES, RedisTickForwarder
from tickstock.market_data.tick_recorder import WAITING_TICKS, TickRecorder
from tickstock.market_hours import calendar_named, now_ms
from tickstock.settings import Settings

RATE_SECONDS = 5.0
STOP_SECONDS = 2.0

_FEED = {"live": "ok", "ended": "ok", "connecting": "waiting", "silent": "degraded", "reconnecting": "down", "stopped": "down"}


class TickRate:
    """Ticks a second over the last seconds, from a running total. Pure."""

    def __init__(self, seconds: float = RATE_SECONDS) -> None:
        self._seconds = seconds
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, now: float, total: int) -> float | None:
        """Take a sample; the rate since the oldest one that still counts, None for the first."""
        if self._samples and total < self._samples[-1][1]:
            self._samples.clear()  # a new run counts from 1 again
        self._samples.append((now, total))
        while len(self._samples) > 2 and now - self._samples[1][0] >= self._seconds:
            self._samples.popleft()
        began, first = self._samples[0]
        return (total - first) / (now - began) if now > began else None


class Ingest:
    """MarketDataService with its board, recorder and forwarder: the `Market` of a process that takes in the feed."""

    def __init__(self, settings: Settings) -> None:
        calendar = calendar_named(settings.calendar)
        self.board = LiveBoard(calendar, settings.feed)
        self._settings = settings
        self._recorder = TickRecorder(
            settings.database,
            spill=settings.data_dir / "ticks_not_stored",
            retention_days=settings.tick_retention_days,
            retention_gigabytes=settings.tick_retention_gigabytes,
        )
        follows_events = settings.feed_clock == "events"
        self._forwarder = RedisTickForwarder(settings.redis_url, settings.feed, follow_taken=follows_events)
        self._service = MarketDataService(settings, calendar, self.board, self._recorder, self._forwarder)
        self._rate = TickRate()
        self._rated = 0.0
        self._figures: dict[str, Any] = {}

    def start(self) -> None:
        """Start recording and forwarding, then the feed."""
        self._recorder.start()
        self._forwarder.start()
        self._service.start()

    def stop(self) -> None:
        """Leave the feed, then send and store what waits; within seconds."""
        self._service.stop(STOP_SECONDS)
        self._forwarder.stop(STOP_SECONDS)
        self._recorder.stop(STOP_SECONDS)

    def watch(self, symbols: Sequence[str]) -> None:
        """Take in these symbols from now on; thread-safe, returns at once."""
        self._service.watch(symbols)

    def status(self) -> FeedStatus | None:
        """The feed's latest status; None while another app ingests."""
        return self._service.status

    def figures(self) -> Mapping[str, Any]:
        """Run, position in it, ticks per second and the data's lag; renewed twice a second."""
        now = time.monotonic()
        if now - self._rated >= 0.5:
            self._rated = now
            state = self._service.state()
            delay = state.get("smallest_delay_ms")
            ticks = int(state.get("ticks", 0))
            self._figures = {
                "run": state.get("run", ""),
                "ticks": ticks,
                "ticks_per_second": self._rate.add(now, ticks),
                "lag_ms": delay if self._settings.feed_clock == "wall" else None,
                "passive": state["passive"],
            }
        return self._figures

    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """The feed, the service, the recorder and the forwarder for /health."""
        return {
            "feed_client": self._feed_stage(),
            "market_data": self._service_stage(),
            "tick_recorder": {**_connection_stage(self._recorder.state(), "stored"), "most_waiting_ticks": WAITING_TICKS},
            "tick_forwarder": {**_connection_stage(self._forwarder.state(), "forwarded"), "most_waiting_bytes": BUFFER_BYTES},
        }

    def _feed_stage(self) -> dict[str, Any]:
        status, now = self.status(), now_ms()
        if status is None:
            passive = self._service.state()["passive"]
            return {"status": "off" if passive else "waiting", "detail": passive or "starting", "age_ms": None}
        return {
            "status": _FEED.get(status.status, "degraded"),
            "detail": f"{status.status}: {status.detail}",
            "age_ms": now - status.timestamp,
            "since": status.since,
            "source": status.source,
            "channel": self._settings.channel,
            "watermark": status.watermark,
            "halts": self._service.state()["halts"]["detail"],
        }

    def _service_stage(self) -> dict[str, Any]:
        state = self._service.state()
        last, now = state.get("last_event_end"), now_ms()
        faults = state["step_faults"]
        return {
            "status": "degraded" if faults else "ok" if state["ingesting"] else "off" if state["passive"] else "waiting",
            "detail": f"faults in {', '.join(faults)}" if faults else state["passive"] or "takes in ticks",
            "age_ms": now - last if last and self._settings.feed_clock == "wall" else None,
            **state,
            "most_frame_bytes_waiting": BACKLOG_BYTES,
        }


def _connection_stage(state: dict[str, Any], done: str) -> dict[str, Any]:
    away = state["away_seconds"]
    if away:
        detail = f"no connection for {away:.0f} s; {state['waiting_ticks']} ticks wait"
    elif state["dropped_ticks"]:
        detail = f"{state['dropped_ticks']} ticks could not be {done}"
    else:
        detail = "connected" if state["connected"] else "connecting"
    healthy = "ok" if state["connected"] else "waiting"
    return {"status": "down" if away else "degraded" if state["dropped_ticks"] else healthy, "detail": detail, **state}
