"""A slow, plain reading of the definitions of pivots and head and shoulders, bar by bar over one session of one symbol."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.analysis.series import Series


@dataclass(frozen=True)
class Pivot:
    kind: str  # high | low
    index: int
    price: float
    confirmed: int  # index of the bar that confirmed it


def average_ranges(highs, lows, closes):
    """Wilder's average range of the 14 bars up to each bar, its first range high - low; None before."""
    average, averages, seed = None, [], []
    for at, (high, low) in enumerate(zip(highs, lows, strict=True)):
        before = closes[at - 1] if at else None
        value = high - low if before is None else max(high, before) - min(low, before)
        if average is None:
            seed.append(value)
            if len(seed) == 14:
                average = math.fsum(seed) / 14
        else:
            average = (average * 13 + value) / 14
        averages.append(average)
    return averages


def find_pivots(one: Series) -> list[Pivot]:
    highs, lows, closes = (getattr(one.bars, name).tolist() for name in ("high", "low", "close"))
    averages = average_ranges(highs, lows, closes)
    top, bottom, seeks, pivots = 0, 0, "either", []
    for at in range(1, len(highs)):
        new_top = seeks != "low" and highs[at] > highs[top]
        new_bottom = seeks != "high" and lows[at] < lows[bottom]
        reversal = math.inf
        if averages[at - 1] is not None:
            reversal = 3 * max(averages[at - 1], 2 * (0.01 if closes[at] >= 1 else 0.0001))
        fell = seeks != "low" and not new_top and highs[top] - lows[at] >= reversal
        rose = seeks != "high" and not new_bottom and highs[at] - lows[bottom] >= reversal
        if fell and rose:
            fell, rose = top < bottom, bottom < top
        top, bottom = at if new_top else top, at if new_bottom else bottom
        if fell:
            pivots.append(Pivot("high", top, highs[top], at))
            seeks, bottom = "low", at
        elif rose:
            pivots.append(Pivot("low", bottom, lows[bottom], at))
            seeks, top = "high", at
    return pivots


def find_head_and_shoulders(one: Series) -> list[tuple[int, str, str, int, int]]:
    """(bar index, pattern, state, index of the left shoulder, index of the right one), in order."""
    pivots, events = find_pivots(one), []
    for number in range(5, len(pivots)):
        six = pivots[number - 5 : number + 1]
        sign = 1 if six[-1].kind == "high" else -1
        start, left, left_neck, head, right_neck, right = ((sign * pivot.price) for pivot in six)
        _, at_left, at_left_neck, at_head, at_right_neck, at_right = (pivot.index for pivot in six)
        slope = (right_neck - left_neck) / (at_right_neck - at_left_neck)

        def neck(at, base=left_neck, slope=slope, since=at_left_neck):
            return base + slope * (at - since)

        height, left_height, right_height = head - neck(at_head), left - neck(at_left), right - neck(at_right)
        before, after = at_head - at_left, at_right - at_head
        if not (
            head > max(left, right)
            and min(height, left_height, right_height) > 0
            and height / max(left_height, right_height) >= 1.15
            and abs(left_height - right_height) / height <= 0.35
            and abs(left_neck - right_neck) / height <= 0.35
            and max(before, after) / min(before, after) <= 2.5
            and min(before, after) >= 5
            and start < min(left_neck, right_neck)
        ):
            continue
        name = "HeadShoulders" if sign > 0 else "InverseHeadShoulders"
        events += life(one, sign, head, neck, six[-1].confirmed, 2 * at_right - at_left, (name, at_left, at_right))
    return sorted(events)


def life(one: Series, sign, head, neck, known, deadline, what):
    name, left, right = what
    told = []
    for at in range(known, len(one)):
        close = sign * float(one.bars.close[at])
        top = float(one.bars.high[at]) if sign > 0 else -float(one.bars.low[at])
        if top > head:
            state = "void"
        elif close < neck(at) and at <= deadline:
            state = "confirmed"
        else:
            state = "void" if at >= deadline else "forming"
        if at == known and state == "void":
            return []
        if state != "forming" or at == known:
            told.append((at, name, state, left, right))
        if state != "forming":
            break
    return told
