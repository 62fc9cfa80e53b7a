"""The migrations make the tables that the code uses, on both databases, and refuse what they cannot use."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from launcher.ports import unused_port
from tickstock.database import connection as connections
from tickstock.database.connection import open_engine
from tickstock.database.migrate import migrate
from tickstock.database.models import metadata
from tickstock.errors import DatabaseError, DatabaseUnavailable

ROOT = Path(__file__).resolve().parents[2]


def test_the_migrated_schema_is_the_one_of_the_models(database_url: str) -> None:
    with open_engine(database_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            assert found.get_pk_constraint(table.name)["constrained_columns"] == [each.name for each in table.primary_key]


def test_sqlite_tables_are_clustered_by_their_keys(sqlite_url: str) -> None:
    with open_engine(sqlite_url).connect() as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name != 'alembic_version'"
        for name, sql in connection.exec_driver_sql(query):
            assert "WITHOUT ROWID" in sql, name


def test_postgresql_stores_times_with_zone_and_documents_as_jsonb(postgresql_url: str) -> None:
    query = "SELECT data_type FROM information_schema.columns WHERE (table_name, column_name) = (%s, %s)"
    with open_engine(postgresql_url).connect() as connection:
        for table, column, expected in (
            ("intraday_patterns", "detection_timestamp", "timestamp with time zone"),
            ("intraday_indicators", "values", "jsonb"),
            ("bars", "close", "double precision"),
        ):
            assert connection.exec_driver_sql(query, (table, column)).scalar_one() == expected


def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert migrate(database_url) == migrate(database_url)


def test_the_folder_of_a_sqlite_database_is_made(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'new' / 'deeper' / 'tickstock.db'}")
    assert (tmp_path / "new" / "deeper" / "tickstock.db").is_file()


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    with open_engine(database_url).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match=r"newer TickStock.*'9999'.*Update TickStock"):
        migrate(database_url)


@pytest.mark.parametrize("url", ["mysql://root:hunter2@host/x", "sqlite://", "sqlite:///:memory:", "no url at all"])
def test_an_unsupported_database_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(DatabaseError, match="DATABASE_URL must be sqlite:///FILE or postgresql://") as refused:
        migrate(url)
    assert "hunter2" not in str(refused.value)


def test_an_old_postgresql_is_refused(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "OLDEST_POSTGRESQL", 990000)  # as if every server were too old
    with pytest.raises(DatabaseError, match=r"is PostgreSQL \d+\.\d+; version 15 or later is needed"):
        migrate(postgresql_url)


def test_a_postgresql_that_does_not_answer_is_unavailable_and_its_password_is_not_shown() -> None:
    with pytest.raises(DatabaseUnavailable, match="not available") as unavailable:
        migrate(f"postgresql://trader:hunter2@127.0.0.1:{unused_port()}/tickstock")
    assert "hunter2" not in str(unavailable.value)


def run_command(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tickstock.database", "migrate"],
        env={**os.environ, "DATABASE_URL": url}, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_two_processes_may_migrate_at_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        for finished in pool.map(run_command, [empty_database_url] * 2):
            assert finished.returncode == 0, finished.stderr


def test_a_migration_that_fails_leaves_nothing(empty_database_url: str) -> None:
    with open_engine(empty_database_url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE feed_gaps (something integer)")  # the last table that the migration makes
    with pytest.raises(DatabaseError, match="feed_gaps"):
        migrate(empty_database_url)
    with open_engine(empty_database_url).connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"feed_gaps"}


def test_the_command_migrates_and_says_which_database(empty_database_url: str) -> None:
    finished = run_command(empty_database_url)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("Database: ")
    with open_engine(empty_database_url).connect() as connection:
        assert inspect(connection).has_table("intraday_patterns")


def test_the_command_says_in_one_line_what_is_wrong() -> None:
    finished = run_command(f"postgresql://trader:hunter2@127.0.0.1:{unused_port()}/tickstock")
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert "hunter2" not in finished.stderr + finished.stdout
