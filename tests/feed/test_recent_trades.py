from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstock.feed.recent_trades import RecentTrades


def test_a_trade_is_a_repeat_for_sixty_seconds() -> None:
    recent = RecentTrades()
    assert not recent.is_repeat(4, "1", 0, 7, 1_000)
    assert recent.is_repeat(4, "1", 0, 7, 61_000)
    assert not recent.is_repeat(4, "1", 0, 7, 61_001)


def test_exchange_id_trf_and_sequence_all_tell_trades_apart() -> None:
    recent = RecentTrades()
    for identity in [(4, "1", 201, 9), (12, "1", 201, 9), (4, "2", 201, 9), (4, "1", 202, 9), (4, "1", 201, 8)]:
        assert not recent.is_repeat(*identity, 1_000), identity
        assert recent.is_repeat(*identity, 1_000), identity


def test_without_id_and_sequence_nothing_is_a_repeat() -> None:
    recent = RecentTrades()
    assert not recent.is_repeat(4, None, 0, 0, 1_000)
    assert not recent.is_repeat(4, None, 0, 0, 1_000)


def test_without_a_sequence_the_id_decides() -> None:
    recent = RecentTrades()
    assert not recent.is_repeat(4, "1", 0, 0, 1_000)
    assert recent.is_repeat(4, "1", 0, 0, 1_000)


def test_sequences_of_any_size_are_remembered() -> None:
    recent = RecentTrades()
    for sequence in (2**70, -5, 2**63, 3):
        assert not recent.is_repeat(4, "1", 0, sequence, 1_000)
        assert recent.is_repeat(4, "1", 0, sequence, 1_000)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 30_000)), max_size=60))
def test_it_answers_like_a_list_of_everything_seen(trades: list[tuple[int, int, int]]) -> None:
    recent, seen, now = RecentTrades(), {}, 1_000_000
    for exchange, sequence, step in trades:
        now += step
        expected = now - seen.get((exchange, sequence), -(10**9)) <= 60_000
        assert recent.is_repeat(exchange, "x", 0, sequence, now) == expected
        if not expected:
            seen[exchange, sequence] = now
