"""Socket.IO: what the Live Streaming page hears and says.

Server to browser: `snapshot` on connect and when a browser must begin again; `ticks` {time, symbols}, conflated, of what it
watches; `streaming_pattern` and `indicator_alert`, as on Redis plus `seq`; `streaming_indicator` of what it watches;
`streaming_health`, `feed_status`, `counters`, `session`: states, sent when they change; `events` {epoch, from, to, events}, the
answer to `since`; `error` {event, message}. Browser to server: `watch` (symbols), `since` {epoch, seq}.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterable
from typing import Any

import msgspec
from flask import request
from flask_socketio import SocketIO, join_room, leave_room
from msgspec import Raw

from tickstock import cooperation
from tickstock.contract import IndicatorAlert, StreamingHealth, StreamingIndicator
from tickstock.logs import Rejections
from tickstock.market_hours import now_ms
from tickstock.settings import DEFAULT_SYMBOLS, Settings
from tickstock.web.day_counters import DayCounters, StoredDay, TradingDay
from tickstock.web.event_log import Entry, EventLog, Signal
from tickstock.web.live_state import HealthWatch, LatestIndicators, status_message
from tickstock.web.market import Market
from tickstock.web.trading_clock import TradingClock
from tickstock.web.watch_sets import Room, WatchSets

logger = logging.getLogger(__name__)

FRAME_SECONDS = 0.05
CROWDED_FRAME_SECONDS = 0.25
CROWDED_CLIENTS = 50
SNAPSHOT_EVENTS = 500
MOST_WATCHED = 10_000
LONGEST_SYMBOL = 24
FRAME_BACKLOG = 4  # packets waiting for a browser; with more its tick frames are skipped
EVENT_BACKLOG = 5_000  # with more its events are dropped, and it gets a snapshot when it has caught up


class Since(msgspec.Struct, forbid_unknown_fields=False):
    """What a browser says after it was away: the last number it holds."""

    epoch: str
    seq: int


class LivePage:
    """All connected browsers, and what they are told."""

    def __init__(
        self, settings: Settings, socketio: SocketIO, market: Market, clock: TradingClock, rejections: Rejections
    ) -> None:
        """`rejections` counts what browsers send and cannot be read."""
        self.settings = settings
        self.socketio = socketio
        self.market = market
        self.clock = clock
        self.log = EventLog(secrets.token_hex(8))
        self.counters = DayCounters()
        self.health = HealthWatch(now_ms())
        self._started = now_ms()
        self.indicators = LatestIndicators()
        self.watch_sets = WatchSets()
        self.rejections = rejections
        self.default_symbols = watched_symbols(settings)
        self.frames_sent = 0
        self.frames_skipped = 0
        self.resyncs = 0
        self._lock = threading.RLock()  # numbers leave in their order; a snapshot and what follows it fit together
        self._late: set[str] = set()  # browsers whose tick frames are skipped
        self._lost: set[str] = set()  # browsers whose events were dropped
        self._told: dict[str, Any] = {}
        self._stop = threading.Event()

    # --- from the subscriber ---------------------------------------------------------------------------------------

    def signal(self, signal: Signal) -> bool:
        """A pattern or an alert: numbered, counted and sent to everybody; False when it was known already."""
        with self._lock:
            entry = self.log.add(signal)
            if entry is None:
                return False
            if entry.is_new:
                self.counters.add_signal(signal)
            self._send(_event_name(entry), entry.payload, skip=self._lost)
            return True

    def indicator(self, indicator: StreamingIndicator) -> None:
        """Indicator values of a closed bar, to the browsers that watch its symbol."""
        with self._lock:
            if not self.counters.add_indicator(indicator):
                return
            payload = self.indicators.take(indicator)
            for room in self.watch_sets.watching(indicator.symbol):
                self._send("streaming_indicator", payload, to=room.name, skip=self._lost)

    def health_report(self, report: StreamingHealth, received: int | None = None) -> bool:
        """A health message; True when PL is newly there, so that its stored results should be read again."""
        with self._lock:
            is_another = self.health.take(report, now_ms() if received is None else received)
            self._tell("streaming_health", self.health.message(now_ms()))
            return is_another

    def redis_away(self, since: int | None) -> None:
        """Redis does not answer since then; None: it does (again)."""
        with self._lock:
            was_away = self.health.redis_away_since is not None
            self.health.redis_away(since, now_ms())
            if was_away != (since is not None):
                self._tell("streaming_health", self.health.message(now_ms()))

    def stored_day(self, stored: StoredDay, day: TradingDay, seq_before: int) -> int:
        """Merge what the database holds; `seq_before` is the log's number when the reading began. Returns how many were new."""
        with self._lock:
            if self.counters.day != day:
                self.counters.begin(day)
            arrived = [entry.signal for entry in self.log.since(seq_before) or () if entry.is_new]
            self.log.complete_from = max(self.log.complete_from, stored.complete_from)
            added = sum(self.log.add(signal) is not None for signal in stored.signals)
            self.counters.take(stored, arrived)
            if added:
                for client in self.watch_sets.client_ids:
                    self._send_snapshot(client)
            return added

    def begin_day(self, day: TradingDay) -> None:
        """A new trading day: counters start again."""
        with self._lock:
            self.counters.begin(day)

    # --- from browsers ---------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Attach the handlers of this namespace."""
        self.socketio.on_event("connect", self._on_connect)
        self.socketio.on_event("disconnect", self._on_disconnect)
        self.socketio.on_event("watch", self._on_watch)
        self.socketio.on_event("since", self._on_since)
        self.socketio.on_event("*", self._on_unknown)
        self.socketio.on_error_default(self._on_error)

    def _on_connect(self, _auth: object = None) -> None:
        client = _client()
        with self._lock:
            self._enter(client, self.default_symbols)
            self._send_snapshot(client)

    def _on_disconnect(self, *_reason: object) -> None:
        client = _client()
        with self._lock:
            self.watch_sets.leave(client)
            self._late.discard(client)
            self._lost.discard(client)

    def _on_watch(self, *arguments: object) -> None:
        client = _client()
        symbols = _symbols(arguments[0] if len(arguments) == 1 else arguments or None)
        if symbols is None:
            self._refuse(
                client, "watch", f"a list of at most {MOST_WATCHED} symbols, or an object with it as `symbols`", arguments
            )
            return
        with self._lock:
            room = self._enter(client, symbols)
            self._send("ticks", self._whole_frame(room), to=client)
            for payload in self.indicators.of(room.symbols):
                self._send("streaming_indicator", payload, to=client)
            self._send("streaming_health", self.health.message(now_ms()), to=client)
            self._send("feed_status", self.feed_status(), to=client)

    def _on_since(self, *arguments: object) -> None:
        client = _client()
        try:
            asked = msgspec.convert(arguments[0] if len(arguments) == 1 else None, Since)
        except msgspec.ValidationError:
            self._refuse(client, "since", 'an object {"epoch": text, "seq": whole number}', arguments)
            return
        with self._lock:
            entries = self.log.since(asked.seq) if asked.epoch == self.log.epoch else None
            if entries is None:
                self._send_snapshot(client)
            else:
                self._send("events", {
                    "epoch": self.log.epoch, "from": asked.seq + 1, "to": self.log.seq,
                    "events": [Raw(entry.payload) for entry in entries],
                }, to=client)  # fmt: skip

    def _on_unknown(self, event: str, *_: object) -> None:
        self.rejections.add("an event of an unknown name", event)

    def _refuse(self, client: str, event: str, expected: str, got: object) -> None:
        self.rejections.add(f"malformed {event}", got)
        self._send("error", {"event": event, "message": f"`{event}` must be {expected}"}, to=client)

    def _on_error(self, problem: Exception) -> None:
        self.rejections.add("message that raised", problem)

    def _enter(self, client: str, symbols: Iterable[str]) -> Room:
        left, room = self.watch_sets.watch(client, symbols)
        if left is not None and left is not room:
            leave_room(left.name)
        join_room(room.name)
        if len(room.clients) == 1:
            room.version = self.market.board.version
        return room

    # --- what is sent ----------------------------------------------------------------------------------------------

    def feed_status(self) -> dict[str, Any]:
        """The feed's state with the figures of the status bar."""
        status = self.market.status()
        figures = self.market.figures()
        return {
            **status_message(status, self._started, now_ms(), figures),
            "source": status.source if status is not None else self.settings.feed,
            "channel": self.settings.channel,
            "delay_ms": self.settings.delay_ms,
            "ticks_per_second": figures.get("ticks_per_second"),
            "lag_ms": figures.get("lag_ms"),
        }

    def day_figures(self) -> dict[str, Any]:
        """The counters of the trading day."""
        figures = self.market.figures()
        return self.counters.as_dict(str(figures.get("run", "")), int(figures.get("ticks", 0)))

    def snapshot(self, client: str) -> dict[str, Any]:
        """All that a browser needs to begin, or to begin again."""
        room = self.watch_sets.room_of(client)
        symbols = room.symbols if room is not None else ()
        return {
            "epoch": self.log.epoch,
            "seq": self.log.seq,
            "time": now_ms(),
            "watch": symbols,
            "symbols": self.market.board.snapshot(symbols)[1],
            "indicators": self.indicators.of(symbols),
            "events": [Raw(entry.payload) for entry in self.log.last_detected(SNAPSHOT_EVENTS)],
            "counters": self.day_figures(),
            "session": self.clock.message(),
            "health": self.health.message(now_ms()),
            "feed": self.feed_status(),
        }

    def _send_snapshot(self, client: str) -> None:
        self._lost.discard(client)
        self._send("snapshot", self.snapshot(client), to=client)

    def _whole_frame(self, room: Room) -> dict[str, Any]:
        return {"time": now_ms(), "symbols": self.market.board.snapshot(room.symbols)[1]}

    def _send(self, event: str, data: Any, *, to: str | None = None, skip: Iterable[str] = ()) -> None:
        payload = Raw(data) if isinstance(data, bytes) else Raw(msgspec.json.encode(data))
        self.socketio.emit(event, payload, to=to, skip_sid=list(skip))

    def _tell(self, event: str, message: dict[str, Any]) -> None:
        """Send a state to everybody and remember it, so that an unchanged one is not sent again."""
        self._told[event] = message
        self._send(event, message)

    # --- the frame loop --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Send frames until `stop`; a thread of its own."""
        next_second = 0.0
        while not self._stop.is_set():
            crowded = self.watch_sets.clients > CROWDED_CLIENTS
            try:
                self.send_frames()
                if time.monotonic() >= next_second:
                    next_second = time.monotonic() + 1.0
                    self.send_states()
            except Exception as problem:
                self.rejections.add("frame that raised", problem)
                logger.debug("LIVE-PAGE: frame failed", exc_info=True)
            time.sleep(CROWDED_FRAME_SECONDS if crowded else FRAME_SECONDS)

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    def send_frames(self) -> None:
        """One conflated frame for every set of symbols that somebody watches and that changed."""
        self._watch_backlogs()
        for room in self.watch_sets.rooms:
            if self.market.board.version == room.version:
                continue
            room.version, states = self.market.board.changed_since(room.version, room.symbols)
            if states:
                self._send("ticks", {"time": now_ms(), "symbols": states}, to=room.name, skip=self._late)
                self.frames_sent += len(room.clients)
                self.frames_skipped += len(room.clients & self._late)
            cooperation.give_way()

    def send_states(self) -> None:
        """Once a second: the feed's status, the counters, and PL's health when its report has become too old."""
        self._tell("feed_status", self.feed_status())
        counters = self.day_figures()
        if counters != self._told.get("counters"):
            self._tell("counters", counters)
        health = self.health.message(now_ms())
        if health["status"] != self._told.get("streaming_health", {}).get("status"):
            self._tell("streaming_health", health)
        session = self.clock.message()
        if session != self._told.get("session"):
            self._tell("session", session)

    def _watch_backlogs(self) -> None:
        """Skip frames of browsers that are slow; drop events of those that are far behind, and resynchronise them later."""
        for room in self.watch_sets.rooms:
            for client in tuple(room.clients):
                waiting = self._backlog(client)
                if waiting > EVENT_BACKLOG:
                    self._lost.add(client)
                if waiting > FRAME_BACKLOG:
                    self._late.add(client)
                elif client in self._late or client in self._lost:
                    self._late.discard(client)
                    self.resyncs += 1
                    with self._lock:
                        if client in self._lost:
                            self._send_snapshot(client)
                        else:
                            self._send("ticks", self._whole_frame(room), to=client)

    def _backlog(self, client: str) -> int:
        server = self.socketio.server
        connection = server.eio.sockets.get(server.manager.eio_sid_from_sid(client, "/"))
        return 0 if connection is None else int(connection.queue.qsize())


def watched_symbols(settings: Settings) -> tuple[str, ...]:
    """The default watchlist: the settings' symbols; with * the well-known ones."""
    return tuple(DEFAULT_SYMBOLS) if "*" in settings.symbols else settings.symbols


def _client() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


def _event_name(entry: Entry) -> str:
    return "indicator_alert" if isinstance(entry.signal, IndicatorAlert) else "streaming_pattern"


def _symbols(asked: object) -> list[str] | None:
    """The symbols of a `watch` message; None when it is malformed."""
    if isinstance(asked, dict):
        asked = asked.get("symbols")
    if not isinstance(asked, (list, tuple)) or len(asked) > MOST_WATCHED:
        return None
    if not all(isinstance(each, str) and 0 < len(each) <= LONGEST_SYMBOL and each.isprintable() for each in asked):
        return None
    return list(asked)
