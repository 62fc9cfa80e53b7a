"""Indexes for lists of what was detected: rare rows, and the best ones, without reading all the others."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

FILTERED = {
    "intraday_patterns": ["id", "direction", "timeframe", "session", "state", "origin", "quality"],
    "indicator_alerts": ["id", "direction", "timeframe", "session", "origin"],
}


def upgrade() -> None:
    for table, columns in FILTERED.items():
        _index_detections(table, columns)


def downgrade() -> None:
    for table in FILTERED:
        _index_detections(table, [])


def _index_detections(table: str, columns: list[str]) -> None:
    """Index a table by detection time, followed by these columns."""
    name = f"{table}_detection_timestamp"
    op.drop_index(name, table)
    op.create_index(name, table, ["detection_timestamp", *columns])
