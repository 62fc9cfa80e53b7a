"""The slow, independent reference: a trades_v1 flat file turned into minute bars by the vendor's update rules, read directly.

It shares no code with `tickstock.feed`: conditions come from the vendor's table in the reference data, and a bar is formed from
the sorted prints of its minute, not from ticks.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

FORM_T = 12
ODD_LOT = 37
NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Print:
    """One row of the file."""

    symbol: str
    time_ms: int
    price: float
    size: int
    conditions: tuple[int, ...]
    exchange: int
    trade_id: str
    sequence: int
    trf: int


@dataclass
class ReferenceBar:
    """A minute by the vendor's rules; None where no eligible print set the field."""

    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    volume: int = 0

    @property
    def priced(self) -> bool:
        """Whether the vendor would send this bar."""
        return self.open is not None


Rules = dict[int, tuple[bool, bool, bool]]  # condition: may set high and low, open and close, volume


def read_rules(path: Path) -> Rules:
    """The vendor's table, {id: [high-low, open-close, volume]}."""
    return {int(code): tuple(allowed) for code, allowed in json.loads(path.read_text()).items()}


def read_prints(path: Path) -> Iterator[Print]:
    """The prints of a flat file (.csv.gz) in its order."""
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            yield Print(
                symbol=row["ticker"],
                time_ms=int(row["sip_timestamp"]) // 1_000_000,
                price=float(row["price"]),
                size=int(row["size"]),
                conditions=tuple(int(code) for code in row["conditions"].split(",") if code),
                exchange=int(row["exchange"]),
                trade_id=row["id"],
                sequence=int(row["sequence_number"]),
                trf=int(row["trf_id"]),
            )


def with_odd_lots(prints: Iterable[Print], most_shares: int = 100) -> Iterator[Print]:
    """The same prints, each of at most `most_shares` marked as an odd lot, which those years did not report."""
    for each in prints:
        if each.size <= most_shares:
            yield Print(**{**vars(each), "conditions": (*each.conditions, ODD_LOT)})
        else:
            yield each


def in_regular_hours(time_ms: int) -> bool:
    """09:30 to 16:00 in New York; early closes are not known here."""
    return time(9, 30) <= datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(NEW_YORK).time() < time(16)


def allowed(conditions: Iterable[int], time_ms: int, rules: Rules) -> tuple[bool, bool, bool]:
    """Whether a print may set high and low, open and close, volume: every one of its conditions must allow it."""
    verdicts = [rules.get(code, (True, True, True)) for code in conditions if code != FORM_T or in_regular_hours(time_ms)]
    return all(v[0] for v in verdicts), all(v[1] for v in verdicts), all(v[2] for v in verdicts)


def vendor_bars(prints: Iterable[Print], rules: Rules) -> dict[tuple[str, int], ReferenceBar]:
    """Minute bars by (symbol, start of the minute in ms), unpriced ones too."""
    minutes: dict[tuple[str, int], list[Print]] = defaultdict(list)
    for each in prints:
        minutes[each.symbol, each.time_ms // 60_000 * 60_000].append(each)
    bars = {}
    for key, of_minute in minutes.items():
        bar = bars[key] = ReferenceBar()
        for each in sorted(of_minute, key=lambda one: one.time_ms):  # stable: equal times stay in order of arrival
            high_low, open_close, volume = allowed(each.conditions, each.time_ms, rules)
            if high_low:
                bar.high = each.price if bar.high is None else max(bar.high, each.price)
                bar.low = each.price if bar.low is None else min(bar.low, each.price)
            if open_close:
                bar.open = each.price if bar.open is None else bar.open
                bar.close = each.price
            if volume:
                bar.volume += each.size
    return bars
