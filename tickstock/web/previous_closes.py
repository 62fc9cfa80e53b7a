"""The previous regular close of every watched symbol: what Chg% is measured against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

RETRY_SECONDS = 1.0  # while TickStockPL stores one after another
LATER_SECONDS = 10.0  # when it has not stored one for a while: of some symbols there may be none
WHILE_SECONDS = 120.0
AGAIN_SECONDS = 60.0
NEWS_SECONDS = 15.0  # between two lines for an operator while more and more become known

ReadCloses = Callable[[Sequence[str], date], Mapping[str, float]]


class PreviousCloses:
    """Last day bars before the trading day, of the symbols that are watched at the time; `read` may block and may raise.

    Missing ones are looked for every second, until none was found for two minutes; all are read again now and then, because a
    provisional bar becomes final, and a split over night puts them into new shares.
    """

    def __init__(self, symbols: Callable[[], Sequence[str]], read: ReadCloses) -> None:
        self.closes: dict[str, float] = {}
        self._symbols = symbols
        self._read = read
        self._day: date | None = None
        self._wanted: Sequence[str] = ()
        self._looked_at = self._read_at = float("-inf")
        self._changed_at = float("-inf")
        self._told: tuple[date | None, int, int] = (None, 0, 0)  # of which day, how many were known and watched
        self._told_at = float("-inf")

    def refresh(self, day: date, monotonic: float) -> bool:
        """Read all on another day and every minute, and in between what is missing; True when a close changed."""
        symbols = self._symbols()
        if day != self._day:
            self._day, self._read_at, self.closes = day, float("-inf"), {}
        if symbols != self._wanted:
            self._wanted, self._changed_at, self._looked_at = symbols, monotonic, float("-inf")
        missing = [symbol for symbol in symbols if symbol not in self.closes]
        if monotonic - self._read_at >= AGAIN_SECONDS:
            self._read_at, asked = monotonic, symbols
        elif missing and monotonic - self._looked_at >= self._pause(monotonic):
            asked = missing
        else:
            return False
        self._looked_at = monotonic
        before, self.closes = self.closes, {**self.closes, **self._read(asked, day)}
        if self.closes == before:
            return False
        self._changed_at = monotonic
        return True

    def news(self, monotonic: float) -> str:
        """What an operator is told: at once when all are known and on another day, else now and then; "" while nothing is new."""
        day, known, watched = news = self._day, sum(symbol in self.closes for symbol in self._wanted), len(self._wanted)
        told_day, told_known, told_watched = self._told
        all_became_known = known == watched and told_known < told_watched
        is_due = day != told_day or all_became_known or monotonic - self._told_at >= NEWS_SECONDS
        if not watched or news == self._told or not is_due:
            return ""
        self._told, self._told_at = news, monotonic
        return f"previous close known of {known} of {watched} symbols"

    def _pause(self, monotonic: float) -> float:
        return RETRY_SECONDS if monotonic - self._changed_at < WHILE_SECONDS else LATER_SECONDS
