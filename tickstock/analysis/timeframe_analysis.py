"""`TimeframeAnalysis`: everything that is computed when bars of one timeframe close, for all lanes at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.alert_rules import rules_for
from tickstock.analysis.alerts import AlertEngine
from tickstock.analysis.bar_result import BarResult
from tickstock.analysis.candle_bars import LiveBars, tick_in_dollars
from tickstock.analysis.candlestick_detector import CandlestickDetector
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.indicators import KINDS, IndicatorStep, LaneState, indicator_from
from tickstock.analysis.lanes import BarRing
from tickstock.analysis.oscillators import RelativeStrengthIndex
from tickstock.analysis.results import BarColumns, Booleans, Floats, Integers
from tickstock.analysis.selection import EVERYTHING, Enabled
from tickstock.analysis.shape_follower import ShapeFollower
from tickstock.analysis.state import Arrays, adopt, named, restore, state_of, under
from tickstock.analysis.stored_bars import StoredBars
from tickstock.analysis.timeframes import LENGTH_MS, WITHIN_SESSION

WARM_SEED_WEIGHT = 1e-4
WARM_SEED_WEIGHT_60MIN = 1e-2  # which fifteen trading days reach
FLAT_RSI = "RSI_14"  # the RSI of a series that has been flat means nothing to an alert


class TimeframeAnalysis:
    """Indicators, patterns and alerts of one timeframe; a lane is a symbol.

    What a lane gives is a function of the sequence of its own bars: other lanes, their order, and how many close together make no
    difference. After `reset()` the same bars give the same results again.
    """

    def __init__(self, timeframe: str, capacity: int = 0, enabled: Enabled = EVERYTHING) -> None:
        """`capacity` is how many lanes to make room for at once; more can come."""
        if timeframe not in LENGTH_MS:
            raise ValueError(f"timeframe must be one of {', '.join(LENGTH_MS)}; got {timeframe!r}")
        self.timeframe = timeframe
        self._within_session = timeframe in WITHIN_SESSION
        rules = rules_for(timeframe, enabled.alerts)
        wanted = dict.fromkeys((*enabled.indicators, *(name for rule in rules for name in rule.indicators)))
        # What is not computed from this timeframe's bars (VWAP, RelativeVolume) comes with them, as a figure.
        self._figures = [name for name in enabled.indicators if name.split("_")[0] not in KINDS]
        self._indicators = {name: indicator_from(name) for name in wanted if name.split("_")[0] in KINDS}
        self._published = [
            value for name in enabled.indicators if name in self._indicators for value in self._indicators[name].names
        ]
        depth = 1 << ShapeFollower.reach.bit_length()  # indicators that look further back keep what they need
        self._window = BarRing(("high", "low", "close", "volume", "session"), depth)
        self._candles = LiveBars()
        self._candlesticks = CandlestickDetector(
            [each for each in CANDLESTICKS.values() if each.name in enabled.patterns], timeframe
        )
        self._shapes = ShapeFollower(enabled.patterns)
        seed_weight = WARM_SEED_WEIGHT_60MIN if timeframe == "60min" else WARM_SEED_WEIGHT
        self._alerts = AlertEngine(
            rules, {name: each.warm_from(seed_weight) for each in self._indicators.values() for name in each.names}
        )
        self._parts: tuple[LaneState, ...] = (*self._indicators.values(), self._candles, self._shapes, self._alerts)
        self.ensure_lanes(capacity)

    def ensure_lanes(self, lanes: int) -> None:
        """Make room for lanes 0 to `lanes - 1`; growing is amortised."""
        self._window.ensure(lanes)
        for part in self._parts:
            part.ensure_lanes(lanes)

    def reset(self) -> None:
        """Forget every bar: the start of a new anchored series."""
        self._window.reset()
        for part in self._parts:
            part.reset()

    def state(self, lanes: int) -> Arrays:
        """All that is remembered of lanes 0 to `lanes - 1`, as copies by name."""
        return named("lanes", state_of(self, lanes)) | named("open shapes", self._shapes.open_shapes())

    def restore(self, state: Mapping[str, NDArray[Any]], lanes: int) -> None:
        """Forget every bar, and go on from what `state` gave.

        Raises:
            KeyError, ValueError, IndexError: it was given by another analysis; `reset` then.
        """
        self.ensure_lanes(lanes)
        self.reset()
        restore(self, under("lanes", state))
        self._shapes.restore_open_shapes(under("open shapes", state))

    def adopt(self, other: TimeframeAnalysis, lanes: Integers) -> None:
        """Let these lanes be what the first lanes of another analysis of the same settings are."""
        self.ensure_lanes(int(lanes.max()) + 1)
        adopt(self, other, lanes)
        self._shapes.adopt_open_shapes(other._shapes, lanes)

    def close_bars(
        self, lanes: Integers, bars: BarColumns, session_start: Integers | int, figures: Mapping[str, Floats] | None = None
    ) -> BarResult:
        """Take one closed bar of each of these lanes (unique) and return what it gave.

        `session_start` is the start of the session that holds the bar, in Unix milliseconds: one for all, or one per lane.
        `figures` are the quantities of the trading day at the bar's end, by name, each of the shape of `lanes`, NaN where there
        is none: VWAP, RelativeVolume and the like (`session_figures.py`).
        """
        sessions = np.broadcast_to(np.asarray(session_start, np.int64), np.shape(lanes))
        result = self.follow(lanes, bars, sessions, figures)
        candles = self._candles.append(result.lanes, bars, sessions)
        result.candlesticks, result.suppressed = self._candlesticks.detect(candles)
        if len(result.states.fate):
            result.shapes_after_gap = self._candlesticks.after_gap(candles.select(result.places_of_shapes()))
        return result

    def stored(self, lanes: Integers, bars: BarColumns, session_start: Integers, figures: Mapping[str, Floats]) -> StoredBars:
        """The candlesticks of a series that was forgotten and begins with these bars, in order of (time, lane).

        Its bars are given to `follow` too, bar for bar of all lanes; then the next ones to `close_bars`.
        """
        stored = StoredBars(self._candlesticks, lanes, bars, session_start, figures)
        stored.fill(self._candles)
        return stored

    def follow(
        self, lanes: Integers, bars: BarColumns, session_start: Integers | int, figures: Mapping[str, Floats] | None = None
    ) -> BarResult:
        """What `close_bars` does, but for candlesticks: those of stored bars are found for all bars at once (`stored`)."""
        lanes = np.asarray(lanes, np.int64)
        figures = figures or {}
        step, starts_anew = self._step(lanes, bars, np.broadcast_to(np.asarray(session_start, np.int64), lanes.shape))
        values: dict[str, Floats] = {}
        for indicator in self._indicators.values():
            values.update(indicator.update(step))
        index, previous_close = step.index, step.previous_close
        states = self._shapes.update(lanes, index, bars, previous_close, starts_anew, tick_in_dollars(bars.close), step.window)
        quantities = {**figures, **values, "open": bars.open, "close": bars.close, "volume": step.volume}
        alerts = self._alerts.update(lanes, index, self._without_flat(quantities, lanes), starts_anew, bars.timestamp)
        told = {name: values[name] for name in self._published}
        told |= {name: figures[name] for name in self._figures if name in figures}
        return BarResult(lanes, bars, told, figures, states, alerts)

    def pass_over(self, lanes: Integers, bars: BarColumns, session_start: int) -> None:
        """Take stored bars of which nothing is to be told, on a timeframe whose patterns keep to one session.

        Of a session that ends before the next bar to be followed only the indicators and the pivots' average range go on.
        """
        step, starts_anew = self._step(lanes, bars, np.full(len(lanes), session_start))
        for indicator in self._indicators.values():
            indicator.update(step)
        self._shapes.pass_over(lanes, step.index, bars, step.previous_close, starts_anew)

    def _step(self, lanes: Integers, bars: BarColumns, sessions: Integers) -> tuple[IndicatorStep, Booleans]:
        """Put the bars behind the others; what indicators see, and where pivots and alerts start anew."""
        before = self._window.at(lanes)
        index, previous_close = before.available, before.column("close", 0)
        first = index == 0
        # Day bars are a session each: what is summed over a session (OBV) is there summed over the series.
        starts_session: Booleans = first if self.timeframe == "1day" else first | (before.column("session", 0) != sessions)
        self._window.append(
            lanes, {"high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume, "session": sessions}
        )
        step = IndicatorStep(
            lanes, index, bars.high, bars.low, bars.close, np.asarray(bars.volume, np.float64), previous_close, starts_session,
            self._window.at(lanes),
        )  # fmt: skip
        return step, starts_session if self._within_session else first

    def _without_flat(self, quantities: dict[str, Floats], lanes: Integers) -> dict[str, Floats]:
        rsi = self._indicators.get(FLAT_RSI)
        if isinstance(rsi, RelativeStrengthIndex):
            quantities[FLAT_RSI] = np.where(rsi.has_moved(lanes), quantities[FLAT_RSI], np.nan)
        return quantities
