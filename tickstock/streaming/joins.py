"""Symbols that come and go while the feed is live: absent until their history has come from REST, then as after a restart.

The log says from which minute on it is whole for a symbol. Minutes before that are never made from its ticks; they come from
REST, like its earlier days. Until all of that is stored only its one-minute bars are built; then its series are built between two
minutes, and what the minutes in between would have given is told too. So it makes no difference when REST answers, or whether the
process was started again meanwhile: what it has to know stands in `bar_coverage`.

A symbol that goes is absent again: nobody asks for its minutes any more, so longer bars would be made from a part of them.

It runs in the main thread, but for what a thread that fetches stores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tickstock.database.models import JOINED, LEFT, TOLD
from tickstock.database.queries import Queries
from tickstock.errors import DatabaseError, RestError
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS, Calendar
from tickstock.streaming.bar_builder import EndedMinute
from tickstock.streaming.engine import MinuteResults, StreamingEngine
from tickstock.streaming.health import shown
from tickstock.streaming.history_requests import Request
from tickstock.streaming.rest_fetcher import Fetched, RestFetcher
from tickstock.streaming.warm_up import History, WarmUp

logger = logging.getLogger(__name__)

STAGE = "join"
MOST_ATTEMPTS, FIRST_RETRY_MS = 8, 500  # each time twice as long after: about a minute
SPLITS_WAIT_MS = 60_000  # nothing is asked before the splits are known; a REST that does not tell them tells nothing else
LONGEST_MS = 300_000  # a join ends with what there is
DATABASE_RETRY_MS = 15_000
AT_ONCE = 10  # symbols whose series are built between two minutes: about a second


@dataclass(slots=True, eq=False)
class _Join:
    symbol: str
    at: int  # ms: the first minute that the log has whole
    begun: int  # steady ms
    over: int | None = None  # steady ms: when the minute before `at` was over
    is_stored: bool = False  # that it joined: what comes before that would tell the next start of a symbol that did not
    traded_last: bool = False  # in that minute, as far as ticks tell
    wanted: dict[str, Request] | None = None  # by stage; None: not known yet
    under_way: set[str] = field(default_factory=set)
    failures: dict[str, int] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)  # steady ms


class Joins:
    """Who joined, and what of their history is still awaited. Moments of the feed in ms, `now` of a clock that nobody sets."""

    def __init__(
        self,
        calendar: Calendar,
        engine: StreamingEngine,
        fetcher: RestFetcher,
        warm_up: WarmUp,
        queries: Queries,
        listed: Callable[[], Iterable[str]],
        now: Callable[[], int],
    ) -> None:
        """`listed` reads the symbols of all stored watchlists; the settings' own are watched in any case."""
        self._calendar = calendar
        self._engine = engine
        self._fetcher = fetcher
        self._warm_up = warm_up
        self._queries = queries
        self._listed = listed
        self._now = now
        self._always = warm_up.symbols
        self._joins: dict[str, _Join] = {}
        self._known: set[str] = set()  # symbols that ever were watched
        self._leaving: dict[str, int] = {}  # until their last minute is closed: its end
        self._gone: set[str] = set()  # not watched any more, as far as we were told
        self._rows: list[tuple[str, int, int]] = []  # of bar_coverage, for the next transaction
        self._not_before = 0  # after the database was away

    @property
    def waiting(self) -> list[str]:
        """The symbols whose history is awaited."""
        return sorted(self._joins)

    def load(self, is_first_start: bool) -> None:
        """Read what a process before this one knew, and what is watched.

        A listed symbol that it did not know comes at its place in the log, or with the gap of a log that does not reach so far;
        and so goes one that is not listed any more.

        Raises:
            DatabaseError: it cannot be read.
        """
        left, whole_from = {}, self._warm_up.whole_from
        for (symbol, kind), moment in self._queries.covered_days().items():
            self._known.add(symbol)
            if kind == JOINED:
                whole_from[symbol] = moment
            elif kind == TOLD:
                self._warm_up.told[symbol] = moment
            elif kind == LEFT:
                left[symbol] = moment
        gone = {symbol for symbol, at in left.items() if at > whole_from.get(symbol, 0)}
        listed = [symbol for symbol in self._listed() if is_first_start or symbol in self._known]
        self._watch([symbol for symbol in (*self._always, *listed) if symbol not in gone])
        if is_first_start and self._always:
            gone = self._known.difference(self._warm_up.symbols)
        self._gone = gone
        self._await(())

    def begin_day(self, day: date) -> None:
        """A trading day begins, or the process starts within it: who joined on it and is awaited still joins, the others have."""
        start = self._calendar.sessions_of(day)[0].start
        told, known = self._warm_up.told, self._joins
        awaited = {
            symbol: at for symbol, at in self._warm_up.whole_from.items() if at >= start and told.get(symbol, -1) < at
        }  # fmt: skip
        watched = set(self._warm_up.symbols)
        self._joins = {symbol: _Join(symbol, at, self._now()) for symbol, at in awaited.items() if symbol in watched}
        for symbol in known.keys() & self._joins.keys():
            self._joins[symbol].traded_last = known[symbol].traded_last
        self._await(awaited)

    def joined(self, symbols: Sequence[str], at: int) -> None:
        """The log has these symbols whole from `at` on."""
        new = [symbol for symbol in symbols if at > self._warm_up.whole_from.get(symbol, 0)]
        if not new:
            return  # read again
        self._watch([*self._warm_up.symbols, *new])
        self._known.update(new)
        self._gone.difference_update(new)
        for symbol in new:
            self._leaving.pop(symbol, None)
            self._warm_up.whole_from[symbol] = at
            self._rows.append((symbol, JOINED, at))
            self._joins[symbol] = _Join(symbol, at, self._now())
        self._await({*self._warm_up.joining, *new})
        logger.info("STREAMING: %s joined; their bars before are fetched from REST", shown(new))

    def left(self, symbols: Sequence[str], at: int) -> None:
        """These are not watched any more; their minutes from `at` on are not in the log."""
        going = set(symbols) - self._gone - self._leaving.keys()
        self._watch([symbol for symbol in self._warm_up.symbols if symbol not in going])
        self._rows += [(symbol, LEFT, at) for symbol in sorted(going)]
        awaited = going & self._joins.keys()
        for symbol in awaited:
            del self._joins[symbol]
        self._leaving |= dict.fromkeys(going - awaited, at)
        self._let_go(awaited)

    def minute_closes(self, start: int) -> None:
        """A minute is about to be closed: who left before it has no series any more."""
        self._let_go([symbol for symbol, at in self._leaving.items() if at <= start])

    def _let_go(self, symbols: Collection[str]) -> None:
        if symbols:
            for symbol in symbols:
                self._leaving.pop(symbol, None)
            self._gone.update(symbols)
            self._await(self._warm_up.joining.difference(symbols))

    def look_at_lists(self, until: int, at: int) -> None:
        """Another run of the app, which may watch others: the old ones are whole until `until`, the new ones from `at` on.

        Raises:
            DatabaseError: they cannot be read.
        """
        if not self._always:
            return  # everything is subscribed
        before = set(self._warm_up.symbols)
        wanted = dict.fromkeys([*self._always, *self._listed()])
        self.left(list(before.union(self._known).difference(wanted)), until)
        self.joined([symbol for symbol in wanted if symbol not in before], at)

    def forget(self) -> None:
        """What follows is a series of its own: a recorded day is played again."""
        self._warm_up.whole_from.clear()
        self._warm_up.told.clear()
        self._joins.clear()
        self._leaving.clear()
        self._rows.clear()
        self._await(())

    def only_whole(self, minutes: Iterable[EndedMinute]) -> None:
        """Take out of minutes that ended what was made from a part of a symbol's ticks, and what came late for such minutes."""
        whole_from = self._warm_up.whole_from
        if not whole_from:
            return
        for minute in minutes:
            for symbol in [each for each, at in whole_from.items() if minute.start < at and each in minute.bars]:
                del minute.bars[symbol]
                join = self._joins.get(symbol)
                if join is not None and minute.start == join.at - MINUTE_MS:
                    join.traded_last = True
            minute.late = [tick for tick in minute.late if tick.timestamp >= whole_from.get(tick.symbol, 0)]

    def take_rows(self, until: int) -> list[tuple[str, int, int]]:
        """Rows of `bar_coverage` to be stored with the minute that ended at `until`: who left is not said before its last one."""
        rows, self._rows = self._rows, [row for row in self._rows if row[1] == LEFT and row[2] > until]
        return [row for row in rows if row[1] != LEFT or row[2] <= until]

    def look(self, complete_until: int, is_stored: bool) -> None:
        """Ask REST for what is wanted and can be there; every minute before `complete_until` was closed, and perhaps stored."""
        now, day = self._now(), self._engine.trading_day
        if day is None or now < self._not_before:
            return
        try:
            self._find_wanted(day, now)
        except DatabaseError as problem:
            self._not_before = now + DATABASE_RETRY_MS
            logger.warning("STREAMING: What is missing of symbols that joined cannot be looked up (%s); tried again", problem)
            return
        for join in list(self._joins.values()):
            if join.over is None and complete_until >= join.at:
                join.over = now
            join.is_stored = join.is_stored or (join.over is not None and is_stored)
            if not join.is_stored:
                continue
            for stage, request in (join.wanted or {}).items():
                if stage in join.under_way or now < join.due.get(stage, 0):
                    continue
                join.under_way.add(stage)
                self._ask(join, request)

    def answered(self, fetched: Fetched) -> None:
        """Take an answer. What fails is tried again for a while; what REST does not know is not waited for."""
        join: _Join
        join, stage = fetched.tag[1]
        if join.wanted is None or self._joins.get(join.symbol) is not join:
            return
        join.under_way.discard(stage)
        failures = join.failures[stage] = join.failures.get(stage, 0) + (fetched.bars is None)
        if fetched.bars is not None or fetched.refused or failures >= MOST_ATTEMPTS:
            del join.wanted[stage]
        else:
            join.due[stage] = self._now() + (FIRST_RETRY_MS << (failures - 1))

    def ready(self) -> dict[int, list[str]]:
        """The symbols whose series can be built, by the moment from which on the log has them whole."""
        ready: dict[int, list[str]] = {}
        for join in self._joins.values():
            if join.over is None or self._now() < self._not_before:
                continue
            if join.wanted == {} or self._now() - join.over > LONGEST_MS:
                ready.setdefault(join.at, []).append(join.symbol)
        return ready

    def finish(self, until: int) -> tuple[History, MinuteResults] | None:
        """Build the series of some who are ready, up to `until`, before which everything is stored; see `WarmUp.join`."""
        at, together = next(iter(self.ready().items()))
        symbols = together[:AT_ONCE]
        try:
            found = self._warm_up.join(symbols, at, until)
        except DatabaseError as problem:
            self._not_before = self._now() + DATABASE_RETRY_MS
            logger.warning("STREAMING: The history of %s could not be loaded (%s); tried again", shown(symbols), problem)
            return None
        for symbol in symbols:
            del self._joins[symbol]
        self._await(self._warm_up.joining.difference(symbols))
        return found

    def _find_wanted(self, day: date, now: int) -> None:
        unknown: dict[int, list[_Join]] = {}
        for join in self._joins.values():
            if join.wanted is None and self._warm_up.splits.known:
                unknown.setdefault(join.at, []).append(join)
            elif join.wanted is None and now - join.begun > SPLITS_WAIT_MS:
                join.wanted = {}
        for at, joins in unknown.items():
            found = list(self._warm_up.requests.missing([join.symbol for join in joins], day, at))
            for join in joins:
                join.wanted = {request.stage: request for request in found if request.symbol == join.symbol}

    def _ask(self, join: _Join, request: Request) -> None:
        def store(symbol: str, bars: Any) -> None:
            if request.stage == "minutes" and self._lacks_last(join, bars):
                raise RestError("it has no bar yet of a minute in which ticks were seen")
            request.store(symbol, bars)

        self._fetcher.ask(request.need, join.symbol, (STAGE, (join, request.stage)), request.fetch, store)

    def _lacks_last(self, join: _Join, bars: Sequence[RestBar]) -> bool:
        """Whether the vendor's bars do not reach the minute before `at` yet; the last attempt takes them as they are."""
        is_last_attempt = join.failures.get("minutes", 0) >= MOST_ATTEMPTS - 1
        return join.traded_last and not is_last_attempt and all(bar.timestamp != join.at - MINUTE_MS for bar in bars)

    def _watch(self, symbols: Iterable[str]) -> None:
        if self._always:  # else everything is
            self._warm_up.symbols = tuple(dict.fromkeys(symbols))

    def _await(self, symbols: Iterable[str]) -> None:
        self._warm_up.leave_out(frozenset(symbols), frozenset(self._gone))
