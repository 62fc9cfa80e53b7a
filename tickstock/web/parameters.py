"""Query parameters of the JSON interface: read, checked, and refused with words that say what is expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from werkzeug.routing import BaseConverter

from tickstock.errors import TickStockError
from tickstock.logs import shortened
from tickstock.market_hours import NEW_YORK
from tickstock.settings import LONGEST_SYMBOL

MOST_ROWS = 1000
MOST_BARS_AHEAD = 10_000
LONGEST_SEARCH = 60
LAST_TIME_MS = 253_402_300_799_999  # the end of year 9999
TIMEFRAMES = ("1min", "5min", "15min", "60min", "1day")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_SHARE = re.compile(r"0(\.[0-9]{1,9})?|1(\.0{1,9})?", re.ASCII)

Reader = Callable[[str], Any]


class BadParameter(TickStockError):
    """A query parameter is unknown or cannot be read."""

    def __init__(self, parameter: str, expected: str, got: str) -> None:
        super().__init__(f"{parameter} must be {expected}; got {shortened(got)}")
        self.parameter = parameter


def read(given: Mapping[str, list[str]], readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The given parameters by their readers; those that are not given are left out.

    Raises:
        BadParameter: one is unknown, given twice, or refused by its reader.
    """
    values: dict[str, Any] = {}
    for name, texts in given.items():
        reader = readers.get(name)
        if reader is None:
            raise BadParameter("a query parameter", f"one of {', '.join(readers)}", name)
        if len(texts) != 1:
            raise BadParameter(name, "given once", ", ".join(texts))
        try:
            values[name] = reader(texts[0])
        except ValueError as expected:
            raise BadParameter(name, str(expected), texts[0]) from None
    if "from" in values and "to" in values and values["from"] > values["to"]:
        raise BadParameter("from", "at or before `to`", given["from"][0])
    return values


def symbol(text: str) -> str:
    """A ticker."""
    if not is_ticker(text):
        raise ValueError(f"a ticker such as AAPL or BRK.B, of at most {LONGEST_SYMBOL} characters")
    return text


class TickerConverter(BaseConverter):
    """A ticker as a part of a path; it may have one slash in it, as BRK/B has."""

    regex = "[^/]+(?:/[^/]+)?"


def is_ticker(text: str) -> bool:
    """Whether this can be a ticker: printable and in one piece; * would stand for all symbols at the feed, a comma between two.

    The replacement character stands where bytes were no text.
    """
    return 1 <= len(text) <= LONGEST_SYMBOL and text.isprintable() and not set(text) & set(" ,;*\ufffd")


def search(text: str) -> str:
    """What is looked for."""
    if len(text) > LONGEST_SEARCH or not text.isprintable():
        raise ValueError(f"at most {LONGEST_SEARCH} printable characters")
    return text.strip()


def name(text: str) -> str:
    """The name of a pattern or an alert."""
    if not _NAME.fullmatch(text):
        raise ValueError("a name such as Hammer or RSI_OVERBOUGHT")
    return text


def one_of(*allowed: str) -> Reader:
    """One of some words."""

    def reader(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return text

    return reader


def _whole(text: str) -> int:
    """A number written in at most 18 digits and nothing else; -1 when it is not."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1


def limit(text: str) -> int:
    """How many rows at most."""
    if not 1 <= _whole(text) <= MOST_ROWS:
        raise ValueError(f"a whole number from 1 to {MOST_ROWS}")
    return int(text)


def horizon(text: str) -> int:
    """A number of bar lengths."""
    if not 1 <= _whole(text) <= MOST_BARS_AHEAD:
        raise ValueError("a number of bar lengths such as 1, 5, 15 or 60")
    return int(text)


def share(text: str) -> float:
    """A number from 0 to 1."""
    if not _SHARE.fullmatch(text):
        raise ValueError("a number from 0 to 1 such as 0.8")
    return float(text)


def moment(text: str) -> int:
    """A time in Unix milliseconds: so given, or as ISO 8601; without an offset it is New York time."""
    expected = "Unix milliseconds, or a time such as 2026-11-20T09:30 (New York) or 2026-11-20T14:30Z"
    value = _whole(text)
    if value < 0:
        try:
            parsed = datetime.fromisoformat(text)
            value = int((parsed if parsed.tzinfo else parsed.replace(tzinfo=NEW_YORK)).timestamp() * 1000)
        except (ValueError, OverflowError):
            raise ValueError(expected) from None
    if not 0 <= value <= LAST_TIME_MS:
        raise ValueError(expected)
    return value


def token(text: str) -> str:
    """The `next` of the page before; the database's side looks into it."""
    if len(text) > 400:
        raise ValueError("the `next` or `previous` of another page")
    return text
