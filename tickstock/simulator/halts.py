"""Halts and resumptions of a market, as the vendor's LULD channel tells them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tickstock.simulator.encoding import SymbolTexts
from tickstock.simulator.trades import Columns, Floats, Integers

HALT, RESUMPTION = 17, 18
_BAND = 0.05  # of the price, up and down
_NANOSECONDS = 1_000_000  # of a millisecond: this channel counts in them


@dataclass(frozen=True)
class HaltEvents(Columns):
    """In the order in which they are sent."""

    symbol: NDArray[np.int32]  # index into the tape's symbols
    time: Integers  # Unix milliseconds
    price: Floats  # dollars, around which the bands lie
    indicator: NDArray[np.int16]
    tape: NDArray[np.int8]

    @classmethod
    def none(cls) -> HaltEvents:
        """A minute in which nothing is halted or resumed."""
        return cls(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int16), np.zeros(0, np.int8))


def halt_texts(halts: HaltEvents, symbols: SymbolTexts) -> list[str]:
    """One LULD event each."""
    return [
        f'{{"ev":"LULD","T":{symbols.names[symbol]},"h":{round(price * (1 + _BAND), 2)},"l":{round(price * (1 - _BAND), 2)},'
        f'"i":[{indicator}],"z":{tape},"t":{at * _NANOSECONDS},"q":{at // 1000 % 10**8}}}'
        for symbol, at, price, indicator, tape in zip(
            halts.symbol.tolist(), halts.time.tolist(), halts.price.tolist(), halts.indicator.tolist(), halts.tape.tolist(),
            strict=True,
        )
    ]  # fmt: skip
