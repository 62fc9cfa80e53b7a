"""One parser against its inputs: what was accepted, what was rejected, how fast; and what must never happen."""

from __future__ import annotations

import logging
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

ACCEPTED = ""
SLOWEST_SECONDS = 2.0  # for one input; the machine may do other things
MOST_GROWTH_KB = 300 * 1024  # of memory over a run


class Generator(Protocol):
    """Where inputs come from."""

    def next(self) -> bytes: ...


class Parser(Protocol):
    """Something that reads what others wrote. Each is a real one, without its socket or file."""

    name: str

    def inputs(self, seed: int) -> Generator:
        """Inputs that look like what it reads."""

    def take(self, data: bytes) -> str:
        """Read an input: ACCEPTED, or the kind under which it was rejected.

        Every exception but the documented one leaves it, and an AssertionError says what was lost or let through.
        """


class Escaped(AssertionError):
    """An input for which the property does not hold."""

    def __init__(self, parser: str, data: bytes, problem: BaseException | str) -> None:
        shown = data if len(data) <= 600 else data[:300] + b" ... " + data[-300:]
        super().__init__(f"{parser}: {len(data)} bytes: {shown!r}: {problem!r}")
        self.data = data


@dataclass
class Tally:
    """What came of a run."""

    parser: str
    inputs: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_input: bytes = b""

    @property
    def accepted(self) -> int:
        """Inputs that came out as valid values."""
        return self.inputs - self.rejected.total()

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in self.rejected.most_common())
        rate = self.inputs / max(self.seconds, 1e-9)
        return (
            f"{self.parser}: {self.inputs:,} inputs, {self.accepted:,} accepted, {self.rejected.total():,} rejected ({kinds}), "
            f"{rate:,.0f} inputs/s, slowest {self.slowest * 1000:.0f} ms"
        )


def run(parser: Parser, inputs: int, seed: int, first: Iterable[bytes] = ()) -> Tally:
    """Feed a parser with cases of its own and then with generated inputs.

    Raises:
        Escaped: an exception left it, something was lost or let through, or an input took too long or too much memory.
    """
    tally = Tally(parser.name)
    next_input, take, clock = parser.inputs(seed).next, parser.take, time.perf_counter
    memory = _peak_memory_kb()
    logging.disable(logging.CRITICAL)
    try:
        begun = clock()
        for data in first:
            _feed(tally, take, data)
        for _ in range(inputs):
            _feed(tally, take, next_input())
        tally.seconds = clock() - begun
    finally:
        logging.disable(logging.NOTSET)
    if tally.slowest > SLOWEST_SECONDS:
        raise Escaped(parser.name, tally.slowest_input, f"took {tally.slowest:.1f} s")
    if (grown := _peak_memory_kb() - memory) > MOST_GROWTH_KB:
        raise Escaped(parser.name, b"", f"the run took {grown // 1024} MB of memory")
    return tally


def _feed(tally: Tally, take: object, data: bytes) -> None:
    begun = time.perf_counter()
    try:
        kind = take(data)  # type: ignore[operator]
    except Exception as problem:
        raise Escaped(tally.parser, data, problem) from problem
    took = time.perf_counter() - begun
    tally.inputs += 1
    if kind:
        tally.rejected[kind] += 1
    if took > tally.slowest:
        tally.slowest, tally.slowest_input = took, data


def _peak_memory_kb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
