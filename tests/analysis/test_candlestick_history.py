"""A search of history finds what a search of each moment finds, however the history is cut into stretches."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.series import random_walk
from tickstock.analysis import candlestick_detector
from tickstock.analysis.candle_bars import HistoryBars
from tickstock.analysis.candlestick_detector import CandlestickDetector
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.results import BarColumns, Candlesticks


def events(found: list[Candlesticks], bar_of: np.ndarray | None = None) -> list[tuple]:
    """Every detection with all that is told of it, by pattern and bar."""
    return sorted(
        (each.pattern.name, int(place if bar_of is None else bar_of[place]), direction, quality, sorted(details.items()))
        for each in found
        for place, direction, quality, details in zip(
            each.place.tolist(), each.directions(), each.quality.tolist(), each.details(), strict=True
        )
    )


@pytest.mark.parametrize("stretch", [17, 256, 16_384])
def test_history_is_searched_in_stretches_as_if_at_once(monkeypatch, stretch):
    monkeypatch.setattr(candlestick_detector, "STRETCH", stretch)
    many = [random_walk(seed, length, ticks_a_step=6.0) for seed, length in ((1, 400), (2, 3), (3, 700))]
    bars = BarColumns(*(np.concatenate(columns) for columns in zip(*(one.bars for one in many), strict=True)))
    history = HistoryBars(bars, np.concatenate([one.sessions for one in many]), [len(one) for one in many])
    detector = CandlestickDetector(CANDLESTICKS.values(), "1min")
    everything = history.moments(0, len(history))
    at_once, suppressed = detector.detect(everything)
    bar_of = history.bar_at(np.arange(everything.first, len(history)))
    in_stretches, thin = detector.detect_in_history(history)
    assert events(in_stretches) == events(at_once, bar_of)
    assert len(events(in_stretches)) > 500
    assert thin == suppressed


def test_history_from_a_moment_on_holds_only_what_is_found_there():
    one = random_walk(5, 600, ticks_a_step=6.0)
    history = HistoryBars(one.bars, one.sessions)
    detector = CandlestickDetector(CANDLESTICKS.values(), "1min")
    whole, _ = detector.detect_in_history(history)
    later, _ = detector.detect_in_history(history, first=history.moments(0, len(history)).first + 300)
    assert events(later) == [each for each in events(whole) if each[1] >= 300]
