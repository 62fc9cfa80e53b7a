"""Ended minutes in order; those that touch a gap of the feed are REST's or nobody's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.streaming.market import T0
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.bar_builder import EndedMinute
from tickstock.streaming.minute_queue import FeedGap, MinuteQueue, ReadyMinute

WAIT = 30_000
SYMBOLS = {"A", "B"}


def minute(number: int, position: int = 0) -> EndedMinute:
    start = T0 + number * MINUTE_MS
    return EndedMinute(start, {"A": [1.0, 1.0, 1.0, 1.0, 5, 1, start, start]}, "run", position, position + 1)


def gap(first: int, last: int, position: int = 0) -> FeedGap:
    begin, end = T0 + first * MINUTE_MS, T0 + last * MINUTE_MS
    return FeedGap(begin + 10, end + 10, "test", begin, end, "run", position)


def rest_bars(*numbers: int) -> dict[int, RestBar]:
    return {T0 + n * MINUTE_MS: RestBar(T0 + n * MINUTE_MS, 7.0, 7.0, 7.0, 7.0, 70, 3) for n in numbers}


def everything_ready(queue: MinuteQueue, now: int) -> list[ReadyMinute]:
    found = []
    while (ready := queue.ready(now)) is not None:
        found.append(ready)
    return found


@given(st.lists(st.integers(0, 20), unique=True, max_size=12).map(sorted), st.data())
def test_minutes_leave_in_order_and_those_in_a_gap_take_rest_bars_only(numbers: list[int], data: st.DataObject) -> None:
    queue, now, left = MinuteQueue(WAIT), 0, []
    gaps = []
    for first, length in data.draw(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=3)):
        gaps.append(gap(first, first + length))
        queue.add_gap(gaps[-1])
    touched = {n for n in numbers for g in gaps if g.first <= T0 + n * MINUTE_MS <= g.last}
    for n in numbers:
        queue.put([minute(n)], now)
        now += data.draw(st.integers(0, 10_000))
        asked = queue.wanted(lambda: set(SYMBOLS))
        if asked is not None and data.draw(st.booleans()):
            for symbol in SYMBOLS:
                asked.delivered[symbol] = rest_bars(*numbers)
        left += everything_ready(queue, now)
    for _ in numbers:  # each minute in a gap may have to be asked for apart
        queue.wanted(lambda: set(SYMBOLS))
        now += WAIT
        left += everything_ready(queue, now)
    assert [ready.ended.start for ready in left] == [T0 + n * MINUTE_MS for n in numbers]
    assert not queue.waits
    for ready, n in zip(left, numbers, strict=True):
        assert (ready.rest is not None) == (n in touched)
        if ready.rest is not None:
            assert set(ready.rest) == SYMBOLS - ready.undelivered
            assert all(bar.close == 7.0 for bar in ready.rest.values())


def test_later_minutes_wait_behind_a_gap_until_its_bars_are_there() -> None:
    queue = MinuteQueue(WAIT)
    queue.add_gap(gap(1, 2))
    queue.put([minute(0), minute(1), minute(2), minute(3)], 0)
    assert [ready.ended.start for ready in everything_ready(queue, 0)] == [T0]
    asked = queue.wanted(lambda: set(SYMBOLS))
    assert asked is not None
    assert (asked.first, asked.last) == (T0 + MINUTE_MS, T0 + 2 * MINUTE_MS)
    assert queue.wanted(lambda: set(SYMBOLS)) is None  # each is asked for once
    asked.delivered["A"] = rest_bars(1, 2)
    assert everything_ready(queue, WAIT - 1) == []
    asked.delivered["B"] = rest_bars(2)
    ready = everything_ready(queue, WAIT - 1)
    assert [sorted(each.rest) if each.rest is not None else None for each in ready] == [["A"], ["A", "B"], None]
    assert [each.repaired for each in ready] == [[], [gap(1, 2)], []]
    assert queue.gaps == []


def test_a_minute_closes_without_the_bars_that_did_not_come_in_time() -> None:
    queue = MinuteQueue(WAIT)
    queue.add_gap(gap(0, 0))
    queue.put([minute(0), minute(1)], 1_000)
    asked = queue.wanted(lambda: set(SYMBOLS))
    assert asked is not None
    asked.delivered["A"] = rest_bars(0)
    assert everything_ready(queue, 1_000 + WAIT - 1) == []
    first, second = everything_ready(queue, 1_000 + WAIT)
    assert first.undelivered == {"B"}
    assert first.rest is not None
    assert set(first.rest) == {"A"}
    assert second.rest is None


def test_an_answer_without_the_bar_of_a_minute_that_had_ticks_is_none_yet() -> None:
    queue = MinuteQueue(WAIT)
    queue.add_gap(gap(0, 0))
    queue.put([minute(0)], 1_000)  # ticks of A alone
    asked = queue.wanted(lambda: set(SYMBOLS))
    assert asked is not None
    asked.delivered |= {"A": {}, "B": {}}
    assert queue.incomplete() == [(asked, "A")]
    assert queue.incomplete() == []
    assert everything_ready(queue, 1_000) == []
    asked.delivered["A"] = rest_bars(0)
    assert queue.incomplete() == []
    (ready,) = everything_ready(queue, 1_000)
    assert ready.rest is not None
    assert set(ready.rest) == {"A"}


def test_minutes_of_a_gap_are_named_even_without_ticks() -> None:
    queue = MinuteQueue(WAIT)
    queue.add_gap(gap(1, 4))
    assert queue.minutes_of_gaps(T0 + 3 * MINUTE_MS) == [T0 + MINUTE_MS, T0 + 2 * MINUTE_MS]


def test_a_return_to_the_log_forgets_what_waits_and_asks_again() -> None:
    queue = MinuteQueue(WAIT)
    queue.add_gap(gap(0, 0, position=17))
    queue.put([minute(0)], 0)
    assert queue.wanted(lambda: set(SYMBOLS)) is not None
    queue.drop_waiting()
    assert not queue.waits
    assert queue.replay_from("run", 40) == 17  # the status that told of the gap is read again
    assert queue.replay_from("other", 40) == 40
    queue.put([minute(0)], 0)
    assert queue.wanted(lambda: set(SYMBOLS)) is not None
