"""Recorded days: every trade, in the order of time, with its own stamps; bad rows dropped; bars by the vendor's rules."""

from __future__ import annotations

import gzip
import itertools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import shared_file
from tests.simulator.conftest import KEY, serving
from tickstock.simulator.clock import MAX_SPEED, DayClock
from tickstock.simulator.recorded_day import RecordedDay, RecordingError
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.timeline import Timeline

OPEN = 1_381_152_600_000  # 2013-10-07 09:30 New York
CLOSE = OPEN + 390 * 60_000


def row(ticker: str, at: int, price: str, size: str = "100", conditions: str = "", sequence: int = 1, **other: Any) -> str:
    text = f'"{conditions}"' if "," in conditions else conditions
    nanoseconds = at * 1_000_000 + int(other.get("nano", 0))
    return (
        f"{ticker},{text},0,{other.get('exchange', 11)},{other.get('id', sequence)},{nanoseconds - 5_000_000},{price},{sequence},"
        f"{nanoseconds},{size},1,{other.get('trf', 0)},{other.get('trf_time', 0)}"
    )


def played(day: RecordedDay, *channels: str) -> list[dict[str, Any]]:
    timeline = Timeline(day, day.start, repeats=False)
    wanted = {channel: np.ones(len(day.symbols), bool) for channel in channels}
    found: list[dict[str, Any]] = []
    while not timeline.is_over:
        for events in timeline.advance(timeline.next_step(1000), wanted):
            found += map(json.loads, events.texts)
    return found


def test_a_file_sorted_by_ticker_is_played_in_the_order_of_time(flat_file: Callable[..., Path]) -> None:
    path = flat_file(
        row("A", OPEN, "10.5", sequence=1), row("A", OPEN + 900, "10.6", sequence=2),
        row("A", OPEN + 900, "10.7", sequence=3, nano=400),
        row("B", OPEN + 500, "20", sequence=1), row("B", OPEN + 900, "20.1", sequence=2, nano=200),
    )  # fmt: skip
    assert [(each["sym"], each["p"]) for each in played(RecordedDay(path), "T")] == [
        ("A", 10.5), ("B", 20.0), ("A", 10.6), ("B", 20.1), ("A", 10.7),
    ]  # fmt: skip


def test_rows_of_another_day_and_rows_that_are_no_csv_are_left_out_and_counted(flat_file: Callable[..., Path]) -> None:
    day_ms = 86_400_000
    path = flat_file(
        row("A", OPEN - 3650 * day_ms, "9"), row("A", OPEN, "10", sequence=1), "B" * 200_000,
        row("A", OPEN + 1, "11", sequence=2),
        row("A", OPEN + 2, "12", sequence=3), row("A", OPEN + day_ms, "13"), row("A", OPEN + 27_000 * day_ms, "14"),
    )  # fmt: skip
    day = RecordedDay(path)
    assert [each["p"] for each in played(day, "T")] == [10.0, 11.0, 12.0]
    assert day.rejections.counts == {"rows of another day": 3, "rows that are no CSV": 1}


def test_equal_times_keep_the_order_of_the_file(flat_file: Callable[..., Path]) -> None:
    path = flat_file(*(row("A", OPEN, f"{10 + each / 100:.2f}", sequence=50 - each) for each in range(50)))
    assert [each["q"] for each in played(RecordedDay(path), "T")] == list(range(50, 0, -1))


def test_every_column_reaches_the_event(flat_file: Callable[..., Path]) -> None:
    path = flat_file(
        row("A", OPEN, "114.790000", "4.740474", "14,37,41", 3478, id="52983525159748", exchange=4, trf=201,
            trf_time=OPEN * 1_000_000),
        row("A", OPEN + 1, "0.00015", "40", "", 3480, id="x-7"),
    )  # fmt: skip
    first, second = played(RecordedDay(path), "T")
    assert first == {
        "ev": "T", "sym": "A", "x": 4, "i": "52983525159748", "z": 1, "p": 114.79, "s": 4, "ds": "4.740474", "c": [14, 37, 41],
        "t": OPEN, "pt": OPEN - 5, "q": 3478, "trfi": 201, "trft": OPEN,
    }  # fmt: skip
    assert second == {
        "ev": "T", "sym": "A", "x": 11, "i": "x-7", "z": 1, "p": 0.00015, "s": 40, "ds": "40.0", "t": OPEN + 1,
        "pt": OPEN - 4, "q": 3480,
    }  # fmt: skip


