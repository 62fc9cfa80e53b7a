"""TickStockPL as a process between a real Redis and a real database, killed and disturbed in every way that happens."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import RedisServer
from tests.streaming.market import T0, Item, Publisher, Say, TinyRest, eventually, in_batches, synthetic_day, tick
from tests.streaming.process import StreamingProcess, progress, rows_of, tables, wait_for_minute, wait_until_warm
from tickstock.analysis.catalog import DAY_FIGURES
from tickstock.analysis.indicators import indicator_from
from tickstock.analysis.selection import enabled_from
from tickstock.contract import (
    ALERTS_CHANNEL,
    HEALTH_CHANNEL,
    HEALTH_LATEST_KEY,
    INDICATORS_CHANNEL,
    PATTERNS_CHANNEL,
    RESULTS_LOG_KEY,
    STATUS_CHANNEL,
    TICKS_CHANNEL,
    MarketTick,
    encode,
)
from tickstock.database.migrate import migrate
from tickstock.database.writers import TickWriter
from tickstock.market_hours import DAY_MS, MINUTE_MS
from tickstock.settings import Settings

MINUTES = 130
AHEAD = 1500


Tables = dict[str, list[dict[str, object]]]


def publish(publisher: Publisher, items: list[Item], seed: int) -> None:
    """At full speed, but not far ahead of TickStockPL."""
    for batch in in_batches(items, seed):
        publisher.send(batch)
        publisher.wait_for_taken(AHEAD)


def vendor_history(seed: int) -> dict[str, list[dict[str, Any]]]:
    """What REST has of the days before, and of the running day up to its first tick: a few hundred bars of each symbol."""
    chance = random.Random(seed)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number in range(10):
        for start in (*(T0 - days * DAY_MS for days in (12, 3, 2, 1)), T0 - 60 * MINUTE_MS):
            price = 50.0 + 10 * number
            for minute in range(60):
                low, price = price, round(price + chance.uniform(-0.2, 0.21), 2)
                bar = {"t": start + minute * MINUTE_MS, "o": low, "c": price, "v": chance.randrange(100, 9_000), "n": 5}
                found[f"S{number:02}"].append({**bar, "h": max(low, price) + 0.05, "l": min(low, price) - 0.05})
    return found


def undisturbed(day: list[Item], folder: Path, rest: TinyRest, minutes: int = MINUTES) -> Tables:
    """What a process stores that nobody disturbs, in a SQLite file and a Redis of its own."""
    url = f"sqlite:///{(folder / 'undisturbed.db').as_posix()}"
    migrate(url)
    server = RedisServer()
    try:
        publisher = Publisher(server)
        with StreamingProcess(server, url, rest.url, folder) as streaming:
            publisher.send(day[:1])
            wait_until_warm(url)
            publish(publisher, day[1:], 1)
            wait_for_minute(url, T0 + (minutes - 1) * MINUTE_MS)
            assert streaming.terminate() == 0
        publisher.close()
    finally:
        server.kill()
    return tables(url)


@dataclass(frozen=True)
class Lived:
    """A synthetic day, and what it leaves behind when nothing disturbs it."""

    items: list[Item]
    tables: Tables


@pytest.fixture(scope="module")
def whole_day(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """With the vendor's history before it."""
    day = synthetic_day(7, 10, MINUTES)
    with TinyRest() as rest:
        rest.minutes = vendor_history(5)
        return Lived(day, undisturbed(day, tmp_path_factory.mktemp("whole"), rest))


