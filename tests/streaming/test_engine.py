"""The engine: stored history and live minutes leave the same state, and nothing but a symbol's own bars matters."""

from __future__ import annotations

import math
from datetime import date, timedelta

import msgspec
import numpy as np

from tests.streaming.test_higher_timeframes import minute_bars
from tickstock.analysis.selection import Enabled
from tickstock.contract import encode
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, Calendar, ExchangeCalendar
from tickstock.settings import Settings
from tickstock.streaming.bar_columns import Bars, no_bars
from tickstock.streaming.engine import MinuteResults, StreamingEngine
from tickstock.streaming.result_messages import LIVE
from tickstock.streaming.stored_series import StoredMinutes

SYMBOLS = ["AAA", "BBB", "CCC", "DDD"]
DAY = date(2024, 10, 7)
NOW = 1_728_400_000_000
INTRADAY = ("1min", "5min", "15min", "60min")


def engine(calendar: Calendar, symbols: list[str] = SYMBOLS) -> StreamingEngine:
    made = StreamingEngine(Settings(feed="simulated"), calendar, lambda: NOW)
    made.lanes_for(symbols)
    made.trading_day = DAY
    return made


def walk(start: int, minutes: int, seed: int = 1, share: float = 0.8) -> list[Bars]:
    """Bars of a wandering market, minute by minute; some symbols are quiet now and then."""
    chance = np.random.default_rng(seed)
    level = np.full(len(SYMBOLS), 100.0)
    found = []
    for number in range(minutes):
        level += chance.normal(0, 0.25, len(SYMBOLS)).round(2)
        lanes = [lane for lane in range(len(SYMBOLS)) if chance.random() < share]
        bars = minute_bars(start + number * MINUTE_MS, lanes, seed)
        shift = level[bars.lanes] - 10.0
        for name in ("open", "high", "low", "close"):
            setattr(bars, name, (getattr(bars, name) + shift).round(2))
        bars.volume += 500.0
        found.append(bars)
    return found


def closing(made: StreamingEngine, start: int, minutes: list[Bars]) -> list[MinuteResults]:
    return [made.close_minute(start + number * MINUTE_MS, bars, LIVE) for number, bars in enumerate(minutes)]


def session_start(calendar: Calendar) -> int:
    return next(session.start for session in calendar.sessions_of(DAY) if session.name == "regular")


def test_what_a_symbol_gives_does_not_depend_on_the_others_or_their_order() -> None:
    calendar = AlwaysOpenCalendar()
    start, minutes = session_start(calendar), walk(session_start(AlwaysOpenCalendar()), 240)
    straight = closing(engine(calendar), start, minutes)
    turned = [bars.take(np.arange(len(bars))[::-1]) for bars in minutes]
    for bars in turned:
        bars.lanes = len(SYMBOLS) - 1 - bars.lanes
    backwards = closing(engine(calendar, SYMBOLS[::-1]), start, turned)
    alone = closing(engine(calendar), start, [bars.take(bars.lanes == 1) for bars in minutes])
    for kind in ("patterns", "alerts", "indicators", "bars"):
        found = [_sorted(getattr(results, kind)) for results in straight]
        assert found == [_sorted(getattr(results, kind)) for results in backwards]
        of_one = [[each for each in getattr(results, kind) if _symbol(each) == "BBB"] for results in straight]
        assert of_one == [getattr(results, kind) for results in alone]


def _symbol(each: object) -> object:
    return each[0] if isinstance(each, tuple) else getattr(each, "symbol", None)


def _sorted(found: list[object]) -> list[str]:
    return sorted(map(repr, found))


def test_no_message_holds_a_value_that_is_not_a_number() -> None:
    calendar = AlwaysOpenCalendar()
    results = closing(engine(calendar), session_start(calendar), walk(session_start(calendar), 120))
    indicators = [each for result in results for each in result.indicators]
    assert not {"RSI_14", "SMA_20", "BarVolumeRatio"} & set(indicators[0].values)  # what does not exist yet is left out
    assert any({"RSI_14", "SMA_20", "SMA_50", "VWAP"} <= set(each.values) for each in indicators)
    for each in (*indicators, *(alert for result in results for alert in result.alerts)):
        assert b"null" not in encode(each)
        assert b"NaN" not in encode(each)
    assert all(math.isfinite(value) for each in indicators for value in each.values.values())
    for pattern in (each for result in results for each in result.patterns):
        msgspec.json.decode(encode(pattern))
        assert 0.0 <= pattern.quality <= 1.0


