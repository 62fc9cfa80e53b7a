from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.feed.builders import MINUTE, bars_of, in_batches, minute, plain, second, stream, ticks_of, trade
from tickstock.feed.massive_events import Event, SecondAggregate
from tickstock.market_hours import DAY_MS

MIDNIGHT = MINUTE + 13 * 3_600_000 + 30 * 60_000  # the next one in New York


def test_a_rising_window_goes_to_its_low_first() -> None:
    assert plain(stream("A").add([second(MINUTE, 10, 13, 9, 12)], 0)) == [(10, 0, 0), (9, 0, 333), (13, 0, 666), (12, 100, 999)]


def test_a_falling_window_goes_to_its_high_first() -> None:
    assert plain(stream("A").add([second(MINUTE, 12, 13, 9, 10)], 0)) == [(12, 0, 0), (13, 0, 333), (9, 0, 666), (10, 100, 999)]


def test_a_minute_aggregate_spreads_over_its_minute() -> None:
    ticks = plain(stream("AM").add([minute(MINUTE, 10, 13, 9, 12)], 0))
    assert ticks == [(10, 0, 0), (9, 0, 20_000), (13, 0, 40_000), (12, 100, 59_999)]


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((10, 10, 10, 10), [10, 10]),  # the close is never left out
        ((10, 12, 10, 12), [10, 12, 12]),
        ((12, 12, 10, 10), [12, 10, 10]),
        ((10, 11, 9, 10), [10, 9, 11, 10]),
    ],
)
def test_a_price_equal_to_the_one_before_is_left_out(prices: tuple[float, ...], expected: list[float]) -> None:
    assert [tick.price for tick in ticks_of(stream("A").add([second(MINUTE, *prices)], 0))] == expected


def volumes(*events: Event) -> list[int]:
    return [tick.volume for tick in ticks_of(stream("A").add(events, 0)) if tick.volume]


def at(seconds: int, v: float, av: float | None) -> Event:
    return second(MINUTE + 1_000 * seconds, 10, 10, 10, 10, v, av)


def test_the_volume_is_the_rise_of_the_accumulated_volume() -> None:
    assert volumes(at(0, 100, 5_000), at(5, 100, 5_130), at(61, 50, 5_200)) == [100, 130, 70]


def test_without_an_aggregate_in_the_same_or_preceding_minute_the_windows_own_volume_counts() -> None:
    assert volumes(at(59, 100, 5_000), at(120, 70, 9_000), at(121, 1, 9_010)) == [100, 70, 10]


def test_without_accumulated_volume_the_windows_own_counts() -> None:
    assert volumes(at(0, 100, None), at(1, 70, None)) == [100, 70]


def test_a_new_connection_starts_with_the_windows_own_volume() -> None:
    feed = stream("A")
    feed.add([at(0, 100, 5_000)], 0)
    feed.new_connection()
    assert plain(feed.add([at(1, 70, 8_000)], 0))[-1][1] == 70
    assert plain(feed.add([at(2, 70, 8_100)], 0))[-1][1] == 100


def test_accumulated_volume_starts_anew_at_midnight_even_when_trading_goes_on() -> None:
    offset = (MIDNIGHT - MINUTE) // 1_000
    assert volumes(at(offset - 2, 100, 90_000), at(offset - 1, 60, 90_060), at(offset, 40, 40), at(offset + 1, 5, 50)) == [
        100,
        60,
        40,
        10,
    ]


def test_accumulated_volume_that_falls_adds_nothing() -> None:
    assert volumes(at(0, 100, 5_000), at(1, 70, 4_900), at(2, 30, 5_030)) == [100, 30]


def again(*events: Event) -> tuple[list[tuple[float, int, int]], int]:
    """What the last event adds to those before it, and how much of it ticks cannot say."""
    feed = stream("A")
    feed.add(events[:-1], 0)
    ticks = plain(feed.add(events[-1:], 0))
    assert feed.counts["repeats"] == 1
    return ticks, feed.counts["unexpressed"]


