"""The REST interface over HTTP: the same market as the WebSocket's, paged, authenticated, and up to the clock only."""

from __future__ import annotations

import http.client
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.simulator.conftest import KEY
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, ExchangeCalendar
from tickstock.simulator.clock import DayClock
from tickstock.simulator.companies import KNOWN
from tickstock.simulator.reference import NAMES
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.rest_server import RestServer
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape
from tickstock.simulator.timeline import Timeline
from tickstock.simulator.trades import SHARE

FRIDAY = date(2026, 11, 20)
SYMBOLS = ["AAPL", "BRK.A", "LIN", "PLTR", "SNDL", "TSLA"]


class Caller:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.socket: Any = None

    def get(self, target: str, key: str | None = KEY) -> tuple[int, dict[str, Any]]:
        self.connection.request("GET", target, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = self.connection.getresponse()
        body = json.loads(response.read())
        assert self.socket in (None, self.connection.sock), "the connection was closed in between"
        self.socket = self.connection.sock
        return response.status, body

    def results(self, target: str) -> list[dict[str, Any]]:
        status, body = self.get(target)
        assert (status, body["status"]) == (200, "OK")
        found: list[dict[str, Any]] = body.get("results", [])
        assert body["resultsCount"] == body["count"] == len(found)
        return found

    def pages(self, target: str) -> list[list[dict[str, Any]]]:
        found = []
        while True:
            _, body = self.get(target)
            found.append(body["results"])
            if "next_url" not in body:
                return found
            parts = urlsplit(body["next_url"])
            assert parts.netloc == f"127.0.0.1:{self.connection.port}" and "apiKey" not in parts.query
            target = f"{parts.path}?{parts.query}"


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return SyntheticMarket(SYMBOLS, 1, ExchangeCalendar())


@pytest.fixture
def clock(market: SyntheticMarket) -> DayClock:
    return DayClock(at(market, "11:45") + 12_345, 1.0)


@pytest.fixture
def caller(market: SyntheticMarket, clock: DayClock, rest_port: Callable[[RestInterface], int]) -> Iterator[Caller]:
    opened = Caller(rest_port(RestInterface(SyntheticTape(market), clock, KEY)))
    yield opened
    opened.connection.close()


def at(market: SyntheticMarket, text: str, day: date = FRIDAY) -> int:
    found = market.days.of(day)
    assert found is not None
    number = found.at(text)
    assert number is not None
    return found.start + number * MINUTE_MS


def test_minute_bars_are_those_of_the_websockets_am_events(market: SyntheticMarket, caller: Caller) -> None:
    start, end = at(market, "11:05"), at(market, "11:15")
    timeline = Timeline(SyntheticTape(market), start)
    streamed: dict[tuple[str, int], dict[str, Any]] = {}
    while timeline.position < end + 20_000:
        for events in timeline.advance(timeline.position + 1000, {"AM": np.ones(len(SYMBOLS), bool)}):
            streamed.update({(each["sym"], each["s"]): each for each in map(json.loads, events.texts)})
    served = {
        (symbol, each["t"]): each
        for symbol in SYMBOLS
        for each in caller.results(f"/v2/aggs/ticker/{symbol}/range/1/minute/{start}/{end - 1}")
    }
    inside = {key: event for key, event in streamed.items() if start <= key[1] < end}
    assert served.keys() == inside.keys() and len(served) > 40
    for key, bar in served.items():
        event = inside[key]
        assert [bar[name] for name in "ohlc"] == [event[name] for name in "ohlc"]
        assert round(bar["v"] * SHARE) == round(float(event["dv"]) * SHARE)
        assert bar["vw"] == pytest.approx(event["vw"], rel=0.02)
        assert bar["n"] >= 1


def test_bars_exist_from_the_moment_they_end(market: SyntheticMarket, caller: Caller, clock: DayClock) -> None:
    target = "/v2/aggs/ticker/TSLA/range/1/minute/2026-11-20/2026-11-20?limit=50000"
    assert caller.results(target)[-1]["t"] == at(market, "11:44")
    clock.move_to(at(market, "11:46"))
    assert caller.results(target)[-1]["t"] == at(market, "11:45")


def test_a_range_of_dates_covers_all_of_their_minutes(market: SyntheticMarket, caller: Caller) -> None:
    bars = caller.results("/v2/aggs/ticker/TSLA/range/1/minute/2026-11-18/2026-11-19?limit=50000")
    times = [each["t"] for each in bars]
    assert times == sorted(times) and len(times) > 1100
    assert times[0] < at(market, "05:00", date(2026, 11, 18)) and times[-1] > at(market, "19:00", date(2026, 11, 19))


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_pages_join_to_the_whole_without_a_key_in_their_address(caller: Caller, sort: str) -> None:
    target = f"/v2/aggs/ticker/AAPL/range/1/minute/2026-11-19/2026-11-20?sort={sort}"
    whole = caller.results(f"{target}&limit=50000")
    pages = caller.pages(f"{target}&limit=333")
    assert [len(page) for page in pages[:-1]] == [333] * (len(pages) - 1)
    assert [bar for page in pages for bar in page] == whole
    assert (whole[0]["t"] < whole[-1]["t"]) == (sort == "asc")


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_longer_windows_are_folded_from_minutes_and_never_cut_by_a_page(caller: Caller, sort: str) -> None:
    minutes = caller.results("/v2/aggs/ticker/TSLA/range/1/minute/2026-11-19/2026-11-19?limit=50000")
    target = f"/v2/aggs/ticker/TSLA/range/5/minute/2026-11-19/2026-11-19?sort={sort}"
    folded = caller.results(f"{target}&limit=50000")
    assert [bar for page in caller.pages(f"{target}&limit=101") for bar in page] == folded
    for bar in folded:
        inside = [each for each in minutes if bar["t"] <= each["t"] < bar["t"] + 5 * MINUTE_MS]
        assert (bar["o"], bar["c"]) == (inside[0]["o"], inside[-1]["c"])
        assert (bar["h"], bar["l"]) == (max(each["h"] for each in inside), min(each["l"] for each in inside))
        assert bar["v"] == pytest.approx(sum(each["v"] for each in inside))


def test_seconds_fold_to_the_same_minute(market: SyntheticMarket, caller: Caller) -> None:
    start = at(market, "10:00")
    seconds = caller.results(f"/v2/aggs/ticker/TSLA/range/1/second/{start}/{start + 59_999}")
    minute = caller.results(f"/v2/aggs/ticker/TSLA/range/1/minute/{start}/{start + 59_999}")[0]
    assert (seconds[0]["o"], seconds[-1]["c"]) == (minute["o"], minute["c"])
    assert max(each["h"] for each in seconds) == minute["h"]


def test_day_bars_take_prices_from_regular_hours_and_volume_from_the_whole_day(market: SyntheticMarket, caller: Caller) -> None:
    minutes = caller.results("/v2/aggs/ticker/TSLA/range/1/minute/2026-11-19/2026-11-19?limit=50000")
    (bar,) = caller.results("/v2/aggs/ticker/TSLA/range/1/day/2026-11-19/2026-11-19")
    opening, closing = at(market, "09:30", date(2026, 11, 19)), at(market, "16:00", date(2026, 11, 19))
    regular = [each for each in minutes if opening <= each["t"] < closing]
    auction = next(each for each in minutes if each["t"] == closing)
    assert (bar["o"], bar["c"]) == (regular[0]["o"], auction["o"])
    assert bar["h"] == max([auction["o"], *(each["h"] for each in regular)])
    assert bar["v"] >= sum(each["v"] for each in minutes)
    assert bar["t"] == at(market, "04:00", date(2026, 11, 19)) - 4 * 60 * MINUTE_MS


def test_three_hundred_days_chain_and_skip_holidays(caller: Caller) -> None:
    bars = caller.results("/v2/aggs/ticker/AAPL/range/1/day/2025-11-20/2026-11-19")
    assert 249 <= len(bars) <= 252
    for before, after in itertools.pairwise(bars):
        assert abs(after["o"] / before["c"] - 1) < 0.05


def test_the_previous_day_the_groups_and_the_snapshot_agree(caller: Caller) -> None:
    (day,) = caller.results("/v2/aggs/ticker/AAPL/range/1/day/2026-11-19/2026-11-19")
    (previous,) = caller.results("/v2/aggs/ticker/AAPL/prev")
    grouped = {each["T"]: each for each in caller.results("/v2/aggs/grouped/locale/us/market/stocks/2026-11-19")}
    _, snapshot = caller.get("/v2/snapshot/locale/us/markets/stocks/tickers?tickers=AAPL,NOPE")
    (shown,) = snapshot["tickers"]
    assert previous["T"] == "AAPL" and previous["c"] == day["c"] == grouped["AAPL"]["c"] == shown["prevDay"]["c"]
    assert set(grouped) == set(SYMBOLS)
    assert shown["todaysChange"] == pytest.approx(shown["min"]["c"] - day["c"])
    assert shown["min"]["av"] == int(shown["day"]["v"])


def test_an_empty_range_has_no_results_key(caller: Caller) -> None:
    for target in (
        "/v2/aggs/ticker/AAPL/range/1/minute/2026-11-21/2026-11-22",
        "/v2/aggs/ticker/NOPE/range/1/day/2026-11-19/2026-11-19",
    ):
        status, body = caller.get(target)
        assert status == 200 and "results" not in body and body["resultsCount"] == 0


def test_references_answer(caller: Caller) -> None:
    _, page = caller.get("/v3/reference/tickers?limit=4")
    assert [each["ticker"] for each in page["results"]] == SYMBOLS[:4]
    parts = urlsplit(page["next_url"])
    _, rest = caller.get(f"{parts.path}?{parts.query}")
    assert [each["ticker"] for each in rest["results"]] == SYMBOLS[4:] and "next_url" not in rest
    first = page["results"][0]
    assert (first["name"], first["primary_exchange"], first["type"]) == ("Apple Inc. (simulated)", "XNAS", "CS")
    assert set(NAMES) == set(KNOWN)  # every known company has its name
    assert caller.get("/stocks/v1/splits?ticker=AAPL")[1]["results"] == []
    assert caller.get("/v3/reference/splits?ticker=AAPL")[1]["results"] == []
    assert caller.get("/v1/marketstatus/now")[1]["market"] == "open"


def test_the_key_may_come_in_the_address_and_must_be_right(caller: Caller) -> None:
    assert caller.get(f"/v1/marketstatus/now?apiKey={KEY}", key=None)[0] == 200
    for target, key in (
        ("/v1/marketstatus/now", "wrong"),
        ("/v1/marketstatus/now", None),
        ("/v1/marketstatus/now?apiKey=wrong", None),
    ):
        status, body = caller.get(target, key)
        assert (status, body["status"], body["error"]) == (401, "ERROR", "Unknown API Key") and body["request_id"]


@pytest.mark.parametrize(
    "target",
    [
        "/v2/aggs/ticker/AAPL/range/1/eon/2026-11-19/2026-11-19", "/v2/aggs/ticker/AAPL/range/0/day/2026-11-19/2026-11-19",
        "/v2/aggs/ticker/AAPL/range/1/day/yesterday/2026-11-19", "/v2/aggs/ticker/AAPL/range/1/day/2026-11-19/2026-11-18",
        "/v2/aggs/ticker/AAPL/range/1/day/2026-11-19/2026-11-19?limit=50001",
        "/v2/aggs/ticker/AAPL/range/1/day/2026-11-19/2026-11-19?limit=x",
        "/v2/aggs/ticker/AAPL/range/1/day/2026-11-19/2026-11-19?cursor=x",
    ],
)  # fmt: skip
def test_a_bad_request_is_told_what_is_wrong(caller: Caller, target: str) -> None:
    status, body = caller.get(target)
    assert (status, body["status"]) == (400, "ERROR") and body["error"]


def test_what_is_not_there_is_not_found(caller: Caller) -> None:
    assert caller.get("/v9/nothing")[1]["status"] == "NOT_FOUND"
    assert caller.get("/v9/nothing")[0] == 404


def test_a_plan_can_lack_data_and_requests_can_be_too_many(
    market: SyntheticMarket, clock: DayClock, rest_port: Callable[[RestInterface], int]
) -> None:
    interface = RestInterface(SyntheticTape(market), clock, KEY, requests_per_minute=2, not_entitled=["/stocks/v1"])
    caller = Caller(rest_port(interface))
    status, body = caller.get("/stocks/v1/splits")
    assert (status, body["status"]) == (403, "NOT_AUTHORIZED") and "not entitled" in body["message"]
    assert caller.get("/v1/marketstatus/now")[0] == 200
    status, body = caller.get("/v1/marketstatus/now")
    assert (status, body["status"]) == (429, "ERROR") and "maximum requests per minute" in body["error"]
    caller.connection.close()


def test_a_stopped_server_lets_go_of_its_port(market: SyntheticMarket, clock: DayClock) -> None:
    for _ in range(2):
        server = RestServer(RestInterface(SyntheticTape(market), clock, KEY), "127.0.0.1", 0)
        server.start()
        server.stop()


def test_the_wall_clock_market_has_bars_at_every_minute_of_the_day(rest_port: Callable[[RestInterface], int]) -> None:
    market = SyntheticMarket(["AAPL"], 1, AlwaysOpenCalendar())
    day = market.days.of(FRIDAY)
    assert day is not None
    caller = Caller(rest_port(RestInterface(SyntheticTape(market), DayClock(day.end, 1.0), KEY)))
    assert len(caller.results("/v2/aggs/ticker/AAPL/range/1/minute/2026-11-19/2026-11-20?limit=50000")) == 2880
    caller.connection.close()
