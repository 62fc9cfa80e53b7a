"""Old rows go in small steps, the oldest first; the others stay."""

from __future__ import annotations

import itertools

from tests.database.examples import MINUTE, START, indicators, tick
from tickstock.database.queries import Queries
from tickstock.database.retention import BYTES_PER_TICK, MOST_ROWS, Retention
from tickstock.database.writers import TickWriter, Writer

RUN = "0123456789ab"


def store_ticks(url: str, count: int) -> None:
    with TickWriter(url) as writer:
        writer.insert_ticks([tick(position, START + position) for position in range(1, count + 1)])


def positions(url: str) -> list[int]:
    return [each.position for each in Queries(url).stored_ticks(RUN, 0, 1 << 40)]


def steps(step: object) -> list[int]:
    return list(itertools.takewhile(bool, iter(step, None)))  # type: ignore[call-overload]


def test_ticks_older_than_a_time_go_in_steps(database_url: str) -> None:
    store_ticks(database_url, 12_000)
    retention = Retention(database_url)
    deleted = steps(lambda: retention.delete_ticks_before(START + 11_000))
    retention.close()
    assert sum(deleted) == 10_999
    assert len(deleted) > 2
    assert max(deleted) <= MOST_ROWS
    assert positions(database_url) == list(range(11_000, 12_001))


def test_a_slow_database_gets_smaller_steps(database_url: str) -> None:
    store_ticks(database_url, 3_000)
    seconds = itertools.count(step=1.0)
    retention = Retention(database_url, clock=lambda: next(seconds))
    deleted = steps(lambda: retention.delete_ticks_before(START + 10_000))
    retention.close()
    assert deleted[0] == 500
    assert set(deleted[1:]) == {50}


def test_ticks_beyond_a_size_go_the_oldest_first(database_url: str) -> None:
    store_ticks(database_url, 1_000)
    retention = Retention(database_url)
    surplus = retention.surplus_ticks(400 * BYTES_PER_TICK[database_url.partition(":")[0]])
    assert surplus == 600
    while surplus:
        surplus -= retention.delete_oldest_ticks(surplus)
    assert retention.surplus_ticks(1e9) == 0
    retention.close()
    assert positions(database_url) == list(range(601, 1_001))


def test_indicators_calculated_before_a_time_go(database_url: str) -> None:
    rows = [indicators(at=START + number * MINUTE) for number in range(10)]
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.insert_indicators(rows)
    retention = Retention(database_url)
    assert sum(steps(lambda: retention.delete_indicators_before(START + 4 * MINUTE + 64_498))) == 4
    retention.close()
    assert len(Queries(database_url).indicators("AAPL", "1min").rows) == 6
