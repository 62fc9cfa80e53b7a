"""What a candlestick pattern is: an expression on a `BarWindow`, and what is said of it.

Nothing here needs NumPy, so the catalogue can be read without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tickstock.analysis.bar_window import BarWindow, Matches

Expression = Callable[["BarWindow"], "Matches | Sides"]


@dataclass(frozen=True, slots=True)
class Sides:
    """What a pattern of two sides gives; nothing is on both."""

    bullish: Matches  # or white, for a pattern without a direction
    bearish: Matches  # or black
    marked: Matches | None = None  # where it has its other value


@dataclass(frozen=True, slots=True)
class Mark:
    """TA-Lib's other value of a pattern, and what it means."""

    value: int  # its absolute value where it is marked
    key: str  # in `details` ...
    marked: Any  # ... and what stands there
    unmarked: Any = None  # or is left out

    def details(self, marked: bool) -> dict[str, Any]:
        """What a detection says of it."""
        told = self.marked if marked else self.unmarked
        return {} if told is None else {self.key: told}


TOUCHING = Mark(80, "touching", True)  # the bodies share an end
STAGE = Mark(200, "stage", "confirmed", "setup")


@dataclass(frozen=True, slots=True)
class CandlestickPattern:
    """A pattern and what is said of it; `expression` is true where it is."""

    name: str
    bars: int  # of its own; the bar or the averages it is compared with come before them
    lookback: int  # bars before the current one that it needs in all
    direction: str  # bullish | bearish | neutral | either: the side that the expression tells
    role: str  # reversal | continuation | indecision: what the book expects after the trend before it
    talib: str
    talib_sign: int  # of TA-Lib's value where the expression tells no side
    mark: Mark | None
    description: str
    expression: Expression
    parameters: Mapping[str, float] = field(default_factory=dict)  # of TA-Lib's function


CANDLESTICKS: dict[str, CandlestickPattern] = {}


def candlestick(
    name: str,
    *,
    bars: int,
    lookback: int,
    direction: str,
    role: str,
    talib: str,
    talib_sign: int | None = None,
    mark: Mark | None = None,
    parameters: Mapping[str, float] | None = None,
) -> Callable[[Expression], Expression]:
    """Enter an expression into `CANDLESTICKS`; its docstring is the description."""
    sign = talib_sign or (-1 if direction == "bearish" else 1)

    def enter(expression: Expression) -> Expression:
        description = " ".join((expression.__doc__ or "").split())
        CANDLESTICKS[name] = CandlestickPattern(
            name, bars, lookback, direction, role, talib, sign, mark, description, expression, parameters or {}
        )
        return expression

    return enter
