"""A recorded day of real trades: bars formed from forwarded ticks against the slow, independent reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

import pytest

from tests.conftest import shared_file
from tests.feed.builders import bars_of, trade_of
from tests.feed.vendor_reference import Print, read_prints, read_rules, vendor_bars, with_odd_lots
from tickstock.feed.feed_stream import FeedItem, FeedStream
from tickstock.market_hours import ExchangeCalendar

FRAME = 100


@pytest.fixture(scope="module")
def recorded() -> list[Print]:
    return sorted(read_prints(shared_file("data", "2013-10-07.csv.gz")), key=attrgetter("time_ms"))


@pytest.mark.parametrize(
    ("variant", "priced"), [(list, 2_292), (with_odd_lots, 2_203)], ids=["as recorded", "with odd lots marked as today"]
)
def test_bars_from_ticks_equal_the_vendors_in_every_field(
    recorded: list[Print], variant: Callable[[Iterable[Print]], Iterable[Print]], priced: int
) -> None:
    prints = list(variant(recorded))
    feed = FeedStream("T", ExchangeCalendar(), hold_ms=1_000, wall_clock=False)
    events = [trade_of(each) for each in prints]
    items: list[FeedItem] = []
    for start in range(0, len(events), FRAME):
        items += feed.add(events[start : start + FRAME], 0)
    items += feed.finish_day(prints[-1].time_ms + 60_000)

    reference = vendor_bars(prints, read_rules(shared_file("trade-condition-rules.json")))
    expected = {key: (b.open, b.high, b.low, b.close, b.volume) for key, b in reference.items() if b.priced}
    assert len(expected) == priced
    assert bars_of(items) == expected
    assert feed.counts["held_without_price"] == sum(bar.volume for bar in reference.values() if not bar.priced)
    assert feed.counts["repeats"] == 0
    assert feed.rejections.total == 0
