"""When events are sent, and that A and AM say what the trades say."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, ExchangeCalendar
from tickstock.simulator.aggregation import all_windows
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape
from tickstock.simulator.timeline import Timeline
from tickstock.simulator.trades import SHARE

FRIDAY = date(2026, 11, 20)
SYMBOLS = ["AAPL", "TSLA", "PLTR", "LIN", "SNDL"]
MINUTES = 8


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return SyntheticMarket(SYMBOLS, 1, ExchangeCalendar())


def start_of(market: SyntheticMarket, text: str) -> int:
    day = market.days.of(FRIDAY)
    assert day is not None
    number = day.at(text)
    assert number is not None
    return day.start + number * MINUTE_MS


def everything(
    market: SyntheticMarket, start: int, step: int = 1000, channels: str = "T A AM Q"
) -> list[tuple[int, dict[str, Any]]]:
    """(when it was sent, event) of eight minutes."""
    timeline = Timeline(SyntheticTape(market), start)
    wanted = {channel: np.ones(len(market.symbols), bool) for channel in channels.split()}
    found = []
    while timeline.position < start + MINUTES * MINUTE_MS + 20_000:
        at = timeline.position
        for events in timeline.advance(at + step, wanted):
            found += [(at, json.loads(text)) for text in events.texts]
    return [each for each in found if start <= (each[1].get("t") or each[1]["s"]) < start + MINUTES * MINUTE_MS]


def test_every_documented_key_is_there(market: SyntheticMarket) -> None:
    events = [event for _, event in everything(market, start_of(market, "10:00"))]
    keys = {kind: set().union(*(each for each in events if each["ev"] == kind)) for kind in ("T", "Q", "A", "AM")}
    aggregate = {*["ev", "sym", "v", "dv", "av", "dav", "op", "vw", "o", "c", "h", "l", "a", "z", "s", "e"]}
    assert keys == {
        "T": {*["ev", "sym", "x", "i", "z", "p", "s", "ds", "c", "t", "pt", "q", "trfi", "trft"]},
        "Q": {*["ev", "sym", "bx", "bp", "bs", "ax", "ap", "as", "c", "i", "t", "pt", "q", "z"]},
        "A": aggregate,
        "AM": aggregate,
    }
    assert all(type(each["i"]) is str and type(each["ds"]) is str for each in events if each["ev"] == "T")
    assert all(each["bp"] < each["ap"] for each in events if each["ev"] == "Q")


def test_trades_come_at_once_and_aggregates_two_seconds_late(market: SyntheticMarket) -> None:
    first: set[tuple[str, str, int]] = set()
    for at, event in everything(market, start_of(market, "10:00")):
        if event["ev"] == "T":
            assert at <= event["t"] < at + 1000
        elif event["ev"] in ("A", "AM") and (key := (event["ev"], event["sym"], event["s"])) not in first:
            first.add(key)
            assert at == event["e"] + 2000 or event["ev"] == "A", "an A may be late as a whole"


def test_about_one_window_in_a_hundred_is_sent_again_with_its_late_trade(market: SyntheticMarket) -> None:
    sent: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for _, event in everything(market, start_of(market, "10:00"), channels="A"):
        sent.setdefault((event["sym"], event["s"]), []).append(event)
    again = [versions for versions in sent.values() if len(versions) > 1]
    assert 0.002 < len(again) / len(sent) < 0.03
    assert all(len(versions) == 2 and versions[1]["v"] > versions[0]["v"] for versions in again)


def test_the_last_version_of_every_aggregate_is_the_bar_of_its_trades(market: SyntheticMarket) -> None:
    start = start_of(market, "11:08")  # LIN has odd lots only from 11:10 on
    events = [event for _, event in everything(market, start)]
    tape = SyntheticTape(market)
    for channel, length in (("A", 1000), ("AM", MINUTE_MS)):
        last = {(each["sym"], each["s"]): each for each in events if each["ev"] == channel}
        expected = {}
        for number in range(MINUTES):
            trades = tape.minute(start + number * MINUTE_MS)
            bars = all_windows(trades, trades.time // length * length, market.conditions)
            for row in np.flatnonzero(~np.isnan(bars.open)):
                key = (SYMBOLS[bars.symbol[row]], int(bars.start[row]))
                expected[key] = (bars.open[row], bars.high[row], bars.low[row], bars.close[row], bars.volume[row])
        got = {key: (each["o"], each["h"], each["l"], each["c"], round(float(each["dv"]) * SHARE)) for key, each in last.items()}
        assert got == expected, "seconds with only odd lots are not sent, all others are, and agree"


@pytest.mark.parametrize("channel", ["A", "AM"])
def test_the_accumulated_volume_reaches_the_days_volume_and_includes_unsent_windows(
    market: SyntheticMarket, channel: str
) -> None:
    start = start_of(market, "11:08")
    day = market.days.of(FRIDAY)
    assert day is not None
    events = [event for _, event in everything(market, start, channels=channel)]
    number = (start - day.start) // MINUTE_MS
    for symbol in ("AAPL", "PLTR"):
        highest = 0.0
        for each in (event for event in events if event["sym"] == symbol):
            highest = max(highest, float(each["dav"]))
        total = market.minute_bars(symbol, day).volume[: number + MINUTES].sum() / SHARE
        seconds_without_price = 3000  # the day's last windows of the range may not have been sent
        assert total - seconds_without_price <= highest <= total + 1e-6


@pytest.mark.parametrize("channel", ["A", "AM"])
def test_the_accumulated_volume_never_falls_from_one_window_to_the_next(market: SyntheticMarket, channel: str) -> None:
    last: dict[str, tuple[int, float]] = {}
    for _, event in everything(market, start_of(market, "10:00"), channels=channel):
        newest, volume = last.get(event["sym"], (0, 0.0))
        if event["s"] > newest:  # a window that is sent again, or only now, stands among later ones
            assert float(event["dav"]) >= volume
            last[event["sym"]] = (event["s"], float(event["dav"]))


def test_the_events_do_not_depend_on_the_steps(market: SyntheticMarket) -> None:
    start = start_of(market, "15:58")
    by_second = sorted(json.dumps(event, sort_keys=True) for _, event in everything(market, start))
    by_minute = sorted(json.dumps(event, sort_keys=True) for _, event in everything(market, start, step=37_000))
    assert by_second == by_minute


def test_the_official_open_is_absent_before_the_open(market: SyntheticMarket) -> None:
    events = [event for _, event in everything(market, start_of(market, "09:25"), channels="AM")]
    opening = start_of(market, "09:30")
    assert all(("op" in each) == (each["s"] >= opening) for each in events)
    assert len({each["op"] for each in events if each["sym"] == "AAPL" and "op" in each}) == 1


def test_totals_begin_anew_with_the_trading_day() -> None:
    market = SyntheticMarket(["AAPL"], 1, AlwaysOpenCalendar())
    day = market.days.of(FRIDAY)
    assert day is not None
    timeline = Timeline(SyntheticTape(market), day.end - 2 * MINUTE_MS)
    found = []
    while timeline.position < day.end + 2 * MINUTE_MS:
        for events in timeline.advance(timeline.position + 5000, {"AM": np.ones(1, bool)}):
            found += [json.loads(text) for text in events.texts]
    accumulated = {each["s"]: each["av"] for each in found}
    assert accumulated[day.end - MINUTE_MS] > 50 * accumulated[day.end]


def test_a_virtual_day_may_end_in_any_minute(market: SyntheticMarket) -> None:
    start = start_of(market, "10:00")
    timeline = Timeline(SyntheticTape(market, last_day=FRIDAY, end=start + 2 * MINUTE_MS), start)
    found = []
    while not timeline.is_over:
        for events in timeline.advance(timeline.next_step(1000), {"T": np.ones(len(market.symbols), bool)}):
            found += [json.loads(text)["t"] // MINUTE_MS * MINUTE_MS for text in events.texts]
    assert set(found) == {start, start + MINUTE_MS}


def test_the_halted_symbol_says_so_and_does_not_trade_until_it_is_resumed() -> None:
    market = SyntheticMarket(["AAPL", "COIN"], 1, ExchangeCalendar())
    timeline = Timeline(SyntheticTape(market), start_of(market, "10:31"))
    wanted = {channel: np.ones(2, bool) for channel in ("LULD", "T")}
    sent = [json.loads(text) for events in timeline.advance(start_of(market, "10:49"), wanted) for text in events.texts]
    told = [(event["T"], event["i"], event["t"]) for event in sent if event["ev"] == "LULD"]
    halted, resumed = start_of(market, "10:32"), start_of(market, "10:47") + 2_000
    assert told == [("COIN", [17], halted * 1_000_000), ("COIN", [18], resumed * 1_000_000)]
    assert all(event["l"] < event["h"] for event in sent if event["ev"] == "LULD")
    prints = [event["t"] for event in sent if event["ev"] == "T" and event["sym"] == "COIN"]
    assert prints and not [at for at in prints if halted <= at < resumed]


def test_only_who_asked_is_told_of_a_halt() -> None:
    market = SyntheticMarket(["AAPL", "COIN"], 1, ExchangeCalendar())
    timeline = Timeline(SyntheticTape(market), start_of(market, "10:31"))
    assert timeline.advance(start_of(market, "10:49"), {"LULD": np.array([True, False])}) == []
