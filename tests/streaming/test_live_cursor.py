"""The count of what arrives live against what the log holds: never in step with a wrong count."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.streaming.market import T0
from tickstock.contract import FeedStatus
from tickstock.streaming.live_cursor import LiveCursor, Verdict


def status(run: str, forwarded: int) -> FeedStatus:
    return FeedStatus("live", "simulated", T0, T0, T0, run, forwarded, "")


class CursorAgainstModel(RuleBasedStateMachine):
    """A channel that loses, repeats and mixes in messages; `processed` is what a consumer that trusts the cursor has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor = LiveCursor()
        self.run_number = 1
        self.sent = 0  # position of the publisher
        self.in_flight: list[int] = []  # positions on the channel that the cursor has not seen; 0 is a foreign message
        self.processed: list[int] = []  # since the last return to the log, which gives 1 to its end
        self.trusted: list[int] = []

    @property
    def run_name(self) -> str:
        return f"run{self.run_number}"

    @rule(count=st.integers(1, 5))
    def publish(self, count: int) -> None:
        self.in_flight += range(self.sent + 1, self.sent + count + 1)
        self.sent += count

    @rule(at=st.integers(0, 3))
    def lose_a_message(self, at: int) -> None:
        if at < len(self.in_flight):
            del self.in_flight[at]

    @rule(at=st.integers(0, 3))
    def repeat_a_message(self, at: int) -> None:
        if at < len(self.in_flight):
            self.in_flight.insert(at, self.in_flight[at])

    @rule()
    def somebody_else_publishes(self) -> None:
        self.in_flight.append(0)

    @rule()
    def the_app_restarts(self) -> None:
        self.run_number += 1
        self.sent = 0

    @rule()
    def the_subscription_breaks(self) -> None:
        self.in_flight.clear()
        self.cursor.cut()

    @rule(count=st.integers(0, 7))
    def messages_arrive(self, count: int) -> None:
        arriving, self.in_flight = self.in_flight[:count], self.in_flight[count:]
        known = self.cursor.ticks(len(arriving))
        assert 0 <= known <= len(arriving)
        if not self.cursor.in_step:
            assert known == len(arriving)
        self.processed += arriving[known:]

    @rule(ahead=st.integers(0, 4))
    def a_status_arrives(self, ahead: int) -> None:
        """It stands behind all that was sent; the log may already hold `ahead` more by the time it is read."""
        self.messages_arrive(len(self.in_flight))
        said = status(self.run_name, self.sent)
        verdict = self.cursor.status(said)
        if verdict is Verdict.RETURN:
            assert not self.cursor.in_step
            self.in_flight += range(self.sent + 1, self.sent + ahead + 1)
            self.sent += ahead
            assert self.cursor.returned(said, self.run_name, self.sent)
            self.processed = list(range(1, self.sent + 1))
            self.trusted = []
        elif verdict is Verdict.FOLLOW:
            self.trusted = list(self.processed)

    @invariant()
    def what_is_trusted_is_complete_in_number(self) -> None:
        # A loss that a repeated or foreign message makes up for cannot be seen by counting: the contract's limit.
        if self.trusted and self.cursor.in_step:
            assert len(self.trusted) == self.trusted[-1] or 0 in self.trusted or len(set(self.trusted)) < len(self.trusted)


TestCursor = CursorAgainstModel.TestCase
TestCursor.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def in_step_at(position: int, known_until: int | None = None) -> LiveCursor:
    cursor = LiveCursor()
    assert cursor.status(status("run1", position)) is Verdict.RETURN
    assert cursor.returned(status("run1", position), "run1", known_until or position)
    return cursor


def test_a_status_that_agrees_with_the_count_is_followed() -> None:
    cursor = in_step_at(10)
    assert cursor.ticks(5) == 0
    assert cursor.status(status("run1", 15)) is Verdict.FOLLOW


def test_one_message_less_or_more_sends_back_to_the_log() -> None:
    for count in (4, 6):
        cursor = in_step_at(10)
        cursor.ticks(count)
        assert cursor.status(status("run1", 15)) is Verdict.RETURN
        assert cursor.ticks(3) == 3  # nothing is processed until the log was read


def test_what_the_log_brought_already_is_not_processed_again() -> None:
    cursor = in_step_at(10, known_until=17)
    assert cursor.ticks(4) == 4
    assert cursor.status(status("run1", 14)) is Verdict.KNOWN
    assert cursor.ticks(5) == 3
    assert cursor.status(status("run1", 19)) is Verdict.FOLLOW


def test_a_new_run_and_a_cut_send_back_to_the_log() -> None:
    assert in_step_at(10).status(status("run2", 10)) is Verdict.RETURN
    cursor = in_step_at(10)
    cursor.cut()
    assert cursor.status(status("run1", 10)) is Verdict.RETURN


def test_a_log_that_does_not_reach_the_status_does_not_bring_back_in_step() -> None:
    cursor = LiveCursor()
    assert not cursor.returned(status("run1", 10), "run1", 9)
    assert not cursor.returned(status("run1", 10), "run0", 90)
    assert cursor.status(status("run1", 10)) is Verdict.RETURN
