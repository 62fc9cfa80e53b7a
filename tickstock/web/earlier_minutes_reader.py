"""Completes the board's figures of the day: reads the stored minutes that this app did not take in, as soon as they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tickstock.database.earlier_minutes import EarlierFigures, EarlierMinutes
from tickstock.market_data.live_board import LiveBoard, Missing
from tickstock.market_data.market_span import MarketSpan
from tickstock.market_hours import Calendar

RETRY_SECONDS = 1.0
SHARE_OF_TIME = 20  # the next attempt waits so many times as long as the last one took
NEWS_SECONDS = 15.0  # between two lines for an operator while more and more become known
AGAIN_SECONDS = 17 * 60.0  # late prints correct stored bars for a quarter of an hour

# Of these minutes the figures of these symbols; and whether only REST can know them.
ReadEarlier = Callable[[EarlierMinutes, Sequence[str], bool], Mapping[str, EarlierFigures]]


class EarlierMinutesReader:
    """Reads as long as figures are missing, and once more when late prints have been stored. `read` may block and may raise."""

    def __init__(
        self,
        board: LiveBoard,
        calendar: Calendar,
        symbols: Callable[[], Iterable[str]],
        read: ReadEarlier,
        clock: Callable[[], float],
    ) -> None:
        """`symbols` are the watched ones; `clock` gives seconds."""
        self.missing = 0  # symbols whose day is not known in whole
        self._board = board
        self._calendar = calendar
        self._symbols = symbols
        self._read = read
        self._clock = clock
        self._due = 0.0
        self._untold = 0  # symbols that became known since an operator was told
        self._told_at = float("-inf")
        self._again: dict[Missing, tuple[float, list[str]]] = {}  # what is to be read once more: when, and of which symbols

    def look(self) -> int:
        """Read what is due; how many symbols became known."""
        began = self._clock()
        if began < self._due:
            return 0
        found = 0
        try:
            wanted = self._board.without_earlier(self._symbols())
            self.missing = sum(map(len, wanted.values()))
            for missing, symbols in wanted.items():
                known = self._read_missing(missing, symbols)
                found += len(known)
                if known:
                    self._again[missing] = began + AGAIN_SECONDS, [*self._again.get(missing, (0, []))[1], *known]
            self.missing -= found
            for missing in [each for each, (at, _) in self._again.items() if at <= began]:
                self._read_missing(missing, self._again.pop(missing)[1])
        finally:
            self._untold += found
            self._due = self._clock() + max(RETRY_SECONDS, SHARE_OF_TIME * (self._clock() - began))
        return found

    def news(self) -> str:
        """What an operator is told: at once when the last ones became known, else now and then; "" while nothing is new."""
        if not self._untold or (self.missing and self._clock() - self._told_at < NEWS_SECONDS):
            return ""
        untold, self._untold, self._told_at = self._untold, 0, self._clock()
        return f"the day's figures are complete of {untold} symbols" + f"; of {self.missing} not" * bool(self.missing)

    def _read_missing(self, missing: Missing, symbols: Sequence[str]) -> list[str]:
        known = self._read(minutes_before(self._calendar, missing.until), symbols, missing.joined)
        self._board.set_earlier(known)
        return list(known)


def minutes_before(calendar: Calendar, until: int) -> EarlierMinutes:
    """The minutes of the trading day that was running just before a moment."""
    span = MarketSpan.at(calendar, until - 1)
    assert span.day is not None
    before = calendar.sessions_of(calendar.trading_days_before(span.day, 1)[0])
    return EarlierMinutes(
        until, span.day_start, span.session_start, span.regular_start, span.regular_end, before[0].start, before[-1].end
    )
