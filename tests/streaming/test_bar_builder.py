"""Ticks to minutes: the same however they are cut, equal to a slow reference, and late ones never touch an open bar."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.streaming.market import T0, Item, Say, in_batches, synthetic_day, tick
from tickstock.contract import MarketTick
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.bar_builder import BarBuilder, EndedMinute

SYMBOLS = ("AAPL", "BRK.B", "SNDL")


@st.composite
def days(draw: st.DrawFn) -> list[Item]:
    """Ticks of a few minutes in any order, with watermarks that only rise."""
    prices = st.sampled_from([9.99, 10.0, 10.01, 10.5, 0.0001, 812_345.6789])
    items: list[Item] = [Say(T0)]
    watermark = T0
    for _ in range(draw(st.integers(1, 60))):
        if draw(st.integers(0, 6)) == 0:
            watermark += draw(st.integers(0, 90_000))
            items.append(Say(watermark))
        offset = draw(st.integers(-MINUTE_MS, 5 * MINUTE_MS).filter(lambda n: n % 7 in (0, 1, 2)))
        items.append(tick(draw(st.sampled_from(SYMBOLS)), draw(prices), T0 + offset, draw(st.integers(0, 5))))
    items.append(Say(T0 + 10 * MINUTE_MS))
    return items


def built(batches: list[Any]) -> list[EndedMinute]:
    """What the builder ends when ticks come in these batches; a status is a batch boundary of its own, as in the follower."""
    builder, position, ended = BarBuilder(), 0, []
    builder.restart(T0)
    for batch in batches:
        waiting: list[MarketTick] = []
        for item in [*batch, None]:
            if isinstance(item, MarketTick):
                waiting.append(item)
                continue
            builder.add(waiting, position + 1)
            position += len(waiting)
            waiting = []
            if item is not None:
                ended += builder.advance(item.watermark, "run", position)
    return ended


def reference(items: list[Item]) -> tuple[dict[tuple[int, str], list[float]], Counter[Any]]:
    """Bars and late ticks, slowly: sort each symbol's ticks of a minute by (timestamp, arrival) and look at them."""
    complete, of, late = T0, defaultdict(list), Counter()
    for arrival, item in enumerate(items):
        if isinstance(item, Say):
            complete = max(complete, item.watermark // MINUTE_MS * MINUTE_MS)
        elif item.timestamp // MINUTE_MS * MINUTE_MS < complete:
            late[item.symbol, item.price, item.volume, item.timestamp] += 1
        else:
            of[item.timestamp // MINUTE_MS * MINUTE_MS, item.symbol].append((item.timestamp, arrival, item))
    bars = {}
    for key, found in of.items():
        ticks = [each for _, _, each in sorted(found, key=lambda each: each[:2])]
        prices = [each.price for each in ticks]
        bars[key] = [prices[0], max(prices), min(prices), prices[-1], sum(each.volume for each in ticks), len(ticks)]
        bars[key] += [ticks[0].timestamp, ticks[-1].timestamp]
    return bars, late


def as_bars(ended: list[EndedMinute]) -> dict[tuple[int, str], list[float]]:
    return {(minute.start, symbol): bar for minute in ended for symbol, bar in minute.bars.items()}


@given(days())
def test_bars_and_late_ticks_equal_a_slow_reference(items: list[Item]) -> None:
    bars, late = reference(items)
    ended = built([items])
    # What comes late after the last minute ended is handed out with the next one.
    assert as_bars(ended) == bars
    assert Counter(tuple(each) for minute in ended for each in minute.late) == late


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 400))
def test_however_a_day_is_cut_into_batches_the_minutes_are_the_same(seed: int, cut: int, largest: int) -> None:
    day = synthetic_day(seed % 5, 4, 8, late_share=0.05)
    assert built([day]) == built(in_batches(day, cut, largest + 1))


@given(days(), st.data())
def test_replaying_from_any_committed_minute_gives_the_remaining_minutes_again(items: list[Item], data: st.DataObject) -> None:
    ended = built([items])
    at = data.draw(st.integers(0, len(ended) - 1))
    committed = ended[at]
    builder, position, again = BarBuilder(), 0, []
    builder.restart(committed.start + MINUTE_MS, "run")
    for item in items:
        if isinstance(item, MarketTick):
            position += 1
            if position >= committed.replay_from:
                (builder.add_again if position <= committed.position else builder.add)([item], position)
        elif position >= committed.replay_from - 1:
            again += builder.advance(item.watermark, "run", position)
    assert again == [*ended[at + 1 :]]


def test_ties_in_time_go_to_the_first_for_the_open_and_to_the_last_for_the_close() -> None:
    builder = BarBuilder()
    builder.restart(T0)
    at = T0 + 500
    builder.add([tick("A", 2.0, at), tick("A", 3.0, at), tick("A", 9.0, at + 5), tick("A", 1.0, at), tick("A", 5.0, at + 5)], 1)
    bar = builder.advance(T0 + MINUTE_MS, "run", 5)[0].bars["A"]
    assert bar == [2.0, 9.0, 1.0, 5.0, 500, 5, at, at + 5]


def test_a_minute_closes_for_quiet_symbols_when_the_watermark_passes() -> None:
    builder = BarBuilder()
    builder.restart(T0)
    builder.add([tick("QUIET", 2.0, T0), tick("BUSY", 3.0, T0 + MINUTE_MS)], 1)
    assert builder.advance(T0 + MINUTE_MS - 1, "run", 2) == []
    (minute,) = builder.advance(T0 + MINUTE_MS, "run", 2)
    assert minute.start == T0
    assert list(minute.bars) == ["QUIET"]
    assert minute.replay_from == 2  # the busy one's minute is still open


def test_a_minute_of_an_earlier_run_is_not_looked_for_at_a_position_of_the_new_one() -> None:
    builder = BarBuilder()
    builder.restart(T0)
    builder.advance(T0, "old", 0)
    builder.add([tick("A", 2.0, T0 + MINUTE_MS)], 9_000)
    builder.advance(T0, "new", 0)
    (minute,) = builder.advance(T0 + MINUTE_MS, "new", 3)
    assert (minute.run, minute.replay_from) == ("new", 1)
