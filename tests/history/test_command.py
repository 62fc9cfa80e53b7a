"""`python -m tickstock.history`: what it prints, and what it says when something is wrong."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.analysis.memoryless_market import memoryless_series
from tests.streaming.test_outcomes import store_bars
from tickstock.analysis.selection import PATTERNS
from tickstock.history.__main__ import main
from tickstock.history.bar_series import BarSeries
from tickstock.history.progress_bar import ProgressBar
from tickstock.history.search import search

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def series() -> BarSeries:
    return memoryless_series(3, 3)


@pytest.fixture
def bars_csv(series: BarSeries, tmp_path: Path) -> Path:
    path = tmp_path / "walk.csv"
    rows = zip(*(column.tolist() for column in series.bars), strict=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("timestamp", "open", "high", "low", "close", "volume"), *rows])
    return path


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(ROOT / "tests")  # where no .env is
    return database_url


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(arguments) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_a_scan_of_a_csv_lists_every_detection(bars_csv: Path, series: BarSeries, capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "scan", "--csv", str(bars_csv), "--format", "jsonl").splitlines()
    found = [json.loads(line) for line in lines]
    expected = list(search(BarSeries("walk", "1min", series.bars, series.session_start), PATTERNS, lambda _: None).detections())
    assert [(row["pattern"], row["bar_timestamp"], row["direction"], row["state"]) for row in found] == [
        (each.pattern, each.bar_timestamp, each.direction, each.state) for each in expected
    ]
    assert {row["symbol"] for row in found} == {"walk"}


def test_a_scan_may_be_written_as_csv_into_a_file(bars_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.csv"
    assert (
        output(capsys, "scan", "--csv", str(bars_csv), "--symbol", "X", "--patterns", "hammer,doji", "--output", str(file)) == ""
    )
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert {row["pattern"] for row in rows} == {"Hammer", "Doji"}
    assert {row["symbol"] for row in rows} == {"X"}
    assert json.loads(rows[0]["details"]) is not None


def test_a_scan_prints_a_table_with_new_york_times(bars_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, first, *_ = output(capsys, "scan", "--csv", str(bars_csv), "--patterns", "Doji").splitlines()
    assert header.split() == ["time", "symbol", "timeframe", "pattern", "direction", "state", "price", "quality", "details"]
    assert first.startswith("2013-01-02 ")


def test_minutes_of_a_csv_become_bars_of_a_higher_timeframe(
    bars_csv: Path, series: BarSeries, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = output(capsys, "scan", "--csv", str(bars_csv), "--timeframe", "5min", "--format", "jsonl").splitlines()
    starts = {json.loads(line)["bar_timestamp"] for line in lines}
    assert len(starts) > 20
    assert all((start - series.session_start[0]) % 300_000 == 0 for start in starts)


def test_stored_bars_are_scanned_in_their_newest_revision_and_range(
    database: str, series: BarSeries, capsys: pytest.CaptureFixture[str]
) -> None:
    store_bars(database, BarSeries("AAPL", "1min", series.bars, series.session_start))
    lines = output(
        capsys, "scan", "--symbol", "AAPL,MSFT", "--from", "2013-01-03", "--to", "2013-01-03", "--format", "jsonl",
    ).splitlines()  # fmt: skip
    second = series.session_start == np.unique(series.session_start)[1]
    day = BarSeries("AAPL", "1min", series.bars.rows(second), series.session_start[second])
    assert len(lines) == len(list(search(day, PATTERNS, lambda _: None).detections()))


def test_outcomes_tell_the_universe_the_rows_and_that_delisted_symbols_are_missing(
    bars_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = output(capsys, "outcomes", "--csv", str(bars_csv), "--symbol", "AAPL", "--patterns", "Doji,Hammer", "--cost", "3")
    assert "Universe: 1 symbols (AAPL), chosen on " in text
    assert "delisted" in text
    assert "cost 3 basis points" in text
    told = json.loads(
        output(capsys, "outcomes", "--csv", str(bars_csv), "--patterns", "Doji,Hammer", "--json", "--horizons", "5")
    )
    assert told["header"]["rows"] == len(told["outcomes"])
    assert {row["horizon"] for row in told["outcomes"]} == {5}
    assert {row["pattern"] for row in told["outcomes"]} == {"Doji", "Hammer"}
    assert {row["too_few"] for row in told["outcomes"]} == {True}


def test_the_catalogue_lists_every_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    told = {entry["name"] for entry in json.loads(output(capsys, "catalog", "--json"))}
    assert set(PATTERNS) <= told
    assert all(name in output(capsys, "catalog") for name in ("Hammer", "HeadShoulders", "RSI_OVERBOUGHT"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--symbol", "AAPL", "--patterns", "Hamer"), "There is no pattern 'Hamer'; did you mean Hammer?"),
        (("--symbol", "AAPL", "--patterns", "qqqqqq"), "python -m tickstock.history catalog lists them"),
        ((), "--symbol says which symbols are searched"),
        (("--symbol", "AAPL", "--from", "soon"), "'soon' is no time"),
        (("--symbol", "AAPL", "--to", "99999-01-01"), "'99999-01-01' is no time"),
        (("--symbol", "AAPL", "--to", "99999999999999999"), "'99999999999999999' is no time"),
        (("--symbol", "AAPL", "--from", "2024-02-02", "--to", "2024-02-01"), "--from 2024-02-02 must be before --to 2024-02-01"),
        (("--symbol", "A,B", "--csv", "x.csv"), "A CSV holds the bars of one symbol"),
        (("--csv", "none.csv"), "none.csv cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    text = output(capsys, "scan", *arguments, code=1)
    assert said in text
    assert text.count("\n") == 1


def test_without_bars_it_says_what_there_is(database: str, series: BarSeries, capsys: pytest.CaptureFixture[str]) -> None:
    assert "It has 1min bars of no symbol at all." in output(capsys, "scan", "--symbol", "AAPL", code=1)
    store_bars(database, BarSeries("AAPL", "1min", series.bars, series.session_start))
    assert "It has 1min bars of AAPL." in output(capsys, "scan", "--symbol", "MSFT", code=1)
    said = output(capsys, "scan", "--symbol", "AAPL", "--from", "2014-01-01", code=1)
    assert f"It has {len(series):,} 1min bars of them, from 2013-01-02 09:31 to 2013-01-04 15:59." in said


def test_a_csv_without_bars_in_the_time_says_what_it_has(bars_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = output(capsys, "scan", "--csv", str(bars_csv), "--from", "2014-01-01", code=1)
    assert "it goes from 2013-01-02 09:3" in said


def test_minutes_that_are_called_days_are_refused(bars_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = ("scan", "--csv", str(bars_csv), "--csv-timeframe", "1day")
    assert "several rows of one day" in output(capsys, *days, "--timeframe", "1day", code=1)
    assert "5min bars can be made of 1min bars, not of 1day bars" in output(capsys, *days, "--timeframe", "5min", code=1)


def test_the_command_explains_itself() -> None:
    for arguments in (["--help"], ["scan", "--help"], ["outcomes", "--help"]):
        finished = subprocess.run(
            [sys.executable, "-m", "tickstock.history", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert finished.returncode == 0, finished.stderr
        assert "python -m tickstock.history scan --symbol AAPL --from" in finished.stdout


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_bar_fills_on_a_terminal_and_is_wiped_at_the_end() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        with ProgressBar(1000, "bars", stream) as bar:
            bar.advance(250)
            bar.advance(750)
    assert " 25% 250 of 1,000 bars" in terminal.getvalue()
    assert "100% 1,000 of 1,000 bars" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert pipe.getvalue() == ""
