"""REST bars in the background: a few threads, an order of need, results in a queue that the main loop empties."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from tickstock.errors import DatabaseError, RestError
from tickstock.feed.massive_rest import MassiveRest, RestBar
from tickstock.logs import Rejections

logger = logging.getLogger(__name__)

THREADS = 4
GAP, TODAY, DAYS, EARLIER = 0, 1, 2, 3  # the order of need: the page's Chg% waits for day bars


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to one request; `bars` is None when REST did not deliver, or what it did could not be stored."""

    symbol: str
    bars: list[RestBar] | None
    tag: Any  # what the caller wanted to know it by


Store = Callable[[str, list[RestBar]], None]


def _keep(_symbol: str, _bars: list[RestBar]) -> None:
    """Bars that the main loop takes as they are need no storing here."""


class RestFetcher:
    """Fetches bars for many symbols; `wake` is set whenever something was fetched."""

    def __init__(self, rest: MassiveRest, rejections: Rejections, wake: threading.Event) -> None:
        self.failures = 0
        self._rest = rest
        self._rejections = rejections
        self._wake = wake
        self._wanted: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        self._fetched: queue.SimpleQueue[Fetched] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._stopped = False
        self._threads = [threading.Thread(target=self._run, name=f"rest-{n}", daemon=True) for n in range(THREADS)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the threads end after their present request; they are daemons and nobody waits for them."""
        self._stopped = True
        for _ in self._threads:
            self._wanted.put((-1, next(self._numbers), lambda: None))

    def minutes(self, symbols: Iterable[str], start: int, end: int, need: int, tag: Any, store: Store = _keep) -> None:
        """Ask for the one-minute bars that start between two moments (ms; the second is excluded), symbol by symbol.

        `store` is called with each symbol and its bars, in the thread that fetched them.
        """
        for symbol in symbols:
            self._ask(need, symbol, tag, partial(self._rest.minute_bars, symbol, start, end), store)

    def days(self, symbols: Iterable[str], first: date, last: date, need: int, tag: Any, store: Store = _keep) -> None:
        """Ask for day bars between two dates, both included, as `minutes` does."""
        for symbol in symbols:
            self._ask(need, symbol, tag, partial(self._rest.day_bars, symbol, first, last), store)

    def take(self) -> Fetched | None:
        """The next answer, or None."""
        try:
            return self._fetched.get_nowait()
        except queue.Empty:
            return None

    def _ask(self, need: int, symbol: str, tag: Any, fetch: Callable[[], list[RestBar]], store: Store) -> None:
        def work() -> None:
            bars: list[RestBar] | None = None
            try:
                bars = fetch()
                store(symbol, bars)
            except RestError as problem:
                self.failures += 1
                self._rejections.add("REST request without an answer", f"{symbol}: {problem}")
            except DatabaseError as problem:
                bars = None
                self._rejections.add("history that could not be stored", f"{symbol}: {problem}")
            self._fetched.put(Fetched(symbol, bars, tag))
            self._wake.set()

        self._wanted.put((need, next(self._numbers), work))

    def _run(self) -> None:
        while not self._stopped:
            self._wanted.get()[2]()
