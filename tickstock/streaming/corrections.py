"""What comes after a bar was stored: late ticks and late REST bars, as further revisions of it and of the bars above it.

A stored row never changes. A correction is the row of the highest revision with the late ticks merged in, under the next
revision; 5, 15 and 60 minute bars and the day's bar are built again from their corrected minutes. All of it happens inside the
transaction that stores a closed minute, from what the database holds, so it is a function of the log like everything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tickstock.database.models import DAY_SERIES
from tickstock.database.writers import Batch
from tickstock.market_hours import MINUTE_MS, Calendar
from tickstock.streaming.bar_builder import LateTick
from tickstock.streaming.higher_timeframes import TIMEFRAME_MS, bar_bounds

Row = Sequence[Any]  # of the `bars` table
Key = tuple[str, int]  # symbol, start of the bar
(SYMBOL, TIMEFRAME, START, REVISION, OPEN, HIGH, LOW, CLOSE, VOLUME, TICKS, TRADES, SOURCE, FIRST, LAST) = range(14)
HIGHER = tuple(timeframe for timeframe in TIMEFRAME_MS if timeframe != "1min")


def with_late_tick(row: Row | None, tick: LateTick, source: str) -> Row:
    """A one-minute bar's row with one more tick in it, ordered by (timestamp, arrival); without a row, a bar of that tick alone.

    The revision stays: `store_corrections` counts it up once for all ticks.
    """
    start = tick.timestamp - tick.timestamp % MINUTE_MS
    if row is None:
        price = tick.price
        return (
            tick.symbol, "1min", start, 0, price, price, price, price, tick.volume, 1, None, source,
            tick.timestamp, tick.timestamp,
        )  # fmt: skip
    bar = list(row)
    if bar[LAST] is None:
        return row  # the vendor's own bar: what came late here was in it, or comes with the reconciliation
    if tick.timestamp >= bar[LAST]:
        bar[CLOSE], bar[LAST] = tick.price, tick.timestamp
    elif tick.timestamp < bar[FIRST]:
        bar[OPEN], bar[FIRST] = tick.price, tick.timestamp
    bar[HIGH], bar[LOW] = max(bar[HIGH], tick.price), min(bar[LOW], tick.price)
    bar[VOLUME] += tick.volume
    bar[TICKS] += 1
    return bar


def built_from_minutes(minutes: Sequence[Row], timeframe: str, start: int, revision: int) -> Row:
    """The row of a higher timeframe from the rows of its minutes, in order of time."""
    first, last = minutes[0], minutes[-1]
    return (
        first[SYMBOL], timeframe, start, revision, first[OPEN], max(m[HIGH] for m in minutes), min(m[LOW] for m in minutes),
        last[CLOSE], sum(m[VOLUME] for m in minutes), _sum(minutes, TICKS), _sum(minutes, TRADES), last[SOURCE],
        first[FIRST], last[LAST],
    )  # fmt: skip


def store_corrections(
    batch: Batch,
    late: Sequence[LateTick],
    late_bars: Sequence[Row],
    closed: Iterable[Row],
    source: str,
    calendar: Calendar,
    complete_until: int = 0,
) -> int:
    """Store what came late, and what follows from it for the timeframes above; return how many one-minute bars changed.

    `late_bars` are one-minute REST bars of minutes that closed without them; `closed` are the rows stored in this same
    transaction, whose minutes may have been corrected before they closed; everything that ends at or before `complete_until` is.
    """
    ticks_of: dict[Key, list[LateTick]] = defaultdict(list)
    for tick in late:
        start = tick.timestamp - tick.timestamp % MINUTE_MS
        if calendar.session_at(start) is not None:
            ticks_of[tick.symbol, start].append(tick)
    bars_of: dict[Key, Row] = {(bar[SYMBOL], bar[START]): bar for bar in late_bars}
    keys = list(ticks_of.keys() | bars_of.keys())
    stored = batch.newest_bars("1min", keys) if keys else {}
    corrected = []
    for key in keys:
        before = stored.get(key)
        row: Row | None = bars_of[key] if key in bars_of and before is None else before
        for tick in ticks_of.get(key, ()):
            row = with_late_tick(row, tick, source)
        if row is None or row is before:
            continue
        revised = list(row)
        revised[REVISION] = before[REVISION] + 1 if before else 1
        corrected.append(revised)
    batch.insert_bars(corrected)
    build_above(batch, {(row[SYMBOL], row[START]) for row in corrected}, calendar, closed=closed, complete_until=complete_until)
    return len(corrected)


def build_above(
    batch: Batch,
    minutes: set[Key],
    calendar: Calendar,
    *,
    closed: Iterable[Row] = (),
    complete_until: int = 0,
    first_revision: int = 1,
) -> None:
    """Build again the stored bars that hold a corrected minute, and those of `closed` whose minutes were corrected before.

    A bar that is not stored though it ended by `complete_until` had no minute until now; it begins with `first_revision`. The
    vendor's final day bars stay.
    """
    wanted: dict[str, set[tuple[str, int, int]]] = {timeframe: set() for timeframe in HIGHER}
    for symbol, minute in minutes:
        session = calendar.session_at(minute)
        assert session is not None
        for timeframe in HIGHER:
            if timeframe != "1day" or session.name == "regular":
                wanted[timeframe].add((symbol, *bar_bounds(timeframe, minute, session)))
    just_closed: dict[tuple[str, int], set[str]] = defaultdict(set)
    for row in closed:
        if row[TIMEFRAME] != "1min":
            just_closed[row[TIMEFRAME], row[START]].add(row[SYMBOL])
    for (timeframe, start), symbols in just_closed.items():
        session = calendar.session_at(start)
        assert session is not None
        _, end = bar_bounds(timeframe, start, session)
        for symbol in symbols & batch.corrected_symbols("1min", start, end):
            wanted[timeframe].add((symbol, start, end))
    for timeframe, places in wanted.items():
        if not places:
            continue
        stored = batch.newest_bars(timeframe, [(symbol, start) for symbol, start, _ in places])
        final = batch.covered_until(DAY_SERIES, {symbol for symbol, _, _ in places}) if timeframe == "1day" else {}
        rows = []
        for symbol, start, end in sorted(places):
            before = stored.get((symbol, start))
            if start < final.get(symbol, 0) or (before is None and end > complete_until):
                continue  # final, or still open: then it is looked at when it closes
            parts = batch.bars_between("1min", symbol, start, end)
            rebuilt = built_from_minutes(parts, timeframe, start, before[REVISION] + 1 if before else first_revision)
            if before is None or tuple(rebuilt[OPEN:]) != tuple(before[OPEN:]):
                rows.append(rebuilt)
        batch.insert_bars(rows)


def _sum(rows: Sequence[Row], column: int) -> int | None:
    values = [row[column] for row in rows]
    return None if None in values else sum(values)
