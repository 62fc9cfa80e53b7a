"""Which trades of one symbol were seen in the last minute, so that a repeat is dropped."""

from __future__ import annotations

from array import array
from bisect import bisect_left

SEEN_FOR_MS = 60_000
_PRUNE_EVERY_MS = 10_000
_MAX_SEQUENCE = 2**62

Identity = tuple[int, "str | int | None", int, int]  # exchange, trade id, TRF, sequence number


class RecentTrades:
    """The trades of one symbol of the last 60 s of event time.

    Sequence numbers rise, so nearly every trade is only remembered: 24 bytes in three arrays. Only a trade that does not rise
    above the last sequence number is searched for.
    """

    __slots__ = ("_last", "_marks", "_prune_at", "_sequences", "_stragglers", "_times")

    def __init__(self) -> None:
        self._last = 0
        self._prune_at = 0
        self._sequences = array("q")  # rising
        self._marks = array("q")  # hash of exchange, id and TRF
        self._times = array("q")  # event time when seen; never falls
        self._stragglers: dict[Identity, int] = {}  # trades out of sequence, or without one: when seen

    def is_repeat(self, exchange: int, trade_id: str | int | None, trf: int, sequence: int, now: int) -> bool:
        """Whether this trade was seen in the last 60 s before `now` (event time, ms, never falling); remembers it if not."""
        if now >= self._prune_at:
            self._prune(now)
        if self._last < sequence < _MAX_SEQUENCE:
            self._last = sequence
            self._sequences.append(sequence)
            self._marks.append(hash((exchange, trade_id, trf)))
            self._times.append(now)
            return False
        if not sequence and trade_id is None:
            return False  # nothing tells it from another
        return self._was_straggler((exchange, trade_id, trf, sequence), now)

    def _was_straggler(self, identity: Identity, now: int) -> bool:
        exchange, trade_id, trf, sequence = identity
        if sequence < _MAX_SEQUENCE:
            at = bisect_left(self._sequences, sequence)
            if (
                at < len(self._sequences)
                and self._sequences[at] == sequence
                and self._marks[at] == hash((exchange, trade_id, trf))
                and now - self._times[at] <= SEEN_FOR_MS
            ):
                return True
        seen = self._stragglers.get(identity)
        if seen is not None and now - seen <= SEEN_FOR_MS:
            return True
        self._stragglers[identity] = now
        return False

    def _prune(self, now: int) -> None:
        self._prune_at = now + _PRUNE_EVERY_MS
        outdated = bisect_left(self._times, now - SEEN_FOR_MS)
        del self._sequences[:outdated], self._marks[:outdated], self._times[:outdated]
        if self._stragglers:
            self._stragglers = {key: seen for key, seen in self._stragglers.items() if now - seen <= SEEN_FOR_MS}
        if not self._sequences:
            # Sequence numbers start anew each day: rise from what is remembered, not from yesterday's last.
            self._last = max((key[3] for key in self._stragglers if key[3] < _MAX_SEQUENCE), default=0)
