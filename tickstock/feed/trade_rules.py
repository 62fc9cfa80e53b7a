"""Which trades move which field of a bar: the vendor's conditions, consolidated rules.

Several conditions combine with AND; a condition that is not named here allows everything.
https://massive.com/docs/rest/stocks/market-operations/condition-codes
"""

from __future__ import annotations

HIGH_LOW = 1  # may set the high and the low
LAST = 2  # may set the open and the close
VOLUME = 4  # counts in the volume
EVERYTHING = HIGH_LOW | LAST | VOLUME

FORM_T = 12

# What a trade with this condition may still move.
_ALLOWED = {
    2: VOLUME,  # average price trade
    5: HIGH_LOW | VOLUME,  # bunched sold trade
    7: VOLUME,  # cash sale
    10: HIGH_LOW | VOLUME,  # derivatively priced
    FORM_T: VOLUME,  # extended hours; see `effect`
    13: VOLUME,  # extended hours, sold out of sequence
    15: 0,  # market center official close
    16: 0,  # market center official open
    20: VOLUME,  # next day
    21: VOLUME,  # price variation trade
    22: HIGH_LOW | VOLUME,  # prior reference price
    29: VOLUME,  # seller
    32: HIGH_LOW | VOLUME,  # sold, out of sequence
    33: HIGH_LOW | VOLUME,  # sold, out of sequence, and stopped stock
    37: VOLUME,  # odd lot
    38: HIGH_LOW | LAST,  # corrected consolidated close
    52: VOLUME,  # contingent trade
    53: VOLUME,  # qualified contingent trade
}


def effect(conditions: tuple[int, ...], regular_hours: bool) -> int:
    """What a trade with these conditions may move: a sum of HIGH_LOW, LAST and VOLUME.

    Outside regular hours Form T is neutral: there the vendor's minute bars take their prices from such trades
    (https://massive.com/knowledge-base/article/does-a-form-t-trade-update-a-pre-market-minute-bar).
    """
    allowed = EVERYTHING
    for condition in conditions:
        if condition != FORM_T or regular_hours:
            allowed &= _ALLOWED.get(condition, EVERYTHING)
    return allowed
