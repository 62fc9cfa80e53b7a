"""A snapshot shortens a start and never changes it; one that does not fit, or is damaged, is as good as none."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streaming.test_warm_up_of_series import DAY, KINDS, engine, market, walk, warmed
from tickstock.analysis.selection import enabled_from
from tickstock.database.queries import Queries
from tickstock.database.writers import Writer
from tickstock.feed.massive_rest import MassiveRest
from tickstock.logs import Rejections
from tickstock.market_hours import DAY_MS, MINUTE_MS, Calendar
from tickstock.settings import Settings
from tickstock.streaming.bar_columns import concatenate, no_bars
from tickstock.streaming.engine import MinuteResults, StreamingEngine
from tickstock.streaming.log_follower import Position
from tickstock.streaming.rest_fetcher import RestFetcher
from tickstock.streaming.result_messages import LIVE
from tickstock.streaming.snapshot import Snapshot, SnapshotError, fingerprint
from tickstock.streaming.snapshot_taker import SnapshotTaker
from tickstock.streaming.warm_up import WarmUp

SYMBOLS = ("AAA", "BBB", "CCC", "LATE", "LATEST")
FOLLOWING = 12  # minutes after a start that are compared


# --- the state ---


@pytest.mark.parametrize(("kind", "sessions"), [("exchange", "extended"), ("always open", "regular")])
def test_a_snapshot_and_the_minutes_after_it_are_what_uninterrupted_minutes_and_stored_history_are(
    kind: str, sessions: str, tmp_path: Path, thorough: bool
) -> None:
    if kind == "exchange" and not thorough:
        pytest.skip("of the sessions of a day beside the regular one; they take as long again")
    of = market(kind, sessions)
    today = [at for at in of.minutes if at >= of.calendar.sessions_of(DAY)[0].start]
    path = tmp_path / "state"

    @settings(max_examples=40 if thorough else 4, derandomize=not thorough)
    @given(st.lists(st.integers(0, len(today) - 2), min_size=2, max_size=2).map(sorted))
    def property_holds(places: list[int]) -> None:
        taken, until = today[places[0]], today[places[1]]
        before, _ = warmed(of, taken, keep_after=taken)
        Snapshot("", DAY, taken, before.symbols, {}, before.state()).write(path)
        read = Snapshot.read(path)
        resumed = engine(of.calendar, of.sessions)
        resumed.restore(read.arrays, len(read.symbols))
        between = [of.minutes[at] for at in today[places[0] : places[1]]]
        resumed.close_again(concatenate(between) if between else no_bars(), until)
        from_history, _ = warmed(of, until, keep_after=until)
        for at in today[places[1] :][:FOLLOWING]:
            live = of.results[at]
            assert resumed.close_minute(at, of.minutes[at], LIVE) == live
            assert from_history.close_minute(at, of.minutes[at], LIVE) == live

    property_holds()


def test_everything_that_is_remembered_of_a_lane_is_part_of_the_state() -> None:
    of = market("always open", "regular")
    forming = max(
        at for at, found in of.results.items() if any(e.state == "forming" and e.timeframe == "1min" for e in found.patterns)
    )
    state = warmed(of, forming + MINUTE_MS, keep_after=forming)[0].state()
    told = {
        part
        for name in state
        for part in ("RSI_14", "SMA_200", "MACD_12_26_9", "_pivots", "_alerts")
        if "1min/lanes/" in name and part in name
    }
    assert told == {"RSI_14", "SMA_200", "MACD_12_26_9", "_pivots", "_alerts"}
    assert len(state["1min/open shapes/lane"])  # some shape is forming
    assert {column.shape[-1] for name, column in state.items() if "/lanes/" in name} == {len(SYMBOLS)}


# --- the file ---


def small() -> Snapshot:
    arrays = {
        "floats": np.arange(12.0).reshape(3, 4) * np.pi, "none": np.empty((0, 5), np.int64), "flags": np.array([True, False]),
        "one": np.array(7), "nan": np.array([np.nan, -0.0, np.inf]),
    }  # fmt: skip
    return Snapshot("of this code", DAY, 60_000, ["AAA", "Bé"], {"1min": [1, 2, 3]}, arrays)


def test_what_is_written_is_read_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "not there yet" / "state"
    small().write(path)
    found, expected = Snapshot.read(path), small()
    assert replace(found, arrays={}) == replace(expected, arrays={})
    assert found.arrays.keys() == expected.arrays.keys()
    for name, column in expected.arrays.items():
        assert (found.arrays[name].dtype, found.arrays[name].shape) == (column.dtype, column.shape)
        assert found.arrays[name].tobytes() == column.tobytes()
    assert [each.name for each in path.parent.iterdir()] == ["state"]


def test_a_damaged_truncated_or_foreign_file_is_no_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "state"
    small().write(path)
    whole = path.read_bytes()

    @given(st.integers(0, len(whole) - 1), st.integers(1, 255))
    def property_holds(place: int, change: int) -> None:
        for content in (
            whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :], whole[:place], whole + bytes(change),
            bytes(place), whole[place:] + whole[:place] if place else b"",
        ):  # fmt: skip
            path.write_bytes(content)
            with pytest.raises(SnapshotError):
                Snapshot.read(path)

    property_holds()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        Snapshot.read(path)
    path.mkdir()
    with pytest.raises(SnapshotError):
        Snapshot.read(path)


def test_a_write_that_fails_leaves_the_snapshot_before(tmp_path: Path) -> None:
    path = tmp_path / "state"
    small().write(path)
    (tmp_path / "state.unfinished").mkdir()
    with pytest.raises(OSError):
        replace(small(), until=120_000).write(path)
    assert Snapshot.read(path).until == 60_000


@pytest.mark.parametrize(
    "change",
    [{"patterns": ("all",)}, {"symbols": ("AAA",)}, {"timeframes": ("1min",)}, {"analysis_sessions": "extended"},
     {"calendar": "always_open"}, {"database_url": "sqlite:///other.db"}, {"feed": "replay"}, {"indicators": ("SMA_3",)}],
)  # fmt: skip
def test_every_setting_that_matters_is_in_the_fingerprint(change: dict[str, Any]) -> None:
    usual = Settings(feed="simulated")
    assert fingerprint(usual) == fingerprint(Settings(feed="simulated", log_level="DEBUG"))
    assert fingerprint(usual) != fingerprint(replace(usual, **change))


# --- a start ---


class Stored:
    """A database with the bars of a market, and starts from it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.calendar: Calendar = KINDS["always open"]
        self.settings = Settings(feed="simulated", database_url=url, symbols=("*",), calendar="always_open", data_dir=folder)
        self.path = folder / "streaming_state"
        self.minutes = walk(self.calendar)
        self.today = self.calendar.sessions_of(DAY)[0].start
        self.until = self.today + 50 * MINUTE_MS
        self.store(lambda at: at < self.until)
        with Writer(url) as writer, writer.transaction() as batch:
            batch.set_vendor_progress([("splits", self.until + 10 * DAY_MS)])
            batch.set_history([(timeframe, self.today) for timeframe in self.settings.timeframes])

    def store(self, chosen: Callable[[int], bool], revision: int = 0) -> None:
        rows = [
            row
            for at, bars in self.minutes.items() if chosen(at)
            for row in bars.rows(list(SYMBOLS), "1min", revision, "simulated")
        ]  # fmt: skip
        with Writer(self.settings.database) as writer, writer.transaction() as batch:
            batch.insert_bars(rows)

    def start(
        self, until: int, *, keep_after: int | None = None, day: date = DAY, path: Path | None = None, **settings: Any
    ) -> tuple[WarmUp, StreamingEngine]:
        chosen = replace(self.settings, **settings)
        made = StreamingEngine(chosen, self.calendar, lambda: 0, enabled_from(chosen))
        vendor = MassiveRest.for_settings(chosen)
        fetcher = RestFetcher(vendor, Rejections(logging.getLogger(__name__), "TEST"), threading.Event())
        warm_up = WarmUp(chosen, self.calendar, made, fetcher, Queries(chosen.database), lambda _: None, path or self.path)
        warm_up.run(day, until, until if keep_after is None else keep_after)
        vendor.close()
        return warm_up, made

    def results(self, made: StreamingEngine, since: int) -> list[MinuteResults]:
        lanes = made.lanes_for(SYMBOLS)
        following = [at for at in self.minutes if at >= since][:FOLLOWING]
        found = []
        for at in following:
            bars = self.minutes[at].take(np.arange(len(self.minutes[at])))
            bars.lanes = lanes[bars.lanes]
            found.append(made.close_minute(at, bars, LIVE))
        return found