def test_an_equal_window_seen_again_adds_nothing() -> None:
    window = second(MINUTE, 10, 13, 9, 12, 100, 5_000)
    assert again(window, window) == ([], 0)


def test_a_new_extreme_is_a_path_back_to_the_close_at_the_same_stamps() -> None:
    first = second(MINUTE, 10, 13, 9, 12, 100, 5_000)
    assert again(first, second(MINUTE, 10, 14, 9, 12, 130, 5_030)) == ([(14, 0, 666), (12, 30, 999)], 0)
    assert again(first, second(MINUTE, 10, 14, 8, 12, 130, 5_030)) == ([(8, 0, 333), (14, 0, 666), (12, 30, 999)], 0)
    assert again(first, second(MINUTE, 10, 14, 9, 9.5, 130, 5_030)) == ([(14, 0, 333), (9.5, 30, 999)], 0)


def test_a_changed_close_replaces_the_earlier_one() -> None:
    assert again(second(MINUTE, 10, 13, 9, 12), second(MINUTE, 10, 13, 9, 11)) == ([(11, 0, 999)], 0)


@pytest.mark.parametrize(
    "changed",
    [
        second(MINUTE, 10, 12.5, 9, 12),
        second(MINUTE, 10, 13, 9.5, 12),
        second(MINUTE, 11, 13, 9, 12),
        second(MINUTE, 10, 13, 9, 12, 90),
    ],
)
def test_what_ticks_cannot_say_is_counted(changed: Event) -> None:
    assert again(second(MINUTE, 10, 13, 9, 12), changed) == ([], 1)


def test_volume_added_to_a_window_seen_again_is_not_added_twice() -> None:
    def total(*events: Event) -> int:
        return sum(volumes(*events))

    # The repeat carries the accumulated volume of its own time, or that of now: either way the sum is the last `av`.
    assert total(at(0, 100, 100), at(1, 50, 150), at(0, 120, 120), at(2, 10, 180)) == 180
    assert total(at(0, 100, 100), at(1, 50, 150), at(0, 120, 170), at(2, 10, 180)) == 180


def test_volume_added_to_an_older_minutes_window_is_the_difference_of_its_own() -> None:
    feed = stream("A")
    feed.add([at(0, 100, 100), at(60, 50, 150), at(120, 10, 160)], 0)
    assert plain(feed.add([at(0, 130, 190)], 0)) == [(10, 30, 999)]
    assert plain(feed.add([at(121, 10, 200)], 0))[-1] == (10, 10, 121_999)


def test_a_window_seen_again_over_a_new_connection_is_known() -> None:
    feed = stream("A")
    feed.add([at(0, 100, 5_000)], 0)
    feed.new_connection()
    assert plain(feed.add([at(0, 130, 8_000)], 0)) == [(10, 30, 999)]


def test_a_late_window_is_forwarded_as_late() -> None:
    feed = stream("A", hold_ms=4_000)
    feed.add([at(0, 1, None), at(70, 1, None)], 0)
    assert [tick.late for tick in ticks_of(feed.add([at(30, 1, None), at(64, 1, None)], 0))] == [True, True, False, False]


def test_windows_are_remembered_for_fifteen_minutes() -> None:
    feed = stream("A")
    feed.add([at(0, 100, 5_000), at(899, 1, 6_000)], 0)
    feed.add([at(0, 100, 5_000)], 0)
    assert feed.counts["repeats"] == 1
    feed.add([at(901, 1, 6_100)], 0)
    assert plain(feed.add([at(0, 100, 5_000)], 0)) == []
    assert feed.counts["too_late"] == 1


