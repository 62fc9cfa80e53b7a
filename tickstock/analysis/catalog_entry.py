"""What is said of each pattern, indicator and alert; plain data, without NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tickstock.analysis.timeframes import LENGTH_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """One thing that is computed."""

    name: str
    kind: str  # candlestick | chart_pattern | indicator | alert
    family: str  # reversal | continuation | indecision …; of an indicator trend | momentum | volatility | volume
    direction: str | None  # bullish | bearish | neutral | either; None for an indicator
    bars: int  # of a series, until it can first be there
    description: str
    source: str
    parameters: Mapping[str, float] = field(default_factory=dict)  # with their defaults
    timeframes: tuple[str, ...] = tuple(LENGTH_MS)  # on which it can be computed
