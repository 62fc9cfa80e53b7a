"""What the page's list of signals shows before anyone asks for more: a choice by measured rates, explained in docs/patterns.md.

A pattern is shown where it is confirmed and its rank, the share of its detections that are worse, is at least what stands here; an
alert, which has no quality, where it stands here at all. Everything else is one click away.
"""

from __future__ import annotations

# On longer timeframes signals are few, and all of them are shown.
THINNED_TIMEFRAMES = ("1min", "5min", "15min")

SHOWN_FROM: dict[str, float] = {
    "Doji": 0.95,
    "Hammer": 0.95,
    "HeadShoulders": 0.5,
}
