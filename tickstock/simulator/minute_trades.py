"""The prints of planned minutes: their times, prices, sizes and conditions.

The eligible prints run from the open over the two extremes to the close and share out the planned lots, so the bar made of them
is the planned one. Sizes are shared out in whole numbers, which no order of addition can change. Everything is a function of the
minute's key and the print's number, so it does not matter which minutes and symbols are made together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tickstock.market_hours import MINUTE_MS
from tickstock.simulator.conditions import ConditionSets
from tickstock.simulator.minute_plan import FRACTION, UNIT, MinutePlan
from tickstock.simulator.randomness import Keys, derive, uniforms
from tickstock.simulator.trades import SHARE, Floats, Integers, Trades

SEQUENCES_PER_MINUTE = 1_000_000

_VENUES = (4, 12, 11, 19, 10, 8, 15, 21, 7, 20)
_VENUE_SHARES = (36.3, 21.5, 9.8, 7.2, 5.7, 5.2, 3.5, 3.1, 2.1, 1.8)
_VENUE_BOUNDS = np.cumsum(_VENUE_SHARES) / sum(_VENUE_SHARES)
OFF_EXCHANGE = 4

# Conditions and their weights: of prints that move the price, of late ones among them (never the first or the last), of odd lots.
_ELIGIBLE = (((), 60), ((14, 41), 36), ((41,), 4))
_LATE = ((22,), (10,), (32,))
_ODD = (((37,), 52), ((14, 37, 41), 42), ((37, 41), 3), ((2,), 1.5), ((52,), 0.5), ((53,), 1))
_LATE_SHARE = 0.02
_FORM_T = 12


class PrintKinds:
    """The combinations of conditions that the synthetic market uses, in regular and in extended hours."""

    def __init__(self, plain: bool = False) -> None:
        self.sets = ConditionSets()
        self.eligible = self._both([codes for codes, _ in _ELIGIBLE])
        self.late = self._both([()] * len(_LATE) if plain else list(_LATE))
        self.odd = self._both([codes for codes, _ in _ODD])
        self.special = np.zeros(64, np.int16)
        for code in (17, 18, 19, 25, 28, 8):
            self.special[code] = self.sets.number((code,))

    def _both(self, codes: list[tuple[int, ...]]) -> NDArray[np.int16]:
        extended = [tuple(sorted({_FORM_T, *each})) for each in codes]
        return np.array([[self.sets.number(each) for each in row] for row in (codes, extended)], np.int16)


@dataclass(frozen=True)
class _Prints:
    """The flat list of prints under construction: `group` is the row of the plan, `index` the number within it."""

    group: Integers
    index: Integers
    keys: Keys
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]


def _prints(counts: Integers, keys: Keys, purpose: int) -> _Prints:
    group = np.repeat(np.arange(len(counts)), counts)
    index = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    return _Prints(group, index, derive(derive(keys, purpose)[group], index), index == 0, index == counts[group] - 1)


def trades_of(
    plan: MinutePlan, symbols: NDArray[np.int32], minutes: Integers, starts: Integers, tapes: NDArray[np.int8],
    extended_hours: NDArray[np.bool_], kinds: PrintKinds,
) -> Trades:  # fmt: skip
    """All prints of the planned minutes, ordered by time.

    Args:
        symbols, minutes, starts, tapes, extended_hours: of each row of the plan: index of the symbol, number of the minute in
            its day, its start in Unix milliseconds, the listing's tape, whether it lies outside the regular session.
    """
    moving, odd = _prints(plan.eligible, plan.key, 11), _prints(plan.odd, plan.key, 12)
    venue, late, jitter, noise = uniforms(moving.keys, 4)
    odd_venue, odd_kind, odd_jitter, odd_noise = uniforms(odd.keys, 4)
    group = np.concatenate((moving.group, odd.group))
    exchange = np.array(_VENUES, np.int16)[np.searchsorted(_VENUE_BOUNDS, np.concatenate((venue, odd_venue)) * 0.999999)]
    offset = np.concatenate((_moving_times(plan, moving, jitter), _odd_times(plan, odd, odd_jitter)))
    units = np.concatenate((
        _moving_prices(plan, moving, noise, exchange[: len(venue)] == OFF_EXCHANGE),
        _odd_prices(plan, odd, odd_jitter, odd_noise),
    ))  # fmt: skip
    kind = np.concatenate((
        _moving_kinds(plan, moving, late, extended_hours, kinds), _choose(_ODD, kinds.odd, odd_kind, extended_hours[odd.group])
    ))  # fmt: skip
    special = np.concatenate((moving.first & (plan.special_kind[moving.group] > 0), np.zeros(len(odd.group), bool)))
    exchange = np.where(special, np.where(tapes[group] == 3, 12, np.where(tapes[group] == 1, 10, 11)), exchange).astype(np.int16)
    size = np.concatenate((_moving_sizes(plan, moving), _odd_sizes(plan, odd)))

    # Numbered within symbol and minute in the order of time, then everything in the order of time.
    order = np.lexsort((offset, group))
    number = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    order, number = _by_time(starts, offset, group, order, number)
    group, offset, exchange = group[order], offset[order], exchange[order]
    key = np.concatenate((moving.keys, odd.keys))[order]
    time = starts[group] + offset
    off_exchange = exchange == OFF_EXCHANGE
    delay = np.where(off_exchange, 1 + (key >> np.uint64(7)) % np.uint64(180), 1 + (key >> np.uint64(9)) % np.uint64(12)).astype(
        np.int64
    )
    return Trades(
        symbol=symbols[group], time=time, price=units[order] / UNIT, size=size[order], kind=kind[order], exchange=exchange,
        identity=minutes[group] * SEQUENCES_PER_MINUTE + number + 1,
        sequence=minutes[group] * SEQUENCES_PER_MINUTE + 3 * number + (key >> np.uint64(5)).astype(np.int64) % 3 + 1,
        participant_time=time - delay, tape=tapes[group],
        trf=np.where(off_exchange, np.where(key & np.uint64(8), 202, 201), 0).astype(np.int16),
        trf_time=np.where(off_exchange, time, 0), extended_hours=extended_hours[group],
    )  # fmt: skip


def _by_time(starts: Integers, offset: Integers, group: Integers, order: Integers, number: Integers) -> tuple[Integers, Integers]:
    final = np.argsort(starts[group[order]] + offset[order], kind="stable")
    return order[final], number[final]


def _moving_times(plan: MinutePlan, prints: _Prints, jitter: Floats) -> Integers:
    """One print in each of equally long parts of the minute, so that a lively symbol is never quiet for long."""
    begin = plan.special_offset[prints.group]
    share = (prints.index + np.where(prints.first & (plan.special_kind[prints.group] > 0), 0.0, jitter)) / plan.eligible[
        prints.group
    ]
    return begin + np.floor(share * (MINUTE_MS - begin)).astype(np.int64)


def _odd_times(plan: MinutePlan, prints: _Prints, jitter: Floats) -> Integers:
    begin = plan.special_offset[prints.group]
    share = (prints.index + jitter) / plan.odd[prints.group]
    return begin + np.floor(share * (MINUTE_MS - begin)).astype(np.int64)


def _path(plan: MinutePlan, group: Integers, at: Floats) -> Floats:
    """The price at a place of the minute's path, where 0 is the first eligible print and eligible - 1 the last."""
    count = plan.eligible
    one, two = uniforms(derive(plan.key, 13), 2)
    first = np.where(count > 3, 1 + np.floor(one * (count - 3)), np.where(count == 3, 1, np.maximum(count - 1, 0)))
    second = np.where(count > 3, first + 1 + np.floor(two * (count - 2 - first)), np.maximum(count - 1, 0))
    only_high = count == 3
    at_first = np.where(count < 3, plan.close, np.where(plan.low_first & ~only_high, plan.low, plan.high))
    at_second = np.where(count <= 3, plan.close, np.where(plan.low_first, plan.high, plan.low))
    last = np.maximum(count - 1, 0)
    knots = [np.zeros(len(plan)), first, second, last]
    values = [plan.open, at_first, at_second, plan.close]
    result = values[0][group].astype(np.float64)
    for left in range(3):
        width = np.maximum(knots[left + 1] - knots[left], 1e-9)[group]
        share = np.clip((at - knots[left][group]) / width, 0.0, 1.0)
        result = np.where(share > 0, values[left][group] + (values[left + 1] - values[left])[group] * share, result)
    return result


