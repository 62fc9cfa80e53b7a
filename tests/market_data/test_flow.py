from __future__ import annotations

from tickstock.market_data.flow import TakenFlow


def test_a_live_feed_is_never_held_back() -> None:
    flow = TakenFlow(endless=False, ahead=100)
    assert flow.may_send(1_000_000, now=0.0)


def test_a_replay_runs_only_so_far_ahead_of_what_was_taken() -> None:
    flow = TakenFlow(endless=True, ahead=100)
    assert flow.may_send(100, now=0.0)
    assert not flow.may_send(101, now=0.0)
    flow.saw_taken(1, now=0.1)
    assert flow.may_send(101, now=0.1)


def test_a_replay_waits_however_long_and_says_so_after_ten_seconds() -> None:
    flow = TakenFlow(endless=True, ahead=100)
    assert not flow.may_send(101, now=0.0)
    assert not flow.is_stuck(9.9)
    assert flow.is_stuck(10.0)
    assert not flow.may_send(101, now=1000.0)
    flow.saw_taken(50, now=1001.0)
    assert not flow.is_stuck(1001.0)


def test_taking_little_is_not_being_stuck() -> None:
    flow = TakenFlow(endless=True, ahead=100)
    for second in range(60):
        assert not flow.may_send(10_000, now=float(second))
        flow.saw_taken(second, now=float(second))
        assert not flow.is_stuck(second + 1.0)


def test_the_flush_after_an_outage_is_paced_until_nothing_waits() -> None:
    flow = TakenFlow(endless=False, ahead=100)
    flow.begin_flush()
    assert not flow.may_send(101, now=0.0)
    flow.saw_taken(60, now=1.0)
    assert flow.may_send(160, now=1.0)
    assert not flow.may_send(161, now=1.0)
    flow.end_flush()
    assert flow.may_send(10_000, now=1.0)


def test_the_flush_gives_up_waiting_when_nobody_takes_anything() -> None:
    flow = TakenFlow(endless=False, ahead=100)
    flow.begin_flush()
    assert not flow.may_send(101, now=5.0)
    assert not flow.may_send(101, now=14.9)
    assert flow.may_send(101, now=15.0)
    assert flow.may_send(10_000, now=15.0)
