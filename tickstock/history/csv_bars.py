"""Bars of one symbol from a CSV with a header line: timestamp, open, high, low, close, volume, in any order.

`timestamp` is the bar's start: Unix milliseconds, or ISO 8601 (2026-11-20T09:30; New York time where no offset is given). Prices
are dollars, volume is shares. Further columns are ignored. Rows must be in the order of time.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from tickstock.analysis.results import BarColumns
from tickstock.history.errors import BadBars
from tickstock.history.moments import moment
from tickstock.logs import shortened

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
SHOWN = 10  # bad rows that are told one by one
OLDEST_MS, LATEST_MS = 315_532_800_000, 4_102_444_800_000  # 1980 to 2100: what is in seconds is found out

TOO_MUCH = 1e18

Row = tuple[int, float, float, float, float, float]


def read_csv_bars(path: Path) -> BarColumns:
    """All bars of a file.

    Raises:
        BadBars: the file cannot be read, lacks a column, or has rows that are no bars; the message names their lines.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = read_rows(str(path), file)
    except OSError as problem:
        raise BadBars(f"{path} cannot be read: {problem}") from None
    columns = list(zip(*rows, strict=True))
    prices = (np.array(column, np.float64) for column in columns[1:])
    return BarColumns(np.array(columns[0], np.int64), *prices)


def read_rows(path: str, file: TextIO) -> list[Row]:
    """The rows of an open file; `path` is for messages.

    Raises:
        BadBars: as `read_csv_bars`.
    """
    try:
        return _rows(path, csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise BadBars(f"{path} cannot be read: {problem}") from None


def _rows(path: str, reader: Any) -> list[Row]:
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise BadBars(f"{path} must begin with a line that names {', '.join(COLUMNS)}; {', '.join(missing)} is not there")
    places = [header.index(name) for name in COLUMNS]
    rows: list[Row] = []
    problems: list[str] = []
    for fields in reader:
        if not any(field.strip() for field in fields):
            continue
        try:
            row = _bar([fields[place] for place in places])
            if rows and row[0] <= rows[-1][0]:
                raise ValueError("timestamp is not after that of the row before")
            rows.append(row)
        except (ValueError, IndexError) as problem:
            said = "too few fields" if isinstance(problem, IndexError) else problem
            problems.append(f"line {reader.line_num}: {said}")
    if problems:
        raise BadBars(f"{path} has {len(problems)} rows that are no bars:\n  " + "\n  ".join(_first(problems)))
    if not rows:
        raise BadBars(f"{path} has no bars below its header")
    return rows


def _first(problems: list[str]) -> Iterable[str]:
    more = len(problems) - SHOWN
    return [*problems[:SHOWN], f"and {more} more"] if more > 0 else problems


def _bar(fields: list[str]) -> Row:
    timestamp = moment(fields[0].strip())
    if not OLDEST_MS <= timestamp <= LATEST_MS:
        raise ValueError(f"timestamp {shortened(fields[0])} is not between 1980 and 2100; Unix times are milliseconds")
    values = [_number(name, field) for name, field in zip(COLUMNS[1:], fields[1:], strict=True)]
    opening, high, low, close, volume = values
    if min(values[:4]) <= 0:
        raise ValueError("a price is not positive")
    if max(values) >= TOO_MUCH:
        raise ValueError(f"a price or volume is not below {TOO_MUCH:g}")
    if not low <= min(opening, close) <= max(opening, close) <= high:
        raise ValueError(f"low {low:g} and high {high:g} do not enclose open {opening:g} and close {close:g}")
    if volume < 0:
        raise ValueError(f"volume {volume:g} is negative")
    return timestamp, opening, high, low, close, volume


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} {shortened(text)} is not a number")
    return value
