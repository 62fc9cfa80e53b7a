"""Rows for the tests, in the order of the tables' columns."""

from __future__ import annotations

from typing import Any

MINUTE = 60_000
START = 1_728_307_800_000  # 2024-10-07 09:30 New York


def bar(
    symbol: str = "AAPL", at: int = START, revision: int = 0, close: float = 257.01, timeframe: str = "1min"
) -> tuple[Any, ...]:
    return (symbol, timeframe, at, revision, 256.9, 257.2, 256.8, close, 18_400, 41, None, "massive", at + 7, at + 59_993)


def pattern(
    number: int = 1,
    state: str = "confirmed",
    at: int = START,
    symbol: str = "AAPL",
    name: str = "Hammer",
    price: float = 257.01,
    origin: str = "live",
    details: dict[str, Any] | None = None,
) -> tuple[Any, ...]:
    identity = f"{symbol}:1min:{name}:{number}"
    return (
        identity, symbol, name, "bullish", state, "1min", "regular", at, at + 64_504, price, 0.82, "massive", origin,
        details or {},
    )  # fmt: skip


def alert(
    number: int = 1, at: int = START, symbol: str = "AAPL", name: str = "RSI_OVERBOUGHT", origin: str = "live"
) -> tuple[Any, ...]:
    identity = f"{symbol}:1min:{name}:RSI_14:{number}"
    return (identity, symbol, name, "RSI_14", 70.4, 70.0, "bearish", "1min", "regular", at, at + 64_499, "massive", origin)


def indicators(symbol: str = "AAPL", at: int = START, timeframe: str = "1min", calculated: int | None = None) -> tuple[Any, ...]:
    return (symbol, timeframe, at, "regular", calculated or at + 64_498, {"RSI_14": 61.2, "SMA_20": 256.71}, "massive")


def tick(position: int, at: int = START, run: str = "0123456789ab", symbol: str = "AAPL") -> tuple[Any, ...]:
    return (run, position, symbol, 257.01, 150, at, False)
