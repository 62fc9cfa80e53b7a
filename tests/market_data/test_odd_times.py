"""Ticks of every odd time, from the feed through MarketDataService, the log and the bar builder to the engine: real calendars."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, NamedTuple

import pytest

from tests.market_data.stand_ins import eventually, log_entries, trade
from tests.market_data.test_service import App, database_url, start, stored_ticks
from tests.servers import RedisServer
from tickstock.analysis.selection import enabled_from
from tickstock.contract import FeedStatus, MarketTick
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, Calendar, ExchangeCalendar, new_york_ms
from tickstock.settings import Settings
from tickstock.streaming.bar_builder import BarBuilder
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.result_messages import LIVE

__all__ = ["database_url", "start"]  # fixtures

HOUR_MS = 3_600_000
SPRING, AUTUMN = date(2025, 3, 9), date(2025, 11, 2)  # Sundays on which the clocks change
ORDINARY, HALF_DAY, HOLIDAY = date(2025, 11, 21), date(2025, 11, 28), date(2025, 7, 4)

NOTHING = enabled_from(Settings(patterns=("none",), indicators=("none",), alerts=("none",)))  # bars are what this is about

Start = Callable[..., App]


def at(day: date, text: str) -> int:
    """A New York time as Unix milliseconds."""
    return new_york_ms(day, clock_time.fromisoformat(text))


class Played(NamedTuple):
    """What a recorded day left."""

    bars: dict[tuple[str, int], tuple[float, ...]]  # (timeframe, start): open, high, low, close, volume
    late: list[int]  # timestamps of ticks whose minute had ended
    outside: int  # bars of minutes in which the market is closed
    ticks: list[MarketTick]
    statuses: list[FeedStatus]
    app: App

    def of(self, timeframe: str) -> list[int]:
        return sorted(start for each, start in self.bars if each == timeframe)

    @property
    def counts(self) -> dict[str, int]:
        return self.app.service.state()["counts"]  # type: ignore[no-any-return]


def played(app: App, server: RedisServer, events: list[dict[str, Any]], calendar: Calendar | None = None) -> Played:
    """A recorded day with these events, and what TickStockPL makes of the log that it leaves."""
    assert app.client.started.wait(15)
    app.client.confirm()
    for first in range(0, len(events), 100):
        app.client.frame(*events[first : first + 100])
    app.client.state("ended")
    eventually(lambda: app.service.status and app.service.status.status == "ended")
    eventually(lambda: not app.forwarder.waiting_ticks and (entries := log_entries(server)) and is_ended(entries[-1].messages))
    messages = [message for entry in log_entries(server) for message in entry.messages]
    builder = BarBuilder()
    engine = StreamingEngine(Settings(), calendar or ExchangeCalendar(), lambda: 0, NOTHING)
    result = Played({}, [], 0, [], [], app)
    for message in messages:
        if isinstance(message, MarketTick):
            result.ticks.append(message)
            builder.add([message], len(result.ticks))
            continue
        result.statuses.append(message)
        if isinstance(message.gap, tuple):
            builder.restart(message.gap[0] - message.gap[0] % MINUTE_MS)
        for ended in builder.advance(message.watermark, message.run, message.forwarded):
            result.late.extend(each.timestamp for each in ended.late)
            bars = Bars.from_ticks(engine.lanes_for(ended.bars), ended.start, list(ended.bars.values()))
            for row in engine.close_minute(ended.start, bars, LIVE).bars:
                assert (row[1], row[2]) not in result.bars, "a bar twice"
                result.bars[row[1], row[2]] = row[4:9]
    return result._replace(outside=engine.outside_sessions)


def is_ended(messages: list[Any]) -> bool:
    return isinstance(messages[-1], FeedStatus) and messages[-1].status == "ended"


@pytest.fixture
def replay(start: Start, redis_server: RedisServer) -> Callable[..., Played]:
    """Plays events on an app that follows them alone."""

    def play(events: list[dict[str, Any]], calendar: Calendar | None = None) -> Played:
        return played(start(redis_server.url, feed_clock="events", delay_seconds=0.0), redis_server, events, calendar)

    return play


Replay = Callable[..., Played]


def closed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With a trade behind them that ends their last minute, also when the day's sessions ended before."""
    return [*events, trade(1_000_000, events[-1]["t"] + 2 * MINUTE_MS)]


def every(step: int, first: int, last: int) -> list[dict[str, Any]]:
    return [trade(number, moment, price=100.0 + number % 7) for number, moment in enumerate(range(first, last, step), 1)]


