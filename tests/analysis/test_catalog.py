"""The catalogue names everything that is computed, truly, and can be read without the engines."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import talib.abstract

from tests.analysis.series import alerts, patterns, random_walk, run, run_together
from tickstock.analysis.catalog import INDICATORS, catalog, catalog_as_data, published_name
from tickstock.analysis.timeframe_analysis import PUBLISHED, TimeframeAnalysis


def test_the_catalogue_is_plain_data_with_a_sentence_for_each_thing():
    entries = json.loads(json.dumps(catalog_as_data()))
    assert len(entries) == len(catalog()) == 2 + 2 + 4 + 6
    for entry in entries:
        assert entry["description"].endswith(".")
        assert entry["bars"] >= 1
        assert entry["source"]


def test_it_can_be_read_without_numpy():
    code = "import sys, tickstock.analysis.catalog as c; c.catalog_as_data(); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


def test_everything_that_is_found_is_in_it_with_its_direction():
    known = {entry.name: entry for entry in catalog()}
    results = run_together([random_walk(seed, 400, ticks_a_step=6.0) for seed in range(40)])
    seen = {hit.pattern for hit in patterns(results)} | {hit.alert for hit in alerts(results)}
    assert seen == {entry.name for entry in catalog() if entry.kind != "indicator"}
    assert all(hit.direction == known[hit.pattern].direction for hit in patterns(results))
    assert all(hit.direction == known[hit.alert].direction for hit in alerts(results))


def test_published_values_are_indicators_of_the_catalogue_and_start_when_it_says():
    results = run(random_walk(1, 60))
    bars = {published_name(entry): entry.bars for entry in INDICATORS}
    for name in PUBLISHED:
        assert int(np.argmax([not np.isnan(result.values[name][0]) for result in results])) == bars[name] - 1


def test_candlesticks_need_the_bars_that_talib_looks_back():
    for entry in catalog():
        if entry.kind == "candlestick":
            assert talib.abstract.Function(entry.source.split()[-1]).lookback == entry.bars - 1


def test_a_timeframe_that_does_not_exist_is_an_error_that_names_the_ones_that_do():
    with pytest.raises(ValueError, match="1min, 5min, 15min, 60min, 1day; got '2min'"):
        TimeframeAnalysis("2min")
