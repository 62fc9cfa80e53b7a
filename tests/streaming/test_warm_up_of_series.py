"""A start within a day computes what the uninterrupted engine has, to the last bit: every value, detection and its context."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from tickstock.analysis.bar_result import CONTEXT
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, Calendar, ExchangeCalendar, regular_session_of
from tickstock.settings import Settings
from tickstock.streaming.bar_columns import Bars, concatenate, no_bars
from tickstock.streaming.engine import MinuteResults, StreamingEngine
from tickstock.streaming.result_messages import HISTORY, LIVE
from tickstock.streaming.stored_series import StoredMinutes

SYMBOLS = ["AAA", "BBB", "CCC", "LATE", "LATEST"]
DAY = date(2024, 12, 4)  # the half day of 29 November is among the days before
NOW = 1_733_400_000_000
INTRADAY = ("1min", "5min", "15min", "60min")
KINDS = {"exchange": ExchangeCalendar(), "always open": AlwaysOpenCalendar()}
MINUTES = {"pre": 25, "regular": 90, "post": 20}  # that a session's market is awake, from its start
DAYS_BEFORE = 7


@dataclass(frozen=True)
class Market:
    """Minutes of a market, and what the uninterrupted engine made of each."""

    calendar: Calendar
    sessions: str
    minutes: dict[int, Bars]
    results: dict[int, MinuteResults]


def days(calendar: Calendar) -> list[date]:
    return [*calendar.trading_days_before(DAY, DAYS_BEFORE), DAY]


def walk(calendar: Calendar) -> dict[int, Bars]:
    """Bars of a wandering market; some symbols are quiet now and then, one begins on the fourth day, one in the last session."""
    chance = np.random.default_rng(5)
    level = np.full(len(SYMBOLS), 1000.0)
    found = {}
    for number, day in enumerate(days(calendar)):
        for session in calendar.sessions_of(day):
            for minute in range(MINUTES[session.name]):
                start = session.start + minute * MINUTE_MS
                awake = chance.random(len(SYMBOLS)) < (0.9, 0.99, 0.35, 0.9, 0.9)
                awake[3] &= number >= 3
                awake[4] &= number == DAYS_BEFORE and minute >= 10
                awake &= not (session.name == "regular" and minute in range(50, 57))  # a hole in every symbol
                steps = chance.integers(-20, 21, (len(SYMBOLS), 4)).cumsum(axis=1) / 100
                if awake.any():
                    found[start] = bars_at(start, np.flatnonzero(awake), level, steps, chance)
                level += steps[:, -1]
            found[session.end - MINUTE_MS] = no_bars()
    return found


def bars_at(start: int, lanes: np.ndarray, level: np.ndarray, steps: np.ndarray, chance: np.random.Generator) -> Bars:
    path = (level[:, np.newaxis] + steps)[lanes].round(2)
    volume = chance.integers(90, 20_000, len(lanes)).astype(float)
    unknown = np.full(len(lanes), np.nan)
    return Bars(
        lanes, np.full(len(lanes), start), path[:, 0].copy(), path.max(axis=1), path.min(axis=1), path[:, -1].copy(), volume,
        unknown, unknown, unknown, unknown,
    )  # fmt: skip


def day_bars(calendar: Calendar) -> Bars:
    """Final bars of some days, so that there are levels of the previous day."""
    starts = [regular_session_of(calendar, day).start for day in days(calendar)[-4:-1]]
    lanes, timestamps = np.tile(np.arange(3), len(starts)), np.repeat(np.array(starts), 3)
    price, unknown = np.full(len(lanes), 1000.0), np.full(len(lanes), np.nan)
    return Bars(
        lanes, timestamps, price, price + 1.5, price - 1.5, price + 0.5, price, unknown, unknown, unknown, unknown
    )  # fmt: skip


def engine(calendar: Calendar, sessions: str) -> StreamingEngine:
    made = StreamingEngine(Settings(feed="simulated", analysis_sessions=sessions), calendar, lambda: NOW)
    made.lanes_for(SYMBOLS)
    made.trading_day = DAY
    made.warm_days(day_bars(calendar))
    return made


@cache
def market(kind: str, sessions: str) -> Market:
    calendar = KINDS[kind]
    minutes = walk(calendar)
    uninterrupted = engine(calendar, sessions)
    return Market(calendar, sessions, minutes, {at: uninterrupted.close_minute(at, bars, LIVE) for at, bars in minutes.items()})


def warmed(of: Market, until: int, keep_after: int) -> tuple[StreamingEngine, MinuteResults]:
    before = [bars for at, bars in of.minutes.items() if at < until]
    stored = concatenate(before) if before else no_bars()
    by_symbol = stored.take(np.lexsort((stored.timestamp, stored.lanes)))  # as the database gives them
    made = engine(of.calendar, of.sessions)
    history = made.warm(
        INTRADAY, StoredMinutes(by_symbol, dict.fromkeys(INTRADAY, 0), 0, until), dict.fromkeys(INTRADAY, keep_after)
    )
    today = of.calendar.sessions_of(DAY)[0].start
    made.continue_from(by_symbol.take(by_symbol.timestamp >= today), until)
    return made, history


EVERY_KIND = pytest.mark.parametrize(
    ("kind", "sessions"), [("exchange", "regular"), ("exchange", "extended"), ("always open", "regular")]
)


@EVERY_KIND
@pytest.mark.parametrize("minutes_into_the_day", [1, 15, 33, 60])
def test_stored_history_leaves_the_same_state_as_live_minutes(kind: str, sessions: str, minutes_into_the_day: int) -> None:
    of = market(kind, sessions)
    until = regular_session_of(of.calendar, DAY).start + minutes_into_the_day * MINUTE_MS
    resumed, history = warmed(of, until, keep_after=until)
    assert (history.patterns, history.alerts) == ([], [])  # no more than what is asked for
    following = [at for at in of.minutes if at >= until][:30]
    expected = [of.results[at] for at in following]
    assert [resumed.close_minute(at, of.minutes[at], LIVE) for at in following] == expected
    assert any(results.patterns for results in expected)


@EVERY_KIND
def test_a_start_between_sessions_and_in_the_pre_market_too(kind: str, sessions: str) -> None:
    of = market(kind, sessions)
    moments = [session.start + shift * MINUTE_MS for session in of.calendar.sessions_of(DAY) for shift in (0, 7)]
    for until in moments:
        resumed, _ = warmed(of, until, keep_after=until)
        following = [at for at in of.minutes if at >= until][:15]
        assert [resumed.close_minute(at, of.minutes[at], LIVE) for at in following] == [of.results[at] for at in following]


@EVERY_KIND
@pytest.mark.parametrize("from_day", [1, DAYS_BEFORE - 1])
def test_what_warm_up_finds_is_what_was_found_live(kind: str, sessions: str, from_day: int) -> None:
    of = market(kind, sessions)
    last = of.calendar.sessions_of(DAY)[-1].end
    keep_after = regular_session_of(of.calendar, days(of.calendar)[from_day]).start + 20 * MINUTE_MS
    _, history = warmed(of, last, keep_after)
    for found, live in (
        (history.patterns, [each for results in of.results.values() for each in results.patterns]),
        (history.alerts, [each for results in of.results.values() for each in results.alerts]),
    ):
        assert same_but_for_the_moment(found) == same_but_for_the_moment([e for e in live if e.bar_timestamp >= keep_after])
        assert len(found) > 50
        assert {each.origin for each in found} == {HISTORY}
    assert all(each.detection_timestamp % MINUTE_MS == 0 for each in (*history.patterns, *history.alerts))


def same_but_for_the_moment(messages: list[Any]) -> list[bytes]:
    """As encoded, so that every field counts to the last bit."""
    return sorted(
        msgspec.json.encode(msgspec.structs.replace(each, origin="", detection_timestamp=0), order="sorted") for each in messages
    )


def test_every_pattern_tells_the_context_of_its_bar() -> None:
    of = market("exchange", "regular")
    found = [each for results in of.results.values() for each in results.patterns]
    told = {each.timeframe: set() for each in found}
    for each in found:
        told[each.timeframe] |= each.details.keys() & {*CONTEXT, "after_gap"}
        for name in CONTEXT:
            if name in each.details:
                assert each.details[name] == round(each.details[name], 2)
        assert 0 <= each.details["day_position"] <= 1
    assert told == {"1min": {*CONTEXT, "after_gap"}, "5min": set(CONTEXT), "15min": set(CONTEXT)} | (
        {"60min": set(CONTEXT)} if "60min" in told else {}
    )


def test_chart_patterns_after_a_hole_say_so_live_and_in_history() -> None:
    of = market("exchange", "regular")
    shapes = [each for results in of.results.values() for each in results.patterns if "points" in each.details]
    assert any("after_gap" in each.details for each in shapes)


def test_building_one_series_again_leaves_the_others_as_they_are() -> None:
    """The long series when their history has come: 1min and 5min go on, with the figures that are known now."""
    of = market("always open", "regular")
    until = regular_session_of(of.calendar, DAY).start + 40 * MINUTE_MS
    short_from = of.calendar.sessions_of(days(of.calendar)[-2])[0].start
    before = concatenate([bars for at, bars in of.minutes.items() if at < until])
    short = before.take(before.timestamp >= short_from)
    made = engine(of.calendar, of.sessions)
    made.absent = {"15min", "60min"}
    made.warm(("1min", "5min"), StoredMinutes(short, dict.fromkeys(INTRADAY, short_from), short_from, until), {})
    made.continue_from(short.take(short.timestamp >= of.calendar.sessions_of(DAY)[0].start), until)

    later = [at for at in of.minutes if at >= until]
    alone = [made.close_minute(at, of.minutes[at], LIVE) for at in later[:5]]
    assert not any(each.timeframe in ("15min", "60min") for results in alone for each in results.indicators)
    assert not any("RelativeVolume" in each.values for results in alone for each in results.indicators)

    stored = concatenate([before, *(of.minutes[at] for at in later[:5])])
    begins = {"1min": short_from, "5min": short_from, "15min": 0, "60min": 0}
    made.warm(("15min", "60min"), StoredMinutes(stored, begins, 0, later[5]), {})
    made.absent = set()
    for at in later[5:]:
        found = {(each.symbol, each.timeframe): each for each in made.close_minute(at, of.minutes[at], LIVE).indicators}
        expected = {(each.symbol, each.timeframe): each for each in of.results[at].indicators}
        assert found.keys() == expected.keys()
        for key, each in found.items():
            if key[1] in ("15min", "60min"):
                assert each == expected[key]
            for name in ("VWAP", "RelativeVolume", "BarVolumeRatio"):
                assert each.values.get(name) == expected[key].values.get(name)
