"""What the feed's events become: ticks to forward, and the places where a status is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from tickstock.feed.massive_events import Event
from tickstock.market_hours import DAY_MS, MINUTE_MS

REMEMBERED_MS = 15 * MINUTE_MS  # the vendor corrects a window for this long
MOST_TICKERS = 100_000  # eight times as many as there are; beyond them somebody makes them up
ANCIENT_MS = DAY_MS  # what is so much older than the minutes that ended is no late print but a mistake

# A timestamp in milliseconds that this century can hold; seconds and garbage lie outside.
EARLIEST_MS = 1_000_000_000_000
LATEST_MS = 4_102_444_800_000
HIGHEST_PRICE = 1e8  # dollars: a hundred times the dearest stock


class FeedTick(Struct, frozen=True, gc=False):
    """One price of one symbol, to be forwarded.

    The newest price of a symbol is the one with the highest timestamp, and among equals the last to come: a late tick or the
    correction of an older window carries the older time.
    """

    symbol: str
    price: float  # dollars
    volume: int  # shares
    timestamp: int  # Unix milliseconds, UTC
    late: bool  # its minute had ended at or before the watermark


class Passed(Struct, frozen=True, gc=False):
    """The watermark passed the end of a minute: a status with it is due exactly here."""

    watermark: int


FeedItem = FeedTick | Passed


class TickMaker(Protocol):
    """Makes ticks of one channel's events. It knows the watermark only as `end_minutes` tells it."""

    counts: Counter[str]
    newest_end: int  # the largest end of an event so far: a trade's time, an aggregate's `e`

    def take(self, events: Sequence[Event], start: int, stop_at: int, latest: int, out: list[FeedItem]) -> int:
        """Append the ticks of `events[start:]` up to the first that ends at or after `stop_at`, that one included.

        Events that end after `latest` are invalid. Returns the index of the first event that was not taken.
        """

    def end_minutes(self, watermark: int, out: list[FeedItem]) -> None:
        """Append what was held for the minutes that ended at or before the watermark; their further ticks are late."""

    def new_connection(self) -> None:
        """Start anew what is counted per connection."""

    def forget(self, symbols: Sequence[str]) -> None:
        """Start it anew for these symbols alone."""


def in_milliseconds(timestamp: int) -> int:
    """A Unix time in milliseconds, microseconds or nanoseconds (told by its magnitude) as milliseconds; 0 when it is none."""
    for divisor in (1, 1_000, 1_000_000):
        if EARLIEST_MS <= timestamp // divisor < LATEST_MS:
            return timestamp // divisor
    return 0


def is_ticker(symbol: str) -> bool:
    """Whether this text can be a symbol: 1 to 32 printable characters. Markup is legal text; a tab or line end is not."""
    return 0 < len(symbol) <= 32 and symbol.isprintable()
