from __future__ import annotations

import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from tickstock.feed.massive_events import StatusEvent
from tickstock.feed.massive_session import MassiveSession

ACK_SECONDS = 15.0


def session(*symbols: str) -> MassiveSession:
    """One that has logged in and asked for its symbols at moment 0."""
    made = MassiveSession("key", "A", symbols, ACK_SECONDS, 0.0)
    made.answer(StatusEvent("auth_success"), 0.0)
    return made


def confirmed(*symbols: str) -> MassiveSession:
    made = session(*symbols)
    for symbol in symbols:
        acknowledge(made, "subscribed", symbol)
    assert made.settled
    made.take_news()
    return made


def acknowledge(of: MassiveSession, what: str, symbol: str, now: float = 1.0) -> list[tuple[str, str]]:
    return requests(of.answer(StatusEvent("success", f"{what} to: A.{symbol}"), now))


def requests(messages: Iterable[bytes]) -> list[tuple[str, str]]:
    decoded = map(json.loads, messages)
    return [(each["action"], each["params"]) for each in decoded]


def test_an_edit_asks_for_what_is_new_and_against_what_is_gone_and_for_nothing_else() -> None:
    feed = confirmed("AAPL", "MSFT")
    assert requests(feed.watch(("MSFT", "NVDA"), 5.0)) == [("unsubscribe", "A.AAPL"), ("subscribe", "A.NVDA")]
    assert not feed.settled and feed.detail == "1 of 2 subscriptions confirmed; missing: A.NVDA"
    acknowledge(feed, "unsubscribed", "AAPL")
    acknowledge(feed, "subscribed", "NVDA")
    assert feed.settled and feed.has_news
    assert feed.take_news() == ("NVDA",)
    assert feed.detail == "2 of 2 subscriptions confirmed"


def test_a_long_edit_is_asked_for_in_chunks() -> None:
    feed = confirmed("AAPL")
    asked = requests(feed.watch(("AAPL", *(f"S{n}" for n in range(450))), 5.0))
    assert [(action, len(params.split(","))) for action, params in asked] == [
        ("subscribe", 200),
        ("subscribe", 200),
        ("subscribe", 50),
    ]


def test_an_edit_before_the_login_changes_only_what_is_asked_for() -> None:
    feed = MassiveSession("key", "A", ("AAPL",), ACK_SECONDS, 0.0)
    assert feed.watch(("MSFT",), 0.1) == []
    assert requests(feed.answer(StatusEvent("auth_success"), 0.2)) == [("subscribe", "A.MSFT")]


def test_an_unsubscription_that_is_taken_back_under_way_is_followed_by_a_subscription() -> None:
    feed = confirmed("AAPL", "MSFT")
    feed.watch(("MSFT",), 5.0)
    assert feed.watch(("MSFT", "AAPL"), 5.1) == []
    assert acknowledge(feed, "unsubscribed", "AAPL") == [("subscribe", "A.AAPL")]
    assert feed.confirmed == 1 and not feed.settled
    acknowledge(feed, "subscribed", "AAPL")
    assert feed.confirmed == 2 and feed.settled
    assert feed.take_news() == ("AAPL",)  # it was away, if only for a moment


def test_a_subscription_that_is_taken_back_under_way_is_followed_by_an_unsubscription() -> None:
    feed = confirmed("AAPL")
    feed.watch(("AAPL", "MSFT"), 5.0)
    assert feed.watch(("AAPL",), 5.1) == []
    assert acknowledge(feed, "subscribed", "MSFT") == [("unsubscribe", "A.MSFT")]
    assert feed.take_news() == () and feed.detail == "1 of 1 subscriptions confirmed"


def test_what_is_not_acknowledged_in_time_is_named_and_counts_when_it_comes() -> None:
    feed = confirmed("AAPL")
    feed.watch(("AAPL", "XYZ"), 5.0)
    feed.take_news()
    feed.check_time(5.0 + ACK_SECONDS)
    assert feed.settled and feed.has_news and feed.detail == "1 of 2 subscriptions confirmed; missing: A.XYZ"
    assert feed.take_news() == ()
    acknowledge(feed, "subscribed", "XYZ", 40.0)
    assert feed.take_news() == ("XYZ",) and feed.detail == "2 of 2 subscriptions confirmed"


def test_an_unsubscription_without_an_answer_does_not_keep_its_symbol_away() -> None:
    feed = confirmed("AAPL", "MSFT")
    feed.watch(("MSFT",), 5.0)
    feed.watch(("MSFT", "AAPL"), 6.0)
    assert requests(feed.check_time(5.0 + ACK_SECONDS)) == [("subscribe", "A.AAPL")]


class Server:
    """What the feed does with requests: it answers in order, and does not answer what changes nothing."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.answers: list[str] = []

    def take(self, messages: Iterable[bytes]) -> None:
        for action, params in requests(messages):
            for channel in params.split(","):
                if (action == "subscribe") != (channel in self.held):
                    self.held ^= {channel}
                    self.answers.append(f"{action}d to: {channel}")


@given(st.lists(st.one_of(st.sets(st.sampled_from("ABCDE")), st.integers(1, 4)), max_size=40))
def test_whatever_is_edited_while_answers_are_under_way_the_feed_ends_up_with_what_is_wanted(steps: list[set[str] | int]) -> None:
    feed, server = MassiveSession("key", "A", ("A",), ACK_SECONDS, 0.0), Server()
    server.take(feed.answer(StatusEvent("auth_success"), 0.0))
    wanted = {"A"}

    def answer(count: int) -> None:
        for _ in range(min(count, len(server.answers))):
            server.take(feed.answer(StatusEvent("success", server.answers.pop(0)), 1.0))

    for step in steps:
        if isinstance(step, int):
            answer(step)
        else:
            wanted = step
            server.take(feed.watch(sorted(step), 1.0))
    while server.answers:
        answer(1)
    assert server.held == {f"A.{symbol}" for symbol in wanted}
    assert feed.confirmed == feed.requested == len(wanted)
    assert feed.settled
