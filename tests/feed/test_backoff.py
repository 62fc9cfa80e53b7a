from __future__ import annotations

import random

from tests.feed.scripted_feed import Conversation, Recorder, ScriptedFeed
from tickstock.feed.backoff import FIRST_SECONDS, Backoff


def test_waits_double_up_to_the_cap_and_are_jittered_by_at_most_a_half() -> None:
    backoff = Backoff(30.0, random.Random(1))
    full = [min(FIRST_SECONDS * 2**n, 30.0) for n in range(10)]
    waits = [backoff.wait_seconds() for _ in full]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, full, strict=True))
    assert len({round(wait / most, 6) for wait, most in zip(waits, full, strict=True)}) > 5


def test_only_data_resets_it() -> None:
    def drop_after_login(feed: Conversation) -> None:
        feed.log_in_and_confirm()
        feed.drop()

    with ScriptedFeed(drop_after_login) as feed, Recorder(feed, reconnect_max_seconds=30.0) as got:
        got.wait_for_state("reconnecting", 2)
        assert got.client._backoff._next == 4 * FIRST_SECONDS
        got.client._backoff.reset()
        assert got.client._backoff._next == FIRST_SECONDS
