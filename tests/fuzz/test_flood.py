"""Ten thousand rubbish messages a second on every channel: ticks go on, nothing is lost, and both sides say what they dropped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fuzz.inputs import Inputs
from tests.fuzz.redis_messages import STATUS, TICK
from tests.servers import RedisServer
from tests.streaming.market import T0, Publisher, TinyRest, eventually, in_batches, synthetic_day
from tests.streaming.process import StreamingProcess, rows_of, tables, wait_for_minute, wait_until_warm
from tests.streaming.test_whole_process import assert_same, undisturbed
from tests.web.services import a_pattern, a_report, an_alert, an_indicator
from tickstock.contract import (
    ALERTS_CHANNEL,
    HEALTH_CHANNEL,
    HEALTH_LATEST_KEY,
    INDICATORS_CHANNEL,
    PATTERNS_CHANNEL,
    PUBLISHER_LEASE_KEY,
    STATUS_CHANNEL,
    TICKS_CHANNEL,
    StreamingHealth,
    StreamingIndicator,
    encode,
)
from tickstock.database.migrate import migrate
from tickstock.market_hours import MINUTE_MS
from tickstock.web.event_log import Signal
from tickstock.web.redis_event_subscriber import RedisEventSubscriber

MINUTES = 30
SECONDS = 3.0  # of flood
PER_SECOND = 10_000
STEP = 0.05


class Flood:
    """Publishes rubbish at a steady rate from a thread of its own."""

    def __init__(self, server: RedisServer, rubbish: Sequence[tuple[str, bytes]], per_second: int = PER_SECOND) -> None:
        self.published = 0
        self._server = server
        self._rubbish = rubbish
        self._per_step = int(per_second * STEP)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        begun, at = time.monotonic(), 0
        with self._server.client() as client:
            while not self._stopped.is_set():
                pipeline = client.pipeline(transaction=False)
                for _ in range(self._per_step):
                    pipeline.publish(*self._rubbish[at % len(self._rubbish)])
                    at += 1
                pipeline.execute()
                self.published = at
                self._stopped.wait(max(0.0, begun + at / self._per_step * STEP - time.monotonic()))

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the block runs."""
        self._thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            self._thread.join(10)


def rubbish(channel: str, examples: Sequence[bytes], count: int) -> list[tuple[str, bytes]]:
    inputs = Inputs(channel, examples)
    return [(channel, data) for data in (inputs.next() for _ in range(count)) if len(data) < 5_000]


def foreign_statuses(count: int) -> list[tuple[str, bytes]]:
    """Statuses without a fault, each of a run that nobody knows."""
    text = encode(STATUS).decode()
    return [(STATUS_CHANNEL, text.replace("5f3c", f"foreign{number}").encode()) for number in range(count)]


@pytest.fixture
def rest() -> Iterator[TinyRest]:
    with TinyRest() as found:
        yield found


def test_ticks_go_on_under_a_flood_and_the_tables_equal_those_of_a_quiet_day(
    redis_server: RedisServer, tmp_path: Path, rest: TinyRest
) -> None:
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    day = synthetic_day(21, 10, MINUTES, per_minute=12)
    every = rubbish(TICKS_CHANNEL, [encode(TICK)], 3_000) + rubbish(STATUS_CHANNEL, [encode(STATUS)], 300) + foreign_statuses(300)
    every = [every[number * 7919 % len(every)] for number in range(len(every))]
    publisher, flood = Publisher(redis_server), Flood(redis_server, every)
    batches = in_batches(day[1:], 2, 60)
    with StreamingProcess(redis_server, url, rest.url, tmp_path) as streaming, redis_server.client() as client:
        client.set(PUBLISHER_LEASE_KEY, publisher.run)
        publisher.send(day[:1])
        wait_until_warm(url)
        begun = time.monotonic()
        with flood.running():
            for number, batch in enumerate(batches):
                publisher.send(batch)
                share = PER_SECOND * SECONDS * number / len(batches)
                eventually(lambda share=share: flood.published >= share)  # at the pace of the flood, which a busy machine slows
        ended = time.monotonic()
        publisher.repeat_status()
        wait_for_minute(url, T0 + (MINUTES - 1) * MINUTE_MS)
        behind = time.monotonic() - ended
        health = eventually(lambda: health_of(redis_server, publisher.position))
        assert streaming.terminate() == 0
        assert "Traceback" not in streaming.text
    publisher.close()
    print(
        f"{flood.published:,} rubbish messages, {publisher.position:,} ticks in {ended - begun:.1f} s; done {behind:.1f} s later"
    )
    assert flood.published > PER_SECOND * SECONDS * 0.8
    assert behind < 10
    assert_same(tables(url), undisturbed(day, tmp_path, rest, MINUTES))
    assert not rows_of(url, "feed_gaps")
    assert health.ticks_total == publisher.position  # what is no tick is not counted as one
    assert health.rejected["malformed tick"] == health.ticks_rejected > flood.published // 3
    assert health.rejected["malformed status"] > 100


def health_of(server: RedisServer, ticks: int) -> StreamingHealth | None:
    with server.client() as client:
        latest = client.get(HEALTH_LATEST_KEY)
    report = StreamingHealth(**{key: value for key, value in json.loads(latest).items() if key != "type"}) if latest else None
    return report if report is not None and report.ticks_total >= ticks else None


class Page:
    """Keeps what the subscriber tells."""

    def __init__(self) -> None:
        self.signals: list[str] = []
        self.indicators = 0
        self.reports = 0

    def signal(self, signal: Signal) -> bool:
        self.signals.append(signal.id)
        return True

    def indicator(self, indicator: StreamingIndicator) -> None:
        self.indicators += 1

    def health_report(self, report: StreamingHealth, received: int | None = None) -> bool:
        self.reports += 1
        return False

    def redis_away(self, since: int | None) -> None: ...


def test_results_reach_the_page_under_a_flood(redis_server: RedisServer) -> None:
    examples = {
        PATTERNS_CHANNEL: a_pattern(), ALERTS_CHANNEL: an_alert(), INDICATORS_CHANNEL: an_indicator(), HEALTH_CHANNEL: a_report(),
    }  # fmt: skip
    every = [each for channel, example in examples.items() for each in rubbish(channel, [encode(example)[:-1]], 500)]
    page, flood = Page(), Flood(redis_server, every)
    subscriber = RedisEventSubscriber(redis_server.url, page, lambda: None)
    thread = threading.Thread(target=subscriber.run)
    thread.start()
    eventually(lambda: subscriber.connected_since)
    try:
        with flood.running(), redis_server.client() as client:
            for number in range(200):
                client.publish(PATTERNS_CHANNEL, encode(a_pattern(f"S{number}", bar=T0)))
                time.sleep(SECONDS / 2 / 200)
        eventually(lambda: sum(subscriber.received.values()) == flood.published + 200)
        assert [each for each in page.signals if each.startswith("S")] == [f"S{number}:1min:Hammer:{T0}" for number in range(200)]
        told = len(page.signals) + page.indicators + page.reports
        assert subscriber.rejections.total == flood.published + 200 - told  # every message is told or counted
        assert subscriber.reconnects == 0
    finally:
        subscriber.stop()
        thread.join(10)
