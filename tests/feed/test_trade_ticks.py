from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.feed.builders import MINUTE, bars_of, in_batches, plain, stream, ticks_of, trade
from tests.feed.vendor_reference import Print, vendor_bars
from tickstock.feed.feed_stream import FeedStream, Passed
from tickstock.market_hours import Calendar, ExchangeCalendar, Session, new_york_ms

ODD_LOT, AVERAGE_PRICE, OFFICIAL_CLOSE, PRIOR_REFERENCE, DERIVATIVE, FORM_T, CORRECTED_CLOSE = 37, 2, 15, 22, 10, 12, 38


def test_an_eligible_trade_becomes_a_tick() -> None:
    assert plain(stream().add([trade(MINUTE + 5, 10.25, 300, (14, 41))], 0)) == [(10.25, 300, 5)]


def test_volume_only_rides_on_the_next_tick_of_its_minute() -> None:
    feed = stream()
    assert feed.add([trade(MINUTE + 1, 10, 40, (ODD_LOT,)), trade(MINUTE + 2, 11, 30, (AVERAGE_PRICE,))], 0)[:-1] == []
    assert plain(feed.add([trade(MINUTE + 3, 10.5, 100)], 0)) == [(10.5, 170, 3)]


def test_volume_that_no_tick_took_rides_on_a_repeat_at_the_minutes_last_millisecond() -> None:
    feed = stream()
    feed.add([trade(MINUTE, 10, 100), trade(MINUTE + 7, 99, 40, (ODD_LOT,))], 0)
    items = feed.add([trade(MINUTE + 61_000, 11, 5)], 0)
    assert plain(items) == [(11, 5, 61_000), (10, 40, 59_999)]
    assert items[-1] == Passed(MINUTE + 60_000)
    assert not any(tick.late for tick in ticks_of(items))


def test_a_minute_without_a_price_keeps_its_volume_to_itself() -> None:
    feed = stream()
    feed.add([trade(MINUTE, 10, 40, (ODD_LOT,)), trade(MINUTE + 1, 12, 7, (PRIOR_REFERENCE,))], 0)
    assert plain(feed.add([trade(MINUTE + 61_000, 11, 5)], 0)) == [(11, 5, 61_000)]
    assert feed.counts["held_without_price"] == 47


@pytest.mark.parametrize("price", [1e8, 1e300, 0.0, -1.0])
def test_an_impossible_price_takes_no_volume_with_it(price: float) -> None:
    feed = stream()
    assert plain(feed.add([trade(MINUTE, 10, 40, (ODD_LOT,)), trade(MINUTE + 1, price, 100)], 0)) == []
    assert plain(feed.add([trade(MINUTE + 2, 11, 5)], 0)) == [(11, 45, 2)]


def test_a_trade_that_moves_nothing_makes_no_tick() -> None:
    feed = stream()
    assert plain(feed.add([trade(MINUTE, 10, 500, (OFFICIAL_CLOSE,)), trade(MINUTE + 1, 11, 5)], 0)) == [(11, 5, 1)]


def test_a_price_without_volume_carries_none() -> None:
    assert plain(stream().add([trade(MINUTE, 10, 500, (CORRECTED_CLOSE,))], 0)) == [(10, 0, 0)]


def test_a_high_low_only_trade_is_followed_by_the_last_price() -> None:
    items = stream().add([trade(MINUTE, 10, 100), trade(MINUTE + 9, 12, 50, (PRIOR_REFERENCE,))], 0)
    assert plain(items) == [(10, 100, 0), (12, 50, 0), (10, 0, 0)]
    assert list(bars_of(items).values()) == [(10, 12, 10, 10, 150)]


def test_a_high_low_only_trade_waits_for_the_minutes_first_eligible_print() -> None:
    feed = stream()
    assert plain(feed.add([trade(MINUTE, 12, 50, (DERIVATIVE,)), trade(MINUTE + 1, 8, 20, (DERIVATIVE,))], 0)) == []
    items = feed.add([trade(MINUTE + 5, 10, 100)], 0)
    assert plain(items) == [(10, 100, 5), (12, 50, 5), (10, 0, 5), (8, 20, 5), (10, 0, 5)]
    assert list(bars_of(items).values()) == [(10, 12, 8, 10, 170)]


