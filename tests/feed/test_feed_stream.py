from __future__ import annotations

from typing import Any

import pytest

from tests.feed.builders import MINUTE, minute, plain, second, stream, ticks_of, trade
from tickstock.feed import feed_items
from tickstock.feed.feed_stream import FeedItem, FeedStream, FeedTick, Passed
from tickstock.market_hours import AlwaysOpenCalendar
from tickstock.settings import Settings

ODD_LOT = 37


def shape(items: list[FeedItem]) -> list[object]:
    return [
        ("passed", item.watermark - MINUTE) if isinstance(item, Passed) else (item.price, item.timestamp - MINUTE)
        for item in items
    ]


def live(channel: str, hold_ms: int, delay_ms: int = 0) -> FeedStream:
    return FeedStream(channel, AlwaysOpenCalendar(), hold_ms=hold_ms, delay_ms=delay_ms, watermark=MINUTE)


def test_the_order_is_the_tick_that_moved_it_then_the_held_volumes_then_the_marker() -> None:
    feed = stream(watermark=MINUTE)
    items = feed.add(
        [
            trade(MINUTE + 1, 10, 100),
            trade(MINUTE + 2, 10, 40, (ODD_LOT,)),
            trade(MINUTE + 60_999, 11, 100),
            trade(MINUTE + 61_000, 12, 100),
            trade(MINUTE + 61_001, 13, 100),
        ],
        0,
    )
    assert shape(items) == [(10, 1), (11, 60_999), (12, 61_000), (10, 59_999), ("passed", 60_000), (13, 61_001)]


def test_an_event_without_a_tick_moves_the_watermark_too() -> None:
    feed = stream(watermark=MINUTE)
    assert shape(feed.add([trade(MINUTE + 61_000, 10, 100, (ODD_LOT,)), trade(MINUTE + 61_002, 10, 1)], 0)) == [
        ("passed", 60_000),
        (10, 61_002),
    ]


def test_an_invalid_event_moves_nothing() -> None:
    feed = stream(watermark=MINUTE)
    assert feed.add([trade(MINUTE + 90_000, -1)], 0) == []
    assert feed.watermark == MINUTE


def test_several_minutes_pass_at_once_in_their_order() -> None:
    feed = stream(watermark=MINUTE)
    feed.add([trade(MINUTE + 60_000, 11), trade(MINUTE + 60_001, 11, 7, (ODD_LOT,))], 0)
    feed.add([trade(MINUTE, 10), trade(MINUTE + 1, 10, 7, (ODD_LOT,))], 0)
    items = feed.add([trade(MINUTE + 200_000, 12)], 0)
    assert shape(items) == [(12, 200_000), (10, 59_999), (11, 119_999), ("passed", 199_000)]


def test_a_minute_closes_for_quiet_symbols_when_the_watermark_passes() -> None:
    feed = stream(watermark=MINUTE)
    feed.add([trade(MINUTE, 10, symbol="QUIET"), trade(MINUTE + 1, 10, 7, (ODD_LOT,), symbol="QUIET")], 0)
    for step in range(1, 61):
        feed.add([trade(MINUTE + step * 60_000, 20, symbol="BUSY")], 0)
    [tick] = ticks_of(feed.add([trade(MINUTE + 3_600_000 + 5, 11, 3, symbol="QUIET")], 0))
    assert (tick.symbol, tick.volume, tick.late) == ("QUIET", 3, False)


def test_the_clock_passes_a_minute_for_a_feed_that_went_quiet() -> None:
    feed = live("T", hold_ms=1_000)
    feed.add([trade(MINUTE + 1, 10, 100), trade(MINUTE + 2, 10, 40, (ODD_LOT,))], MINUTE + 10)
    assert feed.clock(MINUTE + 60_999, live=True) == []
    assert feed.clock(MINUTE + 61_000, live=False) == []
    assert shape(feed.clock(MINUTE + 61_000, live=True)) == [(10, 59_999), ("passed", 60_000)]
    [tick] = ticks_of(feed.add([trade(MINUTE + 59_000, 10.5)], MINUTE + 61_500))[:1]
    assert tick.late


def test_a_delayed_feed_is_not_late() -> None:
    feed = live("T", hold_ms=1_000, delay_ms=900_000)
    assert feed.clock(MINUTE + 900_000 + 60_999, live=True) == []
    [tick] = ticks_of(feed.add([trade(MINUTE + 59_000)], MINUTE + 900_000 + 60_999))
    assert not tick.late
    assert feed.smallest_delay_ms == 901_999


