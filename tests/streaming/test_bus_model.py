"""The whole bus against a trivial model: the app's log, a real Redis, the reader and the follower, with faults everywhere.

The model is the list of what the app said, in order. Whatever is dropped, doubled or mixed in on the channel, cut, trimmed,
emptied or restarted: the minutes that TickStockPL closes are the model's, each once, and a minute of which something is
nowhere to be found is known to be incomplete.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import UNSET

from tests.servers import RedisServer
from tests.streaming.market import T0
from tickstock.contract import STATUS_CHANNEL, TICKS_CHANNEL, TICKS_LOG_KEY, FeedStatus, MarketTick, encode
from tickstock.logs import Rejections
from tickstock.market_data.redis_link import RedisLink
from tickstock.market_data.redis_log import LeaseLapsed, RedisLog
from tickstock.market_data.tick_log import TickLog
from tickstock.market_hours import MINUTE_MS
from tickstock.streaming import log_reader
from tickstock.streaming.bar_builder import BarBuilder
from tickstock.streaming.health import Figures
from tickstock.streaming.log_follower import LogFollower, Position
from tickstock.streaming.log_reader import LogReader, Lost
from tickstock.streaming.result_publisher import redis_client
from tickstock.streaming.tick_subscriber import Cut

HOLD_MS = 1_000
UNKNOWN_MS = 5_000
SYMBOLS = ("A", "B")
Bars = dict[str, list[float]]


class Said(NamedTuple):
    """A message of the app."""

    run: str
    tick: MarketTick | None
    status: FeedStatus | None


class Closed(NamedTuple):
    """A minute that was closed; `whole` when TickStockPL takes its bars from ticks."""

    bars: Bars
    whole: bool


def minute_of(timestamp: int) -> int:
    return timestamp - timestamp % MINUTE_MS


def expected_minutes(said: list[Said]) -> dict[int, Bars]:
    """Each minute by the ticks that came before the first status that had passed its end."""
    open_ticks: dict[int, list[MarketTick]] = {}
    closed: dict[int, Bars] = {}
    until = 0
    for each in said:
        if each.tick is not None:
            if minute_of(each.tick.timestamp) >= until:
                open_ticks.setdefault(minute_of(each.tick.timestamp), []).append(each.tick)
        elif each.status is not None and minute_of(each.status.watermark) > until:
            until = minute_of(each.status.watermark)
            for start in sorted(start for start in open_ticks if start < until):
                closed[start] = bars_of(open_ticks.pop(start))
    return closed


def bars_of(ticks: list[MarketTick]) -> Bars:
    bars: Bars = {}
    for symbol in {tick.symbol for tick in ticks}:
        own = sorted((tick for tick in ticks if tick.symbol == symbol), key=lambda tick: tick.timestamp)
        prices = [tick.price for tick in own]
        volume = sum(tick.volume for tick in own)
        bars[symbol] = [
            prices[0], max(prices), min(prices), prices[-1], volume, len(own), own[0].timestamp, own[-1].timestamp,
        ]  # fmt: skip
    return bars


class Sink:
    """Closes minutes, commits each with its position, and knows which ones are not to be trusted, by the closer's rules."""

    def __init__(self) -> None:
        self.builder = BarBuilder()
        self.committed: Position | None = None
        self.closed: dict[int, Closed] = {}
        self.gaps: set[int] = set()
        self.told: list[tuple[str, int, int]] = []  # run and position of what told of a gap, and its last minute
        self.unknown = False
        self.hole: tuple[str, int] | None = None
        self.lost_ticks = 0
        self.begins_at = 0

    def base(self) -> Position | None:
        return self.committed

    def returning(self) -> None:
        pass

    def begin_inside_run(self) -> None:
        self.unknown = True

    def lost(self, lost: Lost) -> None:
        self.unknown = True
        self.hole = self.hole or (lost.run, lost.first)
        self.lost_ticks += lost.last - lost.first + 1

    def taken(self, run: str, position: int) -> None:
        pass

    def status(self, status: FeedStatus, live: bool) -> None:
        builder = self.builder
        if not builder.complete_until:
            if status.gap is UNSET:
                if not status.watermark:
                    return
                builder.restart(minute_of(status.watermark), status.run)
            else:
                builder.restart(minute_of(status.gap[0]), status.run)
            self.begins_at = builder.complete_until  # a first start: nothing before it is ours
        if status.gap is not UNSET:
            self._mark(min(status.gap[0], builder.complete_until), status.gap[1], status.run, status.forwarded)
        if self.unknown and status.watermark >= builder.complete_until:
            run, position = self.hole or (status.run, 1)
            self.unknown, self.hole = False, None
            self._mark(builder.complete_until, status.watermark + UNKNOWN_MS, run, position)
        for ended in builder.advance(status.watermark, status.run, status.forwarded):
            assert ended.start not in self.closed, "a minute was closed twice"
            assert not self.closed or ended.start > max(self.closed), "minutes were closed out of order"
            self.closed[ended.start] = Closed(ended.bars, ended.start not in self.gaps)
            until = ended.start + MINUTE_MS
            again = [position for run, position, last in self.told if run == ended.run and last >= until]
            self.committed = Position(ended.run, ended.position, until, min([ended.replay_from, *again]))

    def _mark(self, begun: int, ended: int, run: str, position: int) -> None:
        self.told.append((run, position, minute_of(ended - 1)))
        self.gaps |= set(range(max(minute_of(begun), self.builder.complete_until), ended, MINUTE_MS))


