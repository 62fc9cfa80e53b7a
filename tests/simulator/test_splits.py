"""The simulator's splits: prints at the prices of their day, REST in the shares of today, unless it is asked not to adjust."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from tests.simulator.conftest import KEY
from tests.simulator.test_rest import Caller, at
from tickstock.feed.massive_rest import MassiveRest, Split
from tickstock.market_hours import ExchangeCalendar
from tickstock.simulator.clock import DayClock
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.splits import SPLITS
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape

SYMBOLS = ["AAPL", "F", "NOW"]
FORWARD = next(each for each in SPLITS if each.split_to > each.split_from)
REVERSE = next(each for each in SPLITS if each.split_to < each.split_from)
LAST_DAY = max(each.day for each in SPLITS)


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return SyntheticMarket(SYMBOLS, 1, ExchangeCalendar())


@pytest.fixture
def clock(market: SyntheticMarket) -> DayClock:
    return DayClock(at(market, "12:00", LAST_DAY), 1.0)


@pytest.fixture
def caller(market: SyntheticMarket, clock: DayClock, rest_port: Callable[[RestInterface], int]) -> Iterator[Caller]:
    opened = Caller(rest_port(RestInterface(SyntheticTape(market), clock, KEY)))
    yield opened
    opened.connection.close()


def day_bar(caller: Caller, ticker: str, day: date, adjusted: str) -> dict[str, Any]:
    (bar,) = caller.results(f"/v2/aggs/ticker/{ticker}/range/1/day/{day}/{day}?adjusted={adjusted}")
    return bar


def test_there_is_one_of_four_for_one_and_one_of_one_for_ten() -> None:
    assert {each.split_to / each.split_from for each in SPLITS} == {4.0, 0.1}


@pytest.mark.parametrize("split", SPLITS)
def test_bars_before_a_split_differ_by_its_factor_and_later_ones_do_not(caller: Caller, split: Any) -> None:
    factor = split.split_to / split.split_from
    before, after = split.day - timedelta(days=1), LAST_DAY
    adjusted, printed = (day_bar(caller, split.ticker, before, each) for each in ("true", "false"))
    for name in "ohlc":
        assert printed[name] == pytest.approx(adjusted[name] * factor)
    assert adjusted["v"] == pytest.approx(printed["v"] * factor)
    assert day_bar(caller, split.ticker, after, "true") == day_bar(caller, split.ticker, after, "false")
    first, last = at_opening(caller, split.ticker, split.day), adjusted["c"]
    assert abs(first / last - 1) < 0.05  # adjusted, one day goes on where the other ended


def at_opening(caller: Caller, ticker: str, day: date) -> float:
    return float(day_bar(caller, ticker, day, "true")["o"])


def test_minutes_and_the_previous_day_are_adjusted_like_day_bars(caller: Caller) -> None:
    before = FORWARD.day - timedelta(days=1)
    target = f"/v2/aggs/ticker/{FORWARD.ticker}/range/1/minute/{before}/{before}?limit=50000"
    adjusted, printed = (caller.results(f"{target}&adjusted={each}") for each in ("true", "false"))
    assert [bar["c"] * 4 for bar in adjusted] == pytest.approx([bar["c"] for bar in printed])
    assert [bar["v"] for bar in adjusted] == pytest.approx([bar["v"] * 4 for bar in printed])
    close = day_bar(caller, FORWARD.ticker, before, "true")["c"]
    (previous,) = caller.results(f"/v2/aggs/ticker/{FORWARD.ticker}/prev")
    grouped = {each["T"]: each for each in caller.results(f"/v2/aggs/grouped/locale/us/market/stocks/{before}")}
    _, snapshot = caller.get(f"/v2/snapshot/locale/us/markets/stocks/tickers?tickers={FORWARD.ticker}")
    assert close == previous["c"] == grouped[FORWARD.ticker]["c"] == snapshot["tickers"][0]["prevDay"]["c"]


def test_a_split_that_has_not_come_yet_changes_nothing(
    market: SyntheticMarket, rest_port: Callable[[RestInterface], int]
) -> None:
    clock = DayClock(at(market, "19:00", FORWARD.day - timedelta(days=1)), 1.0)
    caller = Caller(rest_port(RestInterface(SyntheticTape(market), clock, KEY)))
    before = FORWARD.day - timedelta(days=2)
    assert day_bar(caller, FORWARD.ticker, before, "true") == day_bar(caller, FORWARD.ticker, before, "false")
    caller.connection.close()


def test_prints_are_those_of_their_day(market: SyntheticMarket) -> None:
    days = [market.days.of(REVERSE.day - timedelta(days=1)), market.days.of(REVERSE.day)]
    before, after = (market.trades_of(REVERSE.ticker, day, slice(400, 410)).price for day in days if day is not None)
    assert np.median(after) / np.median(before) == pytest.approx(10, rel=0.2)


def test_the_client_reads_the_splits_page_by_page(
    market: SyntheticMarket, clock: DayClock, rest_port: Callable[[RestInterface], int]
) -> None:
    port = rest_port(RestInterface(SyntheticTape(market), clock, KEY))
    rest = MassiveRest(f"http://127.0.0.1:{port}", KEY)
    found = rest.splits(REVERSE.day, LAST_DAY)
    assert set(found) == {Split(each.ticker, each.day, each.split_from, each.split_to) for each in SPLITS}
    assert rest.splits(LAST_DAY, LAST_DAY) == [Split(FORWARD.ticker, FORWARD.day, FORWARD.split_from, FORWARD.split_to)]
    assert rest.splits(LAST_DAY + timedelta(days=1), LAST_DAY + timedelta(days=9)) == []
    rest.close()
    caller = Caller(port)
    pages = caller.pages("/stocks/v1/splits?limit=1")
    assert [[row["ticker"] for row in page] for page in pages] == [[FORWARD.ticker], [REVERSE.ticker]]
    assert caller.get(f"/v3/reference/splits?ticker={FORWARD.ticker}")[1]["results"] == pages[0]
    caller.connection.close()
