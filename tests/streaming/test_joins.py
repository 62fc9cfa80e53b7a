"""Symbols that join while the feed is live, in TickStockPL as a process: nothing is made from a part of a minute, and nothing
that is stored depends on when REST answers, or whether the process was killed meanwhile."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.servers import RedisServer
from tests.streaming.market import T0, Item, Publisher, Say, TinyRest, eventually, synthetic_day
from tests.streaming.process import StreamingProcess, progress, rows_of, tables, wait_for_minute, wait_until_warm
from tests.streaming.test_whole_process import AHEAD, Tables, assert_same, vendor_history
from tickstock.contract import HEALTH_LATEST_KEY, MarketTick
from tickstock.database.migrate import migrate
from tickstock.database.watchlists import Watchlists
from tickstock.market_hours import MINUTE_MS

MINUTES = 24
NEW = ("S08", "S09")  # of the ten symbols of the synthetic day, those that join
JOINED_IN, AT = T0 + 10 * MINUTE_MS + 20_000, T0 + 11 * MINUTE_MS
WATCHED = ",".join(f"S{number:02}" for number in range(8))


def day_with_a_join() -> list[Item]:
    """The new symbols' ticks begin within a minute, directly behind the status that tells of them."""
    items, told = [], False
    for item in synthetic_day(11, 10, MINUTES, late_share=0.01):
        if not told and isinstance(item, MarketTick) and item.timestamp >= JOINED_IN:
            watermark = max(each.watermark for each in items if isinstance(each, Say))
            items.append(Say(watermark, joined=(NEW, AT)))
            told = True
        if isinstance(item, MarketTick) and item.symbol in NEW and not told:
            continue
        items.append(item)
    return items


def history() -> dict[str, list[dict[str, Any]]]:
    """Of the days before; of the new symbols also of the running day, past the moment from which on the log has them."""
    found = vendor_history(5)
    chance = random.Random(6)
    for symbol in NEW:
        for minute in range(20):
            price = round(chance.uniform(90, 91), 2)
            bar = {"t": T0 + minute * MINUTE_MS, "o": price, "h": price + 0.1, "l": price - 0.1, "c": price, "v": 1_000, "n": 3}
            found[symbol].append(bar)
    return found


class Day:
    """One run over the day, in a database and a Redis of its own."""

    def __init__(self, folder: Path, rest: TinyRest) -> None:
        folder.mkdir()
        self.url = f"sqlite:///{(folder / 'tickstock.db').as_posix()}"
        migrate(self.url)
        self.lists = Watchlists(self.url)
        self.server = RedisServer()
        self.publisher = Publisher(self.server)
        self.streaming = StreamingProcess(self.server, self.url, rest.url, folder, TICKSTOCK_SYMBOLS=WATCHED)

    def begin(self, first: Item, timeframes: int = 5) -> None:
        self.streaming.start()
        self.streaming.wait_until_subscribed()
        self.publisher.send([first])
        wait_until_warm(self.url, timeframes)
        eventually(
            lambda: set(WATCHED.split(",")) <= {row["symbol"] for row in rows_of(self.url, "bar_coverage") if row["day"] == 0}
        )

    def store_list(self) -> None:
        """As the app does it before it subscribes."""
        if not self.lists.lists():
            self.lists.create("New ones", list(NEW))

    def send(self, items: Sequence[Item]) -> None:
        if any(isinstance(item, Say) and item.left for item in items):
            self.lists.delete(self.lists.lists()[0].id)
        if any(isinstance(item, Say) and item.joined for item in items):
            self.store_list()
        for at in range(0, len(items), 20):
            self.publisher.send(items[at : at + 20])
            self.publisher.wait_for_taken(AHEAD)

    def restart(self) -> None:
        self.streaming.kill()
        self.streaming.start()

    def health(self) -> dict[str, Any]:
        with self.server.client() as client:
            return json.loads(client.get(HEALTH_LATEST_KEY) or b'{"issues":[]}')

    def wait_until_joined(self) -> None:
        eventually(lambda: {row["symbol"] for row in rows_of(self.url, "bar_coverage") if row["day"] == 2} == set(NEW))

    def wait_for_minute(self, minute: int) -> None:
        last = T0 + minute * MINUTE_MS
        eventually(lambda: self.publisher.repeat_status() or ((found := progress(self.url)) and found.minute >= last), pause=0.3)

    def end(self) -> Tables:
        self.wait_for_minute(MINUTES - 1)
        self.wait_until_joined()
        assert self.streaming.terminate() == 0
        return tables(self.url)

    def close(self) -> None:
        self.streaming.kill()
        self.publisher.close()
        self.server.kill()


