"""The indicator alerts as a table: what is compared with what, which way it fires, and what arms it again.

A rule's x is its indicator less its threshold, in dollars or in the indicator's own points. A crossing fires when x passes 0
between the symbol's bar before and this one; a level fires at any bar beyond it while the alert is armed. Everything a rule
names is a quantity of `AlertEngine.update`: an indicator's value (RSI_14), `open`, `close`, `volume`, `tick` (the smallest price
step), or a figure of the trading day (VWAP, HIGH_OF_DAY), which does not exist outside the regular session.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tickstock.analysis.timeframes import LENGTH_MS

EVERY_TIMEFRAME = tuple(LENGTH_MS)
INTRADAY = tuple(timeframe for timeframe in LENGTH_MS if timeframe != "1day")
ONE_MINUTE = ("1min",)
ONE_DAY = ("1day",)

UP, DOWN = +1, -1


@dataclass(frozen=True, slots=True)
class Spread:
    """The distance between two quantities: a quantity too."""

    upper: str
    lower: str


Quantity = str | float | Spread


@dataclass(frozen=True, slots=True)
class Distance:
    """So many of a unit: 0.25 ATR_14; 2 % of the previous close."""

    count: float
    unit: Quantity = 1.0


@dataclass(frozen=True, slots=True)
class Back:
    """Armed again when x is this far on the other side of 0."""

    distance: Distance
    farther: bool = False  # the distance itself is not enough


@dataclass(frozen=True, slots=True)
class After:
    """Armed again this long after firing."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """It fires only where the quantity is at least so much."""

    quantity: Quantity
    least: Distance


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One row of the table."""

    name: str
    indicator: str  # what is compared; the message's `indicator` and `value`
    threshold: str | float  # with what; the message's `threshold`
    side: int  # UP: it fires above the threshold, DOWN: below it
    direction: str  # bullish | bearish | neutral
    rearm: Back | After | None  # None: not again within the session
    bars: int  # of a series or, for a level of the day, of the session, until it can first fire
    description: str
    timeframes: tuple[str, ...] = EVERY_TIMEFRAME
    indicators: tuple[str, ...] = ()  # instances that must be computed for it, published or not
    crossing: bool = True  # False: a level, which needs no bar before
    at_least: Distance | None = None  # how far x must be beyond 0, this distance included; None: beyond it at all
    only_where: AtLeast | None = None
    first_index: int = 0  # of the bar in the symbol's series, besides the warm-up of the indicators

    def parameters(self) -> dict[str, float]:
        """Its numbers by name."""
        found: dict[str, float] = {} if isinstance(self.threshold, str) else {"threshold": self.threshold}
        if self.at_least is not None and self.at_least.count:
            found["at_least"] = self.at_least.count
        if isinstance(self.rearm, Back):
            found["rearm_distance"] = self.rearm.distance.count
        elif isinstance(self.rearm, After):
            found["rearm_after_minutes"] = self.rearm.milliseconds / 60_000
        if self.only_where is not None and self.only_where.least.count:
            found["only_at_least"] = self.only_where.least.count
        return found


def rules_for(timeframe: str, enabled: Collection[str]) -> tuple[AlertRule, ...]:
    """The rules with these names that are evaluated on a timeframe, in the order of the table."""
    return tuple(rule for rule in ALERT_RULES if rule.name in enabled and timeframe in rule.timeframes)


def _atr(count: float) -> Back:
    return Back(Distance(count, "ATR_14"))


_ACROSS = Back(Distance(0.0), farther=True)
_AVERAGES = ("SMA_20", "SMA_50", "ATR_14")
_LONG_AVERAGES = ("SMA_50", "SMA_200")
_MACD = ("MACD_12_26_9", "ATR_14")
_BANDS = ("BollingerBands_20_2",)
_UPPER, _MIDDLE, _LOWER = "BB_UPPER_20_2", "BB_MIDDLE_20_2", "BB_LOWER_20_2"
_BANDS_APART = AtLeast(Spread(_UPPER, _LOWER), Distance(4.0, "tick"))
_FIVE_MINUTES = After(5 * 60_000)
_TWO_PERCENT = Distance(0.02, "PREV_CLOSE")
_FIRST_BAR = AtLeast("FIRST_OPEN", Distance(0.0))  # a figure that exists at the session's first regular bar alone
_MANY_SHARES = AtLeast("volume", Distance(10_000.0))

