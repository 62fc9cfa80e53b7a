"""Files: flat files of trades, bars as CSV, `.env` and the environment, what waits for the database."""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path

import msgspec
import numpy as np

from tests.fuzz.inputs import Inputs, text_inputs
from tests.fuzz.run import ACCEPTED
from tickstock.database.spill import Record, SpillFile
from tickstock.errors import SettingError
from tickstock.feed.feed_items import FeedTick, is_ticker
from tickstock.history.csv_bars import read_rows
from tickstock.history.errors import BadBars
from tickstock.logs import Rejections
from tickstock.settings import Settings, dotenv_values
from tickstock.simulator.recorded_day import FlatFileRows, RecordingError

HEADER = (
    b"ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,sip_timestamp,size,tape,trf_id,"
    b"trf_timestamp\n"
)
SECRETS = ("MASSIVE_API_KEY", "REDIS_URL", "DATABASE_URL")
ROWS = (
    b'AAPL,"12,37",0,4,143541,1381154400000000000,297.845,4938312,1381154400012345678,40,3,202,1381154400000000000\n',
    b"BRK.B,,0,10,17,1381154401000000000,412.5,99,1381154401000000000,12.25,1,0,0\n",
)


class FlatFile:
    """Rows of a `trades_v1` flat file."""

    name = "rows of flat files"

    def inputs(self, seed: int) -> Inputs:
        return text_inputs(f"{self.name} {seed}", [*ROWS, b"".join(ROWS)])

    def take(self, data: bytes) -> str:
        rejections = Rejections(logging.getLogger("fuzz"), "FUZZ")
        rows = FlatFileRows(rejections)
        text = (HEADER + data).decode("utf-8", "replace")
        rows.read(csv.reader(io.StringIO(text, newline="")))
        lengths = {len(column) for column in rows.columns.values()} | {len(rows.price), len(rows.ids)}
        assert len(lengths) == 1, "columns of different lengths"
        assert lengths.pop() + rejections.total == _rows_in(text), "a row was lost, or counted twice"
        assert all(is_ticker(symbol) for symbol in rows.symbols)
        assert all(0 < price < 1e8 for price in rows.price)
        for name, column in rows.columns.items():
            np.frombuffer(column, np.int64)
            assert all(number >= 0 for number in column), name
        return next(iter(rejections.counts), ACCEPTED)


def _rows_in(text: str) -> int:
    """Rows behind the header that are not blank; one that a CSV cannot hold counts as one."""
    reader, count = csv.reader(io.StringIO(text, newline="")), -1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return count
        except csv.Error:
            row = ["?"]
        count += bool(row)


class FlatFileHeader:
    """The first line of a flat file."""

    name = "headers of flat files"

    def inputs(self, seed: int) -> Inputs:
        return text_inputs(
            f"{self.name} {seed}", [HEADER + ROWS[0], b"ticker,price,size,sip_timestamp\nA,1,1,1381154400000000000\n"]
        )

    def take(self, data: bytes) -> str:
        rejections = Rejections(logging.getLogger("fuzz"), "FUZZ")
        rows = FlatFileRows(rejections)
        try:
            rows.read(csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline="")))
        except RecordingError:
            return "RecordingError"
        assert len({len(column) for column in rows.columns.values()}) == 1
        return next(iter(rejections.counts), ACCEPTED)


class CsvBars:
    """Bars of a user's CSV, as `python -m tickstock.history` takes them."""

    name = "bars as CSV"

    def inputs(self, seed: int) -> Inputs:
        header = b"timestamp,open,high,low,close,volume\n"
        rows = b"1763739000000,10.0,10.5,9.5,10.25,100\n2026-11-20T09:30,10,11,9,10.5,2000\n"
        return text_inputs(
            f"{self.name} {seed}",
            [header + rows, b"\xef\xbb\xbfVolume,close,low,high,open,timestamp,x\r\n7,2,1,3,2,2026-01-02,?\r\n"],
        )

    def take(self, data: bytes) -> str:
        try:
            rows = read_rows("FILE", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline=""))
        except BadBars as problem:
            assert len(str(problem)) < 5000
            return "BadBars"
        assert rows
        before = 0
        for timestamp, opening, high, low, close, volume in rows:
            assert before < timestamp <= 4_102_444_800_000
            assert 0 < low <= min(opening, close) <= max(opening, close) <= high < 1e18
            assert 0 <= volume < 1e18
            before = timestamp
        return ACCEPTED


