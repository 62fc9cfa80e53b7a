from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from tests.market_data.stand_ins import T0, status
from tickstock.contract import FeedStatus
from tickstock.feed.feed_items import FeedTick
from tickstock.feed.feed_stream import FeedStream
from tickstock.feed.massive_client import ConnectionState
from tickstock.feed.massive_events import Trade
from tickstock.feed.silence import SilenceRule
from tickstock.market_data.run_sequence import Piece, RunSequence
from tickstock.market_hours import MINUTE_MS, ExchangeCalendar, new_york_ms
from tickstock.settings import Settings

CALENDAR = ExchangeCalendar()
DAY = date(2024, 10, 7)
TEN = new_york_ms(DAY, time(10))
CONFIRMED = ConnectionState("confirmed", "70 of 70 subscriptions confirmed", 70, 70)
LOST = ConnectionState("reconnecting", "connection lost")


def sequence(now: int = TEN, previous: FeedStatus | None = None, **changed: object) -> RunSequence:
    chosen = Settings(**{"channel": "T", "feed": "massive", "feed_clock": "wall"} | changed)  # type: ignore[arg-type]
    return RunSequence(
        "0123456789ab",
        chosen.feed,
        lambda watermark: FeedStream.for_settings(chosen, CALENDAR, watermark),
        CALENDAR,
        SilenceRule(chosen, CALENDAR),
        previous=previous,
        wall_clock=chosen.feed_clock == "wall",
        delay_ms=chosen.delay_ms,
        now_ms=now,
    )


def live(now: int = TEN, previous: FeedStatus | None = None, **changed: object) -> RunSequence:
    run = sequence(now, previous, **changed)
    run.begin(now)
    run.state_changed(CONFIRMED, now)
    return run


_numbers = iter(range(1, 1_000_000))


def trade(at: int, price: float = 10.0, symbol: str = "AAPL", size: float = 100.0) -> Trade:
    number = next(_numbers)
    return Trade(symbol, p=price, t=at, s=size, x=4, i=str(number), q=number)


def messages(pieces: list[Piece]) -> Iterator[FeedTick | FeedStatus]:
    for piece in pieces:
        yield from piece.ticks
        if piece.status is not None:
            yield piece.status


def statuses(pieces: list[Piece]) -> list[FeedStatus]:
    return [piece.status for piece in pieces if piece.status is not None]


def test_the_first_message_of_a_run_is_a_status_with_nothing_forwarded() -> None:
    (first,) = messages(sequence().begin(TEN))
    assert isinstance(first, FeedStatus)
    assert (first.status, first.forwarded, first.run, first.gap) == ("connecting", 0, "0123456789ab", UNSET)


def test_positions_count_the_ticks_of_the_run_and_statuses_name_the_last() -> None:
    run = live()
    pieces = run.add([trade(TEN), trade(TEN + 1)], TEN, TEN) + run.add([trade(TEN + 2)], TEN, TEN)
    assert [(piece.first, len(piece.ticks)) for piece in pieces] == [(1, 2), (3, 1)]
    (again,) = statuses(run.clock(TEN + 1000))
    assert again.forwarded == run.position == 3


def test_a_status_is_said_at_least_once_a_second_even_when_the_clock_is_set_back() -> None:
    run = live()
    assert not statuses(run.clock(TEN + 999))
    assert statuses(run.clock(TEN + 1000))
    assert not statuses(run.clock(TEN + 1050))
    assert statuses(run.clock(TEN - 7_200_000))


def test_a_minute_that_the_events_close_is_said_inside_the_batch_behind_the_tick_that_moved_it() -> None:
    run = live()
    run.add([trade(TEN + 1)], TEN, TEN)
    mover = TEN + MINUTE_MS + 1000
    pieces = run.add([trade(TEN + 2), trade(mover), trade(mover + 1)], mover, mover)
    kinds = [message.timestamp if isinstance(message, FeedTick) else message.watermark for message in messages(pieces)]
    assert kinds == [TEN + 2, mover, TEN + MINUTE_MS, mover + 1]
    assert pieces[0].status is not None
    assert pieces[0].status.forwarded == pieces[0].first + len(pieces[0].ticks) - 1


