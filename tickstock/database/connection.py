"""Connections to SQLite and PostgreSQL, set up alike, and the drivers' errors in TickStock's words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg2
from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.pool import NullPool

from tickstock.cooperation import native
from tickstock.errors import DatabaseError, DatabaseUnavailable
from tickstock.settings import without_password

BUSY_SECONDS = 30.0
_BUSY_PAUSE_SECONDS = 0.02
OLDEST_POSTGRESQL = 150000

# What another attempt can cure; everything else is a fault of the schema or of the rows.
_SQLITE_BUSY = 5
_SQLITE_FULL = 13
_SQLITE_TRANSIENT = {
    _SQLITE_BUSY: "is locked by another process",
    6: "is locked by another connection",
    8: "is read-only",
    10: "has an input/output error",
    _SQLITE_FULL: "has no space left: the disk is full",
    14: "cannot be opened",
    15: "is locked by another process",
}
_POSTGRESQL_TRANSIENT = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.ReadOnlySqlTransaction)
_NOT_MIGRATED = "its tables are missing or old; run python -m tickstock.database migrate"


def parsed(url: str) -> URL:
    """The parts of a database URL of a supported kind.

    Raises:
        DatabaseError: it is neither a SQLite file nor a PostgreSQL database.
    """
    try:
        parts = make_url(url)
    except exc.ArgumentError:
        parts = None
    if parts is not None:
        kind = parts.get_backend_name()
        in_file = parts.database not in (None, "", ":memory:")  # every process would have a memory of its own
        if kind == "postgresql":
            return parts.set(drivername="postgresql+psycopg2")
        if kind == "sqlite" and in_file:
            return parts
    raise DatabaseError(
        f"DATABASE_URL must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; got {without_password(url)}. "
        "See README, Settings."
    )


def is_postgresql(url: str) -> bool:
    """Whether a URL names a PostgreSQL database; otherwise it is a SQLite file."""
    return parsed(url).get_backend_name() == "postgresql"


def open_sqlite(url: str) -> sqlite3.Connection:
    """A connection without implicit transactions: the caller says BEGIN. Any one thread at a time may use it."""
    database = parsed(url).database
    assert database is not None
    with database_errors(url):
        connection = sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _set_up_sqlite(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_postgresql(url: str) -> Any:
    """A psycopg2 connection in UTC, to a server that is new enough, which notices within a minute that the network is gone.

    Raises:
        DatabaseError: the server is older than PostgreSQL 15.
        DatabaseUnavailable: it cannot be reached.
    """
    dialect: Any = postgresql.psycopg2.dialect
    arguments, options = dialect().create_connect_args(parsed(url))
    with database_errors(url):
        connection = psycopg2.connect(*arguments, **{**_POSTGRESQL_OPTIONS, **options})
    found = connection.server_version
    if found < OLDEST_POSTGRESQL:
        connection.close()
        raise DatabaseError(
            f"The database {without_password(url)} is PostgreSQL {found // 10000}.{found % 10000}; version 15 or later is needed."
        )
    return connection


def open_engine(url: str) -> Engine:
    """An engine for reading: a new connection for every use, nothing shared between threads.

    It is used once here, so that no lock of SQLAlchemy's first connection is ever contended between native and green threads.

    Raises:
        DatabaseError: the database is of an unsupported kind or too old.
        DatabaseUnavailable: it cannot be reached.
    """
    connect: Callable[[str], Any] = open_postgresql if is_postgresql(url) else open_sqlite
    engine = create_engine(
        parsed(url),
        creator=lambda: connect(url),
        poolclass=NullPool,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin_sqlite)
    with database_errors(url), engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    return engine


_POSTGRESQL_OPTIONS = {
    "connect_timeout": 10,
    "options": "-c timezone=UTC",
    "client_encoding": "utf8",
    "application_name": "tickstock",
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


_SQLITE_PRAGMAS = (
    "journal_mode = WAL",  # readers and the one writer do not wait for each other
    "synchronous = NORMAL",  # safe against a killed process; a power cut may lose the last commits, never the file
    "foreign_keys = ON",
    "cache_size = -32768",  # KB
    "journal_size_limit = 67108864",  # bytes that the log keeps after a burst
)


def _set_up_sqlite(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    for pragma in _SQLITE_PRAGMAS:
        while not _is_set(connection, pragma, deadline):
            native("time").sleep(_BUSY_PAUSE_SECONDS)


def _is_set(connection: sqlite3.Connection, pragma: str, deadline: float) -> bool:
    """Set it; false while others are in the way, for which SQLite does not wait by itself when a new file changes its journal."""
    try:
        connection.execute(f"PRAGMA {pragma}")
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode != _SQLITE_BUSY or time.monotonic() > deadline:
            raise
        return False
    return True


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Turn the drivers' errors into `DatabaseUnavailable`, where another attempt can help, and `DatabaseError`."""
    try:
        yield
    except exc.StatementError as problem:
        raise translated(problem.orig or problem, url) from problem
    except (sqlite3.Error, psycopg2.Error, OverflowError) as problem:
        raise translated(problem, url) from problem


def translated(problem: BaseException, url: str) -> DatabaseError:
    """A driver's error in TickStock's words; never with a password."""
    database = f"The database {without_password(url)}"
    text = " ".join(str(problem).split())
    if isinstance(problem, sqlite3.Error):
        extended = getattr(problem, "sqlite_errorcode", 1)
        # A first connection has no room for what connections share: a full disk, by another name.
        code = _SQLITE_FULL if extended == sqlite3.SQLITE_IOERR_SHMSIZE else extended & 0xFF
        if code in _SQLITE_TRANSIENT:
            return DatabaseUnavailable(f"{database} {_SQLITE_TRANSIENT[code]} ({text}).")
        if "no such table" in text or "no such column" in text:
            return DatabaseError(f"{database} cannot be used: {_NOT_MIGRATED} ({text}).")
        return DatabaseError(f"{database} refused: {text}.")
    if isinstance(problem, psycopg2.errors.DiskFull):
        return DatabaseUnavailable(f"{database} has no space left: the disk is full ({text}).")
    if isinstance(problem, _POSTGRESQL_TRANSIENT):
        return DatabaseUnavailable(f"{database} is not available: {text or type(problem).__name__}.")
    if isinstance(problem, psycopg2.errors.UndefinedTable | psycopg2.errors.UndefinedColumn):
        return DatabaseError(f"{database} cannot be used: {_NOT_MIGRATED} ({text}).")
    return DatabaseError(f"{database} refused: {text}.")