def test_fractions_of_shares_are_carried_within_the_minute() -> None:
    feed = stream()
    items = feed.add([trade(MINUTE + n, 10, 0, ds="0.1") for n in range(10)] + [trade(MINUTE + 20, 10, 40, ds="40.740474")], 0)
    assert [tick.volume for tick in ticks_of(items)] == [0] * 9 + [1, 40]
    items += feed.add([trade(MINUTE + 61_000, 10, 0, ds="0.5")], 0)
    assert bars_of(items)["AAPL", MINUTE][4] == 41  # 41.74, and the fraction does not reach the next minute
    assert ticks_of(items)[-1].volume == 0


def test_the_decimal_size_is_the_size_when_it_is_present() -> None:
    feed = stream()
    items = feed.add([trade(MINUTE, 10, 40, ds="41.0"), trade(MINUTE + 1, 10, 40, ds="")], 0)
    assert [tick.volume for tick in ticks_of(items)] == [41, 40]


def test_a_repeated_trade_is_dropped_and_counted() -> None:
    feed = stream()
    first = trade(MINUTE, 10, 100, sequence=5, trade_id="7")
    assert len(ticks_of(feed.add([first, first, trade(MINUTE, 10, 100, sequence=6, trade_id="7")], 0))) == 2
    assert feed.counts["repeats"] == 1


def test_repeats_are_known_over_a_new_connection() -> None:
    feed = stream()
    first = trade(MINUTE, 10, 100, sequence=5, trade_id="7")
    feed.add([first], 0)
    feed.new_connection()
    assert ticks_of(feed.add([first], 0)) == []


def test_a_late_eligible_print_is_forwarded_as_late_and_stays_the_close() -> None:
    feed = stream()
    items = feed.add([trade(MINUTE, 10, 100), trade(MINUTE + 1, 9, 40, (ODD_LOT,)), trade(MINUTE + 61_000, 11, 5)], 0)
    late = feed.add([trade(MINUTE + 30_000, 10.5, 60)], 0)
    assert plain(late) == [(10.5, 60, 30_000), (10.5, 0, 59_999)]
    assert all(tick.late for tick in ticks_of(late))
    assert bars_of(items + late)["AAPL", MINUTE] == (10, 10.5, 10, 10.5, 200)


def test_late_volume_rides_on_a_late_repeat_of_its_minutes_last_price() -> None:
    feed = stream()
    feed.add([trade(MINUTE, 10, 100), trade(MINUTE + 61_000, 11, 5)], 0)
    [tick] = ticks_of(feed.add([trade(MINUTE + 4, 99, 40, (ODD_LOT,))], 0))
    assert (tick.price, tick.volume, tick.timestamp, tick.late) == (10, 40, MINUTE + 59_999, True)


def test_late_volume_of_a_forgotten_minute_is_only_counted() -> None:
    feed = stream()
    feed.add([trade(MINUTE, 10, 100), trade(MINUTE + 17 * 60_000, 11, 5)], 0)
    assert ticks_of(feed.add([trade(MINUTE + 4, 99, 40, (ODD_LOT,))], 0)) == []
    assert feed.counts["held_without_price"] == 40


def test_a_late_price_takes_up_the_volume_that_its_minute_kept() -> None:
    feed = stream()
    feed.add([trade(MINUTE, 10, 40, (ODD_LOT,)), trade(MINUTE + 61_000, 11, 5)], 0)
    assert feed.counts["held_without_price"] == 40
    assert plain(feed.add([trade(MINUTE + 2, 10.5, 100)], 0)) == [(10.5, 140, 2)]
    assert feed.counts["held_without_price"] == 0


@pytest.mark.parametrize(
    ("at", "priced"),
    [(time(9, 29, 59), True), (time(9, 30), False), (time(12, 59, 59), False), (time(13), True), (time(16, 30), True)],
)
def test_form_t_moves_prices_outside_the_regular_session_of_an_early_close(at: time, priced: bool) -> None:
    feed = FeedStream("T", ExchangeCalendar(), hold_ms=1_000, wall_clock=False)
    day_after_thanksgiving = new_york_ms(date(2025, 11, 28), at)
    assert bool(ticks_of(feed.add([trade(day_after_thanksgiving, 10, 100, (FORM_T,))], 0))) is priced


