"""The board's running minute against BarBuilder's, and its sums against plain ones, for any order of ticks and any gaps."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstock.contract import MarketTick
from tickstock.database.earlier_minutes import EarlierFigures
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.live_board import LiveBoard, Missing, SymbolState
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, ExchangeCalendar, new_york_ms
from tickstock.streaming.bar_builder import CLOSE, HIGH, LOW, OPEN, VOLUME, BarBuilder

MONDAY, TUESDAY = date(2024, 10, 7), date(2024, 10, 8)
CALENDAR = ExchangeCalendar()
PRE, REGULAR, POST, END = (new_york_ms(MONDAY, time(*at)) for at in ((4,), (9, 30), (16,), (20,)))
SYMBOLS = ("AAPL", "BRK.B")
PRICES = st.sampled_from([9.99, 10.0, 10.01, 10.5, 0.0001, 812_345.6789])


class Watermark(NamedTuple):
    """Minutes that end at or before it are complete."""

    value: int


@st.composite
def minutes(draw: st.DrawFn) -> list[FeedTick | Watermark]:
    """Ticks of a few minutes in any order, with watermarks that only rise; a tick behind it is late, as the feed marks it."""
    items: list[FeedTick | Watermark] = []
    watermark = REGULAR
    for _ in range(draw(st.integers(1, 60))):
        if draw(st.integers(0, 5)) == 0:
            watermark += draw(st.integers(0, 90_000))
            items.append(Watermark(watermark))
        at = watermark + draw(st.integers(-MINUTE_MS, 2 * MINUTE_MS).filter(lambda n: n % 7 in (0, 1, 2)))
        late = at - at % MINUTE_MS + MINUTE_MS <= watermark
        items.append(FeedTick(draw(st.sampled_from(SYMBOLS)), draw(PRICES), draw(st.integers(0, 5)), at, late))
    return items


@given(minutes())
def test_at_the_end_of_its_minute_the_running_bar_is_the_bar_that_is_built(items: list[FeedTick | Watermark]) -> None:
    board, builder = LiveBoard(CALENDAR, "massive"), BarBuilder()
    builder.restart(REGULAR)
    for position, item in enumerate([*items, Watermark(REGULAR + 60 * MINUTE_MS)], 1):
        if isinstance(item, FeedTick):
            board.update([item], item.timestamp)
            board.publish()
            builder.add([MarketTick(item.symbol, item.price, item.volume, item.timestamp, "massive")], position)
            continue
        for ended in builder.advance(item.value, "run", position):
            for symbol, bar in ended.bars.items():
                running = board.forming_bar(symbol)
                assert running is not None
                if running.timestamp == ended.start:
                    assert (running.open, running.high, running.low, running.close, running.volume) == (
                        bar[OPEN], bar[HIGH], bar[LOW], bar[CLOSE], bar[VOLUME],
                    )  # fmt: skip


@given(minutes())
def test_the_running_bar_is_of_the_newest_minute_that_ticked(items: list[FeedTick | Watermark]) -> None:
    board, newest = LiveBoard(CALENDAR, "massive"), dict.fromkeys(SYMBOLS, 0)
    for item in items:
        if isinstance(item, FeedTick):
            board.update([item], item.timestamp)
            board.publish()
            newest[item.symbol] = max(newest[item.symbol], item.timestamp - item.timestamp % MINUTE_MS)
    for symbol, minute in newest.items():
        running = board.forming_bar(symbol)
        assert (running.timestamp if running else 0) == minute


def test_a_running_bar_is_whole_when_the_feed_was_there_at_its_beginning() -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.miss_until(REGULAR + 20_000)
    board.update([FeedTick("AAPL", 10.0, 1, REGULAR + 30_000, False)], REGULAR)
    board.publish()
    bar = board.forming_bar("AAPL")
    assert bar is not None and not bar.whole
    board.update([FeedTick("AAPL", 10.0, 1, REGULAR + MINUTE_MS, False)], REGULAR)
    assert board.forming_bar("AAPL") is None, "not published yet"
    board.publish()
    bar = board.forming_bar("AAPL")
    assert bar is not None and bar.whole


# --- sums --------------------------------------------------------------------------------------------------------------


class Sums(NamedTuple):
    """The figures of a symbol, by plain sums over all its ticks."""

    volume: int
    session_volume: int
    dollars: float
    day_open: float | None
    high: float | None
    low: float | None


def sums(ticks: list[FeedTick], now: int) -> Sums:
    session = max(start for start in (PRE, REGULAR, POST) if start <= now)
    running = [tick for tick in ticks if tick.timestamp >= session]
    regular = [tick for tick in ticks if REGULAR <= tick.timestamp < POST]
    return Sums(
        sum(tick.volume for tick in ticks),
        sum(tick.volume for tick in running),
        sum(tick.price * tick.volume for tick in running),
        min(regular, key=lambda tick: tick.timestamp).price if regular else None,
        max((tick.price for tick in ticks), default=None),
        min((tick.price for tick in ticks), default=None),
    )


def earlier_than(ticks: list[FeedTick], until: int) -> EarlierFigures:
    """What stored bars would tell of the ticks before a moment, were their prices all the same within a minute."""
    before = [tick for tick in ticks if tick.timestamp < until]
    found = sums(before, until - 1)
    session = max(start for start in (PRE, REGULAR, POST) if start < until)
    since, traded = until, {tick.timestamp - tick.timestamp % MINUTE_MS for tick in before}
    while since - MINUTE_MS in traded:
        since -= MINUTE_MS
    return EarlierFigures(
        until, found.volume, found.high, found.low, session, found.session_volume, found.dollars, found.day_open,
        since if since < until else None,
    )  # fmt: skip


def shown(state: SymbolState) -> Sums:
    assert state.volume is not None and state.session_volume is not None and state.dollars is not None
    return Sums(state.volume, state.session_volume, state.dollars, state.day_open, state.high, state.low)


def agree(one: Sums, other: Sums) -> None:
    assert one._replace(dollars=0) == other._replace(dollars=0)
    assert one.dollars == pytest.approx(other.dollars)


@st.composite
def days(draw: st.DrawFn) -> list[FeedTick]:
    """A symbol's ticks of a day in the order of their coming: mostly by time, some late. Different moments."""
    count = draw(st.integers(1, 40))
    near = st.sampled_from([PRE, REGULAR, POST]).flatmap(lambda at: st.integers(max(PRE, at - 3 * MINUTE_MS), at + 3 * MINUTE_MS))
    times = draw(st.lists(st.one_of(near, st.integers(PRE, END - 1)), min_size=count, max_size=count, unique=True))
    times.sort()
    if draw(st.booleans()):
        late = draw(st.integers(0, count - 1))
        times.insert(draw(st.integers(late, count - 1)), times.pop(late))
    return [FeedTick("AAPL", draw(PRICES), draw(st.integers(0, 900)), at, False) for at in times]


