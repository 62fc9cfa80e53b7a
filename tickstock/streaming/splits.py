"""Splits: what is stored of a symbol before its split is scaled to the new shares, so that its series go on without a jump.

The stored bars before the day of the split get a further revision, prices divided and volumes multiplied by the factor. Each
split is applied once: its row says from when on bars are scaled, and moves together with them, the newest first. What REST gives
later is in new shares already, so splits are read before any history of their day is. Nothing is adjusted for dividends, and
signals that were found before stay as they were printed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from itertools import groupby
from typing import Any

from tickstock.database.vendor_queries import VendorQueries
from tickstock.database.writers import Batch, Writer
from tickstock.feed.massive_rest import MassiveRest, Split
from tickstock.market_hours import new_york_ms, new_york_time
from tickstock.streaming.corrections import CLOSE, HIGH, LOW, OPEN, REVISION, VOLUME, Row

logger = logging.getLogger(__name__)

PROGRESS = "splits"
BARS_PER_TRANSACTION = 1_000  # some 30 ms on SQLite
DECIMALS = 6  # of scaled prices: finer than any printed one
BEFORE_ALL = 0  # `scaled_from` of a split that is applied


class Splits:
    """Reads and applies the splits that the database does not know yet. Runs in the threads that fetch."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._queries = VendorQueries(url)

    def are_read(self, day: date) -> bool:
        """Whether the splits of a trading day were read, and the stored bars are in its shares.

        Raises:
            DatabaseUnavailable: try again.
        """
        return (self._queries.progress(PROGRESS) or 0) > _midnight(day)

    def read(self, rest: MassiveRest, day: date) -> list[Split]:
        """The splits since the last day that was read, or since the last stored bar, up to and with those of a day.

        Raises:
            RestError: the vendor did not tell.
            DatabaseUnavailable: try again.
        """
        since = self._queries.progress(PROGRESS)
        if since is None:
            since = self._queries.last_bar_before(_midnight(day))
        if since is None:
            return []  # nothing is stored: what comes is in the shares of this day
        first = new_york_time(since).date() + timedelta(days=1)  # bars of that day, and what was fetched on it, know its splits
        return rest.splits(first, day) if first <= day else []

    def apply(self, splits: Sequence[Split], day: date) -> list[str]:
        """Scale the stored bars of the symbols that split, and note that the splits up to `day` are read; those symbols.

        Raises:
            DatabaseUnavailable: what was scaled until then stays; call again.
        """
        known = {(each.symbol, each.day): each.scaled_from for each in self._queries.splits([each.symbol for each in splits])}
        scaled = []
        with Writer(self._url) as writer:
            for split in sorted(splits, key=lambda each: each.day):
                before = _midnight(split.day)
                scaled_from = known.get((split.symbol, before), before)
                if scaled_from == BEFORE_ALL or not split.split_from > 0 or not split.split_to > 0:
                    continue
                count = self._scale(writer, split, before, scaled_from)
                if count:
                    scaled.append(split.symbol)
                    logger.info(
                        "STREAMING: %s split %g:%g on %s: %d stored bars before it are in new shares now",
                        split.symbol, split.split_to, split.split_from, split.day, count,
                    )  # fmt: skip
            with writer.transaction() as batch:
                batch.set_vendor_progress([(PROGRESS, _midnight(day) + 1)])
        return scaled

    def _scale(self, writer: Writer, split: Split, before: int, scaled_from: int) -> int:
        key = (split.symbol, before, split.split_from, split.split_to)
        starts = self._queries.bar_starts(split.symbol, scaled_from)
        for part in _newest_first(starts):
            with writer.transaction() as batch:
                batch.insert_bars([scaled(row, split) for row in _newest(batch, split.symbol, part)])
                batch.set_splits([(*key, part[-1][1])])
        with writer.transaction() as batch:
            batch.set_splits([(*key, BEFORE_ALL)])
        return len(starts)


def scaled(row: Row, split: Split) -> list[Any]:
    """The next revision of a bar from before a split: prices and, the other way round, the volume in new shares."""
    bar = list(row)
    bar[REVISION] += 1
    for price in (OPEN, HIGH, LOW, CLOSE):
        bar[price] = round(bar[price] * split.split_from / split.split_to, DECIMALS)
    bar[VOLUME] = int(bar[VOLUME] * split.split_to / split.split_from)
    return bar


def _newest_first(starts: Sequence[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    """Parts of about the size of a transaction; bars of all timeframes that start together are not parted."""
    part: list[tuple[str, int]] = []
    for _, together in groupby(sorted(starts, key=lambda each: -each[1]), key=lambda each: each[1]):
        part += together
        if len(part) >= BARS_PER_TRANSACTION:
            yield part
            part = []
    if part:
        yield part


def _newest(batch: Batch, symbol: str, part: Sequence[tuple[str, int]]) -> list[Row]:
    found: list[Row] = []
    for timeframe in {timeframe for timeframe, _ in part}:
        keys = [(symbol, start) for each, start in part if each == timeframe]
        found += batch.newest_bars(timeframe, keys).values()
    return found


def _midnight(day: date) -> int:
    return new_york_ms(day, time())
