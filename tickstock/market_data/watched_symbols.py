"""Which symbols a run takes in while watchlists change: each from where the log explains its ticks to the end of a minute.

Pure. A symbol that comes is refused until the feed has confirmed it and the log says so, because a minute of which a part came
before that looks whole to nobody. One that goes stays subscribed, and is taken in, until its running minute is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class WatchedSymbols:
    """The symbols of one run; moments are those of the feed (ms)."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self.subscribed = tuple(symbols)  # what the feed is to be asked for
        self._wanted = frozenset(symbols)
        self._awaited: set[str] = set()  # asked for; the feed has not confirmed them
        self._leaving: dict[str, int] = {}  # until the end of their last minute
        self._gone: set[str] = set()

    @property
    def leaving(self) -> bool:
        """Whether a symbol's last minute runs."""
        return bool(self._leaving)

    def watch(self, symbols: Sequence[str], minute_end: int, was_live: bool) -> list[str]:
        """These are wanted from now on; `minute_end` is the end of the running minute. Returns who joins at once.

        That is who comes back before the feed was asked to leave out its ticks, of which some were refused already.
        """
        before, self._wanted = self._wanted, frozenset(symbols)
        back = []
        for symbol in self._wanted - before:
            if not was_live:
                self._gone.discard(symbol)
            elif symbol not in self._leaving:
                self._awaited.add(symbol)
            elif self._leaving.pop(symbol) < minute_end:
                back.append(symbol)
        for symbol in before - self._wanted:
            if symbol in self._awaited or not was_live:
                self._awaited.discard(symbol)
                self._gone.add(symbol)
            else:
                self._leaving[symbol] = minute_end
        self._find_subscribed(symbols)
        return sorted(back)

    def confirmed(self, symbols: Iterable[str]) -> list[str]:
        """The feed confirmed these on an open connection: those of them that join."""
        joined = [symbol for symbol in symbols if symbol in self._wanted]
        self._awaited.difference_update(joined)
        self._gone.difference_update(joined)
        return joined

    def connected(self) -> list[str]:
        """The feed confirmed a new connection, with everything that is wanted: who joins, besides those whom its gap concerns."""
        return self.confirmed(sorted(self._awaited))

    def passed(self, watermark: int) -> dict[int, list[str]]:
        """Who has left now that the watermark is here, by the end of their last minute."""
        return self._let_go([symbol for symbol, end in self._leaving.items() if end <= watermark])

    def disconnected(self) -> dict[int, list[str]]:
        """The feed was lost: who was leaving has left."""
        return self._let_go(list(self._leaving))

    def is_settled(self, symbol: str) -> bool:
        """Whether all ticks of a symbol are taken in until this changes with one of the calls above."""
        return symbol not in self._leaving and symbol not in self._awaited and symbol not in self._gone

    def takes(self, symbol: str, timestamp: int) -> bool:
        """Whether a tick is taken in."""
        last = self._leaving.get(symbol)
        if last is not None:
            return timestamp < last
        return symbol not in self._awaited and symbol not in self._gone

    def _let_go(self, symbols: Sequence[str]) -> dict[int, list[str]]:
        left: dict[int, list[str]] = {}
        for symbol in symbols:
            left.setdefault(self._leaving.pop(symbol), []).append(symbol)
            self._gone.add(symbol)
        if left:
            self._find_subscribed([symbol for symbol in self.subscribed if symbol in self._wanted])
        return left

    def _find_subscribed(self, wanted: Sequence[str]) -> None:
        self.subscribed = tuple(dict.fromkeys((*wanted, *self._leaving)))
