"""What is computed and told on a timeframe: the choice among everything the catalogue has, as three settings make it.

A setting is a list of words, applied from left to right: `default`, `all`, `none`, a NAME, `-NAME`, and each of them for one
timeframe, as `5min:NAME`. A list that begins by adding a name begins with nothing; one whose first word takes something away or
is of one timeframe begins with the default. Standard library only: the launcher checks the settings before anything is started.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tickstock.analysis.catalog import DAY_FIGURES, catalog
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.indicator_kinds import DEFAULT_INSTANCES, IndicatorNameError, instance
from tickstock.analysis.timeframes import LENGTH_MS
from tickstock.errors import SettingError

if TYPE_CHECKING:
    from tickstock.settings import Settings

ALWAYS = ("Doji", "Hammer", "HeadShoulders")  # computed, stored and published whatever a setting says
PATTERNS = tuple(entry.name for entry in catalog() if entry.kind in ("candlestick", "chart_pattern"))
ALERTS = tuple(entry.name for entry in catalog() if entry.kind == "alert")

# By meaning and by rate, as docs/patterns.md explains: shapes that every other bar has are left to who asks for them.
DEFAULT_PATTERNS = (
    *ALWAYS[:2],
    *(
        "DragonflyDoji",
        "GravestoneDoji",
        "HangingMan",
        "InvertedHammer",
        "ShootingStar",
        "Engulfing",
        "Piercing",
        "DarkCloudCover",
    ),
    *("MorningStar", "EveningStar", "MorningDojiStar", "EveningDojiStar", "AbandonedBaby", "ThreeInside", "ThreeOutside"),
    *("ThreeWhiteSoldiers", "ThreeBlackCrows"),
    *(each.name for each in CHART_PATTERNS),
)
DEFAULT_ALERTS = ALERTS
_DEFAULT_SERIES = ("RSI_14", "SMA_20", "SMA_50", "EMA_12", "EMA_26", "MACD_12_26_9", "BollingerBands_20_2", "ATR_14")
DEFAULT_INDICATORS = (*_DEFAULT_SERIES, *DAY_FIGURES)
DEFAULT_DAY_INDICATORS = (*_DEFAULT_SERIES, "SMA_200")


@dataclass(frozen=True, slots=True)
class Enabled:
    """The patterns and alerts by name; the indicators as instances: SMA_20, MACD_12_26_9."""

    patterns: frozenset[str]
    indicators: tuple[str, ...]
    alerts: frozenset[str]


EVERYTHING = Enabled(frozenset(PATTERNS), DEFAULT_INSTANCES, frozenset(ALERTS))


def enabled_from(settings: Settings) -> dict[str, Enabled]:
    """What is computed, by timeframe.

    Raises:
        SettingError: a word stands for nothing that is known, or for something that its timeframe does not have.
    """
    patterns = _Choice(
        "TICKSTOCK_PATTERNS", settings.patterns, PATTERNS, lambda _: DEFAULT_PATTERNS, _one_of(PATTERNS, "docs/patterns.md")
    )
    alerts = _Choice("TICKSTOCK_ALERTS", settings.alerts, ALERTS, lambda _: DEFAULT_ALERTS, _one_of(ALERTS, "docs/alerts.md"))
    indicators = _Choice("TICKSTOCK_INDICATORS", settings.indicators, DEFAULT_INSTANCES, _default_indicators, _instance)
    return {
        timeframe: Enabled(
            frozenset((*patterns.on(timeframe), *ALWAYS)), tuple(indicators.on(timeframe)), frozenset(alerts.on(timeframe))
        )
        for timeframe in LENGTH_MS
    }


def _default_indicators(timeframe: str) -> tuple[str, ...]:
    return DEFAULT_DAY_INDICATORS if timeframe == "1day" else DEFAULT_INDICATORS


class _UnknownName(ValueError):
    """Says what was expected instead."""


def _one_of(names: Sequence[str], document: str) -> Callable[[str], str]:
    def read(word: str) -> str:
        if word not in names:
            raise _UnknownName(f"default, all, none or names of {document}; got {word!r}{_nearest(word, names)}")
        return word

    return read


def _instance(word: str) -> str:
    try:
        return instance(word)
    except IndicatorNameError as problem:
        raise _UnknownName(f"default, all, none or indicators: {problem}") from None


def _nearest(word: str, names: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in names}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.5)
    return f". Did you mean {by_lower[near[0]]}?" if near else ""


@dataclass(frozen=True, slots=True)
class _Word:
    name: str  # in full, or default, all, none
    short: str  # as written
    timeframe: str | None  # None: every one
    removes: bool


class _Choice:
    """What one setting chooses."""

    def __init__(
        self,
        setting: str,
        words: Sequence[str],
        everything: Sequence[str],
        default: Callable[[str], Sequence[str]],
        full_name: Callable[[str], str],
    ) -> None:
        self._setting = setting
        self._everything = everything
        self._default = default
        self._full_name = full_name
        self._timeframes = {entry.name: entry.timeframes for entry in catalog()}
        self._words = [self._read(word) for word in words]

    def on(self, timeframe: str) -> list[str]:
        """What is chosen on a timeframe, in the order in which it was named."""
        sets = {"default": self._default(timeframe), "all": self._everything, "none": ()}
        first = self._words[0]
        chosen = list(sets["default"] if first.removes or first.timeframe else ())
        for word in self._words:
            if word.timeframe not in (None, timeframe):
                continue
            if word.name in sets:
                chosen = list(sets[word.name])
            elif word.removes:  # an indicator without its parameters is every instance of it
                chosen = [name for name in chosen if name != word.name and name.split("_")[0] != word.short]
            elif word.name not in chosen:
                chosen.append(word.name)
        return [name for name in chosen if self._exists(name, timeframe)]

    def _exists(self, name: str, timeframe: str) -> bool:
        return timeframe in self._timeframes[name if name in self._timeframes else name.split("_")[0]]

    def _read(self, text: str) -> _Word:
        before, colon, after = text.rpartition(":")
        if colon and before not in LENGTH_MS:
            near = _nearest(before, [*LENGTH_MS])
            raise SettingError(f"{self._setting} must have one of {', '.join(LENGTH_MS)} before a colon; got {text!r}{near}")
        short = after.removeprefix("-")
        removes = after.startswith("-")
        if short in ("default", "all", "none") and not removes:
            return _Word(short, short, before or None, removes)
        try:
            word = _Word(self._full_name(short), short, before or None, removes)
        except _UnknownName as problem:
            raise SettingError(f"{self._setting} must be {problem}") from None
        if colon and not self._exists(word.name, before):
            raise SettingError(f"{self._setting} asks for {word.name} on {before}, where there is none; got {text!r}")
        return word
