"""Brings a database to the schema of this version of TickStock."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from tickstock.database.connection import database_errors, open_engine, parsed
from tickstock.errors import DatabaseError, DatabaseUnavailable
from tickstock.settings import without_password

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
_ADVISORY_LOCK = 7_401_310_745  # any number, the same in every TickStock: one process migrates at a time


def migrate(url: str) -> str:
    """Create or upgrade the tables, all of it or nothing, and return the revision that is then in force.

    Raises:
        DatabaseError: the database is of an unsupported kind, too old, or newer than this version of TickStock.
        DatabaseUnavailable: it cannot be reached.
    """
    parts = parsed(url)
    if parts.get_backend_name() == "sqlite" and parts.database is not None:
        _make_folder(Path(parts.database).parent, url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    engine = open_engine(url).execution_options(sqlite_begin="BEGIN IMMEDIATE")
    with database_errors(url), engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        _refuse_newer(connection, scripts, url)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return _revision(connection) or ""


def _make_folder(folder: Path, url: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise DatabaseUnavailable(f"The folder of the database {without_password(url)} cannot be made: {problem}.") from problem


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(connection: Connection, scripts: ScriptDirectory, url: str) -> None:
    found = _revision(connection)
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseError(
            f"The database {without_password(url)} was made by a newer TickStock (its schema is {found!r}, this version knows "
            f"up to {scripts.get_current_head()!r}). Update TickStock, or use another database."
        )
