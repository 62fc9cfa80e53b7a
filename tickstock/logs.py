"""Logging for an operator: one set-up for every process, counters that do not flood, faults counted by kind."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable

EXAMPLE_LENGTH = 120
REPEAT_SECONDS = 60.0
_FIRST_COUNTS = (100, 200, 500, 1000)
_COUNT_SECONDS = 10.0


def configure(level: str) -> None:
    """Log to standard output, one line a record; the launcher adds the service's name and keeps the file."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)-7s %(message)s", datefmt="%H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("werkzeug", "engineio", "socketio", "websockets", "urllib3", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("websocket").setLevel(logging.CRITICAL)  # MassiveClient says why a connection ended, and what it does
    logging.getLogger("socketio").setLevel(logging.ERROR)  # it warns of every odd packet; LIVE-PAGE counts them


class Rejections:
    """Faulty input, counted by kind; each kind is logged at most once a minute, with an example cut to a safe length."""

    def __init__(self, logger: logging.Logger, prefix: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter()
        self._logger = logger
        self._prefix = prefix
        self._monotonic = monotonic
        self._logged: dict[str, tuple[float, int]] = {}  # kind: (when, count then)

    def add(self, kind: str, example: object = "", count: int = 1) -> None:
        """Count `count` faults of a kind; `example` is shown as escaped text."""
        self.counts[kind] += count
        now = self._monotonic()
        logged_at, logged_count = self._logged.get(kind, (float("-inf"), 0))
        if now - logged_at >= REPEAT_SECONDS:
            self._logged[kind] = (now, self.counts[kind])
            since = self.counts[kind] - logged_count
            self._logger.warning(
                "%s: dropped %s (%d since the last such line): %s", self._prefix, kind, since, shortened(example)
            )

    @property
    def total(self) -> int:
        """All faults of all kinds."""
        return sum(dict(self.counts).values())  # copied in one step: another thread may be counting


def all_counts(*rejections: Rejections) -> dict[str, int]:
    """The counts of several, kind by kind."""
    found: Counter[str] = Counter()
    for each in rejections:
        found.update(dict(each.counts))
    return dict(found)


def shortened(example: object) -> str:
    """Any object as one short line of printable text."""
    if isinstance(example, (str, bytes)) and len(example) > EXAMPLE_LENGTH:
        example = example[: EXAMPLE_LENGTH + 1]  # what is not shown need not be escaped
    try:
        text = repr(example)
    except (RecursionError, ValueError) as problem:  # nested too deeply, or a number too long to be written
        text = f"a {type(example).__name__} that cannot be shown ({type(problem).__name__})"
    return text if len(text) <= EXAMPLE_LENGTH else text[:EXAMPLE_LENGTH] + "…"


class CounterLog:
    """Logs a running total at 100, 200, 500 and 1,000, and then at most every ten seconds."""

    def __init__(self, log: Callable[[int], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.total = 0
        self._log = log
        self._monotonic = monotonic
        self._next = 0
        self._logged_at = float("-inf")

    def add(self, count: int) -> None:
        """Count `count` more."""
        if not count:
            return
        self.total += count
        if self._next < len(_FIRST_COUNTS):
            while self._next < len(_FIRST_COUNTS) and self.total >= _FIRST_COUNTS[self._next]:
                self._log(_FIRST_COUNTS[self._next])
                self._next += 1
            self._logged_at = self._monotonic()
        elif (now := self._monotonic()) - self._logged_at >= _COUNT_SECONDS:
            self._logged_at = now
            self._log(self.total)
