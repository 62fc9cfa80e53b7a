"""A wall clock that somebody sets, and the clock that minutes are closed by."""

from __future__ import annotations

import pytest

from tickstock.market_data.feed_clock import FRAMES_TO_JUDGE, FeedClock

START = 1_728_300_000.0


class Clocks:
    def __init__(self, delay_ms: int = 0) -> None:
        self.true = START
        self.set_by = 0.0
        self.clock = FeedClock(delay_ms, lambda: self.true + self.set_by, lambda: self.true - 1_000_000.0)

    def error(self) -> int:
        """By how much it differs from the true time, in ms."""
        return self.clock.now_ms() - round(self.true * 1000)

    def frames(self, count: int, age_ms: int = 20) -> None:
        for _ in range(count):
            self.true += 0.05
            self.clock.saw_event(round(self.true * 1000) - age_ms)
            self.clock.now_ms()


@pytest.mark.parametrize("jump", [-86_400.0, -3600.0, -5.0, 5.0, 3600.0, 86_400.0])
def test_a_clock_that_is_set_wrong_is_not_followed(jump: float) -> None:
    clocks = Clocks()
    clocks.set_by = jump
    for _ in range(3):
        assert abs(clocks.error()) <= 1
        assert clocks.clock.wall_ahead_ms == jump * 1000
        clocks.frames(FRAMES_TO_JUDGE)
    assert clocks.clock.of_wall_ms(round((clocks.true + jump) * 1000)) == round(clocks.true * 1000)
    clocks.set_by = 0.0
    assert abs(clocks.error()) <= 1
    assert clocks.clock.wall_ahead_ms == 0


@pytest.mark.parametrize("wrong", [-3600.0, -10.0, 10.0, 3600.0])
@pytest.mark.parametrize("delay_ms", [0, 900_000])
def test_a_clock_that_is_set_right_is_followed_when_the_feed_says_so(wrong: float, delay_ms: int) -> None:
    clocks = Clocks(delay_ms)
    clocks.true -= wrong  # the computer started with a wrong clock
    clocks.set_by = wrong
    clocks.clock = FeedClock(delay_ms, lambda: clocks.true + clocks.set_by, lambda: clocks.true)
    assert abs(clocks.error() - wrong * 1000) <= 1
    clocks.set_by = 0.0
    clocks.clock.now_ms()
    clocks.frames(FRAMES_TO_JUDGE, delay_ms + 20)
    assert abs(clocks.error()) <= 1
    assert clocks.clock.wall_ahead_ms == 0


def test_a_clock_that_is_adjusted_bit_by_bit_is_followed() -> None:
    clocks = Clocks()
    for _ in range(100):
        clocks.true += 1
        clocks.set_by += 0.1
        assert abs(clocks.error() - clocks.set_by * 1000) <= 1
    assert clocks.clock.wall_ahead_ms == 0


def test_late_prints_alone_do_not_make_a_wrong_clock_right() -> None:
    clocks = Clocks()
    clocks.set_by = -3600.0
    clocks.clock.now_ms()
    for number in range(200):
        clocks.frames(1, 3_600_000 if number % 3 else 20)
        assert abs(clocks.error()) <= 1