def test_bad_rows_are_dropped_counted_and_named(flat_file: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    good = row("NA", OPEN, "10", sequence=1)
    path = flat_file(
        good, "half,a,row", "", row("A", OPEN, "nan"), row("A", OPEN, "-1"), row("A", OPEN, "ten"), row("", OPEN, "10"),
        row("A", 5, "10"), row("A", OPEN, "10", "-5"), row("A", OPEN, "10", "1", "12,x"), row("A", OPEN, "10", exchange=99_999),
        row("A", OPEN, "10", exchange="4.0"),
    )  # fmt: skip
    with caplog.at_level(logging.INFO):
        day = RecordedDay(path)
    assert day.symbols == ["NA", "A"] and len(day.trades) == 2
    assert day.rejections.total == 9
    assert "2 trades of 2 symbols on 2013-10-07" in caplog.text and "rows that cannot be read" in caplog.text


def test_a_packed_file_plays_like_a_plain_one(flat_file: Callable[..., Path], tmp_path: Path) -> None:
    path = flat_file(row("A", OPEN, "10"), row("A", OPEN + 5, "11"))
    packed = tmp_path / "day.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert played(RecordedDay(packed), "T") == played(RecordedDay(path), "T")


def test_a_file_that_cannot_be_played_is_refused_with_the_reason(tmp_path: Path, flat_file: Callable[..., Path]) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        RecordedDay(tmp_path / "missing.csv")
    with pytest.raises(RecordingError, match="holds no trade"):
        RecordedDay(flat_file())
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("ticker,volume\nA,1\n")
    with pytest.raises(RecordingError, match="price, size, sip_timestamp not found"):
        RecordedDay(wrong)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(flat_file(*(row("A", OPEN + each, "10") for each in range(1000))).read_bytes())[:-200])
    with pytest.raises(RecordingError, match="cannot be read"):
        RecordedDay(cut)


def test_bars_follow_the_vendors_rules(flat_file: Callable[..., Path]) -> None:
    path = flat_file(
        row("A", OPEN - 120_000, "9", "10", "12", 1),  # Form T moves the pre-market minute
        row("A", OPEN + 1_000, "50", "10", "37", 2),  # an odd lot: volume only
        row("A", OPEN + 2_000, "10", "100", "", 3),
        row("A", OPEN + 3_000, "12", "100", "32", 4),  # late: high and low, not the last price
        row("A", OPEN + 4_000, "11", "100", "14,41", 5),
        row("A", OPEN + 5_000, "99", "1000", "15", 6),  # the official close counts for nothing
        row("A", OPEN + 60_000, "70", "5", "37", 7),  # a minute without a price is not sent
        row("A", OPEN + 120_000, "13", "100", "12", 8),  # Form T in regular hours: volume only
        row("A", CLOSE + 1_000, "14", "500", "8", 9),  # the closing print
    )  # fmt: skip
    day = RecordedDay(path)
    minutes = [each for each in played(day, "A", "AM") if each["ev"] == "AM"]
    shown = [(each["s"], each["o"], each["h"], each["l"], each["c"], each["v"], each["av"]) for each in minutes]
    assert shown == [
        (OPEN - 120_000, 9, 9, 9, 9, 10, 10), (OPEN, 10, 12, 10, 11, 310, 320), (CLOSE, 14, 14, 14, 14, 500, 925),
    ]  # fmt: skip
    clock = DayClock(CLOSE + 60_000, 1.0)
    interface = RestInterface(day, clock, KEY)
    interface.base = "http://127.0.0.1:1"
    headers = {"Authorization": f"Bearer {KEY}"}
    served = json.loads(interface.answer("/v2/aggs/ticker/A/range/1/minute/2013-10-07/2013-10-07", headers)[1])["results"]
    assert [(each["t"], each["o"], each["h"], each["l"], each["c"], int(each["v"])) for each in served] == [
        each[:6] for each in shown
    ]
    (whole,) = json.loads(interface.answer("/v2/aggs/ticker/A/range/1/day/2013-10-07/2013-10-07", headers)[1])["results"]
    assert (whole["o"], whole["h"], whole["l"], whole["c"], whole["v"]) == (10, 14, 10, 14, 925)


def test_rest_serves_a_recorded_day_up_to_its_clock(flat_file: Callable[..., Path]) -> None:
    day = RecordedDay(flat_file(*(row("A", OPEN + each * 60_000, "10", sequence=each + 1) for each in range(10))))
    interface = RestInterface(day, DayClock(OPEN + 200_000, 1.0), KEY)
    body = json.loads(interface.answer(f"/v2/aggs/ticker/A/range/1/minute/2013-10-07/2013-10-07?apiKey={KEY}", {})[1])
    assert [each["t"] for each in body["results"]] == [OPEN, OPEN + 60_000, OPEN + 120_000]


def test_a_slice_of_a_real_day_arrives_complete_and_in_order(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "slice.csv"
    wanted: dict[str, list[tuple[int, int]]] = {}
    with gzip.open(shared_file("data", "2013-10-07.csv.gz"), "rt") as source:
        lines = [next(source)]
        for ticker, group in itertools.groupby(source, key=lambda line: line.partition(",")[0]):
            chosen = list(itertools.islice(group, 3000))
            lines += chosen
            wanted[ticker] = [(int(each.split(",")[-6]), int(each.split(",")[-5]) // 1_000_000) for each in chosen]
    path.write_text("".join(lines))

    async def scenario() -> list[dict[str, Any]]:
        day = RecordedDay(path)
        async with serving(day, DayClock(day.start, MAX_SPEED), day.start, repeats=False) as running, running.client() as client:
            await client.log_in()
            await client.subscribe(", ".join(f"T.{ticker}" for ticker in wanted))
            return await client.until_ended()

    events = run(scenario())
    times = [each["t"] for each in events]
    assert times == sorted(times)
    for ticker, expected in wanted.items():
        assert [(each["q"], each["t"]) for each in events if each["sym"] == ticker] == expected
