"""Indicators by themselves: the bars of some lanes through them, and what TA-Lib says of the same bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import talib

from tests.analysis.series import Series
from tickstock.analysis.indicators import IndicatorStep, indicator_from
from tickstock.analysis.lanes import BarRing
from tickstock.analysis.results import BarColumns


class IndicatorRun:
    """Some instances over lanes, fed bar by bar; without the patterns and alerts of an engine."""

    def __init__(self, instances: Iterable[str], lanes: int) -> None:
        self.indicators = [indicator_from(name) for name in instances]
        self._ring = BarRing(("high", "low", "close", "volume", "session"), 2)
        self.ensure_lanes(lanes)

    def ensure_lanes(self, lanes: int) -> None:
        self._ring.ensure(lanes)
        for each in self.indicators:
            each.ensure_lanes(lanes)

    def close_bars(self, lanes: np.ndarray, bars: BarColumns, sessions: np.ndarray) -> dict[str, np.ndarray]:
        before = self._ring.at(lanes)
        index, previous_close = before.available, before.column("close", 0)
        starts_session = (index == 0) | (before.column("session", 0) != sessions)
        self._ring.append(
            lanes, {"high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume, "session": sessions}
        )
        volume = np.asarray(bars.volume, np.float64)
        step = IndicatorStep(
            lanes, index, bars.high, bars.low, bars.close, volume, previous_close, starts_session, self._ring.at(lanes)
        )
        values: dict[str, np.ndarray] = {}
        for each in self.indicators:
            values.update(each.update(step))
        return values

    def reset(self) -> None:
        self._ring.reset()
        for each in self.indicators:
            each.reset()


def values_of(one: Series, instances: Iterable[str]) -> dict[str, np.ndarray]:
    """The values of one symbol's bars, by name, each an array over the bars."""
    return {name: value[0] for name, value in values_of_many([one], instances).items()}


def values_of_many(many: Sequence[Series], instances: Iterable[str]) -> dict[str, np.ndarray]:
    """Symbols of equally many bars, all of them at each step: arrays [symbols, bars]."""
    engine, lanes = IndicatorRun(instances, len(many)), np.arange(len(many))
    columns = [np.stack([getattr(one.bars, name) for one in many], axis=1) for name in BarColumns._fields]
    sessions = np.stack([one.sessions for one in many], axis=1)
    steps = [engine.close_bars(lanes, BarColumns(*(each[at] for each in columns)), sessions[at]) for at in range(len(many[0]))]
    return {name: np.stack([step[name] for step in steps], axis=1) for name in steps[0]}


def _bollinger(bars: BarColumns, period: int, deviations: float) -> tuple[np.ndarray, ...]:
    return talib.BBANDS(bars.close, timeperiod=period, nbdevup=deviations, nbdevdn=deviations, matype=0)


def _directional(bars: BarColumns, period: int) -> tuple[np.ndarray, ...]:
    prices = bars.high, bars.low, bars.close
    return tuple(function(*prices, timeperiod=period) for function in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI))


def _stochastic(bars: BarColumns, period: int, slow_k: int, slow_d: int) -> tuple[np.ndarray, ...]:
    return talib.STOCH(
        bars.high, bars.low, bars.close,
        fastk_period=period, slowk_period=slow_k, slowk_matype=0, slowd_period=slow_d, slowd_matype=0,
    )  # fmt: skip


def _donchian(bars: BarColumns, period: int) -> tuple[np.ndarray, ...]:
    return (
        talib.MAX(bars.high, timeperiod=period),
        talib.MIDPRICE(bars.high, bars.low, timeperiod=period),
        talib.MIN(bars.low, timeperiod=period),
    )


# By kind, in the order of its value names; every parameter is given, as TA-Lib has changed its defaults before.
TALIB: Mapping[str, Callable[..., tuple[np.ndarray, ...]]] = {
    "SMA": lambda bars, p: (talib.SMA(bars.close, timeperiod=p),),
    "EMA": lambda bars, p: (talib.EMA(bars.close, timeperiod=p),),
    "WMA": lambda bars, p: (talib.WMA(bars.close, timeperiod=p),),
    "MACD": lambda bars, fast, slow, signal: talib.MACD(bars.close, fastperiod=fast, slowperiod=slow, signalperiod=signal),
    "ADX": _directional,
    "RSI": lambda bars, p: (talib.RSI(bars.close, timeperiod=p),),
    "Stochastic": _stochastic,
    "CCI": lambda bars, p: (talib.CCI(bars.high, bars.low, bars.close, timeperiod=p),),
    "WilliamsR": lambda bars, p: (talib.WILLR(bars.high, bars.low, bars.close, timeperiod=p),),
    "ROC": lambda bars, p: (talib.ROC(bars.close, timeperiod=p),),
    "BollingerBands": _bollinger,
    "ATR": lambda bars, p: (talib.ATR(bars.high, bars.low, bars.close, timeperiod=p),),
    "Donchian": _donchian,
    "OBV": lambda bars: (talib.OBV(bars.close, bars.volume),),
    "MFI": lambda bars, p: (talib.MFI(bars.high, bars.low, bars.close, bars.volume, timeperiod=p),),
}
