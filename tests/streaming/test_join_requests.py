"""What a join asks of REST, when, how often, and that it ends with what there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tickstock.database.migrate import migrate
from tickstock.database.queries import Queries
from tickstock.database.writers import Writer
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar
from tickstock.settings import Settings
from tickstock.streaming import warm_up
from tickstock.streaming.bar_builder import EndedMinute, LateTick
from tickstock.streaming.bar_columns import Bars
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.joins import LONGEST_MS, MOST_ATTEMPTS, SPLITS_WAIT_MS, Joins
from tickstock.streaming.rest_fetcher import Fetched
from tickstock.streaming.result_messages import LIVE
from tickstock.streaming.warm_up import WarmUp

CALENDAR = AlwaysOpenCalendar()
DAY = date(2024, 11, 20)
TODAY = CALENDAR.sessions_of(DAY)[0].start
AT = TODAY + 5 * MINUTE_MS


class Asked:
    """Stands in for the fetcher: it remembers what it was asked for."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any, Callable[[str, Any], None]]] = []

    def ask(self, need: int, symbol: str, tag: Any, fetch: Any, store: Callable[[str, Any], None]) -> None:
        self.requests.append((symbol, tag, store))

    def take(self) -> None:
        return None

    @property
    def stages(self) -> list[str]:
        return [tag[1][1] for _, tag, _ in self.requests]


class Joining:
    """Joins with everything around them, and a clock that the test sets."""

    def __init__(self, folder: Path) -> None:
        self.now = 0
        self.listed: list[str] = []
        url = f"sqlite:///{(folder / 'tickstock.db').as_posix()}"
        migrate(url)
        self.url, self.fetcher = url, Asked()
        self.start()
        self.engine.trading_day = self.warm_up._day = DAY

    def start(self) -> None:
        """As another process would have everything."""
        settings = Settings(feed="simulated", symbols=("AAA",), database_url=self.url)
        self.engine = StreamingEngine(settings, CALENDAR, lambda: TODAY)
        fetcher: Any = self.fetcher
        queries = Queries(self.url)
        self.warm_up = WarmUp(settings, CALENDAR, self.engine, fetcher, queries, lambda _: None)
        self.warm_up.splits.known = True
        self.joins = Joins(CALENDAR, self.engine, fetcher, self.warm_up, queries, lambda: self.listed, lambda: self.now)

    def left_out(self) -> set[str]:
        """Of two symbols, those whose longer bars are not told."""
        symbols, start = ("AAA", "NEW"), TODAY + 60 * MINUTE_MS
        lanes, ones = self.engine.lanes_for(symbols), np.ones(2)
        bars = [Bars(lanes, np.full(2, start + at * MINUTE_MS), *(ones,) * 9) for at in range(5)]
        told = [self.engine.close_minute(start + at * MINUTE_MS, each, LIVE) for at, each in enumerate(bars)]
        return set(symbols) - {row[0] for results in told for row in results.bars if row[1] == "5min"}

    def answer(self, bars: list[RestBar] | None, refused: bool = False) -> None:
        requests, self.fetcher.requests = self.fetcher.requests, []
        for symbol, tag, _ in requests:
            self.joins.answered(Fetched(symbol, bars, tag, refused))

    def ready(self) -> list[str]:
        return [symbol for symbols in self.joins.ready().values() for symbol in symbols]


@pytest.fixture
def here(tmp_path: Path) -> Joining:
    return Joining(tmp_path)


def test_history_is_asked_for_when_the_minute_is_over_and_it_is_stored_that_the_symbol_joined(here: Joining) -> None:
    """Bars that were stored before that would make the next start take it for a symbol that was there all the time."""
    here.joins.joined(["NEW"], AT)
    here.joins.look(AT - MINUTE_MS, True)
    here.joins.look(AT, False)
    assert not here.fetcher.requests
    here.joins.look(AT, True)
    assert sorted(here.fetcher.stages) == ["days", "earlier", "minutes"]
    assert here.joins.waiting == ["NEW"] and not here.ready()
    here.answer([])  # REST knows nothing
    assert here.ready() == ["NEW"]


def test_what_fails_is_tried_again_for_a_while_and_then_goes_without(here: Joining) -> None:
    here.joins.joined(["NEW"], AT)
    attempts = 0
    while not here.ready():
        here.joins.look(AT, True)
        attempts += len(here.fetcher.requests)
        here.answer(None)
        here.now += 1_000
        assert here.now < LONGEST_MS
    assert attempts == 3 * MOST_ATTEMPTS
    assert here.now > 30_000


def test_what_the_plan_does_not_allow_is_asked_for_once(here: Joining) -> None:
    here.joins.joined(["NEW"], AT)
    here.joins.look(AT, True)
    here.answer(None, refused=True)
    assert here.ready() == ["NEW"]


def test_a_rest_that_never_answers_ends_the_wait(here: Joining) -> None:
    here.joins.joined(["NEW"], AT)
    here.joins.look(AT, True)
    here.now += LONGEST_MS + 1
    assert here.ready() == ["NEW"]


def test_nothing_is_asked_before_the_splits_are_known_and_that_is_not_waited_for_ever(here: Joining) -> None:
    here.warm_up.splits.known = False
    here.joins.joined(["NEW"], AT)
    here.joins.look(AT, True)
    assert not here.fetcher.requests and not here.ready()
    here.now += SPLITS_WAIT_MS + 1
    here.joins.look(AT, True)
    assert not here.fetcher.requests and here.ready() == ["NEW"]


