"""The timeframes, their bar lengths, and which of them live within one session."""

from __future__ import annotations

LENGTH_MS = {"1min": 60_000, "5min": 300_000, "15min": 900_000, "60min": 3_600_000, "1day": 86_400_000}

# On these a candlestick, a crossing and the pivots of a chart pattern keep to one session; on the longer ones they may not,
# because a session holds too few bars.
WITHIN_SESSION = frozenset({"1min", "5min", "15min"})
