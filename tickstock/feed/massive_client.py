"""The client of Massive's WebSocket: connects, authenticates, subscribes, and comes back for ever.

Plain `threading`, `time` and sockets, so that it runs on green threads as well. The thread only reads: frames are handed over as
they came, and only those that speak of the connection itself are looked at here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import websocket

from tickstock.cooperation import give_way
from tickstock.errors import FeedBusy, FeedLost, FeedRefused
from tickstock.feed.backoff import Backoff
from tickstock.feed.frame_outbox import ConnectionState, FrameOutbox
from tickstock.feed.halts import HaltSubscription, why_unknown
from tickstock.feed.massive_session import MassiveSession
from tickstock.feed.silence import SilenceRule
from tickstock.feed.status_frames import statuses_in
from tickstock.logs import shortened
from tickstock.market_hours import Calendar, now_ms
from tickstock.settings import Settings

__all__ = ["ConnectionState", "MassiveClient"]

_POLL_SECONDS = 0.2
_GIVE_WAY_SECONDS = 0.005
_NEWS_SECONDS = 0.25  # acknowledgements that come one by one are told together
_DATA = (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY)
_EXPECTED = (FeedLost, OSError, websocket.WebSocketException)
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}

_log = logging.getLogger(__name__)


class MassiveClient:
    """One connection to the feed, kept up by a thread.

    `on_frame(frame, received_ms)` and `on_state(state)` are called by that thread, in the order in which things happened; no
    frame comes before the `confirmed` state of its connection, and none of an older connection after it. After `refused` or
    `ended` the thread ends.

    Args:
        reconnect_after_ms: the silence after which to connect anew, asked with the wall clock (ms); None: never.
        on_watch: is told the symbols of every `watch`.
        ack_seconds: how long the login, and then the acknowledgements, may take.
        busy_seconds: the wait after the feed said that the account's connections are used up.
        ping_seconds: how often to ping; a server that sends nothing for twice as long is given up.
        held_bytes: how much is read ahead while the service holds.
        halts: whether to ask for halts too.
    """

    def __init__(
        self,
        url: str,
        key: str,
        channel: str,
        symbols: Sequence[str],
        *,
        on_frame: Callable[[bytes, int], None],
        on_state: Callable[[ConnectionState], None],
        reconnect_after_ms: Callable[[int], int | None] = lambda now_ms: None,
        on_watch: Callable[[Sequence[str]], None] = lambda symbols: None,
        ack_seconds: float = 15.0,
        reconnect_max_seconds: float = 30.0,
        busy_seconds: float = 60.0,
        ping_seconds: float = 20.0,
        connect_seconds: float = 10.0,
        held_bytes: int = 8 * 1024 * 1024,
        halts: bool = False,
    ) -> None:
        self._url, self._key, self._channel, self._symbols = url, key, channel, tuple(symbols)
        self._reconnect_after_ms, self._on_watch = reconnect_after_ms, on_watch
        self._ack_seconds, self._busy_seconds = ack_seconds, busy_seconds
        self._ping_seconds, self._connect_seconds = ping_seconds, connect_seconds
        self._held_bytes = held_bytes
        self._outbox = FrameOutbox(on_frame, on_state)
        self._backoff = Backoff(reconnect_max_seconds)
        self._is_confirmed = False  # the present connection
        self._asks_for_halts = halts
        self._halts = HaltSubscription(halts, ack_seconds)
        self._halts_told = ""
        self._told_at = 0.0  # monotonic: when its subscriptions were last told of
        self._stopping = threading.Event()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._run, name="massive-client", daemon=True)

    @classmethod
    def for_settings(
        cls,
        settings: Settings,
        calendar: Calendar,
        on_frame: Callable[[bytes, int], None],
        on_state: Callable[[ConnectionState], None],
    ) -> MassiveClient:
        """The client that the settings describe."""
        silence = SilenceRule(settings, calendar)
        return cls(
            settings.feed_url,
            settings.massive_api_key,
            settings.channel,
            settings.symbols,
            on_frame=on_frame,
            on_state=on_state,
            reconnect_after_ms=silence.reconnect_after_ms,
            on_watch=silence.watch,
            ack_seconds=settings.ack_seconds,
            reconnect_max_seconds=settings.reconnect_max_seconds,
            halts=not why_unknown(settings),
        )

    def start(self) -> None:
        """Start the thread; it connects at once."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Close the connection and end the thread, within `timeout` seconds."""
        self._stopping.set()
        self._released.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def watch(self, symbols: Sequence[str]) -> None:
        """Have these symbols subscribed, and no others, without a new connection. Any thread may call it; it returns at once.

        When the feed has confirmed it, `on_state` is called with `changed` and the symbols that are new.
        """
        self._symbols = tuple(symbols)
        self._on_watch(symbols)

    def hold(self) -> None:
        """Deliver nothing until `release`. At most `held_bytes` are read ahead; pings are answered, the watchdog rests."""
        self._released.clear()
        self._outbox.held = True

    def release(self) -> None:
        """Deliver what was held, and go on."""
        self._outbox.held = False
        self._released.set()

    # --- the thread ---

    def _run(self) -> None:
        self._warn_of_open_key()
        while not self._stopping.is_set():
            wait = 0.0
            try:
                self._connect_and_read()
            except FeedRefused as problem:
                _log.error("MASSIVE-CLIENT: Stopped. %s", problem)
                self._say("refused", str(problem))
                break
            except FeedBusy as problem:
                wait = self._busy_seconds
                _log.error("MASSIVE-CLIENT: %s Trying again in %g s", problem, wait)
                self._say("reconnecting", str(problem))
            except Exception as problem:
                wait = self._backoff.wait_seconds()
                why = _reason(problem)
                _log.warning(
                    "MASSIVE-CLIENT: No connection: %s. Trying again in %.1f s",
                    why,
                    wait,
                    exc_info=not isinstance(problem, _EXPECTED),
                )
                self._say("reconnecting", why)
            else:
                break  # the day ended, or we were asked to stop
            self._wait(wait)
        self._deliver_rest()

    def _connect_and_read(self) -> None:
        """Read until the connection ends (raises) or is no longer wanted (returns)."""
        self._say("connecting", f"connecting to {urlsplit(self._url).hostname}")
        connection = websocket.create_connection(
            self._url, timeout=self._connect_seconds, enable_multithread=False, skip_utf8_validation=True
        )
        try:
            connection.settimeout(_POLL_SECONDS)
            self._read(connection)
        finally:
            connection.close(timeout=1)
            connection.shutdown()  # type: ignore[no-untyped-call]  # `close` leaves the socket when the server closed first

    def _read(self, connection: websocket.WebSocket) -> None:
        watched = self._symbols
        session = MassiveSession(self._key, self._channel, watched, self._ack_seconds, time.monotonic())
        self._outbox.begin_connection()
        self._is_confirmed = False
        self._halts = HaltSubscription(self._asks_for_halts, self._ack_seconds)
        heard = pinged = data_at = gave_way = time.monotonic()
        while not self._stopping.is_set() and not session.ended:
            now = time.monotonic()
            if self._outbox.held and self._outbox.bytes >= self._held_bytes:
                self._released.wait(_POLL_SECONDS)
                heard = data_at = now  # nothing is read, so nothing can be heard
                self._outbox.deliver()
                continue
            if self._symbols is not watched:
                watched = self._symbols
                _send(connection, session.watch(watched, now))
            if now - pinged >= self._ping_seconds:
                connection.ping()
                pinged = now
            if now - gave_way >= _GIVE_WAY_SECONDS:
                give_way()
                gave_way = now
            kind, data = _receive(connection)
            now = time.monotonic()
            if kind is not None:
                heard = now
            is_data = kind in _DATA and self._take(connection, session, data)
            if is_data or self._outbox.held:
                data_at = now
            self._outbox.deliver()
            self._check(connection, session, now, heard, data_at)

    def _take(self, connection: websocket.WebSocket, session: MassiveSession, frame: bytes) -> bool:
        """Whether the frame holds data."""
        statuses, has_data = statuses_in(frame)
        for event in statuses:
            if not self._halts.answer(event):
                _send(connection, session.answer(event, time.monotonic()))
        self._tell(session)
        if has_data:
            self._backoff.reset()
            self._outbox.put_frame(frame, now_ms())
        if session.ended:
            if not self._is_confirmed:
                session.settle()
                self._tell(session)
            self._say("ended", "end of recording")
        return has_data

    def _check(self, connection: websocket.WebSocket, session: MassiveSession, now: float, heard: float, data_at: float) -> None:
        _send(connection, session.check_time(now))
        if session.authenticated and not self._is_confirmed and self._outbox.bytes >= self._held_bytes and not self._outbox.held:
            session.settle()  # so much data waits for the last acknowledgements that it cannot wait longer
        self._tell(session)
        if self._is_confirmed and session.settled:
            _send(connection, self._halts.follow(self._symbols, now))
        self._tell_of_halts(now)
        if now - heard > 2 * self._ping_seconds:
            raise FeedLost(f"the feed did not answer a ping for {now - heard:.0f} s")
        limit = self._reconnect_after_ms(now_ms()) if self._is_confirmed else None
        if limit is not None and (now - data_at) * 1000 >= limit:
            raise FeedLost(f"the feed sent no data for {now - data_at:.0f} s")

    def _tell(self, session: MassiveSession) -> None:
        """Say what was confirmed: the first time when all was, or the time for it is over; then whatever changes."""
        now = time.monotonic()
        if not self._is_confirmed:
            if not session.settled:
                return
            kind, self._is_confirmed = "confirmed", True
        elif session.has_news and (session.settled or now - self._told_at >= _NEWS_SECONDS):
            kind = "changed"
        else:
            return
        self._told_at = now
        new = session.take_news()
        if session.settled and session.confirmed < session.requested:
            _log.warning("MASSIVE-CLIENT: Only %s", session.detail)
        elif kind == "changed":
            _log.info("MASSIVE-CLIENT: %s", session.detail)
        elif "*" in self._symbols:
            _log.info("MASSIVE-CLIENT: All tickers: subscription confirmed")
        else:
            _log.info("MASSIVE-CLIENT: All %d ticker subscriptions confirmed", session.requested)
        self._outbox.put_state(
            ConnectionState(kind, session.detail, session.confirmed, session.requested, new if kind == "changed" else ())
        )

    def _tell_of_halts(self, now: float) -> None:
        words = self._halts.words(now)
        if self._asks_for_halts and words != self._halts_told:
            self._halts_told = words
            self._say("halts", words)

    def _say(self, kind: str, detail: str) -> None:
        self._outbox.put_state(ConnectionState(kind, detail))

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopping.is_set():
            self._stopping.wait(min(left, _POLL_SECONDS))
            self._outbox.deliver()

    def _deliver_rest(self) -> None:
        while not self._outbox.empty and not self._stopping.is_set():
            self._released.wait(_POLL_SECONDS)
            self._outbox.deliver()

    def _warn_of_open_key(self) -> None:
        parts = urlsplit(self._url)
        if parts.scheme == "ws" and parts.hostname not in _LOCAL_HOSTS:
            _log.warning("MASSIVE-CLIENT: %s is not encrypted (ws://): the key can be read on the way", parts.hostname)


def _send(connection: websocket.WebSocket, messages: Sequence[bytes]) -> None:
    for message in messages:
        connection.send(message)


def _receive(connection: websocket.WebSocket) -> tuple[int | None, bytes]:
    """The next frame's kind and payload; None when none came for a moment. Pings are answered by the library."""
    try:
        kind, frame = connection.recv_data_frame(control_frame=True)
    except websocket.WebSocketTimeoutException:
        return None, b""
    except websocket.WebSocketConnectionClosedException:
        raise FeedLost("the feed ended the connection without a word") from None
    if kind == websocket.ABNF.OPCODE_CLOSE:
        raise FeedLost(f"the feed closed the connection{_close_reason(frame.data)}")
    return kind, frame.data


def _close_reason(payload: bytes) -> str:
    if len(payload) < 2:
        return ""
    text = payload[2:].decode("utf-8", "replace").strip()
    return f" (code {int.from_bytes(payload[:2], 'big')}{': ' + shortened(text) if text else ''})"


def _reason(problem: Exception) -> str:
    if isinstance(problem, websocket.WebSocketBadStatusException):
        return f"the server answered with HTTP {problem.status_code} instead of a WebSocket"
    return str(problem) or type(problem).__name__
