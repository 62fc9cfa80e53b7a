"""Bars from a CSV: read as they stand, or refused with the lines that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tickstock.history.csv_bars import read_csv_bars
from tickstock.history.errors import BadBars

HEADER = "timestamp,open,high,low,close,volume\n"
FIRST = 1_381_152_600_000  # 2013-10-07 09:30 New York


def written(folder: Path, text: str) -> Path:
    path = folder / "bars.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_times_may_be_milliseconds_or_iso_with_and_without_an_offset(tmp_path: Path) -> None:
    text = f"{HEADER}{FIRST},10,11,9,10.5,300\n2013-10-07T09:31,10,11,9,10.5,0\n2013-10-07T13:32:00Z,1,1,1,1,1.5\n"
    bars = read_csv_bars(written(tmp_path, text))
    assert bars.timestamp.tolist() == [FIRST, FIRST + 60_000, FIRST + 120_000]
    assert bars.close.tolist() == [10.5, 10.5, 1.0]
    assert bars.volume.tolist() == [300, 0, 1.5]


def test_columns_may_stand_in_any_order_among_others_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    text = f"\ufeffVolume, Close ,name,low,HIGH,open,Timestamp\n\n300,10.5,x,9,11,10,{FIRST}\n\n"
    bars = read_csv_bars(written(tmp_path, text))
    assert [column[0] for column in bars] == [FIRST, 10, 11, 9, 10.5, 300]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"{FIRST},10,11,9,ten,300", "close 'ten' is not a number"),
        (f"{FIRST},10,11,9,nan,300", "close 'nan' is not a number"),
        (f"{FIRST},10,9.5,9,10,300", "low 9 and high 9.5 do not enclose open 10 and close 10"),
        (f"{FIRST},10,11,10.2,10.5,300", "do not enclose"),
        (f"{FIRST},0,11,0,10.5,300", "a price is not positive"),
        (f"{FIRST},10,11,9,10,-1", "volume -1 is negative"),
        (f"{FIRST // 1000},10,11,9,10,1", "Unix times are milliseconds"),
        ("yesterday,10,11,9,10,1", "'yesterday' is no time"),
        (f"{FIRST},10,11,9", "too few fields"),
        (f"{FIRST - 120_000},10,11,9,10,1", "not after that of the row before"),
    ],
)
def test_a_row_that_is_no_bar_is_refused_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    good = f"{FIRST - 60_000},10,11,9,10.5,300\n"
    with pytest.raises(BadBars) as refused:
        read_csv_bars(written(tmp_path, HEADER + good + row + "\n"))
    assert "line 3: " in str(refused.value)
    assert said in str(refused.value)


def test_many_bad_rows_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    rows = "".join(f"{FIRST + 60_000 * number},10,9,9,10,1\n" for number in range(25))
    with pytest.raises(BadBars) as refused:
        read_csv_bars(written(tmp_path, HEADER + rows))
    text = str(refused.value)
    assert "25 rows" in text
    assert "line 11: " in text
    assert "line 12: " not in text
    assert "and 15 more" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must begin with a line"),
        ("time,open\n", "timestamp, high, low, close, volume is not there"),
        (HEADER, "no bars below"),
    ],
)
def test_a_file_without_header_or_rows_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadBars, match=said):
        read_csv_bars(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBars, match="cannot be read"):
        read_csv_bars(tmp_path / "none.csv")
