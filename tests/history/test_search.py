"""A search of history finds what the live engine finds, bar by bar."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.memoryless_market import memoryless_series
from tests.analysis.series import golden
from tickstock.analysis.results import BarColumns
from tickstock.analysis.selection import PATTERNS
from tickstock.analysis.timeframe_analysis import TimeframeAnalysis
from tickstock.history.bar_series import BarSeries, at_opening, bar_series
from tickstock.history.moments import moment
from tickstock.history.search import Detection, search
from tickstock.market_hours import ExchangeCalendar, new_york_time


def live(series: BarSeries) -> list[Detection]:
    """The detections of the live engine, one bar after the other."""
    engine, lanes, found = TimeframeAnalysis(series.timeframe, 1), np.array([0]), []
    for at in range(len(series)):
        result = engine.close_bars(lanes, series.bars.rows(np.array([at])), series.session_start[at : at + 1])
        told = [
            (series.symbol, series.timeframe, hit.pattern, hit.direction, hit.state, hit.bar_timestamp, hit.price, hit.quality)
            for hit in result.pattern_hits()
        ]
        found += sorted(told, key=lambda each: each[2])
    return found


def key(detection) -> tuple:
    *exact, quality = detection[:8]
    return (*exact, round(quality, 9))


def same(series: BarSeries) -> int:
    found = list(search(series, PATTERNS, lambda _: None).detections())
    assert sorted(map(key, found)) == sorted(map(key, live(series)))
    assert [each.bar_timestamp for each in found] == sorted(each.bar_timestamp for each in found)
    return len(found)


def test_a_search_of_real_days_finds_what_the_live_engine_finds() -> None:
    one = golden("SPY_1m_rth")[0].part(slice(200, 900))
    assert same(BarSeries("SPY", "1min", one.bars, one.sessions)) > 500


@pytest.mark.parametrize("timeframe", ["5min", "60min", "1day"])
def test_a_search_of_other_timeframes_finds_what_the_live_engine_finds(timeframe: str) -> None:
    series = memoryless_series(11, 1)
    step = {"5min": 5, "60min": 60, "1day": 60 * 24}[timeframe]
    times = series.bars.timestamp[0] + np.arange(len(series)) * step * 60_000
    sessions = times if timeframe == "1day" else times[0] + (times - times[0]) // (step * 60_000 * 78) * (step * 60_000 * 78)
    assert same(BarSeries("WALK", timeframe, series.bars._replace(timestamp=times), sessions)) > 100


def test_progress_is_told_until_every_bar_is_searched() -> None:
    series, told = memoryless_series(1, 60), []
    search(series, ("Doji",), told.append)
    assert len(told) == 2
    assert sum(told) == len(series)


def test_only_the_named_patterns_are_found_and_what_is_thin_is_counted() -> None:
    series = memoryless_series(1, 2)
    thin = BarSeries("WALK", "1min", series.bars._replace(volume=np.full(len(series), 99.0)), series.session_start)
    found = search(series, ("Hammer",), lambda _: None)
    assert {each.pattern for each in found.detections()} == {"Hammer"}
    nothing = search(thin, ("Hammer",), lambda _: None)
    assert list(nothing.detections()) == []
    assert nothing.suppressed == len(list(found.detections())) + found.suppressed


def test_bars_of_other_sessions_are_left_out() -> None:
    minutes = new_york_minutes("2024-07-03", ["09:29", "09:30", "12:59", "13:00", "16:30", "19:00"])  # closes at 13:00
    bars = BarColumns(minutes, *(np.full(len(minutes), 10.0) for _ in range(5)))
    regular = bar_series("AAPL", "1min", bars, ExchangeCalendar(), ("regular",))
    assert [f"{new_york_time(at):%H:%M}" for at in regular.bars.timestamp.tolist()] == ["09:30", "12:59"]
    extended = bar_series("AAPL", "1min", bars, ExchangeCalendar(), ("pre", "regular", "post"))
    assert len(extended) == 5  # 19:00 is behind the early close of the post-market
    assert len(np.unique(extended.session_start)) == 3


def test_day_bars_are_stamped_with_the_opening() -> None:
    days = new_york_minutes("2024-07-03", ["00:00"]).tolist() + new_york_minutes("2024-07-04", ["16:00"]).tolist()
    bars = BarColumns(np.array(days), *(np.full(2, 10.0) for _ in range(5)))
    stamped = at_opening(bars, ExchangeCalendar())
    assert [f"{new_york_time(at):%m-%d %H:%M}" for at in stamped.timestamp.tolist()] == ["07-03 09:30"]  # the 4th is a holiday


def new_york_minutes(day: str, times: list[str]) -> np.ndarray:
    return np.array([moment(f"{day}T{each}") for each in times])
