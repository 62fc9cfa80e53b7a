"""What the page's list of signals shows before anyone asks for more: a choice by measured rates, explained in docs/patterns.md.

A pattern is shown where it is confirmed and its rank, the share of its detections that are worse, is at least what stands here;
an alert, which has no quality, where it stands here at all. Everything else is one click away.
"""

from __future__ import annotations

from tickstock.analysis.catalog import rank

# On longer timeframes signals are few, and all that are confirmed are shown.
THINNED_TIMEFRAMES = ("1min", "5min", "15min")

SHOWN_FROM: dict[str, float] = {
    "Doji": 0.993,
    "Hammer": 0.97,
    "HeadShoulders": 0.5,
    **dict.fromkeys(("DragonflyDoji", "GravestoneDoji"), 0.99),
    **dict.fromkeys(("HangingMan", "Engulfing"), 0.97),
    **dict.fromkeys(("InvertedHammer", "ShootingStar", "ThreeOutside"), 0.95),
    **dict.fromkeys(("Piercing", "DarkCloudCover", "ThreeInside"), 0.9),
    **dict.fromkeys(("MorningStar", "EveningStar", "MorningDojiStar", "EveningDojiStar", "AbandonedBaby"), 0.8),
    **dict.fromkeys(("ThreeWhiteSoldiers", "ThreeBlackCrows"), 0.8),
    **dict.fromkeys(("InverseHeadShoulders", "DoubleTop", "DoubleBottom", "TripleTop", "TripleBottom"), 0.5),
    **dict.fromkeys(("AscendingTriangle", "DescendingTriangle", "SymmetricalTriangle", "RisingWedge", "FallingWedge"), 0.5),
    **dict.fromkeys(("BullFlag", "BearFlag"), 0.5),
    "RangeBreakout": 0.75,
    **dict.fromkeys(("RSI_OVERBOUGHT", "RSI_OVERSOLD", "GOLDEN_CROSS", "DEATH_CROSS", "GAP_UP", "GAP_DOWN"), 0.0),
    **dict.fromkeys(("PREV_DAY_HIGH_BREAK", "PREV_DAY_LOW_BREAK", "PREMARKET_HIGH_BREAK", "PREMARKET_LOW_BREAK"), 0.0),
    **dict.fromkeys(("OPENING_RANGE_BREAK_UP", "OPENING_RANGE_BREAK_DOWN", "VOLUME_SPIKE"), 0.0),
}


def is_best(name: str, timeframe: str, state: str = "confirmed", quality: float | None = None) -> bool:
    """Whether the page shows a pattern or an alert by default; static/js/common/catalog.js has the same rule."""
    if state != "confirmed":
        return False
    if timeframe not in THINNED_TIMEFRAMES:
        return True
    if name not in SHOWN_FROM:
        return False
    of_its_kind = None if quality is None else rank(name, quality)
    return of_its_kind is None or of_its_kind >= SHOWN_FROM[name]
