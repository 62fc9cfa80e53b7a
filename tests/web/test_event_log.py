"""The numbering of signals, which every browser of a process shares."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.services import a_pattern, an_alert
from tickstock.web.event_log import EventLog, Signal

BAR = 1_728_300_000_000


def a_chart_pattern(number: int, state: str) -> Signal:
    return a_pattern(f"S{number}", "HeadShoulders", BAR, state=state)


signals = st.one_of(
    st.builds(a_chart_pattern, st.integers(0, 5), st.sampled_from(["forming", "confirmed", "void"])),
    st.builds(lambda number: an_alert(f"S{number}", BAR), st.integers(0, 5)),
)


@settings(max_examples=100)
@given(st.lists(signals, max_size=40))
def test_numbers_rise_by_one_and_nothing_is_told_twice(arrived: list[Signal]) -> None:
    log = EventLog("epoch")
    entries = [entry for signal in arrived if (entry := log.add(signal)) is not None]
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    told = [(entry.signal.id, getattr(entry.signal, "state", "")) for entry in entries]
    assert len(told) == len(set(told))
    assert {entry.signal.id for entry in entries} == {signal.id for signal in arrived}
    assert sum(entry.is_new for entry in entries) == len({signal.id for signal in arrived})


@settings(max_examples=100)
@given(st.lists(signals, max_size=40))
def test_a_confirmed_or_void_signal_is_never_followed_by_another_state(arrived: list[Signal]) -> None:
    log = EventLog("epoch")
    final: set[str] = set()
    for signal in arrived:
        entry = log.add(signal)
        assert entry is None or signal.id not in final
        if getattr(signal, "state", "confirmed") != "forming":
            final.add(signal.id)


@settings(max_examples=100)
@given(st.integers(0, 60), st.integers(1, 20), st.integers(-3, 65))
def test_since_gives_all_that_followed_or_says_that_it_cannot(count: int, kept: int, seq: int) -> None:
    log = EventLog("epoch", kept=kept)
    for number in range(count):
        log.add(an_alert(f"S{number}"))
    numbers = log.since(seq)
    if max(0, count - kept) <= seq <= count:
        assert numbers == range(seq + 1, count + 1)
        assert [entry.seq for entry in log.entries(seq + 1)] == list(range(seq + 1, count + 1))
    else:
        assert numbers is None


def test_the_last_detected_come_in_the_order_of_their_numbers_also_when_history_is_read_after_them() -> None:
    log = EventLog("epoch")
    for number in range(5):
        log.add(an_alert(f"S{number}", detection_timestamp=BAR + number))
    log.add(an_alert("HISTORY", detection_timestamp=BAR - 60_000))
    assert [entry.signal.symbol for entry in log.last_detected(2)] == ["S3", "S4"]
    assert len(log.last_detected(100)) == 6
    log.add(an_alert("NEW", detection_timestamp=BAR + 60_000))
    assert [entry.signal.symbol for entry in log.last_detected(2)] == ["S4", "NEW"]


def test_an_entry_is_the_message_with_its_number() -> None:
    signal = a_pattern()
    entry = EventLog("epoch").add(signal)
    assert entry is not None
    assert msgspec.json.decode(entry.payload) == {"seq": 1, **msgspec.to_builtins(signal)}


def test_what_was_only_counted_at_the_start_is_not_told_later() -> None:
    log = EventLog("epoch")
    log.complete_from = BAR
    assert log.add(a_pattern(bar=BAR - 60_000, detection_timestamp=BAR - 1)) is None
    assert log.add(a_pattern(bar=BAR, detection_timestamp=BAR)) is not None


def test_the_memory_of_known_signals_is_bounded() -> None:
    log = EventLog("epoch", kept=2, remembered=3)
    for number in range(10):
        log.add(an_alert(f"S{number}"))
    assert log.add(an_alert("S9")) is None
    assert log.add(an_alert("S0")) is not None