def test_a_minute_that_the_clock_closes_is_said_at_that_moment() -> None:
    run = live(channel="A", symbols=("AAPL",))
    assert not statuses(run.clock(TEN + 900))
    at = TEN + MINUTE_MS + 4000
    run.clock(at - 50)
    (said,) = statuses(run.clock(at))
    assert said.watermark == TEN + MINUTE_MS


def test_the_first_live_status_of_the_first_run_has_a_gap_from_the_start_of_the_running_minute() -> None:
    run = sequence(TEN + 20_000)
    run.begin(TEN + 20_000)
    assert statuses(run.state_changed(CONFIRMED, TEN + 23_000))[0].gap == (TEN, TEN + 23_000)


def test_the_gap_of_a_later_run_begins_at_the_watermark_of_the_logs_last_status() -> None:
    run = sequence(previous=status(watermark=TEN - 400_000))
    (first,) = statuses(run.begin(TEN))
    assert (first.watermark, first.status) == (TEN - 400_000, "connecting")  # it repeats the old one until it is live
    said = statuses(run.state_changed(CONFIRMED, TEN + 3))
    assert (said[0].gap, said[0].status, said[0].watermark) == ((TEN - 400_000, TEN + 3), "live", TEN - 400_000)


def test_the_gap_reaches_at_most_back_to_the_first_session_of_the_day() -> None:
    run = live(previous=status(watermark=TEN - 20 * 86_400_000))
    assert run.status.gap is UNSET or run.status.gap[0] >= new_york_ms(DAY, time(4))
    run = sequence(previous=status(watermark=TEN - 20 * 86_400_000))
    assert statuses(run.state_changed(CONFIRMED, TEN))[0].gap == (new_york_ms(DAY, time(4)), TEN)


def test_the_status_of_another_feed_says_nothing_about_this_one() -> None:
    run = sequence(previous=status(watermark=TEN - 400_000, source="simulated"))
    assert statuses(run.begin(TEN))[0].watermark == 0
    assert statuses(run.state_changed(CONFIRMED, TEN + 5000))[0].gap == (TEN, TEN + 5000)


def test_on_a_delayed_feed_the_gap_ends_at_the_feeds_time() -> None:
    run = sequence(feed_url="wss://delayed.massive.com/stocks")
    assert statuses(run.state_changed(CONFIRMED, TEN + 5000))[0].gap == (TEN - 900_000, TEN - 895_000)


def test_from_a_break_until_live_again_the_watermark_stands_still_and_then_the_gap_is_said_first() -> None:
    run = live()
    run.add([trade(TEN + 30_000)], TEN, TEN + 30_000)
    before = run.stream.watermark
    (broken,) = statuses(run.state_changed(LOST, TEN + 40_000))
    assert (broken.status, broken.watermark) == ("reconnecting", before)
    for second in range(41, 200):
        assert all(each.watermark == before for each in statuses(run.clock(TEN + second * 1000)))
    (connecting,) = statuses(run.state_changed(ConnectionState("connecting", "again"), TEN + 200_000))
    assert connecting.status == "reconnecting"
    said = statuses(run.state_changed(CONFIRMED, TEN + 201_000)) + statuses(run.clock(TEN + 201_001))
    assert (said[0].status, said[0].gap, said[0].watermark) == ("live", (before, TEN + 201_000), before)
    assert said[-1].watermark == TEN + 200_001
    assert all(each.gap is UNSET for each in said[1:])


def test_a_tick_from_before_the_first_gap_is_late() -> None:
    run = live(TEN + 1000)
    (piece,) = run.add([trade(TEN - 1), trade(TEN)], TEN + 1001, TEN + 1001)
    assert [tick.late for tick in piece.ticks] == [True, False]


def test_since_tells_when_the_status_began() -> None:
    run = live(TEN)
    assert statuses(run.clock(TEN + 2000))[-1].since == TEN
    assert statuses(run.state_changed(LOST, TEN + 6000))[0].since == TEN + 6000


