"""Bulk writes: idempotent, atomic, and the same on both databases."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.examples import MINUTE, START, alert, bar, indicators, pattern, tick
from tickstock.database.connection import open_engine
from tickstock.database.models import metadata
from tickstock.database.queries import Queries
from tickstock.database.writers import TickWriter, Writer
from tickstock.errors import DatabaseError


def stored(url: str, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table in the order of its key, as Python sees them."""
    columns = metadata.tables[table]
    with open_engine(url).connect() as connection:
        rows = connection.execute(columns.select().order_by(*columns.primary_key.columns))
        return sorted((tuple(row) for row in rows), key=lambda row: repr(row[:4]))


def test_rows_come_back_as_they_were_written(database_url: str) -> None:
    with Writer(database_url) as writer, writer.transaction() as batch:
        assert batch.insert_bars([bar(), bar("BRK.A")]) == 2
        assert batch.insert_indicators([indicators()]) == 1
        assert batch.upsert_patterns([pattern(details={"pivots": [START, START + 1], "note": "ß\t\\N\n'\""})]) == 1
        assert batch.insert_alerts([alert()]) == 1
    assert stored(database_url, "bars") == [bar(), bar("BRK.A")]
    assert stored(database_url, "intraday_indicators") == [indicators()]
    assert stored(database_url, "intraday_patterns") == [pattern(details={"pivots": [START, START + 1], "note": "ß\t\\N\n'\""})]
    assert stored(database_url, "indicator_alerts") == [alert()]


def test_writing_the_same_rows_again_changes_nothing(database_url: str) -> None:
    with Writer(database_url) as writer:
        for expected in (1, 0):
            with writer.transaction() as batch:
                assert batch.insert_bars([bar()]) == expected
                assert batch.insert_indicators([indicators()]) == expected
                assert batch.upsert_patterns([pattern()]) == expected
                assert batch.insert_alerts([alert()]) == expected
        with writer.transaction() as batch:
            batch.insert_bars([bar(close=1.0)])
            batch.upsert_patterns([pattern(price=1.0)])
    assert stored(database_url, "bars") == [bar()]
    assert stored(database_url, "intraday_patterns") == [pattern()]


def test_a_row_twice_in_one_batch_is_stored_once(database_url: str) -> None:
    with Writer(database_url) as writer, writer.transaction() as batch:
        assert batch.insert_bars([bar(), bar(), bar(revision=1)]) == 2
        assert batch.upsert_patterns([pattern(), pattern()]) == 1
        assert batch.insert_alerts([alert(), alert()]) == 1


def test_several_batches_of_one_table_fit_in_one_transaction(database_url: str) -> None:
    with Writer(database_url) as writer, writer.transaction() as batch:
        assert batch.insert_bars([bar("A")]) == 1
        assert batch.insert_bars([bar("B")]) == 1
        assert batch.insert_bars([]) == 0
    assert [row[0] for row in stored(database_url, "bars")] == ["A", "B"]


@pytest.mark.parametrize("in_one_batch", [True, False])
@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["forming", "confirmed"], (1, "confirmed")),
        (["forming", "void"], (1, "void")),
        (["forming", "forming"], (0, "forming")),
        (["confirmed", "forming"], (0, "confirmed")),
        (["confirmed", "void"], (0, "confirmed")),
        (["void", "confirmed"], (0, "void")),
        (["forming", "confirmed", "void"], (1, "confirmed")),
    ],
)
def test_a_pattern_changes_only_from_forming(
    database_url: str, states: list[str], expected: tuple[int, str], in_one_batch: bool
) -> None:
    rows = [pattern(1, state, at=START + number * MINUTE, price=float(number)) for number, state in enumerate(states)]
    with Writer(database_url) as writer:
        for batch_rows in [rows] if in_one_batch else [[row] for row in rows]:
            with writer.transaction() as batch:
                batch.upsert_patterns(batch_rows)
    number, state = expected
    assert stored(database_url, "intraday_patterns") == [pattern(1, state, at=START + number * MINUTE, price=float(number))]


