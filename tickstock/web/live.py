"""Socket.IO: what the Live Streaming page hears and says.

Server to browser: `snapshot` on connect and when a browser must begin again; `ticks` {time, seen, symbols}, conflated, of
what it watches; `forming_bar`, the running minute of its chart's symbol; `streaming_pattern` and `indicator_alert`, as on
Redis plus `seq`; `streaming_indicator` of what it watches; `streaming_health`, `feed_status`, `counters`, `session`: states,
sent when they change; `events` {epoch, from, to, until, events}, the answer to `since`, in parts when it is long; `watching`
{list, name, symbols}, what the browser watches from now on; `watchlists`, a state; `error` {event, message}. Browser to server:
`watch` (a list or symbols), `since` {epoch, seq}, `visible` (true or false), `chart` (a symbol or null), and the acknowledgements
that messages ask for; with the connection {list, chart}.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import Any

from flask import request
from flask_socketio import SocketIO

from tickstock.contract import IndicatorAlert, StreamingHealth, StreamingIndicator
from tickstock.logs import Rejections
from tickstock.market_hours import now_ms
from tickstock.settings import DEFAULT_SYMBOLS, Settings
from tickstock.web.browser import Browser
from tickstock.web.browser_messages import AUTH, SINCE, WATCH, Arrival, is_symbol, read_arrival, read_since, read_watch
from tickstock.web.connections import Connections
from tickstock.web.day_counters import DayCounters, StoredDay, TradingDay
from tickstock.web.delivery import Delivery
from tickstock.web.event_log import Entry, EventLog, Signal
from tickstock.web.live_state import HealthWatch, LatestIndicators, status_message
from tickstock.web.market import Market
from tickstock.web.message import Message, within
from tickstock.web.trading_clock import TradingClock
from tickstock.web.watch_sets import WatchSets
from tickstock.web.watchlists import Watchlist, Watchlists

logger = logging.getLogger(__name__)

ROUND_SECONDS = 0.05
SHORTEST_PAUSE_SECONDS = 0.005
SNAPSHOT_EVENTS = 500
SNAPSHOT_EVENT_BYTES = 224 * 1024
SNAPSHOT_INDICATOR_BYTES = 64 * 1024  # the rest follows like any later value


class LivePage:
    """All connected browsers, and what they are told."""

    def __init__(
        self,
        settings: Settings,
        socketio: SocketIO,
        connections: Connections,
        market: Market,
        clock: TradingClock,
        rejections: Rejections,
    ) -> None:
        """`connections` is the client manager of `socketio`; `rejections` counts what browsers send and cannot be read."""
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
        self.lists = Watchlists(self.default_symbols)
        self.delivery = Delivery(connections, market.board, self.log, self.indicators)
        self.delivery.snapshot = lambda browser: Message.of("snapshot", self.snapshot(browser))
        self.delivery.state = lambda: Message.of("feed_status", self.feed_status())
        self._connections = connections
        connections.on_acknowledged = self._on_acknowledged
        self._lock = self.delivery.lock
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
            self.delivery.tell(Message(_event_name(entry), entry.payload), hidden_too=True)
            return True

    def indicator(self, indicator: StreamingIndicator) -> None:
        """Indicator values of a closed bar, to the browsers that watch its symbol."""
        with self._lock:
            if self.counters.add_indicator(indicator):
                self.indicators.take(indicator)

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
            arrived = [entry.signal for entry in self.log.entries(max(seq_before + 1, self.log.oldest)) if entry.is_new]
            self.log.complete_from = max(self.log.complete_from, stored.complete_from)
            added = sum(self.log.add(signal) is not None for signal in stored.signals)
            self.counters.take(stored, arrived)
            if added:
                for browser in list(self.delivery.browsers.values()):
                    self.delivery.resynchronise(browser)
            return added

    def begin_day(self, day: TradingDay) -> None:
        """A new trading day: counters start again."""
        with self._lock:
            self.counters.begin(day)

    # --- watchlists ------------------------------------------------------------------------------------------------

    def set_lists(self, lists: Watchlists) -> None:
        """These are the lists from now on: whoever watches one that is another now is moved and told."""
        with self._lock:
            before, self.lists = self.lists, lists
            self._tell("watchlists", lists.message)
            for browser in list(self.delivery.browsers.values()):
                if browser.wanted_list is None:
                    continue
                found, watched = lists.get(browser.wanted_list), browser.room.list
                if watched != (found or lists.default):
                    was_deleted = found is None and watched is not None and watched.id == browser.wanted_list
                    deleted = before.get(browser.wanted_list) if was_deleted else None
                    self._enter_list(
                        browser, found or lists.default, f"The watchlist {deleted.name} was deleted" if deleted else None
                    )

    def _enter_list(self, browser: Browser, watchlist: Watchlist, reason: str | None = None) -> None:
        browser.enter(self.watch_sets.watch_list(browser.client, watchlist))
        self._tell_watching(browser, reason)

    def _tell_watching(self, browser: Browser, reason: str | None = None) -> None:
        room = browser.room
        message: dict[str, Any] = {
            "list": room.list and room.list.id,
            "name": room.list and room.list.name,
            "symbols": room.symbols,
        }
        self.delivery.send(browser, Message.of("watching", message | ({"reason": reason} if reason else {})))

    def _why_default(self) -> str:
        """Why a browser gets the default list in place of the one that it asked for."""
        if self.lists.is_read:
            return "The watchlist that was shown here does not exist any more"
        return "The watchlists could not be read yet; the one that was shown here comes as soon as they are"

    # --- from browsers ---------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Attach the handlers of this namespace."""
        self.socketio.on_event("connect", self._on_connect)
        self.socketio.on_event("disconnect", self._on_disconnect)
        self.socketio.on_event("watch", self._on_watch)
        self.socketio.on_event("since", self._on_since)
        self.socketio.on_event("visible", self._on_visible)
        self.socketio.on_event("chart", self._on_chart)
        self.socketio.on_event("*", self._on_unknown)
        self.socketio.on_error_default(self._on_error)

    def _on_connect(self, auth: object = None) -> None:
        client = _client()
        self._connections.bound(request.environ)
        arrival = read_arrival(auth)
        if arrival is None:
            self.rejections.add("malformed auth", auth)
        asked = arrival or Arrival()
        with self._lock:
            wanted = asked.list or self.lists.default.id
            found = self.lists.get(wanted)
            browser = self.delivery.enter(client, self.watch_sets.watch_list(client, found or self.lists.default))
            browser.wanted_list, browser.chart = wanted, asked.chart
            if found is None:
                self._tell_watching(browser, self._why_default())
            if arrival is None:
                self._send_error(browser, "connect", f"`auth` must be {AUTH}")

    def _on_disconnect(self, *_reason: object) -> None:
        client = _client()
        with self._lock:
            self.watch_sets.leave(client)
            self.delivery.leave(client)
        self._connections.cut(request.environ)

    def _on_acknowledged(self, client: str, number: int) -> None:
        if not self.delivery.acknowledged(client, number):
            self.rejections.add("an acknowledgement of nothing", number)

    def _on_watch(self, *arguments: object) -> None:
        asked = read_watch(arguments[0] if len(arguments) == 1 else arguments or None)
        if asked is None:
            self._refuse("watch", WATCH, arguments)
            return
        with self._lock:
            if browser := self._browser():
                browser.wanted_list = asked.list
                if asked.list is None:
                    browser.enter(self.watch_sets.watch(browser.client, asked.symbols))
                    self._tell_watching(browser)
                else:
                    found = self.lists.get(asked.list)
                    self._enter_list(browser, found or self.lists.default, None if found else self._why_default())
                self.delivery.send(browser, Message.of("streaming_health", self.health.message(now_ms())))
                self.delivery.send(browser, self.delivery.state())

    def _on_since(self, *arguments: object) -> None:
        asked = read_since(arguments[0] if len(arguments) == 1 else None)
        if asked is None:
            self._refuse("since", SINCE, arguments)
            return
        with self._lock:
            if browser := self._browser():
                numbers = self.log.since(asked.seq) if asked.epoch == self.log.epoch else None
                if numbers is None:
                    self.delivery.resynchronise(browser)
                else:
                    self.delivery.owe(browser, numbers)

    def _on_visible(self, *arguments: object) -> None:
        if len(arguments) != 1 or not isinstance(arguments[0], bool):
            self._refuse("visible", "true or false", arguments)
            return
        with self._lock:
            if browser := self._browser():
                is_seen_again = arguments[0] and not browser.is_visible
                browser.is_visible = arguments[0]
                if is_seen_again:
                    self.delivery.resynchronise(browser)

    def _on_chart(self, *arguments: object) -> None:
        symbol = arguments[0] if arguments else None  # some clients send null as nothing
        if len(arguments) > 1 or not (symbol is None or is_symbol(symbol)):
            self._refuse("chart", "a symbol or null", arguments)
            return
        with self._lock:
            if browser := self._browser():
                self.delivery.show_chart(browser, symbol)

    def _on_unknown(self, event: str, *_: object) -> None:
        self.rejections.add("an event of an unknown name", event)

    def _refuse(self, event: str, expected: str, got: object) -> None:
        self.rejections.add(f"malformed {event}", got)
        with self._lock:
            if browser := self._browser():
                self._send_error(browser, event, f"`{event}` must be {expected}")

    def _send_error(self, browser: Browser, event: str, said: str) -> None:
        self.delivery.send(browser, Message.of("error", {"event": event, "message": said}))

    def _browser(self) -> Browser | None:
        """The browser whose message is handled; None when it has just gone."""
        return self.delivery.browsers.get(_client())

    def _on_error(self, problem: Exception) -> None:
        self.rejections.add("message that raised", problem)

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
            "seq": self.log.seq,
        }

    def day_figures(self) -> dict[str, Any]:
        """The counters of the trading day."""
        figures = self.market.figures()
        return self.counters.as_dict(str(figures.get("run", "")), int(figures.get("ticks", 0)))

    def snapshot(self, browser: Browser) -> dict[str, Any]:
        """All that a browser needs to begin, or to begin again; the rest of a long list of symbols follows in frames."""
        browser.enter(browser.room)
        symbols: list[Any] = []
        if browser.room.slices:
            browser.versions[0], symbols = self.market.board.snapshot(browser.room.slices[0])
        values = self.indicators.changed_since(0, browser.room.symbols)
        indicators = within((payload for _, payload in values), SNAPSHOT_INDICATOR_BYTES)
        browser.indicators_version = values[len(indicators) - 1][0] if indicators else self.indicators.version
        newest = within((entry.payload for entry in reversed(self.log.last_detected(SNAPSHOT_EVENTS))), SNAPSHOT_EVENT_BYTES)
        return {
            "epoch": self.log.epoch,
            "seq": self.log.seq,
            "oldest": self.log.oldest,
            "time": now_ms(),
            "list": browser.room.list and browser.room.list.id,
            "watch": browser.room.symbols,
            "watchlists": self.lists.message,
            "symbols": symbols,
            "indicators": indicators,
            "events": newest[::-1],
            "counters": self.day_figures(),
            "session": self.clock.message(),
            "health": self.health.message(now_ms()),
            "feed": self.feed_status(),
        }

    def _tell(self, event: str, message: Any) -> None:
        """Send a state to whoever sees it and remember it, so that an unchanged one is not sent again."""
        self._told[event] = message
        self.delivery.tell(Message.of(event, message), hidden_too=False)

    # --- the frame loop --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Send frames until `stop`; a thread of its own."""
        next_round = next_second = time.monotonic()
        while not self._stop.is_set():
            try:
                self.delivery.send_frames()
                if time.monotonic() >= next_second:
                    next_second = time.monotonic() + 1.0
                    self.send_states()
            except Exception as problem:
                self.rejections.add("frame that raised", problem)
                logger.debug("LIVE-PAGE: frame failed", exc_info=True)
            next_round = max(next_round + ROUND_SECONDS, time.monotonic() + SHORTEST_PAUSE_SECONDS)
            time.sleep(next_round - time.monotonic())

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    def send_states(self) -> None:
        """Once a second: the feed's status, the counters, and PL's health when its report has become too old."""
        with self._lock:
            self._send_states()

    def _send_states(self) -> None:
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


def watched_symbols(settings: Settings) -> tuple[str, ...]:
    """The default watchlist: the settings' symbols; with * the well-known ones."""
    return tuple(DEFAULT_SYMBOLS) if "*" in settings.symbols else settings.symbols


def _client() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


def _event_name(entry: Entry) -> str:
    return "indicator_alert" if isinstance(entry.signal, IndicatorAlert) else "streaming_pattern"