@given(days())
def test_the_figures_are_the_plain_sums_of_all_ticks(ticks: list[FeedTick]) -> None:
    board = LiveBoard(CALENDAR, "massive")
    newest = 0
    for number, tick in enumerate(ticks, 1):
        board.update([tick], tick.timestamp)
        board.publish()
        newest = max(newest, tick.timestamp)
        agree(shown(board.snapshot()[1][0]), sums(ticks[:number], newest))


@given(days(), st.data())
def test_stored_minutes_and_the_ticks_after_them_make_the_same_sums(ticks: list[FeedTick], data: st.DataObject) -> None:
    """The feed was away, or joined, at some moment: ticks before it that came may or may not be all there were."""
    away = data.draw(st.integers(PRE, END - 1))
    until = away + -away % MINUTE_MS
    ticks = sorted(ticks, key=lambda tick: tick.timestamp)
    board = LiveBoard(CALENDAR, "massive")
    board.update([tick for tick in ticks if tick.timestamp < away and data.draw(st.booleans())], away)
    board.miss_until(away)
    after = [tick for tick in ticks if tick.timestamp >= away]
    board.update(after, away)
    board.publish()
    now = max((tick.timestamp for tick in ticks), default=0)
    states = board.snapshot()[1]
    if not states or not after:
        return
    if until > PRE:
        assert states[0].volume is None and (states[0].session_volume is None or until <= now)
        assert board.without_earlier(["IBM"]) == {Missing(until, joined=False): ["IBM", "AAPL"]}
        board.set_earlier({"AAPL": earlier_than(ticks, until)})
    agree(shown(board.snapshot()[1][0]), sums(ticks, now))
    assert board.without_earlier([]) == {}


def test_what_is_known_stays_known_for_other_symbols_when_one_joins() -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.update([FeedTick("AAPL", 10.0, 5, PRE, False), FeedTick("IBM", 10.0, 5, PRE, False)], PRE)
    board.miss_until(REGULAR + 1, ["IBM"])
    board.publish()
    assert [state.volume for state in board.snapshot()[1]] == [5, None]
    assert board.without_earlier([]) == {Missing(REGULAR + MINUTE_MS, joined=True): ["IBM"]}


def test_figures_of_an_older_gap_are_not_taken_for_those_of_a_newer_one() -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.miss_until(REGULAR + 1)
    board.update([FeedTick("AAPL", 10.0, 5, REGULAR + MINUTE_MS, False)], REGULAR)
    board.miss_until(REGULAR + 5 * MINUTE_MS)
    board.set_earlier({"AAPL": EarlierFigures(REGULAR + MINUTE_MS, 7, 10.0, 10.0, REGULAR, 7, 70.0, 10.0, None)})
    assert board.snapshot()[1][0].volume is None
    assert board.without_earlier([]) == {Missing(REGULAR + 5 * MINUTE_MS, joined=False): ["AAPL"]}


