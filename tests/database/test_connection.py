"""What happens to a writer and a reader when the database is away, locked or full, and afterwards."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import make_url

from tests.database.examples import bar, tick
from tickstock.database import connection as connections
from tickstock.database.connection import database_errors, open_engine, open_postgresql, open_sqlite
from tickstock.database.queries import Queries
from tickstock.database.writers import TickWriter, Writer
from tickstock.errors import DatabaseError, DatabaseUnavailable


def kill_other_connections(url: str) -> None:
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid != pg_backend_pid()"
    )
    connection.close()


def test_a_killed_connection_is_unavailable_once_and_then_opened_again(postgresql_url: str) -> None:
    with Writer(postgresql_url) as writer:
        with writer.transaction() as batch:
            batch.insert_bars([bar("A")])
        kill_other_connections(postgresql_url)
        with pytest.raises(DatabaseUnavailable, match="not available"), writer.transaction() as batch:
            batch.insert_bars([bar("B")])
        with writer.transaction() as batch:
            assert batch.insert_bars([bar("A"), bar("B")]) == 1


def test_a_connection_killed_inside_a_transaction_leaves_nothing(postgresql_url: str) -> None:
    with Writer(postgresql_url) as writer:
        with pytest.raises(DatabaseUnavailable), writer.transaction() as batch:
            batch.insert_bars([bar("A")])
            kill_other_connections(postgresql_url)
        with writer.transaction() as batch:
            assert batch.insert_bars([bar("A")]) == 1


def test_a_database_locked_for_longer_than_the_busy_timeout_is_unavailable(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    other = open_sqlite(sqlite_url)
    other.execute("BEGIN IMMEDIATE")
    with TickWriter(sqlite_url) as writer:
        with pytest.raises(DatabaseUnavailable, match="is locked by another process"):
            writer.insert_ticks([tick(1)])
        other.execute("ROLLBACK")
        other.close()
        assert writer.insert_ticks([tick(1)]) == 1


def test_readers_are_not_held_up_by_a_writer(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    queries = Queries(sqlite_url)
    with Writer(sqlite_url) as writer, writer.transaction() as batch:
        batch.insert_bars([bar()])
        assert queries.bars("AAPL", "1min").rows == []
    assert len(queries.bars("AAPL", "1min").rows) == 1


def test_a_full_disk_is_told_apart(sqlite_url: str) -> None:
    connection = open_sqlite(sqlite_url)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    insert = "INSERT INTO symbols (symbol, name, active) VALUES (?, ?, 1)"
    with pytest.raises(DatabaseUnavailable, match="the disk is full"), database_errors(sqlite_url):
        connection.executemany(insert, [(str(number), "x" * 1000) for number in range(200)])
    connection.close()


def test_missing_tables_are_not_worth_another_attempt_and_the_cure_is_named(empty_database_url: str) -> None:
    with (
        Writer(empty_database_url) as writer,
        pytest.raises(DatabaseError, match=r"run python -m tickstock\.database migrate") as refused,
        writer.transaction() as batch,
    ):
        batch.insert_bars([bar()])
    assert not isinstance(refused.value, DatabaseUnavailable)
    with pytest.raises(DatabaseError, match=r"run python -m tickstock\.database migrate"):
        Queries(empty_database_url).bars("AAPL", "1min")


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        open_engine(f"sqlite:///{tmp_path}/missing/tickstock.db")


def test_a_file_that_is_no_database_is_refused(sqlite_url: str) -> None:
    other = Path(make_url(sqlite_url).database or "").with_name("other.db")
    other.write_bytes(b"hello, this is no database at all" * 100)
    with pytest.raises(DatabaseError, match="not a database") as refused:
        open_sqlite(f"sqlite:///{other.as_posix()}")
    assert not isinstance(refused.value, DatabaseUnavailable)


def test_every_connection_is_set_up_alike(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        raw = open_sqlite(database_url)
        asked = ("PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA foreign_keys")
        expected: list[object] = ["wal", 1, 1]
        assert [raw.execute(each).fetchone()[0] for each in asked] == expected
        assert isinstance(raw, sqlite3.Connection)
    else:
        raw = open_postgresql(database_url)
        asked = ("SHOW TimeZone", "SHOW client_encoding", "SHOW application_name")
        expected = ["UTC", "UTF8", "tickstock"]
        cursor = raw.cursor()
        found = []
        for each in asked:
            cursor.execute(each)
            found.append(cursor.fetchone()[0])
        assert found == expected
    raw.close()
    with open_engine(database_url).connect() as connection:
        assert [connection.exec_driver_sql(each).scalar_one() for each in asked] == expected
