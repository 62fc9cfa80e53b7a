"""One seed: the undisturbed day at full speed, the disturbed one, and what differs between them."""

from __future__ import annotations

import math
import random
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.comparison import (
    Difference,
    Key,
    StoredDay,
    corrected_minutes,
    differences,
    minutes_of_gaps,
    read_day,
)
from tests.chaos.databases import FOLDER_MOVED, Database, PostgresDatabase, SqliteFile
from tests.chaos.day import VirtualDay
from tests.chaos.faults import CUTS_FEED, FAULTS
from tests.chaos.listeners import Browser, ResultsListener
from tests.chaos.schedule import Step, steps
from tests.chaos.system import System
from tests.servers import PostgresServer
from tickstock.market_hours import MINUTE_MS

STRUCK_PART = 0.85  # of the day: the rest is for recovering
RECOVERY_SECONDS = 60.0
MOST_LEFT_OUT = 5  # symbols
SLACK_MS = 3 * MINUTE_MS  # between the market's clock as the harness sees it and what has reached the app

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What became of a seed."""

    faults: list[str] = field(default_factory=list)
    ticks_in: int = 0
    ticks_lost: int = 0
    not_stored: int = 0
    differences: list[Difference] = field(default_factory=list)
    untold: list[Key] = field(default_factory=list)  # stored results that the browser never heard of
    contradictions: list[Key] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    recoveries: list[tuple[float, str]] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Results that are not there, or not as they should be."""
        return sum(len(each.missing) + len(each.unequal) for each in self.differences) + len(self.untold)

    @property
    def doubled(self) -> int:
        """Results that are there besides, or with two contents."""
        return sum(len(each.surplus) for each in self.differences) + len(self.contradictions)

    @property
    def lost(self) -> int:
        """Everything that should be there and is not."""
        return self.ticks_lost + self.missing

    @property
    def longest_recovery(self) -> float:
        """In seconds."""
        return max((seconds for seconds, _ in self.recoveries), default=0.0)

    @property
    def is_good(self) -> bool:
        """Whether the day ended as the undisturbed one."""
        return not (self.lost or self.doubled or self.problems)


class Stores:
    """Two databases that begin with the same history: of the undisturbed day, and of the disturbed one."""

    def __init__(self, kind: str, folder: Path, server: PostgresServer | None = None) -> None:
        self._server = server
        self._own_server = kind == "postgresql" and server is None
        if kind == "postgresql":
            self._server = server or PostgresServer()
            self.names = [f"{folder.name}_{name}" for name in ("history", "undisturbed", "disturbed")]
        self._files = [folder / name / "tickstock.db" for name in ("history", "undisturbed-database", "disturbed-database")]

    def fill(self, day: VirtualDay) -> tuple[str, str]:
        """Store the history in both; their URLs."""
        if self._server is not None:
            day.fill_history(self._server.create_database(self.names[0]))
            first, second = (self._server.create_database(name, template=self.names[0]) for name in self.names[1:])
            return first, second
        for file in self._files:
            file.parent.mkdir()
        day.fill_history(f"sqlite:///{self._files[0].as_posix()}")
        for file in self._files[1:]:
            shutil.copy(self._files[0], file)
        return tuple(f"sqlite:///{file.as_posix()}" for file in self._files[1:])  # type: ignore[return-value]

    def disturbed(self, url: str) -> Database:
        """The second one, as something that fails."""
        return PostgresDatabase(self._server, url) if self._server is not None else SqliteFile(self._files[2])

    def close(self) -> None:
        """Stop the server, if it is our own."""
        if self._own_server and self._server is not None:
            self._server.stop()


