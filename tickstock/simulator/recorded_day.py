"""A recorded day: a `trades_v1` flat file, sorted by ticker or by time, as a tape and as bars.

Columns: https://massive.com/docs/flat-files/stocks/trades. Times are Unix nanoseconds; conditions a quoted list with commas.
"""

from __future__ import annotations

import csv
import gzip
import io
import logging
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, time, timedelta
from pathlib import Path

import numpy as np

from tickstock.errors import TickStockError
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS, ExchangeCalendar, new_york_ms, new_york_time, regular_session_of
from tickstock.simulator.aggregation import all_windows, bars_of
from tickstock.simulator.conditions import ConditionSets
from tickstock.simulator.halts import HaltEvents
from tickstock.simulator.splits import StockSplit
from tickstock.simulator.tape import Totals
from tickstock.simulator.trades import SHARE, Bars, Trades
from tickstock.simulator.trading_day import TradingDay, TradingDays

log = logging.getLogger(__name__)

_REQUIRED = ("ticker", "price", "size", "sip_timestamp")
_OPTIONAL = ("conditions", "exchange", "id", "participant_timestamp", "sequence_number", "tape", "trf_id", "trf_timestamp")


_EARLIEST_NS, _LATEST_NS = 10**17, 4_102_444_800 * 10**9
_MOST_KINDS = 30_000  # their numbers are kept in 16 bits


class RecordingError(TickStockError):
    """A flat file cannot be played."""


class FlatFileRows:
    """The rows of a file in columns; a row that does not fit is counted and left out."""

    def __init__(self, rejections: Rejections) -> None:
        self.symbols: dict[str, int] = {}
        self.conditions = ConditionSets()
        self._kinds: dict[str, int] = {"": 0}
        self._rejections = rejections
        self.ids: list[str] = []
        self.price = array("d")
        names = ("symbol", "kind", "size", "sip", "participant", "exchange", "sequence", "tape", "trf", "trf_time")
        self.columns = {name: array("q") for name in names}

    def read(self, lines: Iterator[list[str]]) -> None:
        """Take every row; the first one is the header."""
        try:
            header = next(lines, [])
        except csv.Error as problem:
            raise RecordingError(f"The first line cannot be read: {problem}") from None
        missing = [name for name in _REQUIRED if name not in header]
        if missing:
            raise RecordingError(
                f"A trades_v1 file must have the columns {', '.join(_REQUIRED)}; {', '.join(missing)} not found."
            )
        at = [header.index(name) if name in header else len(header) for name in (*_REQUIRED, *_OPTIONAL)]
        for row in filter(None, self._readable(lines)):
            if len(row) != len(header):
                self._rejections.add("rows with a wrong number of columns", row)
                continue
            row.append("")  # what a missing column holds
            try:
                self._add([row[each] for each in at])
            except (ValueError, OverflowError) as problem:
                self._rejections.add("rows that cannot be read", f"{problem}: {','.join(row[:-1])}")

    def _readable(self, lines: Iterator[list[str]]) -> Iterator[list[str]]:
        while True:
            try:
                yield next(lines)
            except StopIteration:
                return
            except csv.Error as problem:
                self._rejections.add("rows that are no CSV", problem)

    def _add(self, fields: Sequence[str]) -> None:
        ticker, price_text, size_text, sip_text, codes, exchange, identity, before, sequence, tape, trf, trf_time = fields
        price, size, sip = float(price_text), float(size_text), int(sip_text)
        if not 0 < len(ticker) <= 32 or not ticker.isprintable() or len(identity) > 100:
            raise ValueError("no proper ticker or identity")
        if not 0 < price < 1e8 or not 0 <= size < 1e12 or not _EARLIEST_NS <= sip < _LATEST_NS:
            raise ValueError("a price, size or time out of range")
        kind = self._kinds.get(codes)
        if kind is None:
            kind = self._new_kind(codes)
        numbers = (
            kind, round(size * SHARE), sip, _whole(before) or sip, _whole(exchange, 2**15), _whole(sequence), _whole(tape, 2**7),
            _whole(trf, 2**15), _whole(trf_time),
        )  # fmt: skip
        symbol = self.symbols.setdefault(ticker, len(self.symbols))
        for column, number in zip(self.columns.values(), (symbol, *numbers), strict=True):
            column.append(number)
        self.price.append(price)
        self.ids.append(identity)

    def _new_kind(self, codes: str) -> int:
        numbers = tuple(int(each) for each in codes.split(","))
        if len(numbers) > 20 or not all(0 <= each < 1000 for each in numbers) or len(self._kinds) > _MOST_KINDS:
            raise ValueError("conditions out of range")
        kind = self._kinds[codes] = self.conditions.number(numbers)
        return kind


def _whole(text: str, limit: int = 2**63) -> int:
    """A whole number; empty is 0."""
    if not text:
        return 0
    number = int(text) if text.isdigit() else int(float(text))
    if not 0 <= number < limit:
        raise ValueError(f"{text} is out of range")
    return number