def _moving_prices(plan: MinutePlan, prints: _Prints, noise: Floats, off_exchange: NDArray[np.bool_]) -> Integers:
    """Open, extremes and close exactly as planned; between them the path, with a tick of noise and some half-cent midpoints."""
    step = plan.step[prints.group]
    path = _path(plan, prints.group, prints.index.astype(np.float64))
    low = plan.low[prints.group]
    planned = (path == low) | (path == plan.high[prints.group]) | prints.first | prints.last
    price = np.rint(path / step + (noise - 0.5) * 2.4).astype(np.int64) * step
    price = price + np.where(off_exchange & (step > 1) & (noise * 16 % 1 < 0.3), step // 2, 0)
    bad = plan.high > 1.05 * plan.close  # a bad print stands alone
    price = np.clip(price, low, np.where(bad, np.maximum(plan.open, plan.close), plan.high)[prints.group])
    result: Integers = np.where(planned, np.rint(path).astype(np.int64), price)
    return result


def _odd_prices(plan: MinutePlan, prints: _Prints, jitter: Floats, noise: Floats) -> Integers:
    count = plan.eligible[prints.group]
    place = (prints.index + jitter) / plan.odd[prints.group] * np.maximum(count - 1, 0)
    path = np.where(count > 0, _path(plan, prints.group, place), plan.start_price[prints.group])
    path = np.minimum(path, np.maximum(plan.open, plan.close)[prints.group] * 1.01)  # they do not follow a bad print
    step = plan.step[prints.group]
    result: Integers = np.maximum(np.rint(path / step + (noise - 0.5) * 4).astype(np.int64), 1) * step
    return result


def _moving_kinds(
    plan: MinutePlan, prints: _Prints, choice: Floats, extended_hours: NDArray[np.bool_], kinds: PrintKinds
) -> NDArray[np.int16]:
    extended = extended_hours[prints.group]
    chosen = _choose(_ELIGIBLE, kinds.eligible, choice, extended)
    late = (choice < _LATE_SHARE) & ~prints.first & ~prints.last
    lateness = np.minimum((choice / _LATE_SHARE * len(_LATE)).astype(np.int64), len(_LATE) - 1)
    chosen = np.where(late, kinds.late[extended.astype(np.int8), lateness], chosen)
    special = np.where(prints.first, plan.special_kind[prints.group], 0)
    result: NDArray[np.int16] = np.where(special > 0, kinds.special[special], chosen)
    return result


def _choose(
    weighted: tuple[tuple[tuple[int, ...], float], ...], numbers: NDArray[np.int16], choice: Floats, extended: NDArray[np.bool_]
) -> NDArray[np.int16]:
    weights = np.array([weight for _, weight in weighted], np.float64)
    at = np.searchsorted(np.cumsum(weights) / weights.sum(), choice * 0.999999)
    result: NDArray[np.int16] = numbers[extended.astype(np.int8), at]
    return result


def _moving_sizes(plan: MinutePlan, prints: _Prints) -> Integers:
    """A round lot each; most stay at that, some are much larger."""
    big, weight = uniforms(derive(prints.keys, 5), 2)
    weights = np.where(big < 0.72, 0, np.floor(16 / (1.06 - weight))).astype(np.int64)
    lots = 1 + _share_out(plan.extra_lots, weights, prints, plan.eligible)
    shares = lots * plan.lot[prints.group] + np.where(prints.first, plan.special_size[prints.group], 0)
    result: Integers = shares * SHARE
    return result


def _odd_sizes(plan: MinutePlan, prints: _Prints) -> Integers:
    """One share each, and a part of the rest; in whole shares unless the symbol trades in fractions."""
    (weight,) = uniforms(derive(prints.keys, 6), 1)
    weights = (8 + np.floor(100 * weight * weight)).astype(np.int64)
    whole = plan.odd_extra % SHARE == 0
    unit = np.where(whole, SHARE, FRACTION)
    result: Integers = SHARE + _share_out(plan.odd_extra // unit, weights, prints, plan.odd) * unit[prints.group]
    return result


def _share_out(total: Integers, weights: Integers, prints: _Prints, counts: Integers) -> Integers:
    """Each group's total in whole parts by weight; they add up exactly, whichever groups are made together."""
    if not len(weights):
        return weights
    weights = weights + prints.first  # a group without any weight goes to its first print
    running = np.cumsum(weights)
    before = np.cumsum(counts) - counts
    reached = running - np.concatenate(([0], running))[before][prints.group]
    whole = reached[np.maximum(np.cumsum(counts) - 1, 0)][prints.group]
    given = total[prints.group] * reached // whole
    result: Integers = given - np.where(prints.first, 0, np.concatenate(([0], given[:-1])))
    return result
