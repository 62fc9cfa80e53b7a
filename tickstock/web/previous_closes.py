"""The previous regular close of every watched symbol: what Chg% is measured against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

RETRY_SECONDS = 20.0

ReadCloses = Callable[[Sequence[str], date], Mapping[str, float]]


class PreviousCloses:
    """Last day bars before the trading day; read again while some are missing. `read` may block and may raise."""

    def __init__(self, symbols: Sequence[str], read: ReadCloses) -> None:
        self.closes: dict[str, float] = {}
        self._symbols = symbols
        self._read = read
        self._day: date | None = None
        self._read_at = float("-inf")

    def refresh(self, day: date, monotonic: float) -> bool:
        """Read when the day is another one, and every 20 s while a close is missing; True when something changed."""
        if day != self._day:
            self._day, self._read_at = day, float("-inf")
            self.closes = {}
        missing = [symbol for symbol in self._symbols if symbol not in self.closes]
        if not missing or monotonic - self._read_at < RETRY_SECONDS:
            return False
        self._read_at = monotonic
        found = self._read(missing, day)
        self.closes = {**self.closes, **found}
        return bool(found)
