"""An index of the few bars that were corrected, which every start asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

REVISED = sa.text("revision > 0")


def upgrade() -> None:
    op.create_index("bars_revised", "bars", ["timeframe", "timestamp"], sqlite_where=REVISED, postgresql_where=REVISED)


def downgrade() -> None:
    op.drop_index("bars_revised", "bars")
