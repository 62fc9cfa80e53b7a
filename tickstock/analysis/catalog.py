"""The catalogue: each pattern, indicator and alert with what a program or a reader wants to know of it.

It needs the standard library only, so that the web application and the launcher can read it. Every kind of thing brings its own
description; the code that computes it takes its parameters from there too.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import asdict, replace
from functools import cache
from typing import Any

from tickstock.analysis.alert_rules import ALERT_RULES, INTRADAY, AlertRule
from tickstock.analysis.candlesticks import CANDLESTICKS, CandlestickPattern
from tickstock.analysis.catalog_entry import CatalogEntry
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.indicator_kinds import INDICATORS, TALIB
from tickstock.analysis.quality_ranks import QUALITY_QUANTILES

# Quantities of the trading day, which come from its one-minute bars: a timeframe of whole days has none.
DAY_FIGURES = ("VWAP", "RelativeVolume", "BarVolumeRatio")


@cache
def catalog() -> tuple[CatalogEntry, ...]:
    """Everything that is computed: candlesticks, chart patterns, indicators, alerts."""
    return (
        *map(_candlestick, sorted(CANDLESTICKS.values(), key=lambda each: each.bars)),
        *CHART_PATTERNS,
        *(replace(each, timeframes=INTRADAY) if each.name in DAY_FIGURES else each for each in INDICATORS),
        *map(_alert, ALERT_RULES),
    )


def catalog_as_data() -> list[dict[str, Any]]:
    """The catalogue as plain data, for JSON."""
    return [asdict(entry) for entry in catalog()]


def rank(pattern: str, quality: float) -> float | None:
    """The share of a pattern's detections that are worse than one of this quality; None where that was never measured.

    It is read from the quantiles of `quality_ranks.py`, straight lines between them.
    """
    quantiles = QUALITY_QUANTILES.get(pattern)
    if quantiles is None:
        return None
    steps = len(quantiles) - 1
    above = bisect_left(quantiles, quality)
    if above == 0:
        return 0.0
    if above > steps:
        return 1.0
    below = quantiles[above - 1]
    return (above - 1 + (quality - below) / (quantiles[above] - below)) / steps


def _candlestick(pattern: CandlestickPattern) -> CatalogEntry:
    return CatalogEntry(
        name=pattern.name,
        kind="candlestick",
        family=pattern.role,
        direction=pattern.direction,
        bars=pattern.lookback + 1,
        description=pattern.description,
        source=f"{TALIB} {pattern.talib}",
        parameters=pattern.parameters,
    )


def _alert(rule: AlertRule) -> CatalogEntry:
    return CatalogEntry(
        name=rule.name,
        kind="alert",
        family="crossing" if rule.crossing else "level",
        direction=rule.direction,
        bars=rule.bars,
        description=rule.description,
        source=f"{rule.indicator} against {rule.threshold}",
        parameters=rule.parameters(),
        timeframes=rule.timeframes,
    )
