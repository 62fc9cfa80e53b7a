"""What the app does with a tick: UI, database, browsers, Redis, in this order; none can stop another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import UNSET

from tickstock.contract import FeedStatus
from tickstock.feed.feed_items import FeedTick
from tickstock.feed.halts import HaltNews
from tickstock.logs import CounterLog, Rejections
from tickstock.market_data.live_board import LiveBoard
from tickstock.market_data.run_sequence import Piece, RunSequence

logger = logging.getLogger(__name__)

SILENCE_SAID_SECONDS = 60.0  # a feed of few symbols may fall silent again and again: said at most so often


class Recorder(Protocol):
    """`TickRecorder`, as far as the service uses it."""

    def add(self, run: str, first: int, ticks: Sequence[FeedTick]) -> None: ...
    @property
    def waiting_ticks(self) -> int: ...


class Forwarder(Protocol):
    """`RedisTickForwarder`, as far as the service uses it."""

    def begin(self, run: str) -> None: ...
    def wait_until_settled(self, timeout: float) -> bool: ...
    def last_logged_status(self) -> FeedStatus | None: ...
    def add(self, first: int, ticks: Sequence[FeedTick], status: FeedStatus | None = None) -> None: ...
    def leave(self) -> None: ...
    @property
    def other_holder(self) -> str | None: ...
    @property
    def waiting_ticks(self) -> int: ...
    @property
    def waits_for_streaming(self) -> bool: ...


class TickSteps:
    """Does the four steps; `now` is the feed clock (ms). The thread of MarketDataService calls it."""

    def __init__(self, board: LiveBoard, recorder: Recorder, forwarder: Forwarder, now: Callable[[], int]) -> None:
        self.faults = Rejections(logger, "MARKET-DATA-SERVICE")
        self._board = board
        self._recorder = recorder
        self._forwarder = forwarder
        self._now = now
        self._silence_said_at = float("-inf")  # monotonic
        self._silence_said = False  # and the feed was not heard again since
        self._forwarded = CounterLog(
            lambda total: logger.debug("MARKET-DATA-SERVICE: Forwarded %d ticks to TickStockPL streaming", total)
        )

    def take(self, sequence: RunSequence, pieces: Sequence[Piece]) -> None:
        """The four steps, for each piece of the sequence; a fault in one is counted and the next one is done."""
        for piece in pieces:
            if piece.ticks:
                self._step("LiveBoard.update", self._board.update, piece.ticks, self._now() + sequence.wall_ahead_ms)
                self._step("TickRecorder.add", self._recorder.add, sequence.run, piece.first, piece.ticks)
                self._step("LiveBoard.publish", self._board.publish)
            self._step("RedisTickForwarder.add", self._forwarder.add, piece.first, piece.ticks, piece.status)
            if piece.status is not None:
                self._tell_board(piece.status)
                self._tell_of_silence(piece.status)
            if piece.ticks:
                self._forwarded.add(len(piece.ticks))

    def show_halts(self, news: Sequence[HaltNews]) -> None:
        """Show halts and resumptions on the board: they are no ticks, and stand in no log."""
        for told in news:
            if told.is_halted:
                self._step("LiveBoard.halt", self._board.halt, told.symbol, told.at)
            else:
                self._step("LiveBoard.resume", self._board.resume, told.symbol)

    def _tell_board(self, status: FeedStatus) -> None:
        """What was not taken in; the board's own figures of it come from stored bars."""
        if status.gap is not UNSET:
            self._step("LiveBoard.miss_until", self._board.miss_until, status.gap[1])
        if status.joined is not UNSET:
            self._step("LiveBoard.miss_until", self._board.miss_until, status.joined.at, status.joined.symbols)

    def _tell_of_silence(self, status: FeedStatus) -> None:
        if status.status == "silent":
            if not self._silence_said and time.monotonic() - self._silence_said_at >= SILENCE_SAID_SECONDS:
                self._silence_said, self._silence_said_at = True, time.monotonic()
                logger.warning("MARKET-DATA-SERVICE: the feed is silent (%s); minutes stay open until it is heard again",
                               status.detail)  # fmt: skip
        elif self._silence_said:
            self._silence_said = False
            logger.warning("MARKET-DATA-SERVICE: the silence of the feed is over after %.0f s: %s, %s",
                           time.monotonic() - self._silence_said_at, status.status, status.detail)  # fmt: skip

    def _step(self, name: str, step: Callable[..., None], *arguments: object) -> None:
        try:
            step(*arguments)
        except Exception as fault:
            self.faults.add(f"a batch in {name}", fault)