def test_the_calendar_is_not_asked_for_every_trade() -> None:
    class CountingCalendar(ExchangeCalendar):
        asked = 0

        def sessions_of(self, day: date) -> tuple[Session, ...]:
            self.asked += 1
            return super().sessions_of(day)

    calendar = CountingCalendar()
    typed: Calendar = calendar
    feed = FeedStream("T", typed, hold_ms=1_000, wall_clock=False)
    feed.add([trade(MINUTE + n, 10, 100, (FORM_T,)) for n in range(1_000)], 0)
    assert calendar.asked == 1


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    "bad",
    [
        trade(MINUTE, 0),
        trade(MINUTE, -1),
        trade(MINUTE, NAN),
        trade(MINUTE, INFINITY),
        trade(MINUTE, 10, -1),
        trade(MINUTE, 10, NAN),
        trade(MINUTE, 10, INFINITY),
        trade(MINUTE, 10, ds="many"),
        trade(MINUTE, 10, ds="nan"),
        trade(MINUTE, 10, ds="-3.5"),
        trade(0),
        trade(-5),
        trade(MINUTE // 1000),
        trade(10**25),
        trade(MINUTE, symbol=""),
        trade(MINUTE, symbol="A\tB"),
        trade(MINUTE, symbol="A\nB"),
        trade(MINUTE, symbol="A\x00"),
        trade(MINUTE, symbol="A" * 33),
    ],
    ids=repr,
)
def test_an_invalid_trade_is_counted_and_dropped_alone(bad: object) -> None:
    feed = stream()
    items = feed.add([trade(MINUTE, 10, 1), bad, trade(MINUTE, 11, 2)], 0)  # type: ignore[list-item]
    assert plain(items) == [(10, 1, 0), (11, 2, 0)]
    assert feed.rejections.total == 1
    assert feed.last_event_end == MINUTE


def test_markup_is_legal_text_in_a_symbol() -> None:
    [tick] = ticks_of(stream().add([trade(MINUTE, symbol="<b>&amp;\"'")], 0))
    assert tick.symbol == "<b>&amp;\"'"


@pytest.mark.parametrize("factor", [1, 1_000, 1_000_000])
def test_a_time_is_told_by_its_magnitude(factor: int) -> None:
    assert plain(stream().add([trade((MINUTE + 5) * factor)], 0)) == [(10, 100, 5)]


# --- properties ---

RULES = {
    37: (False, False, True),
    22: (True, False, True),
    15: (False, False, False),
    38: (True, True, False),
}  # fmt: skip

prints = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]),
        st.integers(0, 4 * 60_000),
        st.integers(1, 9),
        st.integers(0, 300),
        st.sampled_from([(), (), (), (37,), (37,), (22,), (15,), (38,), (22, 38)]),
    ),
    max_size=60,
)
cuts = st.lists(st.integers(0, 60), max_size=12)


def as_prints(rows: list[tuple[str, int, int, int, tuple[int, ...]]]) -> list[Print]:
    return [Print(s, MINUTE + t, float(p), v, c, 4, str(n), n + 1, 0) for n, (s, t, p, v, c) in enumerate(rows)]


@given(prints, cuts, st.booleans(), st.integers(0, 3_000))
def test_bars_from_ticks_equal_the_vendors_in_whatever_order_trades_come(
    rows: list[tuple[str, int, int, int, tuple[int, ...]]], places: list[int], in_order: bool, hold: int
) -> None:
    arrived = as_prints(sorted(rows, key=lambda row: row[1]) if in_order else rows)
    feed = stream(hold_ms=hold)
    events = [trade(p.time_ms, p.price, p.size, p.conditions or None, symbol=p.symbol, sequence=p.sequence) for p in arrived]
    items = in_batches(feed, events, [place for place in places if place < len(events)])
    items += feed.finish_day(MINUTE + 5 * 60_000)
    reference = vendor_bars(arrived, RULES)
    expected = {key: (b.open, b.high, b.low, b.close, b.volume) for key, b in reference.items() if b.priced}
    assert bars_of(items) == expected
    assert feed.counts["held_without_price"] == sum(b.volume for b in reference.values() if not b.priced)


@given(prints, cuts)
def test_neither_the_cuts_nor_repeats_change_anything(
    rows: list[tuple[str, int, int, int, tuple[int, ...]]], places: list[int]
) -> None:
    arrived = as_prints(rows)
    events = [trade(p.time_ms, p.price, p.size, p.conditions or None, symbol=p.symbol, sequence=p.sequence) for p in arrived]
    whole = stream().add(events, 0)
    assert in_batches(stream(), events, [place for place in places if place < len(events)]) == whole
    doubled = [each for event in events for each in (event, event)]
    feed = stream()
    again = feed.add(doubled, 0)
    assert [item for item in again if not isinstance(item, Passed)] == ticks_of(whole)
    assert feed.counts["repeats"] == len(events)
