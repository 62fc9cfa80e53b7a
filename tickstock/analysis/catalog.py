"""The catalogue: each pattern, indicator and alert with what a program or a reader wants to know of it.

It needs neither NumPy nor the engines, so that the web application can serve it. Chart patterns and indicators are described
here, and the code that computes them takes its parameters from here; candlesticks and alerts bring their own descriptions.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.catalog_entry import CatalogEntry
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.indicator_kinds import INDICATORS, TALIB


def published_name(indicator: CatalogEntry) -> str:
    """The name of an indicator's value in messages: RSI_14."""
    return "_".join((indicator.name, *(f"{value:g}" for value in indicator.parameters.values())))


def catalog() -> tuple[CatalogEntry, ...]:
    """Everything that is computed: candlesticks, chart patterns, indicators, alerts."""
    candlesticks = (
        CatalogEntry(
            name=pattern.name,
            kind="candlestick",
            family=f"{pattern.bars} bar" + ("s" if pattern.bars > 1 else ""),
            direction=pattern.direction,
            bars=pattern.lookback + 1,
            description=pattern.description,
            source=f"{TALIB} {pattern.talib}",
        )
        for pattern in CANDLESTICKS.values()
    )
    alerts = (
        CatalogEntry(
            name=rule.name,
            kind="alert",
            family="crossing" if rule.crossing else "level",
            direction=rule.direction,
            bars=rule.bars,
            description=rule.description,
            source="docs/alerts.md",
            parameters=rule.parameters(),
        )
        for rule in ALERT_RULES
    )
    return (*candlesticks, *CHART_PATTERNS, *INDICATORS, *alerts)


def catalog_as_data() -> list[dict[str, Any]]:
    """The catalogue as plain data, for JSON."""
    return [asdict(entry) for entry in catalog()]
