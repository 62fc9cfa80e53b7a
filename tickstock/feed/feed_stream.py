"""From the feed's events to the ticks of the service, with the watermark at its exact place among them."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Sequence

from tickstock.feed.aggregate_ticks import AggregateTicks
from tickstock.feed.feed_items import LATEST_MS, FeedItem, FeedTick, Passed, TickMaker
from tickstock.feed.massive_events import Event
from tickstock.feed.trade_ticks import TradeTicks
from tickstock.feed.watermark import Watermark
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS, Calendar
from tickstock.settings import Settings

__all__ = ["FeedItem", "FeedStream", "FeedTick", "Passed"]

# Live, an event may be this far ahead of our clock; one further ahead would end minutes too early, and is dropped.
CLOCK_TOLERANCE_MS = 60_000
DELAY_MINUTES = 5

_log = logging.getLogger(__name__)


class FeedStream:
    """Turns events, the clock and the state of the connection into ordered ticks and markers. No I/O, no clock of its own.

    Every method that may pass the end of a minute returns items in the order in which they must be forwarded: the ticks of the
    event that moved the watermark, the volumes still held for the minute, the marker. How events are cut into calls of `add`
    makes no difference.
    """

    def __init__(
        self, channel: str, calendar: Calendar, *, hold_ms: int, delay_ms: int = 0, wall_clock: bool = True, watermark: int = 0
    ) -> None:
        self.rejections = Rejections(_log, "FEED")
        self._maker: TickMaker = (
            TradeTicks(calendar, self.rejections) if channel == "T" else AggregateTicks(channel, calendar, self.rejections)
        )
        self._wall_clock = wall_clock
        self._watermark = Watermark(hold_ms, delay_ms, wall_clock, watermark)
        self._maker.end_minutes(watermark, [])
        self._delays: deque[tuple[int, int]] = deque(maxlen=DELAY_MINUTES)  # minute of receipt, smallest delay in it

    @classmethod
    def for_settings(cls, settings: Settings, calendar: Calendar, watermark: int = 0) -> FeedStream:
        """The stream that the settings describe; `watermark` is where an earlier run of the same day stood."""
        return cls(
            settings.channel,
            calendar,
            hold_ms=settings.hold_ms,
            delay_ms=settings.delay_ms,
            wall_clock=settings.feed_clock == "wall",
            watermark=watermark,
        )

    @property
    def watermark(self) -> int:
        """A minute that ends at or before it is complete (Unix ms)."""
        return self._watermark.value

    @property
    def last_event_end(self) -> int:
        """The largest end of an event so far (Unix ms); 0 before the first."""
        return self._maker.newest_end

    @property
    def counts(self) -> Counter[str]:
        """What was seen and why some of it made no tick: see `TradeTicks` and `AggregateTicks`."""
        return self._maker.counts

    @property
    def smallest_delay_ms(self) -> int | None:
        """The smallest (receipt - event end) of the last minutes with events; None before the first."""
        return min((delay for _, delay in self._delays), default=None)

    def add(self, events: Sequence[Event], received_ms: int) -> list[FeedItem]:
        """The items that these events make. `received_ms` is the wall clock at their arrival."""
        items: list[FeedItem] = []
        maker, watermark = self._maker, self._watermark
        newest_before = maker.newest_end
        latest = received_ms + CLOCK_TOLERANCE_MS if self._wall_clock else LATEST_MS - 1
        taken = 0
        while taken < len(events):
            taken = maker.take(events, taken, watermark.stop_at, latest, items)
            self._mark(watermark.event(maker.newest_end), items)
        if maker.newest_end > newest_before:
            self._note_delay(received_ms, received_ms - maker.newest_end)
        return items

    def clock(self, now_ms: int, live: bool) -> list[FeedItem]:
        """Let the wall clock move the watermark; call it at least every 50 ms. Nothing unless live and on the wall clock."""
        return self._mark(self._watermark.clock(now_ms, live), [])

    def finish_day(self, end_ms: int) -> list[FeedItem]:
        """A recorded day is over: the watermark moves to its end."""
        return self._mark(self._watermark.finish(end_ms), [])

    def new_connection(self) -> None:
        """What is counted per connection (the continuity of `av`) starts anew."""
        self._maker.new_connection()

    def forget(self, symbols: Sequence[str]) -> None:
        """These were not subscribed for a while: what is counted per connection starts anew for them."""
        self._maker.forget(symbols)

    def hold_watermark(self) -> None:
        """The feed was lost: the watermark stands still until `release_watermark`."""
        self._watermark.hold()

    def release_watermark(self) -> list[FeedItem]:
        """The feed is live again: the watermark moves to where the events are."""
        return self._mark(self._watermark.release(), [])

    def _mark(self, passed: bool, items: list[FeedItem]) -> list[FeedItem]:
        if passed:
            self._maker.end_minutes(self._watermark.value, items)
            items.append(Passed(self._watermark.value))
        return items

    def _note_delay(self, received_ms: int, delay: int) -> None:
        minute = received_ms // MINUTE_MS
        if self._delays and self._delays[-1][0] == minute:
            delay = min(delay, self._delays.pop()[1])
        self._delays.append((minute, delay))
