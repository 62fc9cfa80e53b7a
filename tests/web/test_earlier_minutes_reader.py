"""How the minutes that the app did not take in are asked for: until they are known, never too often, and once more later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time

import pytest

from tickstock.database.earlier_minutes import EarlierFigures, EarlierMinutes
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.live_board import LiveBoard
from tickstock.market_hours import MINUTE_MS, ExchangeCalendar, new_york_ms
from tickstock.web.earlier_minutes_reader import AGAIN_SECONDS, EarlierMinutesReader, minutes_before

CALENDAR = ExchangeCalendar()
MONDAY = date(2024, 10, 7)
PRE, REGULAR, POST = (new_york_ms(MONDAY, time(*at)) for at in ((4,), (9, 30), (16,)))
NOON = new_york_ms(MONDAY, time(12))


class Database:
    """What is stored, how long reading takes, and what was asked."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}  # volumes
        self.asked: list[tuple[int, list[str], bool]] = []
        self.takes = 0.0
        self.now = 100.0
        self.fails = False

    def read(self, minutes: EarlierMinutes, symbols: Sequence[str], only_from_rest: bool) -> Mapping[str, EarlierFigures]:
        self.asked.append((minutes.until, list(symbols), only_from_rest))
        self.now += self.takes
        if self.fails:
            raise OSError("the database is away")
        return {
            symbol: EarlierFigures(minutes.until, self.known[symbol], 11.0, 9.0, minutes.session_start, 5, 50.0, 10.0, None)
            for symbol in symbols
            if symbol in self.known
        }


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def board() -> LiveBoard:
    """Joined at noon, with a tick of AAPL since; IBM is watched and did not trade yet."""
    made = LiveBoard(CALENDAR, "massive")
    made.miss_until(NOON - 20_000)
    made.update([FeedTick("AAPL", 10.0, 7, NOON, False)], NOON)
    made.publish()
    return made


def reader_of(board: LiveBoard, database: Database) -> EarlierMinutesReader:
    return EarlierMinutesReader(board, CALENDAR, lambda: ["IBM"], database.read, lambda: database.now)


def test_it_asks_once_a_second_until_all_is_known(board: LiveBoard, database: Database) -> None:
    reader = reader_of(board, database)
    assert (reader.look(), reader.missing) == (0, 2)
    assert reader.look() == 0
    assert len(database.asked) == 1, "not within the second"
    database.now += 1
    database.known["AAPL"] = 100
    assert (reader.look(), reader.missing) == (1, 1)
    database.now += 1
    database.known["IBM"] = 50
    assert (reader.look(), reader.missing) == (1, 0)
    database.now += 1
    assert reader.look() == 0
    assert database.asked == [(NOON, ["IBM", "AAPL"], False), (NOON, ["IBM", "AAPL"], False), (NOON, ["IBM"], False)]
    assert board.snapshot()[1][0].volume == 107
    board.update([FeedTick("IBM", 10.0, 3, NOON, False)], NOON)
    board.publish()
    assert board.snapshot(["IBM"])[1][0].volume == 53, "known before its first tick"


def test_an_operator_is_told_now_and_then_and_at_once_when_nothing_is_missing_any_more(database: Database) -> None:
    board = LiveBoard(CALENDAR, "massive")
    board.miss_until(NOON - 20_000)
    board.update([FeedTick(f"S{number}", 10.0, 7, NOON, False) for number in range(30)], NOON)
    reader = EarlierMinutesReader(board, CALENDAR, list, database.read, lambda: database.now)
    lines = []
    for second in range(60):
        database.known = {f"S{number}": 100 for number in range(second)}
        reader.look()
        lines.append((second, reader.news()))
        database.now += 1
    assert [(second, news) for second, news in lines if news] == [
        (1, "the day's figures are complete of 1 symbols; of 29 not"),
        (16, "the day's figures are complete of 15 symbols; of 14 not"),
        (30, "the day's figures are complete of 14 symbols"),
    ]


def test_what_takes_long_is_asked_for_less_often(board: LiveBoard, database: Database) -> None:
    reader = reader_of(board, database)
    database.takes = 0.5
    reader.look()
    database.now += 9.9
    reader.look()
    assert len(database.asked) == 1
    database.now += 0.2
    reader.look()
    assert len(database.asked) == 2


def test_a_database_that_is_away_is_asked_again(board: LiveBoard, database: Database) -> None:
    reader = reader_of(board, database)
    database.fails = True
    with pytest.raises(OSError, match="away"):
        reader.look()
    assert reader.look() == 0
    database.fails, database.known = False, {"AAPL": 1, "IBM": 1}
    database.now += 1
    assert reader.look() == 2


def test_late_prints_are_read_once_when_no_more_of_them_come(board: LiveBoard, database: Database) -> None:
    reader = reader_of(board, database)
    database.known = {"AAPL": 100, "IBM": 50}
    reader.look()
    database.known["AAPL"] = 120
    database.now += AGAIN_SECONDS
    reader.look()
    assert board.snapshot(["AAPL"])[1][0].volume == 127
    database.now += AGAIN_SECONDS
    reader.look()
    assert len(database.asked) == 2


def test_symbols_that_joined_are_asked_for_apart(board: LiveBoard, database: Database) -> None:
    reader = reader_of(board, database)
    database.known = {"AAPL": 100, "IBM": 50}
    reader.look()
    board.miss_until(NOON + 5 * MINUTE_MS, ["NVDA"])
    board.update([FeedTick("NVDA", 10.0, 7, NOON + 5 * MINUTE_MS, False)], NOON)
    database.now += 1
    reader.look()
    assert database.asked[-1] == (NOON + 5 * MINUTE_MS, ["NVDA"], True)


@pytest.mark.parametrize(
    ("until", "session"), [(PRE + MINUTE_MS, PRE), (REGULAR, PRE), (REGULAR + MINUTE_MS, REGULAR), (POST + MINUTE_MS, POST)]
)
def test_the_minutes_before_a_moment_are_of_its_day_and_the_session_that_was_running(until: int, session: int) -> None:
    friday = (new_york_ms(date(2024, 10, 4), time(4)), new_york_ms(date(2024, 10, 4), time(20)))
    assert minutes_before(CALENDAR, until) == EarlierMinutes(until, PRE, session, REGULAR, POST, *friday)
