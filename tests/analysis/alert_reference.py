"""The table of alerts read plainly: one symbol, one bar after the other, one condition per line, and nothing of the engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

NOISE = 1e-9  # what rounding may do to a difference
FIVE_MINUTES = 300_000
NOTHING = math.nan

Fired = tuple[str, str, float, float, str]  # alert, indicator, value, threshold, direction

MACD, SIGNAL = "MACD_12_26_9", "MACD_SIGNAL_12_26_9"
UPPER, MIDDLE, LOWER = "BB_UPPER_20_2", "BB_MIDDLE_20_2", "BB_LOWER_20_2"

# alert: indicator, threshold, direction; those that cross upwards, then those that cross downwards
UPWARD = {
    "RSI_OVERBOUGHT": ("RSI_14", 70.0, "bearish"),
    "SMA_BULLISH_CROSS": ("close", "SMA_20", "bullish"),
    "SMA_20_50_BULLISH_CROSS": ("SMA_20", "SMA_50", "bullish"),
    "GOLDEN_CROSS": ("SMA_50", "SMA_200", "bullish"),
    "MACD_BULLISH_CROSS": (MACD, SIGNAL, "bullish"),
    "BB_UPPER_BREAK": ("close", UPPER, "bullish"),
    "VWAP_BULLISH_CROSS": ("close", "VWAP", "bullish"),
    "PREV_DAY_HIGH_BREAK": ("close", "PREV_DAY_HIGH", "bullish"),
    "PREMARKET_HIGH_BREAK": ("close", "PREMARKET_HIGH", "bullish"),
}
DOWNWARD = {
    "RSI_OVERSOLD": ("RSI_14", 30.0, "bullish"),
    "SMA_BEARISH_CROSS": ("close", "SMA_20", "bearish"),
    "SMA_20_50_BEARISH_CROSS": ("SMA_20", "SMA_50", "bearish"),
    "DEATH_CROSS": ("SMA_50", "SMA_200", "bearish"),
    "MACD_BEARISH_CROSS": (MACD, SIGNAL, "bearish"),
    "BB_LOWER_BREAK": ("close", LOWER, "bearish"),
    "VWAP_BEARISH_CROSS": ("close", "VWAP", "bearish"),
    "PREV_DAY_LOW_BREAK": ("close", "PREV_DAY_LOW", "bearish"),
    "PREMARKET_LOW_BREAK": ("close", "PREMARKET_LOW", "bearish"),
}
LEVELS = (
    "NEW_HIGH_OF_DAY",
    "NEW_LOW_OF_DAY",
    "OPENING_RANGE_BREAK_UP",
    "OPENING_RANGE_BREAK_DOWN",
    "GAP_UP",
    "GAP_DOWN",
    "VOLUME_SPIKE",
)
ALERTS = (*UPWARD, *DOWNWARD, *LEVELS)


@dataclass
class PlainAlerts:
    """The alerts of one symbol."""

    warm_from: Mapping[str, int] = field(default_factory=dict)
    armed: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(ALERTS, True))
    before: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ALERTS, NOTHING))
    fired_at: dict[str, int] = field(default_factory=dict)

    def close_bar(self, index: int, bar: Mapping[str, float], new_session: bool, time: int) -> set[Fired]:
        """What fires at this bar; `bar` has the quantities by name, those that are missing do not exist."""
        if new_session:
            self.armed = dict.fromkeys(ALERTS, True)
        crossings, extremes = self._crossings(index, bar, new_session), self._extremes(bar, time)
        return crossings | extremes | self._opening_range(bar) | self._gaps(bar) | self._spike(bar)

    def _crossings(self, index: int, bar: Mapping[str, float], new_session: bool) -> set[Fired]:
        found: set[Fired] = set()
        for alert, (indicator, against, direction) in (UPWARD | DOWNWARD).items():
            value = bar.get(indicator, NOTHING)
            threshold = bar.get(against, NOTHING) if isinstance(against, str) else against
            x = value - threshold
            if abs(x) < NOISE:
                x = 0.0
            before, self.before[alert] = self.before[alert], x
            crossed = before <= 0 < x if alert in UPWARD else before >= 0 > x
            warm = index >= max(self.warm_from.get(indicator, 0), self.warm_from.get(str(against), 0))
            if crossed and warm and not new_session and self.armed[alert] and allowed(alert, index, bar):
                found.add((alert, indicator, value, threshold, direction))
                self.armed[alert] = False
            if armed_again(alert, x, bar):
                self.armed[alert] = True
        return found

    def _extremes(self, bar: Mapping[str, float], time: int) -> set[Fired]:
        found: set[Fired] = set()
        close, high, low = bar["close"], bar.get("HIGH_OF_DAY", NOTHING), bar.get("LOW_OF_DAY", NOTHING)
        for alert, beyond, level, direction in (
            ("NEW_HIGH_OF_DAY", close > high + NOISE, high, "bullish"),
            ("NEW_LOW_OF_DAY", close < low - NOISE, low, "bearish"),
        ):
            if alert in self.fired_at and time - self.fired_at[alert] >= FIVE_MINUTES:
                self.armed[alert] = True
            if beyond and self.armed[alert]:
                found.add((alert, "close", close, level, direction))
                self.armed[alert], self.fired_at[alert] = False, time
        return found

    def _opening_range(self, bar: Mapping[str, float]) -> set[Fired]:
        """The closes before, in the range and since, were within it or it would have fired: a close beyond it is a crossing."""
        found: set[Fired] = set()
        close, high, low = bar["close"], bar.get("OPENING_RANGE_HIGH", NOTHING), bar.get("OPENING_RANGE_LOW", NOTHING)
        for alert, beyond, level, direction in (
            ("OPENING_RANGE_BREAK_UP", close > high + NOISE, high, "bullish"),
            ("OPENING_RANGE_BREAK_DOWN", close < low - NOISE, low, "bearish"),
        ):
            if beyond and self.armed[alert]:
                found.add((alert, "close", close, level, direction))
                self.armed[alert] = False
        return found

    def _gaps(self, bar: Mapping[str, float]) -> set[Fired]:
        found: set[Fired] = set()
        if not math.isnan(bar.get("FIRST_OPEN", NOTHING)):
            opening, before = bar["open"], bar.get("PREV_CLOSE", NOTHING)
            gap = opening / before - 1
            for alert, enough, direction in (
                ("GAP_UP", gap >= 0.02 - NOISE, "bullish"),
                ("GAP_DOWN", gap <= -0.02 + NOISE, "bearish"),
            ):
                if enough and self.armed[alert]:
                    found.add((alert, "open", opening, before, direction))
                    self.armed[alert] = False
        return found

    def _spike(self, bar: Mapping[str, float]) -> set[Fired]:
        found: set[Fired] = set()
        ratio = bar.get("BarVolumeRatio", NOTHING)
        if ratio >= 5 - NOISE and bar["volume"] >= 10_000 and self.armed["VOLUME_SPIKE"]:
            found.add(("VOLUME_SPIKE", "BarVolumeRatio", ratio, 5.0, "neutral"))
            self.armed["VOLUME_SPIKE"] = False
        if ratio < 2 - NOISE:
            self.armed["VOLUME_SPIKE"] = True
        return found


def allowed(alert: str, index: int, bar: Mapping[str, float]) -> bool:
    """What a row asks besides the crossing."""
    if alert.startswith("MACD"):
        return index >= 34
    if alert.startswith("BB"):
        tick = 0.01 if bar["close"] >= 1 else 0.0001
        return bar.get(UPPER, NOTHING) - bar.get(LOWER, NOTHING) >= 4 * tick - NOISE
    return True


def armed_again(alert: str, x: float, bar: Mapping[str, float]) -> bool:
    """The column "armed again when"."""
    close, atr = bar["close"], bar.get("ATR_14", NOTHING)
    upper, middle, lower = (bar.get(name, NOTHING) for name in (UPPER, MIDDLE, LOWER))
    match alert:
        case "RSI_OVERBOUGHT":
            return bar.get("RSI_14", NOTHING) <= 65 + NOISE
        case "RSI_OVERSOLD":
            return bar.get("RSI_14", NOTHING) >= 35 - NOISE
        case "SMA_BULLISH_CROSS" | "VWAP_BULLISH_CROSS":
            return x <= -0.25 * atr + NOISE
        case "SMA_BEARISH_CROSS" | "VWAP_BEARISH_CROSS":
            return x >= 0.25 * atr - NOISE
        case "SMA_20_50_BULLISH_CROSS":
            return x <= -0.10 * atr + NOISE
        case "SMA_20_50_BEARISH_CROSS":
            return x >= 0.10 * atr - NOISE
        case "GOLDEN_CROSS":
            return x < 0
        case "DEATH_CROSS":
            return x > 0
        case "MACD_BULLISH_CROSS":
            return x <= -0.05 * atr + NOISE
        case "MACD_BEARISH_CROSS":
            return x >= 0.05 * atr - NOISE
        case "BB_UPPER_BREAK":
            return close <= middle + 0.5 * (upper - middle) + NOISE
        case "BB_LOWER_BREAK":
            return close >= middle - 0.5 * (middle - lower) - NOISE
        case _:
            return False  # once a session
