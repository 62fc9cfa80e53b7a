"""The previous regular close of every watched symbol: what Chg% is measured against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

RETRY_SECONDS = 20.0
AGAIN_SECONDS = 60.0

ReadCloses = Callable[[Sequence[str], date], Mapping[str, float]]


class PreviousCloses:
    """Last day bars before the trading day, of the symbols that are watched at the time; `read` may block and may raise.

    They are read again while some are missing, and now and then all day: a provisional bar becomes final, and a split over night
    puts them into new shares.
    """

    def __init__(self, symbols: Callable[[], Sequence[str]], read: ReadCloses) -> None:
        self.closes: dict[str, float] = {}
        self._symbols = symbols
        self._read = read
        self._day: date | None = None
        self._read_at = float("-inf")

    def refresh(self, day: date, monotonic: float) -> bool:
        """Read when the day is another one, every 20 s while a close is missing, else every minute; True when one changed."""
        if day != self._day:
            self._day, self._read_at = day, float("-inf")
            self.closes = {}
        symbols = self._symbols()
        is_missing = any(symbol not in self.closes for symbol in symbols)
        if monotonic - self._read_at < (RETRY_SECONDS if is_missing else AGAIN_SECONDS):
            return False
        self._read_at = monotonic
        before, self.closes = self.closes, {**self.closes, **self._read(symbols, day)}
        return self.closes != before
