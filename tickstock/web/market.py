"""What the web side wants to know of the market data: any object with these members will do, also none that ingests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tickstock.contract import FeedStatus
from tickstock.market_data.live_board import LiveBoard
from tickstock.market_hours import calendar_named
from tickstock.settings import Settings


class Market(Protocol):
    """The market data service as the web side sees it."""

    @property
    def board(self) -> LiveBoard: ...

    def status(self) -> FeedStatus | None:
        """The latest status; None before the first."""

    def figures(self) -> Mapping[str, Any]:
        """run, ticks (its position), ticks_per_second, lag_ms (receipt less event end), passive (why nothing is taken in)."""

    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """The stages of the tick's path in this process: name to status (ok | degraded | down | off), detail, counters."""

    def watch(self, symbols: Sequence[str]) -> None:
        """These are wanted from now on, of all watchlists together; thread-safe, returns at once. With TICKSTOCK_SYMBOLS=*
        everything is subscribed anyway."""


class NoMarket:
    """A process that ingests nothing: its pages show what is stored and what TickStockPL publishes."""

    def __init__(self, settings: Settings) -> None:
        self.board = LiveBoard(calendar_named(settings.calendar), settings.feed)

    def status(self) -> FeedStatus | None:
        return None

    def figures(self) -> Mapping[str, Any]:
        return {}

    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        return {}

    def watch(self, symbols: Sequence[str]) -> None:
        pass
