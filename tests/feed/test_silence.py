from __future__ import annotations

from datetime import date, time

import pytest

from tickstock.feed.silence import SilenceRule
from tickstock.market_hours import AlwaysOpenCalendar, ExchangeCalendar, new_york_ms
from tickstock.settings import Settings

FRIDAY = date(2025, 11, 21)
NOON = new_york_ms(FRIDAY, time(12))
MANY, FEW = tuple(f"S{n}" for n in range(20)), ("AAPL",)


def limits(settings: Settings, now: int) -> tuple[int | None, int | None]:
    rule = SilenceRule(settings, ExchangeCalendar())
    return rule.silent_after_ms(now), rule.reconnect_after_ms(now)


@pytest.mark.parametrize(
    ("channel", "symbols", "at", "expected"),
    [
        ("T", MANY, time(12), (3_000, 33_000)),
        ("A", ("*",), time(12), (3_000, 33_000)),
        ("AM", MANY, time(12), (75_000, 225_000)),
        ("A", FEW, time(12), (75_000, 105_000)),
        ("A", MANY, time(8), (75_000, 105_000)),
        ("A", MANY, time(17), (75_000, 105_000)),
        ("A", MANY, time(21), (None, None)),
    ],
)
def test_patience_depends_on_channel_symbols_and_session(
    channel: str, symbols: tuple[str, ...], at: time, expected: tuple[int | None, int | None]
) -> None:
    assert limits(Settings(channel=channel, symbols=symbols), new_york_ms(FRIDAY, at)) == expected


def test_on_a_weekend_silence_means_nothing() -> None:
    assert limits(Settings(), new_york_ms(date(2025, 11, 22), time(12))) == (None, None)


def test_settings_replace_both_limits() -> None:
    assert limits(Settings(silent_seconds=2.0, watchdog_seconds=1.0), NOON) == (2_000, 3_000)


def test_a_recorded_day_has_its_own_clock() -> None:
    assert limits(Settings(feed="replay", feed_clock="events"), NOON) == (None, None)


def test_a_delayed_feed_is_in_the_session_that_it_shows() -> None:
    settings = Settings(feed_url="wss://delayed.massive.com/stocks", symbols=MANY)
    assert limits(settings, new_york_ms(FRIDAY, time(16, 10))) == (3_000, 33_000)
    assert limits(settings, new_york_ms(FRIDAY, time(9, 40))) == (75_000, 105_000)


def test_one_rule_follows_the_day() -> None:
    rule = SilenceRule(Settings(symbols=MANY), ExchangeCalendar())
    answers = [rule.silent_after_ms(new_york_ms(FRIDAY, time(hour))) for hour in (3, 5, 10, 16, 20)]
    assert answers == [None, 75_000, 3_000, 75_000, None]
    assert SilenceRule(Settings(symbols=MANY), AlwaysOpenCalendar()).silent_after_ms(NOON) == 3_000


def test_patience_follows_the_number_of_symbols_that_are_watched() -> None:
    rule = SilenceRule(Settings(channel="A", symbols=FEW), ExchangeCalendar())
    rule.watch(MANY)
    assert rule.silent_after_ms(NOON) == 3_000
    rule.watch(FEW)
    assert rule.silent_after_ms(NOON) == 75_000
