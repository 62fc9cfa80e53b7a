"""The indicator alerts as a table: what crosses what, which way, and how far it must come back before it can fire again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One row of the table. A quantity is a published value's name, `close`, or a number."""

    name: str
    indicator: str  # the quantity that crosses
    threshold: str | float
    side: int  # +1: fires on the way up, -1: on the way down
    direction: str  # bullish | bearish
    rearm_distance: float  # armed again when the quantity is back by this many ...
    rearm_unit: str | float  # ... of these
    description: str
    indicators: tuple[str, ...] = ()  # instances that must be computed for it, published or not


ALERT_RULES = (
    AlertRule("RSI_OVERBOUGHT", "RSI_14", 70.0, +1, "bearish", 5.0, 1.0, "RSI 14 rises above 70.", ("RSI_14",)),
    AlertRule("RSI_OVERSOLD", "RSI_14", 30.0, -1, "bullish", 5.0, 1.0, "RSI 14 falls below 30.", ("RSI_14",)),
    AlertRule(
        "SMA_BULLISH_CROSS",
        "close",
        "SMA_20",
        +1,
        "bullish",
        0.25,
        "ATR_14",
        "The close rises above SMA 20.",
        ("SMA_20", "ATR_14"),
    ),
    AlertRule(
        "SMA_BEARISH_CROSS",
        "close",
        "SMA_20",
        -1,
        "bearish",
        0.25,
        "ATR_14",
        "The close falls below SMA 20.",
        ("SMA_20", "ATR_14"),
    ),
    AlertRule(
        "SMA_20_50_BULLISH_CROSS",
        "SMA_20",
        "SMA_50",
        +1,
        "bullish",
        0.10,
        "ATR_14",
        "SMA 20 rises above SMA 50.",
        ("SMA_20", "SMA_50", "ATR_14"),
    ),
    AlertRule(
        "SMA_20_50_BEARISH_CROSS",
        "SMA_20",
        "SMA_50",
        -1,
        "bearish",
        0.10,
        "ATR_14",
        "SMA 20 falls below SMA 50.",
        ("SMA_20", "SMA_50", "ATR_14"),
    ),
)