# fmt: off
ALERT_RULES = (
    AlertRule("RSI_OVERBOUGHT", "RSI_14", 70.0, UP, "bearish", Back(Distance(5.0)), 140,
              "RSI 14 rises above 70.", indicators=("RSI_14",)),
    AlertRule("RSI_OVERSOLD", "RSI_14", 30.0, DOWN, "bullish", Back(Distance(5.0)), 140,
              "RSI 14 falls below 30.", indicators=("RSI_14",)),
    AlertRule("SMA_BULLISH_CROSS", "close", "SMA_20", UP, "bullish", _atr(0.25), 21,
              "The close rises above SMA 20.", indicators=("SMA_20", "ATR_14")),
    AlertRule("SMA_BEARISH_CROSS", "close", "SMA_20", DOWN, "bearish", _atr(0.25), 21,
              "The close falls below SMA 20.", indicators=("SMA_20", "ATR_14")),
    AlertRule("SMA_20_50_BULLISH_CROSS", "SMA_20", "SMA_50", UP, "bullish", _atr(0.10), 51,
              "SMA 20 rises above SMA 50.", indicators=_AVERAGES),
    AlertRule("SMA_20_50_BEARISH_CROSS", "SMA_20", "SMA_50", DOWN, "bearish", _atr(0.10), 51,
              "SMA 20 falls below SMA 50.", indicators=_AVERAGES),
    AlertRule("GOLDEN_CROSS", "SMA_50", "SMA_200", UP, "bullish", _ACROSS, 201,
              "SMA 50 rises above SMA 200.", ONE_DAY, _LONG_AVERAGES),
    AlertRule("DEATH_CROSS", "SMA_50", "SMA_200", DOWN, "bearish", _ACROSS, 201,
              "SMA 50 falls below SMA 200.", ONE_DAY, _LONG_AVERAGES),
    AlertRule("MACD_BULLISH_CROSS", "MACD_12_26_9", "MACD_SIGNAL_12_26_9", UP, "bullish", _atr(0.05), 146,
              "MACD rises above its signal.", indicators=_MACD, first_index=34),
    AlertRule("MACD_BEARISH_CROSS", "MACD_12_26_9", "MACD_SIGNAL_12_26_9", DOWN, "bearish", _atr(0.05), 146,
              "MACD falls below its signal.", indicators=_MACD, first_index=34),
    AlertRule("BB_UPPER_BREAK", "close", _UPPER, UP, "bullish", Back(Distance(0.5, Spread(_UPPER, _MIDDLE))), 21,
              "The close rises above the upper Bollinger band.", indicators=_BANDS, only_where=_BANDS_APART),
    AlertRule("BB_LOWER_BREAK", "close", _LOWER, DOWN, "bearish", Back(Distance(0.5, Spread(_MIDDLE, _LOWER))), 21,
              "The close falls below the lower Bollinger band.", indicators=_BANDS, only_where=_BANDS_APART),
    AlertRule("VWAP_BULLISH_CROSS", "close", "VWAP", UP, "bullish", _atr(0.25), 2,
              "The close rises above VWAP.", INTRADAY, ("ATR_14",)),
    AlertRule("VWAP_BEARISH_CROSS", "close", "VWAP", DOWN, "bearish", _atr(0.25), 2,
              "The close falls below VWAP.", INTRADAY, ("ATR_14",)),
    AlertRule("NEW_HIGH_OF_DAY", "close", "HIGH_OF_DAY", UP, "bullish", _FIVE_MINUTES, 6,
              "The close is above every price of the regular session so far.", ONE_MINUTE, crossing=False),
    AlertRule("NEW_LOW_OF_DAY", "close", "LOW_OF_DAY", DOWN, "bearish", _FIVE_MINUTES, 6,
              "The close is below every price of the regular session so far.", ONE_MINUTE, crossing=False),
    AlertRule("PREV_DAY_HIGH_BREAK", "close", "PREV_DAY_HIGH", UP, "bullish", None, 2,
              "The close rises above the previous day's high.", ONE_MINUTE),
    AlertRule("PREV_DAY_LOW_BREAK", "close", "PREV_DAY_LOW", DOWN, "bearish", None, 2,
              "The close falls below the previous day's low.", ONE_MINUTE),
    AlertRule("PREMARKET_HIGH_BREAK", "close", "PREMARKET_HIGH", UP, "bullish", None, 2,
              "The close rises above the high of the pre-market.", ONE_MINUTE),
    AlertRule("PREMARKET_LOW_BREAK", "close", "PREMARKET_LOW", DOWN, "bearish", None, 2,
              "The close falls below the low of the pre-market.", ONE_MINUTE),
    # A level once a session: the range's own bars closed within it, so that the first close beyond it is a crossing, also of a
    # symbol that did not trade in the range's last minute.
    AlertRule("OPENING_RANGE_BREAK_UP", "close", "OPENING_RANGE_HIGH", UP, "bullish", None, 16,
              "The close rises above the range of the session's first 15 minutes.", ONE_MINUTE, crossing=False),
    AlertRule("OPENING_RANGE_BREAK_DOWN", "close", "OPENING_RANGE_LOW", DOWN, "bearish", None, 16,
              "The close falls below the range of the session's first 15 minutes.", ONE_MINUTE, crossing=False),
    AlertRule("GAP_UP", "open", "PREV_CLOSE", UP, "bullish", None, 1,
              "The session opens at least 2 % above the previous close.", ONE_MINUTE,
              crossing=False, at_least=_TWO_PERCENT, only_where=_FIRST_BAR),
    AlertRule("GAP_DOWN", "open", "PREV_CLOSE", DOWN, "bearish", None, 1,
              "The session opens at least 2 % below the previous close.", ONE_MINUTE,
              crossing=False, at_least=_TWO_PERCENT, only_where=_FIRST_BAR),
    AlertRule("VOLUME_SPIKE", "BarVolumeRatio", 5.0, UP, "neutral", Back(Distance(3.0), farther=True), 1,
              "The bar has at least 5 times its minute's usual volume, and at least 10,000 shares.", ONE_MINUTE,
              crossing=False, at_least=Distance(0.0), only_where=_MANY_SHARES),
)
# fmt: on
