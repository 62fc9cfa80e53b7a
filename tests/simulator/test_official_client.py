"""The vendor's own client against the simulator: it connects, authenticates, subscribes and parses every kind of event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.simulator.conftest import KEY, serving
from tickstock.market_hours import AlwaysOpenCalendar, ExchangeCalendar
from tickstock.simulator.clock import DayClock, WallClock
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape

massive = pytest.importorskip("massive")


@pytest.mark.parametrize("acks", ["batched", "single"])
def test_the_official_client_parses_trades_quotes_seconds_and_minutes(run: Any, acks: str) -> None:
    async def scenario() -> list[Any]:
        market = SyntheticMarket(["AAPL", "PLTR"], 1, ExchangeCalendar())
        day = market.days.of(date(2026, 11, 20))
        assert day is not None
        start = day.start + 6 * 3_600_000  # 10:00, sixty times as fast, so that minutes come by
        received: list[Any] = []
        enough = asyncio.Event()

        async def take(messages: list[Any]) -> None:
            received.extend(messages)
            if {"T", "Q", "A", "AM"} <= {each.event_type for each in received}:
                enough.set()

        async with serving(SyntheticTape(market), DayClock(start, 60.0), start, acks=acks) as running:
            client = massive.WebSocketClient(
                api_key=KEY, feed=f"127.0.0.1:{running.server.port}", market="stocks", secure=False, max_reconnects=0,
                subscriptions=["T.AAPL", "Q.AAPL", "A.*", "AM.*"],
            )  # fmt: skip
            connection = asyncio.create_task(client.connect(take))
            async with asyncio.timeout(40):
                await enough.wait()
            await client.close()
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
        return received

    events = run(scenario())
    first = {kind: next(each for each in events if each.event_type == kind) for kind in ("T", "Q", "A", "AM")}
    assert first["T"].symbol == "AAPL" and first["T"].price > 0 and first["T"].timestamp > 10**12 and first["T"].id
    assert first["Q"].ask_price > first["Q"].bid_price > 0
    assert first["A"].end_timestamp - first["A"].start_timestamp == 1000
    assert first["AM"].end_timestamp - first["AM"].start_timestamp == 60_000
    assert first["AM"].low <= first["AM"].open <= first["AM"].high and first["AM"].accumulated_volume >= first["AM"].volume
    assert first["A"].fractional_volume and first["AM"].official_open_price and first["AM"].aggregate_vwap


def test_the_official_client_is_told_of_a_wrong_key(run: Any) -> None:
    async def scenario() -> None:
        clock = WallClock()
        tape = SyntheticTape(SyntheticMarket(["AAPL"], 1, AlwaysOpenCalendar()))
        async with serving(tape, clock, clock.now()) as running:
            client = massive.WebSocketClient(
                api_key="wrong", feed=f"127.0.0.1:{running.server.port}", market="stocks", secure=False, subscriptions=["T.AAPL"]
            )

            async def take(messages: list[Any]) -> None:
                raise AssertionError("no data without a key")

            with pytest.raises(massive.exceptions.AuthError, match="authentication failed"):
                await client.connect(take)

    run(scenario())


def test_the_official_rest_client_reads_bars_over_several_pages(rest_port: Callable[[RestInterface], int]) -> None:
    market = SyntheticMarket(["AAPL"], 1, ExchangeCalendar())
    day = market.days.of(date(2026, 11, 20))
    assert day is not None
    port = rest_port(RestInterface(SyntheticTape(market), DayClock(day.end, 1.0), KEY))
    client = massive.RESTClient(KEY, base=f"http://127.0.0.1:{port}")
    try:
        bars = list(client.list_aggs("AAPL", 1, "minute", "2026-11-20", "2026-11-20", limit=200))
        whole = list(client.list_aggs("AAPL", 1, "minute", "2026-11-20", "2026-11-20", limit=50_000))
        assert [each.timestamp for each in bars] == [each.timestamp for each in whole] and len(whole) > 600
        assert client.get_previous_close_agg("AAPL")[0].close > 0
        assert client.get_market_status().market
        assert [each.ticker for each in client.list_tickers()] == ["AAPL"]
    finally:
        client.client.clear()
