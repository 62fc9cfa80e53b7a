"""Instances of indicators are named as settings write them; what cannot be read is an error that says what was expected."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstock.analysis.indicator_kinds import (
    DEFAULT_INSTANCES,
    INDICATOR_KINDS,
    INDICATORS,
    IndicatorNameError,
    bars_needed,
    instance,
    read_instance,
    value_names,
)
from tickstock.analysis.indicators import KINDS, indicator_from

FIGURES = {"VWAP", "RelativeVolume", "BarVolumeRatio"}


def test_each_kind_but_the_figures_of_the_day_can_be_computed():
    assert set(INDICATOR_KINDS) == set(KINDS) | FIGURES
    assert [entry.name for entry in INDICATORS] == list(INDICATOR_KINDS)
    assert all(entry.description.endswith(".") and entry.source and entry.bars >= 1 for entry in INDICATORS)


def test_the_default_instances_are_one_of_each_kind_and_those_that_alerts_need():
    assert {name.split("_")[0] for name in DEFAULT_INSTANCES} == set(INDICATOR_KINDS)
    assert set(DEFAULT_INSTANCES) >= {"SMA_20", "SMA_50", "SMA_200", "EMA_12", "EMA_26", "RSI_14", "ATR_14", "MACD_12_26_9"}
    assert len(set(DEFAULT_INSTANCES)) == len(DEFAULT_INSTANCES)
    assert all(instance(name) == name for name in DEFAULT_INSTANCES)


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("SMA", "SMA_20"), ("SMA_7", "SMA_7"), ("MACD", "MACD_12_26_9"), ("BollingerBands_20_2.0", "BollingerBands_20_2"),
        ("BollingerBands_20_2.5", "BollingerBands_20_2.5"), ("OBV", "OBV"), ("VWAP", "VWAP"), (" RSI_014 ", "RSI_14"),
        ("Stochastic", "Stochastic_14_3_3"),
    ],
)  # fmt: skip
def test_a_kind_alone_has_its_defaults_and_a_number_one_way_to_be_written(written, full):
    assert instance(written) == full


def test_values_are_named_as_messages_name_them():
    assert value_names("MACD") == ("MACD_12_26_9", "MACD_SIGNAL_12_26_9", "MACD_HIST_12_26_9")
    assert value_names("BollingerBands_20_2.5") == ("BB_UPPER_20_2.5", "BB_MIDDLE_20_2.5", "BB_LOWER_20_2.5")
    assert value_names("Stochastic") == ("STOCH_K_14_3_3", "STOCH_D_14_3_3")
    assert value_names("ADX") == ("ADX_14", "PLUS_DI_14", "MINUS_DI_14")
    assert value_names("Donchian") == ("DONCHIAN_UPPER_20", "DONCHIAN_MIDDLE_20", "DONCHIAN_LOWER_20")
    assert [*value_names("WilliamsR"), *value_names("OBV"), *value_names("VWAP")] == ["WILLIAMS_R_14", "OBV", "VWAP"]


def test_no_two_instances_publish_under_one_name():
    names = [name for each in DEFAULT_INSTANCES for name in value_names(each)]
    assert len(set(names)) == len(names)


def test_bars_needed_follow_the_parameters():
    assert [bars_needed(name) for name in ("SMA_50", "RSI_14", "MACD", "Stochastic", "ADX_14", "ADX_5", "OBV")] == [
        50, 15, 34, 18, 28, 10, 1,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("Bolinger_20_2", "did you mean BollingerBands"),
        ("sma_20", "did you mean SMA"),
        ("Wiliams", "did you mean WilliamsR"),
        ("Nonsense!", "must be one of SMA, EMA"),
        ("SMA_x", r"SMA takes period \(a whole number from 2 to 1000\), as in SMA_20; got 'SMA_x'"),
        ("SMA_1", "from 2 to 1000"),
        ("SMA_20.5", "a whole number"),
        ("SMA_20_3", "SMA takes period"),
        ("MACD_12_26", r"MACD takes fast .*, slow .*, signal .*, as in MACD_12_26_9"),
        ("MACD_26_12_9", "a fast period below the slow one"),
        ("BollingerBands_20_nan", "deviations"),
        ("VWAP_3", "VWAP takes no parameters"),
        ("", "must be one of"),
    ],
)
def test_a_name_that_stands_for_nothing_says_what_was_expected(written, message):
    with pytest.raises(IndicatorNameError, match=message) as error:
        instance(written)
    assert isinstance(error.value, ValueError)
    assert repr(written) in str(error.value)


def test_a_figure_of_the_day_is_not_made_of_a_timeframe_s_bars():
    with pytest.raises(KeyError, match="VWAP"):
        indicator_from("VWAP")


@given(st.sampled_from(sorted(INDICATOR_KINDS)), st.data())
def test_every_instance_can_be_read_again(kind_name, data):
    kind = INDICATOR_KINDS[kind_name]
    parameters = tuple(
        data.draw(
            st.floats(each.lowest, each.highest) if each.fractional else st.integers(int(each.lowest), int(each.highest)),
            label=each.name,
        )
        for each in kind.parameters
    )
    if kind_name == "MACD" and parameters[0] >= parameters[1]:
        return
    name = kind.instance(parameters)
    assert read_instance(name)[0] is kind
    assert instance(name) == name
    assert read_instance(name)[1] == pytest.approx(parameters, rel=1e-14)


def test_they_can_be_read_without_numpy():
    code = "import sys, tickstock.analysis.indicator_kinds as k; k.instance('SMA'); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0
