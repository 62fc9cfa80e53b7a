"""Stock splits of the simulated market, and what they make of earlier prices.

Prints are never adjusted: before a split's day a share trades at its old price. REST adjusts bars of earlier days for every split
that has taken effect by the market's clock, unless it is asked not to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tickstock.simulator.trades import Bars

_DECIMALS = 6  # of adjusted prices


@dataclass(frozen=True)
class StockSplit:
    """Of every `split_from` shares become `split_to` before the first trade of `day`."""

    ticker: str
    day: date
    split_from: int
    split_to: int


SPLITS = (StockSplit("F", date(2026, 11, 19), 10, 1), StockSplit("NOW", date(2026, 11, 20), 1, 4))


def splits_of(tickers: Sequence[str]) -> tuple[StockSplit, ...]:
    """The splits of these tickers."""
    return tuple(each for each in SPLITS if each.ticker in tickers)


def price_before(splits: Sequence[StockSplit], ticker: str, day: date) -> float:
    """What a ticker's price of today is multiplied with on a day, because splits were still to come then."""
    factor = 1.0
    for each in splits:
        if each.ticker == ticker and each.day > day:
            factor *= each.split_to / each.split_from
    return factor


def adjusted(bars: Bars, splits: Sequence[StockSplit], ticker: str, day: date, today: date) -> Bars:
    """A ticker's bars of a day, in the shares of `today`: prices and, the other way round, volumes."""
    for each in splits:
        if each.ticker == ticker and day < each.day <= today:
            shares_from, shares_to = each.split_from, each.split_to
            price = shares_from / shares_to
            opening, high, low, close = (
                np.round(column * price, _DECIMALS) for column in (bars.open, bars.high, bars.low, bars.close)
            )
            volume = bars.volume * shares_to // shares_from
            bars = Bars(bars.symbol, bars.start, opening, high, low, close, volume, bars.dollars, bars.count)
    return bars