def run_seed(
    seed: int,
    minutes: float,
    kind: str,
    folder: Path,
    say: Say,
    *,
    server: PostgresServer | None = None,
    seconds: float | None = None,
) -> Outcome:
    """Live through a seed's day twice and compare.

    Args:
        minutes: length of the disturbed run.
        kind: sqlite or postgresql.
        folder: empty; it gets the databases and logs.
        server: the PostgreSQL server to use; None starts one.
        seconds: how long all of it may take; by default a minute more than twice the disturbed run.
    """
    limit = time.monotonic() + (seconds or 60 * (2 * minutes + 1))
    day = VirtualDay.of(seed, minutes)
    stores = Stores(kind, folder, server)
    outcome = Outcome()
    try:
        say(f"seed {seed}: {day}, {len(day.symbols)} symbols, {kind}; logs in {folder}")
        began = time.monotonic()
        undisturbed, disturbed = stores.fill(day)
        say(f"history stored in {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        _live_through(day, folder / "undisturbed", undisturbed, limit - 60 * minutes)
        say(f"undisturbed day done in {time.monotonic() - began:.1f} s")
        _disturb(day, minutes, folder / "disturbed", disturbed, stores.disturbed(disturbed), limit, outcome, say)
        _compare(day, read_day(undisturbed), read_day(disturbed), corrected_minutes(undisturbed), outcome)
    except TimeoutError as problem:
        outcome.problems.append(str(problem))
    finally:
        stores.close()
    if time.monotonic() > limit:
        outcome.problems.append(f"this took {time.monotonic() - limit:.0f} s longer than it may")
    return outcome


def _live_through(day: VirtualDay, folder: Path, url: str, limit: float) -> None:
    with System(folder, day, "max", url) as system:
        system.wait_until(lambda: system.is_over, limit - time.monotonic(), "the end of the undisturbed day")


def _disturb(
    day: VirtualDay, minutes: float, folder: Path, url: str, database: Database, limit: float, outcome: Outcome, say: Say
) -> None:
    speed = day.minutes / minutes
    with System(folder, day, f"{speed:g}", url, day.joining) as system:
        browser, results = Browser(system.port, day.symbols), ResultsListener(system.redis_port)
        try:
            system.wait_until(lambda: system.committed_minute() >= day.start, 60, "the day's first minute")
            last_strike = day.start + int(STRUCK_PART * (day.end - day.start))
            cuts: list[tuple[str, int]] = []
            for step in steps(day.seed):
                if outcome.faults and system.virtual_now() >= last_strike:
                    break
                say(f"  {_clock(day, system)} {step}")
                cuts += _strike(system, database, step, outcome)
                _await_recovery(system, browser, step, outcome, say)
                time.sleep(step.pause)
            system.wait_until(lambda: system.is_over, max(5.0, limit - time.monotonic() - 5), "the end of the disturbed day")
            time.sleep(1.5)  # for what is on its way to the browser
            _check_gaps(system, cuts, outcome)
            outcome.joined = system.joined
        finally:
            browser.close()
            results.close()
    heard = {*browser.heard.contradictions(), *results.heard.contradictions()}
    outcome.contradictions = sorted(heard, key=str)
    outcome.problems += browser.faults
    stored = read_day(url)
    told = browser.heard.contents.keys()
    outcome.untold = [key for key, origin in stored.origins.items() if origin != "history" and key not in told]


def _strike(system: System, database: Database, step: Step, outcome: Outcome) -> list[tuple[str, int]]:
    """Let a step's faults happen, the second one in the midst of the first; which of them cut the feed, and when."""
    chosen = random.Random(step.seed)
    cuts = []
    with ExitStack() as under_way:
        for number, strike in enumerate(step.strikes):
            if number:
                time.sleep(step.strikes[0].seconds * 0.4)
            fault = FAULTS[strike.fault]
            at = system.virtual_now()
            connected = system.proxy.connected
            note = under_way.enter_context(fault.happen(system, database, chosen))
            outcome.faults.append(f"{fault.name}: {note}" if note else fault.name)
            if CUTS_FEED in fault.effects and connected:
                cuts.append((fault.name, at))
        time.sleep(max(strike.seconds for strike in step.strikes))
        if len(step.strikes) == 1 and 0 < fault.known_after < strike.seconds and note != FOLDER_MOVED:
            _check_that_health_knows(system, step, outcome)
    return cuts


def _check_that_health_knows(system: System, step: Step, outcome: Outcome) -> None:
    try:
        status = system.get("/health")["status"]
    except OSError as problem:
        outcome.problems.append(f"/health did not answer during: {step}: {problem}")
        return
    if status == "ok":
        outcome.problems.append(f"/health said ok during: {step}")


def _await_recovery(system: System, browser: Browser, step: Step, outcome: Outcome, say: Say) -> None:
    """Healthy progress: every process there, the page connected, and a minute stored that was open when the faults ended."""
    began = time.monotonic()
    open_minute = min(system.virtual_now() // MINUTE_MS * MINUTE_MS, system.day.end - MINUTE_MS)
    while not (system.runs() and browser.connected and system.committed_minute() >= open_minute):
        if time.monotonic() - began > RECOVERY_SECONDS:
            outcome.problems.append(f"no progress within {RECOVERY_SECONDS:.0f} s after: {step}")
            return
        time.sleep(0.05)
    outcome.recoveries.append((time.monotonic() - began, str(step)))
    say(f"           recovered after {time.monotonic() - began:.1f} s")


def _check_gaps(system: System, cuts: list[tuple[str, int]], outcome: Outcome) -> None:
    """`/api/gaps` names every gap, none is lost, none still waits."""
    gaps = system.get("/api/gaps?limit=500")["gaps"]
    for name, at in cuts:
        named = any(
            gap["started"] <= at + SLACK_MS and (gap["ended"] or at) >= at - SLACK_MS
            for gap in gaps
            if gap["id"].startswith("feed:")
        )
        if not named:
            outcome.problems.append(f"/api/gaps does not name the gap of: {name} at {at}")
    for gap in gaps:
        if gap["lost"]:
            outcome.problems.append(f"/api/gaps: lost: {gap}")
            words = str(gap["lost"]).split()
            outcome.ticks_lost += int(words[0]) if words[1:] == ["ticks"] else 0
        elif gap["repair"] is None and gap["id"].startswith("feed:"):
            outcome.problems.append(f"/api/gaps: not repaired: {gap}")


def _compare(day: VirtualDay, expected: StoredDay, found: StoredDay, corrected: dict[int, set[str]], outcome: Outcome) -> None:
    touched = minutes_of_gaps(found.gaps)
    late: set[str] = set().union(*(symbols for minute, symbols in corrected.items() if minute in touched))
    outcome.left_out = sorted(late)
    if len(late) > MOST_LEFT_OUT:
        outcome.problems.append(f"{len(late)} symbols had late prints in a gap: too many for the comparison to say much")
    since = {symbol: found.followed_from.get(symbol, math.inf) for symbol in day.joining}
    outcome.problems += [f"{symbol} joined, and was never followed" for symbol in outcome.joined if since[symbol] == math.inf]
    outcome.differences = differences(expected, found, late.__contains__, since)
    outcome.compared = {name: len(rows) for name, rows in expected.tables.items()}
    outcome.ticks_in = found.forwarded
    outcome.not_stored = found.forwarded - found.ticks


def _clock(day: VirtualDay, system: System) -> str:
    return f"{(system.virtual_now() - day.start) / MINUTE_MS:6.1f} min"


def shown(outcome: Outcome, first: int = 12) -> list[str]:
    """What is wrong, readably: the first of each kind."""
    lines = [f"problem: {each}" for each in outcome.problems]
    for difference in outcome.differences:
        for name in ("missing", "surplus"):
            keys: list[Any] = getattr(difference, name)
            lines += [f"{difference.table}, {name}: {_text(key)}" for key in sorted(keys, key=str)[:first]]
            lines += [f"{difference.table}, {name}: … {len(keys)} in all"] if len(keys) > first else []
        for key, expected, found in sorted(difference.unequal, key=str)[:first]:
            columns = [column for column in expected if expected[column] != found[column]]
            lines.append(f"{difference.table}, unequal: {_text(key)}")
            lines += [f"    {column}: expected {_differing(expected[column], found[column])}" for column in columns]
        if len(difference.unequal) > first:
            lines.append(f"{difference.table}, unequal: … {len(difference.unequal)} in all")
    lines += [f"never told to the browser: {_text(key)}" for key in outcome.untold[:first]]
    lines += [f"told with two contents: {_text(key)}" for key in outcome.contradictions[:first]]
    return lines


def _differing(expected: Any, found: Any) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        names = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
        return "; ".join(f"{name} {expected.get(name)!r}, found {found.get(name)!r}" for name in names[:6])
    return f"{expected!r}, found {found!r}"


def _text(key: Key) -> str:
    return " ".join(map(str, key))