@pytest.fixture
def stored(database_url: str, tmp_path: Path) -> Stored:
    return Stored(database_url, tmp_path)


USED = "Going on from a snapshot"


def by_symbol(results: list[MinuteResults]) -> list[Any]:
    def ordered(messages: list[Any]) -> list[Any]:
        return sorted(messages, key=repr)

    return [(each.minute, *map(ordered, (each.bars, each.patterns, each.alerts, each.indicators))) for each in results]


def test_a_start_from_a_snapshot_is_the_start_without_it(stored: Stored, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    taken = stored.until - 23 * MINUTE_MS
    warm_up, _ = stored.start(taken)
    snapshot = warm_up.snapshot(taken)
    assert snapshot is not None
    snapshot.write(stored.path)
    again, resumed = stored.start(stored.until)
    assert f"{USED} of the state, 23 minutes old" in caplog.text
    _, fresh = stored.start(stored.until, path=stored.path.with_name("none"))
    assert by_symbol(stored.results(resumed, stored.until)) == by_symbol(stored.results(fresh, stored.until))
    assert again.snapshot(stored.until) is not None  # and it can be taken again


Change = Callable[[Stored], dict[str, Any]]
CHANGES: dict[str, tuple[str, Change]] = {
    "another setting": ("other code or other settings", lambda _: {"patterns": ("all",)}),
    "another day": ("of another moment", lambda each: {"day": DAY + timedelta(days=1), "until": each.today + 1500 * MINUTE_MS}),
    "a stored moment before it": ("of another moment", lambda each: {"until": each.until - 40 * MINUTE_MS}),
    "history to be told": ("history to be told", lambda each: {"keep_after": each.until - MINUTE_MS}),
    "a corrected bar of yesterday": (
        "have changed since", lambda each: each.store(lambda at: at == yesterday(each), revision=1) or {}
    ),
    "a day that REST delivered": ("have changed since", lambda each: cover(each) or {}),
}  # fmt: skip


def yesterday(each: Stored) -> int:
    return max(at for at, bars in each.minutes.items() if at < each.today and len(bars))


def cover(each: Stored) -> None:
    day = each.calendar.trading_days_before(DAY, 2)[0]
    with Writer(each.settings.database) as writer, writer.transaction() as batch:
        batch.set_coverage([("AAA", each.calendar.sessions_of(day)[0].start, each.today)])


@pytest.mark.parametrize("name", CHANGES)
def test_a_snapshot_that_does_not_fit_is_said_and_removed(stored: Stored, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    taken = stored.until - 5 * MINUTE_MS
    snapshot = stored.start(taken)[0].snapshot(taken)
    assert snapshot is not None
    snapshot.write(stored.path)
    why, change = CHANGES[name]
    stored.start(**{"until": stored.until, **change(stored)})
    assert why in caplog.text
    assert USED not in caplog.text
    assert caplog.text.count("The snapshot of the state is not used") == 1
    assert not stored.path.exists()


def test_corrections_of_the_running_day_do_not_matter(stored: Stored, caplog: pytest.LogCaptureFixture) -> None:
    """Analysis sees its bars as they were first closed, with a snapshot and without."""
    caplog.set_level(logging.INFO)
    taken = stored.until - 5 * MINUTE_MS
    snapshot = stored.start(taken)[0].snapshot(taken)
    assert snapshot is not None
    snapshot.write(stored.path)
    stored.store(lambda at: at == stored.today, revision=1)
    stored.start(stored.until)
    assert USED in caplog.text


def test_there_is_no_snapshot_of_a_state_that_is_not_the_moments(stored: Stored) -> None:
    warm_up, made = stored.start(stored.until)
    assert warm_up.snapshot(stored.until - MINUTE_MS) is None  # the series stand behind it
    made.trading_day = None
    assert warm_up.snapshot(stored.until) is None


def test_a_start_says_what_it_is_doing(stored: Stored) -> None:
    said: list[str] = []
    warm_up, made = stored.start(stored.until)
    warm_up.tell = said.append
    made.trading_day = None
    warm_up.run(DAY, stored.until, stored.until)
    assert said == ["waiting for the day's splits from REST", "computing from stored bars"]


# --- when it is taken ---


@pytest.fixture
def taker(stored: Stored) -> Iterator[SnapshotTaker]:
    warm_up, made = stored.start(stored.until)
    found = SnapshotTaker(stored.path, made, warm_up, Queries(stored.settings.database))
    found.start()
    yield found
    found.stop()


def commit(stored: Stored, position: Position) -> None:
    with Writer(stored.settings.database) as writer, writer.transaction() as batch:
        batch.set_progress(position.run, position.position, position.complete_until - MINUTE_MS, position.replay_from, 1)


def test_a_snapshot_is_written_when_its_minute_is_committed(stored: Stored, taker: SnapshotTaker) -> None:
    base = Position("run", 70, stored.until, 71)
    commit(stored, replace(base, position=69))
    taker.look(base)
    threading.Event().wait(0.5)
    assert not stored.path.exists()
    commit(stored, base)
    taker.stop()
    assert Snapshot.read(stored.path).until == stored.until == taker.written


def test_a_stop_leaves_no_snapshot_of_what_is_not_committed(stored: Stored, taker: SnapshotTaker) -> None:
    taker.look(Position("run", 70, stored.until, 71))
    taker.stop()
    assert not stored.path.exists()


def test_the_last_state_is_written_at_the_end(stored: Stored, taker: SnapshotTaker) -> None:
    taker.stop()
    taker.take_last(Position("run", 70, stored.until, 71))
    assert Snapshot.read(stored.path).until == stored.until
    taker.take_last(None)
