"""What is computed and told on a timeframe: the choice among everything the catalogue has."""

from __future__ import annotations

from dataclasses import dataclass

from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.indicator_kinds import DEFAULT_INSTANCES


@dataclass(frozen=True, slots=True)
class Enabled:
    """The patterns and alerts by name; the indicators as instances: SMA_20, MACD_12_26_9."""

    patterns: frozenset[str]
    indicators: tuple[str, ...]
    alerts: frozenset[str]


EVERYTHING = Enabled(
    frozenset((*CANDLESTICKS, *(each.name for each in CHART_PATTERNS))),
    DEFAULT_INSTANCES,
    frozenset(rule.name for rule in ALERT_RULES),
)