def test_an_answer_that_does_not_reach_the_minute_in_which_ticks_were_seen_is_asked_for_again(here: Joining) -> None:
    here.joins.joined(["NEW"], AT)
    here.joins.only_whole([EndedMinute(AT - MINUTE_MS, {"NEW": [1.0] * 8, "AAA": [1.0] * 8}, "run", 1, 1)])
    here.joins.look(AT, True)
    store = next(store for _, tag, store in here.fetcher.requests if tag[1][1] == "minutes")
    with pytest.raises(Exception, match="no bar yet"):
        store("NEW", [RestBar(AT - 2 * MINUTE_MS, 1.0, 1.0, 1.0, 1.0, 1, 1)])
    store("NEW", [RestBar(AT - MINUTE_MS, 1.0, 1.0, 1.0, 1.0, 1, 1)])
    assert Queries(here.url).covered_days()["NEW", TODAY] == AT


def test_parts_of_minutes_and_what_came_late_for_them_are_left_out(here: Joining) -> None:
    here.joins.joined(["NEW"], AT)
    late = [LateTick("NEW", 1.0, 1, AT - 1), LateTick("NEW", 1.0, 1, AT), LateTick("AAA", 1.0, 1, AT - 1)]
    part = EndedMinute(AT - MINUTE_MS, {"NEW": [1.0] * 8, "AAA": [1.0] * 8}, "run", 1, 1, late)
    whole = EndedMinute(AT, {"NEW": [1.0] * 8}, "run", 1, 1)
    here.joins.only_whole([part, whole])
    assert (set(part.bars), set(whole.bars), part.late) == ({"AAA"}, {"NEW"}, late[1:])


def test_a_join_that_is_read_again_is_none_and_one_that_is_stored_is_known_to_the_next_process(here: Joining) -> None:
    here.joins.joined(["NEW"], AT)
    rows = here.joins.take_rows(AT)
    here.joins.joined(["NEW"], AT)
    assert rows and not here.joins.take_rows(AT)
    with Writer(here.url) as writer, writer.transaction() as batch:
        batch.set_coverage(rows)
    here.listed = ["NEW", "NEVER_SEEN"]
    here.start()
    here.joins.load(is_first_start=False)
    assert here.warm_up.symbols == ("AAA", "NEW")  # the other one comes at its place in the log
    here.joins.begin_day(DAY)
    assert here.joins.waiting == ["NEW"] and here.left_out() == {"NEW"}
    here.joins.begin_day(date(2024, 11, 21))  # then it has its history like all others
    assert not here.joins.waiting and not here.left_out()


def test_who_left_is_not_watched_and_not_waited_for(here: Joining) -> None:
    here.joins.joined(["NEW"], AT)
    here.joins.left(["NEW"], AT + MINUTE_MS)
    assert here.warm_up.symbols == ("AAA",) and not here.joins.waiting
    assert here.left_out() == {"NEW"}  # its series have no history


def test_who_left_has_no_series_any_more_in_the_next_process_either_until_it_joins_again(
    here: Joining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_up, "SHORT_SECONDS", 0.0)  # nobody answers
    here.listed = ["NEW"]
    here.joins.load(is_first_start=True)
    here.engine.lanes_for(["AAA", "NEW"])
    left = AT + 3 * MINUTE_MS
    here.joins.left(["NEW"], left)
    here.joins.minute_closes(left - MINUTE_MS)
    assert not here.left_out() and not here.joins.take_rows(left - MINUTE_MS)  # before its last minute is closed
    here.joins.minute_closes(left)
    assert here.left_out() == {"NEW"}
    with Writer(here.url) as writer, writer.transaction() as batch:
        batch.set_coverage([("AAA", TODAY, AT), ("NEW", TODAY, AT), *here.joins.take_rows(left)])
        bar = (left - MINUTE_MS, 0, 1.0, 1.0, 1.0, 1.0, 5, 1, 1, "simulated", left - MINUTE_MS, left - MINUTE_MS)
        batch.insert_bars([(symbol, "1min", *bar) for symbol in ("AAA", "NEW")])
    here.start()
    here.joins.load(is_first_start=False)  # the list has it again: what the log says of that comes later
    assert here.warm_up.symbols == ("AAA",)
    here.joins.begin_day(DAY)
    monkeypatch.setattr(here.warm_up.splits, "begin", lambda day: None)
    here.warm_up.run(DAY, left, left)
    assert here.engine.symbols == ["AAA"]
    here.joins.joined(["NEW"], left + MINUTE_MS)
    assert here.warm_up.symbols == ("AAA", "NEW") and here.joins.waiting == ["NEW"] and here.left_out() == {"NEW"}


def test_another_run_watches_what_the_lists_say_then(here: Joining) -> None:
    here.listed = ["NEW"]
    here.joins.look_at_lists(AT - MINUTE_MS, AT)
    assert here.warm_up.symbols == ("AAA", "NEW") and here.joins.waiting == ["NEW"]
    here.listed = []
    here.joins.look_at_lists(AT, AT + MINUTE_MS)
    assert here.warm_up.symbols == ("AAA",)
