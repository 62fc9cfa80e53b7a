"""Lists of detections as CSV (RFC 4180): every row that the filters let through, in pages, so that memory stays bounded.

Each page is asked and written in a native thread; between two of them the event loop has its turn, and a slow reader holds no
connection to the database. When the database goes away in the middle, the answer is broken off: a browser then reports a failed
download, where a last line with an excuse would have passed for a row.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from tickstock.analysis.catalog import rank
from tickstock.cooperation import give_way
from tickstock.database.queries import Page, Record
from tickstock.errors import DatabaseError

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 2000
CONTENT_TYPE = "text/csv; charset=utf-8; header=present"
SURROUNDINGS = ("volume_ratio", "day_position", "trend_before", "after_gap", "bar_revised")

_PATTERN = (
    "id", "symbol", "pattern", "direction", "state", "timeframe", "session", "bar_time", "bar_timestamp", "detection_time",
    "detection_timestamp", "price", "quality", "rank", "source", "origin", *SURROUNDINGS, "details",
)  # fmt: skip
_ALERT = (
    "id", "symbol", "alert", "direction", "timeframe", "session", "bar_time", "bar_timestamp", "detection_time",
    "detection_timestamp", "indicator", "value", "threshold", "source", "origin",
)  # fmt: skip
COLUMNS = {"patterns": _PATTERN, "alerts": _ALERT}

# What spreadsheets begin a formula with, also in their full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Part = tuple[bytes, str | None]  # lines, and the `next` of their page


def part(kind: str, page: Page) -> Part:
    """The lines of one page."""
    return lines(COLUMNS[kind], map(_with_derived, page.rows)), page.next


def stream(kind: str, first: Part, ask: Callable[[str], Part]) -> Iterator[bytes]:
    """The header row, the part that has been read, and all that follow, each asked for when the one before is gone."""
    yield header(kind)
    content, after = first
    yield content
    while after is not None:
        give_way()
        try:
            content, after = ask(after)
        except DatabaseError as problem:
            logger.warning("WEB: a file of %s broke off, its reader sees a failed download: %s", kind, problem)
            raise
        yield content


def header(kind: str) -> bytes:
    """The first line: the names of the columns."""
    columns = COLUMNS[kind]
    return lines(columns, [dict(zip(columns, columns, strict=True))])


def lines(columns: Iterable[str], rows: Iterable[Record]) -> bytes:
    """Rows as lines that end in CRLF; what a row lacks is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _with_derived(row: Record) -> Record:
    details = dict(row.get("details") or {})
    derived = {name: details.pop(name) for name in SURROUNDINGS if name in details}
    if "pattern" in row:
        derived |= {"rank": rank(row["pattern"], row["quality"]), "details": json.dumps(details) if details else None}
    times = {name: _utc(row[f"{name}stamp"]) for name in ("bar_time", "detection_time")}
    return {**row, **derived, **times}


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run is quoted by an apostrophe, its own mark for text; numbers are what they are."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
