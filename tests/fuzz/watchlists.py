"""What pages send about watchlists: bodies of changes, and what comes with a connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from tests.fuzz.inputs import Inputs
from tests.fuzz.run import ACCEPTED
from tickstock.settings import LONGEST_SYMBOL
from tickstock.web.browser_messages import read_arrival, read_watch
from tickstock.web.json_text import loads
from tickstock.web.parameters import BadParameter
from tickstock.web.watchlist_text import LONGEST_NAME, MOST_SYMBOLS, read_change


class WatchlistBodies:
    """Bodies that make or change a list: read, or refused with what is expected."""

    name = "watchlist bodies"

    def __init__(self, _folder: Path) -> None:
        pass

    def inputs(self, seed: int) -> Inputs:
        bodies: list[dict[str, Any]] = [
            {"name": "Tech", "symbols": ["AAPL", "BRK.B"]}, {"name": "Öl"}, {"symbols": "AAPL, KIMpL\nMSFT"}, {"symbols": []},
        ]  # fmt: skip
        return Inputs(f"{self.name} {seed}", [json.dumps(each, ensure_ascii=False).encode() for each in bodies])

    def take(self, data: bytes) -> str:
        try:
            change = read_change(data)
        except BadParameter as problem:
            assert len(str(problem)) < 800
            return f"bad {problem.parameter}"
        if change.name is not None:
            assert 1 <= len(change.name) <= LONGEST_NAME and change.name.isprintable() and change.name == change.name.strip()
            change.name.encode()
        symbols = change.symbols or ()
        assert len(set(symbols)) == len(symbols) <= MOST_SYMBOLS
        for symbol in symbols:
            assert 1 <= len(symbol) <= LONGEST_SYMBOL and symbol.isprintable() and not set(symbol) & set(" ,;*"), symbol
        return ACCEPTED


class Arrivals:
    """What a browser says as it connects, and what it wants to watch."""

    name = "arrivals"

    def __init__(self, _folder: Path) -> None:
        pass

    def inputs(self, seed: int) -> Inputs:
        said = [{"list": "default", "chart": "AAPL"}, {"list": None, "chart": None}, {"list": "5f3c9a0b"}, {"symbols": ["AAPL"]}]
        return Inputs(f"{self.name} {seed}", [msgspec.json.encode(each) for each in said])

    def take(self, data: bytes) -> str:
        try:
            said = loads(data)
        except ValueError:
            return "no JSON"
        arrival, watch = read_arrival(said), read_watch(said)
        for symbol in (*(watch.symbols if watch else ()), *([arrival.chart] if arrival and arrival.chart else [])):
            assert 1 <= len(symbol) <= LONGEST_SYMBOL and symbol.isprintable()
        return ACCEPTED if arrival or watch else "malformed"
