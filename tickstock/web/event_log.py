"""The numbered signals of this web process: patterns and alerts in the order in which browsers get them.

Pure: messages in, numbered entries out. Every browser sees the same numbers, one more each time. A signal is one thing by its
`id`; it is new again only when its state moves on from forming, so whatever comes twice (the results' log, the database,
a message sent again) leaves no trace.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from tickstock import contract
from tickstock.contract import IndicatorAlert, StreamingPattern

Signal = StreamingPattern | IndicatorAlert

KEPT_ENTRIES = 20_000
REMEMBERED_SIGNALS = 200_000


class Entry(NamedTuple):
    """One signal with its number, and the bytes that every browser gets."""

    seq: int
    signal: Signal
    is_new: bool  # the first time this id is seen, not a further state of it
    payload: bytes


class EventLog:
    """The last signals, numbered from 1 within an epoch."""

    def __init__(self, epoch: str, kept: int = KEPT_ENTRIES, remembered: int = REMEMBERED_SIGNALS) -> None:
        self.epoch = epoch
        self.seq = 0
        self.complete_from = 0  # detections before this moment are known, but not held: see `StoredDay`
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._final: dict[str, bool] = {}  # id: whether its state is final; the oldest first
        self._remembered = remembered
        self._last_asked = (-1, 0)
        self._last_detected: list[Entry] = []  # the answer to it: every browser that connects asks the same

    def add(self, signal: Signal) -> Entry | None:
        """Number a signal; None when it and its state are known already."""
        final = isinstance(signal, IndicatorAlert) or signal.state != "forming"
        known = self._final.get(signal.id)
        if known is None and signal.detection_timestamp < self.complete_from:
            return None
        if known is not None and (known or not final):
            return None
        if known is None and len(self._final) >= self._remembered:
            del self._final[next(iter(self._final))]
        self._final[signal.id] = final
        self.seq += 1
        entry = Entry(self.seq, signal, known is None, numbered(signal, self.seq))
        self._entries.append(entry)
        return entry

    def since(self, seq: int) -> range | None:
        """The numbers after `seq`; None when that number is not of this epoch or its successor is gone."""
        if not self.oldest - 1 <= seq <= self.seq:
            return None
        return range(seq + 1, self.seq + 1)

    def entries(self, first: int) -> Iterator[Entry]:
        """The entries from number `first` on, which must still be held."""
        return islice(self._entries, first - self.oldest, None)

    def last_detected(self, count: int) -> list[Entry]:
        """The `count` entries that were detected last, in the order of their numbers: history may be numbered after them."""
        if self._last_asked != (self.seq, count):
            newest = heapq.nlargest(count, self._entries, key=lambda entry: (entry.signal.detection_timestamp, entry.seq))
            self._last_detected = sorted(newest, key=lambda entry: entry.seq)
            self._last_asked = (self.seq, count)
        return self._last_detected

    @property
    def oldest(self) -> int:
        """The lowest number that is still held; the next one when none is."""
        return self._entries[0].seq if self._entries else self.seq + 1


def numbered(signal: Signal, seq: int) -> bytes:
    """The signal's message with its `seq` in front."""
    return b'{"seq":%d,%s' % (seq, contract.encode(signal)[1:])