class RecordedDay:
    """One day of real trades, played with their own times: a tape, and the source of that day's bars.

    Raises:
        RecordingError: the file cannot be read, or holds no trade.
    """

    def __init__(self, path: Path) -> None:
        self.rejections = Rejections(log, "SIMULATOR")
        reader = FlatFileRows(self.rejections)
        with _opened(path) as lines:
            reader.read(lines)
        if not reader.price:
            raise RecordingError(f"{path} holds no trade that can be played ({self.rejections.total} rows dropped).")
        self.symbols = list(reader.symbols)
        self.splits: tuple[StockSplit, ...] = ()  # none is between the minutes of one day
        self.conditions = reader.conditions
        self._days = TradingDays(ExchangeCalendar())
        self.day, self.trades = self._in_order(reader)
        self._minutes = np.unique(self.trades.time // MINUTE_MS * MINUTE_MS)
        self._bars = all_windows(self.trades, self.trades.time // MINUTE_MS * MINUTE_MS, self.conditions)
        self._number = reader.symbols
        dropped = ", ".join(f"{count} {kind}" for kind, count in self.rejections.counts.items()) or "no row dropped"
        log.info(
            "SIMULATOR: %s: %d trades of %d symbols on %s; %s", path.name, len(self.trades), len(self.symbols), self.day, dropped
        )

    def _in_order(self, reader: FlatFileRows) -> tuple[date, Trades]:
        column = {name: np.frombuffer(values, np.int64) for name, values in reader.columns.items()}
        order = np.argsort(column["sip"], kind="stable")  # equal times keep the order of the file
        column = {name: values[order] for name, values in column.items()}
        at = column["sip"] // 1_000_000
        day = new_york_time(int(at[len(at) // 2])).date()
        first, last = np.searchsorted(at, (new_york_ms(day, time()), new_york_ms(day + timedelta(days=1), time())))
        if others := len(at) - int(last - first):  # a replay would jump to them, or wait for them
            self.rejections.add("rows of another day", f"not of {day}", others)
        order, at = order[first:last], at[first:last]
        column = {name: values[first:last] for name, values in column.items()}
        session = regular_session_of(self._days.calendar, day)
        start, end = (session.start, session.end) if session else (new_york_ms(day, time(9, 30)), new_york_ms(day, time(16)))
        return day, Trades(
            symbol=column["symbol"].astype(np.int32), time=at, price=np.frombuffer(reader.price)[order], size=column["size"],
            kind=column["kind"].astype(np.int16), exchange=column["exchange"].astype(np.int16),
            identity=np.array(reader.ids, object)[order], sequence=column["sequence"],
            participant_time=column["participant"] // 1_000_000, tape=column["tape"].astype(np.int8),
            trf=column["trf"].astype(np.int16), trf_time=column["trf_time"] // 1_000_000,
            extended_hours=(at < start) | (at >= end),
        )  # fmt: skip

    @property
    def start(self) -> int:
        """The minute of the first trade, in Unix milliseconds."""
        return int(self._minutes[0])

    # -- as a tape --------------------------------------------------------------------------------------------------------

    def next_minute(self, start: int) -> int | None:
        at = bisect_left(self._minutes, start)
        return int(self._minutes[at]) if at < len(self._minutes) else None

    def minute(self, start: int) -> Trades:
        first, last = np.searchsorted(self.trades.time, (start, start + MINUTE_MS))
        return self.trades.take(slice(int(first), int(last)))

    def day_of(self, start: int) -> date:
        return self.day

    def halts(self, start: int) -> HaltEvents:
        return HaltEvents.none()  # a recording of trades does not tell

    def totals_before(self, start: int) -> Totals:
        totals = Totals.none(len(self.symbols))
        bars = self._bars.take(self._bars.start < start)
        np.add.at(totals.volume, bars.symbol, bars.volume)
        np.add.at(totals.dollars, bars.symbol, bars.dollars)
        for row in np.flatnonzero(~np.isnan(bars.open)):
            if np.isnan(totals.official_open[bars.symbol[row]]) and not self._is_extended(int(bars.start[row])):
                totals.official_open[bars.symbol[row]] = bars.open[row]
        return totals

    def _is_extended(self, start: int) -> bool:
        session = regular_session_of(self._days.calendar, self.day)
        return session is None or not session.start <= start < session.end

    # -- as a source of bars ----------------------------------------------------------------------------------------------

    def days_between(self, first: int, last: int) -> list[TradingDay]:
        day = self._days.of(self.day)
        return [day] if day is not None and day.midnight <= last and day.midnight + 1440 * MINUTE_MS > first else []

    def minute_bars(self, ticker: str, day: TradingDay) -> Bars:
        return self._bars.take(self._bars.symbol == self._number[ticker])

    def second_bars(self, ticker: str, day: TradingDay, minutes: slice) -> Bars:
        trades = self._of(ticker, day.start + minutes.start * MINUTE_MS, day.start + minutes.stop * MINUTE_MS)
        return bars_of(trades, trades.time // 1000 * 1000, self.conditions)

    def day_bar(self, ticker: str, day: TradingDay, until: int) -> Bars:
        """By the table alone: in a bar of the day, Form T is never price-eligible."""
        trades = self._of(ticker, 0, until // MINUTE_MS * MINUTE_MS)
        columns = {**vars(trades), "extended_hours": np.zeros(len(trades), bool)}
        return bars_of(Trades(**columns), np.full(len(trades), day.midnight), self.conditions)

    def session_at(self, moment: int) -> str | None:
        """Name of the session at a moment, in Unix milliseconds."""
        session = self._days.calendar.session_at(moment)
        return session.name if session else None

    def _of(self, ticker: str, start: int, end: int) -> Trades:
        wanted = (self.trades.symbol == self._number[ticker]) & (self.trades.time >= start) & (self.trades.time < end)
        return self.trades.take(wanted)


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[list[str]]]:
    try:
        with path.open("rb") as file:
            data = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file
            yield csv.reader(io.TextIOWrapper(data, encoding="utf-8", errors="replace", newline=""))
    except (OSError, EOFError, zlib.error, csv.Error) as problem:
        raise RecordingError(f"{path} cannot be read: {problem}") from problem
