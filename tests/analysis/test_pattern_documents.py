"""docs/patterns.md and docs/indicators.md say what the catalogue and the code say, and every pattern has its picture."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.catalogue_document import INDICATORS_MARKER, between_markers, indicators_table
from benchmarks.measured_bars import golden, simulated, walks
from benchmarks.pattern_examples import candlestick_example, chart_pattern_example
from benchmarks.pattern_pictures import FOLDER, candlestick_picture, chart_pattern_picture
from benchmarks.pattern_rates import tally
from benchmarks.pattern_words import conditions
from benchmarks.shown_signals import signals
from tests.conftest import SHARED
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.catalog import catalog, rank
from tickstock.analysis.default_filter import SHOWN_FROM, is_best
from tickstock.analysis.quality_ranks import MEASURED_ON, QUALITY_QUANTILES
from tickstock.analysis.selection import ALERTS, ALWAYS, DEFAULT_PATTERNS, PATTERNS, enabled_from
from tickstock.market_hours import AlwaysOpenCalendar, ExchangeCalendar
from tickstock.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENT = (DOCS / "patterns.md").read_text(encoding="utf-8")
MOST_BYTES = 3072
DRAW_AGAIN = "what is found has changed: python -m benchmarks.pattern_pictures draws it again"
KINDS = {entry.name: entry.kind for entry in catalog()}


@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_has_its_row_and_a_small_picture(name: str):
    entry = next(entry for entry in catalog() if entry.name == name)
    (row,) = [line for line in DOCUMENT.splitlines() if f"![{name}](images/patterns/{name}.svg)" in line]
    assert entry.description in row
    assert entry.source in row
    assert re.search(r"(\| [\d.]+ / [\d.]+ ){3}\|$", row), "its rates on real bars, on random walks and on the simulated market"
    picture = (FOLDER / f"{name}.svg").read_bytes()
    assert len(picture) <= MOST_BYTES
    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_there_is_no_picture_of_anything_else():
    assert {picture.stem for picture in FOLDER.iterdir()} == set(PATTERNS)


@pytest.mark.parametrize("name", list(CANDLESTICKS))
def test_the_conditions_are_those_of_the_code(name: str):
    words = conditions(CANDLESTICKS[name])
    assert words.replace("|", "\\|") in DOCUMENT, "python -m benchmarks.pattern_rates --write writes it again"
    assert len(words) > 3


def test_words_of_conditions_read_like_the_expression():
    assert conditions(CANDLESTICKS["ThreeOutside"]) == (
        "first: black; second: body's top above body's top of the first, body's bottom below body's bottom of the first, white; "
        "third: closes above the close of the second; bearish: mirrored"
    )
    assert conditions(CANDLESTICKS["DragonflyDoji"]) == "doji, hardly an upper shadow, a lower shadow"


@pytest.mark.parametrize("name", ["Hammer", "Engulfing", "Kicking", "ConcealingBabySwallow", "Doji"])
def test_a_candlestick_is_drawn_from_an_example_that_the_detector_finds(name: str):
    example = candlestick_example(CANDLESTICKS[name])
    assert example.quality > 0.5
    assert candlestick_picture(name) == (FOLDER / f"{name}.svg").read_text(encoding="utf-8"), DRAW_AGAIN


@pytest.mark.parametrize("name", ["HeadShoulders", "BullFlag"])
def test_a_chart_pattern_is_drawn_from_an_example_that_the_detector_finds(name: str):
    example = chart_pattern_example(name)
    assert example.hit is not None
    assert example.hit.state == "confirmed"
    assert chart_pattern_picture(name) == (FOLDER / f"{name}.svg").read_text(encoding="utf-8"), DRAW_AGAIN


def test_the_table_of_indicators_is_that_of_the_catalogue():
    text = (DOCS / "indicators.md").read_text(encoding="utf-8")
    assert between_markers(text, INDICATORS_MARKER, indicators_table()) == text


def test_the_table_of_what_is_shown_has_the_thresholds_in_force():
    rows = {cells[1].strip(): cells[2].strip() for line in DOCUMENT.splitlines() if len(cells := line.split("|")) == 10}
    for name in (*DEFAULT_PATTERNS, *ALERTS):
        if name in ("GOLDEN_CROSS", "DEATH_CROSS"):
            continue  # of 1day only
        expected = "not shown" if name not in SHOWN_FROM else f"{SHOWN_FROM[name]:g}" if name in PATTERNS else "all"
        assert rows[name] == expected, name


def test_thresholds_are_of_patterns_that_are_computed_by_default_and_whose_rank_is_known():
    assert set(SHOWN_FROM) <= {*DEFAULT_PATTERNS, *ALERTS}
    assert set(ALWAYS) <= set(SHOWN_FROM)
    for name, least in SHOWN_FROM.items():
        assert 0 <= least < 1
        assert (name in QUALITY_QUANTILES) == (name in PATTERNS)
        assert is_best(name, "1min", quality=1.0 if name in PATTERNS else None)


def test_quantiles_rise_to_the_best_there_can_be():
    assert set(QUALITY_QUANTILES) == set(MEASURED_ON)
    assert set(QUALITY_QUANTILES) <= set(PATTERNS)
    for name, values in QUALITY_QUANTILES.items():
        assert len(values) == 21, name
        assert list(values) == sorted(values), name
        assert (values[0] >= 0, values[-1]) == (True, 1.0), name
        assert rank(name, 1.0) > 0.9  # type: ignore[operator]


def test_the_page_shows_at_most_three_signals_per_symbol_and_hour():
    enabled = enabled_from(Settings())["1min"]
    markets = {
        "random walks": signals(walks(30, 2), AlwaysOpenCalendar(), enabled),
        "simulated market": signals(simulated(1, seed=3)[::2], AlwaysOpenCalendar(), enabled),
    }
    if (SHARED / "golden").is_dir():
        markets["real bars"] = signals(golden(suffix="_1m"), ExchangeCalendar(), enabled)
    for name, found in markets.items():
        shown = found.per_hour(sum(found.shown.values()))
        print(f"{name}: {shown:.2f} shown of {found.per_hour(sum(found.reported.values())):.1f} reported per symbol and hour")
        assert 0.5 < shown <= 3, name


def test_rates_count_what_talib_finds_and_what_is_reported():
    few = tally(walks(3, 1))
    assert few.bars == 3 * 390
    for name in ("Doji", "Engulfing", "BeltHold"):
        assert few.found[name] >= len(few.reported[name]) > 0
    assert all(0 <= quality <= 1 for qualities in few.reported.values() for quality in qualities)
    assert np.isclose(few.per_thousand(117), 100.0)
