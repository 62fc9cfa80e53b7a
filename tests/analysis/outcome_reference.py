"""Outcomes in plain Python, one bar at a time, as section 7 of the market rules says it."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE = 60_000


@dataclass
class Bar:
    start: int
    open: float
    close: float
    session: int


def outcome(bars: list[Bar], at: int, length: int, horizon: int) -> tuple[float | None, float | None]:
    """Entry and exit after an intraday bar; None where there is none."""
    later = [bar for bar in bars[at + 1 :] if bar.session == bars[at].session]
    if not later or bars[at + 1].session != bars[at].session:
        return None, None
    entry = later[0]
    until = entry.start + horizon * length
    closed = [bar for bar in later if bar.start + length <= until]
    if not closed or closed[-1].start + length <= until - length:
        return entry.open, None
    return entry.open, closed[-1].close


def entry_time(bars: list[Bar], at: int, length: int) -> int:
    if at + 1 < len(bars) and bars[at + 1].session == bars[at].session:
        return bars[at + 1].start
    return bars[at].start + length


def counted(bars: list[Bar], places: list[int], length: int, horizon: int) -> list[int]:
    """The detections that count: none whose entry lies within the horizon of one that counts."""
    kept: list[int] = []
    for place in places:
        if not kept or entry_time(bars, place, length) >= entry_time(bars, kept[-1], length) + horizon * length:
            kept.append(place)
    return kept
