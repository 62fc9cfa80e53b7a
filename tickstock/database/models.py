"""The tables. Times are `timestamptz` on PostgreSQL and integer milliseconds on SQLite; Python always sees milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine


class Milliseconds(TypeDecorator[int]):
    """Unix milliseconds in Python; `timestamptz` on PostgreSQL, an integer elsewhere."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "postgresql":
            return value
        return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        if isinstance(value, datetime):
            return int(value.replace(microsecond=0).timestamp()) * 1000 + value.microsecond // 1000
        return None if value is None else int(value)


Document = JSON().with_variant(JSONB(), "postgresql")

metadata = MetaData()

symbols = Table(
    "symbols",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("name", Text),
    Column("exchange", Text),
    Column("type", Text),
    Column("active", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

watchlists = Table(
    "watchlists",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),  # the name as it is compared: without case
    Column("symbols", Document, nullable=False),  # in their order
    Column("revision", Integer, nullable=False),  # +1 with every change: what other processes look at
    Column("changed", Milliseconds, nullable=False),
    Index("watchlists_name_key", "name_key", unique=True),
    sqlite_with_rowid=False,
)

ticks = Table(
    "ticks",
    metadata,
    Column("run", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("price", Double, nullable=False),
    Column("volume", BigInteger, nullable=False),
    Column("timestamp", Milliseconds, nullable=False),
    Column("late", Boolean, nullable=False),
    PrimaryKeyConstraint("run", "position"),
    Index("ticks_timestamp", "timestamp"),
    sqlite_with_rowid=False,
)

bars = Table(
    "bars",
    metadata,
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("timestamp", Milliseconds, nullable=False),  # the bar's start
    Column("revision", Integer, nullable=False),  # 0 as first closed; the highest is in force
    Column("open", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("close", Double, nullable=False),
    Column("volume", BigInteger, nullable=False),
    Column("ticks", Integer),  # forwarded ticks; null for bars that came from REST
    Column("trades", Integer),  # only where the source says it
    Column("source", Text, nullable=False),
    Column("first_tick", Milliseconds),  # when open and close were printed: what a late tick is compared with
    Column("last_tick", Milliseconds),
    PrimaryKeyConstraint("symbol", "timeframe", "timestamp", "revision"),
    Index("bars_timeframe_timestamp", "timeframe", "timestamp"),
    # Few bars are ever corrected; which ones is asked at every start.
    Index(
        "bars_revised",
        "timeframe",
        "timestamp",
        sqlite_where=text("revision > 0"),
        postgresql_where=text("revision > 0"),
    ),
    sqlite_with_rowid=False,
)

# The `day` of a row of `bar_coverage` that speaks of no day, but
DAY_SERIES = 0  # of day bars: those before its moment are the vendor's
JOINED = 1  # of a symbol that came while the feed was live: none of its minutes before that moment was made from ticks
TOLD = 2  # and all that its history shows up to that moment is stored
LEFT = 3  # of a symbol that nobody watched any more from that moment on, until it joined again

bar_coverage = Table(
    "bar_coverage",
    metadata,
    Column("symbol", Text, nullable=False),
    Column("day", Milliseconds, nullable=False),  # start of the trading day, or one of the above
    Column("until", Milliseconds, nullable=False),  # the vendor's REST bars before this moment are stored
    PrimaryKeyConstraint("symbol", "day"),
    sqlite_with_rowid=False,
)

stored_history = Table(
    "stored_history",
    metadata,
    Column("timeframe", Text, primary_key=True),
    Column("until", Milliseconds, nullable=False),  # what warm-up found in bars before this moment is stored
    sqlite_with_rowid=False,
)

splits = Table(
    "splits",
    metadata,
    Column("symbol", Text, nullable=False),
    Column("day", Milliseconds, nullable=False),  # midnight in New York before its first trade
    Column("split_from", Double, nullable=False),  # of so many shares
    Column("split_to", Double, nullable=False),  # became so many
    Column("scaled_from", Milliseconds, nullable=False),  # the symbol's bars from here up to the day are in new shares; 0: all
    PrimaryKeyConstraint("symbol", "day"),
    sqlite_with_rowid=False,
)

vendor_progress = Table(
    "vendor_progress",
    metadata,
    Column("name", Text, primary_key=True),  # splits | final_days | symbols
    Column("until", Milliseconds, nullable=False),  # what the vendor says of the time before this moment is stored
    sqlite_with_rowid=False,
)

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("day", Milliseconds, nullable=False),  # start of the trading day
    Column("symbol", Text, nullable=False),
    Column("bars", Integer, nullable=False),  # one-minute bars that were made from ticks and that the vendor has too
    Column("open", Integer, nullable=False),  # in so many of them this field was the vendor's
    Column("high", Integer, nullable=False),
    Column("low", Integer, nullable=False),
    Column("close", Integer, nullable=False),
    Column("volume", Integer, nullable=False),
    Column("missing", Integer, nullable=False),  # only the vendor had a bar
    Column("extra", Integer, nullable=False),  # only we had one
    Column("corrected", Integer, nullable=False),
    PrimaryKeyConstraint("day", "symbol"),
    sqlite_with_rowid=False,
)

# Behind a detection's time: the id orders what was detected at once, the rest finds rare rows, and the best ones, in the index
# alone. An index by quality would make every insert cost twice as much: its rows come in no order.
_FILTERED = ("id", "direction", "timeframe", "session")

intraday_patterns = Table(
    "intraday_patterns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("bar_timestamp", Milliseconds, nullable=False),
    Column("detection_timestamp", Milliseconds, nullable=False),
    Column("price", Double, nullable=False),
    Column("quality", Double, nullable=False),
    Column("source", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("details", Document, nullable=False),
    Index("intraday_patterns_detection_timestamp", "detection_timestamp", *_FILTERED, "state", "origin", "quality"),
    Index("intraday_patterns_symbol", "symbol", "detection_timestamp"),
    Index("intraday_patterns_pattern", "pattern", "detection_timestamp"),
    sqlite_with_rowid=False,
)

intraday_indicators = Table(
    "intraday_indicators",
    metadata,
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("bar_timestamp", Milliseconds, nullable=False),
    Column("session", Text, nullable=False),
    Column("calculation_timestamp", Milliseconds, nullable=False),
    Column("values", Document, nullable=False),
    Column("source", Text, nullable=False),
    PrimaryKeyConstraint("symbol", "timeframe", "bar_timestamp"),
    Index("intraday_indicators_calculation_timestamp", "calculation_timestamp"),
    sqlite_with_rowid=False,
)

indicator_alerts = Table(
    "indicator_alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("direction", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("bar_timestamp", Milliseconds, nullable=False),
    Column("detection_timestamp", Milliseconds, nullable=False),
    Column("source", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Index("indicator_alerts_detection_timestamp", "detection_timestamp", *_FILTERED, "origin"),
    Index("indicator_alerts_symbol", "symbol", "detection_timestamp"),
    Index("indicator_alerts_alert", "alert", "detection_timestamp"),
    sqlite_with_rowid=False,
)

streaming_sessions = Table(
    "streaming_sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("started", Milliseconds, nullable=False),
    Column("stopped", Milliseconds),
    Column("reason", Text),
    Column("totals", Document),
    sqlite_with_rowid=False,
)

streaming_progress = Table(
    "streaming_progress",
    metadata,
    Column("run", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),  # of the log, up to which everything stored is stored
    Column("minute", Milliseconds, nullable=False),  # start of the last minute that was closed and stored
    Column("replay_from", BigInteger, nullable=False),  # the lowest position that an open minute still needs
    Column("updated", Milliseconds, nullable=False),  # orders the runs: the newest row is the committed position
    sqlite_with_rowid=False,
)

feed_gaps = Table(
    "feed_gaps",
    metadata,
    Column("id", Text, primary_key=True),  # feed:<from> or bus:<run>:<position>
    Column("started", Milliseconds, nullable=False),
    Column("ended", Milliseconds),
    Column("cause", Text, nullable=False),
    Column("repair", Text),  # what repaired it; null while it waits
    Column("lost", Text),  # what is lost for good; null when nothing is
    sqlite_with_rowid=False,
)

pattern_outcomes = Table(
    "pattern_outcomes",
    metadata,
    Column("id", Text, nullable=False),  # of a live, confirmed pattern
    Column("horizon", Integer, nullable=False),  # bar lengths after the entry
    Column("state", Text, nullable=False),  # scored | incomplete
    Column("entry_timestamp", Milliseconds, nullable=False),  # where there is no entry, the end of the pattern's bar
    Column("entry", Double),  # the open of the next bar; null where the session has none
    Column("exit", Double),
    Column("return", Double),  # exit / entry - 1: of a buyer, before costs
    Column("calculated", Milliseconds, nullable=False),
    PrimaryKeyConstraint("id", "horizon"),
    sqlite_with_rowid=False,
)

outcome_reports = Table(
    "outcome_reports",
    metadata,
    Column("name", Text, primary_key=True),  # live
    Column("computed", Milliseconds, nullable=False),  # of the rows in force
    Column("header", Document, nullable=False),
    sqlite_with_rowid=False,
)

outcome_rows = Table(
    "outcome_rows",
    metadata,
    Column("computed", Milliseconds, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("quality", Text, nullable=False),  # all, or a third: low, middle, high
    Column("figures", Document, nullable=False),
    PrimaryKeyConstraint("computed", "timeframe", "pattern", "direction", "horizon", "quality"),
    sqlite_with_rowid=False,
)
