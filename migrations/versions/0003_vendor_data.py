"""What the vendor says afterwards: splits, how far it was asked, how its bars compared with ours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MILLISECONDS = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
COUNTS = ("bars", "open", "high", "low", "close", "volume", "missing", "extra", "corrected")


def upgrade() -> None:
    op.create_table(
        "splits",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("day", MILLISECONDS, nullable=False),
        sa.Column("split_from", sa.Double(), nullable=False),
        sa.Column("split_to", sa.Double(), nullable=False),
        sa.Column("scaled_from", MILLISECONDS, nullable=False),
        sa.PrimaryKeyConstraint("symbol", "day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vendor_progress",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("until", MILLISECONDS, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reconciliations",
        sa.Column("day", MILLISECONDS, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("day", "symbol"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("splits", "vendor_progress", "reconciliations"):
        op.drop_table(table)
