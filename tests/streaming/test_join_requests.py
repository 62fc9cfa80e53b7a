"""What a join asks of REST, when, how often, and that it ends with what there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tickstock.database.migrate import migrate
from tickstock.database.queries import Queries
from tickstock.database.writers import Writer
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar
from tickstock.settings import Settings
from tickstock.streaming.bar_builder import EndedMinute, LateTick
from tickstock.streaming.engine import StreamingEngine
from tickstock.streaming.joins import LONGEST_MS, MOST_ATTEMPTS, SPLITS_WAIT_MS, Joins
from tickstock.streaming.rest_fetcher import Fetched
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
        settings = Settings(feed="simulated", symbols=("AAA",), database_url=url)
        self.engine = StreamingEngine(settings, CALENDAR, lambda: TODAY)
        fetcher: Any = self.fetcher
        self.warm_up = WarmUp(settings, CALENDAR, self.engine, fetcher, Queries(url), lambda _: None)
        self.warm_up.splits.known = True
        self.engine.trading_day = self.warm_up._day = DAY
        self.joins = self.another()

    def another(self) -> Joins:
        """As another process would have them."""
        fetcher: Any = self.fetcher
        return Joins(CALENDAR, self.engine, fetcher, self.warm_up, Queries(self.url), lambda: self.listed, lambda: self.now)

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
    rows = here.joins.take_rows()
    here.joins.joined(["NEW"], AT)
    assert rows and not here.joins.take_rows()
    with Writer(here.url) as writer, writer.transaction() as batch:
        batch.set_coverage(rows)
    here.listed = ["NEW", "NEVER_SEEN"]
    here.warm_up.whole_from.clear()
    again = here.another()
    again.load(is_first_start=False)
    assert here.warm_up.symbols == ("AAA", "NEW")  # the other one comes at its place in the log
    again.begin_day(DAY)
    assert again.waiting == ["NEW"] and here.engine.awaited == {"NEW"}
    again.begin_day(date(2024, 11, 21))  # then it has its history like all others
    assert not again.waiting and not here.engine.awaited


def test_who_left_is_not_watched_and_not_waited_for(here: Joining) -> None:
    here.joins.joined(["NEW"], AT)
    here.joins.left(["NEW"])
    assert here.warm_up.symbols == ("AAA",) and not here.joins.waiting
    assert here.engine.awaited == {"NEW"}  # its series have no history


def test_another_run_watches_what_the_lists_say_then(here: Joining) -> None:
    here.listed = ["NEW"]
    here.joins.look_at_lists(AT)
    assert here.warm_up.symbols == ("AAA", "NEW") and here.joins.waiting == ["NEW"]
    here.listed = []
    here.joins.look_at_lists(AT + MINUTE_MS)
    assert here.warm_up.symbols == ("AAA",)
