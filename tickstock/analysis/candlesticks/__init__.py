"""The candlestick patterns: one expression each, equal to TA-Lib's function in every bar."""

from __future__ import annotations

from tickstock.analysis.candlesticks import four_and_five_bars, hikkake, one_bar, stars, three_bars, two_bars
from tickstock.analysis.candlesticks.definition import CANDLESTICKS, CandlestickPattern

__all__ = ["CANDLESTICKS", "CandlestickPattern", "four_and_five_bars", "hikkake", "one_bar", "stars", "three_bars", "two_bars"]