def test_a_transaction_that_raises_leaves_nothing_and_the_next_one_works(database_url: str) -> None:
    with Writer(database_url) as writer:
        with pytest.raises(RuntimeError, match="halfway"), writer.transaction() as batch:
            batch.insert_bars([bar()])
            batch.set_progress("run", 7, START, 3, START)
            raise RuntimeError("halfway")
        assert stored(database_url, "bars") == []
        with writer.transaction() as batch:
            batch.insert_bars([bar()])
    assert stored(database_url, "bars") == [bar()]
    assert stored(database_url, "streaming_progress") == []


@pytest.mark.parametrize(
    "row",
    [
        bar(close=math.nan),
        bar(close=math.inf),
        bar(symbol="A\0"),
        bar(symbol=None),  # type: ignore[arg-type]
        bar(at=1.5),  # type: ignore[arg-type]
        bar()[:-1],
        (*bar(), 1),
    ],
)
def test_a_row_that_no_table_can_hold_is_refused_on_both_databases(database_url: str, row: tuple[Any, ...]) -> None:
    with Writer(database_url) as writer:
        with pytest.raises(DatabaseError, match="bars"), writer.transaction() as batch:
            batch.insert_bars([bar("GOOD"), row])
        with writer.transaction() as batch:
            assert batch.insert_bars([bar("GOOD")]) == 1


def test_a_document_with_nan_is_refused(database_url: str) -> None:
    row = (*indicators()[:5], {"RSI_14": math.nan}, "massive")
    with (
        Writer(database_url) as writer,
        pytest.raises(DatabaseError, match=r"intraday_indicators\.values cannot hold"),
        writer.transaction() as batch,
    ):
        batch.insert_indicators([row])


def test_numbers_of_numpy_are_stored_as_numbers(database_url: str) -> None:
    row = list(bar())
    row[2], row[7], row[8] = np.int64(START), np.float64(257.01), np.int64(18_400)
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.insert_bars([row])
    assert stored(database_url, "bars") == [bar()]


def test_progress_gaps_and_sessions_keep_their_last_state(database_url: str) -> None:
    with Writer(database_url) as writer:
        with writer.transaction() as batch:
            batch.start_session("s1", START)
            batch.set_progress("run", 100, START, 40, START + 1)
            batch.upsert_gap("feed:1", START, None, "feed away")
        with writer.transaction() as batch:
            batch.set_progress("run", 200, START + MINUTE, 150, START + 2)
            batch.upsert_gap("feed:1", START, START + MINUTE, "feed away", "REST bars of 2 minutes", "nothing of T")
            batch.start_session("s1", START + 9)
            batch.stop_session("s1", START + MINUTE, "SIGTERM", {"ticks": 5})
    assert stored(database_url, "streaming_progress") == [("run", 200, START + MINUTE, 150, START + 2)]
    assert stored(database_url, "feed_gaps") == [
        ("feed:1", START, START + MINUTE, "feed away", "REST bars of 2 minutes", "nothing of T")
    ]
    assert stored(database_url, "streaming_sessions") == [("s1", START, START + MINUTE, "SIGTERM", {"ticks": 5})]


def test_the_newest_revision_of_a_bar_is_seen_inside_the_transaction(database_url: str) -> None:
    with Writer(database_url) as writer:
        with writer.transaction() as batch:
            batch.insert_bars([bar("A"), bar("A", revision=1, close=2.0), bar("B"), bar("A", timeframe="5min")])
        with writer.transaction() as batch:
            batch.insert_bars([bar("B", revision=1, close=3.0)])
            found = batch.newest_bars("1min", [("A", START), ("B", START), ("C", START), ("A", START + MINUTE)])
            assert batch.newest_bars("1min", []) == {}
    assert found == {("A", START): bar("A", revision=1, close=2.0), ("B", START): bar("B", revision=1, close=3.0)}


def test_symbols_with_a_corrected_bar_are_named(database_url: str) -> None:
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.insert_bars([bar("A"), bar("A", revision=1), bar("B"), bar("C", START + MINUTE, revision=1)])
        assert batch.corrected_symbols("1min", START, START + MINUTE) == {"A"}
        assert batch.corrected_symbols("1min", START, START + MINUTE + 1) == {"A", "C"}
        assert batch.corrected_symbols("5min", START, START + MINUTE) == set()


