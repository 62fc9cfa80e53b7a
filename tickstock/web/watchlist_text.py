"""What a page may call a watchlist and put into it: read, checked, and refused with words that say what is expected. Pure."""

from __future__ import annotations

import re

import msgspec

from tickstock.contract import UNREADABLE
from tickstock.logs import shortened
from tickstock.settings import LONGEST_SYMBOL
from tickstock.web.parameters import BadParameter, is_ticker

LONGEST_NAME = 60
# With their quotes they fit into one request (64 KB) whatever their names are, and into two frames; who wants more than one can
# look at makes another list.
MOST_SYMBOLS = 1_000

_SEPARATORS = re.compile(r"[\s,;]+")
_BODY = '{"name": text, "symbols": [text, …], or one text with symbols separated by spaces, commas or line ends}'


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    symbols: list[str] | str | None = None


_decode = msgspec.json.Decoder(_Body).decode


class ListChange(msgspec.Struct, frozen=True):
    """What a list is to be; None leaves what there is."""

    name: str | None
    symbols: tuple[str, ...] | None


def read_change(body: bytes) -> ListChange:
    """The body of a request that makes or changes a list.

    Raises:
        BadParameter: it is not such a body, or what it says cannot be.
    """
    try:
        asked = _decode(body)
    except UNREADABLE as problem:
        raise BadParameter("the body", f"{_BODY} ({shortened(str(problem))})", body.decode("utf-8", "replace")) from None
    name = None if asked.name is None else list_name(asked.name)
    return ListChange(name, None if asked.symbols is None else list_symbols(asked.symbols))


def list_name(text: str) -> str:
    """A list's name without needless spaces."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadParameter("name", f"1 to {LONGEST_NAME} printable characters", text)
    return name


def list_symbols(given: list[str] | str) -> tuple[str, ...]:
    """Symbols in their order, each once, in the case in which they are written: KIMpL is not KIMPL."""
    parts = _SEPARATORS.split(given) if isinstance(given, str) else [each.strip() for each in given]
    symbols = tuple(dict.fromkeys(each for each in parts if each or not isinstance(given, str)))
    for symbol in symbols:
        if not is_ticker(symbol):
            raise BadParameter("symbols", f"tickers such as AAPL or BRK.B, each of 1 to {LONGEST_SYMBOL} characters", symbol)
    if len(symbols) > MOST_SYMBOLS:
        raise BadParameter(
            "symbols", f"at most {MOST_SYMBOLS:,} in one list; make several lists of them", f"{len(symbols):,} symbols"
        )
    return symbols