@pytest.fixture
def run(tmp_path: Path, rest: TinyRest) -> Iterator[Callable[[], Day]]:
    made: list[Day] = []

    def make() -> Day:
        made.append(Day(tmp_path / f"run{len(made)}", rest))
        return made[-1]

    yield make
    for each in made:
        each.close()


def position_of(items: Sequence[Item], minute: int) -> int:
    """The place of the first tick of a minute of the day."""
    start = T0 + minute * MINUTE_MS
    return next(at for at, item in enumerate(items) if isinstance(item, MarketTick) and item.timestamp >= start)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """What the day with a join leaves behind when nothing disturbs it."""
    day = day_with_a_join()
    with TinyRest() as rest:
        rest.minutes = history()
        here = Day(tmp_path_factory.mktemp("undisturbed") / "run", rest)
        try:
            here.begin(day[0])
            here.send(day[1:])
            return here.end()
        finally:
            here.close()


def test_no_bar_is_made_from_a_part_of_a_minute_and_the_series_have_all_their_history(
    undisturbed: Tables,
) -> None:
    found = undisturbed
    bars = [row for row in found["bars"] if row["symbol"] in NEW and row["timeframe"] == "1min" and row["timestamp"] >= T0]
    before = [row for row in bars if row["timestamp"] < AT]
    assert {(row["symbol"], row["timestamp"]) for row in before} == {
        (symbol, T0 + minute * MINUTE_MS) for symbol in NEW for minute in range(11)
    }
    assert all(row["last_tick"] is None and row["volume"] == 1_000 and row["revision"] == 0 for row in before)  # REST's, whole
    assert all(row["last_tick"] is not None for row in bars if row["timestamp"] >= AT)
    fifth = [row for row in found["bars"] if row["symbol"] == NEW[0] and row["timeframe"] == "5min" and row["revision"] == 0]
    of_both = next(row for row in fifth if row["timestamp"] == T0 + 10 * MINUTE_MS)
    minutes = [row for row in bars if row["symbol"] == NEW[0] and 0 <= row["timestamp"] - of_both["timestamp"] < 5 * MINUTE_MS]
    assert of_both["volume"] == sum(row["volume"] for row in minutes if row["revision"] == 0)
    values = {
        (row["symbol"], row["bar_timestamp"]): row["values"] for row in found["intraday_indicators"] if row["timeframe"] == "1min"
    }
    closed = {(row["symbol"], row["timestamp"]) for row in bars if row["timestamp"] >= AT and row["revision"] == 0}
    assert closed <= values.keys()  # also of the minutes that closed while history was awaited
    assert all("SMA_50" in values[key] and "RSI_14" in values[key] for key in closed)
    assert {row["symbol"] for row in found["intraday_patterns"]} >= set(NEW)


@pytest.mark.parametrize("moment", ["before the join", "within its minute", "while its history is awaited", "after it"])
def test_a_restart_at_any_moment_of_a_join_stores_the_same_rows(
    run: Callable[[], Day], rest: TinyRest, undisturbed: Tables, moment: str
) -> None:
    day = day_with_a_join()
    rest.minutes = history()
    disturbed = run()
    disturbed.begin(day[0])
    told = next(at for at, item in enumerate(day) if isinstance(item, Say) and item.joined)
    place = {
        "before the join": told - 3, "within its minute": told + 9, "while its history is awaited": position_of(day, 13),
        "after it": position_of(day, 18),
    }  # fmt: skip
    if moment == "while its history is awaited":
        rest.answers.clear()
    disturbed.send(day[1 : place[moment]])
    if moment == "while its history is awaited":
        wait_for_minute(disturbed.url, T0 + 11 * MINUTE_MS)
        eventually(lambda: any("S08, S09 join" in issue for issue in disturbed.health()["issues"]))
    if moment == "after it":
        disturbed.wait_until_joined()
    wait_for_minute(disturbed.url, T0)  # a start before anything is stored is a first one, which knows all stored lists
    disturbed.store_list()
    if moment == "before the join":
        disturbed.store_list()  # the app does it a moment before it subscribes
    disturbed.restart()
    rest.answers.set()
    disturbed.send(day[place[moment] :])
    assert_same(disturbed.end(), undisturbed)


def test_others_go_on_while_history_is_awaited_and_a_symbol_that_rest_does_not_know_ends_with_what_there_is(
    run: Callable[[], Day], rest: TinyRest
) -> None:
    day = day_with_a_join()
    rest.minutes = {symbol: bars for symbol, bars in history().items() if symbol not in NEW}
    here = run()
    here.begin(day[0])
    rest.answers.clear()
    here.send(day[1 : position_of(day, 16)])
    wait_for_minute(here.url, T0 + 14 * MINUTE_MS)
    watched = [row for row in rows_of(here.url, "intraday_indicators") if row["bar_timestamp"] == T0 + 14 * MINUTE_MS]
    assert {row["symbol"] for row in watched} & set(WATCHED.split(",")) and not {row["symbol"] for row in watched} & set(NEW)
    rest.answers.set()
    here.send(day[position_of(day, 16) :])
    found = here.end()
    bars = [row for row in found["bars"] if row["symbol"] in NEW and row["timeframe"] == "1min"]
    assert bars and min(row["timestamp"] for row in bars) >= AT
    assert {row["symbol"] for row in found["intraday_indicators"]} >= set(NEW)