def test_a_silent_feed_is_said_and_data_makes_it_live_again_without_a_gap() -> None:
    run = live(symbols=tuple(f"S{number}" for number in range(20)))
    assert all(each.status == "live" for each in statuses(run.clock(TEN + 2_999)))
    stands = run.stream.watermark
    assert statuses(run.clock(TEN + 3_000))[-1].status == "silent"
    run.clock(TEN + 90_000)
    assert run.stream.watermark <= stands + 1  # silence is no reason to close minutes
    back, *_ = statuses(run.add([trade(TEN + 90_000)], TEN + 90_000, TEN + 90_000))
    assert (back.status, back.gap, back.detail) == ("live", UNSET, CONFIRMED.detail)


def test_few_symbols_may_be_silent_longer() -> None:
    run = live(symbols=("AAPL",))
    assert statuses(run.clock(TEN + 74_999))[-1].status == "live"
    assert statuses(run.clock(TEN + 75_000))[-1].status == "silent"


def test_a_refusal_is_said_as_stopped() -> None:
    run = sequence()
    (said,) = statuses(run.state_changed(ConnectionState("refused", "the key was refused"), TEN))
    assert (said.status, said.detail) == ("stopped", "the key was refused")


@pytest.mark.parametrize(
    "bad",
    [
        {"price": float("nan")},
        {"price": float("inf")},
        {"price": 0.0},
        {"price": -1.0},
        {"price": 1e9},
        {"volume": -1},
        {"volume": 10**13},
        {"timestamp": 1_728_300_000},
        {"symbol": "A\tB"},
        {"symbol": ""},
    ],
)
def test_an_invalid_tick_is_dropped_before_it_gets_a_position(bad: dict[str, object]) -> None:
    fields = {"symbol": "AAPL", "price": 10.0, "volume": 1, "timestamp": T0, "late": False}
    run = live()
    items = [FeedTick(**fields), FeedTick(**fields | bad), FeedTick(**fields)]  # type: ignore[arg-type]
    (piece,) = run._pieces(items, TEN)
    assert (piece.first, len(piece.ticks), run.position) == (1, 2, 2)
    assert run.rejections.total == 1


def test_a_replay_is_live_with_its_first_event_whose_time_ends_the_gap() -> None:
    run = sequence(feed="replay", feed_clock="events", previous=status(watermark=TEN + 40_000_000, source="replay"))
    assert statuses(run.begin(TEN))[0].watermark == 0
    (waiting,) = statuses(run.state_changed(CONFIRMED, TEN + 99))
    assert waiting.status == "connecting"
    first = TEN - 86_400_000 * 7 + 12_345
    said = list(messages(run.add([trade(first)], TEN, TEN + 500)))
    assert isinstance(said[0], FeedStatus)
    assert (said[0].status, said[0].gap, said[0].forwarded) == ("live", (first - first % MINUTE_MS, first), 0)
    assert isinstance(said[-1], FeedTick)
    assert statuses(run.clock(TEN + 10_000_000))[-1].watermark == first - 1000  # no clock moves it


def test_a_replay_that_goes_on_in_a_new_run_has_a_gap_from_where_the_log_stood() -> None:
    run = sequence(feed="replay", feed_clock="events", previous=status(watermark=TEN - 5_000, source="replay"))
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    said = list(messages(run.add([trade(TEN + 70_000)], TEN, TEN)))
    assert isinstance(said[0], FeedStatus)
    assert (said[0].gap, said[0].watermark) == ((TEN - 5_000, TEN + 70_000), TEN - 5_000)


@pytest.mark.parametrize("wrong", [0, 1, 1_700_000_000, 253_402_300_799_000, -5])
def test_an_impossible_time_does_not_say_where_a_replay_goes_on(wrong: int) -> None:
    run = sequence(feed="replay", feed_clock="events", previous=status(watermark=TEN - 5_000, source="replay"))
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    assert run.add([trade(wrong)], TEN, TEN) == []
    said = list(messages(run.add([trade(wrong), trade(TEN + 70_000)], TEN, TEN)))
    assert isinstance(said[0], FeedStatus)
    assert said[0].gap == (TEN - 5_000, TEN + 70_000)


