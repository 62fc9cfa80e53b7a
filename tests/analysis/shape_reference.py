"""A slow, plain reading of the definitions of pivots and chart patterns, over one session of one symbol."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.analysis.series import Series

Event = tuple[int, str, str, int, int]  # bar index, pattern, state, index of the first and of the last defining point


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


def find_head_and_shoulders(one: Series) -> list[Event]:
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
        ends = Ends(below=(neck, "confirmed"), void_above=head, deadline=2 * at_right - at_left)
        events += life(one, sign, six[-1].confirmed, ends, (name, at_left, at_right))
    return sorted(events)


@dataclass(frozen=True)
class Ends:
    """What ends a shape: its lines with what a close beyond them makes of it, the level of its highs, its last bar."""

    deadline: int
    below: tuple | None = None
    above: tuple | None = None
    void_above: float = math.inf


def life(one: Series, sign: int, known: int, ends: Ends, what: tuple[str, int, int]) -> list[Event]:
    """What is told of a shape from the bar in which it is known, seen with highs up (sign +1) or upside down (-1)."""
    told = []
    for at in range(known, len(one)):
        close = sign * float(one.bars.close[at])
        top = float(one.bars.high[at]) if sign > 0 else -float(one.bars.low[at])
        state = "void" if at >= ends.deadline else "forming"
        if top > ends.void_above:
            state = "void"
        elif at <= ends.deadline and ends.below and close < ends.below[0](at):
            state = ends.below[1]
        elif at <= ends.deadline and ends.above and close > ends.above[0](at):
            state = ends.above[1]
        if at == known and state == "void":
            return []
        if state != "forming" or at == known:
            told.append((at, what[0], state, *what[1:]))
        if state != "forming":
            break
    return told


def find_doubles_and_triples(one: Series) -> list[Event]:
    pivots, events = find_pivots(one), []
    for number in range(3, len(pivots)):
        sign = 1 if pivots[number].kind == "high" else -1
        known = pivots[number].confirmed
        start, first, trough, second = (sign * pivot.price for pivot in pivots[number - 3 : number + 1])
        at_first, at_second = pivots[number - 2].index, pivots[number].index
        height = max(first, second) - trough
        if start < trough and abs(first - second) <= 0.25 * height and at_second - at_first >= 10:
            ends = Ends(
                2 * at_second - at_first, (lambda at, low=trough: low, "confirmed"), None, max(first, second) + height / 4
            )
            name = "DoubleTop" if sign > 0 else "DoubleBottom"
            events += life(one, sign, known, ends, (name, at_first, at_second))
        if number < 5:
            continue
        six = pivots[number - 5 : number + 1]
        start, *heights = (sign * pivot.price for pivot in six)
        peaks, troughs, at = heights[0::2], heights[1::2], [pivot.index for pivot in six[1::2]]
        height = (peaks[0] + peaks[1] + peaks[2]) / 3 - max(troughs)
        if (
            height > 0
            and start < min(troughs)
            and max(peaks) - min(peaks) <= 0.25 * height
            and abs(troughs[0] - troughs[1]) <= 0.35 * height
            and min(at[1] - at[0], at[2] - at[1]) >= 10
        ):
            low = min(troughs)
            ends = Ends(2 * at[2] - at[0], (lambda at, low=low: low, "confirmed"), None, max(peaks) + 0.25 * height)
            events += life(one, sign, known, ends, ("TripleTop" if sign > 0 else "TripleBottom", at[0], at[2]))
    return sorted(events)


def fitted_line(at: list[int], heights: list[float]):
    """Least squares."""
    middle, height = sum(at) / len(at), sum(heights) / len(at)
    slope = sum((x - middle) * y for x, y in zip(at, heights, strict=True)) / sum((x - middle) ** 2 for x in at)
    return slope, lambda index: height + slope * (index - middle)


def converging_kind(upper_rise: float, lower_rise: float) -> str:
    """By the rises of the lines, in first widths."""
    if abs(upper_rise) <= 0.15:
        return "AscendingTriangle"
    if abs(lower_rise) <= 0.15:
        return "DescendingTriangle"
    if upper_rise < 0 < lower_rise:
        return "SymmetricalTriangle"
    return "RisingWedge" if upper_rise > 0 else "FallingWedge"


def find_triangles_and_wedges(one: Series) -> list[Event]:
    """In printed prices throughout; a pattern that is open keeps others of its name away."""
    pivots, events, open_until = find_pivots(one), [], {}
    for number in range(4, len(pivots)):
        five = pivots[number - 4 : number + 1]
        sides = {kind: [pivot for pivot in five if pivot.kind == kind] for kind in ("high", "low")}
        (up, upper), (down, lower) = (
            fitted_line([pivot.index for pivot in sides[kind]], [pivot.price for pivot in sides[kind]])
            for kind in ("high", "low")
        )
        first, last, known = five[0].index, five[-1].index, five[-1].confirmed
        width, now = upper(first) - lower(first), upper(last) - lower(last)
        off = max(abs(pivot.price - (upper if pivot.kind == "high" else lower)(pivot.index)) for pivot in five)
        if last - first < 15 or not 0 < now <= 0.7 * width or off > 0.15 * width:
            continue
        name = converging_kind(up * (last - first) / width, down * (last - first) / width)
        deadline = first + math.floor(0.75 * (last - first) / (1 - now / width))
        above = "void" if name == "RisingWedge" else "confirmed"
        below = "void" if name == "FallingWedge" else "confirmed"
        told = life(one, 1, known, Ends(deadline, (lower, below), (upper, above)), (name, first, last))
        if told and open_until.get(name, -1) <= known:
            events += told
            open_until[name] = told[-1][0] if told[-1][2] != "forming" else math.inf
    return sorted(events)


def find_breakouts(one: Series) -> list[Event]:
    highs, lows, closes = (getattr(one.bars, name).tolist() for name in ("high", "low", "close"))
    averages, events, since = average_ranges(highs, lows, closes), [], 0
    for at in range(20, len(highs)):
        top, bottom = max(highs[at - 20 : at]), min(lows[at - 20 : at])
        narrow = top - bottom <= 3 * max(averages[at - 1], 0.02)
        if at - 20 >= since and narrow and not bottom <= closes[at] <= top:
            events.append((at, "RangeBreakout", "confirmed", at - 20, at))
            since = at + 1
    return events


def find_flags(one: Series) -> list[Event]:
    """Bar by bar: a leg from the last pivot to the extreme after it, and the bars since then."""
    highs, lows, closes = (getattr(one.bars, name).tolist() for name in ("high", "low", "close"))
    averages, pivots, events = average_ranges(highs, lows, closes), find_pivots(one), []
    told_poles, open_until = set(), {}
    for at in range(15, len(highs)):
        known = [pivot for pivot in pivots if pivot.confirmed <= at]
        if not known:
            continue
        pivot = known[-1]
        sign = 1 if pivot.kind == "low" else -1
        tops, bottoms = (highs, lows) if sign > 0 else ([-low for low in lows], [-high for high in highs])
        leg = tops[pivot.confirmed : at + 1]
        end = pivot.confirmed + leg.index(max(leg))
        pole, age = tops[end] - sign * pivot.price, at - end
        usual = max(averages[at - 1], 0.02)
        if not 5 <= age < 20 or end - pivot.index > 15 or pole < 5 * usual or end in told_poles:
            continue
        slope, _ = fitted_line(list(range(age)), [sign * close - tops[end] for close in closes[end + 1 : at + 1]])
        name = "BullFlag" if sign > 0 else "BearFlag"
        gave_back = tops[end] - min(bottoms[end + 1 : at + 1])
        if gave_back > 0.5 * pole or slope * (age - 1) > 0.05 * pole or open_until.get(name, -1) > at:
            continue
        told_poles.add(end)
        level, floor = max(tops[end + 1 : at + 1]), tops[end] - 0.5 * pole
        events.append((at, name, "forming", pivot.index, end))
        open_until[name] = math.inf
        for later in range(at + 1, len(highs)):
            broken = sign * closes[later] > level and later <= end + 20
            if bottoms[later] < floor or broken or later >= end + 20:
                state = "confirmed" if broken and bottoms[later] >= floor else "void"
                events.append((later, name, state, pivot.index, end))
                open_until[name] = later
                break
    return sorted(events)
