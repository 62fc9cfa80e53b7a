"""The report of outcomes as text for a reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from tickstock.analysis.outcome_rows import OutcomeRow
from tickstock.history.tables import write_table

COLUMNS = (
    "timeframe", "pattern", "direction", "bars", "quality", "events", "days", "incomplete", "zero", "rate", "base",
    "rate - base, 95 %", "mean bp", "median bp", "mean after cost", "median after cost", "size bp", "base size", "says",
)  # fmt: skip
MOST_SYMBOLS = 12


def write_report(stream: TextIO, header: dict[str, Any], rows: Sequence[OutcomeRow]) -> None:
    """The header in sentences, the rows as a table."""
    symbols = header["universe"]
    named = ", ".join(symbols[:MOST_SYMBOLS]) + (" …" if len(symbols) > MOST_SYMBOLS else "")
    found = f"{header['edges']} of them may be called an edge" if header["edges"] else "none of them may be called an edge"
    stream.write(
        f"What followed, on {header['days']} days from {header['first_day']} to {header['last_day']}\n"
        f"Universe: {len(symbols)} symbols ({named}), {header['chosen']}.\n"
        f"{header['missing']}\n"
        f"Entry at the next bar's open, exit after so many bar lengths; cost {header['cost_basis_points']:g} basis points.\n"
        f"{header['rows']} rows were computed, {header['rows_tested']} have enough events and days for an interval; {found}:\n"
        f"it must survive Benjamini-Hochberg at {header['false_discovery_rate']:.0%} over all rows, pay its cost, and repeat "
        "in the last third of the days.\n\n"
    )
    write_table(stream, [_cells(row) for row in rows], COLUMNS)


def _cells(row: OutcomeRow) -> list[str]:
    interval = "-" if row.interval is None else f"{row.interval[0]:+.1%} to {row.interval[1]:+.1%}"
    returns = (row.mean_return, row.median_return, row.mean_after_cost, row.median_after_cost)
    return [
        row.timeframe, row.pattern, row.direction, str(row.horizon), row.quality, str(row.events), str(row.days),
        str(row.incomplete), str(row.zero), _percent(row.rate), _percent(row.base_rate), interval,
        *map(_basis_points, returns), _basis_points(row.mean_size), _basis_points(row.base_size), _verdict(row),
    ]  # fmt: skip


def _verdict(row: OutcomeRow) -> str:
    if row.too_few:
        return "too few"
    return "EDGE" if row.edge else ""


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _basis_points(value: float | None) -> str:
    return "-" if value is None else f"{value * 10_000:+.1f}"
