"""Symbols come and go while a run is live: what the log says of it, and which ticks it holds."""

from __future__ import annotations

from msgspec import UNSET

from tests.market_data.test_run_sequence import LOST, TEN, sequence, statuses, trade
from tickstock.contract import FeedStatus, SymbolsAt
from tickstock.feed.massive_client import ConnectionState
from tickstock.market_data.run_sequence import Piece, RunSequence
from tickstock.market_hours import MINUTE_MS

CONFIRMED = ConnectionState("confirmed", "1 of 1 subscriptions confirmed", 1, 1)


def changed(*symbols: str) -> ConnectionState:
    return ConnectionState("changed", "2 of 2 subscriptions confirmed", 2, 2, symbols)


def live(**changed: object) -> RunSequence:
    run = sequence(TEN, **changed)
    run.watch(("AAPL",), TEN)
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    return run


def symbols_in(pieces: list[Piece]) -> list[str]:
    return [tick.symbol for piece in pieces for tick in piece.ticks]


def joined(pieces: list[Piece]) -> list[SymbolsAt]:
    return [status.joined for status in statuses(pieces) if status.joined is not UNSET]


def left(pieces: list[Piece]) -> list[SymbolsAt]:
    return [status.left for status in statuses(pieces) if status.left is not UNSET]


def send(run: RunSequence, at: int, symbol: str) -> list[str]:
    return symbols_in(run.add([trade(at, symbol=symbol)], at, at))


def test_a_symbol_that_comes_is_told_with_the_first_minute_that_is_whole_of_it_and_taken_in_from_there() -> None:
    run = live()
    assert run.watch(("AAPL", "XYZ"), TEN + 10_000) == []
    assert run.subscribed == ("AAPL", "XYZ")
    assert send(run, TEN + 10_100, "XYZ") == []  # the log does not know it yet
    pieces = run.state_changed(changed("XYZ"), TEN + 10_200)
    assert joined(pieces) == [SymbolsAt(["XYZ"], TEN + MINUTE_MS)]
    (status,) = statuses(pieces)
    assert (status.status, status.gap, status.detail) == ("live", UNSET, "2 of 2 subscriptions confirmed")
    assert send(run, TEN + 10_300, "XYZ") == ["XYZ"]
    assert not run.rejections.counts


def test_on_a_delayed_feed_the_first_whole_minute_is_by_the_feeds_time() -> None:
    run = live(delay_seconds=900.0)
    run.watch(("AAPL", "XYZ"), TEN + 10_000)
    (told,) = joined(run.state_changed(changed("XYZ"), TEN + 10_000))
    assert told.at == TEN - 14 * MINUTE_MS


def test_events_ahead_of_the_clock_move_the_first_whole_minute() -> None:
    run = live()
    run.watch(("AAPL", "XYZ"), TEN + 59_000)
    send(run, TEN + 60_500, "AAPL")
    (told,) = joined(run.state_changed(changed("XYZ"), TEN + 59_900))
    assert told.at == TEN + 2 * MINUTE_MS


def test_a_recorded_day_tells_its_time_with_the_next_event() -> None:
    run = sequence(TEN, feed="replay", feed_clock="events")
    run.watch(("AAPL",), TEN)
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    run.add([trade(TEN)], TEN, TEN)
    run.watch(("AAPL", "XYZ"), TEN)
    assert run.state_changed(changed("XYZ"), TEN) == []
    pieces = run.add([trade(TEN + 5 * MINUTE_MS + 1, symbol="XYZ")], TEN, TEN)
    assert joined(pieces) == [SymbolsAt(["XYZ"], TEN + 6 * MINUTE_MS)]
    assert statuses(pieces)[0].joined is not UNSET  # before the tick
    assert symbols_in(pieces) == ["XYZ"]


def test_a_symbol_that_goes_stays_until_its_minute_is_over_and_not_longer() -> None:
    run = live()
    run.watch(("AAPL", "XYZ"), TEN + 1_000)
    run.state_changed(changed("XYZ"), TEN + 1_000)
    run.watch(("AAPL",), TEN + 70_000)
    assert set(run.subscribed) == {"AAPL", "XYZ"}
    assert send(run, TEN + 2 * MINUTE_MS - 1, "XYZ") == ["XYZ"]
    assert send(run, TEN + 2 * MINUTE_MS, "XYZ") == []  # of the next minute there would only be a part
    assert left(run.clock(TEN + 2 * MINUTE_MS + 500)) == []
    pieces = run.clock(TEN + 2 * MINUTE_MS + 1_000)
    assert left(pieces) == [SymbolsAt(["XYZ"], TEN + 2 * MINUTE_MS)]
    assert statuses(pieces)[-1].watermark >= TEN + 2 * MINUTE_MS
    assert run.subscribed == ("AAPL",)
    assert send(run, TEN + 2 * MINUTE_MS + 1_100, "XYZ") == []


def test_a_symbol_that_comes_back_within_its_minute_was_never_away() -> None:
    run = live()
    subscribed = run.subscribed
    run.watch((), TEN + 1_000)
    assert run.watch(("AAPL",), TEN + 2_000) == []
    assert run.subscribed == subscribed
    pieces = run.clock(TEN + 2 * MINUTE_MS)
    assert not left(pieces) and not joined(pieces)
    assert send(run, TEN + 2 * MINUTE_MS + 1, "AAPL") == ["AAPL"]


def test_a_symbol_that_comes_back_before_the_feed_was_asked_to_leave_it_out_joins_at_once() -> None:
    run = live()
    run.watch((), TEN + 59_000)
    assert send(run, TEN + MINUTE_MS + 100, "AAPL") == []
    pieces = run.watch(("AAPL",), TEN + MINUTE_MS + 200)
    assert joined(pieces) == [SymbolsAt(["AAPL"], TEN + 2 * MINUTE_MS)]
    assert send(run, TEN + MINUTE_MS + 300, "AAPL") == ["AAPL"]


def test_a_symbol_that_came_while_the_feed_was_away_joins_with_its_gap() -> None:
    run = live()
    run.state_changed(LOST, TEN + 5_000)
    run.watch(("AAPL", "XYZ"), TEN + 6_000)
    (status,) = statuses(run.state_changed(CONFIRMED, TEN + 10_000))
    assert status.gap is not UNSET and status.joined == SymbolsAt(["XYZ"], TEN + MINUTE_MS)
    assert send(run, TEN + 10_001, "XYZ") == ["XYZ"]


def test_a_symbol_that_came_before_the_feed_was_there_is_one_of_the_first() -> None:
    run = sequence(TEN)
    run.watch(("AAPL", "XYZ"), TEN)
    assert not joined(run.state_changed(CONFIRMED, TEN))
    assert send(run, TEN + 1, "XYZ") == ["XYZ"]


def test_who_was_leaving_when_the_feed_was_lost_has_left() -> None:
    run = live()
    run.watch((), TEN + 1_000)
    assert left(run.state_changed(LOST, TEN + 2_000)) == [SymbolsAt(["AAPL"], TEN + MINUTE_MS)]
    assert run.subscribed == ()


def test_the_count_of_subscriptions_follows_without_a_symbol_that_came() -> None:
    run = live()
    (status,) = statuses(run.state_changed(changed(), TEN + 1_000))
    assert isinstance(status, FeedStatus) and status.detail == "2 of 2 subscriptions confirmed" and status.joined is UNSET
