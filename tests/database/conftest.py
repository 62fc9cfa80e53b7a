"""Databases of one kind, for what only that kind does."""

from __future__ import annotations

import itertools

import pytest

from tests.servers import PostgresServer
from tickstock.database.migrate import migrate

_numbers = itertools.count(1)


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer) -> str:
    url = postgres_server.create_database(f"postgresql_{next(_numbers)}")
    migrate(url)
    return url
