"""What a report of outcomes says of itself: the universe and how it was chosen, what is missing, how many rows were computed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from tickstock.analysis.outcome_rows import FALSE_DISCOVERIES, OutcomeRow
from tickstock.analysis.outcome_tally import OutcomeTally
from tickstock.analysis.resampled_days import DRAWS

DELISTED = "Symbols that were delisted since are missing: a universe chosen afterwards flatters what is bought."


def report_header(
    rows: Sequence[OutcomeRow], tallies: Sequence[OutcomeTally], symbols: Sequence[str], chosen: str, cost_basis_points: float
) -> dict[str, Any]:
    """The header as plain data; `chosen` says when and by whom the symbols were chosen."""
    days = sorted({int(day) for tally in tallies for day in tally.days()})
    return {
        "universe": sorted(symbols),
        "chosen": chosen,
        "missing": DELISTED,
        "days": len(days),
        "first_day": str(date.fromordinal(days[0])) if days else None,
        "last_day": str(date.fromordinal(days[-1])) if days else None,
        "cost_basis_points": cost_basis_points,
        "rows": len(rows),
        "rows_tested": sum(row.interval is not None for row in rows),
        "edges": sum(row.edge for row in rows),
        "false_discovery_rate": FALSE_DISCOVERIES,
        "draws": DRAWS,
    }
