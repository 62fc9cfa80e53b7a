"""The day's counters: the database's figures at the start, then one more for each new thing."""

from __future__ import annotations

from datetime import date, datetime

from tests.web.services import a_pattern, an_alert, an_indicator
from tickstock.market_hours import NEW_YORK, AlwaysOpenCalendar, ExchangeCalendar
from tickstock.web.day_counters import DayCounters, StoredDay, TickCount, trading_day

DAY = trading_day(AlwaysOpenCalendar(), int(datetime(2026, 11, 20, 12, tzinfo=NEW_YORK).timestamp() * 1000))
BAR = DAY.start + 36_000_000


def test_counting_goes_on_from_the_database() -> None:
    counters = DayCounters()
    counters.begin(DAY)
    known = a_pattern("AAPL", bar=BAR)
    counters.take(StoredDay(10, 4, 300, 400, 5000, (known,)), arrived=[known])
    counters.add_signal(a_pattern("MSFT", bar=BAR))
    counters.add_signal(an_alert("MSFT", bar=BAR))
    counters.add_indicator(an_indicator("MSFT", bar=BAR))
    assert counters.as_dict("run", 7) == {
        "trading_day": "2026-11-20", "patterns": 11, "alerts": 5, "indicators": 301, "bars": 401, "ticks": 5007,
    }  # fmt: skip


def test_a_signal_that_arrived_while_the_database_was_read_counts_once() -> None:
    counters = DayCounters()
    counters.begin(DAY)
    stored, published = a_pattern("AAPL", bar=BAR), a_pattern("MSFT", bar=BAR)
    for signal in (stored, published):
        counters.add_signal(signal)
    counters.take(StoredDay(1, 0, 0, 0, None, (stored,)), arrived=[stored, published])
    assert counters.patterns == 2


def test_what_belongs_to_another_day_does_not_count() -> None:
    counters = DayCounters()
    counters.begin(DAY)
    counters.add_signal(a_pattern(bar=DAY.start - 1))
    counters.add_signal(a_pattern(bar=DAY.end))
    counters.add_indicator(an_indicator(bar=DAY.end))
    assert (counters.patterns, counters.indicators) == (0, 0)


def test_the_values_of_a_bar_count_once() -> None:
    counters = DayCounters()
    counters.begin(DAY)
    assert counters.add_indicator(an_indicator(bar=BAR))
    assert not counters.add_indicator(an_indicator(bar=BAR))
    assert counters.add_indicator(an_indicator(bar=BAR, timeframe="5min"))
    assert counters.indicators == 2


def test_a_new_day_begins_at_nothing() -> None:
    counters = DayCounters()
    counters.begin(DAY)
    counters.add_signal(a_pattern(bar=BAR))
    assert counters.as_dict("run", 100)["ticks"] == 100
    counters.begin(trading_day(AlwaysOpenCalendar(), DAY.end))
    assert counters.patterns == 0
    assert counters.as_dict("run", 130)["ticks"] == 30


def test_ticks_go_on_over_runs() -> None:
    ticks = TickCount()
    ticks.begin(is_first=True)
    assert ticks.count("first", 50) == 50
    assert ticks.count("", 0) == 50
    assert ticks.count("second", 8) == 58


def test_a_weekend_belongs_to_friday() -> None:
    sunday = int(datetime(2026, 11, 22, 12, tzinfo=NEW_YORK).timestamp() * 1000)
    day = trading_day(ExchangeCalendar(), sunday)
    assert day.day == date(2026, 11, 20)
    assert day.holds(sunday)
    assert day.end == int(datetime(2026, 11, 23, 4, tzinfo=NEW_YORK).timestamp() * 1000)


def test_figures_settle_on_what_the_database_holds_and_what_came_while_it_was_asked() -> None:
    counters = DayCounters()
    counters.indicators, counters.bars = 1_150, 1_150  # a thousand of them were published twice
    counters.settle((1_100, 1_100), stored_indicators=120, stored_bars=130)
    assert (counters.indicators, counters.bars) == (170, 180)
    counters.settle((170, 180), stored_indicators=170, stored_bars=200)
    assert (counters.indicators, counters.bars) == (170, 200)
