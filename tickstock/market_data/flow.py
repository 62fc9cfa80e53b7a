"""How far the log may run ahead of TickStockPL: a replay always, a live feed only in the flush after an outage."""

from __future__ import annotations

AHEAD_TICKS = 20_000
PATIENCE_SECONDS = 10.0


class TakenFlow:
    """Decides whether a batch may leave, from the position that TickStockPL reports as taken.

    Args:
        endless: a replay waits for TickStockPL however long it takes; a live feed's flush gives up after the patience,
            because a live feed is never held back.
        ahead: ticks that may be under way to TickStockPL.
    """

    def __init__(self, endless: bool, ahead: int = AHEAD_TICKS) -> None:
        self.endless = endless
        self.taken = 0
        self._ahead = ahead
        self._flushing = False
        self._moved_at: float | None = None  # when it took something last, or the waiting began; None while nothing waits

    @property
    def applies(self) -> bool:
        """Whether batches are measured against `taken` at all."""
        return self.endless or self._flushing

    def begin_flush(self) -> None:
        """An outage is over and more waits than may be under way."""
        self._flushing = True
        self._moved_at = None

    def end_flush(self) -> None:
        """Nothing waits any more."""
        self._flushing = False

    def saw_taken(self, position: int, now: float) -> None:
        """TickStockPL reported a position of this run; `now` in seconds of a steady clock."""
        if position > self.taken:
            self.taken = position
            self._moved_at = now if self._moved_at is not None else None

    def may_send(self, last_position: int, now: float) -> bool:
        """Whether a batch that ends with this position may leave."""
        if not self.applies or last_position <= self.taken + self._ahead:
            self._moved_at = None
            return True
        if self._moved_at is None:
            self._moved_at = now
        if not self.endless and self.is_stuck(now):
            self._flushing = False
            return True
        return False

    def is_stuck(self, now: float) -> bool:
        """Whether TickStockPL has taken nothing for the length of the patience, while ticks wait for it."""
        return self._moved_at is not None and now - self._moved_at >= PATIENCE_SECONDS