class Bus(RuleBasedStateMachine):
    """Rules are what can happen to the app, to Redis, to the channel and to TickStockPL."""

    server: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.client = redis_client(self.server.url)
        self.client.flushall()
        self.channel = self.client.pubsub()
        self.channel.subscribe(TICKS_CHANNEL, STATUS_CHANNEL)
        for _ in range(2):
            self.channel.get_message(timeout=5)
        self.link = RedisLink(self.server.url)
        self.redis_log = RedisLog(self.link)
        self.now = T0 + 7_000  # of the market, ms
        self.runs = 0
        self.said: list[Said] = []
        self.stored: dict[tuple[str, int], tuple[MarketTick, bool]] = {}
        self.may_lack_something = False
        self.sink = Sink()
        self._start_streaming()

    @initialize()
    def the_app_starts(self) -> None:
        self._start_run()

    # --- the app ---

    def _start_run(self) -> None:
        self.runs += 1
        self.run_name = f"run{self.runs}"
        self.app = TickLog(self.run_name, "simulated", 10_000_000, batch_ticks=7)
        self.client.delete("tickstock:market:publisher")
        assert self.redis_log.claim(self.run_name) == self.run_name
        previous = self.redis_log.last_status()
        self.app.resume(self.redis_log.span().highest, False, 0.0)
        self.position = 0
        self.watermark = previous.watermark if previous else 0
        self._say("connecting")
        begun = self.watermark or minute_of(self.now)
        self._say("live", (begun, self.now))

    def _say(self, kind: str = "live", gap: tuple[int, int] | Any = UNSET) -> None:
        if kind == "live":
            self.watermark = max(self.watermark, self.now - HOLD_MS)
        status = FeedStatus(kind, "simulated", T0, self.now, self.watermark, self.run_name, self.position, "", gap)
        self.said.append(Said(self.run_name, None, status))
        self.app.add(self.position + 1, [], status)
        self._send()

    def _send(self) -> None:
        while self.app.peek() is not None:
            batch = self.app.take(self.now)
            try:
                self.redis_log.send(batch, False)
                self.app.acknowledge(0.0)
            except LeaseLapsed:
                self._look(again=True)

    def _look(self, *, again: bool = False) -> None:
        """What the forwarder does every 1.5 s, and when the lease lapsed."""
        assert self.redis_log.claim(self.run_name) == self.run_name
        span = self.redis_log.span()
        if again:
            self.app.resume(span.highest, False, 0.0)
        lost = self.app.lost(span)
        if lost.from_its_beginning:
            self.redis_log.make_again(lost.batches)
        else:
            self.redis_log.append_again(lost.batches)

    @rule(
        ticks=st.lists(st.tuples(st.sampled_from(SYMBOLS), st.integers(-900, 0), st.integers(1, 40)), min_size=1, max_size=12),
        late=st.booleans(),
        kept=st.sampled_from(["all", "all", "all", "none", "every other"]),
    )
    def ticks_come(self, ticks: list[tuple[str, int, int]], late: bool, kept: str) -> None:
        made = []
        for number, (symbol, behind, cents) in enumerate(ticks):
            at = self.now + behind - (70_000 if late and number == 0 else 0)
            made.append(MarketTick(symbol, 10 + cents / 100, cents, at, "simulated"))
        first = self.position + 1
        for tick in made:
            self.position += 1
            is_late = minute_of(tick.timestamp) + MINUTE_MS <= self.watermark
            if kept == "all" or (kept == "every other" and self.position % 2):
                self.stored[self.run_name, self.position] = (tick, is_late)
            self.said.append(Said(self.run_name, tick, None))
        self.app.add(first, made)
        self._send()

    @rule(seconds=st.sampled_from([1, 5, 20, 61]))
    def time_goes_on(self, seconds: int) -> None:
        self.now += seconds * 1000
        self._say()

    @rule()
    def the_app_looks_whether_the_log_is_whole(self) -> None:
        self._look()

    @rule(feed_was_away=st.sampled_from([1_000, 30_000, 100_000]))
    def the_app_is_killed_and_starts_again(self, feed_was_away: int) -> None:
        self.now += feed_was_away
        self._start_run()

    @rule(feed_was_away=st.sampled_from([100, 40_000, 100_000]))
    def the_feed_breaks(self, feed_was_away: int) -> None:
        begun = self.watermark
        self._say("reconnecting")
        self.now += feed_was_away
        self._say("live", (begun, self.now))

    # --- Redis ---

    @rule()
    def redis_is_emptied(self) -> None:
        self.client.flushall()
        self.may_lack_something = True  # of earlier runs, and of what only they remembered

    @rule(entries=st.integers(1, 12))
    def the_log_is_trimmed(self, entries: int) -> None:
        if self.sink.committed is None:
            return  # a log that is trimmed before a first tick, and before TickStockPL's very first start, looks like a beginning
        self._look()
        self.client.xtrim(TICKS_LOG_KEY, maxlen=entries, approximate=False)
        self.app.trimmed(self.redis_log.span().first)
        self.may_lack_something = True

    # --- the channel ---

    def _arrived(self) -> list[tuple[bool, bytes]]:
        """What the channel brought: (whether it is a status, payload)."""
        found = []
        self.client.publish(TICKS_CHANNEL, b"the end of what is there")
        while True:
            message: Any = self.channel.get_message(ignore_subscribe_messages=True, timeout=5)
            if message is None or message["data"] == b"the end of what is there":
                return found
            found.append((message["channel"] == STATUS_CHANNEL.encode(), message["data"]))

    @rule(
        fault=st.sampled_from(["none", "none", "less", "more", "cut"]),
        where=st.lists(st.integers(0, 60), min_size=1, max_size=3),
        extra=st.sampled_from([b"{", b"\xff", b"own", encode(MarketTick("A", 999.0, 1, T0 + 10**7, "simulated"))]),
        strange_status=st.booleans(),
    )
    def messages_arrive(self, fault: str, where: list[int], extra: bytes, strange_status: bool) -> None:
        """A loss that something foreign makes up for cannot be seen by counting: so there is one kind of fault at a time."""
        self.steady += 1
        self._say()
        messages = self._arrived()
        *before, last = messages
        for at in where if fault in ("less", "more") else ():
            if fault == "less" and at < len(before):
                del before[at]
            elif fault == "more":
                own = next((each for each in before if not each[0]), None)
                before.insert(min(at, len(before)), own if extra == b"own" and own else (False, extra))
        if strange_status:
            stranger = FeedStatus("live", "simulated", T0, T0, self.now + 10**7, "somebody", 3, "")
            before.insert(min(where[0], len(before)), (True, encode(stranger)))
        if fault == "cut":
            del before[min(where[0], len(before)) :]
            self._hand_over(before)
            self.follower.arrival(Cut())
            before = []
        self._hand_over([*before, last])

    def _hand_over(self, messages: list[tuple[bool, bytes]]) -> None:
        waiting: list[bytes] = []
        for is_status, payload in messages:
            if not is_status:
                waiting.append(payload)
                continue
            if waiting:
                self.follower.arrival(waiting)
                waiting = []
            self.follower.arrival(payload)
        if waiting:
            self.follower.arrival(waiting)

    # --- TickStockPL ---

    def _start_streaming(self) -> None:
        self.steady = 0.0
        self.sink.builder = BarBuilder()
        self.sink.unknown, self.sink.hole, self.sink.told = False, None, []
        committed = self.sink.committed
        if committed is not None:
            self.sink.builder.restart(committed.complete_until, committed.run)
            self.sink.gaps = {minute for minute in self.sink.gaps if minute < committed.complete_until}
        rejections = Rejections(logging.getLogger("test"), "TEST")
        reader = LogReader(self.client, self._stored, rejections, self._sleep)
        self.follower = LogFollower(
            reader, self.sink.builder, self.sink, Figures(), rejections, lambda: self.steady, self._sleep
        )  # fmt: skip

    def _sleep(self, seconds: float) -> None:
        self.steady += seconds
        self._look()  # the app is alive, and looks more often than anybody waits

    def _stored(self, run: str, first: int, last: int) -> list[tuple[int, MarketTick, bool]]:
        found = sorted(position for of, position in self.stored if of == run and first <= position <= last)
        return [(position, *self.stored[run, position]) for position in found]

    @rule()
    def streaming_is_killed_and_starts_again(self) -> None:
        self._arrived()
        self._start_streaming()

    # --- what must hold ---

    @invariant()
    def what_was_closed_from_ticks_is_what_the_app_said(self) -> None:
        expected = expected_minutes(self.said)
        for start, minute in self.sink.closed.items():
            if minute.whole:
                found = {symbol: list(bar) for symbol, bar in minute.bars.items()}
                assert found == expected.get(start, {}), (start - T0) // MINUTE_MS

    def teardown(self) -> None:
        try:
            if self.runs:
                self.now += 2 * MINUTE_MS
                self.messages_arrive("none", [0], b"", False)
                self.messages_arrive("none", [0], b"", False)
                self.what_was_closed_from_ticks_is_what_the_app_said()
                ours = {start for start in expected_minutes(self.said) if start >= self.sink.begins_at}
                assert not ours - self.sink.closed.keys() - self.sink.gaps, "minutes were not closed"
                if not self.may_lack_something:
                    assert not self.sink.lost_ticks
        finally:
            self.channel.close()
            self.client.close()
            self.link.__exit__(None, None, None)


def test_whatever_happens_to_the_bus_the_minutes_are_the_models(
    shared_redis: RedisServer, thorough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "STORE_WAIT_SECONDS", 0.0)

    class OnThisServer(Bus):
        server = shared_redis

    case = OnThisServer.TestCase
    case.settings = settings(
        max_examples=1_000 if thorough else 30, stateful_step_count=30, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    case("runTest").debug()
