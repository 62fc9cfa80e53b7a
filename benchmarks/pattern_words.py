"""The conditions of a candlestick in words, read from the expression that finds it.

A window is handed to the expression that answers every question with a phrase instead of numbers, so that the words cannot say
anything else than the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tickstock.analysis.candlesticks.definition import CandlestickPattern, Sides

ORDINALS = ("first", "second", "third", "fourth", "fifth")
LENGTHS = {"body", "range", "upper_shadow", "lower_shadow"}
LIMITS = {"near": "near", "far": "far", "equal": "equal", "short_shadow": "a short shadow", "doji_limit": "a doji's body"}

# What is said of a bar; {0} is the other bar that the question names, or the one before it.
PHRASES = {
    "is_white": "white",
    "is_black": "black",
    "body_is_long": "long body",
    "body_is_not_long": "body not long",
    "body_is_short": "short body",
    "body_is_doji": "doji",
    "upper_shadow_is_very_short": "hardly an upper shadow",
    "lower_shadow_is_very_short": "hardly a lower shadow",
    "upper_shadow_is_short": "short upper shadow",
    "lower_shadow_is_short": "short lower shadow",
    "upper_shadow_is_long": "upper shadow longer than the body",
    "lower_shadow_is_long": "lower shadow longer than the body",
    "has_upper_shadow": "an upper shadow",
    "has_lower_shadow": "a lower shadow",
    "closes_higher": "closes above the close of {0}",
    "closes_lower": "closes below the close of {0}",
    "closes_above_high": "closes above the high of {0}",
    "closes_below_low": "closes below the low of {0}",
    "opens_in_body": "opens within the body of {0}",
    "opens_in_or_just_above_body": "opens within the body of {0} or near above it",
    "closes_in_body": "closes within the body of {0}",
    "body_gap_up": "body above the body of {0}",
    "body_gap_down": "body below the body of {0}",
    "gap_up": "wholly above {0}",
    "gap_down": "wholly below {0}",
    "is_inside": "inside the range of {0}",
    "lies_higher": "high and low above those of {0}",
    "lies_lower": "high and low below those of {0}",
}

# Where the expression has more alternatives than a reader wants.
IN_SHORT = {
    "Hikkake": "second: inside the range of the first; third: high and low both below those of the second; confirmed where one "
    "of the next three bars closes above the high of the second; bearish: mirrored",
    "HikkakeModified": "second: inside the range of the first, closes near its low; third: inside the range of the second; "
    "fourth: high and low both below those of the third; confirmed where one of the next three bars closes above the high of the "
    "third; bearish: mirrored",
    "KickingByLength": "as Kicking, with the side of the longer body",
    "AdvanceBlock": "first: white, long body, short upper shadow; second and third: white, close above the close of the bar "
    "before, open within its body or near above it, and weaken: far shorter bodies than the bar before, or shorter bodies with "
    "longer upper shadows",
}


@dataclass(frozen=True, eq=False)
class Phrases:
    """A condition: what must hold for which bars, by lag."""

    clauses: tuple[tuple[int, str], ...]

    def __and__(self, other: Phrases) -> Phrases:
        return Phrases(self.clauses + tuple(clause for clause in other.clauses if clause not in self.clauses))

    def __or__(self, other: Phrases) -> Phrases:
        mine = [clause for clause in self.clauses if clause not in other.clauses]
        theirs = [clause for clause in other.clauses if clause not in self.clauses]
        shared = tuple(clause for clause in self.clauses if clause in other.clauses)
        if not mine or not theirs:
            return Phrases(shared)
        return Phrases((*shared, (mine[0][0], f"{_together(mine)} or {_together(theirs)}")))

    def __invert__(self) -> Phrases:
        return Phrases(tuple((lag, f"not {text}") for lag, text in self.clauses))


def _together(clauses: Sequence[tuple[int, str]]) -> str:
    words = " and ".join(text for _, text in clauses)
    return f"({words})" if len(clauses) > 1 else words


@dataclass(frozen=True, eq=False)
class Amount:
    """A price or a length in words."""

    lag: int
    text: str
    is_length: bool

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.lag, f"{self.text} + {other.text}", self.is_length and other.is_length)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.lag, f"{self.text} - {other.text}", self.is_length)

    def __mul__(self, factor: float) -> Amount:
        return Amount(self.lag, f"{factor:g} × {self.text}", self.is_length)

    __rmul__ = __mul__

    def __abs__(self) -> Amount:
        return Amount(self.lag, f"|{self.text}|", is_length=True)

    def __lt__(self, other: Amount) -> Phrases:
        return self._against(other, "shorter than" if self.is_length else "below")

    def __le__(self, other: Amount) -> Phrases:
        return self._against(other, "not longer than" if self.is_length else "at or below")

    def __gt__(self, other: Amount) -> Phrases:
        return self._against(other, "longer than" if self.is_length else "above")

    def __ge__(self, other: Amount) -> Phrases:
        return self._against(other, "not shorter than" if self.is_length else "at or above")

    def _against(self, other: Amount, words: str) -> Phrases:
        return Phrases(((self.lag, f"{self.text} {words} {other.text}"),))


class WordWindow:
    """Answers as a `BarWindow` does, in words."""

    def __init__(self, bars: int) -> None:
        self._bars = bars

    def bar(self, lag: int) -> str:
        """What a bar is called."""
        if lag >= self._bars:
            return "the bar before"
        return f"the {ORDINALS[self._bars - 1 - lag]}" if self._bars > 1 else "the bar"

    def between(
        self, lower: Amount, price: Amount, upper: Amount, *, lower_too: bool = False, upper_too: bool = False
    ) -> Phrases:
        ends = {(True, True): " or at either", (False, True): " or at the latter", (True, False): " or at the former"}
        words = f"{price.text} between {lower.text} and {upper.text}{ends.get((lower_too, upper_too), '')}"
        return Phrases(((price.lag, words),))

    def within(self, left: Amount, right: Amount, limit: Amount) -> Phrases:
        return Phrases(((left.lag, f"{left.text} at most {limit.text} away from {right.text}"),))

    def body_within(self, lag: int, price: Amount, limit: Amount) -> Phrases:
        return Phrases(((lag, f"body at most {limit.text} away from {price.text}"),))

    def same(self, left: Amount, right: Amount) -> Phrases:
        return Phrases(((left.lag, f"{left.text} at {right.text}"),))

    def by_colour(self, lag: int, shape: Phrases) -> Sides:
        sides = (Phrases(((lag, colour),)) & shape for colour in ("white", "black"))
        return Sides(*cast("tuple[Any, Any]", tuple(sides)))

    def __getattr__(self, name: str) -> Callable[..., Amount | Phrases]:
        if name in PHRASES:
            return lambda lag, other=None: Phrases(((lag, PHRASES[name].format(self.bar(lag + 1 if other is None else other))),))
        if name in LIMITS:
            return lambda lag: Amount(lag, LIMITS[name], is_length=True)
        words = name.replace("body_", "body's ").replace("_", " ")
        return lambda lag: Amount(lag, f"{words} of {self.bar(lag)}", name in LENGTHS)


def conditions(pattern: CandlestickPattern) -> str:
    """What must hold for each bar, oldest first; of a pattern with two sides the bullish one."""
    if pattern.name in IN_SHORT:
        return IN_SHORT[pattern.name]
    window = WordWindow(pattern.bars)
    found: Any = pattern.expression(cast("Any", window))
    if not isinstance(found, Sides):
        return _in_order(found, window)
    bullish, bearish = (_in_order(cast("Phrases", side), window) for side in (found.bullish, found.bearish))
    if pattern.direction == "neutral":
        return bullish.replace("white, ", "", 1)
    colours = [re.findall("white|black", side) for side in (bullish, bearish)]
    return f"{bullish}; bearish: {bearish if colours[0] and colours[0] == colours[1] else 'mirrored'}"


def _in_order(found: Phrases, window: WordWindow) -> str:
    told: dict[int, list[str]] = {}
    for lag, text in found.clauses:
        told.setdefault(lag, []).append(re.sub(f" of {window.bar(lag)}(?! before)", "", text))
    parts = []
    for lag in sorted(told, reverse=True):
        name = window.bar(lag).removeprefix("the ")
        parts.append(", ".join(told[lag]) if name == "bar" else f"{name}: {', '.join(told[lag])}")
    return "; ".join(parts)