def test_the_coverage_of_a_day_is_the_one_set_last(database_url: str) -> None:
    with Writer(database_url) as writer:
        for until in (START, START + MINUTE):
            with writer.transaction() as batch:
                batch.set_coverage([("A", START, 1), ("A", START, until), ("B", 0, until)])
    assert Queries(database_url).covered_days() == {("A", START): START + MINUTE, ("B", 0): START + MINUTE}


def test_ticks_are_written_in_small_transactions_and_each_position_once(database_url: str) -> None:
    rows = [tick(position, START + position) for position in range(1, 12_001)]
    with TickWriter(database_url) as writer:
        assert writer.insert_ticks(rows[:100]) == 100
        assert writer.insert_ticks(rows) == 11_900
        assert writer.insert_ticks([]) == 0
    found = Queries(database_url).stored_ticks("0123456789ab", 1, 20_000)
    assert [tuple(each) for each in found] == [row[1:] for row in rows]


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
prices = st.floats(min_value=1e-6, max_value=1e7, allow_nan=False)
times = st.integers(min_value=0, max_value=4_102_444_800_000)
counts = st.integers(min_value=0, max_value=2**53)
bar_rows = st.tuples(
    texts, st.sampled_from(["1min", "1day"]), times, st.integers(0, 5), prices, prices, prices, prices, counts,
    st.none() | st.integers(0, 2**31 - 1), st.none() | st.integers(0, 2**31 - 1), texts, st.none() | times, st.none() | times,
)  # fmt: skip
documents = st.dictionaries(texts, st.none() | st.booleans() | prices | st.integers(-(2**53), 2**53) | texts, max_size=4)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(bar_rows, max_size=20), details=documents)
def test_any_rows_come_back_as_they_were_written(database_url: str, rows: list[tuple[Any, ...]], details: dict[str, Any]) -> None:
    with open_engine(database_url).begin() as connection:
        connection.exec_driver_sql("DELETE FROM bars")
        connection.exec_driver_sql("DELETE FROM intraday_patterns")
    first = {row[:4]: row for row in reversed(rows)}
    with Writer(database_url) as writer, writer.transaction() as batch:
        assert batch.insert_bars(rows) == len(first)
        batch.upsert_patterns([pattern(details=details)])
    with open_engine(database_url).connect() as connection:
        found = [tuple(row) for row in connection.execute(metadata.tables["bars"].select())]
    assert {row[:4]: row for row in found} == first
    assert Queries(database_url).patterns().rows[0]["details"] == details


def test_the_count_of_the_last_five_minutes_works_on_postgresql_as_it_stands(postgresql_url: str) -> None:
    connection = psycopg2.connect(postgresql_url)
    cursor = connection.cursor()
    cursor.execute("SELECT (EXTRACT(EPOCH FROM NOW()) * 1000)::bigint")  # NOW() stands still within a transaction
    (now,) = cursor.fetchone()
    rows = [pattern(1, at=now - 64_504 - 1000), pattern(2, at=now - 64_504 - 299_000), pattern(3, at=now - 64_504 - 301_000)]
    with Writer(postgresql_url) as writer, writer.transaction() as batch:
        batch.upsert_patterns(rows)
    cursor.execute("SELECT COUNT(*) FROM intraday_patterns WHERE detection_timestamp > NOW() - INTERVAL '5 minutes';")
    assert cursor.fetchone() == (2,)
    connection.close()


def test_two_writers_at_once_wait_for_each_other(database_url: str) -> None:
    def write_ticks() -> int:
        with TickWriter(database_url) as writer:
            return sum(writer.insert_ticks([tick(number * 500 + each) for each in range(500)]) for number in range(20))

    def write_bars() -> int:
        stored = 0
        with Writer(database_url) as writer:
            for number in range(20):
                with writer.transaction() as batch:
                    stored += batch.insert_bars([bar(f"S{each}", START + number * MINUTE) for each in range(200)])
                    batch.set_progress("run", number, START, 0, START)
        return stored

    with ThreadPoolExecutor(2) as pool:
        jobs = pool.submit(write_ticks), pool.submit(write_bars)
        assert [job.result(timeout=60) for job in jobs] == [10_000, 4_000]
