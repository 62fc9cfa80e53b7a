"""Events, and bars formed from ticks, for the tests of the feed."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.feed.vendor_reference import Print
from tickstock.feed.feed_stream import FeedItem, FeedStream, FeedTick
from tickstock.feed.massive_events import Event, MinuteAggregate, SecondAggregate, Trade
from tickstock.market_hours import AlwaysOpenCalendar

MINUTE = 1_763_739_000_000  # 2025-11-21 10:30 in New York, a Friday
SECOND = 1_000

Bar = tuple[float, float, float, float, int]


def trade(
    time: int,
    price: float = 10.0,
    size: float = 100,
    conditions: tuple[int, ...] | None = None,
    *,
    symbol: str = "AAPL",
    sequence: int = 0,
    trade_id: str | None = None,
    ds: str | None = None,
    exchange: int = 4,
    trf: int = 0,
) -> Trade:
    """A print; without sequence and id nothing tells it from another, so none is a repeat."""
    return Trade(symbol, price, time, size, ds, conditions, exchange, trade_id, sequence, trf)


def trade_of(row: Print) -> Trade:
    """The event that the vendor would send for a row of a flat file."""
    return Trade(
        row.symbol,
        row.price,
        row.time_ms,
        row.size,
        None,
        row.conditions or None,
        row.exchange,
        row.trade_id,
        row.sequence,
        row.trf,
    )


def second(
    start: int, o: float, h: float, low: float, c: float, v: float = 100, av: float | None = None, symbol: str = "AAPL"
) -> Event:
    """An A event."""
    return SecondAggregate(symbol, start, start + SECOND, o, h, low, c, v, av)


def minute(
    start: int, o: float, h: float, low: float, c: float, v: float = 100, av: float | None = None, symbol: str = "AAPL"
) -> Event:
    """An AM event."""
    return MinuteAggregate(symbol, start, start + 60 * SECOND, o, h, low, c, v, av)


def stream(channel: str = "T", hold_ms: int = 1_000, **more: object) -> FeedStream:
    """A stream that follows the events alone, always in its regular session."""
    return FeedStream(channel, AlwaysOpenCalendar(), **{"hold_ms": hold_ms, "wall_clock": False, **more})  # type: ignore[arg-type]


def ticks_of(items: Iterable[FeedItem]) -> list[FeedTick]:
    return [item for item in items if isinstance(item, FeedTick)]


def plain(items: Iterable[FeedItem], base: int = MINUTE) -> list[tuple[float, int, int]]:
    """Ticks as (price, volume, ms after base); markers left out."""
    return [(tick.price, tick.volume, tick.timestamp - base) for tick in ticks_of(items)]


def bars_of(items: Iterable[FeedItem]) -> dict[tuple[str, int], Bar]:
    """Minute bars as the bar builder forms them: ticks in the order of (timestamp, arrival)."""
    minutes: dict[tuple[str, int], list[FeedTick]] = defaultdict(list)
    for tick in ticks_of(items):
        minutes[tick.symbol, tick.timestamp // 60_000 * 60_000].append(tick)
    bars = {}
    for key, ticks in minutes.items():
        ticks.sort(key=lambda tick: tick.timestamp)  # stable
        prices = [tick.price for tick in ticks]
        bars[key] = (prices[0], max(prices), min(prices), prices[-1], sum(tick.volume for tick in ticks))
    return bars


def in_batches(stream: FeedStream, events: Sequence[Event], cuts: Iterable[int]) -> list[FeedItem]:
    """All items when the events come cut at these places."""
    places = sorted({0, *cuts, len(events)})
    items: list[FeedItem] = []
    for start, end in itertools.pairwise(places):
        items += stream.add(events[start:end], 0)
    return items