@pytest.mark.parametrize("day", [SPRING + timedelta(days=1), AUTUMN + timedelta(days=1), ORDINARY])
def test_a_day_after_the_clocks_changed_has_its_sessions_at_the_same_new_york_times(replay: Replay, day: date) -> None:
    found = replay(every(7 * MINUTE_MS + 30_000, at(day, "04:00"), at(day, "20:00")))
    regular = [start for start in found.of("60min") if at(day, "09:30") <= start < at(day, "16:00")]
    assert regular == [at(day, "09:30") + n * HOUR_MS for n in range(7)]
    assert found.of("1day") == [at(day, "09:30")]
    assert found.outside == 0 and not found.late
    in_minutes = sum(volume for (timeframe, _), (*_, volume) in found.bars.items() if timeframe == "1min")
    assert in_minutes == sum(tick.volume for tick in found.ticks)


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_the_exchange_is_closed_on_the_sunday_itself(replay: Replay, day: date) -> None:
    moments = [at(day, "00:30") + hour * HOUR_MS for hour in (0, 1, 2, 3, 10, 22)]  # among them the hour that is repeated
    found = replay(closed([trade(n, moment) for n, moment in enumerate(moments, 1)]))
    assert found.bars == {} and found.outside == 6 and len(found.ticks) == 7


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (ORDINARY, 24)])
def test_a_market_that_never_closes_has_as_many_hours_as_the_day(
    start: Start, redis_server: RedisServer, day: date, hours: int
) -> None:
    midnight, following = at(day, "00:00"), at(day + timedelta(days=1), "00:00")
    app = start(redis_server.url, feed_clock="events")
    found = played(
        app, redis_server, [*every(15 * MINUTE_MS, midnight, following), trade(999, following + MINUTE_MS)], AlwaysOpenCalendar()
    )
    assert found.of("60min") == [midnight + n * HOUR_MS for n in range(hours)]  # each once, the repeated hour too
    assert found.of("15min") == [midnight + n * HOUR_MS // 4 for n in range(4 * hours)]


def test_a_half_day_ends_at_one_and_what_follows_is_post_market_until_five(replay: Replay) -> None:
    times = ("12:59:59.999", "13:00", "16:59:59.999", "17:00", "17:30")
    found = replay(closed([trade(n, at(HALF_DAY, text), price=100.0 + n) for n, text in enumerate(times, 1)]))
    assert found.of("1min") == [at(HALF_DAY, text) for text in ("12:59", "13:00", "16:59")]
    assert found.bars["60min", at(HALF_DAY, "12:30")][3] == 101.0  # short, and closed before the first print of post
    assert found.bars["1day", at(HALF_DAY, "09:30")][:4] == (101.0,) * 4
    assert found.outside == 2


def test_a_holiday_has_ticks_but_no_bars(replay: Replay) -> None:
    found = replay(closed(every(40 * MINUTE_MS, at(HOLIDAY, "09:30"), at(HOLIDAY, "16:00"))))
    assert found.bars == {}
    assert (found.outside, len(found.ticks)) == (10, 11)


@pytest.mark.parametrize("day", [ORDINARY, date(2025, 7, 7)])  # midnight UTC is 19:00, and in summer 20:00
def test_midnight_utc_divides_nothing(replay: Replay, day: date) -> None:
    midnight = int(datetime.combine(day + timedelta(days=1), clock_time(), UTC).timestamp() * 1000)
    found = replay(closed(every(30_000, midnight - 30 * MINUTE_MS, midnight + 30 * MINUTE_MS)))
    last = at(day, "20:00")
    in_sessions = [start for start in found.of("1min") if start < midnight + 30 * MINUTE_MS]
    assert in_sessions == list(range(midnight - 30 * MINUTE_MS, min(midnight + 30 * MINUTE_MS, last), MINUTE_MS))
    assert {ExchangeCalendar().trading_day_at(start) for start in found.of("1min")} == {day}
    assert found.outside == (0 if midnight < last else 30)


def test_new_york_midnight_begins_the_day_of_a_market_that_never_closes(start: Start, redis_server: RedisServer) -> None:
    midnight = at(ORDINARY, "00:00")
    app = start(redis_server.url, feed_clock="events")
    events = closed(every(30_000, midnight - 5 * MINUTE_MS, midnight + 5 * MINUTE_MS))
    found = played(app, redis_server, events, AlwaysOpenCalendar())
    assert len(found.of("1day")) == 1  # of the day that ended; the other one goes on
    assert found.of("60min")[0] == midnight - HOUR_MS
    assert found.of("1min")[:10] == [midnight + n * MINUTE_MS for n in range(-5, 5)]


def test_the_last_millisecond_and_a_leap_second_belong_to_one_minute_each(replay: Replay) -> None:
    minute = at(ORDINARY, "10:00")
    leap = minute + 60_000  # 10:00:60, were there one, is the next minute's first millisecond
    events = [
        trade(1, minute, price=10.0),
        trade(2, leap - 1, price=11.0),
        trade(3, leap, price=12.0),
        trade(4, leap + 999, price=13.0),
    ]
    found = replay(events)
    assert found.bars["1min", minute][:4] == (10.0, 11.0, 10.0, 11.0)
    assert found.bars["1min", leap][:4] == (12.0, 13.0, 12.0, 13.0)


def test_late_repeated_out_of_order_and_ancient_trades_are_told_apart(replay: Replay, database_url: str) -> None:
    minute = at(ORDINARY, "10:00")
    in_order = [trade(n, minute + n * 1000, price=100.0 + n) for n in range(1, 6)]
    events = [
        in_order[2], in_order[0], in_order[4], in_order[1], in_order[3],  # out of order, within the hold
        in_order[3], in_order[3],  # twice more
        trade(10, minute + 61_500, price=200.0),  # ends the minute
        trade(11, minute + 30_000, price=150.0),  # late
        trade(12, minute - 23 * HOUR_MS, price=5.0),  # of the evening before: late as well
        trade(13, minute - 25 * HOUR_MS, price=6.0),  # of the day before: no print comes so late
        trade(14, minute - 24 * 365 * HOUR_MS, price=7.0),
        trade(15, 1_000_000_000_001, price=8.0), trade(16, 1, price=9.0), trade(17, -5, price=9.0), trade(18, 10**21, price=9.0),
        trade(19, minute + 62_000, price=201.0),
    ]  # fmt: skip
    found = replay(events)
    assert found.bars["1min", minute] == (101.0, 105.0, 101.0, 105.0, 500)
    assert found.bars["1min", minute + MINUTE_MS][:4] == (200.0, 201.0, 200.0, 201.0)
    assert sorted(found.late) == [minute - 23 * HOUR_MS, minute + 30_000]
    assert [tick.price for tick in found.ticks if tick.timestamp < minute + 60_000][5:] == [150.0, 5.0]
    assert (found.counts["repeats"], found.counts["too_late"]) == (2, 3)
    assert found.app.service.state()["rejected"] == {"a trade without a proper time": 3}
    assert found.counts["trades"] + 3 == len(events)
    stored = eventually(lambda: len(rows := stored_ticks(database_url)) == len(found.ticks) and rows)
    assert sum(bool(row[-1]) for row in stored) == 2  # marked as late


def test_an_order_of_arrival_makes_no_difference_within_the_hold(replay: Replay, redis_server: RedisServer) -> None:
    minute = at(ORDINARY, "11:00")
    events = [trade(n, minute + n * 97, price=50.0 + (n * 7919 % 100) / 100) for n in range(1, 600)]
    shuffled = [each for first in range(0, len(events), 9) for each in reversed(events[first : first + 9])]
    in_order = replay(events)
    in_order.app.stop()  # else it may take the lease again, and put back what is taken out here
    with redis_server.client() as client:
        client.flushall()
    assert replay(shuffled).bars == in_order.bars


def test_a_live_feed_takes_nothing_from_the_future_and_says_so(
    start: Start, redis_server: RedisServer, database_url: str
) -> None:
    app = start(redis_server.url)
    app.go_live()
    now = int(time.time() * 1000)
    app.client.frame(
        trade(1, now - 500, price=10.0), trade(2, now + 30_000, price=11.0), trade(3, now + 75_000, price=12.0),
        trade(4, now + 86_400_000, price=13.0), trade(5, 4_102_444_799_999, price=14.0), trade(6, now * 1_000_000, price=15.0),
    )  # fmt: skip
    eventually(lambda: app.service.state()["ticks"] == 3)
    state = app.service.state()
    assert state["rejected"] == {"a trade from the future (is this computer's clock right?)": 3}
    assert state["watermark"] < now + 60_000  # no minute ends too early by more than the tolerance
    eventually(lambda: len(stored_ticks(database_url)) == 3)
