"""`python -m tickstock.database migrate`: create or upgrade the tables of the database in the settings."""

from __future__ import annotations

import argparse
import sys

from tickstock.database.migrate import migrate
from tickstock.errors import TickStockError
from tickstock.settings import Settings, without_password


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it succeeded, 1 with one line on standard error when it did not."""
    parser = argparse.ArgumentParser(prog="python -m tickstock.database", description="The database of TickStock.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="create or upgrade the tables of the database that DATABASE_URL names")
    parser.parse_args(arguments)
    try:
        url = Settings.load().database
        revision = migrate(url)
    except TickStockError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"Database: {without_password(url)} (schema {revision})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
