"""RedisEventSubscriber against a real Redis: what is lost on the way comes from the results' log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.servers import RedisServer
from tests.web.services import Streaming, a_pattern, an_alert, an_indicator, wait_until
from tickstock import contract
from tickstock.contract import IndicatorAlert, StreamingHealth, StreamingIndicator, StreamingPattern
from tickstock.web.redis_event_subscriber import CHANNELS, RedisEventSubscriber


class Heard:
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.signals: list[StreamingPattern | IndicatorAlert] = []
        self.indicators: list[StreamingIndicator] = []
        self.reports: list[StreamingHealth] = []
        self.stored = 0
        self.away: list[int | None] = []  # since when, each time that it changed

    def signal(self, signal: StreamingPattern | IndicatorAlert) -> bool:
        self.signals.append(signal)
        return True

    def indicator(self, indicator: StreamingIndicator) -> None:
        self.indicators.append(indicator)

    def health_report(self, report: StreamingHealth, received: int | None = None) -> bool:
        self.reports.append(report)
        return len(self.reports) == 1

    def on_stored(self) -> None:
        self.stored += 1

    def redis_away(self, since: int | None) -> None:
        if not self.away or since is None or self.away[-1] is None:
            self.away.append(since)

    def has(self, symbol: str) -> Callable[[], bool]:
        return lambda: symbol in {signal.symbol for signal in self.signals}


@contextmanager
def listening(redis: RedisServer) -> Iterator[tuple[Heard, RedisEventSubscriber]]:
    heard = Heard()
    subscriber = RedisEventSubscriber(redis.url, heard, heard.on_stored)
    thread = threading.Thread(target=subscriber.run)
    thread.start()
    try:
        wait_until(lambda: subscriber.connected_since, "subscribed")
        yield heard, subscriber
    finally:
        subscriber.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_results_reach_the_listener(redis_server: RedisServer) -> None:
    streaming = Streaming(redis_server)
    with listening(redis_server) as (heard, _):
        streaming.health()
        streaming.minute(patterns=[a_pattern()], alerts=[an_alert()], indicators=[an_indicator()])
        wait_until(lambda: heard.indicators and heard.reports, "all kinds of messages")
        assert {type(signal) for signal in heard.signals} == {StreamingPattern, IndicatorAlert}
        assert heard.stored == 2  # at the subscribe, and for PL's new session
    streaming.close()


def test_it_subscribes_to_results_and_nothing_else(redis_server: RedisServer) -> None:
    with listening(redis_server), redis_server.client() as client:
        assert {name.decode() for name in client.pubsub_channels()} == set(CHANNELS)


def test_what_was_published_before_the_start_comes_from_the_log(redis_server: RedisServer) -> None:
    streaming = Streaming(redis_server)
    for number in range(120):  # more than one page
        streaming.minute(patterns=[a_pattern(f"S{number}")], indicators=[an_indicator()], publish=False)
    streaming.health()
    with listening(redis_server) as (heard, _):
        assert [signal.symbol for signal in heard.signals] == [f"S{number}" for number in range(120)]
        assert len(heard.reports) == 1
    streaming.close()


def test_malformed_messages_are_counted_and_dropped(redis_server: RedisServer) -> None:
    good = contract.encode(a_pattern("GOOD"))
    bad = [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"type":"streaming_pattern"}', good.replace(b"257.01", b'"x"'),
           good.replace(b"streaming_pattern", b"indicator_alert"), b"9" * 5000]  # fmt: skip
    with listening(redis_server) as (heard, subscriber), redis_server.client() as client:
        client.xadd(contract.RESULTS_LOG_KEY, {"something": "else"})
        for message in (*bad, good):
            for channel in CHANNELS:
                client.publish(channel, message)
        wait_until(heard.has("GOOD"), "the good message")
        wait_until(lambda: subscriber.rejections.total >= 4 * len(bad) + 3, "the bad ones are counted")
        assert len(heard.signals) == 1


def test_a_cut_connection_loses_nothing(redis_server: RedisServer) -> None:
    streaming = Streaming(redis_server)
    with listening(redis_server) as (heard, subscriber):
        streaming.minute(patterns=[a_pattern("BEFORE")])
        wait_until(heard.has("BEFORE"), "the first")
        streaming.client.client_kill_filter(_type="pubsub")
        streaming.minute(patterns=[a_pattern("MEANWHILE")], publish=False)
        wait_until(heard.has("MEANWHILE"), "what was missed, from the log")
        assert subscriber.reconnects == 1
    streaming.close()


def test_a_redis_that_was_killed_and_comes_back_empty_is_followed_again(mortal_redis: RedisServer) -> None:
    streaming = Streaming(mortal_redis)
    with listening(mortal_redis) as (heard, subscriber):
        for number in range(3):
            streaming.minute(patterns=[a_pattern(f"S{number}")])
        wait_until(heard.has("S2"), "the first")
        mortal_redis.kill()
        wait_until(lambda: subscriber.connected_since is None, "the loss is noticed")
        mortal_redis.start()
        again = Streaming(mortal_redis)
        again.client.xadd(
            contract.RESULTS_LOG_KEY,
            {contract.RESULTS_LOG_FIELD: contract.encode(contract.ResultsEntry("run", 9, 0, [a_pattern("AFTER")], [], []))},
            id="5-1",  # a new log, whose ids are lower than those of the old one
        )
        wait_until(lambda: subscriber.connected_since, "subscribed again")
        wait_until(heard.has("AFTER"), "what the new log holds")
        again.close()
    streaming.close()


def test_a_redis_that_stands_still_and_goes_on_is_no_loss(mortal_redis: RedisServer) -> None:
    streaming = Streaming(mortal_redis)
    with listening(mortal_redis) as (heard, _):
        mortal_redis.pause()
        threading.Timer(1.0, mortal_redis.resume).start()
        streaming.minute(patterns=[a_pattern("LATE")])
        wait_until(heard.has("LATE"), "the message after the pause")
    streaming.close()


def test_a_redis_that_does_not_answer_is_known_before_tickstockpl_counts_as_silent(mortal_redis: RedisServer) -> None:
    with listening(mortal_redis) as (heard, subscriber):
        assert heard.away == [None]
        mortal_redis.pause()
        paused = time.monotonic()
        wait_until(lambda: heard.away[-1], "Redis is known to be away")
        assert time.monotonic() - paused < 10
        since = heard.away[-1]
        assert since is not None
        assert abs(since - (time.time() - (time.monotonic() - paused)) * 1000) < 3_000
        mortal_redis.resume()
        wait_until(lambda: heard.away[-1] is None, "and to be back")
        assert subscriber.away_since is None
