"""The WebSocket protocol as the vendor documents it, over a real socket."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.simulator.conftest import KEY, Client, Running, serving
from tickstock.market_hours import AlwaysOpenCalendar, ExchangeCalendar
from tickstock.simulator.clock import MAX_SPEED, DayClock, WallClock
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape

DAY = date(2026, 11, 20)


def live(**options: Any) -> Any:
    clock = WallClock()
    tape = SyntheticTape(SyntheticMarket(["AAPL", "TSLA", "NVDA"], 1, AlwaysOpenCalendar()))
    return serving(tape, clock, clock.now(), **options)


def after_hours(speed: float = MAX_SPEED, minutes: int = 10, **options: Any) -> Any:
    """The last minutes of a virtual day."""
    market = SyntheticMarket(["AAPL", "TSLA"], 1, ExchangeCalendar())
    day = market.days.of(DAY)
    assert day is not None
    start = day.end - minutes * 60_000
    return serving(SyntheticTape(market, last_day=DAY), DayClock(start, speed), start, **options)


async def closed(client: Client) -> ConnectionClosed:
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(10):
            while True:
                await client.frame()
    return caught.value


def test_a_session_goes_as_documented(run: Any) -> None:
    async def scenario() -> None:
        async with live() as running, running.client() as client:
            assert await client.frame() == [{"ev": "status", "status": "connected", "message": "Connected Successfully"}]
            await client.send("auth", KEY)
            assert await client.statuses() == [{"ev": "status", "status": "auth_success", "message": "authenticated"}]
            assert await client.subscribe("T.AAPL,A.AAPL") == ["subscribed to: T.AAPL", "subscribed to: A.AAPL"]
            await client.until(lambda events: {"T", "A"} <= {each["ev"] for each in events})
            await client.send("unsubscribe", "T.AAPL")
            assert [each["message"] for each in await client.statuses()] == ["unsubscribed to: T.AAPL"]
            assert {each["sym"] for each in client.events} == {"AAPL"}

    run(scenario())


def test_spaces_are_trimmed_and_a_star_means_every_ticker(run: Any) -> None:
    async def scenario() -> None:
        async with live() as running, running.client() as client:
            await client.log_in()
            assert await client.subscribe("AM.AAPL, AM.TSLA ,T.*") == [
                "subscribed to: AM.AAPL",
                "subscribed to: AM.TSLA",
                "subscribed to: T.*",
            ]
            await client.until(lambda events: {each["sym"] for each in events} == {"AAPL", "TSLA", "NVDA"})

    run(scenario())


def test_acknowledgements_can_come_one_a_frame(run: Any) -> None:
    async def scenario() -> None:
        async with live(acks="single") as running, running.client() as client:
            await client.log_in()
            await client.send("subscribe", "AM.AAPL,AM.TSLA")
            assert [len(await client.statuses()) for _ in range(2)] == [1, 1]

    run(scenario())


def test_what_the_vendor_leaves_unanswered_stays_unanswered(run: Any) -> None:
    async def scenario() -> None:
        async with live() as running, running.client() as client:
            await client.log_in()
            assert await client.subscribe("AM.AAPL") == ["subscribed to: AM.AAPL"]
            await client.send("subscribe", "ZZ.AAPL")
            await client.send("subscribe", "AM.AAPL")
            await client.socket.send("no JSON")
            await client.socket.send("[]")
            assert await client.subscribe("AM.AAPL,ZZ.AAPL,AM.TSLA") == ["subscribed to: AM.TSLA"]

    run(scenario())


def test_an_unknown_ticker_is_acknowledged_and_silent(run: Any) -> None:
    async def scenario() -> None:
        async with after_hours() as running, running.client() as client:
            await client.log_in()
            assert await client.subscribe("T.NOTATICKER,T.aapl") == ["subscribed to: T.NOTATICKER", "subscribed to: T.aapl"]
            assert await client.until_ended() == []

    run(scenario())


@pytest.mark.parametrize(("channel", "plan"), [("NOI.*", {}), ("LULD.COIN", {"halts": False})])
def test_a_topic_outside_the_plan_is_refused_and_the_connection_stays(run: Any, channel: str, plan: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with live(**plan) as running, running.client() as client:
            await client.log_in()
            await client.send("subscribe", f"{channel},AM.AAPL")
            refused, confirmed = await client.statuses()
            assert (refused["status"], refused["message"]) == ("error", "not authorized")
            assert confirmed["status"] == "success"

    run(scenario())


def test_halts_are_in_the_plan_by_default(run: Any) -> None:
    async def scenario() -> None:
        async with live() as running, running.client() as client:
            await client.log_in()
            assert await client.subscribe("LULD.COIN,LULD.*") == ["subscribed to: LULD.COIN", "subscribed to: LULD.*"]

    run(scenario())


def test_a_wrong_key_is_told_and_cut_off_without_a_handshake(run: Any) -> None:
    async def scenario() -> None:
        async with live() as running, running.client() as client:
            await client.frame()
            await client.send("auth", "wrong")
            assert await client.statuses() == [{"ev": "status", "status": "auth_failed", "message": "authentication failed"}]
            assert (await closed(client)).rcvd is None  # what a browser calls 1006

    run(scenario())


def test_who_does_not_authenticate_in_time_is_told_and_cut_off(run: Any) -> None:
    async def scenario() -> None:
        async with live(auth_seconds=0.2) as running, running.client() as client:
            await client.frame()
            await client.send("subscribe", "T.AAPL")  # not an answer to the question
            assert await client.statuses() == [
                {"ev": "status", "status": "auth_timeout", "message": "No authentication request received."}
            ]
            assert (await closed(client)).rcvd is None

    run(scenario())


def test_a_second_connection_evicts_the_first_with_1008(run: Any) -> None:
    async def scenario() -> None:
        async with live() as running, running.client() as older, running.client() as newer:
            await older.log_in()
            await older.subscribe("AM.AAPL")
            await newer.log_in()
            status = (await older.statuses())[0]
            assert status["status"] == "max_connections"
            assert status["message"].startswith("Maximum number of websocket connections exceeded. ")
            ended = await closed(older)
            assert ended.rcvd is not None and ended.rcvd.code == 1008
            assert await newer.subscribe("AM.AAPL") == ["subscribed to: AM.AAPL"]

    run(scenario())


def test_another_path_is_not_found(run: Any) -> None:
    async def scenario() -> None:
        async with live() as running:
            with pytest.raises(InvalidStatus) as refused:
                await connect(running.url.replace("/stocks", "/options"))
            assert refused.value.response.status_code == 404

    run(scenario())


def test_a_client_that_does_not_read_is_cut_off(run: Any) -> None:
    async def scenario() -> None:
        clock = WallClock()
        tape = SyntheticTape(SyntheticMarket(["AAPL", "TSLA"], 1, AlwaysOpenCalendar(), rate=60_000))
        async with serving(tape, clock, clock.now(), buffer_bytes=200_000) as running, running.client() as client:
            await client.log_in()
            await client.subscribe("T.*")
            async with asyncio.timeout(40):
                while running.server._active is not None:
                    await asyncio.sleep(0.05)
            assert (await closed(client)).rcvd is None

    run(scenario())


def test_a_day_at_full_speed_ends_with_a_status_also_for_who_comes_later(run: Any) -> None:
    async def scenario() -> None:
        async with after_hours() as running:
            async with running.client() as client:
                await client.log_in()
                await client.subscribe("T.*,A.*,AM.*")
                events = await client.until_ended()
                assert {each["ev"] for each in events} == {"T", "A", "AM"}
            async with running.client() as late:
                await late.log_in()
                await late.send("subscribe", "T.*")
                assert await late.until_ended() == []

    run(scenario())


def test_at_full_speed_a_new_connection_continues_where_the_last_one_stopped(run: Any) -> None:
    async def whole_day(running: Running, cuts: int) -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        for _ in range(cuts):
            async with running.client() as client:
                await client.log_in()
                await client.subscribe("T.*")
                await client.until(lambda events: len(events) > 5)
                seen += [(each["sym"], each["q"]) for each in client.events]
        async with running.client() as client:
            await client.log_in()
            await client.subscribe("T.*")
            seen += [(each["sym"], each["q"]) for each in await client.until_ended()]
        return seen

    async def scenario() -> None:
        async with after_hours() as running:
            whole = await whole_day(running, 0)
        async with after_hours() as running:
            pieces = await whole_day(running, 2)
        assert len(set(pieces)) == len(pieces), "nothing is sent twice"
        assert pieces == [each for each in whole if each in set(pieces)], "the order is the day's"
        assert pieces[-1] == whole[-1]

    run(scenario())


def test_at_a_multiple_of_real_time_the_day_goes_on_while_nobody_listens(run: Any) -> None:
    async def scenario() -> None:
        async with after_hours(speed=300, minutes=60) as running:  # ten are over in two seconds
            async with running.client() as client:
                await client.log_in()
                await client.subscribe("T.*")
                await client.until(lambda events: bool(events))
                first = max(each["t"] for each in client.events)
            before = running.server.clock.now()
            async with asyncio.timeout(10):
                while running.server.timeline.position < before + 120_000:
                    await asyncio.sleep(0.02)
            async with running.client() as client:
                await client.log_in()
                await client.subscribe("T.*")
                events = await client.until(lambda events: bool(events) or running.server.ended)
                assert all(each["t"] > first + 60_000 for each in events)

    run(scenario())


def test_at_a_multiple_of_real_time_a_client_that_stops_reading_loses_nothing(run: Any) -> None:
    async def events_of(speed: float, pause: float) -> list[tuple[str, int]]:
        async with after_hours(speed=speed, buffer_bytes=20_000) as running, running.client() as client:
            await client.log_in()
            await client.subscribe("T.*")
            await client.until(lambda events: bool(events))
            await asyncio.sleep(pause)
            return [(each["sym"], each["q"]) for each in await client.until_ended()]

    async def scenario() -> None:
        whole = await events_of(MAX_SPEED, 0)
        assert await events_of(2000, 0.5) == whole

    run(scenario())