def test_after_a_re_anchoring_the_same_bars_give_the_same_results_again() -> None:
    calendar = AlwaysOpenCalendar()
    start = session_start(calendar)
    minutes = walk(start, 120)
    made = engine(calendar)
    first = closing(made, start, minutes)
    made.warm(INTRADAY, StoredMinutes(no_bars(), dict.fromkeys(INTRADAY, 0), 0, start), {})
    made.continue_from(no_bars(), start)
    assert [result.indicators for result in closing(made, start, minutes)] == [result.indicators for result in first]


def test_a_timeframe_computes_what_is_enabled_for_it() -> None:
    calendar = AlwaysOpenCalendar()
    start = session_start(calendar)
    some = Enabled(frozenset({"Doji"}), ("SMA_20", "VWAP"), frozenset({"VWAP_BULLISH_CROSS"}))
    nothing = Enabled(frozenset(), (), frozenset())
    enabled = {"1min": some, "5min": nothing, "15min": nothing, "60min": nothing}
    made = StreamingEngine(Settings(feed="simulated"), calendar, lambda: NOW, enabled)
    made.lanes_for(SYMBOLS)
    results = closing(made, start, walk(start, 240))
    assert {(each.pattern, each.timeframe) for result in results for each in result.patterns} == {("Doji", "1min")}
    assert {(each.alert, each.timeframe) for result in results for each in result.alerts} == {("VWAP_BULLISH_CROSS", "1min")}
    named = {each.timeframe: set(each.values) for result in results for each in result.indicators}
    assert named == {"1min": {"SMA_20", "VWAP"}, "5min": set(), "15min": set(), "60min": set()}


def test_higher_timeframes_close_with_their_last_minute_or_the_first_behind_it() -> None:
    calendar = AlwaysOpenCalendar()
    start = session_start(calendar)
    minutes = walk(start, 6, share=1.0)
    made = engine(calendar)
    found = closing(made, start, minutes[:5])
    assert [len([row for row in result.bars if row[1] == "5min"]) for result in found] == [0, 0, 0, 0, 4]
    late = engine(calendar)
    closing(late, start, minutes[:3])
    result = late.close_minute(start + 7 * MINUTE_MS, minute_bars(start + 7 * MINUTE_MS, [0], 1), LIVE)
    assert [(row[1], row[2]) for row in result.bars if row[1] == "5min"] == [("5min", start)] * 4


def test_extended_hours_are_stored_and_not_analysed_by_default() -> None:
    calendar = ExchangeCalendar()
    pre = calendar.sessions_of(DAY)[0]
    result = engine(calendar).close_minute(pre.start, minute_bars(pre.start, [0, 1], 1), LIVE)
    assert [row[1] for row in result.bars] == ["1min", "1min"]
    assert result.indicators == []
    extended = StreamingEngine(Settings(feed="simulated", analysis_sessions="extended"), calendar, lambda: NOW)
    extended.lanes_for(SYMBOLS)
    assert len(extended.close_minute(pre.start, minute_bars(pre.start, [0, 1], 1), LIVE).indicators) == 2


def test_bars_of_a_closed_market_are_left_out() -> None:
    calendar = ExchangeCalendar()
    closed = calendar.sessions_of(DAY)[0].start - MINUTE_MS
    made = engine(calendar)
    assert made.close_minute(closed, minute_bars(closed, [0], 1), LIVE).bars == []
    assert made.outside_sessions == 1


def test_the_last_bars_of_a_half_day_close_with_the_session() -> None:
    calendar = ExchangeCalendar()
    regular = calendar.sessions_of(DAY + timedelta(days=53))[1]
    assert (regular.end - regular.start) // MINUTE_MS == 210
    start = regular.end - 10 * MINUTE_MS
    found = closing(engine(calendar), start, walk(start, 10, share=1.0))
    assert {row[1] for row in found[-1].bars} == {"1min", "5min", "15min", "60min", "1day"}
    assert [row[2] for row in found[-1].bars if row[1] == "1day"] == [regular.start] * 4
