"""What followed live detections, and the report on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

MILLISECONDS = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    create_pattern_outcomes()
    create_outcome_reports()
    create_outcome_rows()


def create_pattern_outcomes() -> None:
    op.create_table(
        "pattern_outcomes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("entry_timestamp", MILLISECONDS, nullable=False),
        sa.Column("entry", sa.Double(), nullable=True),
        sa.Column("exit", sa.Double(), nullable=True),
        sa.Column("return", sa.Double(), nullable=True),
        sa.Column("calculated", MILLISECONDS, nullable=False),
        sa.PrimaryKeyConstraint("id", "horizon"),
        sqlite_with_rowid=False,
    )


def create_outcome_reports() -> None:
    op.create_table(
        "outcome_reports",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("computed", MILLISECONDS, nullable=False),
        sa.Column("header", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )


def create_outcome_rows() -> None:
    op.create_table(
        "outcome_rows",
        sa.Column("computed", MILLISECONDS, nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("figures", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("computed", "timeframe", "pattern", "direction", "horizon", "quality"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("outcome_rows", "outcome_reports", "pattern_outcomes"):
        op.drop_table(table)
