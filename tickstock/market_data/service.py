"""MarketDataService: takes in the feed, one run after another, and has done with each tick what `TickSteps` does."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tickstock.contract import FeedStatus
from tickstock.cooperation import give_way
from tickstock.feed.feed_items import LATEST_MS
from tickstock.feed.feed_stream import FeedStream
from tickstock.feed.halts import CLOCK_TOLERANCE_MS, FRAME_MARK, HaltReader, why_unknown
from tickstock.feed.massive_client import ConnectionState, MassiveClient
from tickstock.feed.massive_events import Event, decode_frame
from tickstock.feed.silence import SilenceRule
from tickstock.logs import Rejections, all_counts
from tickstock.market_data.feed_clock import FeedClock, elapsed
from tickstock.market_data.flow import AHEAD_TICKS
from tickstock.market_data.live_board import LiveBoard
from tickstock.market_data.run_sequence import RunSequence, end_of
from tickstock.market_data.tick_forwarder import WAITING_FOR_STREAMING
from tickstock.market_data.tick_steps import Forwarder, Recorder, TickSteps
from tickstock.market_hours import Calendar
from tickstock.settings import Settings

logger = logging.getLogger(__name__)

CLOCK_SECONDS = 0.05
TURN_SECONDS = 0.005
TURN_EVENTS = 1_000  # events of frames that wait are taken together up to here
REDIS_WAIT_SECONDS = 5.0  # at the start; after that the app begins without Redis
LEASE_RETRY_SECONDS = 1.0
BACKLOG_BYTES = 32 * 1024 * 1024  # of frames; a feed that we cannot follow is no longer read, and its gap repaired from REST
DELAY_TOLERANCE_MS = 30_000
STANDSTILL_MS = 2_000  # between two looks at the clock, 50 ms apart: longer, and the computer slept or the process was paused
UNREAD_MS = 2_000  # how long the clock is not shown after that, while what came meanwhile is read
STORE_AHEAD_TICKS = 100_000  # how far a replay may run ahead of the database

Clock = Callable[[], float]
OnFrame = Callable[[bytes, int], None]
OnState = Callable[[ConnectionState], None]


class FeedClient(Protocol):
    """`MassiveClient`, as far as the service uses it."""

    def start(self) -> None: ...
    def stop(self, timeout: float = 5.0) -> None: ...
    def watch(self, symbols: Sequence[str]) -> None: ...
    def hold(self) -> None: ...
    def release(self) -> None: ...


class Connect(Protocol):
    """Makes the client of the feed."""

    def __call__(self, settings: Settings, calendar: Calendar, on_frame: OnFrame, on_state: OnState) -> FeedClient: ...


class MarketDataService:
    """Takes the feed's frames and does four steps for each tick, from a thread of its own.

    `board`, `recorder` and `forwarder` belong to the caller, who starts them before and stops them after the service.
    """

    def __init__(
        self,
        settings: Settings,
        calendar: Calendar,
        board: LiveBoard,
        recorder: Recorder,
        forwarder: Forwarder,
        *,
        connect: Connect = MassiveClient.for_settings,
        clock: Clock = time.time,
        steady: Clock = elapsed,
    ) -> None:
        self._settings = settings
        self._calendar = calendar
        self._recorder = recorder
        self._forwarder = forwarder
        self._connect = connect
        self._clock = FeedClock(settings.delay_ms, clock, steady)
        self._wall_clock = settings.feed_clock == "wall"
        self._silence = SilenceRule(settings, calendar)
        self._symbols: tuple[str, ...] = settings.symbols  # that are watched; replaced as a whole, by any thread
        self._watched: tuple[str, ...] = ()  # of that, what the run knows
        self._subscribed: tuple[str, ...] = ()  # what the feed was asked for
        self._sequence: RunSequence | None = None
        self._client: FeedClient | None = None
        self._client_is_held = False
        self._refusal: FeedStatus | None = None  # what the run said last whose key the feed refused: there is no other one
        self._arrivals: deque[tuple[bytes, int] | ConnectionState] = deque()
        self._bytes_in = self._bytes_out = 0  # of frames; each is written by one thread only
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._steps = TickSteps(board, recorder, forwarder, self._now)
        self._halts = HaltReader()
        self._halts_known = why_unknown(settings) or "unknown: not asked for yet"
        self._bad_events = Rejections(logger, "MARKET-DATA-SERVICE")
        self._clock_was_set = False
        self._looked_at = self._shown_clock = self._shows_clock_at = 0  # feed clock, Unix ms
        self._connected_times = 0  # to the feed, with every subscription asked for
        self._thread = threading.Thread(target=self._run, name="market-data-service", daemon=True)

    def start(self) -> None:
        """Start the thread; it claims the lease, then connects to the feed."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Leave the feed, say so in the log, end the thread."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def watch(self, symbols: Sequence[str]) -> None:
        """Take in these symbols from now on, on the same connection. Any thread may call it; it returns at once.

        With TICKSTOCK_SYMBOLS=* everything is subscribed already, and an app that does not ingest subscribes nothing.
        """
        if "*" not in self._settings.symbols:
            self._symbols = tuple(symbols)
            self._wake.set()

    @property
    def status(self) -> FeedStatus | None:
        """The feed's status as last given out; None while another app ingests."""
        sequence = self._sequence
        return sequence.status if sequence is not None else self._refusal

    def state(self) -> dict[str, Any]:
        """What /health shows of it."""
        sequence, holder = self._sequence, self._forwarder.other_holder
        state: dict[str, Any] = {
            "ingesting": sequence is not None,
            "passive": self._why_passive(holder) if sequence is None else "",
            "connected_times": self._connected_times,
            "halts": {"detail": self._halts_known, **self._halts.counts},
            "frame_bytes_waiting": self._bytes_in - self._bytes_out,
            "step_faults": dict(self._steps.faults.counts),
            "rejected": dict(self._bad_events.counts),
        }
        if sequence is not None:
            stream = sequence.stream
            state |= {
                "run": sequence.run,
                "ticks": sequence.position,
                "watermark": stream.watermark,
                "last_event_end": stream.last_event_end,
                "smallest_delay_ms": stream.smallest_delay_ms,
                "counts": dict(stream.counts),
                "issues": self._issues(stream.smallest_delay_ms),
                "rejected": all_counts(self._bad_events, stream.rejections, sequence.rejections),
            }
        return state

    def _why_passive(self, holder: str | None) -> str:
        if self._refusal is not None:
            return "the feed refused the key; another app may ingest"
        return f"another app (run {holder}) ingests" if holder else ""

    def _issues(self, smallest_delay_ms: int | None) -> list[str]:
        """The feed's real delay against the one that minutes are closed by."""
        delay = self._settings.delay_ms
        if not self._wall_clock or smallest_delay_ms is None or abs(smallest_delay_ms - delay) <= DELAY_TOLERANCE_MS:
            return []
        return [f"the feed's events arrive {smallest_delay_ms / 1000:.0f} s after their time, expected are {delay / 1000:.0f} s: "
                "see TICKSTOCK_DELAY_SECONDS"]  # fmt: skip

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopped.is_set():
            if self._refusal is not None:
                self._stopped.wait(LEASE_RETRY_SECONDS)  # only a new key helps, and that takes a new start
                continue
            try:
                run = self._claim_run()
                if run is not None:
                    self._ingest(run)
            except Exception:  # a fault of ours: the run is over, the next one repairs the gap
                logger.exception("MARKET-DATA-SERVICE: the run failed; a new one begins")
                self._stopped.wait(1.0)
            finally:
                self._sequence = None
                self._leave_feed()

    def _claim_run(self) -> str | None:
        """A new run that may ingest: at once, when Redis is not there, or when another app has stopped; None when stopping."""
        run = secrets.token_hex(6)
        self._forwarder.begin(run)
        deadline = time.monotonic() + REDIS_WAIT_SECONDS
        while not (settled := self._forwarder.wait_until_settled(CLOCK_SECONDS)) and time.monotonic() < deadline:
            if self._stopped.is_set():
                return None
        if not settled:
            logger.warning("MARKET-DATA-SERVICE: Redis did not answer within %.0f s; ingesting begins without it",
                           REDIS_WAIT_SECONDS)  # fmt: skip
        said = False
        while (holder := self._forwarder.other_holder) is not None:
            if not said:
                said = True
                logger.warning("MARKET-DATA-SERVICE: passive: another app (run %s) ingests, or ended within the last 5 s; "
                               "this one serves pages", holder)  # fmt: skip
            if self._stopped.wait(LEASE_RETRY_SECONDS):
                return None
        return None if self._stopped.is_set() else run

    def _ingest(self, run: str) -> None:
        settings = self._settings
        self._sequence = sequence = RunSequence(
            run,
            settings.feed,
            lambda watermark: FeedStream.for_settings(settings, self._calendar, watermark),
            self._calendar,
            self._silence,
            symbols=self._symbols,
            previous=self._forwarder.last_logged_status(),
            wall_clock=self._wall_clock,
            delay_ms=settings.delay_ms,
            now_ms=self._now(),
        )
        self._steps.take(sequence, sequence.begin(self._now()))
        self._client_is_held = False
        self._looked_at = self._shown_clock = self._now()
        self._client = self._connect(settings, self._calendar, self._on_frame, self._on_state)
        self._watched = self._subscribed = ()
        self._follow_watchlists(sequence)
        self._client.start()
        while not self._stopped.is_set() and self._forwarder.other_holder is None and self._refusal is None:
            self._wake.wait(CLOCK_SECONDS)
            self._wake.clear()
            self._turns(sequence)
        self._leave_feed()
        if self._stopped.is_set():
            self._steps.take(sequence, sequence.stop("the app was stopped", self._now()))
        elif self._refusal is not None:
            self._forwarder.leave()
        else:
            logger.error("MARKET-DATA-SERVICE: another app (run %s) took the lease; run %s is over",
                         self._forwarder.other_holder, run)  # fmt: skip

    def _turns(self, sequence: RunSequence) -> None:
        """Handle what has arrived, in bounded turns, with the clock between them."""
        while not self._stopped.is_set():
            turn_ends = time.monotonic() + TURN_SECONDS
            gated = self._is_gated()
            while self._arrivals and not gated and time.monotonic() < turn_ends:
                self._take_arrivals(sequence)
                gated = self._is_gated()
            self._hold_or_release(gated)
            self._follow_watchlists(sequence)
            self._notice_a_set_clock(sequence)
            waits = not self._wall_clock and self._forwarder.waits_for_streaming
            self._steps.take(sequence, sequence.set_note(WAITING_FOR_STREAMING if waits else "", self._now()))
            self._steps.take(sequence, sequence.clock(self._clock_of_what_is_handled()))
            give_way()
            if gated or not self._arrivals:
                return

    def _follow_watchlists(self, sequence: RunSequence) -> None:
        """Tell the run what is watched, and the feed what the run wants of it: who goes stays until the minute is over."""
        if (symbols := self._symbols) is not self._watched:
            self._watched = symbols
            self._silence.watch(symbols)
            self._steps.take(sequence, sequence.watch(symbols, self._now()))
        if self._client is not None and sequence.subscribed is not self._subscribed:
            self._subscribed = sequence.subscribed
            self._client.watch(self._subscribed)

    def _notice_a_set_clock(self, sequence: RunSequence) -> None:
        """Statuses are stamped by the wall clock, like everything else that is shown; minutes do not follow its jumps."""
        sequence.wall_ahead_ms = ahead = self._clock.wall_ahead_ms
        if bool(ahead) != self._clock_was_set:
            self._clock_was_set = bool(ahead)
            if ahead:
                logger.warning("MARKET-DATA-SERVICE: the computer's clock was set by %.0f s; minutes go on as before until the "
                               "feed's events agree with it", ahead / 1000)  # fmt: skip
            else:
                logger.warning("MARKET-DATA-SERVICE: the computer's clock and the feed's events agree again")

    def _take_arrivals(self, sequence: RunSequence) -> None:
        """One change of state, or the frames that wait before the next one, together."""
        first = self._arrivals.popleft()
        if isinstance(first, ConnectionState):
            if first.kind == "halts":
                self._halts_known = first.detail
                return
            self._connected_times += first.kind == "confirmed"
            self._steps.take(sequence, sequence.state_changed(first, self._now()))
            if first.kind == "refused":
                self._refusal = sequence.status
            return
        frame, received = first
        self._bytes_out += len(frame)
        events: list[Event] = decode_frame(frame, self._bad_events)
        tells_of_halts = FRAME_MARK in frame
        while len(events) < TURN_EVENTS and self._arrivals and not isinstance(self._arrivals[0], ConnectionState):
            following = self._arrivals.popleft()
            assert not isinstance(following, ConnectionState)
            self._bytes_out += len(following[0])
            events += decode_frame(following[0], self._bad_events)
            tells_of_halts |= FRAME_MARK in following[0]
        if tells_of_halts:
            latest = received + CLOCK_TOLERANCE_MS if self._wall_clock else LATEST_MS - 1
            events, news = self._halts.take(events, latest)
            self._steps.show_halts(news)
        self._steps.take(sequence, sequence.add(events, received, self._now()))
        if self._clock_was_set and self._wall_clock and events and (newest := max(map(end_of, events))):
            self._clock.saw_event(newest)

    def _clock_of_what_is_handled(self) -> int:
        """The clock, but never ahead of what came and still waits: it would end minutes whose ticks are already here."""
        now = self._now()
        stood_still, self._looked_at = now - self._looked_at, now
        if not self._wall_clock:
            return now
        if stood_still > STANDSTILL_MS:
            self._shows_clock_at = now + UNREAD_MS
            logger.warning("MARKET-DATA-SERVICE: this process stood still for %.0f s (a sleeping computer?); "
                           "minutes stay open until what came meanwhile is read", stood_still / 1000)  # fmt: skip
        first = self._arrivals[0] if self._arrivals else None
        if now >= self._shows_clock_at:
            self._shown_clock = now if first is None or isinstance(first, ConnectionState) else min(now, first[1])
        return self._shown_clock

    def _is_gated(self) -> bool:
        """Whether a replay must wait: for Redis and TickStockPL, or for the database. A live feed never does."""
        return not self._wall_clock and (
            self._forwarder.waiting_ticks > AHEAD_TICKS or self._recorder.waiting_ticks > STORE_AHEAD_TICKS
        )

    def _hold_or_release(self, gated: bool) -> None:
        client, backlog = self._client, self._bytes_in - self._bytes_out
        if client is None:
            return
        if not self._client_is_held and (gated or backlog > BACKLOG_BYTES):
            self._client_is_held = True
            client.hold()
        elif self._client_is_held and not gated and backlog < BACKLOG_BYTES // 4:
            self._client_is_held = False
            client.release()

    def _leave_feed(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.stop()
        self._arrivals.clear()
        self._bytes_in = self._bytes_out = 0

    # Called by the client's thread: what they share with ours is a deque, one counter and an event.

    def _on_frame(self, frame: bytes, received: int) -> None:
        self._bytes_in += len(frame)
        self._arrivals.append((frame, self._clock.of_wall_ms(received)))
        if not self._wake.is_set():
            self._wake.set()

    def _on_state(self, state: ConnectionState) -> None:
        self._arrivals.append(state)
        self._wake.set()

    def _now(self) -> int:
        return self._clock.now_ms()
