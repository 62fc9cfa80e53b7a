"""The tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

MILLISECONDS = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    create_symbols()
    create_ticks()
    create_bars()
    create_bar_coverage()
    create_stored_history()
    create_intraday_patterns()
    create_intraday_indicators()
    create_indicator_alerts()
    create_streaming_sessions()
    create_streaming_progress()
    create_feed_gaps()


def create_symbols() -> None:
    op.create_table(
        "symbols",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("exchange", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("symbol"),
        sqlite_with_rowid=False,
    )


def create_ticks() -> None:
    op.create_table(
        "ticks",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("price", sa.Double(), nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", MILLISECONDS, nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index("ticks_timestamp", "ticks", ["timestamp"])


def create_bars() -> None:
    op.create_table(
        "bars",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("timestamp", MILLISECONDS, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("ticks", sa.Integer(), nullable=True),
        sa.Column("trades", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_tick", MILLISECONDS, nullable=True),
        sa.Column("last_tick", MILLISECONDS, nullable=True),
        sa.PrimaryKeyConstraint("symbol", "timeframe", "timestamp", "revision"),
        sqlite_with_rowid=False,
    )
    op.create_index("bars_timeframe_timestamp", "bars", ["timeframe", "timestamp"])


def create_bar_coverage() -> None:
    op.create_table(
        "bar_coverage",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("day", MILLISECONDS, nullable=False),
        sa.Column("until", MILLISECONDS, nullable=False),
        sa.PrimaryKeyConstraint("symbol", "day"),
        sqlite_with_rowid=False,
    )


def create_stored_history() -> None:
    op.create_table(
        "stored_history",
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("until", MILLISECONDS, nullable=False),
        sa.PrimaryKeyConstraint("timeframe"),
        sqlite_with_rowid=False,
    )


def create_intraday_patterns() -> None:
    op.create_table(
        "intraday_patterns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("bar_timestamp", MILLISECONDS, nullable=False),
        sa.Column("detection_timestamp", MILLISECONDS, nullable=False),
        sa.Column("price", sa.Double(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("details", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("intraday_patterns_detection_timestamp", "intraday_patterns", ["detection_timestamp"])
    op.create_index("intraday_patterns_pattern", "intraday_patterns", ["pattern", "detection_timestamp"])
    op.create_index("intraday_patterns_symbol", "intraday_patterns", ["symbol", "detection_timestamp"])


def create_intraday_indicators() -> None:
    op.create_table(
        "intraday_indicators",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("bar_timestamp", MILLISECONDS, nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("calculation_timestamp", MILLISECONDS, nullable=False),
        sa.Column("values", DOCUMENT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "timeframe", "bar_timestamp"),
        sqlite_with_rowid=False,
    )
    op.create_index("intraday_indicators_calculation_timestamp", "intraday_indicators", ["calculation_timestamp"])


def create_indicator_alerts() -> None:
    op.create_table(
        "indicator_alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("bar_timestamp", MILLISECONDS, nullable=False),
        sa.Column("detection_timestamp", MILLISECONDS, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("indicator_alerts_alert", "indicator_alerts", ["alert", "detection_timestamp"])
    op.create_index("indicator_alerts_detection_timestamp", "indicator_alerts", ["detection_timestamp"])
    op.create_index("indicator_alerts_symbol", "indicator_alerts", ["symbol", "detection_timestamp"])


def create_streaming_sessions() -> None:
    op.create_table(
        "streaming_sessions",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("started", MILLISECONDS, nullable=False),
        sa.Column("stopped", MILLISECONDS, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("totals", DOCUMENT, nullable=True),
        sa.PrimaryKeyConstraint("session_id"),
        sqlite_with_rowid=False,
    )


def create_streaming_progress() -> None:
    op.create_table(
        "streaming_progress",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("minute", MILLISECONDS, nullable=False),
        sa.Column("replay_from", sa.BigInteger(), nullable=False),
        sa.Column("updated", MILLISECONDS, nullable=False),
        sa.PrimaryKeyConstraint("run"),
        sqlite_with_rowid=False,
    )


def create_feed_gaps() -> None:
    op.create_table(
        "feed_gaps",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("started", MILLISECONDS, nullable=False),
        sa.Column("ended", MILLISECONDS, nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("repair", sa.Text(), nullable=True),
        sa.Column("lost", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in (
        "feed_gaps",
        "streaming_progress",
        "streaming_sessions",
        "indicator_alerts",
        "intraday_indicators",
        "intraday_patterns",
        "stored_history",
        "bar_coverage",
        "bars",
        "ticks",
        "symbols",
    ):
        op.drop_table(table)
