"""What warm-up loads, and in which order the series and the figures of the day become complete."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.streaming.market import TinyRest, eventually
from tickstock.analysis.selection import Enabled
from tickstock.database.migrate import migrate
from tickstock.database.queries import Queries
from tickstock.database.writers import Writer
from tickstock.feed.massive_rest import MassiveRest, RestBar
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, new_york_ms
from tickstock.settings import Settings
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.history_requests import LONG_DAYS, SHORT_DAYS
from tickstock.streaming.rest_fetcher import RestFetcher
from tickstock.streaming.result_messages import LIVE
from tickstock.streaming.stored_series import bar_columns
from tickstock.streaming.warm_up import WarmUp

CALENDAR = AlwaysOpenCalendar()
DAY = date(2024, 11, 20)
BEFORE = CALENDAR.trading_days_before(DAY, LONG_DAYS)
TODAY = CALENDAR.sessions_of(DAY)[0].start
UNTIL = TODAY + 2 * MINUTE_MS
SYMBOL = "AAA"
SOME = Enabled(frozenset({"Doji"}), ("SMA_20", "VWAP", "RelativeVolume"), frozenset({"GAP_UP"}))


class DayRest(TinyRest):
    """Knows a bar of 100 shares for the first three minutes of each day, and one day bar each."""

    def answer(self, path: str) -> dict[str, Any]:
        parts = path.partition("?")[0].split("/")
        if "aggs" in parts and parts[7] == "day":
            days = [new_york_ms(day, time()) for day in BEFORE]
            return {"status": "OK", "results": [rest_bar(start, 10.5) for start in days]}
        return super().answer(path)


def rest_bar(start: int, price: float) -> dict[str, Any]:
    return {"t": start, "o": price, "h": price + 0.5, "l": price - 0.5, "c": price, "v": 100, "n": 3}


def starts(days: list[date]) -> list[int]:
    return [CALENDAR.sessions_of(day)[0].start + n * MINUTE_MS for day in days for n in range(3)]


@dataclass
class Running:
    """A warm-up with everything around it."""

    rest: DayRest
    engine: StreamingEngine
    fetcher: RestFetcher
    warm_up: WarmUp

    def values_of(self, minute: int) -> dict[str, dict[str, float]]:
        """Of the bars that end with a minute of 300 shares, by timeframe."""
        lanes = self.engine.lanes_for([SYMBOL])
        results = self.engine.close_minute(minute, minute_bar(lanes, minute), LIVE)
        return {each.timeframe: each.values for each in results.indicators}

    def refill(self, until: int) -> set[str]:
        """Take answers until a series can be filled, and fill what can be."""

        def arrived() -> bool:
            fetched = self.fetcher.take()
            return fetched is not None and self.warm_up.deliver(fetched)

        eventually(arrived)
        return set(self.warm_up.refill(until).timeframes)


def minute_bar(lanes: Any, start: int) -> Bars:
    return Bars.from_rest(lanes, [RestBar(start, 10.0, 10.5, 9.5, 10.0, 300, 3)])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """The bars of the short series' days are stored; REST has the others, and does not answer yet."""
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    with DayRest() as rest:
        rest.minutes[SYMBOL] = [rest_bar(start, 10.0) for start in starts(BEFORE)]
        rest.answers.clear()
        settings = Settings(
            feed="simulated", database_url=url, symbols=(SYMBOL,), rest_url=rest.url, massive_api_key="key",
            calendar="always_open",
        )  # fmt: skip
        short = [*BEFORE[-SHORT_DAYS:], DAY]
        with Writer(url) as writer, writer.transaction() as batch:
            at = [start for start in starts(short) if start < UNTIL]
            stored = [RestBar(start, 10.0, 10.5, 9.5, 10.0, 100, 3) for start in at]
            batch.insert_bars(Bars.from_rest(np.zeros(len(at), np.int64), stored).rows([SYMBOL], "1min", 0, "simulated"))
            covered = [(SYMBOL, CALENDAR.sessions_of(day)[0].start, CALENDAR.sessions_of(day)[-1].end) for day in short]
            batch.set_coverage(covered)
            batch.set_vendor_progress([("splits", UNTIL)])  # else they are waited for before all else
        engine = StreamingEngine(settings, CALENDAR, lambda: 0, dict.fromkeys(settings.timeframes, SOME))
        vendor = MassiveRest.for_settings(settings)
        fetcher = RestFetcher(vendor, Rejections(logging.getLogger(__name__), "TEST"), threading.Event())
        fetcher.start()
        yield Running(rest, engine, fetcher, WarmUp(settings, CALENDAR, engine, fetcher, Queries(url), lambda _: None))
        fetcher.stop()
        vendor.close()


def test_what_waits_for_earlier_days_is_absent_and_comes_with_them(running: Running) -> None:
    history = running.warm_up.run(DAY, UNTIL, UNTIL)
    assert set(history.timeframes) == {"1min", "5min"}
    first = running.values_of(UNTIL)
    assert set(first) == {"1min"}
    assert first["1min"]["VWAP"] == 10.0
    assert "RelativeVolume" not in first["1min"]  # of three days only

    running.rest.answers.set()
    filled = running.refill(UNTIL)
    while running.engine.absent:
        filled |= running.refill(UNTIL)
    assert filled == {"15min", "60min", "1day"}
    later = running.values_of(UNTIL + MINUTE_MS)  # the minute before it is not stored here: so far 200 shares and these 300
    assert later["1min"]["RelativeVolume"] == pytest.approx(500 / 300)


def test_the_previous_days_levels_come_with_the_day_bars(running: Running) -> None:
    running.warm_up.run(DAY, UNTIL, UNTIL)
    running.rest.answers.set()
    while running.engine.absent:
        running.refill(UNTIL)
    bars = minute_bar(running.engine.lanes_for([SYMBOL]), UNTIL)
    figures = running.engine._figures
    figures.take(CALENDAR.sessions_of(DAY)[0], bars.lanes, bar_columns(bars))
    found = figures.of("1min", bars.lanes, bar_columns(bars), UNTIL + MINUTE_MS)
    assert [found[name].tolist() for name in ("PREV_DAY_HIGH", "PREV_DAY_LOW", "PREV_CLOSE")] == [[11.0], [10.0], [10.5]]
