"""Rows on their way into a table: checked column by column, and as PostgreSQL's COPY text.

What a column may hold is the same on both databases, whatever each of them would let pass: SQLite would store NaN as NULL and
a numpy integer as bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Integer, Table, Text

from tickstock.database.models import Milliseconds
from tickstock.errors import DatabaseError
from tickstock.logs import shortened

Row = Sequence[Any]

_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_COPY_NULL = "\\N"


def checked_columns(table: Table, rows: Sequence[Row]) -> list[list[Any]]:
    """The columns of some rows, whose values stand in the order of the table's columns, as both drivers take them.

    Raises:
        DatabaseError: a row is too short or too long, or a value does not fit its column (NaN, infinity, a wrong type).
    """
    names = [column.name for column in table.columns]
    try:
        columns = list(zip(*rows, strict=True))
    except ValueError:
        columns = []
    if len(columns) != len(names):
        raise DatabaseError(f"A row of {table.name} must have {len(names)} values: {', '.join(names)}.")
    return [_checked(column, values) for column, values in zip(table.columns, columns, strict=True)]


def copy_text(table: Table, columns: Sequence[Sequence[Any]]) -> str:
    """Checked columns in the text format of COPY, one line a row."""
    fields = [_copy_fields(column, values) for column, values in zip(table.columns, columns, strict=True)]
    return "\n".join(map("\t".join, zip(*fields, strict=True))) + "\n"


def _checked(column: Column[Any], values: Sequence[Any]) -> list[Any]:
    check = _CHECKS[type(column.type)]
    try:
        if column.nullable and None in values:
            return [None if value is None else check([value])[0] for value in values]
        return check(values)
    except (TypeError, ValueError, OverflowError):
        wrong = next((value for value in values if not _fits(column, check, value)), None)
        raise DatabaseError(f"{column.table.name}.{column.name} cannot hold {shortened(wrong)}; nothing was written.") from None


def _fits(column: Column[Any], check: Callable[[Sequence[Any]], list[Any]], value: Any) -> bool:
    try:
        return (column.nullable and value is None) or bool(check([value]))
    except (TypeError, ValueError, OverflowError):
        return False


def _texts(values: Sequence[Any]) -> list[str]:
    joined = "".join(values)
    if "\0" in joined:
        raise ValueError("PostgreSQL has no character 0")
    if not joined.isascii():
        joined.encode()
    return list(values)


def _floats(values: Sequence[Any]) -> list[float]:
    if not all(map(math.isfinite, values)):
        raise ValueError("not a finite number")
    return list(map(float, values))


def _integers(values: Sequence[Any]) -> list[int]:
    return list(map(index, values))


def _booleans(values: Sequence[Any]) -> list[bool]:
    return list(map(bool, values))


def _documents(values: Sequence[Any]) -> list[str]:
    documents = [msgspec.json.encode(value).decode() for value in values]
    for value, document in zip(values, documents, strict=True):
        if "null" in document and not _is_finite(value):  # msgspec writes NaN as null
            raise ValueError("not a finite number")
        if "\\u0000" in document:
            raise ValueError("PostgreSQL has no character 0")
    return documents


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


_CHECKS: dict[type, Callable[[Sequence[Any]], list[Any]]] = {
    Text: _texts,
    Double: _floats,
    Integer: _integers,
    BigInteger: _integers,
    Milliseconds: _integers,
    Boolean: _booleans,
    JSON: _documents,
}


def _copy_fields(column: Column[Any], values: Sequence[Any]) -> list[str]:
    if column.nullable and None in values:
        return [_COPY_NULL if value is None else _copy_fields(column, [value])[0] for value in values]
    if isinstance(column.type, Text | JSON):
        joined = "".join(values)
        if joined.isprintable() and "\\" not in joined:  # nothing to escape: nearly always
            return list(values)
        return [value.translate(_COPY_ESCAPES) for value in values]
    return list(map(repr, values))
