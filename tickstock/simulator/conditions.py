"""The vendor's side of trade conditions: what a print of each kind may change in the bars that are made of it.

This is the simulator's own table, on purpose: what it sends is checked by code that does not share it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NO_HIGH_LOW = frozenset({2, 7, 12, 13, 15, 16, 20, 21, 29, 37, 52, 53})
NO_OPEN_CLOSE = NO_HIGH_LOW | {5, 10, 22, 32, 33}
NO_VOLUME = frozenset({15, 16, 38})
FORM_T = 12  # price-ineligible by the table, yet the vendor's minute bars outside 09:30-16:00 take its price

HIGH_LOW, OPEN_CLOSE, VOLUME = 1, 2, 4


def effect_of(codes: tuple[int, ...], extended_hours: bool) -> int:
    """What one print may change, as a sum of HIGH_LOW, OPEN_CLOSE and VOLUME: every code must allow it."""
    judged = set(codes) - {FORM_T} if extended_hours else set(codes)
    return (
        (0 if judged & NO_HIGH_LOW else HIGH_LOW)
        + (0 if judged & NO_OPEN_CLOSE else OPEN_CLOSE)
        + (0 if judged & NO_VOLUME else VOLUME)
    )


class ConditionSets:
    """The combinations of condition codes that a day knows, by number; number 0 is a print without conditions."""

    def __init__(self) -> None:
        self.codes: list[tuple[int, ...]] = []
        self.json: list[str] = []  # what an event of this kind carries, with its comma; empty without conditions
        self._numbers: dict[tuple[int, ...], int] = {}
        self._effects: dict[bool, NDArray[np.int8]] = {}
        self.number(())

    def number(self, codes: tuple[int, ...]) -> int:
        """The number of a combination, in the order of its codes; a new one when it was not seen before."""
        known = self._numbers.get(codes)
        if known is None:
            known = self._numbers[codes] = len(self.codes)
            self.codes.append(codes)
            self.json.append(f',"c":[{",".join(map(str, codes))}]' if codes else "")
            self._effects.clear()
        return known

    def effects(self, kinds: NDArray[np.int16], extended_hours: NDArray[np.bool_]) -> NDArray[np.int8]:
        """What each print may change (see `effect_of`)."""
        return np.where(extended_hours, self._table(True)[kinds], self._table(False)[kinds])

    def _table(self, extended_hours: bool) -> NDArray[np.int8]:
        if extended_hours not in self._effects:
            self._effects[extended_hours] = np.array([effect_of(codes, extended_hours) for codes in self.codes], np.int8)
        return self._effects[extended_hours]
