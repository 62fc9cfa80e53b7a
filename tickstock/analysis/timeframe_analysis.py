"""`TimeframeAnalysis`: everything that is computed when bars of one timeframe close, for all lanes at once."""

from __future__ import annotations

import numpy as np

from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.alerts import AlertEngine
from tickstock.analysis.candle_bars import LiveBars, tick_in_dollars
from tickstock.analysis.candlestick_detector import CandlestickDetector, Candlesticks
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.chart_patterns import CHART_SHAPES
from tickstock.analysis.indicators import (
    AverageTrueRange,
    Indicator,
    IndicatorStep,
    LaneState,
    RelativeStrengthIndex,
    SimpleMovingAverage,
)
from tickstock.analysis.lanes import BarRing
from tickstock.analysis.results import BarColumns, BarResult, Floats, Integers, PatternHit
from tickstock.analysis.shape_follower import ShapeFollower
from tickstock.analysis.timeframes import LENGTH_MS, WITHIN_SESSION

PUBLISHED = ("RSI_14", "SMA_20", "SMA_50")
WARM_SEED_WEIGHT = 1e-4
WARM_SEED_WEIGHT_60MIN = 1e-2  # which fifteen trading days reach


class TimeframeAnalysis:
    """Indicators, patterns and alerts of one timeframe; a lane is a symbol.

    What a lane gives is a function of the sequence of its own bars: other lanes, their order, and how many close together make no
    difference. After `reset()` the same bars give the same results again.
    """

    def __init__(self, timeframe: str, capacity: int = 0) -> None:
        """`capacity` is how many lanes to make room for at once; more can come."""
        if timeframe not in LENGTH_MS:
            raise ValueError(f"timeframe must be one of {', '.join(LENGTH_MS)}; got {timeframe!r}")
        self.timeframe = timeframe
        self._within_session = timeframe in WITHIN_SESSION
        self._rsi = RelativeStrengthIndex(14)
        self._indicators: tuple[Indicator, ...] = (
            self._rsi,
            SimpleMovingAverage(20),
            SimpleMovingAverage(50),
            AverageTrueRange(14),
        )
        reach = max(each.reach for each in self._indicators)
        self._closes = BarRing(("close", "session"), 1 << reach.bit_length())
        self._candles = LiveBars()
        self._candlesticks = CandlestickDetector(CANDLESTICKS.values(), timeframe)
        self._shapes = ShapeFollower(CHART_SHAPES)
        seed_weight = WARM_SEED_WEIGHT_60MIN if timeframe == "60min" else WARM_SEED_WEIGHT
        self._alerts = AlertEngine(
            ALERT_RULES, {name: each.warm_from(seed_weight) for each in self._indicators for name in each.names}
        )
        self._parts: tuple[LaneState, ...] = (*self._indicators, self._candles, self._shapes, self._alerts)
        self.ensure_lanes(capacity)

    def ensure_lanes(self, lanes: int) -> None:
        """Make room for lanes 0 to `lanes - 1`; growing is amortised."""
        self._closes.ensure(lanes)
        for part in self._parts:
            part.ensure_lanes(lanes)

    def reset(self) -> None:
        """Forget every bar: the start of a new anchored series."""
        self._closes.reset()
        for part in self._parts:
            part.reset()

    def close_bars(self, lanes: Integers, bars: BarColumns, session_start: Integers | int) -> BarResult:
        """Take one closed bar of each of these lanes (unique) and return what it gave.

        `session_start` is the start of the session that holds the bar, in Unix milliseconds: one for all, or one per lane.
        """
        lanes = np.asarray(lanes, np.int64)
        sessions = np.broadcast_to(np.asarray(session_start, np.int64), lanes.shape)
        before = self._closes.at(lanes)
        index, previous_close = before.available, before.column("close", 0)
        first = index == 0
        starts_anew = (first | (before.column("session", 0) != sessions)) if self._within_session else first
        self._closes.append(lanes, {"close": bars.close, "session": sessions})

        step = IndicatorStep(lanes, index, bars.high, bars.low, bars.close, previous_close, self._closes.at(lanes))
        values: dict[str, Floats] = {}
        for indicator in self._indicators:
            values.update(indicator.update(step))
        found, suppressed = self._candlesticks.detect(self._candles.append(lanes, bars, sessions))
        patterns = [hit for each in found for hit in _pattern_hits(each, lanes, bars)]
        patterns += self._shapes.update(lanes, index, bars, previous_close, starts_anew, tick_in_dollars(bars.close))
        alerts = self._alerts.update(lanes, index, self._quantities(values, bars, lanes), starts_anew, bars.timestamp)
        return BarResult(lanes, {name: values[name] for name in PUBLISHED}, patterns, alerts, suppressed)

    def _quantities(self, values: dict[str, Floats], bars: BarColumns, lanes: Integers) -> dict[str, Floats]:
        """What alerts compare; the RSI of a series that has been flat means nothing."""
        rsi = np.where(self._rsi.has_moved(lanes), values["RSI_14"], np.nan)
        return {**values, "RSI_14": rsi, "close": bars.close}


def _pattern_hits(found: Candlesticks, lanes: Integers, bars: BarColumns) -> list[PatternHit]:
    name, direction = found.pattern.name, found.pattern.direction
    columns = (lanes[found.place], found.quality, bars.close[found.place], bars.timestamp[found.place])
    return [
        PatternHit(lane, name, direction, "confirmed", quality, price, timestamp, str(timestamp), details)
        for lane, quality, price, timestamp, details in zip(*(each.tolist() for each in columns), found.details(), strict=True)
    ]
