"""Lists of what was detected, sorted and cut into pages that stay where they are while new rows arrive.

A page is found by the row that it follows (or precedes), never by counting: rows that are added meanwhile move nothing. A token
names that row by what it is sorted by, its detection time and its id, and says of which order it is. Within one symbol, pattern
or quality the newest stands first, whichever way these are sorted.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import msgspec
from sqlalchemy import ColumnElement, Select, Table, UnaryExpression, and_, or_, select
from sqlalchemy.sql.elements import KeyedColumnElement

Record = dict[str, Any]

YEAR_10000_MS = 253_402_300_800_000  # where Python's and PostgreSQL's times are safe to compare
ORDERS = ("desc", "asc")

_Place = list[str | int | float]


class Page(NamedTuple):
    """Some rows of a list; where the ones behind them start, and those before them: None when there are none."""

    rows: list[Record]
    next: str | None
    previous: str | None = None


class Sorting(NamedTuple):
    """How a list is sorted: by one column, then by detection time and id."""

    table: Table
    sort: str
    order: str

    @property
    def _columns(self) -> list[tuple[KeyedColumnElement[Any], bool]]:
        """The columns, and whether each of them falls."""
        falls = self.order == "desc"
        when, row_id = self.table.c.detection_timestamp, self.table.c.id
        if self.sort == "detection":
            return [(when, falls), (row_id, falls)]
        return [(self.table.c[self.sort], falls), (when, True), (row_id, True)]

    def clauses(self, *, backwards: bool = False) -> list[UnaryExpression[Any]]:
        """What to order by."""
        return [column.desc() if falls != backwards else column.asc() for column, falls in self._columns]

    def beyond(self, token: str, *, backwards: bool = False) -> ColumnElement[bool]:
        """Whether a row stands behind the one that a token names, or before it.

        Raises:
            ValueError: it is not a token of this order.
        """
        return _beyond([(column, falls != backwards) for column, falls in self._columns], self._place(token))

    def token(self, row: Record) -> str:
        """The token of a row."""
        place = [row[column.key] for column, _ in self._columns]
        return base64.urlsafe_b64encode(msgspec.json.encode([self.sort, self.order, *place])).decode().rstrip("=")

    def _place(self, token: str) -> _Place:
        try:
            content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            sort, order, *place = msgspec.json.decode(content, type=list[str | int | float])
            if (sort, order) == (self.sort, self.order) and self._fits(place):
                return place
        except (binascii.Error, ValueError):  # msgspec's errors are ValueErrors too
            pass
        raise ValueError("after must be the `next` of the page before, asked with the same sort and order")

    def _fits(self, place: _Place) -> bool:
        columns = self._columns
        return len(place) == len(columns) and all(
            _fits(column.key, value) for (column, _), value in zip(columns, place, strict=True)
        )


class Question(NamedTuple):
    """A page of a list: which rows, in which order, how many, and behind or before which one."""

    sorting: Sorting
    chosen: Sequence[ColumnElement[bool]]
    limit: int
    after: str | None = None
    before: str | None = None

    def statement(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """The rows of the page and one more, in the order of the list, or against it when they are those before a row.

        The ids are found first, in an index alone where there is one; only these rows are then read.
        """
        table, backwards = self.sorting.table, self.before is not None
        order = self.sorting.clauses(backwards=backwards)
        ids = select(table.c.id).where(*self.chosen)
        token = self.before if backwards else self.after
        if token is not None:
            ids = ids.where(self.sorting.beyond(token, backwards=backwards))
        page = ids.order_by(*order).limit(self.limit + 1).cte("page")
        return select(*columns).select_from(table.join(page, table.c.id == page.c.id)).order_by(*order)

    def page(self, rows: list[Record]) -> Page:
        """The page that the statement's rows make."""
        shown, is_more = rows[: self.limit], len(rows) > self.limit
        if not shown:
            return Page([], None)
        if self.before is not None:
            shown.reverse()
            return Page(shown, self.sorting.token(shown[-1]), self.sorting.token(shown[0]) if is_more else None)
        first, last = self.sorting.token(shown[0]), self.sorting.token(shown[-1])
        return Page(shown, last if is_more else None, first if self.after is not None else None)

    def following(self, after: str | None) -> Self:
        """The same question behind another row."""
        return self._replace(after=after, before=None)


def _beyond(columns: Sequence[tuple[KeyedColumnElement[Any], bool]], place: Sequence[Any]) -> ColumnElement[bool]:
    (column, falls), value = columns[0], place[0]
    strictly: ColumnElement[bool] = column < value if falls else column > value
    if len(columns) == 1:
        return strictly
    # The outer comparison is what an index can begin with.
    return and_(column <= value if falls else column >= value, or_(strictly, _beyond(columns[1:], place[1:])))


def _fits(name: str, value: str | float) -> bool:
    if name == "detection_timestamp":
        return isinstance(value, int) and 0 <= value < YEAR_10000_MS
    if name == "quality":
        return isinstance(value, int | float)
    return isinstance(value, str) and "\0" not in value  # which PostgreSQL has not
