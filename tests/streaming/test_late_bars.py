"""Minutes that closed without REST's bars: asked for, repaired when all came, lost when the day is over; never both."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.streaming.market import T0
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.late_bars import IN_TIME, LATE, LateBars
from tickstock.streaming.minute_queue import FeedGap, RestRange

SYMBOLS = ("A", "B", "C")


def minute(n: int) -> int:
    return T0 + n * MINUTE_MS


def gap(first: int, last: int) -> FeedGap:
    return FeedGap(minute(first) + 10, minute(last) + 10, "test", minute(first), minute(last), "run", 0)


def bars(*numbers: int) -> dict[int, RestBar]:
    return {minute(n): RestBar(minute(n), 7.0, 7.0, 7.0, 7.0, 70, 3) for n in numbers}


def test_a_gap_waits_until_everything_has_come() -> None:
    late, wanted = LateBars(), RestRange(minute(0), minute(2), {"A", "B"})
    late.closed_without(minute(1), {"A", "B"})
    late.closed_without(minute(2), {"B"})
    assert late.closed(gap(0, 2))[4:] == (None, None)
    assert late.misses(wanted, "A") and late.misses(wanted, "B") and not late.misses(wanted, "C")
    assert late.come(wanted, "A", bars(0, 1, 2)) == list(bars(1).values())  # of minute 0 it was not missing
    assert late.repaired() == []
    assert late.come(wanted, "B", bars(0)) == []  # it did not trade in the others
    assert [row[4:] for row in late.repaired()] == [(LATE, None)]
    assert late.repaired() == late.day_is_over() == []


def test_what_never_comes_is_lost_when_the_day_is_over() -> None:
    late = LateBars()
    late.closed_without(minute(1), {"A", "B"})
    late.closed_without(minute(2), {"B"})
    late.closed(gap(1, 2))
    late.come(RestRange(minute(1), minute(2), {"A"}), "A", {})
    ((_, _, _, _, repair, lost),) = late.day_is_over()
    assert repair == IN_TIME and lost == "bars of 1 symbols in 2 minutes: REST did not deliver them that day"
    assert not late.misses(RestRange(minute(1), minute(2), {"B"}), "B")


def test_the_evenings_comparison_repairs_a_gap_too() -> None:
    late = LateBars()
    late.closed_without(minute(1), {"A"})
    late.closed_without(minute(5), {"A"})
    late.closed(gap(1, 1))
    late.closed(gap(5, 5))
    late.compared("A", minute(5))
    assert [row[0] for row in late.repaired()] == [gap(1, 1).id]


def test_a_gap_whose_bars_came_in_time_is_repaired_at_once() -> None:
    assert LateBars().closed(gap(1, 2))[4:] == (IN_TIME, None)


@given(st.dictionaries(st.integers(0, 5), st.sets(st.sampled_from(SYMBOLS)), max_size=6), st.lists(st.sampled_from(SYMBOLS)))
def test_every_late_bar_is_given_out_once(missing: dict[int, set[str]], order: list[str]) -> None:
    late, wanted = LateBars(), RestRange(minute(0), minute(5), set(SYMBOLS))
    for n, symbols in missing.items():
        late.closed_without(minute(n), symbols)
    waits = late.closed(gap(0, 5))[4] is None
    assert waits == any(missing.values())
    given_out = [(symbol, bar.timestamp) for symbol in order for bar in late.come(wanted, symbol, bars(*range(6)))]
    expected = {(symbol, minute(n)) for n, symbols in missing.items() for symbol in symbols if symbol in order}
    assert len(given_out) == len(expected) and set(given_out) == expected
    done = len(late.repaired()) + len(late.day_is_over())
    assert done == (1 if waits else 0)