class DotEnv:
    """A `.env`, and the values of all settings in it."""

    name = ".env"

    def inputs(self, seed: int) -> Inputs:
        examples = (
            b"# comment\nMASSIVE_API_KEY=secret\nTICKSTOCK_PORT=5000\n",
            b"export REDIS_URL='redis://user:secret@127.0.0.1:6379/0'\n\nTICKSTOCK_TIMEFRAMES=1min,5min\n",
            b'DATABASE_URL="postgresql://me:secret@host:5432/db"\nTICKSTOCK_SYMBOLS=AAPL, MSFT\n',
            b"TICKSTOCK_HOLD_SECONDS=auto\nTICKSTOCK_FEED_URL=wss://socket.massive.com/stocks\nTICKSTOCK_LOG_LEVEL=debug\n",
            b"TICKSTOCK_ACK_SECONDS=15.5\nTICKSTOCK_PATTERNS=default,-Doji\nTICKSTOCK_REST_URL=https://api.massive.com\n",
            b"TICKSTOCK_TICK_RETENTION_DAYS=3\nTICKSTOCK_DATA_DIR=data\nTICKSTOCK_REST_REQUESTS_PER_MINUTE=5\nTICKSTOCK_ASYNC_MODE=threading\n",
        )
        return text_inputs(f"{self.name} {seed}", examples)

    def take(self, data: bytes) -> str:
        try:
            settings = Settings.load(dotenv_values(data, ".env"), dotenv=None)
        except SettingError as problem:
            said = str(problem)
            assert len(said) < 1000, said
            assert not (said.startswith(SECRETS) and "secret" in said), said
            return "SettingError"
        assert 1 <= settings.port <= 65535 and settings.hold_ms >= 0 and settings.delay_ms >= 0 and settings.database
        assert settings.symbols and all(symbol == "*" or is_ticker(symbol) for symbol in settings.symbols)
        return ACCEPTED


class Spill:
    """The file in which ticks wait for the database, as a killed process or a failing disk leaves it."""

    name = "spill files"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "spill"
        self._number = 0
        chunks = [("run", number, [FeedTick("AAPL", 1.5, 100, 1_728_300_000_000 + number, False)] * 3) for number in (1, 4, 7)]
        self._records = [Record(msgspec.msgpack.encode(chunk), 3) for chunk in chunks]
        spill = SpillFile(self._path)
        spill.append(self._records)
        self._whole = self._path.read_bytes()

    def inputs(self, seed: int) -> Inputs:
        return text_inputs(f"{self.name} {seed}", [self._whole, self._whole[: len(self._whole) // 2]])

    def take(self, data: bytes) -> str:
        self._path.write_bytes(data)
        spill = SpillFile(self._path)
        found = spill.oldest(1 << 30)
        assert len(found) == spill.records and spill.weight >= 0
        assert self._path.exists() == bool(found), "an empty file stays"
        if not found:
            return "no whole record"
        assert self._path.stat().st_size == sum(12 + len(content) for content in found), "what is broken is cut off"
        expected = [record.content for record in self._records]
        assert all(content in expected for content in found), "a record that was never written"
        self._number += 1
        if self._number % 50 == 0:  # and what comes later stands behind it; it waits for the disk, so not always
            spill.append(self._records[:1])
            assert spill.oldest(1 << 30) == [*found, expected[0]]
        spill.remove(len(found))
        return ACCEPTED if self._whole.startswith(data) or data == self._whole else "broken from some record on"
