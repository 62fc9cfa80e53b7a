"""Rows on their way to a reader: as a table, as CSV or as JSON lines."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any, TextIO

import msgspec

FORMATS = ("table", "csv", "jsonl")
ROWS_MEASURED = 2_000

Record = dict[str, Any]


def write_rows(stream: TextIO, rows: Iterable[Record], columns: Sequence[str], form: str) -> None:
    """Write rows with these columns in one of `FORMATS`, as they come."""
    if form == "jsonl":
        for row in rows:
            stream.write(msgspec.json.encode({name: row[name] for name in columns}).decode() + "\n")
    elif form == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_field(row[name]) for name in columns] for row in rows)
    else:
        write_table(stream, ([_cell(row[name]) for name in columns] for row in rows), columns)


def write_table(stream: TextIO, cells: Iterable[Sequence[str]], columns: Sequence[str]) -> None:
    """Columns as wide as the widest cell of the first rows, numbers to the right."""
    coming = iter(cells)
    first = list(islice(coming, ROWS_MEASURED))
    measured = list(zip(columns, *first, strict=True))
    widths = [max(map(len, column)) for column in measured]
    numbers = [len(column) > 1 and all(map(_is_number, column[1:])) for column in measured]
    for line in chain((columns,), first, coming):
        padded = (
            cell.rjust(width) if number else cell.ljust(width) for cell, width, number in zip(line, widths, numbers, strict=True)
        )
        stream.write("  ".join(padded).rstrip() + "\n")


def _field(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list | tuple) else value


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, dict):
        return " ".join(f"{key}={_cell(_rounded(each))}" for key, each in value.items() if not isinstance(each, dict | list))
    return str(value)


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _is_number(cell: str) -> bool:
    text = cell.rstrip("%").lstrip("+-").replace(",", "")
    return not text or text.replace(".", "", 1).isdigit()
