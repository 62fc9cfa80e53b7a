"""Runs the migrations: on the connection that `tickstock.database.migrate` gives, else on the database of the settings."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from tickstock.database.connection import open_engine
from tickstock.database.models import metadata
from tickstock.settings import Settings


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with open_engine(Settings.load().database).connect() as connection:
        run(connection)
