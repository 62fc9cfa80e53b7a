"""Range breakouts: twenty narrow bars, all in one session on short timeframes, and the close that leaves them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.drawn_shapes import shapes_of
from tests.analysis.series import MINUTE, START, Series, series


def narrow(bars: int = 30, last: float = 101.0, *, swing: float = 0.3) -> Series:
    """Bars of a range of 1 that swing a little around 100, then one that closes elsewhere."""
    close = 100.0 + swing * np.where(np.arange(bars) % 2, 1, -1)
    rows = [(c, c + 0.5, c - 0.5, c) for c in close]
    return series([*rows, (close[-1], max(close[-1], last), min(close[-1], last), last)])


def breakouts(one: Series, timeframe: str = "1min"):
    return shapes_of(one, timeframe, names=["RangeBreakout"])


@pytest.mark.parametrize(
    ("last", "direction", "level", "target"), [(101.0, "bullish", 100.8, 102.4), (99.0, "bearish", 99.2, 97.6)]
)
def test_a_close_beyond_the_range_is_confirmed_at_once_towards_the_break(last, direction, level, target):
    (hit,) = breakouts(narrow(last=last))
    assert (hit.state, hit.direction) == ("confirmed", direction)
    assert hit.key == f"{START + 10 * MINUTE}-{START + 30 * MINUTE}"
    assert hit.details["level"] == pytest.approx(level)
    assert hit.details["height"] == pytest.approx(1.6)
    assert hit.details["target"] == pytest.approx(target)
    assert hit.details["volume_ratio_20"] == 1.0
    upper, lower = hit.details["lines"]
    assert (upper["points"][0]["price"], lower["points"][0]["price"]) == (pytest.approx(100.8), pytest.approx(99.2))


def test_a_close_on_the_edge_of_the_range_is_no_breakout():
    assert not breakouts(narrow(last=100.8))


def test_a_wide_range_does_not_count():
    """The step from close to close belongs to a bar's true range, but three of them do not span a range that wanders."""
    rows = [(c, c + 0.1, c - 0.1, c) for c in 100.0 + np.sin(np.arange(40) / 6.0)]
    assert not breakouts(series([*rows, (101.0, 102.5, 100.9, 102.4)]))


def test_the_bar_needs_twenty_bars_before_it():
    assert not breakouts(narrow(bars=19))
    assert len(breakouts(narrow(bars=20))) == 1


@pytest.mark.parametrize(("timeframe", "count"), [("1min", 0), ("5min", 0), ("15min", 0), ("60min", 1), ("1day", 1)])
def test_range_and_break_lie_in_one_session_on_short_timeframes(timeframe, count):
    one = narrow()
    split = Series(one.bars, np.where(np.arange(31) < 11, START, START + 11 * MINUTE))  # the range began in the session before
    assert len(breakouts(split, timeframe)) == count
    whole = Series(one.bars, np.where(np.arange(31) < 10, START, START + 10 * MINUTE))
    assert len(breakouts(whole, timeframe)) == 1


def test_a_range_is_broken_once():
    one = narrow()
    rising = [(c - 0.1, c + 0.1, c - 0.2, c) for c in 101.2 + 0.05 * np.arange(19)]
    rows = np.stack(list(one.bars[1:5]), axis=1)
    assert len(breakouts(series([*rows, *rising]))) == 1


def test_volume_against_that_of_the_range():
    one = narrow()
    volume = np.where(np.arange(31) < 30, 200.0, 700.0)
    (hit,) = breakouts(Series(one.bars._replace(volume=volume), one.sessions))
    assert hit.details["volume_ratio_20"] == 3.5
    (hit,) = breakouts(Series(one.bars._replace(volume=volume * 0), one.sessions))
    assert "volume_ratio_20" not in hit.details


def test_a_flat_range_has_an_edge_too():
    """Twenty bars at one price: the range has no width, and a tick leaves it."""
    (hit,) = breakouts(series([*[(100.0, 100.0, 100.0, 100.0)] * 30, (100.0, 100.01, 100.0, 100.01)]))
    assert (hit.direction, hit.details["height"]) == ("bullish", 0.0)


def test_quality_grows_with_the_break_and_falls_with_the_width():
    qualities = [breakouts(narrow(last=last))[0].quality for last in (100.81, 101.0, 101.4, 101.6, 105.0)]
    assert qualities == sorted(qualities)
    assert qualities[0] < 0.15
    assert qualities[3] == pytest.approx(qualities[4])  # ideal from half a width on
