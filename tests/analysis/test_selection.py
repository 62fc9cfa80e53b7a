"""Three settings choose what is computed, per timeframe, and say at once what they cannot understand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.selection import (
    ALWAYS,
    DEFAULT_ALERTS,
    DEFAULT_DAY_INDICATORS,
    DEFAULT_INDICATORS,
    DEFAULT_PATTERNS,
    EVERYTHING,
    enabled_from,
)
from tickstock.analysis.timeframes import LENGTH_MS
from tickstock.errors import SettingError
from tickstock.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
PATTERNS = {*CANDLESTICKS, *(each.name for each in CHART_PATTERNS)}


def chosen(setting: str, text: str, timeframe: str = "1min") -> set[str]:
    """What a setting chooses on a timeframe, read as the processes read it."""
    settings = Settings.load({f"TICKSTOCK_{setting.upper()}": text}, dotenv=None)
    return set(getattr(enabled_from(settings)[timeframe], setting))


def test_without_settings_every_timeframe_has_its_default():
    enabled = enabled_from(Settings())
    assert list(enabled) == list(LENGTH_MS)
    for timeframe, each in enabled.items():
        assert each.patterns == set(DEFAULT_PATTERNS)
        assert each.indicators == (DEFAULT_DAY_INDICATORS if timeframe == "1day" else DEFAULT_INDICATORS)
        assert each.alerts == {rule.name for rule in ALERT_RULES if rule.name in DEFAULT_ALERTS and timeframe in rule.timeframes}


def test_everything_is_all_of_the_catalogue():
    assert EVERYTHING.patterns == PATTERNS
    assert chosen("patterns", "all") == PATTERNS
    assert set(EVERYTHING.indicators) == chosen("indicators", "all")
    assert EVERYTHING.alerts == chosen("alerts", "all") | chosen("alerts", "all", "1day")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", set(ALWAYS)),
        ("Engulfing", {*ALWAYS, "Engulfing"}),
        ("Engulfing SpinningTop", {*ALWAYS, "Engulfing", "SpinningTop"}),
        ("none, Engulfing,  DoubleTop", {*ALWAYS, "Engulfing", "DoubleTop"}),
        ("all,-SpinningTop", PATTERNS - {"SpinningTop"}),
        ("-Engulfing", set(DEFAULT_PATTERNS) - {"Engulfing"}),
        ("Engulfing,none", set(ALWAYS)),
        ("all,-Doji,-Hammer,-HeadShoulders", PATTERNS),
        ("5min:all,5min:-Engulfing", set(DEFAULT_PATTERNS)),
        ("1min:none,1min:Engulfing", {*ALWAYS, "Engulfing"}),
        ("5min:Engulfing,none", set(ALWAYS)),
    ],
)
def test_words_are_applied_from_left_to_right_and_three_patterns_always_stay(text: str, expected: set[str]):
    assert chosen("patterns", text) == expected


def test_a_word_for_one_timeframe_leaves_the_others_alone():
    text = "none,5min:all,5min:-Engulfing"
    assert chosen("patterns", text, "5min") == PATTERNS - {"Engulfing"}
    assert all(chosen("patterns", text, other) == set(ALWAYS) for other in LENGTH_MS if other != "5min")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RSI_9,SMA_20", {"RSI_9", "SMA_20"}),
        ("BollingerBands_20_2.5", {"BollingerBands_20_2.5"}),
        ("BollingerBands_20_2.0", {"BollingerBands_20_2"}),
        ("MACD", {"MACD_12_26_9"}),
        ("-SMA_20", set(DEFAULT_INDICATORS) - {"SMA_20"}),
        ("-SMA", set(DEFAULT_INDICATORS) - {"SMA_20", "SMA_50"}),
        ("default,EMA_9", {*DEFAULT_INDICATORS, "EMA_9"}),
        ("none", set()),
    ],
)
def test_indicators_are_named_with_their_parameters_or_by_kind(text: str, expected: set[str]):
    assert chosen("indicators", text) == expected


def test_a_name_that_a_timeframe_does_not_have_is_left_out_there():
    assert chosen("alerts", "GOLDEN_CROSS,VOLUME_SPIKE,RSI_OVERSOLD", "1day") == {"GOLDEN_CROSS", "RSI_OVERSOLD"}
    assert chosen("alerts", "GOLDEN_CROSS,VOLUME_SPIKE,RSI_OVERSOLD") == {"VOLUME_SPIKE", "RSI_OVERSOLD"}
    assert chosen("indicators", "VWAP,SMA_200", "1day") == {"SMA_200"}


@pytest.mark.parametrize(
    ("setting", "text", "words"),
    [
        ("patterns", "dogi", "TICKSTOCK_PATTERNS must be .* got 'dogi'. Did you mean Doji?"),
        ("patterns", "default,-Hamer", "got 'Hamer'. Did you mean Hammer?"),
        ("patterns", "-all", "TICKSTOCK_PATTERNS .* got 'all'"),
        ("patterns", "qqqq", "got 'qqqq'$"),
        ("patterns", "5mn:Doji", "TICKSTOCK_PATTERNS .* before a colon; got '5mn:Doji'. Did you mean 5min?"),
        ("patterns", "RSI_14", "names of docs/patterns.md; got 'RSI_14'"),
        ("alerts", "RSI_OVERBOUGT", "TICKSTOCK_ALERTS .* Did you mean RSI_OVERBOUGHT?"),
        ("alerts", "5min:GOLDEN_CROSS", "TICKSTOCK_ALERTS asks for GOLDEN_CROSS on 5min, where there is none"),
        ("indicators", "SMAA_20", "TICKSTOCK_INDICATORS .* got 'SMAA_20'; did you mean SMA?"),
        ("indicators", "SMA_0", "TICKSTOCK_INDICATORS .* as in SMA_20; got 'SMA_0'"),
        ("indicators", "1day:VWAP", "TICKSTOCK_INDICATORS asks for VWAP on 1day, where there is none"),
    ],
)
def test_what_cannot_be_understood_is_named_with_the_nearest_that_can(setting: str, text: str, words: str):
    with pytest.raises(SettingError, match=words):
        chosen(setting, text)


def test_a_list_without_words_is_refused():
    with pytest.raises(SettingError, match="TICKSTOCK_PATTERNS must be default, all, none or names"):
        Settings.load({"TICKSTOCK_PATTERNS": ","}, dotenv=None)


def test_the_choice_can_be_read_before_anything_is_installed():
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import launcher.options, tickstock.analysis.catalog"
    assert subprocess.run([sys.executable, "-S", "-c", code], timeout=30, check=False, cwd="/").returncode == 0