def test_minute_aggregates_alone_carry_the_watermark() -> None:
    feed = stream("AM", hold_ms=4_000, watermark=MINUTE)
    feed.add([minute(MINUTE, 10, 11, 9, 10)], 0)
    assert feed.watermark == MINUTE + 56_000
    items = feed.add([minute(MINUTE + 60_000, 10, 11, 9, 10)], 0)
    assert items[-1] == Passed(MINUTE + 116_000)
    assert not any(tick.late for tick in ticks_of(items))


def test_second_aggregates_held_three_seconds_are_not_late() -> None:
    feed = live("A", hold_ms=4_000)
    for step in range(120):
        start = MINUTE + step * 1_000
        received = start + 1_000 + 3_000
        items = feed.clock(received, live=True) + feed.add([second(start, 10, 11, 9, 10)], received)
        assert not any(tick.late for tick in ticks_of(items)), step


def test_from_a_break_until_live_again_the_watermark_stands_still() -> None:
    feed = live("T", hold_ms=1_000)
    feed.add([trade(MINUTE + 1, 10, 100), trade(MINUTE + 2, 10, 40, (ODD_LOT,))], MINUTE + 10)
    before = feed.watermark
    feed.hold_watermark()
    assert feed.clock(MINUTE + 200_000, live=True) == []
    assert feed.watermark == before
    assert feed.release_watermark() == []
    assert shape(feed.clock(MINUTE + 200_000, live=True)) == [(10, 59_999), ("passed", 199_000)]


def test_the_end_of_a_recorded_day_ends_its_last_minutes() -> None:
    feed = stream(watermark=MINUTE)
    feed.add([trade(MINUTE + 1, 10, 100), trade(MINUTE + 2, 10, 40, (ODD_LOT,))], 0)
    assert shape(feed.finish_day(MINUTE + 3_600_000)) == [(10, 59_999), ("passed", 3_600_000)]


def test_live_an_event_far_ahead_of_our_clock_is_dropped() -> None:
    feed = live("T", hold_ms=1_000)
    assert plain(feed.add([trade(MINUTE + 60_001), trade(MINUTE + 60_000)], MINUTE)) == [(10, 100, 60_000)]
    assert "clock" in next(iter(feed.rejections.counts))


def test_a_recorded_days_events_may_be_of_any_time() -> None:
    assert plain(stream().add([trade(MINUTE)], received_ms=0)) == [(10, 100, 0)]


def test_a_later_run_of_the_day_goes_on_from_where_the_watermark_stood() -> None:
    feed = stream(watermark=MINUTE + 60_000)
    assert [tick.late for tick in ticks_of(feed.add([trade(MINUTE + 59_999), trade(MINUTE + 60_000)], 0))] == [True, False]


def test_the_smallest_delay_is_that_of_the_last_minutes() -> None:
    feed = live("T", hold_ms=1_000)
    assert feed.smallest_delay_ms is None
    feed.add([trade(MINUTE + 1_000)], MINUTE + 1_020)
    for step in range(1, 6):
        feed.add([trade(MINUTE + 60_000 * step)], MINUTE + 60_000 * step + 500)
    assert feed.smallest_delay_ms == 500


@pytest.mark.parametrize("channel", ["T", "A", "AM"])
def test_the_settings_describe_a_stream(channel: str) -> None:
    feed = FeedStream.for_settings(Settings(channel=channel), AlwaysOpenCalendar())
    event = {"T": trade(MINUTE), "A": second(MINUTE, 1, 1, 1, 1), "AM": minute(MINUTE, 1, 1, 1, 1)}[channel]
    assert isinstance(feed.add([event], MINUTE + 60_000)[0], FeedTick)


@pytest.mark.parametrize(("channel", "event"), [("T", trade), ("A", second)])
def test_made_up_tickers_do_not_fill_the_memory(channel: str, event: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_items, "MOST_TICKERS", 10)
    feed = stream(channel, watermark=MINUTE)
    prices = () if channel == "T" else (10, 10, 10, 10)
    made_up = [event(MINUTE + 1000, *prices, symbol=f"X{number}") for number in range(500)]
    known = [event(MINUTE + 2000, *prices, symbol=f"X{number}") for number in range(10)]
    assert {tick.symbol for tick in ticks_of(feed.add([*made_up, *known], 0))} == {f"X{number}" for number in range(10)}
    assert list(feed.rejections.counts.values()) == [490]
    assert "one ticker too many" in next(iter(feed.rejections.counts))
