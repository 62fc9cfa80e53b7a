"""TickStockPL as a process between a real Redis and a real database, killed and disturbed in every way that happens."""

from __future__ import annotations

import random
from pathlib import Path

from tests.servers import RedisServer
from tests.streaming.market import T0, Item, Publisher, TinyRest, in_batches, synthetic_day
from tests.streaming.process import StreamingProcess, tables, wait_for_minute, wait_until_warm
from tickstock.database.migrate import migrate
from tickstock.market_hours import MINUTE_MS

MINUTES = 130
AHEAD = 1500


Tables = dict[str, list[dict[str, object]]]


def publish(publisher: Publisher, items: list[Item], seed: int) -> None:
    """At full speed, but not far ahead of TickStockPL."""
    for batch in in_batches(items, seed):
        publisher.send(batch)
        publisher.wait_for_taken(AHEAD)


def undisturbed(day: list[Item], folder: Path, rest: TinyRest) -> Tables:
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
            wait_for_minute(url, T0 + (MINUTES - 1) * MINUTE_MS)
            assert streaming.terminate() == 0
        publisher.close()
    finally:
        server.kill()
    return tables(url)


def test_a_process_killed_at_random_moments_ends_with_the_same_tables(
    redis_server: RedisServer, database_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    day = synthetic_day(7, 10, MINUTES)
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
    found, expected = tables(database_url), undisturbed(day, tmp_path, rest)
    assert expected["intraday_patterns"] and expected["indicator_alerts"]
    assert any(row["revision"] for row in expected["bars"])
    assert_same(found, expected)


def assert_same(found: Tables, expected: Tables) -> None:
    for name, rows in expected.items():
        wanted, there = [{repr(sorted(row.items())) for row in each} for each in (rows, found[name])]
        assert not wanted ^ there, (name, len(rows), len(found[name]), sorted(wanted - there)[:3], sorted(there - wanted)[:3])
        assert len(found[name]) == len(rows), name
