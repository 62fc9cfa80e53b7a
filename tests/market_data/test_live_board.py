from __future__ import annotations

from datetime import date, time

import pytest

from tests.market_data.stand_ins import T0, tick
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.live_board import LiveBoard, SymbolState
from tickstock.market_hours import MINUTE_MS, ExchangeCalendar, new_york_ms

MONDAY = date(2024, 10, 7)


@pytest.fixture
def board() -> LiveBoard:
    return LiveBoard(ExchangeCalendar(), "massive")


def only(board: LiveBoard) -> SymbolState:
    (state,) = board.snapshot()[1]
    return state


def test_the_newest_price_and_the_day_are_shown(board: LiveBoard) -> None:
    board.update([tick(0, price=10.0, volume=5), tick(1, price=12.0, volume=7), tick(2, price=11.0, volume=0)], T0 + 50)
    board.publish()
    state = only(board)
    assert (state.price, state.timestamp, state.received, state.source) == (11.0, T0 + 2, T0 + 50, "massive")
    assert (state.volume, state.high, state.low) == (12, 12.0, 10.0)
    assert board.trading_day == MONDAY


def test_a_late_tick_counts_for_the_day_and_does_not_replace_the_newest_price(board: LiveBoard) -> None:
    board.update([tick(5000, price=10.0), tick(1000, price=13.0, late=True)], T0)
    board.publish()
    state = only(board)
    assert (state.price, state.high, state.volume) == (10.0, 13.0, 300)


def test_of_two_prices_of_one_moment_the_last_is_shown(board: LiveBoard) -> None:
    board.update([tick(1, price=10.0), tick(1, price=13.0), tick(1, price=10.5)], T0)
    board.publish()
    assert only(board).price == 10.5


def test_nothing_is_seen_before_it_is_published(board: LiveBoard) -> None:
    board.update([tick(1)], T0)
    assert board.snapshot() == (0, [])
    board.publish()
    assert len(board.snapshot()[1]) == 1


def test_only_what_changed_since_a_version_is_given(board: LiveBoard) -> None:
    board.update([tick(1, "AAPL"), tick(1, "MSFT"), tick(1, "IBM")], T0)
    board.publish()
    version, states = board.changed_since(0, ["AAPL", "MSFT", "UNKNOWN"])
    assert [state.symbol for state in states] == ["AAPL", "MSFT"]
    for number in range(2, 10):
        board.update([tick(number, "MSFT", price=float(number))], T0)
        board.publish()
    version, states = board.changed_since(version, ["AAPL", "MSFT"])
    assert [(state.symbol, state.price) for state in states] == [("MSFT", 9.0)]
    assert board.changed_since(version) == (version, [])


def test_the_change_is_measured_against_the_previous_close_of_this_trading_day(board: LiveBoard) -> None:
    board.update([tick(1, price=110.0)], T0)
    board.publish()
    assert only(board).change is None
    board.set_previous_closes({"AAPL": 100.0}, MONDAY)
    assert only(board).change == pytest.approx(0.10)
    assert board.changed_since(1)[1] == [only(board)]
    board.set_previous_closes({"AAPL": 100.0}, date(2024, 10, 4))
    assert only(board).change is None


def test_a_new_trading_day_begins_anew_with_its_first_session(board: LiveBoard) -> None:
    evening, morning = new_york_ms(MONDAY, time(19, 59)), new_york_ms(date(2024, 10, 8), time(4, 0))
    board.set_previous_closes({"AAPL": 100.0}, MONDAY)
    board.update([FeedTick("AAPL", 10.0, 100, evening, False)], T0)
    board.update([FeedTick("IBM", 50.0, 100, morning - 1, False)], T0)
    board.publish()
    assert board.trading_day == MONDAY
    board.update([FeedTick("AAPL", 20.0, 7, morning, False)], T0)
    board.publish()
    states = {state.symbol: state for state in board.snapshot()[1]}
    apple, ibm = states["AAPL"], states["IBM"]
    assert (apple.volume, apple.high, apple.low, apple.change) == (7, 20.0, 20.0, None)
    assert (ibm.price, ibm.volume) == (50.0, 0)
    board.update([FeedTick("AAPL", 5.0, 9, evening + MINUTE_MS // 2, True)], T0)  # of yesterday, and late
    board.publish()
    apple = next(state for state in board.snapshot()[1] if state.symbol == "AAPL")
    assert (apple.price, apple.volume, apple.low) == (20.0, 7, 20.0)
