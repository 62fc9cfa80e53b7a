"""A symbol whose history comes while others are followed goes on as after a restart; the others never notice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streaming.test_warm_up_of_series import DAY, EVERY_KIND, INTRADAY, SYMBOLS, Market, day_bars, engine, market
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming.bar_columns import Bars, concatenate, no_bars
from tickstock.streaming.engine import MinuteResults, StreamingEngine
from tickstock.streaming.result_messages import LIVE, REPAIR
from tickstock.streaming.stored_series import StoredMinutes

FOLLOWING = 12


def of_lanes(bars: Bars, lanes: list[int]) -> Bars:
    chosen = bars.take(np.isin(bars.lanes, lanes))
    chosen.lanes = np.searchsorted(lanes, chosen.lanes)
    return chosen


def warm(of: Market, symbols: list[str], until: int) -> StreamingEngine:
    """An engine of these symbols alone, which must be in order."""
    lanes = [SYMBOLS.index(symbol) for symbol in symbols]
    made = engine(of.calendar, of.sessions).fresh()
    made.lanes_for(symbols)
    made.trading_day = DAY
    made.warm_days(of_lanes(day_bars(of.calendar), lanes))
    stored = of_lanes(concatenate([bars for at, bars in of.minutes.items() if at < until] or [no_bars()]), lanes)
    made.warm(INTRADAY, StoredMinutes(stored, dict.fromkeys(INTRADAY, 0), 0, until), dict.fromkeys(INTRADAY, until))
    made.continue_from(stored.take(stored.timestamp >= of.calendar.sessions_of(DAY)[0].start), until)
    return made


def of_symbols(results: MinuteResults, symbols: list[str], *, higher: bool = True) -> dict[str, list[Any]]:
    """What these symbols gave, whatever it is called and whenever; without bars of higher timeframes on demand."""
    messages = {"patterns": results.patterns, "alerts": results.alerts, "indicators": results.indicators}
    found: dict[str, list[Any]] = {
        name: sorted(
            (each.symbol, each.timeframe, each.bar_timestamp, getattr(each, "id", ""), repr(getattr(each, "values", "")))
            for each in told
            if each.symbol in symbols
        )
        for name, told in messages.items()
    }
    rows = [row for row in results.bars if row[0] in symbols and (higher or row[1] == "1min")]
    return {**found, "bars": sorted(map(repr, rows))}


@EVERY_KIND
def test_a_symbol_that_joins_goes_on_as_after_a_restart_and_no_other_notices(kind: str, sessions: str, thorough: bool) -> None:
    if kind == "exchange" and sessions == "extended" and not thorough:
        pytest.skip("as long again as the others")
    of = market(kind, sessions)
    today = [at for at in of.minutes if at >= of.calendar.sessions_of(DAY)[0].start]
    ends = [at + MINUTE_MS for at in today]

    @settings(max_examples=30 if thorough else 4, derandomize=not thorough)
    @given(
        st.sampled_from([["AAA"], ["CCC"], ["LATE"], ["BBB", "LATEST"]]),
        st.lists(st.integers(0, len(today) - 2), min_size=2, max_size=2).map(sorted),
    )
    def property_holds(joining: list[str], places: list[int]) -> None:
        begin, until = today[places[0]], ends[places[1]]
        at = begin + MINUTE_MS
        others = [symbol for symbol in SYMBOLS if symbol not in joining]
        running = warm(of, others, begin)
        running.await_history(joining)
        order = running.lanes_for(SYMBOLS)
        for minute in (each for each in today if begin <= each < until):
            bars = of.minutes[minute].take(np.arange(len(of.minutes[minute])))
            if minute < at:  # a part of a minute is not taken
                bars = bars.take(~np.isin(bars.lanes, [SYMBOLS.index(each) for each in joining]))
            bars.lanes = order[bars.lanes]
            told = running.close_minute(minute, bars, LIVE)
            assert of_symbols(told, others) == of_symbols(of.results[minute], others)
            if minute >= at:
                expected = of_symbols(of.results[minute], joining, higher=False)
                assert of_symbols(told, joining) == {"patterns": [], "alerts": [], "indicators": [], "bars": expected["bars"]}
        alone = warm(of, joining, at)
        waited = [of_lanes(of.minutes[each], [SYMBOLS.index(s) for s in joining]) for each in today if at <= each < until]
        told = alone.close_minutes(concatenate(waited or [no_bars()]), until, REPAIR)
        expected_of_all = MinuteResults(0)
        for minute in (each for each in today if at <= each < until):
            expected_of_all.add(of.results[minute])
        assert of_symbols(told, joining) == of_symbols(expected_of_all, joining)
        running.adopt(alone)
        running.await_history(())
        for minute in [each for each in today if each >= until][:FOLLOWING]:
            bars = of.minutes[minute].take(np.arange(len(of.minutes[minute])))
            bars.lanes = order[bars.lanes]
            assert of_symbols(running.close_minute(minute, bars, LIVE), SYMBOLS) == of_symbols(of.results[minute], SYMBOLS)

    property_holds()


def test_a_symbol_that_comes_back_forgets_what_was_known_of_it() -> None:
    of = market("always open", "regular")
    today = [at for at in of.minutes if at >= of.calendar.sessions_of(DAY)[0].start]
    until = today[40]
    running = warm(of, SYMBOLS, today[20])
    running.close_minute(today[20], of.minutes[today[20]], LIVE)  # what came between is missing in every lane
    for symbols in (["AAA", "BBB", "CCC"], ["LATE", "LATEST"]):
        running.adopt(warm(of, symbols, until))
    for minute in today[40:60]:
        assert of_symbols(running.close_minute(minute, of.minutes[minute], LIVE), SYMBOLS) == of_symbols(
            of.results[minute], SYMBOLS
        )
