"""REST in the background: a few threads, an order of need, answers in a queue that the main loop empties."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from tickstock.errors import DatabaseError, RestError, RestRefused
from tickstock.feed.massive_rest import MassiveRest
from tickstock.logs import Rejections

logger = logging.getLogger(__name__)

THREADS = 4
# The order of need: without splits no history is right, and the page's Chg% waits for day bars.
GAP, SPLITS, TODAY, DAYS, EARLIER, EVENING, REFERENCE = range(7)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to one request; `bars` is None when REST did not deliver, or what it did could not be stored."""

    symbol: str
    bars: Any  # a list of RestBar; of `ask` what the request gave
    tag: Any  # what the caller wanted to know it by
    refused: bool = False  # the plan does not allow it: asking again cannot help


Store = Callable[[str, Any], None]


def _keep(_symbol: str, _bars: Any) -> None:
    """What the main loop takes as it is needs no storing here."""


class RestFetcher:
    """Fetches bars of many symbols, and what else the vendor knows; `wake` is set whenever something was fetched."""

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

    def minutes(self, symbols: Iterable[str], start: int, end: int, need: int, tag: Any) -> None:
        """Ask for the one-minute bars that start between two moments (ms; the second is excluded), symbol by symbol."""
        for symbol in symbols:
            self.ask(need, symbol, tag, methodcaller("minute_bars", symbol, start, end))

    def take(self) -> Fetched | None:
        """The next answer, or None."""
        try:
            return self._fetched.get_nowait()
        except queue.Empty:
            return None

    def ask(self, need: int, symbol: str, tag: Any, fetch: Callable[[MassiveRest], Any], store: Store = _keep) -> None:
        """Have a thread call `fetch`, then `store` with what it gave, and answer with `tag`."""

        def work() -> None:
            bars, refused = None, False
            try:
                bars = fetch(self._rest)
                store(symbol, bars)
            except RestError as problem:
                refused = isinstance(problem, RestRefused)
                self.failures += 1
                self._rejections.add("REST request without an answer", f"{symbol}: {problem}")
            except DatabaseError as problem:
                bars = None
                self._rejections.add("history that could not be stored", f"{symbol}: {problem}")
            except Exception:  # a fault of ours: the thread has others to ask for
                bars = None
                logger.exception("STREAMING: What REST says of %s could not be taken", symbol)
            self._fetched.put(Fetched(symbol, bars, tag, refused))
            self._wake.set()

        self._wanted.put((need, next(self._numbers), work))

    def _run(self) -> None:
        while not self._stopped:
            self._wanted.get()[2]()