def test_a_session_that_began_while_the_feed_was_there_is_known_at_once() -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.miss_until(PRE + 3 * MINUTE_MS)
    board.update([FeedTick("AAPL", 10.0, 5, REGULAR - 1, False), FeedTick("AAPL", 11.0, 6, REGULAR, False)], REGULAR)
    board.publish()
    state = board.snapshot()[1][0]
    assert (state.volume, state.session_volume, state.dollars, state.day_open) == (None, 6, 66.0, 11.0)


def test_when_another_session_begins_all_symbols_are_shown_again() -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.update([FeedTick("AAPL", 10.0, 5, REGULAR - 1, False), FeedTick("IBM", 10.0, 6, REGULAR - 1, False)], REGULAR)
    board.publish()
    version = board.version
    board.update([FeedTick("AAPL", 10.0, 7, REGULAR, False)], REGULAR)
    board.publish()
    states = board.changed_since(version)[1]
    assert [(state.symbol, state.volume, state.session_volume) for state in states] == [("AAPL", 12, 7), ("IBM", 6, 0)]


def test_the_next_day_begins_at_nothing_and_needs_nothing_stored() -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.miss_until(REGULAR + 1)
    board.update([FeedTick("AAPL", 10.0, 5, POST, False)], POST)
    board.update([FeedTick("AAPL", 11.0, 6, new_york_ms(TUESDAY, time(4)), False)], POST)
    board.publish()
    state = board.snapshot()[1][0]
    assert (state.volume, state.high, state.day_open) == (6, 11.0, None)
    assert board.without_earlier(["AAPL"]) == {}


# --- steady, halted ----------------------------------------------------------------------------------------------------


def test_steady_is_a_symbol_that_traded_in_each_of_ten_minutes() -> None:
    board, steady = LiveBoard(AlwaysOpenCalendar(), "simulated"), []
    for minute in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12):
        board.update([FeedTick("AAPL", 10.0, 5, REGULAR + minute * MINUTE_MS + 1, False)], REGULAR)
        board.publish()
        steady.append(board.snapshot()[1][0].steady)
    assert steady == [False] * 9 + [True, True, False]


def test_stored_minutes_count_for_steadiness() -> None:
    board = LiveBoard(CALENDAR, "massive")
    until = REGULAR + 30 * MINUTE_MS
    board.miss_until(until - 10_000)
    board.update([FeedTick("AAPL", 10.0, 5, until - 5_000, False), FeedTick("AAPL", 10.0, 5, until, False)], REGULAR)
    board.set_earlier({"AAPL": EarlierFigures(until, 7, 1.0, 1.0, REGULAR, 7, 7.0, 1.0, until - 8 * MINUTE_MS)})
    assert not board.snapshot()[1][0].steady
    board.update([FeedTick("AAPL", 10.0, 5, until + MINUTE_MS, False)], REGULAR)
    board.publish()
    assert board.snapshot()[1][0].steady


@pytest.mark.parametrize("by", ["its resumption", "a print of a later minute", "a new day"])
def test_a_halt_lasts_until(by: str) -> None:
    board, halted = LiveBoard(CALENDAR, "massive"), REGULAR + 30 * MINUTE_MS + 5_000
    board.update([FeedTick("AAPL", 10.0, 5, halted - 1, False)], REGULAR)
    board.halt("AAPL", halted)
    board.update([FeedTick("AAPL", 10.0, 5, halted + 1_000, False)], REGULAR)  # a print before it may be reported after it
    board.publish()
    assert board.snapshot()[1][0].halted == halted
    version = board.version
    if by == "its resumption":
        board.resume("AAPL")
    else:
        at = halted + MINUTE_MS if by == "a print of a later minute" else new_york_ms(MONDAY + timedelta(1), time(4))
        board.update([FeedTick("AAPL" if by != "a new day" else "IBM", 10.0, 5, at, False)], REGULAR)
        board.publish()
    states = {state.symbol: state for state in board.changed_since(version)[1]}
    assert states["AAPL"].halted is None


def test_a_halt_before_the_first_print_of_all_is_remembered() -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.halt("AAPL", REGULAR)
    board.halt("IBM", PRE - MINUTE_MS)
    board.update([FeedTick(symbol, 10.0, 5, REGULAR + 6, False) for symbol in ("AAPL", "IBM")], REGULAR)
    board.publish()
    assert {state.symbol: state.halted for state in board.snapshot()[1]} == {"AAPL": REGULAR, "IBM": None}


def test_a_halt_before_a_symbols_first_print_is_remembered() -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.update([FeedTick("IBM", 10.0, 5, REGULAR, False)], REGULAR)
    board.halt("AAPL", REGULAR + 5)
    board.update([FeedTick("AAPL", 10.0, 5, REGULAR + 6, False)], REGULAR)
    board.publish()
    assert {state.symbol: state.halted for state in board.snapshot()[1]} == {"IBM": None, "AAPL": REGULAR + 5}