def test_memory_of_windows_is_bounded() -> None:
    feed = stream("A")
    for step in range(0, 5_000, 100):
        feed.add(
            [
                SecondAggregate("AAPL", MINUTE + n, MINUTE + n + 4, 10, 10, 10, 10, 1, None)
                for n in range(step * 4, (step + 100) * 4, 4)
            ],
            0,
        )
    [lane] = feed._maker._lanes.values()  # type: ignore[attr-defined]
    assert len(lane.starts) <= 1_000
    assert len(lane.values) == 5 * len(lane.starts)


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    "bad",
    [
        second(MINUTE, 0, 0, 0, 0),
        second(MINUTE, 10, 9, 8, 8.5),
        second(MINUTE, 10, 12, 9, 13),
        second(MINUTE, 10, 12, 10.5, 11),
        second(MINUTE, 10, INFINITY, 9, 11),
        second(MINUTE, NAN, 12, 9, 11),
        second(MINUTE, 10, 12, 9, 11, v=-1),
        second(MINUTE, 10, 12, 9, 11, v=NAN),
        second(MINUTE, 10, 12, 9, 11, av=-1),
        second(MINUTE, 10, 12, 9, 11, symbol=""),
        second(MINUTE, 10, 12, 9, 11, symbol="A\rB"),
        second(0, 10, 12, 9, 11),
        second(MINUTE // 1_000, 10, 12, 9, 11),
        second(MINUTE + 59_500, 10, 12, 9, 11),  # over a minute's end
        SecondAggregate("A", MINUTE, MINUTE - 1_000, 10, 12, 9, 11),
        SecondAggregate("A", MINUTE, MINUTE + 3 * DAY_MS, 10, 12, 9, 11),
    ],
    ids=repr,
)
def test_an_invalid_aggregate_is_counted_and_dropped_alone(bad: Event) -> None:
    feed = stream("A")
    items = feed.add([at(0, 1, None), bad, at(1, 2, None)], 0)
    assert [tick.volume for tick in ticks_of(items) if tick.volume] == [1, 2]
    assert feed.rejections.total == 1
    assert feed.last_event_end == MINUTE + 2_000


def test_an_end_that_is_missing_follows_from_the_channel() -> None:
    assert plain(stream("A").add([SecondAggregate("A", MINUTE, 0, 10, 10, 10, 10, 5)], 0)) == [(10, 0, 0), (10, 5, 999)]


def test_events_of_other_channels_make_no_ticks() -> None:
    feed = stream("A")
    assert feed.add([minute(MINUTE, 10, 13, 9, 12), trade(MINUTE)], 0) == []
    assert feed.counts["other_channel"] == 2


price, step = st.integers(1, 9), st.integers(0, 3)
rows_of_windows = st.tuples(st.sampled_from(["A", "B"]), st.integers(0, 200), price, price, step, step, st.integers(1, 50))
windows = st.lists(rows_of_windows, max_size=50)


def events_of(rows: list[tuple[str, int, int, int, int, int, int]]) -> list[Event]:
    return [
        second(MINUTE + 1_000 * s, o, max(o, c) + up, max(0.5, min(o, c) - down), c, v, symbol=symbol)
        for symbol, s, o, c, up, down, v in rows
    ]


@given(windows, st.lists(st.integers(0, 50), max_size=10))
def test_the_cuts_change_nothing(rows: list[tuple[str, int, int, int, int, int, int]], cuts: list[int]) -> None:
    events = events_of(rows)
    assert in_batches(stream("A"), events, [cut for cut in cuts if cut < len(events)]) == stream("A").add(events, 0)


@given(windows)
def test_bars_of_windows_that_come_once_are_those_of_the_windows(rows: list[tuple[str, int, int, int, int, int, int]]) -> None:
    once = list({(row[0], row[1]): row for row in rows}.values())
    bars = bars_of(stream("A").add(events_of(once), 0))
    minutes: dict[tuple[str, int], list[Event]] = {}
    for event in sorted(events_of(once), key=lambda event: event.s):  # type: ignore[union-attr]
        minutes.setdefault((event.sym, event.s // 60_000 * 60_000), []).append(event)  # type: ignore[union-attr]
    assert bars == {
        key: (of[0].o, max(w.h for w in of), min(w.l for w in of), of[-1].c, sum(w.v for w in of))  # type: ignore[union-attr]
        for key, of in minutes.items()
    }