def test_a_symbol_joins_where_not_all_timeframes_are_computed(run: Callable[[], Day], rest: TinyRest) -> None:
    rest.minutes = history()
    day = day_with_a_join()
    here = run()
    here.streaming._environment["TICKSTOCK_TIMEFRAMES"] = "1min,15min"
    here.begin(day[0], timeframes=2)
    here.send(day[1:])
    found = here.end()
    assert {row["timeframe"] for row in found["intraday_indicators"] if row["symbol"] in NEW} == {"1min", "15min"}


def test_the_stored_watchlists_are_watched_from_the_start(run: Callable[[], Day], rest: TinyRest) -> None:
    here = run()
    Watchlists(here.url).create("Mine", ["S09", "S01"])
    here.begin(Say(T0))
    eventually(lambda: progress(here.url) is None and any("S09" in path for path in rest.requests))
    eventually(lambda: {row["symbol"] for row in rows_of(here.url, "bar_coverage")} == {*WATCHED.split(","), "S09"})


def day_with_a_return(gone: int) -> list[Item]:
    """The new symbols are there at first, leave with the end of a minute, and come back."""
    items: list[Item] = []
    for item in synthetic_day(11, 10, MINUTES, late_share=0.0):
        # With the first status that says that their last minute is over: it is not closed yet.
        if isinstance(item, Say) and item.watermark >= gone and not any(isinstance(each, Say) and each.left for each in items):
            items.append(Say(item.watermark, left=(NEW, gone)))
            continue
        if isinstance(item, MarketTick) and item.symbol in NEW and item.timestamp >= gone:
            if item.timestamp < JOINED_IN:
                continue
            if not any(isinstance(each, Say) and each.joined for each in items):
                items.append(Say(max(each.watermark for each in items if isinstance(each, Say)), joined=(NEW, AT)))
        items.append(item)
    return items


@pytest.mark.parametrize(
    ("killed", "minute"),  # it leaves with a bar of five minutes, or within one
    [((), 5), ((), 7), (("going",), 5), (("away",), 7), (("going", "away", "back"), 7)],
)
def test_a_symbol_that_comes_back_has_the_minutes_it_was_away_from_rest_and_no_longer_bar_was_made_of_a_part_of_them(
    run: Callable[[], Day], rest: TinyRest, killed: tuple[str, ...], minute: int
) -> None:
    rest.minutes = history()
    gone = T0 + minute * MINUTE_MS
    items = day_with_a_return(gone)
    here = run()
    here.store_list()
    here.begin(items[0])
    told = next(at for at, item in enumerate(items) if isinstance(item, Say) and item.left)
    moments = {"going": (told + 1, minute - 2), "away": (position_of(items, 9), 6), "back": (position_of(items, 16), 13)}
    sent = 1
    for moment in killed:
        place, closed = moments[moment]
        here.send(items[sent:place])
        sent = place
        here.wait_for_minute(closed)
        here.restart()
    here.send(items[sent:])
    found = here.end()
    today = [row for row in found["bars"] if row["symbol"] == NEW[0] and row["timestamp"] >= T0 and row["revision"] == 0]
    minutes = {row["timestamp"]: row for row in today if row["timeframe"] == "1min"}
    away = range(gone, AT, MINUTE_MS)
    assert all(minutes[at]["last_tick"] is None for at in away)  # REST's
    assert any(row["last_tick"] is not None for at, row in minutes.items() if at < gone)
    for first, length in ((5, 5), (10, 5), (0, 15)):
        start = T0 + first * MINUTE_MS
        held = [row for at, row in minutes.items() if start <= at < start + length * MINUTE_MS]
        (stored,) = (row for row in today if row["timeframe"] == f"{length}min" and row["timestamp"] == start)
        assert stored["volume"] == sum(row["volume"] for row in held) > 0
    values = {
        timeframe: sorted(
            row["bar_timestamp"]
            for row in found["intraday_indicators"]
            if (row["symbol"], row["timeframe"]) == (NEW[0], timeframe)
        )
        for timeframe in ("1min", "5min")
    }
    assert [at for at in values["1min"] if at < AT] == [at for at in sorted(minutes) if at < gone]
    assert values["5min"] == [T0, T0 + 10 * MINUTE_MS, T0 + 15 * MINUTE_MS]  # of the one between, history shows patterns only
