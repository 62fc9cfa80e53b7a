"""The kinds of indicators as data: what the catalogue says of each, its parameters, and the names of its values.

An *instance* is a kind with its parameters, as settings name it: `SMA_20`, `MACD_12_26_9`, `BollingerBands_20_2.5`. What is
computed by `indicators.py` takes the names of its values from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from tickstock.analysis.catalog_entry import CatalogEntry

TALIB = "TA-Lib"


class IndicatorNameError(ValueError):
    """A name stands for no indicator: an unknown kind, or parameters that it does not take."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a kind of indicator takes, and its limits."""

    name: str
    default: float
    lowest: float
    highest: float
    fractional: bool = False

    def read(self, text: str) -> float:
        """The number that the text says.

        Raises:
            ValueError: it is none, or beyond the limits.
        """
        value = float(text) if self.fractional else int(text)
        if not self.lowest <= value <= self.highest:
            raise ValueError
        return value

    def __str__(self) -> str:
        number = "a number" if self.fractional else "a whole number"
        return f"{self.name} ({number} from {self.lowest:g} to {self.highest:g})"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorKind:
    """A kind of indicator, or a figure of the trading day, which takes no parameters."""

    name: str
    family: str  # trend | momentum | volatility | volume
    description: str
    source: str
    values: tuple[str, ...]  # the names of what it publishes, before the parameters
    parameters: tuple[Parameter, ...] = ()
    bars: Callable[..., int]  # of a series until all its values are there, from the parameters

    def defaults(self) -> tuple[float, ...]:
        return tuple(each.default for each in self.parameters)

    def instance(self, parameters: Sequence[float]) -> str:
        return _joined(self.name, parameters)

    def value_names(self, parameters: Sequence[float]) -> tuple[str, ...]:
        """The published names: MACD_12_26_9, MACD_SIGNAL_12_26_9, MACD_HIST_12_26_9."""
        return tuple(_joined(value, parameters) for value in self.values)

    def entry(self) -> CatalogEntry:
        """What the catalogue says of it, with the default parameters."""
        return CatalogEntry(
            name=self.name,
            kind="indicator",
            family=self.family,
            direction=None,
            bars=self.bars(*self.defaults()),
            description=self.description,
            source=self.source,
            parameters={each.name: each.default for each in self.parameters},
        )


def _joined(name: str, parameters: Sequence[float]) -> str:
    return "_".join((name, *(f"{each:.15g}" for each in parameters)))


def _period(default: int, lowest: int = 2, name: str = "period") -> Parameter:
    return Parameter(name, default, lowest, 1000)


INDICATOR_KINDS: Mapping[str, IndicatorKind] = {
    kind.name: kind
    for kind in (
        IndicatorKind(
            name="SMA",
            family="trend",
            description="Simple moving average: the mean of the last closes.",
            source=f"{TALIB} SMA",
            values=("SMA",),
            parameters=(_period(20),),
            bars=lambda period: period,
        ),
        IndicatorKind(
            name="EMA",
            family="trend",
            description="Exponential moving average: recent closes weigh more; it starts from the mean of the first closes.",
            source=f"{TALIB} EMA",
            values=("EMA",),
            parameters=(_period(12),),
            bars=lambda period: period,
        ),
        IndicatorKind(
            name="WMA",
            family="trend",
            description="Weighted moving average: the newest close weighs most, each one before it one part less.",
            source=f"{TALIB} WMA",
            values=("WMA",),
            parameters=(_period(20),),
            bars=lambda period: period,
        ),
        IndicatorKind(
            name="MACD",
            family="trend",
            description="Convergence and divergence of a fast and a slow exponential average, with its average as the signal.",
            source=f"{TALIB} MACD",
            values=("MACD", "MACD_SIGNAL", "MACD_HIST"),
            parameters=(_period(12, name="fast"), _period(26, name="slow"), _period(9, 1, name="signal")),
            bars=lambda fast, slow, signal: slow + signal - 1,
        ),
        IndicatorKind(
            name="ADX",
            family="trend",
            description="Average directional index after Wilder, from 0 to 100: how strong a trend is; +DI and -DI: which way.",
            source=f"{TALIB} ADX, PLUS_DI, MINUS_DI",
            values=("ADX", "PLUS_DI", "MINUS_DI"),
            parameters=(_period(14),),
            bars=lambda period: 2 * period,  # of the index; the two lines are there after period + 1
        ),
        IndicatorKind(
            name="RSI",
            family="momentum",
            description="Relative strength index after Wilder: the share of gains in all moves, from 0 to 100.",
            source=f"{TALIB} RSI",
            values=("RSI",),
            parameters=(_period(14),),
            bars=lambda period: period + 1,
        ),
        IndicatorKind(
            name="Stochastic",
            family="momentum",
            description="Slow stochastic: where the close lies in the range of the last bars, from 0 to 100, averaged twice.",
            source=f"{TALIB} STOCH with simple averages",
            values=("STOCH_K", "STOCH_D"),
            parameters=(_period(14), _period(3, 1, name="slow_k"), _period(3, 1, name="slow_d")),
            bars=lambda period, slow_k, slow_d: period + slow_k + slow_d - 2,
        ),
        IndicatorKind(
            name="CCI",
            family="momentum",
            description="Commodity channel index: how far the typical price is from its mean, in mean deviations over 0.015.",
            source=f"{TALIB} CCI",
            values=("CCI",),
            parameters=(_period(20),),
            bars=lambda period: period,
        ),
        IndicatorKind(
            name="WilliamsR",
            family="momentum",
            description="Williams %R: how far the close is below the highest high of the last bars, from 0 to -100.",
            source=f"{TALIB} WILLR",
            values=("WILLIAMS_R",),
            parameters=(_period(14),),
            bars=lambda period: period,
        ),
        IndicatorKind(
            name="ROC",
            family="momentum",
            description="Rate of change: how many percent the close is away from the close some bars ago.",
            source=f"{TALIB} ROC",
            values=("ROC",),
            parameters=(_period(10, 1),),
            bars=lambda period: period + 1,
        ),
        IndicatorKind(
            name="BollingerBands",
            family="volatility",
            description="Bollinger bands: the simple average, and lines some standard deviations above and below it.",
            source=f"{TALIB} BBANDS with a simple average",
            values=("BB_UPPER", "BB_MIDDLE", "BB_LOWER"),
            parameters=(_period(20), Parameter("deviations", 2, 0.1, 10, fractional=True)),
            bars=lambda period, deviations: period,
        ),
        IndicatorKind(
            name="ATR",
            family="volatility",
            description="Average true range after Wilder: how far a bar usually spans, the step from the close before included.",
            source=f"{TALIB} ATR",
            values=("ATR",),
            parameters=(_period(14),),
            bars=lambda period: period + 1,
        ),
        IndicatorKind(
            name="Donchian",
            family="volatility",
            description="Donchian channel: the highest high, the lowest low of the last bars, this one included, their middle.",
            source=f"{TALIB} MAX of highs, MIN of lows, MIDPRICE",
            values=("DONCHIAN_UPPER", "DONCHIAN_MIDDLE", "DONCHIAN_LOWER"),
            parameters=(_period(20),),
            bars=lambda period: period,
        ),
        IndicatorKind(
            name="OBV",
            family="volume",
            description="On-balance volume: the volume of rising bars less that of falling ones since the session began.",
            source=f"{TALIB} OBV, begun anew each session",
            values=("OBV",),
            bars=lambda: 1,
        ),
        IndicatorKind(
            name="MFI",
            family="volume",
            description="Money flow index: the share of rising bars in the traded value of the last bars, from 0 to 100.",
            source=f"{TALIB} MFI",
            values=("MFI",),
            parameters=(_period(14),),
            bars=lambda period: period + 1,
        ),
        IndicatorKind(
            name="VWAP",
            family="volume",
            description="Volume weighted average price of the session so far, from the typical prices of its one-minute bars.",
            source="sum of typical price x volume / sum of volume",
            values=("VWAP",),
            bars=lambda: 1,
        ),
        IndicatorKind(
            name="RelativeVolume",
            family="volume",
            description="The session's volume so far, as a multiple of what it was by this minute in the last 14 sessions.",
            source="mean of the same session up to the same minute, of at least 5 sessions",
            values=("RelativeVolume",),
            bars=lambda: 1,
        ),
        IndicatorKind(
            name="BarVolumeRatio",
            family="volume",
            description="The bar's volume, as a multiple of what its minutes had in the last 14 sessions.",
            source="mean of the same slot of at least 5 sessions",
            values=("BarVolumeRatio",),
            bars=lambda: 1,
        ),
    )
}

