"""Redis lost the log, and whoever could have put it back is gone: no minute is closed from a part of its ticks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers import RedisServer
from tests.streaming.market import T0, Item, Publisher, Say, TinyRest, eventually, tick
from tests.streaming.process import rows_of, wait_for_minute, warm_process
from tickstock.contract import PUBLISHER_LEASE_KEY
from tickstock.market_hours import MINUTE_MS


def at(minute: float) -> int:
    return T0 + int(minute * MINUTE_MS)


def minute(number: int) -> list[Item]:
    ticks: list[Item] = [tick("S00", 10.0 + number, at(number) + second * 1000) for second in (12, 40)]
    return [*ticks, Say(at(number + 1))]


def vendor_bars(rest: TinyRest, first: int, last: int) -> None:
    rest.minutes = {
        "S00": [{"t": at(n), "o": 50.0, "h": 80.0, "l": 49.0, "c": 50.0 + n, "v": 1000, "n": 7} for n in range(first, last + 1)]
    }


def closes(url: str) -> list[float]:
    return [row["close"] for row in rows_of(url, "bars") if row["timeframe"] == "1min" and row["revision"] == 0]


def gaps(url: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows_of(url, "feed_gaps")}


def second_run(server: RedisServer) -> Publisher:
    publisher = Publisher(server, "run2")
    with server.client() as client:
        client.set(PUBLISHER_LEASE_KEY, "run2")
    return publisher


def test_redis_emptied_and_the_app_dead_together_across_the_end_of_a_minute(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    """The new run finds no log: its gap begins with its own minute, though the old one's last minutes are open as well."""
    vendor_bars(rest, 0, 9)
    with warm_process(redis_server, sqlite_url, rest.url, tmp_path) as (streaming, first):
        first.send([item for n in range(4) for item in minute(n)])
        first.send([tick("S00", 99.0, at(4.2)), Say(at(4.3))])
        wait_for_minute(sqlite_url, at(3))
        with redis_server.client() as client:
            client.flushall()
        second = second_run(redis_server)
        second.send([Say(0, status="connecting")])
        second.send([Say(at(5), gap=(at(5), at(5.3))), tick("S00", 98.0, at(5.6)), *minute(6), *minute(7)])
        wait_for_minute(sqlite_url, at(7))
        assert streaming.terminate() == 0
    assert closes(sqlite_url) == [10.0, 11.0, 12.0, 13.0, 54.0, 55.0, 16.0, 17.0]


def test_a_run_whose_beginning_is_lost_hides_a_gap_and_its_minutes_come_from_rest(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    vendor_bars(rest, 0, 9)
    with warm_process(redis_server, sqlite_url, rest.url, tmp_path) as (streaming, first):
        first.send([*minute(0), *minute(1), *minute(2)])
        wait_for_minute(sqlite_url, at(2))
        streaming.kill()
        first.send([tick("S00", 99.0, at(3.2)), Say(at(3.3))])
        with redis_server.client() as client:
            client.flushall()
        second = second_run(redis_server)
        second.send([Say(at(3.3), status="connecting"), Say(at(3.3), gap=(at(3.3), at(4.4)))], log=False)
        second.send([tick("S00", 97.0, at(4.5)), Say(at(4.6))])
        streaming.start()
        streaming.wait_until_subscribed()
        second.repeat_status()
        second.send([tick("S00", 98.0, at(4.8)), *minute(5), *minute(6)])
        wait_for_minute(sqlite_url, at(6))
        assert streaming.terminate() == 0
    assert closes(sqlite_url) == [10.0, 11.0, 12.0, 53.0, 54.0, 15.0, 16.0]
    (gap,) = gaps(sqlite_url).values()
    assert gap["cause"] == "the log does not hold the run's beginning"
    assert gap["repair"] == "minute bars from REST"


def test_ticks_that_nothing_holds_are_written_down_and_their_minutes_come_from_rest(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    vendor_bars(rest, 0, 9)
    with redis_server.client() as client:
        client.set(PUBLISHER_LEASE_KEY, "another run")  # the app that would put back what Redis lost is not there
    with warm_process(redis_server, sqlite_url, rest.url, tmp_path) as (streaming, first):
        first.send([*minute(0), *minute(1)])
        rest.answers.clear()
        lost = minute(2)
        first.send([tick("S00", 90.0, at(2.1))])
        first.send(lost, log=False, publish=False)
        first.send([tick("S00", 91.0, at(3.4)), Say(at(3.5))])
        eventually(lambda: any(f"/{at(2)}/" in path for path in rest.requests))
        streaming.kill()  # before the minutes are closed: what was lost is found out again
        rest.answers.set()
        streaming.start()
        streaming.wait_until_subscribed()
        first.repeat_status()
        first.send([*minute(4), *minute(5)])
        wait_for_minute(sqlite_url, at(5))
        assert streaming.terminate() == 0
    assert closes(sqlite_url) == [10.0, 11.0, 52.0, 53.0, 14.0, 15.0]
    found = gaps(sqlite_url)
    assert found["bus:run1:6"]["lost"] == "2 ticks"
    assert found[f"feed:{at(2)}"]["repair"] == "minute bars from REST"
