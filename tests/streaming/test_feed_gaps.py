"""Gaps of the feed, restarts of the app and new trading days, through the whole process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.servers import RedisServer
from tests.streaming.market import T0, Item, Publisher, Say, TinyRest, eventually, in_batches, synthetic_day, tick
from tests.streaming.process import StreamingProcess, progress, rows_of, tables, wait_for_minute, wait_until_warm, warm_process
from tickstock.database.migrate import migrate
from tickstock.market_hours import MINUTE_MS


def at(minute: float) -> int:
    return T0 + int(minute * MINUTE_MS)


GAP_PATH = f"/S00/range/1/minute/{T0 + 4 * MINUTE_MS}/"


def minutes_of_ticks(first: int, last: int) -> list[Item]:
    items: list[Item] = []
    for number in range(first, last + 1):
        items += [tick("S00", 10.0 + number, at(number) + second * 1000) for second in (12, 40)]
        items.append(Say(at(number + 1)))
    return items


def vendor_bars(first: int, last: int) -> list[dict[str, Any]]:
    return [
        {"t": at(n), "o": 50.0, "h": 51.0 + n, "l": 49.0, "c": 50.0 + n, "v": 1000, "n": 7} for n in range(first, last + 1)
    ]  # fmt: skip


def minute_rows(url: str) -> list[dict[str, Any]]:
    return [row for row in rows_of(url, "bars") if row["timeframe"] == "1min"]


def app_breaks_and_comes_back(server: RedisServer, first: Publisher) -> Publisher:
    """A new run, whose feed was away from the middle of minute 4 to minute 6."""
    second = Publisher(server, "run2")
    second._last_ms = first._last_ms
    second.send([Say(at(4.5), status="connecting")])
    second.send([Say(at(4.5), gap=(at(4.5), at(6.2)))])
    return second


def test_minutes_that_touch_a_gap_come_whole_from_rest_also_when_killed_while_waiting(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    with warm_process(redis_server, sqlite_url, rest.url, tmp_path) as (streaming, first):
        rest.answers.clear()
        rest.minutes = {"S00": vendor_bars(0, 9)}
        first.send([*minutes_of_ticks(0, 3), tick("S00", 99.0, at(4.1)), Say(at(4.5))])
        second = app_breaks_and_comes_back(redis_server, first)
        second.send([tick("S00", 98.0, at(6.5)), Say(at(6.6)), *minutes_of_ticks(7, 8)])
        wait_for_minute(sqlite_url, at(3))
        asked = eventually(lambda: [path for path in rest.requests if GAP_PATH in path])
        assert len(asked) == 1
        streaming.kill()
        streaming.start()
        streaming.wait_until_subscribed()
        second.repeat_status()
        eventually(lambda: len([path for path in rest.requests if GAP_PATH in path]) >= 2)
        found = progress(sqlite_url)
        assert found is not None
        assert found.minute == at(3)  # later minutes wait behind the gap
        rest.answers.set()
        wait_for_minute(sqlite_url, at(8))
        assert streaming.terminate() == 0
    rows = minute_rows(sqlite_url)
    assert [(row["timestamp"], row["close"], row["ticks"], row["trades"], row["revision"]) for row in rows] == [
        *((at(n), 10.0 + n, 2, None, 0) for n in range(4)),
        *((at(n), 50.0 + n, None, 7, 0) for n in (4, 5, 6)),
        *((at(n), 10.0 + n, 2, None, 0) for n in (7, 8)),
    ]
    (gap,) = rows_of(sqlite_url, "feed_gaps")
    assert (gap["started"], gap["ended"], gap["repair"], gap["lost"]) == (at(4.5), at(6.2), "minute bars from REST", None)
    second.close()


def test_what_rest_delivers_too_late_even_to_the_next_process_is_revision_1_and_not_analysed(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    with warm_process(redis_server, sqlite_url, rest.url, tmp_path, TICKSTOCK_GAP_WAIT_SECONDS="0.3") as (streaming, first):
        rest.answers.clear()
        rest.minutes = {"S00": vendor_bars(0, 9)}
        first.send([*minutes_of_ticks(0, 3), Say(at(4.5))])
        second = app_breaks_and_comes_back(redis_server, first)
        second.send(minutes_of_ticks(7, 7))
        wait_for_minute(sqlite_url, at(7))
        assert [row["timestamp"] for row in minute_rows(sqlite_url)] == [at(n) for n in (0, 1, 2, 3, 7)]
        (gap,) = rows_of(sqlite_url, "feed_gaps")
        assert (gap["repair"], gap["lost"]) == (None, None)  # it waits, also for the next process
        streaming.kill()
        rest.requests.clear()
        rest.answers.set()
        streaming.start()
        streaming.wait_until_subscribed()
        second.repeat_status()
        eventually(lambda: len([path for path in rest.requests if f"/{at(4)}/" in path]) >= 10)
        for number in range(8, 60):  # the bars are stored with the next minutes that close
            second.send(minutes_of_ticks(number, number))
            wait_for_minute(sqlite_url, at(number))
            if rows_of(sqlite_url, "feed_gaps")[0]["repair"] is not None:
                break
        assert streaming.terminate() == 0
    late = [row for row in minute_rows(sqlite_url) if row["revision"] == 1]
    assert [(row["timestamp"], row["close"], row["trades"]) for row in late] == [(at(n), 50.0 + n, 7) for n in (4, 5, 6)]
    analysed = {row["bar_timestamp"] for row in rows_of(sqlite_url, "intraday_indicators") if row["timeframe"] == "1min"}
    assert not analysed & {at(4), at(5), at(6)}
    (gap,) = rows_of(sqlite_url, "feed_gaps")
    assert (gap["repair"], gap["lost"]) == ("minute bars from REST, after their minutes had closed", None)
    second.close()


def test_bars_of_a_gap_are_asked_for_again_when_rest_answers_with_nonsense(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    with warm_process(redis_server, sqlite_url, rest.url, tmp_path) as (streaming, first):
        rest.minutes = {"S00": vendor_bars(0, 9)}
        rest.broken = 25
        first.send([*minutes_of_ticks(0, 3), Say(at(4.5))])
        second = app_breaks_and_comes_back(redis_server, first)
        second.send(minutes_of_ticks(7, 7))
        wait_for_minute(sqlite_url, at(7))
        assert streaming.terminate() == 0
    assert [(row["timestamp"], row["revision"]) for row in minute_rows(sqlite_url)] == [(at(n), 0) for n in range(8)]
    (gap,) = rows_of(sqlite_url, "feed_gaps")
    assert (gap["repair"], gap["lost"]) == ("minute bars from REST", None)
    second.close()


def test_a_bar_that_the_vendor_has_a_moment_later_is_asked_for_again(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    with warm_process(redis_server, sqlite_url, rest.url, tmp_path) as (streaming, first):
        first.send([*minutes_of_ticks(0, 3), tick("S00", 99.0, at(4.1)), Say(at(4.5))])
        second = app_breaks_and_comes_back(redis_server, first)
        second.send([tick("S00", 98.0, at(6.5)), *minutes_of_ticks(7, 7)])
        eventually(lambda: [path for path in rest.requests if GAP_PATH in path])
        time.sleep(1.0)
        rest.minutes = {"S00": vendor_bars(0, 9)}
        wait_for_minute(sqlite_url, at(7))
        assert streaming.terminate() == 0
    rows = {row["timestamp"]: (row["close"], row["revision"]) for row in minute_rows(sqlite_url)}
    assert rows[at(6)] == (56.0, 0)
    second.close()


def test_bars_that_rest_could_not_deliver_in_time_are_asked_for_until_they_come(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    with warm_process(redis_server, sqlite_url, rest.url, tmp_path, TICKSTOCK_GAP_WAIT_SECONDS="0.1") as (streaming, first):
        rest.minutes = {"S00": vendor_bars(0, 9)}
        rest.broken = 15
        first.send([*minutes_of_ticks(0, 3), Say(at(4.5))])
        second = app_breaks_and_comes_back(redis_server, first)
        second.send(minutes_of_ticks(7, 7))
        wait_for_minute(sqlite_url, at(7))
        for number in range(8, 60):  # the bars are stored with the next minutes that close
            second.send(minutes_of_ticks(number, number))
            wait_for_minute(sqlite_url, at(number))
            time.sleep(0.1)
            if len([row for row in minute_rows(sqlite_url) if row["revision"] == 1]) == 3:
                break
        assert streaming.terminate() == 0
    late = [row for row in minute_rows(sqlite_url) if row["revision"] == 1]
    assert [(row["timestamp"], row["close"]) for row in late] == [(at(n), 50.0 + n) for n in (4, 5, 6)]
    second.close()


def test_a_first_start_in_the_middle_of_a_run_takes_its_first_minutes_from_rest(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    rest.minutes = {"S00": vendor_bars(0, 9)}
    publisher = Publisher(redis_server)
    publisher.send([Say(at(0)), *minutes_of_ticks(0, 1)], log=False)
    publisher.send([tick("S00", 99.0, at(2.5)), Say(at(2.6))])
    with StreamingProcess(redis_server, sqlite_url, rest.url, tmp_path) as streaming:
        publisher.send(minutes_of_ticks(3, 5))
        wait_for_minute(sqlite_url, at(5))
        assert streaming.terminate() == 0
    rows = {row["timestamp"]: row for row in minute_rows(sqlite_url) if row["symbol"] == "S00"}
    assert [rows[at(n)]["close"] for n in range(6)] == [50.0, 51.0, 52.0, 53.0, 14.0, 15.0]
    publisher.close()


def test_a_process_killed_around_midnight_ends_with_the_same_tables(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    """A new trading day re-anchors the series: running or started anew, they begin with the same bar."""
    start = T0 + 13 * 60 * MINUTE_MS  # 22:30 in New York
    day = synthetic_day(21, 10, 170, start=start)
    found = []
    for name, kills in (("steady", ()), ("killed", (10, 24, 33))):
        url = f"sqlite:///{(tmp_path / f'{name}.db').as_posix()}"
        migrate(url)
        with redis_server.client() as client:
            client.flushall()
        publisher = Publisher(redis_server)
        with StreamingProcess(redis_server, url, rest.url, tmp_path) as streaming:
            publisher.send(day[:1])
            wait_until_warm(url)
            batches = in_batches(day[1:], 9, 400)
            for number, batch in enumerate(batches):
                publisher.send(batch)
                if number in kills:
                    streaming.kill()
                    streaming.start()
                publisher.wait_for_taken(1500)
            wait_for_minute(url, start + 169 * MINUTE_MS)
            assert streaming.terminate() == 0
        publisher.close()
        found.append(tables(url))
    steady, killed = found
    assert len({row["timestamp"] for row in steady["bars"] if row["timeframe"] == "1day"}) == 1  # the new day is still open
    for name, rows in steady.items():
        differing = [pair for pair in zip(killed[name], rows, strict=False) if pair[0] != pair[1]]
        assert not differing, (name, differing[:2])
        assert len(killed[name]) == len(rows), name


def test_a_feed_that_breaks_again_before_anything_came_is_one_longer_gap(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path, rest: TinyRest
) -> None:
    """The watermark stood still, so both gaps begin at the same moment."""
    rest.minutes = {"S00": vendor_bars(0, 9)}
    publisher = Publisher(redis_server)
    with StreamingProcess(redis_server, sqlite_url, rest.url, tmp_path) as streaming:
        publisher.send([Say(at(0)), *minutes_of_ticks(0, 3)])
        publisher.send([Say(at(4.5)), Say(at(4.5), gap=(at(4.5), at(4.9))), Say(at(4.5), status="reconnecting")])
        publisher.send([Say(at(4.5), gap=(at(4.5), at(6.2))), tick("S00", 98.0, at(6.5)), *minutes_of_ticks(7, 8)])
        wait_for_minute(sqlite_url, at(8))
        assert streaming.terminate() == 0
    rows = {row["timestamp"]: row for row in minute_rows(sqlite_url)}
    assert [rows[at(n)]["close"] for n in range(9)] == [10.0, 11.0, 12.0, 13.0, 54.0, 55.0, 56.0, 17.0, 18.0]
    (gap,) = rows_of(sqlite_url, "feed_gaps")
    assert (gap["started"], gap["ended"], gap["repair"], gap["lost"]) == (at(4.5), at(6.2), "minute bars from REST", None)
    publisher.close()
