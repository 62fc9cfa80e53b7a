"""The figures of the trading day: equal to what a slow reading of the rules gives, however the minutes are cut."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickstock.analysis.results import BarColumns
from tickstock.analysis.session_figures import SessionFigures
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, Calendar, ExchangeCalendar, Session, regular_session_of

DAY = date(2024, 12, 5)  # the half day of 29 November is among the sessions before
LANES = 3
HIGHER = {"5min": 5, "15min": 15, "60min": 60}


@dataclass(frozen=True)
class Minute:
    """A one-minute bar."""

    start: int
    lane: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def columns(bars: list[Minute]) -> BarColumns:
    names = ("open", "high", "low", "close", "volume")
    prices = (np.array([getattr(bar, name) for bar in bars], np.float64) for name in names)
    return BarColumns(np.array([bar.start for bar in bars], np.int64), *prices)


def lanes_of(bars: list[Minute]) -> np.ndarray:
    return np.array([bar.lane for bar in bars], np.int64)


def market(calendar: Calendar, days: list[date], seed: int, *, minutes: int = 40, share: float = 0.6) -> list[Minute]:
    """The first minutes of each session; some lanes are quiet now and then, lane 2 a whole day at times."""
    chance = np.random.default_rng(seed)
    found = []
    for day in days:
        quiet = chance.random() < 0.3
        for session in calendar.sessions_of(day):
            for start in range(session.start, min(session.end, session.start + minutes * MINUTE_MS), MINUTE_MS):
                for lane in range(LANES):
                    if chance.random() > share or (quiet and lane == 2):
                        continue
                    open_, close = chance.integers(900, 1100, 2) / 100
                    high, low = max(open_, close) + 0.01, min(open_, close) - chance.integers(0, 3) / 100
                    found.append(Minute(start, lane, open_, high, low, close, float(chance.integers(0, 900))))
    return found


def whole_market(calendar: Calendar, seed: int, days: int, **more) -> list[Minute]:
    return market(calendar, [*calendar.trading_days_before(DAY, days), DAY], seed, **more)


def fed(figures: SessionFigures, calendar: Calendar, bars: list[Minute], cut) -> dict[tuple[int, int], dict[str, float]]:
    """The figures of every one-minute bar, the minutes of a session taken in stretches that end where `cut` says."""
    found: dict[tuple[int, int], dict[str, float]] = {}
    stretch: list[Minute] = []
    for number, bar in enumerate(bars):
        stretch.append(bar)
        following = bars[number + 1].start if number + 1 < len(bars) else None
        session = calendar.session_at(bar.start)
        assert session is not None
        if following == bar.start or (following is not None and following < session.end and not cut(bar.start)):
            continue
        figures.take(session, lanes_of(stretch), columns(stretch))
        told = figures.of("1min", lanes_of(stretch), columns(stretch), columns(stretch).timestamp + MINUTE_MS)
        for place, each in enumerate(stretch):
            found[each.start, each.lane] = {name: float(values[place]) for name, values in told.items()}
        stretch = []
    return found


def every_minute(_: int) -> bool:
    return True


def never(_: int) -> bool:
    return False


# --- a slow reading of the rules ---


class Reference:
    """What the rules say of one bar, looked up among all bars each time."""

    def __init__(self, calendar: Calendar, bars: list[Minute], sessions: tuple[str, ...], profile_from: int) -> None:
        self._calendar = calendar
        self._bars = bars
        self._sessions = sessions
        self._profile_from = profile_from

    def at(self, bar: Minute, start: int, volume: float, end: int) -> dict[str, float]:
        session = self._calendar.session_at(start)
        assert session is not None
        if session.name not in self._sessions:
            return {}
        so_far = [each for each in self._in(session, bar.lane) if each.start < end]
        high, low = max(each.high for each in so_far), min(each.low for each in so_far)
        traded = sum(each.volume for each in so_far)
        found = {
            "RelativeVolume": ratio(traded, self._usual(session, bar.lane, session.start, end)),
            "BarVolumeRatio": ratio(volume, self._usual(session, bar.lane, start, end)),
            "day_position": ratio(bar.close - low, high - low),
        }
        if session.name == "regular":
            paid = sum((each.high + each.low + each.close) / 3.0 * each.volume for each in so_far)
            found["VWAP"] = ratio(paid, traded)
        return found

    def levels(self, bar: Minute) -> dict[str, float]:
        session = self._calendar.session_at(bar.start)
        assert session is not None
        if session.name != "regular":
            return {}
        before = [each for each in self._in(session, bar.lane) if each.start < bar.start]
        later = before if bar.start >= session.start + 5 * MINUTE_MS else []
        range_end = session.start + 15 * MINUTE_MS
        opening = [each for each in before if each.start < range_end] if bar.start >= range_end else []
        pre = [s for s in self._calendar.sessions_of(session.trading_day) if s.name == "pre"]
        premarket = self._in(pre[0], bar.lane) if pre else []
        found = {"FIRST_OPEN": np.nan if before else bar.open}
        for name, bars in (("{}_OF_DAY", later), ("OPENING_RANGE_{}", opening), ("PREMARKET_{}", premarket)):
            found[name.format("HIGH")] = max((each.high for each in bars), default=np.nan)
            found[name.format("LOW")] = min((each.low for each in bars), default=np.nan)
        return found

    def _in(self, session: Session, lane: int) -> list[Minute]:
        return [each for each in self._bars if each.lane == lane and session.start <= each.start < session.end]

    def _usual(self, session: Session, lane: int, start: int, end: int) -> float:
        sessions = []
        for day in self._calendar.trading_days_before(session.trading_day, 40):
            regular = regular_session_of(self._calendar, day)
            half = regular is not None and regular.end - regular.start < 390 * MINUTE_MS
            of_day = next((each for each in self._calendar.sessions_of(day) if each.name == session.name), None)
            if of_day is None or half or of_day.start < self._profile_from or not self._in(of_day, lane):
                continue
            shift = of_day.start - session.start
            sessions.append(sum(e.volume for e in self._in(of_day, lane) if start + shift <= e.start < end + shift))
        return sum(sessions) / len(sessions) if len(sessions) >= 5 else np.nan


def ratio(of: float, to: float) -> float:
    return of / to if to > 0 else np.nan


def same(found: dict[str, float], expected: dict[str, float]) -> None:
    for name, value in expected.items():
        np.testing.assert_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("sessions", [("regular",), ("pre", "regular", "post")])
@pytest.mark.parametrize("calendar", [ExchangeCalendar(), AlwaysOpenCalendar()], ids=["exchange", "always open"])
def test_every_figure_is_what_the_rules_say(calendar: Calendar, sessions: tuple[str, ...]) -> None:
    days = calendar.trading_days_before(DAY, 15)
    profile_from = calendar.sessions_of(days[1])[0].start
    bars = whole_market(calendar, 1, 15, minutes=24)
    found = fed(SessionFigures(calendar, sessions, profile_from), calendar, bars, every_minute)
    reference = Reference(calendar, bars, sessions, profile_from)
    late = calendar.sessions_of(days[-3])[0].start
    known = 0
    for bar in bars:
        told = found[bar.start, bar.lane]
        if bar.start >= late:
            expected = reference.at(bar, bar.start, bar.volume, bar.start + MINUTE_MS)
            same(told, {**expected, **(reference.levels(bar) if expected else {})})
            known += "RelativeVolume" in expected and expected["RelativeVolume"] == expected["RelativeVolume"]
    assert known > 100


@pytest.mark.parametrize("timeframe", list(HIGHER))
def test_bars_of_longer_timeframes_get_the_figures_of_their_end(timeframe: str) -> None:
    calendar = AlwaysOpenCalendar()
    bars = whole_market(calendar, 2, 7, minutes=130, share=0.2)
    reference, figures, length = (
        Reference(calendar, bars, ("regular",), 0),
        SessionFigures(calendar),
        HIGHER[timeframe] * MINUTE_MS,
    )
    start = calendar.sessions_of(DAY)[0].start
    before = [bar for bar in bars if bar.start < start]
    fed(figures, calendar, before, never)
    today = [bar for bar in bars if bar.start >= start]
    growing: dict[int, list[Minute]] = {}
    checked = 0
    for minute in range(start, start + 130 * MINUTE_MS, MINUTE_MS):
        now = [bar for bar in today if bar.start == minute]
        if now:
            session = calendar.session_at(minute)
            assert session is not None
            figures.take(session, lanes_of(now), columns(now))
        for bar in now:
            growing.setdefault(bar.lane, []).append(bar)
        end = minute + MINUTE_MS
        if (end - start) % length == 0 and growing:
            closed = [
                Minute(end - length, lane, 0.0, 0.0, 0.0, parts[-1].close, sum(each.volume for each in parts))
                for lane, parts in growing.items()
            ]
            told = figures.of(timeframe, lanes_of(closed), columns(closed), end)
            for place, bar in enumerate(closed):
                same({name: float(v[place]) for name, v in told.items()}, reference.at(bar, bar.start, bar.volume, end))
                checked += 1
            growing.clear()
    assert checked >= 4


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.02, 0.95), st.sampled_from([ExchangeCalendar(), AlwaysOpenCalendar()]))
def test_it_does_not_matter_how_the_minutes_are_cut_into_stretches(seed: int, share: float, calendar: Calendar) -> None:
    bars = whole_market(calendar, seed, 8, share=share)
    chance = np.random.default_rng(seed)
    sessions = ("pre", "regular", "post")
    one_by_one = fed(SessionFigures(calendar, sessions), calendar, bars, every_minute)
    whole = fed(SessionFigures(calendar, sessions), calendar, bars, never)
    cut = fed(SessionFigures(calendar, sessions), calendar, bars, lambda _: bool(chance.random() < 0.1))
    np.testing.assert_equal(whole, one_by_one)
    np.testing.assert_equal(cut, one_by_one)


def test_a_half_day_and_a_day_before_the_profile_are_no_part_of_what_is_usual() -> None:
    calendar = ExchangeCalendar()
    days = calendar.trading_days_before(DAY, 7)
    bars = [
        Minute(regular_session_of(calendar, day).start, 0, 10.0, 10.0, 10.0, 10.0, volume)
        for day, volume in zip([*days, DAY], (1e9, 100.0, 100.0, 1e9, 100.0, 100.0, 100.0, 300.0), strict=True)
    ]
    assert days[3] == date(2024, 11, 29)  # of which the fourth is a half day
    figures = SessionFigures(calendar, profile_from=calendar.sessions_of(days[1])[0].start)
    told = fed(figures, calendar, bars, never)[bars[-1].start, 0]
    assert (told["RelativeVolume"], told["BarVolumeRatio"]) == (3.0, 3.0)


def test_fewer_than_five_sessions_say_nothing_of_what_is_usual() -> None:
    calendar = AlwaysOpenCalendar()
    days = calendar.trading_days_before(DAY, 5)
    bars = [Minute(calendar.sessions_of(day)[0].start, 0, 10.0, 11.0, 9.0, 10.0, 100.0) for day in [*days, DAY]]
    told = fed(SessionFigures(calendar), calendar, bars, never)
    assert [told[bar.start, 0]["RelativeVolume"] for bar in bars[-2:]] == [pytest.approx(np.nan, nan_ok=True), 1.0]


def day_bars(calendar: Calendar, days: list[date], lane: int = 0) -> tuple[np.ndarray, BarColumns]:
    bars = [
        Minute(regular_session_of(calendar, day).start, lane, 1.0, 20.0 + number, 5.0 + number, 12.0 + number, 1e6)
        for number, day in enumerate(days)
    ]
    return lanes_of(bars), columns(bars)


def test_the_previous_day_is_the_last_trading_day_and_absent_where_its_bar_is() -> None:
    calendar = ExchangeCalendar()
    monday = date(2024, 12, 9)
    bars = market(calendar, [DAY, date(2024, 12, 6), monday], 3, minutes=3, share=1.0)
    names = ("PREV_DAY_HIGH", "PREV_DAY_LOW", "PREV_CLOSE")
    figures = SessionFigures(calendar)
    figures.set_days(*day_bars(calendar, [date(2024, 12, 4), DAY, date(2024, 12, 6)]))
    told = fed(figures, calendar, bars, every_minute)
    of_day = {
        day: [told[regular_session_of(calendar, day).start, 0][name] for name in names]
        for day in (DAY, date(2024, 12, 6), monday)
    }
    assert of_day == {DAY: [20.0, 5.0, 12.0], date(2024, 12, 6): [21.0, 6.0, 13.0], monday: [22.0, 7.0, 14.0]}
    assert all(np.isnan(told[regular_session_of(calendar, monday).start, 1][name]) for name in names)  # has no day bars

    missing = SessionFigures(calendar)
    missing.set_days(*day_bars(calendar, [date(2024, 12, 5)]))
    last = max(bar.start for bar in bars if calendar.session_at(bar.start).name == "regular")
    so_far = [bar for bar in bars if bar.start <= last]
    assert np.isnan(fed(missing, calendar, so_far, every_minute)[last, 0]["PREV_CLOSE"])  # of the day before yesterday
    missing.set_days(*day_bars(calendar, [date(2024, 12, 6)]))  # it comes while the day runs
    end = [bar for bar in bars if bar.start == last]
    assert missing.of("1min", lanes_of(end), columns(end), last + MINUTE_MS)["PREV_CLOSE"][0] == 12.0


def test_a_lane_that_comes_later_has_figures_from_its_first_bar_on() -> None:
    calendar = AlwaysOpenCalendar()
    start = calendar.sessions_of(DAY)[0].start
    bars = [Minute(start + n * MINUTE_MS, lane, 10.0, 11.0, 9.0, 10.5, 100.0) for n, lane in [(0, 0), (3, 0), (3, 500), (7, 500)]]
    told = fed(SessionFigures(calendar), calendar, bars, every_minute)
    assert told[start + 3 * MINUTE_MS, 500]["FIRST_OPEN"] == 10.0
    assert told[start + 7 * MINUTE_MS, 500]["HIGH_OF_DAY"] == 11.0
    assert told[start + 7 * MINUTE_MS, 500]["VWAP"] == pytest.approx(30.5 / 3)
    assert told[start + 7 * MINUTE_MS, 500]["day_position"] == 0.75


def test_a_bar_of_a_price_that_never_moved_has_no_place_in_the_days_range() -> None:
    calendar = AlwaysOpenCalendar()
    bars = [Minute(calendar.sessions_of(DAY)[0].start, 0, 10.0, 10.0, 10.0, 10.0, 0.0)]
    told = next(iter(fed(SessionFigures(calendar), calendar, bars, never).values()))
    assert np.isnan(told["day_position"])
    assert np.isnan(told["VWAP"])  # nothing traded