INDICATORS = tuple(kind.entry() for kind in INDICATOR_KINDS.values())

# One instance of every kind with its defaults, and those that alerts and charts ask for beside them.
DEFAULT_INSTANCES = (*(kind.instance(kind.defaults()) for kind in INDICATOR_KINDS.values()), "SMA_50", "SMA_200", "EMA_26")


def read_instance(name: str) -> tuple[IndicatorKind, tuple[float, ...]]:
    """The kind and the parameters that a name says: `MACD_8_17_9`, or `MACD` for the defaults.

    Raises:
        IndicatorNameError: there is no such kind, or it does not take these parameters.
    """
    wanted, *texts = name.strip().split("_")
    kind = INDICATOR_KINDS.get(wanted)
    if kind is None:
        raise IndicatorNameError(_unknown(name, wanted))
    if not texts:
        return kind, kind.defaults()
    try:
        parameters = tuple(each.read(text) for each, text in zip(kind.parameters, texts, strict=True))
    except ValueError:
        raise IndicatorNameError(_bad_parameters(name, kind)) from None
    if kind.name == "MACD" and parameters[0] >= parameters[1]:
        raise IndicatorNameError(f"MACD needs a fast period below the slow one, as in MACD_12_26_9; got {name!r}")
    return kind, parameters


def instance(name: str) -> str:
    """The full name of an instance: `SMA_20` for `SMA`; the number 2.0 becomes 2.

    Raises:
        IndicatorNameError: as `read_instance`.
    """
    kind, parameters = read_instance(name)
    return kind.instance(parameters)


def value_names(name: str) -> tuple[str, ...]:
    """What an instance publishes: BB_UPPER_20_2, BB_MIDDLE_20_2, BB_LOWER_20_2 for BollingerBands_20_2."""
    kind, parameters = read_instance(name)
    return kind.value_names(parameters)


def bars_needed(name: str) -> int:
    """How many bars of a series an instance needs until its first value."""
    kind, parameters = read_instance(name)
    return kind.bars(*parameters)


def _unknown(name: str, wanted: str) -> str:
    by_lower = {kind.lower(): kind for kind in INDICATOR_KINDS}
    near = get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0.5)
    question = f"; did you mean {by_lower[near[0]]}?" if near else ""
    return f"an indicator must be one of {', '.join(INDICATOR_KINDS)}, with or without parameters; got {name!r}{question}"


def _bad_parameters(name: str, kind: IndicatorKind) -> str:
    example = kind.instance(kind.defaults())
    if not kind.parameters:
        return f"{kind.name} takes no parameters; got {name!r}"
    return f"{kind.name} takes {', '.join(map(str, kind.parameters))}, as in {example}; got {name!r}"
