"""What browsers say on Socket.IO, read and checked. Pure."""

from __future__ import annotations

from typing import Any, TypeGuard

import msgspec

from tickstock.web.parameters import is_ticker

MOST_WATCHED = 10_000
LONGEST_LIST_ID = 64

WATCH = f'{{"list": the id of a watchlist}}, or a list of at most {MOST_WATCHED} symbols, or an object with it as `symbols`'
SINCE = 'an object {"epoch": text, "seq": whole number}'
AUTH = '{"list": the id of a watchlist or null, "chart": a symbol or null}'


class Since(msgspec.Struct, forbid_unknown_fields=False):
    """What a browser says after it was away: the last number it holds."""

    epoch: str
    seq: int


class Arrival(msgspec.Struct, forbid_unknown_fields=False):
    """What a browser says as it connects: the list that it shows, and the symbol of its chart."""

    list: str | None = None
    chart: str | None = None


class Watch(msgspec.Struct):
    """What a browser wants to watch: a list by its id, or else symbols of its own choice."""

    list: str | None = None
    symbols: tuple[str, ...] = ()


def read_since(asked: object) -> Since | None:
    """A `since` message; None when it is malformed."""
    try:
        return msgspec.convert(asked, Since)
    except msgspec.ValidationError:
        return None


def read_arrival(auth: object) -> Arrival | None:
    """What came with a connection, nothing included; None when it is malformed."""
    try:
        arrival = msgspec.convert(auth or {}, Arrival)
    except msgspec.ValidationError:
        return None
    good = (arrival.list is None or _is_list_id(arrival.list)) and (arrival.chart is None or is_symbol(arrival.chart))
    return arrival if good else None


def read_watch(asked: object) -> Watch | None:
    """A `watch` message; None when it is malformed."""
    if isinstance(asked, dict):
        if asked.get("list") is not None:
            return Watch(list=asked["list"]) if _is_list_id(asked["list"]) else None
        asked = asked.get("symbols")
    if not isinstance(asked, (list, tuple)) or len(asked) > MOST_WATCHED or not all(map(is_symbol, asked)):
        return None
    return Watch(symbols=tuple(asked))


def is_symbol(value: object) -> TypeGuard[str]:
    """Whether this can be a ticker."""
    return isinstance(value, str) and is_ticker(value)


def _is_list_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_LIST_ID and value.isprintable()
