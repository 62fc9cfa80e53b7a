"""The catalogue names everything that is computed, truly, and can be read without the engines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import talib.abstract
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.series import alerts, patterns, random_walk, run, run_together
from tickstock.analysis import catalog as catalog_module
from tickstock.analysis.alert_rules import ALERT_RULES
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.catalog import DAY_FIGURES, catalog, catalog_as_data, rank
from tickstock.analysis.catalog_entry import CatalogEntry
from tickstock.analysis.chart_pattern_rules import CHART_PATTERNS
from tickstock.analysis.indicator_kinds import INDICATOR_KINDS, bars_needed, value_names
from tickstock.analysis.selection import EVERYTHING
from tickstock.analysis.timeframes import LENGTH_MS


def entries(kind: str) -> list[CatalogEntry]:
    return [entry for entry in catalog() if entry.kind == kind]


def test_it_is_plain_data_with_a_sentence_and_a_source_for_each_thing():
    told = json.loads(json.dumps(catalog_as_data()))
    assert len(told) == len({entry["name"] for entry in told})
    assert Counter(entry["kind"] for entry in told) == {
        "candlestick": len(CANDLESTICKS),
        "chart_pattern": len(CHART_PATTERNS),
        "indicator": len(INDICATOR_KINDS),
        "alert": len(ALERT_RULES),
    }
    for entry in told:
        assert entry["description"].endswith("."), entry["name"]
        assert entry["description"][0].isupper(), entry["name"]
        assert entry["bars"] >= 1
        assert entry["source"]
        assert entry["direction"] in ([None] if entry["kind"] == "indicator" else ["bullish", "bearish", "neutral", "either"])
        assert entry["timeframes"]
        assert set(entry["timeframes"]) <= set(LENGTH_MS)


def test_it_can_be_read_without_numpy():
    code = "import sys, tickstock.analysis.catalog as c; c.catalog_as_data(); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


def test_everything_that_is_found_is_in_it_with_its_direction():
    known = {entry.name: entry for entry in catalog()}
    results = run_together([random_walk(seed, 400, ticks_a_step=6.0) for seed in range(40)])
    found = [(hit.pattern, hit.direction) for hit in patterns(results)] + [(hit.alert, hit.direction) for hit in alerts(results)]
    assert {"Doji", "Engulfing", "RSI_OVERBOUGHT"} <= {name for name, _ in found}
    for name, direction in set(found):
        told = known[name].direction
        assert direction == told or (told == "either" and direction != "neutral") or known[name].kind == "chart_pattern"


def test_published_values_start_when_it_says():
    results = run(random_walk(1, 260))
    series = [name for name in EVERYTHING.indicators if name not in DAY_FIGURES]
    assert {name.split("_")[0] for name in series} == {entry.name for entry in entries("indicator")} - set(DAY_FIGURES)
    for name in series:
        value = value_names(name)[0]  # +DI and -DI are there before the ADX
        first = int(np.argmax([not np.isnan(result.values[value][0]) for result in results]))
        assert first == bars_needed(name) - 1, name


def test_candlesticks_need_the_bars_and_the_penetration_that_talib_needs():
    for entry in entries("candlestick"):
        function = talib.abstract.Function(entry.source.split()[-1])
        assert function.lookback == entry.bars - 1, entry.name
        assert dict(function.parameters) == entry.parameters, entry.name


def test_what_needs_figures_of_the_day_is_not_there_on_days():
    only_within_a_day = {entry.name for entry in catalog() if "1day" not in entry.timeframes}
    assert set(DAY_FIGURES) | {"VWAP_BULLISH_CROSS", "NEW_HIGH_OF_DAY", "VOLUME_SPIKE"} <= only_within_a_day
    assert not only_within_a_day & {"RSI", "OBV", "Doji", "HeadShoulders", "GOLDEN_CROSS"}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "QUALITY_QUANTILES", {"Doji": (0.0, 0.0, 0.2, 0.6, 0.6, 1.0)})


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("quality", "expected"), [(0.0, 0.0), (0.1, 0.3), (0.2, 0.4), (0.4, 0.5), (0.6, 0.6), (0.8, 0.9), (1.0, 1.0), (0.05, 0.25)]
)
def test_a_rank_is_the_share_that_is_worse(quality: float, expected: float):
    assert rank("Doji", quality) == pytest.approx(expected)
    assert rank("Unmeasured", quality) is None


@given(st.floats(0, 1), st.floats(0, 1))
def test_ranks_follow_quality(one: float, other: float):
    low, high = sorted((one, other))
    for name in catalog_module.QUALITY_QUANTILES:
        ranks = rank(name, low), rank(name, high)
        assert None not in ranks
        assert 0.0 <= ranks[0] <= ranks[1] <= 1.0  # type: ignore[operator]