def test_what_a_restarted_recording_plays_again_is_passed_over() -> None:
    run = sequence(feed="replay", feed_clock="events")
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    day = [trade(TEN + second * 1000) for second in range(0, 200, 10)]
    run.add(day[:10], TEN, TEN)
    run.state_changed(LOST, TEN)
    run.state_changed(CONFIRMED, TEN)
    assert run.add(day[:4], TEN, TEN) == []
    said = list(messages(run.add(day[4:], TEN, TEN)))
    assert isinstance(said[0], FeedStatus)
    assert (said[0].status, said[0].gap) == ("live", (TEN + 89_000, TEN + 100_000))
    ticks = [each for each in said if isinstance(each, FeedTick)]
    assert [tick.timestamp for tick in ticks] == [each.t for each in day[10:]]
    assert not any(tick.late for tick in ticks)
    assert run.stream.counts["played_again"] == 10


def test_the_end_of_a_recorded_day_closes_its_last_minutes() -> None:
    run = sequence(feed="replay", feed_clock="events")
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    run.add([trade(new_york_ms(DAY, time(19, 58)))], TEN, TEN)
    said = statuses(run.state_changed(ConnectionState("ended", "end of recording"), TEN))
    assert (said[-1].status, said[-1].watermark) == ("ended", new_york_ms(DAY, time(20)))


def test_a_recorded_day_that_ended_while_the_app_was_away_leaves_a_gap_up_to_its_end() -> None:
    run = sequence(feed="replay", feed_clock="events", previous=status(watermark=TEN + 5_000, source="replay"))
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    live, closed, ended = statuses(run.state_changed(ConnectionState("ended", "end of recording"), TEN))
    end = new_york_ms(DAY, time(20))
    assert (live.status, live.gap, live.watermark) == ("live", (TEN + 5_000, end), TEN + 5_000)
    assert (closed.watermark, ended.status, ended.watermark, ended.gap) == (end, "ended", end, UNSET)


def test_a_recorded_day_that_ended_behind_a_lost_connection_leaves_a_gap_up_to_its_end() -> None:
    run = sequence(feed="replay", feed_clock="events")
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    run.add([trade(TEN + 70_000)], TEN, TEN)
    run.state_changed(LOST, TEN)
    run.state_changed(CONFIRMED, TEN)
    live, *_, ended = statuses(run.state_changed(ConnectionState("ended", "end of recording"), TEN))
    assert (live.status, live.gap) == ("live", (TEN + 69_000, new_york_ms(DAY, time(20))))
    assert (ended.status, ended.watermark) == ("ended", new_york_ms(DAY, time(20)))


def test_a_day_that_ended_before_its_end_was_told_to_us_has_no_further_gap() -> None:
    end = new_york_ms(DAY, time(20))
    run = sequence(feed="replay", feed_clock="events", previous=status(watermark=end, source="replay"))
    run.begin(TEN)
    run.state_changed(CONFIRMED, TEN)
    said = statuses(run.state_changed(ConnectionState("ended", "end of recording"), TEN))
    assert [each.gap for each in said if each.gap is not UNSET] == [(end, end)]
    assert said[-1].watermark == end


def test_a_note_is_added_to_the_detail_while_it_holds() -> None:
    run = live()
    (said,) = statuses(run.set_note("waiting for TickStockPL", TEN))
    assert said.detail == "70 of 70 subscriptions confirmed; waiting for TickStockPL"
    assert run.set_note("waiting for TickStockPL", TEN) == []
    assert statuses(run.set_note("", TEN))[0].detail == "70 of 70 subscriptions confirmed"


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40_000)), min_size=2, max_size=40), st.data())
@settings(max_examples=60, deadline=None)
def test_however_the_events_of_a_day_are_cut_into_frames_the_sequence_is_the_same(
    steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    at, events = TEN, []
    for number, (symbol, step) in enumerate(steps):
        at += step
        events.append(Trade(f"S{symbol}", p=10.0 + symbol, t=at, s=100.0, x=4, i=str(number), q=number))

    def sequence_of(frames: list[list[Trade]]) -> list[object]:
        run = sequence(feed="replay", feed_clock="events")
        run.begin(TEN)
        run.state_changed(CONFIRMED, TEN)
        return [message for frame in frames for message in messages(run.add(frame, TEN, TEN))]

    cuts = sorted(data.draw(st.sets(st.integers(1, len(events) - 1))))
    cut = [events[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(events)], strict=True)]
    assert sequence_of(cut) == sequence_of([events])
