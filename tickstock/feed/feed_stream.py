"""From the feed's events to the ticks of the service, with the watermark at its exact place among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from tickstock.feed.massive_events import Event
from tickstock.market_hours import Calendar
from tickstock.settings import Settings


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


class FeedStream:
    """Turns events, the clock and the state of the connection into ordered ticks and markers. No I/O, no clock of its own.

    Every method that may pass the end of a minute returns items in the order in which they must be forwarded.
    """

    def __init__(
        self, channel: str, calendar: Calendar, *, hold_ms: int, delay_ms: int = 0, wall_clock: bool = True, watermark: int = 0
    ) -> None:
        self.counts: Counter[str] = Counter()

    @classmethod
    def for_settings(cls, settings: Settings, calendar: Calendar, watermark: int = 0) -> FeedStream:
        """The stream that the settings describe; `watermark` is where an earlier run of the same day stood."""
        return cls(
            settings.channel, calendar, hold_ms=settings.hold_ms, delay_ms=settings.delay_ms,
            wall_clock=settings.feed_clock == "wall", watermark=watermark,
        )  # fmt: skip

    @property
    def watermark(self) -> int:
        """A minute that ends at or before it is complete."""
        raise NotImplementedError

    @property
    def last_event_end(self) -> int:
        """The largest end of an event so far; 0 before the first."""
        raise NotImplementedError

    @property
    def smallest_delay_ms(self) -> int | None:
        """The smallest (receipt - event end) of the last five minutes; None when nothing came."""
        raise NotImplementedError

    def add(self, events: Sequence[Event], received_ms: int) -> list[FeedItem]:
        """The items that these events make. `received_ms` is the wall clock at their arrival."""
        raise NotImplementedError

    def clock(self, now_ms: int, live: bool) -> list[FeedItem]:
        """Let the wall clock move the watermark; call it at least every 50 ms. Nothing unless live and on the wall clock."""
        raise NotImplementedError

    def finish_day(self, end_ms: int) -> list[FeedItem]:
        """A recorded day is over: move the watermark to its end."""
        raise NotImplementedError

    def new_connection(self) -> None:
        """What is counted per connection (the continuity of `av`) starts anew."""
        raise NotImplementedError

    def hold_watermark(self) -> None:
        """The feed was lost: the watermark stands still until `release_watermark`."""
        raise NotImplementedError

    def release_watermark(self) -> list[FeedItem]:
        """The feed is live again: the watermark moves to where the events are."""
        raise NotImplementedError
