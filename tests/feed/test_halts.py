"""Halts: asked for beside the ticks and never in their way; read from events whose times have any magnitude."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.feed.scripted_feed import Conversation, Recorder, ScriptedFeed, aggregate, status
from tickstock.feed.halts import HaltNews, HaltReader, HaltSubscription, why_unknown
from tickstock.feed.massive_events import LimitBand, StatusEvent, Trade, decode_frame
from tickstock.logs import Rejections
from tickstock.settings import Settings

AT = 1_788_877_046_310
SYMBOLS = ("AAPL", "MSFT", "COIN")


@pytest.fixture
def rejections() -> Rejections:
    return Rejections(logging.getLogger(__name__), "TEST")


def limit_band(ticker: str = "COIN", at: int = AT, indicators: object = (17,)) -> Any:
    return {"ev": "LULD", "T": ticker, "h": 270.1, "l": 240.2, "i": indicators, "z": 3, "t": at, "q": 7}


def read(*events: LimitBand) -> list[HaltNews]:
    return HaltReader().take(events)[1]


def decoded(frame: bytes, rejections: Rejections) -> list[Any]:
    return list(decode_frame(frame, rejections))


# --- events ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stamp", [AT, AT * 1_000 + 385, AT * 1_000_000 + 3_385])
def test_a_halt_is_read_whatever_the_magnitude_of_its_time(stamp: int) -> None:
    assert read(LimitBand("COIN", stamp, (17,))) == [HaltNews("COIN", AT, True)]


def test_the_wires_event_is_read(rejections: Rejections) -> None:
    (event,) = decoded(
        b'[{"ev":"LULD","T":"COIN","h":270.1,"l":240.2,"i":[17],"z":3,"t":1788877046310003385,"q":9,"new":1}]', rejections
    )
    assert event == LimitBand("COIN", 1_788_877_046_310_003_385, (17,))


@pytest.mark.parametrize("indicators", [None, (), (1,), (604, 2)])
def test_bands_that_only_move_are_no_news(indicators: tuple[int, ...] | None) -> None:
    assert read(LimitBand("COIN", AT, indicators)) == []


def test_a_resumption_ends_a_halt_whichever_way_they_come() -> None:
    halt, resumption = LimitBand("COIN", AT, (17,)), LimitBand("COIN", AT + 900_000, (18,))
    assert [told.is_halted for told in read(halt, resumption)] == [True, False]
    assert [told.is_halted for told in read(resumption, halt)] == [False]


@pytest.mark.parametrize("stamp", [0, -5, 12, AT + 1])
def test_a_time_that_cannot_be_is_counted(stamp: int) -> None:
    reader = HaltReader()
    assert reader.take([LimitBand("COIN", stamp, (17,))], latest=AT)[1] == []
    assert reader.counts == {"unusable": 1}


def test_other_events_pass_in_their_order() -> None:
    trades = [Trade("AAPL", 1.0, AT), Trade("MSFT", 1.0, AT)]
    assert HaltReader().take([trades[0], LimitBand("COIN", AT, (17,)), trades[1]])[0] == trades


@given(st.lists(st.tuples(st.sampled_from(SYMBOLS), st.integers(AT, AT + 9), st.booleans())))
def test_the_last_word_on_a_symbol_is_its_newest(told: list[tuple[str, int, bool]]) -> None:
    news = read(*(LimitBand(symbol, at, (17 if halted else 18,)) for symbol, at, halted in told))
    for symbol in {each.symbol for each in news}:
        last = [each for each in news if each.symbol == symbol][-1]
        assert last.at == max(at for other, at, _ in told if other == symbol)


# --- the subscription --------------------------------------------------------------------------------------------------


def subscription() -> HaltSubscription:
    asked = HaltSubscription(True, ack_seconds=5)
    asked.follow(SYMBOLS, 0.0)
    return asked


def acknowledge(asked: HaltSubscription, *channels: str, verb: str = "subscribed") -> list[bool]:
    return [asked.answer(StatusEvent("success", f"{verb} to: {channel}")) for channel in channels]


def test_it_is_asked_for_in_chunks() -> None:
    asked = HaltSubscription(True, ack_seconds=5)
    messages = asked.follow([f"S{number}" for number in range(450)], 0.0)
    assert [message.count(b"LULD.S") for message in messages] == [200, 200, 50]


def test_its_answers_are_its_own_and_the_ticks_are_not() -> None:
    asked = subscription()
    assert acknowledge(asked, "LULD.AAPL", "T.AAPL", "LULD.MSFT") == [True, False, True]
    assert asked.words(1.0) == "known of 2 symbols, as far as they are listed at NASDAQ"


def test_as_many_refusals_as_channels_are_its_own() -> None:
    asked, refusal = subscription(), StatusEvent("error", "not authorized")
    assert [asked.answer(refusal) for _ in range(4)] == [True, True, True, False]
    assert asked.words(1.0) == "unknown: the plan does not include LULD (the feed said: not authorized)"
    assert asked.follow(("IBM",), 2.0) == [], "it is not asked for again"


@pytest.mark.parametrize("event", [StatusEvent("error", "something else"), StatusEvent("force_disconnect", "not authorized")])
def test_other_statuses_are_left_to_the_session(event: StatusEvent) -> None:
    assert not subscription().answer(event)


def test_no_answer_is_said_when_its_time_is_over() -> None:
    asked = subscription()
    assert asked.words(4.9) == "unknown: the subscription to LULD is not answered yet"
    assert asked.words(5.0) == "unknown: the feed did not answer the subscription to LULD"


def test_other_symbols_are_followed() -> None:
    asked = subscription()
    acknowledge(asked, "LULD.AAPL", "LULD.MSFT", "LULD.COIN")
    assert asked.follow(("AAPL", "IBM"), 9.0) == [
        b'{"action":"unsubscribe","params":"LULD.MSFT,LULD.COIN"}',
        b'{"action":"subscribe","params":"LULD.IBM"}',
    ]
    assert acknowledge(asked, "LULD.MSFT", verb="unsubscribed") == [True]
    assert asked.words(9.0) == "known of 1 symbols, as far as they are listed at NASDAQ"


def test_all_tickers_are_one_channel() -> None:
    asked = HaltSubscription(True, ack_seconds=5)
    assert asked.follow(("*",), 0.0) == [b'{"action":"subscribe","params":"LULD.*"}']
    acknowledge(asked, "LULD.*")
    assert asked.words(0.0) == "known of all symbols, as far as they are listed at NASDAQ"


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        (Settings(channel="T"), True),
        (Settings(channel="A"), True),
        (Settings(channel="AM"), False),
        (Settings(channel="A", feed_url="wss://delayed.massive.com/stocks"), False),
        (Settings(channel="A", delay_seconds=900.0), False),
        (Settings(channel="A", delay_seconds=1.0), True),
    ],
)
def test_it_is_asked_for_where_the_feed_can_have_it(settings: Settings, known: bool) -> None:
    assert (why_unknown(settings) == "") is known


# --- on a real connection ----------------------------------------------------------------------------------------------


def connection(answer: Any) -> Any:
    def script(client: Conversation) -> None:
        client.log_in_and_confirm()
        message = client.receive()
        assert message == {"action": "subscribe", "params": "LULD.AAPL,LULD.MSFT,LULD.BRK.B"}
        answer(client)
        client.send(aggregate(1))
        client.send(limit_band())
        client.stay()

    return script


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda client: client.send(*(status("error", "not authorized") for _ in range(3))), "the plan does not include LULD"),
        (lambda client: client.send(status("error", "not authorized")), "the plan does not include LULD"),
        (lambda client: None, "did not answer"),
        (lambda client: client.send(status("success", "subscribed to: LULD.AAPL")), "known of 1 symbols"),
    ],
    ids=["refused one by one", "refused at once", "unanswered", "granted"],
)
def test_whatever_the_feed_answers_the_ticks_go_on(answer: Any, words: str, caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedFeed(connection(answer)) as feed, Recorder(feed, halts=True, ack_seconds=1.0) as recorder:
        recorder.wait_for(lambda _: any(words in state.detail for state in recorder.states if state.kind == "halts"))
        recorder.wait_for_frames(2)
        told = [state for state in recorder.states if state.kind != "halts"]
        assert [state.kind for state in told] == ["connecting", "confirmed"]
        assert told[-1].detail == "3 of 3 subscriptions confirmed"
    assert "not authorized" not in caplog.text
