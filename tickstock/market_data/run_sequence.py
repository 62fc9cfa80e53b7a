"""One run of the app as one sequence: each tick with its position, and each status at its exact place between them.

Pure: events, states of the connection and the time come in, pieces of the sequence come out. Design sections 3 and 7.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from tickstock.contract import FeedStatus, SymbolsAt
from tickstock.feed.feed_items import HIGHEST_PRICE, FeedItem, FeedTick, in_milliseconds, is_ticker
from tickstock.feed.feed_stream import FeedStream
from tickstock.feed.massive_client import ConnectionState
from tickstock.feed.massive_events import Aggregate, Event, Trade
from tickstock.feed.silence import SilenceRule
from tickstock.logs import Rejections
from tickstock.market_data.watched_symbols import WatchedSymbols
from tickstock.market_hours import MINUTE_MS, Calendar

logger = logging.getLogger(__name__)

STATUS_EVERY_MS = 1000
MOST_SHARES = 1_000_000_000_000
EARLIEST, LATEST = 1_000_000_000_000, 4_102_444_800_000  # milliseconds; seconds and microseconds lie outside


class Piece(Struct, frozen=True, gc=False):
    """Ticks with consecutive positions from `first` on, and the status that stands behind them, if any."""

    first: int
    ticks: list[FeedTick]
    status: FeedStatus | None


class RunSequence:
    """The sequence of one run.

    Args:
        run: its name; `source`: what its ticks are.
        new_stream: makes the feed's stream, with the watermark at which an earlier run of the same day stood.
        symbols: those that are watched when it begins.
        previous: the status that stood last in the log when this run began.
        wall_clock: false for a recorded or virtual day, which follows its events alone.
        delay_ms: how far the feed is behind the clock.
        now_ms: the wall clock.
    """

    def __init__(
        self,
        run: str,
        source: str,
        new_stream: Callable[[int], FeedStream],
        calendar: Calendar,
        silence: SilenceRule,
        *,
        symbols: Sequence[str] = (),
        previous: FeedStatus | None,
        wall_clock: bool,
        delay_ms: int,
        now_ms: int,
    ) -> None:
        self.run = run
        self.source = source
        self.position = 0
        self.note = ""  # added to the detail of every status
        self.wall_ahead_ms = 0  # of the clock that is given here: added to the times at which statuses are said
        self.rejections = Rejections(logger, "MARKET-DATA-SERVICE")
        self._calendar = calendar
        self._silence = silence
        self._wall_clock = wall_clock
        self._delay_ms = delay_ms
        self._new_stream = new_stream
        # Another feed's watermark says nothing about this one's minutes.
        self._previous = previous.watermark if previous is not None and previous.source == source else 0
        # A recorded day may be an earlier one than the last: only its first event tells.
        self.stream = self._stream_at(self._previous if wall_clock else 0)
        self._was_live = False
        self._confirmed: ConnectionState | None = None  # confirmed, and waiting for the first event of a recorded day
        self._watched = WatchedSymbols(symbols)
        self._recorded_until = 0  # the feed's time when it was live again, or somebody joined
        self._joining: list[str] = []  # confirmed, and waiting for the next event of a recorded day
        self._kind, self._detail, self._since = "connecting", "starting", now_ms
        self._live_detail = ""
        self._status_at = 0
        self._data_at = now_ms
        self._symbols: set[str] = set()  # whose ticks are taken in without another look
        self._new_status(now_ms, self.stream.watermark)

    @property
    def status(self) -> FeedStatus:
        """The last status as it was given out."""
        return self._status

    @property
    def subscribed(self) -> tuple[str, ...]:
        """What the feed is to be asked for; the same object until it is something else."""
        return self._watched.subscribed

    def watch(self, symbols: Sequence[str], now_ms: int) -> list[Piece]:
        """These symbols are wanted from now on."""
        self._symbols.clear()
        back = self._watched.watch(symbols, self._next_minute(now_ms), self._was_live)
        return self._join(back, now_ms) if back else []

    def begin(self, now_ms: int) -> list[Piece]:
        """The first message of the run."""
        return [self._say(now_ms)]

    def state_changed(self, state: ConnectionState, now_ms: int) -> list[Piece]:
        """The connection to the feed changed."""
        if state.kind == "changed":
            return self._subscriptions_changed(state, now_ms)
        self._confirmed, self._joining = None, []
        if state.kind == "confirmed":
            self._data_at = now_ms
            if self._wall_clock:
                return self._go_live(state.detail, now_ms - self._delay_ms, now_ms)
            self._confirmed = state
            return [self._change(self._kind, f"{state.detail}; waiting for the first event", now_ms)]
        if state.kind == "ended":
            return self._end_day(state.detail, now_ms)
        self.stream.hold_watermark()
        self.stream.new_connection()
        left = self._say_left(self._watched.disconnected(), now_ms)
        if state.kind == "refused":
            return [*left, self._change("stopped", state.detail, now_ms)]
        return [*left, self._change("reconnecting" if self._was_live else "connecting", state.detail, now_ms)]

    def add(self, events: Sequence[Event], received_ms: int, now_ms: int) -> list[Piece]:
        """Events of the feed, received at `received_ms`."""
        pieces: list[Piece] = []
        if self._confirmed is not None:
            # A recording that was started again plays what was seen already; only what follows is new.
            newest = self.stream.last_event_end
            known = next((n for n, event in enumerate(events) if end_of(event) > newest), len(events))
            self.stream.counts["played_again"] += known
            events = events[known:]
            first = next((at for event in events if (at := _start_of(event))), 0)
            if not first:
                return pieces
            detail, self._confirmed = self._confirmed.detail, None
            pieces += self._go_live(detail, first, now_ms)
        elif self._joining and (newest := max(map(end_of, events), default=0)):
            joining, self._joining = self._joining, []
            self._recorded_until = newest
            pieces += self._join(joining, now_ms)
        self._data_at = now_ms
        if self._kind == "silent":
            pieces.append(self._change("live", self._live_detail, now_ms))
        pieces += self._pieces(self.stream.add(events, received_ms), now_ms)
        return pieces

    def clock(self, now_ms: int) -> list[Piece]:
        """The wall clock shows `now_ms`: call it at least every 50 ms."""
        pieces: list[Piece] = []
        if (
            self._kind == "live"
        ):  # silence first: after a pause of ours the clock must not pass minutes that a dead feed still owes
            limit = self._silence.silent_after_ms(now_ms)
            if limit is not None and now_ms - self._data_at >= limit:
                pieces.append(self._change("silent", f"no data for more than {limit / 1000:g} s", now_ms))
        pieces += self._pieces(self.stream.clock(now_ms, self._kind == "live"), now_ms)
        if self._watched.leaving:
            pieces += self._say_left(self._watched.passed(self.stream.watermark), now_ms)
        if abs(now_ms - self._status_at) >= STATUS_EVERY_MS:  # also when the clock was set back
            pieces.append(self._say(now_ms))
        return pieces

    def set_note(self, note: str, now_ms: int) -> list[Piece]:
        """Say something about ourselves in the status's detail, or nothing any more."""
        if note == self.note:
            return []
        self.note = note
        return [self._say(now_ms)]

    def stop(self, detail: str, now_ms: int) -> list[Piece]:
        """The last message of the run."""
        self.stream.hold_watermark()
        return [self._change("stopped", detail, now_ms)]

    def _go_live(self, detail: str, feed_time: int, now_ms: int) -> list[Piece]:
        """The feed is there (again), its own time being `feed_time`: first the gap is said, then the watermark moves on."""
        if self._was_live:
            begin = self.stream.watermark
        else:
            begin = self._begin_of_first_gap(feed_time)
            if begin != self.stream.watermark:
                # Nothing before the gap is this run's: ticks that still come for it are late, not the whole of a minute.
                self.stream = self._stream_at(begin)
        self._was_live = True
        self._live_detail = detail
        self._recorded_until = feed_time
        told: dict[str, Any] = {"gap": (min(begin, feed_time), feed_time)}
        if joined := self._watched.connected():
            self._symbols.clear()
            told["joined"] = SymbolsAt(joined, self._next_minute(now_ms))
        live = self._change("live", detail, now_ms, **told)
        return [live, *self._pieces(self.stream.release_watermark(), now_ms)]

    def _subscriptions_changed(self, state: ConnectionState, now_ms: int) -> list[Piece]:
        if self._confirmed is not None:  # it is not live yet: then all of this belongs to what it begins with
            self._confirmed = state
            return []
        self._live_detail = state.detail
        if self._kind == "live":
            self._detail = state.detail
        if not state.symbols:
            return [self._say(now_ms)]
        if self._wall_clock:
            return self._join(state.symbols, now_ms)
        # Only the next event tells how far a recorded day's own clock has come.
        self._joining += state.symbols
        return []

    def _join(self, symbols: Sequence[str], now_ms: int) -> list[Piece]:
        """The feed sends these symbols now: from its next minute on, what it sends of them is whole."""
        joined = self._watched.confirmed(symbols)
        self._symbols.clear()
        self.stream.forget(joined)
        return [self._say(now_ms, joined=SymbolsAt(joined, self._next_minute(now_ms)))] if joined else []

    def _say_left(self, left: dict[int, list[str]], now_ms: int) -> list[Piece]:
        return [self._say(now_ms, left=SymbolsAt(symbols, at)) for at, symbols in left.items()]

    def _next_minute(self, now_ms: int) -> int:
        """The start of the feed's next minute."""
        now = max(self.stream.watermark, self.stream.last_event_end, self._recorded_until)
        if self._wall_clock:
            now = max(now, now_ms - self._delay_ms)
        return now - now % MINUTE_MS + MINUTE_MS

    def _begin_of_first_gap(self, feed_time: int) -> int:
        if not 0 < self._previous <= feed_time:
            return feed_time - feed_time % MINUTE_MS
        first_session = self._calendar.sessions_of(self._calendar.trading_day_at(feed_time))[0]
        return max(self._previous, first_session.start)

    def _end_day(self, detail: str, now_ms: int) -> list[Piece]:
        newest = self.stream.last_event_end or self._previous
        if not newest:
            return [self._change("ended", detail, now_ms)]
        sessions = self._calendar.sessions_of(self._calendar.trading_day_at(newest - 1))
        end = max(sessions[-1].end, newest)
        # It may have ended while we were away: all of it that was not seen is a gap.
        pieces = self._go_live(detail, end, now_ms) if self._kind not in ("live", "silent") else []
        return [*pieces, *self._pieces(self.stream.finish_day(end), now_ms), self._change("ended", detail, now_ms)]

    def _pieces(self, items: Sequence[FeedItem], now_ms: int) -> list[Piece]:
        """Positions for the ticks, a status for each marker; what cannot be a tick is dropped before it gets a position."""
        pieces: list[Piece] = []
        ticks: list[FeedTick] = []
        symbols = self._symbols
        for item in items:
            if isinstance(item, FeedTick):
                if not (
                    0.0 < item.price < HIGHEST_PRICE and 0 <= item.volume <= MOST_SHARES and EARLIEST <= item.timestamp < LATEST
                ):
                    self.rejections.add("an invalid tick", item)
                elif item.symbol in symbols or self._is_taken(item):
                    ticks.append(item)
            else:
                first = self.position + 1
                self.position += len(ticks)
                pieces.append(Piece(first, ticks, self._new_status(now_ms, item.watermark)))
                ticks = []
        if ticks:
            pieces.append(Piece(self.position + 1, ticks, None))
            self.position += len(ticks)
        return pieces

    def _is_taken(self, tick: FeedTick) -> bool:
        if not is_ticker(tick.symbol):
            self.rejections.add("an invalid tick", tick)
            return False
        if self._watched.is_settled(tick.symbol):
            if len(self._symbols) > 100_000:
                self._symbols.clear()
            self._symbols.add(tick.symbol)
            return True
        return self._watched.takes(tick.symbol, tick.timestamp)

    def _change(self, kind: str, detail: str, now_ms: int, **told: Any) -> Piece:
        if kind != self._kind:
            self._since = now_ms
        self._kind, self._detail = kind, detail
        return self._say(now_ms, **told)

    def _say(self, now_ms: int, **told: Any) -> Piece:
        """A status; `told` are its optional keys."""
        return Piece(self.position + 1, [], self._new_status(now_ms, self.stream.watermark, **told))

    def _new_status(self, now_ms: int, watermark: int, **told: Any) -> FeedStatus:
        self._status_at = now_ms
        detail = f"{self._detail}; {self.note}" if self.note else self._detail
        self._status: FeedStatus = FeedStatus(
            self._kind,
            self.source,
            self._since + self.wall_ahead_ms,
            now_ms + self.wall_ahead_ms,
            watermark,
            self.run,
            self.position,
            detail,
            **told,
        )
        return self._status

    def _stream_at(self, watermark: int) -> FeedStream:
        stream = self._new_stream(watermark)
        stream.hold_watermark()
        return stream


def end_of(event: Event) -> int:
    """When an event ended, by the feed's time; 0 for what carries no time that can be."""
    if isinstance(event, Trade):
        return in_milliseconds(event.t)
    return in_milliseconds(event.e) if isinstance(event, Aggregate) else 0


def _start_of(event: Event) -> int:
    """When an event began, by the feed's time; 0 for what carries no time that can be."""
    if isinstance(event, Trade):
        return in_milliseconds(event.t)
    return in_milliseconds(event.s) if isinstance(event, Aggregate) else 0
