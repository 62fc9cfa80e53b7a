"""The evening's comparison: one-minute bars made from ticks against the vendor's, which know late prints and cancels.

What differs becomes the vendor's, as a further revision, and the timeframes above are built again. How well the two agreed is
kept per trading day and symbol; bars that came from REST in the first place say nothing about that and are not counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tickstock.database.vendor_queries import COUNTS
from tickstock.database.writers import Batch
from tickstock.market_hours import Calendar
from tickstock.streaming.corrections import CLOSE, HIGH, LAST, LOW, OPEN, REVISION, START, SYMBOL, VOLUME, Row, build_above

FIELDS = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE, "volume": VOLUME}
PRICE_TOLERANCE = 1e-9  # relative
VOLUME_TOLERANCE = 1  # share: the vendor counts fractions


def compare(ours: Mapping[int, Row], theirs: Mapping[int, Row], first_revision: int) -> tuple[list[Row], Counter[str]]:
    """The rows that make our bars (by start) the vendor's, and the counts by the names of `COUNTS`.

    A bar that only the vendor has begins with `first_revision`; one that only we have stays, because a stored row never changes.
    """
    corrections: list[Row] = []
    counts = Counter(dict.fromkeys(COUNTS, 0))
    for start, bar in theirs.items():
        stored = ours.get(start)
        if stored is None:
            counts["missing"] += 1
            corrections.append(_revised(bar, first_revision))
            continue
        agrees = {name: _agree(name, stored[column], bar[column]) for name, column in FIELDS.items()}
        if _from_ticks(stored):
            counts["bars"] += 1
            counts.update(name for name, same in agrees.items() if same)
        if not all(agrees.values()):
            corrections.append(_revised(bar, stored[REVISION] + 1))
    counts["extra"] = sum(1 for start, bar in ours.items() if start not in theirs and _from_ticks(bar))
    counts["corrected"] = len(corrections)
    return corrections, counts


def reconcile(
    batch: Batch, symbol: str, day: int, theirs: Sequence[Row], until: int, calendar: Calendar, first_revision: int
) -> int:
    """Compare and correct a symbol's bars between the start of a trading day and `until` (ms); how many were corrected.

    A day of which nothing was made from ticks is corrected, but not counted.
    """
    ours = {row[START]: row for row in batch.bars_between("1min", symbol, day, until)}
    corrections, counts = compare(ours, {row[START]: row for row in theirs if day <= row[START] < until}, first_revision)
    batch.insert_bars(corrections)
    changed = {(row[SYMBOL], row[START]) for row in corrections}
    build_above(batch, changed, calendar, complete_until=until, first_revision=first_revision)
    if any(map(_from_ticks, ours.values())):
        batch.insert_reconciliations([(day, symbol, *(counts[name] for name in COUNTS))])
    return len(corrections)


def match_rates(sums: Mapping[str, int]) -> dict[str, float]:
    """Per field, the share of compared bars in which it was the vendor's; empty when nothing was compared."""
    return {name: round(sums[name] / sums["bars"], 6) for name in FIELDS} if sums["bars"] else {}


def _agree(name: str, one: float, other: float) -> bool:
    if name == "volume":
        return abs(one - other) <= VOLUME_TOLERANCE
    return math.isclose(one, other, rel_tol=PRICE_TOLERANCE)


def _from_ticks(row: Row) -> bool:
    return row[LAST] is not None


def _revised(row: Row, revision: int) -> list[Any]:
    revised = list(row)
    revised[REVISION] = revision
    return revised
