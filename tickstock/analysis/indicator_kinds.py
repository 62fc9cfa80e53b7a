"""The kinds of indicators as data: what the catalogue says of them, their parameters and defaults."""

from __future__ import annotations

from tickstock.analysis.catalog_entry import CatalogEntry

TALIB = "TA-Lib"

RSI = CatalogEntry(
    name="RSI",
    kind="indicator",
    family="momentum",
    direction=None,
    bars=15,
    description="Relative strength index after Wilder: the share of gains in all moves, from 0 to 100.",
    source=TALIB,
    parameters={"period": 14},
)

SMA_20 = CatalogEntry(
    name="SMA",
    kind="indicator",
    family="trend",
    direction=None,
    bars=20,
    description="Simple moving average: the mean of the last closes.",
    source=TALIB,
    parameters={"period": 20},
)

SMA_50 = CatalogEntry(
    name="SMA",
    kind="indicator",
    family="trend",
    direction=None,
    bars=50,
    description="Simple moving average: the mean of the last closes.",
    source=TALIB,
    parameters={"period": 50},
)

ATR = CatalogEntry(
    name="ATR",
    kind="indicator",
    family="volatility",
    direction=None,
    bars=15,
    description="Average true range after Wilder: how far a bar usually spans, the step from the close before included.",
    source=TALIB,
    parameters={"period": 14},
)

INDICATORS = (RSI, SMA_20, SMA_50, ATR)

# One instance of every kind, as settings and messages name them.
DEFAULT_INSTANCES = ("RSI_14", "SMA_20", "SMA_50", "ATR_14", "VWAP", "RelativeVolume", "BarVolumeRatio")
