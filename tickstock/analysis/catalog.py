"""The catalogue: each pattern, indicator and alert with what a program or a reader wants to know of it.

It needs neither NumPy nor the engines, so that the web application can serve it. Chart patterns and indicators are described
here, and the code that computes them takes its parameters from here; candlesticks and alerts bring their own descriptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.candlesticks import CANDLESTICKS

TALIB = "TA-Lib"

# The first bar at which a crossing of the quantity can fire: two values, the second of a warm indicator.
FIRST_CROSSING_BARS = {"close": 2, "RSI_14": 140, "SMA_20": 21, "SMA_50": 51}


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """One thing that is computed."""

    name: str
    kind: str  # candlestick | chart_pattern | indicator | alert
    family: str
    direction: str | None  # bullish | bearish | neutral; None for an indicator
    bars: int  # of a series, until it can first be there
    description: str
    source: str
    parameters: Mapping[str, float] = field(default_factory=dict)


_HEAD_SHOULDERS_PARAMETERS = {
    "version": 1,
    "prominence": 1.15,  # head over the higher shoulder, both measured from the neckline: at least
    "ideal_prominence": 2.0,
    "shoulder_difference": 0.35,  # between the shoulders, in head heights: at most
    "trough_difference": 0.35,  # between the troughs, in head heights: at most
    "time_ratio": 2.5,  # of the longer to the shorter distance between shoulder and head: at most
    "least_bars": 5,  # between shoulder and head
}

HEAD_SHOULDERS = CatalogEntry(
    name="HeadShoulders",
    kind="chart_pattern",
    family="reversal",
    direction="bearish",
    bars=26,
    description="Three peaks after a rise, the middle one highest; confirmed by a close below the line under the two troughs.",
    source="Osler and Chang 1995, 1999: causal pivots and ratio conditions",
    parameters=_HEAD_SHOULDERS_PARAMETERS,
)

INVERSE_HEAD_SHOULDERS = CatalogEntry(
    name="InverseHeadShoulders",
    kind="chart_pattern",
    family="reversal",
    direction="bullish",
    bars=26,
    description="Three troughs after a fall, the middle one deepest; confirmed by a close above the line over the two peaks.",
    source="Osler and Chang 1995, 1999: causal pivots and ratio conditions",
    parameters=_HEAD_SHOULDERS_PARAMETERS,
)

RSI = CatalogEntry(
    name="RSI",
    kind="indicator",
    family="momentum",
    direction=None,
    bars=15,
    description="Relative strength index after Wilder: the share of gains in all moves, from 0 to 100.",
    source=TALIB,
    parameters={"period": 14},
)

SMA_20 = CatalogEntry(
    name="SMA",
    kind="indicator",
    family="trend",
    direction=None,
    bars=20,
    description="Simple moving average: the mean of the last closes.",
    source=TALIB,
    parameters={"period": 20},
)

SMA_50 = CatalogEntry(
    name="SMA",
    kind="indicator",
    family="trend",
    direction=None,
    bars=50,
    description="Simple moving average: the mean of the last closes.",
    source=TALIB,
    parameters={"period": 50},
)

ATR = CatalogEntry(
    name="ATR",
    kind="indicator",
    family="volatility",
    direction=None,
    bars=15,
    description="Average true range after Wilder: how far a bar usually spans, the step from the close before included.",
    source=TALIB,
    parameters={"period": 14},
)

INDICATORS = (RSI, SMA_20, SMA_50, ATR)
CHART_PATTERNS = (HEAD_SHOULDERS, INVERSE_HEAD_SHOULDERS)


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
            family="crossing",
            direction=rule.direction,
            bars=max(FIRST_CROSSING_BARS.get(str(quantity), 0) for quantity in (rule.indicator, rule.threshold)),
            description=rule.description,
            source="a crossing, armed again after a step back",
            parameters={"rearm_distance": rule.rearm_distance},
        )
        for rule in ALERT_RULES
    )
    return (*candlesticks, *CHART_PATTERNS, *INDICATORS, *alerts)


def catalog_as_data() -> list[dict[str, Any]]:
    """The catalogue as plain data, for JSON."""
    return [asdict(entry) for entry in catalog()]
