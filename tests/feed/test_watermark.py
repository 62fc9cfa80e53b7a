from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstock.feed.watermark import Watermark

MINUTE = 60_000


def test_it_follows_the_largest_event_end_less_the_hold() -> None:
    watermark = Watermark(hold_ms=4_000, delay_ms=0, wall_clock=False)
    watermark.event(100_000)
    watermark.event(90_000)
    assert watermark.value == 96_000


def test_it_says_when_it_passes_the_end_of_a_minute() -> None:
    watermark = Watermark(hold_ms=1_000, delay_ms=0, wall_clock=False, value=MINUTE)
    assert not watermark.event(2 * MINUTE + 999)
    assert watermark.stop_at == 2 * MINUTE + 1_000
    assert watermark.event(2 * MINUTE + 1_000)
    assert not watermark.event(2 * MINUTE + 1_001)


def test_the_clock_moves_it_only_while_live_and_on_the_wall_clock() -> None:
    watermark = Watermark(hold_ms=1_000, delay_ms=900_000, wall_clock=True)
    assert not watermark.clock(2_000_000, live=False)
    assert watermark.clock(2_000_000, live=True)
    assert watermark.value == 1_099_000
    assert not Watermark(1_000, 0, wall_clock=False).clock(2_000_000, live=True)


def test_it_stands_still_from_a_break_until_live_again() -> None:
    watermark = Watermark(hold_ms=1_000, delay_ms=0, wall_clock=True, value=MINUTE)
    watermark.hold()
    assert not watermark.clock(10 * MINUTE, live=True)
    assert not watermark.event(5 * MINUTE)
    assert watermark.value == MINUTE
    assert watermark.release()
    assert watermark.value == 5 * MINUTE - 1_000


def test_the_end_of_the_day_moves_it_there() -> None:
    watermark = Watermark(hold_ms=1_000, delay_ms=0, wall_clock=False, value=MINUTE)
    assert watermark.finish(10 * MINUTE)
    assert watermark.value == 10 * MINUTE


moves = st.lists(
    st.tuples(st.sampled_from(["event", "clock", "hold", "release", "finish"]), st.integers(0, 10 * MINUTE)), max_size=40
)


@given(moves)
def test_it_never_goes_back_and_every_passed_minute_is_said(steps: list[tuple[str, int]]) -> None:
    watermark = Watermark(hold_ms=1_500, delay_ms=2_000, wall_clock=True)
    for move, to in steps:
        before = watermark.value
        passed = {
            "event": lambda to=to: watermark.event(to),
            "clock": lambda to=to: watermark.clock(to, True),
            "hold": watermark.hold,
            "release": watermark.release,
            "finish": lambda to=to: watermark.finish(to),
        }[move]()
        assert watermark.value >= before
        assert bool(passed) == (watermark.value // MINUTE > before // MINUTE)
