"""Which fault comes when: a deck that a seed shuffles, so that a failure can be repeated. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.chaos.faults import EMPTIES_REDIS, FAULTS, TAKES_DATABASE, Fault

TOGETHER = 0.3  # how often a second fault strikes before the first one is over
SHORTEST_SECONDS = 0.8
LONGEST_PAUSE = 1.5


@dataclass(frozen=True)
class Strike:
    """One fault: how long it lasts."""

    fault: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.fault} ({self.seconds:.1f} s)" if self.seconds else self.fault


@dataclass(frozen=True)
class Step:
    """One fault, or two of which the second strikes within the first; then recovery is awaited, and a moment more."""

    strikes: tuple[Strike, ...]
    seed: int  # of what the faults choose
    pause: float

    def __str__(self) -> str:
        return f"{' with '.join(map(str, self.strikes))}, then {self.pause:.1f} s"


def steps(seed: int, faults: Mapping[str, Fault] = FAULTS) -> Iterator[Step]:
    """The steps of a seed, without end."""
    chosen = random.Random(f"schedule {seed}")
    deck: list[Fault] = []
    while True:
        strikes = [_strike(_draw(deck, faults, chosen), chosen)]
        if chosen.random() < TOGETHER:
            second = _draw(deck, faults, chosen)
            if may_meet(faults[strikes[0].fault], second):
                strikes.append(_strike(second, chosen))
            else:
                deck.append(second)
        yield Step(tuple(strikes), chosen.randrange(1 << 30), round(chosen.random() * LONGEST_PAUSE, 2))


def may_meet(first: Fault, second: Fault) -> bool:
    """Whether two faults may strike together: not when they take the log and the stored ticks at once, which is not promised."""
    takes = {*first.effects, *second.effects}
    if first.name == second.name or EMPTIES_REDIS in takes:
        return False
    return not (TAKES_DATABASE in first.effects and TAKES_DATABASE in second.effects)


def _draw(deck: list[Fault], faults: Mapping[str, Fault], chosen: random.Random) -> Fault:
    if not deck:
        deck += [fault for fault in faults.values() for _ in range(fault.weight)]
        chosen.shuffle(deck)
    return deck.pop()


def _strike(fault: Fault, chosen: random.Random) -> Strike:
    if not fault.longest:
        return Strike(fault.name, 0.0)
    return Strike(fault.name, round(SHORTEST_SECONDS + chosen.random() * (fault.longest - SHORTEST_SECONDS), 1))