@pytest.fixture(scope="module")
def half_day(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Without any history."""
    day = synthetic_day(11, 10, MINUTES // 2)
    with TinyRest() as rest:
        return Lived(day, undisturbed(day, tmp_path_factory.mktemp("half"), rest, MINUTES // 2))


def test_a_process_killed_at_random_moments_ends_with_the_same_tables(
    redis_server: RedisServer, database_url: str, tmp_path: Path, rest: TinyRest, whole_day: Lived
) -> None:
    day, expected = whole_day.items, whole_day.tables
    rest.minutes = vendor_history(5)
    chance = random.Random(database_url[:6])
    kills = sorted(chance.sample(range(10, len(in_batches(day, 2)) - 5), 4))
    publisher = Publisher(redis_server)
    with StreamingProcess(redis_server, database_url, rest.url, tmp_path) as streaming:
        publisher.send(day[:1])
        wait_until_warm(database_url)
        for number, batch in enumerate(in_batches(day[1:], 2)):
            publisher.send(batch)
            if number in kills:
                streaming.kill()
                streaming.start()
                if chance.random() < 0.5:
                    streaming.wait_until_subscribed()  # else it starts while ticks come
            else:
                publisher.wait_for_taken(AHEAD)
        wait_for_minute(database_url, T0 + (MINUTES - 1) * MINUTE_MS)
        assert streaming.terminate() == 0
    publisher.close()
    found = tables(database_url)
    assert expected["intraday_patterns"] and expected["indicator_alerts"]
    assert any(row["revision"] for row in expected["bars"])
    assert_same(found, expected)


def assert_same(found: Tables, expected: Tables) -> None:
    for name, rows in expected.items():
        wanted, there = [{json.dumps(row, sort_keys=True) for row in each} for each in (rows, found[name])]
        assert not wanted ^ there, (name, len(rows), len(found[name]), sorted(wanted - there)[:3], sorted(there - wanted)[:3])
        assert len(found[name]) == len(rows), name


class Listener:
    """What TickStockPL publishes, by channel."""

    def __init__(self, server: RedisServer) -> None:
        self._client = server.client()
        self._channels = self._client.pubsub()
        self._channels.subscribe(PATTERNS_CHANNEL, INDICATORS_CHANNEL, ALERTS_CHANNEL, HEALTH_CHANNEL)
        self.messages: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def read(self) -> dict[str, list[dict[str, Any]]]:
        while (message := self._channels.get_message(timeout=0.05)) is not None:
            if message["type"] == "message":
                self.messages[message["channel"].decode()].append(json.loads(message["data"]))
        return self.messages

    def close(self) -> None:
        self._channels.close()
        self._client.close()


def test_the_messages_follow_the_contract(redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest) -> None:
    listener, publisher = Listener(redis_server), Publisher(redis_server)
    with StreamingProcess(redis_server, sqlite_url, rest.url, tmp_path) as streaming:
        day = synthetic_day(3, 10, 60)
        publisher.send(day[:1])
        wait_until_warm(sqlite_url)  # what is found in warm-up is stored and not published
        publish(publisher, day[1:], 1)
        wait_for_minute(sqlite_url, T0 + 59 * MINUTE_MS)
        eventually(lambda: "healthy" in {each["status"] for each in listener.read()[HEALTH_CHANNEL]})
        assert streaming.terminate() == 0
    found = listener.read()
    with redis_server.client() as client:
        entries: Any = client.xrange(RESULTS_LOG_KEY)
        latest = json.loads(client.get(HEALTH_LATEST_KEY) or b"{}")
    listener.close()
    publisher.close()

    for pattern in found[PATTERNS_CHANNEL]:
        assert set(pattern) == PATTERN_KEYS
        assert pattern["type"] == "streaming_pattern"
        assert pattern["id"].startswith(
            f"{pattern['symbol']}:1min:{pattern['pattern']}:" if pattern["timeframe"] == "1min" else "S"
        )
        assert 0 <= pattern["quality"] <= 1
        assert pattern["source"] == "simulated"
        assert pattern["origin"] in ("live", "repair")
    for alert in found[ALERTS_CHANNEL]:
        assert set(alert) == ALERT_KEYS
        assert alert["id"] == ":".join(str(alert[key]) for key in ("symbol", "timeframe", "alert", "indicator", "bar_timestamp"))
    enabled = enabled_from(Settings(feed="simulated"))
    published = {
        timeframe: {
            value for name in some.indicators for value in ([name] if name in DAY_FIGURES else indicator_from(name).names)
        }
        for timeframe, some in enabled.items()
    }
    for indicator in found[INDICATORS_CHANNEL]:
        assert set(indicator) == INDICATOR_KEYS
        assert set(indicator["bar"]) == {"open", "high", "low", "close", "volume"}
        assert set(indicator["values"]) <= published[indicator["timeframe"]]
        assert all(isinstance(value, float) for value in indicator["values"].values())
        assert type(indicator["bar"]["volume"]) is int
    assert found[PATTERNS_CHANNEL] and found[ALERTS_CHANNEL] and found[INDICATORS_CHANNEL]
    assert any(each["values"] for each in found[INDICATORS_CHANNEL])

    # Everything stored was published once, and the log of results holds it all.
    assert {each["id"] for each in found[PATTERNS_CHANNEL]} == {row["id"] for row in rows_of(sqlite_url, "intraday_patterns")}
    assert {each["id"] for each in found[ALERTS_CHANNEL]} == {row["id"] for row in rows_of(sqlite_url, "indicator_alerts")}
    assert len(found[INDICATORS_CHANNEL]) == len(rows_of(sqlite_url, "intraday_indicators"))
    logged = [json.loads(fields[b"minute"]) for _, fields in entries]
    assert [entry["minute"] for entry in logged] == [T0 + n * MINUTE_MS for n in range(60)]
    assert [each for entry in logged for each in entry["patterns"]] == found[PATTERNS_CHANNEL]
    assert [each for entry in logged for each in entry["indicators"]] == found[INDICATORS_CHANNEL]

    health = found[HEALTH_CHANNEL]
    assert all(set(each) == HEALTH_KEYS for each in health)
    assert health[0]["status"] == "degraded"  # no data yet is not healthy
    assert health[0]["issues"]
    assert health[-1] == latest
    assert health[-1]["status"] == "stopped"
    assert health[-1]["ticks_total"] == publisher.position
    assert health[-1]["indicators_calculated"] == len(found[INDICATORS_CHANNEL])


def keys(text: str) -> set[str]:
    return set(text.split())


PATTERN_KEYS = keys(
    "type id symbol pattern direction state timeframe session bar_timestamp detection_timestamp price quality source origin "
    "details"
)
ALERT_KEYS = keys(
    "type id symbol alert indicator value threshold direction timeframe session bar_timestamp detection_timestamp source origin"
)
INDICATOR_KEYS = keys("type symbol timeframe session bar_timestamp calculation_timestamp bar values source")
HEALTH_KEYS = keys(
    "type status issues timestamp session_id session uptime_seconds symbols_active symbols_stale ticks_per_second ticks_total "
    "ticks_rejected ticks_late bars_per_minute lag_ms patterns_detected indicators_calculated alerts_raised rejected "
    "day_bars reconciliation waiting"
)

MALFORMED_TICKS: list[bytes] = [
    b"", b"\xff\xfe\x00", b"null", b"[]", b"{}", b"5", b'{"type":"market_tick"}', b"{" * 500, b'"text"', b"NaN",
    b'{"type":"market_tick","symbol":"S00","price":"9","volume":1,"timestamp":1728307800000,"source":"simulated"}',
    b'{"type":"market_tick","symbol":7,"price":9.0,"volume":1,"timestamp":1728307800000,"source":"simulated"}',
    b'{"type":"market_tick","symbol":"S00","price":-9.0,"volume":1,"timestamp":1728307800000,"source":"simulated"}',
    b'{"type":"market_tick","symbol":"S00","price":1e400,"volume":1,"timestamp":1728307800000,"source":"simulated"}',
    b'{"type":"market_tick","symbol":"S00","price":9.0,"volume":1,"timestamp":99999999999999999,"source":"simulated"}',
    b'{"type":"market_tick","symbol":"S00","price":9.0,"volume":1.5,"timestamp":1728307800000,"source":"simulated"}',
    b'{"type":"market_tick","symbol":"S00","price":9.0,"volume":1,"timestamp":null,"source":"simulated"}',
    b'{"type":"feed_status","symbol":"S00","price":9.0,"volume":1,"timestamp":1728307800000,"source":"simulated"}',
    b'{"type":"market_tick","symbol":"S00","price":9.0,"volume":1,"timestamp":1728307800000,"source":"simulated"',
]  # fmt: skip
FOREIGN_TICKS: list[bytes] = [
    b'{"type":"market_tick","symbol":"S00","price":9.0,"volume":1,"timestamp":1728307800000,"source":"simulated","more":[1]}',
    b'{"type":"market_tick","symbol":"<b>&","price":9,"volume":0,"timestamp":1728307900000,"source":"someone"}',
]
MALFORMED_STATUSES: list[bytes] = [
    b"", b"\xc3(", b"{}", b"[1]", b'{"type":"feed_status"}', b'{"type":"feed_status","status":"live","watermark":"soon"}',
    b'{"type":"feed_status","status":"live","source":"s","since":1,"timestamp":1,"watermark":99999999999999999,"run":"run1",'
    b'"forwarded":5,"detail":""}',
    b'{"type":"feed_status","status":"live","source":"s","since":1,"timestamp":1,"watermark":1728399999999,"run":"foreign run",'
    b'"forwarded":12345678,"detail":""}',
    b'{"type":"feed_status","status":"live","source":"s","since":1,"timestamp":1,"watermark":1728399999999,"run":"other",'
    b'"forwarded":0,"detail":"","gap":[1728300000000,1728399999999]}',
]  # fmt: skip


def test_malformed_and_foreign_messages_change_nothing(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest, half_day: Lived
) -> None:
    day = half_day.items
    chance, publisher = random.Random(5), Publisher(redis_server)
    with StreamingProcess(redis_server, sqlite_url, rest.url, tmp_path) as streaming, redis_server.client() as client:
        publisher.send(day[:1])
        wait_until_warm(sqlite_url)
        waiting = [(TICKS_CHANNEL, each) for each in MALFORMED_TICKS + FOREIGN_TICKS]
        waiting += [(STATUS_CHANNEL, each) for each in MALFORMED_STATUSES]
        chance.shuffle(waiting)
        for batch in in_batches(day[1:], 3, 120):
            publisher.send(batch)
            if waiting:
                client.publish(*waiting.pop())
            publisher.wait_for_taken(AHEAD)
        assert not waiting
        wait_for_minute(sqlite_url, T0 + (MINUTES // 2 - 1) * MINUTE_MS)
        assert streaming.terminate() == 0
        assert "Traceback" not in streaming.text
    publisher.close()
    assert_same(tables(sqlite_url), half_day.tables)
    assert not rows_of(sqlite_url, "feed_gaps")  # nothing was lost


def test_a_redis_that_dies_and_comes_back_empty_costs_nothing_that_is_stored(
    mortal_redis: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest, half_day: Lived
) -> None:
    day = half_day.items
    batches = in_batches(day[1:], 4, 150)
    publisher = Publisher(mortal_redis)
    sent: list[MarketTick] = []
    with StreamingProcess(mortal_redis, sqlite_url, rest.url, tmp_path) as streaming:
        publisher.send(day[:1])
        wait_until_warm(sqlite_url)
        for number, batch in enumerate(batches):
            if number == len(batches) // 2:
                store_ticks(sqlite_url, publisher.run, sent)
                mortal_redis.kill()
                mortal_redis.start()
            publisher.send(batch)
            sent += [item for item in batch if isinstance(item, MarketTick)]
            publisher.wait_for_taken(AHEAD)
        wait_for_minute(sqlite_url, T0 + (MINUTES // 2 - 1) * MINUTE_MS)
        assert streaming.terminate() == 0
    publisher.close()
    found, expected = tables(sqlite_url), half_day.tables
    for name in ("bars", "intraday_patterns", "indicator_alerts", "intraday_indicators"):
        assert_same({name: found[name]}, {name: expected[name]})
    assert not rows_of(sqlite_url, "feed_gaps")


def store_ticks(url: str, run: str, sent: list[MarketTick]) -> None:
    """What the app's recorder would have stored."""
    complete = T0
    rows = []
    for position, each in enumerate(sent, 1):
        late = each.timestamp // MINUTE_MS * MINUTE_MS < complete
        complete = max(complete, (each.timestamp - 1000) // MINUTE_MS * MINUTE_MS)
        rows.append((run, position, each.symbol, each.price, each.volume, each.timestamp, late))
    with TickWriter(url) as writer:
        writer.insert_ticks(rows)


def test_sigterm_ends_it_in_order_and_writes_the_session_down(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    publisher = Publisher(redis_server)
    with StreamingProcess(redis_server, sqlite_url, rest.url, tmp_path) as streaming:
        publish(publisher, synthetic_day(3, 4, 12)[:-1], 1)
        publisher.wait_for_taken(0)
        assert streaming.terminate() == 0
    (session,) = rows_of(sqlite_url, "streaming_sessions")
    assert session["reason"] == "SIGTERM"
    assert session["started"] <= session["stopped"]
    assert session["totals"]["ticks"] == publisher.position
    found = progress(sqlite_url)
    assert found is not None
    newest = max(row["timestamp"] for row in rows_of(sqlite_url, "bars") if row["timeframe"] == "1min")
    assert found.minute == newest  # the open minute is left to the next start
    assert found.replay_from <= publisher.position
    publisher.close()


def test_a_publisher_without_statuses_and_log_is_followed_by_event_time(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    ticks = [tick("S00", 10.0 + n / 100, T0 + n * 5_000) for n in range(60)]
    with StreamingProcess(redis_server, sqlite_url, rest.url, tmp_path), redis_server.client() as client:
        for each in ticks:
            client.publish(TICKS_CHANNEL, encode(each))
        wait_for_minute(sqlite_url, T0 + 3 * MINUTE_MS)
    bars = [row for row in rows_of(sqlite_url, "bars") if row["timeframe"] == "1min"]
    assert [(row["timestamp"], row["open"], row["ticks"]) for row in bars] == [
        (T0 + n * MINUTE_MS, 10.0 + n * 12 / 100, 12) for n in range(4)
    ]


def test_late_ticks_make_further_revisions_and_fire_nothing(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    def minute(n: int) -> list[Item]:
        return [tick("S00", 10.0, T0 + n * MINUTE_MS + 1), tick("S00", 10.0, T0 + n * MINUTE_MS + 2)]

    listener, publisher = Listener(redis_server), Publisher(redis_server)
    with StreamingProcess(redis_server, sqlite_url, rest.url, tmp_path) as streaming:
        items: list[Item] = [Say(T0)]
        for n in range(6):
            items += [*minute(n), Say(T0 + (n + 1) * MINUTE_MS)]
        publisher.send(items)
        publisher.send([tick("S00", 99.0, T0 + 30_000, 5), tick("S00", 98.0, T0 + 2 * MINUTE_MS + 500, 3)])
        publisher.send([*minute(6), Say(T0 + 7 * MINUTE_MS)])
        wait_for_minute(sqlite_url, T0 + 6 * MINUTE_MS)
        eventually(lambda: len([each for each in listener.read()[INDICATORS_CHANNEL] if each["timeframe"] == "1min"]) == 7)
        assert streaming.terminate() == 0
    revised = [row for row in rows_of(sqlite_url, "bars") if row["revision"]]
    assert [(row["timeframe"], row["timestamp"] - T0, row["revision"], row["high"], row["volume"]) for row in revised] == [
        ("1min", 0, 1, 99.0, 205), ("1min", 2 * MINUTE_MS, 1, 98.0, 203), ("5min", 0, 1, 99.0, 1008),
    ]  # fmt: skip
    assert all(each["bar"]["high"] == 10.0 for each in listener.read()[INDICATORS_CHANNEL])
    assert listener.messages[HEALTH_CHANNEL][-1]["ticks_late"] == 2
    listener.close()
    publisher.close()
