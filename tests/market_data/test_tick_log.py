"""The log's rules against a trivial model of Redis that loses connections, tails and everything."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.market_data.stand_ins import T0, status, ticks
from tickstock.contract import FeedStatus, MarketTick, decode_log_entry
from tickstock.market_data.tick_batch import Batch, LogId, LogSpan
from tickstock.market_data.tick_log import KEEP_ACKNOWLEDGED_SECONDS, TickLog

RUN = "0123456789ab"
PLENTY = 10_000_000


def filled(first: int, last: int, limit: int = PLENTY) -> TickLog:
    log = TickLog(RUN, "massive", limit)
    log.add(first, ticks(first, last))
    return log


def send(log: TickLog, now_ms: int = T0) -> Batch:
    assert log.peek() is not None
    return log.take(now_ms)


def test_what_comes_while_a_batch_is_on_its_way_leaves_together() -> None:
    log = filled(1, 1)
    first = send(log)
    log.add(2, ticks(2, 3))
    log.add(4, ticks(4, 4), status(4))
    log.acknowledge(0.0)
    second = send(log)
    assert (first.first, first.count, second.first, second.count, second.statuses) == (1, 1, 2, 3, 1)


def test_a_batch_holds_at_most_a_thousand_ticks() -> None:
    log = filled(1, 2500)
    counts = []
    while not log.is_empty:
        counts.append(send(log).count)
        log.acknowledge(0.0)
    assert counts == [1000, 1000, 500]


def test_ids_grow_even_when_the_clock_stands_or_goes_back() -> None:
    log, ids = TickLog(RUN, "massive", PLENTY), []
    for position, now in ((1, T0), (2, T0), (3, T0 - 5000)):
        log.add(position, ticks(position, position))
        ids.append(send(log, now).id)
        log.acknowledge(0.0)
    assert ids == [LogId(T0, 1), LogId(T0 + 1, 2), LogId(T0 + 2, 3)]


def test_ids_continue_after_those_of_an_earlier_run_whose_clock_was_ahead() -> None:
    log = filled(1, 1)
    log.resume(LogId(T0 + 9000, 5), False, 0.0)
    assert send(log).id == LogId(T0 + 9001, 1)


def test_a_batch_keeps_its_id_when_it_is_sent_again() -> None:
    log = filled(1, 1)
    first = send(log, T0).id
    log.resume(None, False, 0.0)
    assert send(log, T0 + 7000).id == first


def test_a_batch_gets_a_new_id_when_somebody_wrote_after_it() -> None:
    log = filled(1, 1)
    send(log, T0)
    log.resume(LogId(T0 + 50, 9), False, 0.0)
    assert send(log, T0 + 60).id == LogId(T0 + 60, 1)


def test_an_entry_that_was_refused_is_sent_again_without_its_messages() -> None:
    log = filled(1, 3)
    send(log)
    log.published_without_log()
    log.resume(None, False, 0.0)
    again = send(log)
    assert b"PUBLISH" not in again.commands(60_000)[0]


def test_a_full_buffer_drops_ticks_but_not_their_positions_and_no_status() -> None:
    log = filled(1, 200, limit=30_000)
    dropped = log.add(201, ticks(201, 400), status(400))
    assert 0 < dropped == log.dropped_ticks < 400
    while not log.is_empty:  # Redis is back: there is room again
        batch = send(log)
        log.acknowledge(0.0)
    assert batch.latest is not None
    assert batch.latest.forwarded == 400
    assert log.add(401, ticks(401, 402)) == 0
    assert send(log).first == 401


def test_what_waits_never_exceeds_the_limit_by_more_than_statuses() -> None:
    log = TickLog(RUN, "massive", 200_000)
    for first in range(1, 20_000, 100):
        log.add(first, ticks(first, first + 99))
    assert log.dropped_ticks > 0
    assert log.waiting_bytes <= 210_000


def test_acknowledged_batches_are_kept_for_a_minute() -> None:
    log = TickLog(RUN, "massive", PLENTY)
    for position, now in ((1, 0.0), (2, 10.0), (3, KEEP_ACKNOWLEDGED_SECONDS + 5)):
        log.add(position, ticks(position, position))
        send(log)
        log.acknowledge(now)
    assert [batch.first for batch in log.lost(LogSpan()).batches] == [2, 3]


def acknowledged(count: int) -> TickLog:
    """A log that sent so many batches of one tick, with the ids T0, T0 + 1, …"""
    log = TickLog(RUN, "massive", PLENTY)
    for position in range(1, count + 1):
        log.add(position, ticks(position, position))
        send(log)
        log.acknowledge(0.0)
    return log


def entry(position: int) -> LogId:
    return LogId(T0 + position - 1, position)


@pytest.mark.parametrize(
    ("first", "last", "put_back", "anew"),
    [
        (1, 5, [], False),  # nothing is missing
        (None, None, [1, 2, 3, 4, 5], True),  # emptied
        (1, 3, [4, 5], False),  # restarted with older data
        (4, 5, [1, 2, 3, 4, 5], True),  # deleted, and written to again
    ],
)
def test_what_the_log_lost_is_known(first: int | None, last: int | None, put_back: list[int], anew: bool) -> None:
    span = LogSpan(entry(first), entry(last), entry(last)) if first and last else LogSpan()
    lost = acknowledged(5).lost(span)
    assert ([batch.first for batch in lost.batches], lost.from_its_beginning) == (put_back, anew)


def test_an_older_part_of_the_log_does_not_hide_that_its_end_is_lost() -> None:
    lost = acknowledged(3).lost(LogSpan(LogId(5, 1), LogId(T0 - 50, 9), LogId(T0 - 50, 9)))
    assert ([batch.first for batch in lost.batches], lost.from_its_beginning) == ([1, 2, 3], False)


def test_what_was_trimmed_on_purpose_is_not_put_back() -> None:
    log = acknowledged(5)
    log.trimmed(entry(4))
    assert log.lost(LogSpan(entry(4), entry(5), entry(5))).batches == []
    lost = log.lost(LogSpan())
    assert ([batch.first for batch in lost.batches], lost.from_its_beginning) == ([4, 5], True)


def test_statuses_without_news_stop_filling_a_full_buffer() -> None:
    log = TickLog(RUN, "massive", 50_000)
    position = 0
    while not log.dropped_ticks:
        log.add(position + 1, ticks(position + 1, position + 100), status(position + 100))
        position += 100
    for second in range(3_600):
        log.add(position + 1, ticks(position + 1, position + 10), status(position + 10, watermark=T0 + second * 1000))
        position += 10
    log.add(position + 1, [], status(position, kind="reconnecting", watermark=T0 + 3_600_000))
    statuses = []
    while log.peek() is not None:
        batch = send(log)
        log.acknowledge(0.0)
        statuses += [line for line in batch.log.splitlines() if line.startswith("{")]
    assert len(statuses) < 150  # one a minute, beside those that came while there was room
    assert '"reconnecting"' in statuses[-1]
    assert f'"forwarded":{position},' in statuses[-1]


def test_the_last_status_can_be_repeated_before_what_waits() -> None:
    log = TickLog(RUN, "massive", PLENTY)
    assert not log.repeat_status(T0, "waiting")
    log.add(1, ticks(1, 5), status(5))
    send(log)
    log.acknowledge(0.0)
    log.add(6, ticks(6, 9))
    log.peek()
    assert log.repeat_status(T0 + 1000, "waiting")
    repeated = send(log)
    assert repeated.latest is not None
    assert (repeated.count, repeated.last, repeated.latest.forwarded, repeated.latest.detail) == (0, 5, 5, "waiting")
    log.acknowledge(0.0)
    assert send(log).first == 6


class ModelOfRedis:
    """An append-only log with increasing ids, and what one lifetime of the server published."""

    def __init__(self) -> None:
        self.entries: list[tuple[LogId, tuple[int | str, ...]]] = []
        self.published: list[int | str] = []

    def append(self, batch: Batch, publish: bool) -> None:
        content = content_of(batch)
        assert batch.id is not None
        assert not self.entries or batch.id > self.entries[-1][0], "Redis would refuse this id"
        self.entries.append((batch.id, content))
        if publish:
            self.published += content

    @property
    def highest(self) -> LogId | None:
        return self.entries[-1][0] if self.entries else None

    @property
    def span(self) -> LogSpan:
        return LogSpan(self.entries[0][0], self.highest, self.highest) if self.entries else LogSpan()


def content_of(batch: Batch) -> tuple[int | str, ...]:
    entry = decode_log_entry({name.encode(): value.encode() for name, value in batch.entry().items()})
    return tuple(
        message.timestamp - T0 if isinstance(message, MarketTick) else f"status after {message.forwarded}"
        for message in entry.messages
        if isinstance(message, MarketTick | FeedStatus)
    )


class LogAgainstModel(RuleBasedStateMachine):
    """However the connection fails: the log ends with everything in its order, and one server publishes nothing twice."""

    def __init__(self) -> None:
        super().__init__()
        self.log = TickLog(RUN, "massive", PLENTY)
        self.redis = ModelOfRedis()
        self.accepted: list[int | str] = []
        self.position = 0
        self.now_ms = T0
        self.connected = True

    @rule(count=st.integers(0, 5), with_status=st.booleans())
    def add(self, count: int, with_status: bool) -> None:
        first = self.position + 1
        self.position += count
        self.log.add(first, ticks(first, self.position), status(self.position) if with_status else None)
        self.accepted += range(first, self.position + 1)
        if with_status:
            self.accepted.append(f"status after {self.position}")

    @rule(step=st.integers(-5, 5))
    def clock_moves(self, step: int) -> None:
        self.now_ms += step

    @rule(outcome=st.sampled_from(["acknowledged", "lost before", "lost after", "lost after", "entry refused"]))
    def send(self, outcome: str) -> None:
        if not self.connected:
            self.reconnect(refilled=True)
        if self.log.peek() is None:
            return
        batch = self.log.take(self.now_ms)
        if outcome in ("acknowledged", "lost after"):
            self.redis.append(batch, publish=not batch.published)
        if outcome == "acknowledged":
            self.log.acknowledge(0.0)
        else:
            self.connected = False
        if outcome == "entry refused":
            if not batch.published:
                self.redis.published += content_of(batch)
            self.log.published_without_log()

    @precondition(lambda self: self.redis.entries)
    @rule(lost=st.integers(0, 5))
    def server_restarts_without_its_tail(self, lost: int) -> None:
        self.connected = False
        if lost:
            del self.redis.entries[-lost:]
        self.redis.published = []

    @precondition(lambda self: self.redis.entries)
    @rule()
    def server_restarts_empty(self) -> None:
        self.connected = False
        self.redis = ModelOfRedis()

    @precondition(lambda self: not self.connected)
    @rule()
    def connection_breaks_again_in_the_middle_of_the_refill(self) -> None:
        self.reconnect(refilled=False)

    def reconnect(self, refilled: bool) -> None:
        uncertain = self.log.uncertain_id
        is_logged = any(entry == uncertain for entry, _ in self.redis.entries)
        self.log.resume(self.redis.highest, is_logged, 0.0)
        self.put_back(refilled)
        self.connected = refilled

    def put_back(self, to_its_end: bool = True) -> None:
        lost = self.log.lost(self.redis.span)
        if lost.from_its_beginning and to_its_end:
            self.redis.entries = []
        if to_its_end or not lost.from_its_beginning:
            for batch in lost.batches if to_its_end else lost.batches[: len(lost.batches) // 2]:
                self.redis.append(batch, publish=False)

    @precondition(lambda self: self.connected)
    @rule()
    def the_log_is_deleted_while_connected(self) -> None:
        self.redis.entries = []

    @precondition(lambda self: self.connected)
    @rule()
    def it_looks_whether_the_log_is_whole(self) -> None:
        self.put_back()
        assert not self.log.lost(self.redis.span).batches

    @invariant()
    def nothing_is_published_twice_or_out_of_order(self) -> None:
        numbers = [each for each in self.redis.published if isinstance(each, int)]
        assert numbers == sorted(set(numbers))

    def teardown(self) -> None:
        if not self.connected:
            self.reconnect(refilled=True)
        while self.log.peek() is not None:
            batch = self.log.take(self.now_ms)
            self.redis.append(batch, publish=not batch.published)
            self.log.acknowledge(0.0)
        self.put_back()
        self.nothing_is_published_twice_or_out_of_order()
        assert [each for _, content in self.redis.entries for each in content] == self.accepted
        assert self.log.waiting_ticks == 0


TestLogAgainstModel = LogAgainstModel.TestCase
TestLogAgainstModel.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
