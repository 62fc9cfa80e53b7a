"""Figures of the trading day at a bar's end, from one-minute bars: VWAP, volume against what is usual, and the day's levels.

They are the same on every intraday timeframe, because none of them is made from that timeframe's bars. Where a figure does not
exist it is NaN: VWAP and the levels outside the regular session, what is usual while too few sessions are known.

Bars come in stretches: consecutive minutes of one session. Live a stretch is one minute, over stored bars it may be the whole
session; the sums run from minute to minute either way, so both give the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import BarColumns, Floats, Integers
from tickstock.analysis.state import Arrays, named, under
from tickstock.analysis.volume_profile import VolumeProfile
from tickstock.market_hours import MINUTE_MS, Calendar, Session, regular_session_of

PROFILE_SESSIONS = 14  # before the current one: what is usual
FULL_SESSION_MS = 390 * MINUTE_MS  # a regular session that ends earlier makes the day a half one
EXTREMES_FROM = 5  # minutes, in which every bar would be a new high or low of the day
OPENING_RANGE_MINUTES = 15

_RUNNING = {  # how each goes on from minute to minute, and what it is where there is no bar
    "paid": (np.add, 0.0), "volume": (np.add, 0.0), "high": (np.maximum, -np.inf), "low": (np.minimum, np.inf)
}  # fmt: skip
_PREVIOUS_DAY = {"PREV_DAY_HIGH": "high", "PREV_DAY_LOW": "low", "PREV_CLOSE": "close"}
_RANGES = ("PREMARKET_HIGH", "PREMARKET_LOW", "OPENING_RANGE_HIGH", "OPENING_RANGE_LOW")


class SessionFigures:
    """What the session so far amounts to in every lane, and the levels of its day."""

    def __init__(self, calendar: Calendar, sessions: tuple[str, ...] = ("regular",), profile_from: int = 0) -> None:
        """`sessions` are those that are analysed; what is usual comes from those that start at `profile_from` (ms) or later."""
        self._calendar = calendar
        self._profile_from = profile_from
        self._profiles = {name: VolumeProfile() for name in sessions}
        self._session: Session | None = None
        self._counts = False  # the running session, to what is usual
        self._so_far = LaneArrays()
        for name, (_, empty) in _RUNNING.items():
            self._so_far.add(name, empty)
        self._levels = LaneArrays()
        for name in (*_RANGES, *_PREVIOUS_DAY):
            self._levels.add(name, np.nan)
        self._days: tuple[Integers, BarColumns] | None = None
        self._first = 0  # minute of the session that the stretch begins with
        self._stretch: dict[str, NDArray[np.float64]] = {}  # [minute, lane]: before it, then after each of its minutes

    def set_days(self, lanes: Integers, bars: BarColumns) -> None:
        """Give the final day bars, of which one is the previous day's; a lane without that one has no such levels."""
        self._days = (lanes, bars)
        if self._session is not None:
            self._set_previous_day(self._session)

    def state(self, lanes: int) -> Arrays:
        """All that is remembered of lanes 0 to `lanes - 1` but for the day bars, as copies by name."""
        begun = -1 if self._session is None else self._session.start
        state = {"session": np.array([begun, self._counts, self._profile_from], np.int64)}
        state |= named("so far", self._so_far.copied(lanes)) | named("levels", self._levels.copied(lanes))
        for name, profile in self._profiles.items():
            state |= named(name, profile.state(lanes))
        return state

    def restore(self, state: Mapping[str, NDArray[Any]], lanes: int) -> None:
        """Let untouched figures of the same sessions go on from what `state` gave.

        Raises:
            KeyError, ValueError: it is of other sessions, or none.
        """
        begun, counts, self._profile_from = state["session"].tolist()
        self._session = None if begun < 0 else self._calendar.session_at(begun)
        self._counts = bool(counts)
        self._ensure_lanes(lanes)
        self._so_far.restore(under("so far", state))
        self._levels.restore(under("levels", state))
        for name, profile in self._profiles.items():
            profile.restore(under(name, state))
        self._stand_at_the_end()

    def adopt(self, other: SessionFigures, lanes: Integers) -> None:
        """Let these lanes be what the first lanes of other figures of the same settings are; both stand between two minutes."""
        first, second = sorted((self, other), key=lambda each: each._session.start if each._session else -1)
        if second._session is not None and first._session != second._session:
            first._begin(second._session)  # in which nobody there has traded yet
        self._ensure_lanes(int(lanes.max()) + 1)
        other._ensure_lanes(len(lanes))
        self._so_far.adopt(other._so_far, lanes)
        self._levels.adopt(other._levels, lanes)
        for name, profile in self._profiles.items():
            profile.adopt(other._profiles[name], lanes)
        self._stand_at_the_end()

    def take(self, session: Session, lanes: Integers, bars: BarColumns) -> None:
        """Take the one-minute bars of a stretch of minutes of a session, in order of time, at most one of a lane and minute."""
        self._ensure_lanes(int(lanes.max()) + 1)
        if session != self._session:
            self._begin(session)
        minute = (bars.timestamp - session.start) // MINUTE_MS
        volume = np.asarray(bars.volume, np.float64)
        self._first = int(minute[0])
        self._run(int(minute[-1]) - self._first + 1, minute - self._first + 1, lanes, {
            "paid": (bars.high + bars.low + bars.close) / 3.0 * volume, "volume": volume, "high": bars.high, "low": bars.low,
        })  # fmt: skip
        if session.name == "regular" and self._first < OPENING_RANGE_MINUTES:
            row = min(OPENING_RANGE_MINUTES - self._first, len(self._stretch["high"]) - 1)
            self._set_range("OPENING_RANGE", self._stretch["high"][row], self._stretch["low"][row])
        if self._counts:
            self._profiles[session.name].add(minute, lanes, volume)

    def of(self, timeframe: str, lanes: Integers, bars: BarColumns, ends: Integers | int) -> dict[str, Floats]:
        """The figures at the ends (ms) of closed bars, by name.

        The ends lie within the stretch taken last, or beside it where no bar lies between.
        """
        session = self._session
        if session is None or session.name not in self._profiles:
            return {}
        rows, width = self._stretch["high"].shape
        first = (bars.timestamp - session.start) // MINUTE_MS
        over = np.broadcast_to((np.asarray(ends, np.int64) - session.start) // MINUTE_MS, lanes.shape)
        at = np.clip(over - self._first, 0, rows - 1) * width + lanes
        running = {name: column.reshape(-1).take(at) for name, column in self._stretch.items()}
        profile = self._profiles[session.name]
        figures = {
            "RelativeVolume": _ratio(running["volume"], profile.usual(np.zeros_like(first), over, lanes)),
            "BarVolumeRatio": _ratio(np.asarray(bars.volume, np.float64), profile.usual(first, over, lanes)),
            "day_position": _ratio(bars.close - running["low"], running["high"] - running["low"]),
        }
        if session.name == "regular":
            figures["VWAP"] = _ratio(running["paid"], running["volume"])
            if timeframe == "1min":
                figures |= self._levels_before(lanes, first, at - width, bars)
        return figures

    def _stand_at_the_end(self) -> None:
        """Bars that end before the next minute comes are at the end of the last stretch."""
        self._stretch = {name: self._so_far[name][np.newaxis].copy() for name in _RUNNING} if self._session else {}

    def _levels_before(self, lanes: Integers, minute: Integers, before: Integers, bars: BarColumns) -> dict[str, Floats]:
        """What one-minute bars are compared with; nothing in it knows of the bar itself."""
        high, low = (self._stretch[name].reshape(-1).take(before) for name in ("high", "low"))
        traded = np.isfinite(high)
        told = traded & (minute >= EXTREMES_FROM)
        figures = {name: self._levels.take(name, lanes) for name in (*_RANGES, *_PREVIOUS_DAY)}
        for name in ("OPENING_RANGE_HIGH", "OPENING_RANGE_LOW"):
            figures[name] = np.where(minute >= OPENING_RANGE_MINUTES, figures[name], np.nan)
        figures["HIGH_OF_DAY"], figures["LOW_OF_DAY"] = np.where(told, high, np.nan), np.where(told, low, np.nan)
        figures["FIRST_OPEN"] = np.where(traded, np.nan, bars.open)
        return figures

    def _run(self, minutes: int, row: Integers, lanes: Integers, values: dict[str, Floats]) -> None:
        width = self._so_far.capacity
        for name, (joined, empty) in _RUNNING.items():
            column = np.full((minutes + 1, width), empty)
            column[0] = self._so_far[name]
            column.reshape(-1)[row * width + lanes] = values[name]
            for at in range(1, minutes + 1):
                joined(column[at - 1], column[at], out=column[at])
            self._so_far[name][...] = column[-1]
            self._stretch[name] = column

    def _begin(self, session: Session) -> None:
        before, self._session = self._session, session
        if before is None or before.trading_day != session.trading_day:
            self._levels.reset()
            self._set_previous_day(session)
        elif before.name == "pre":
            self._set_range("PREMARKET", self._so_far["high"], self._so_far["low"])
        self._so_far.reset()
        profile = self._profiles.get(session.name)
        self._counts = profile is not None and session.start >= self._profile_from and not self._is_half_day(session)
        if profile is not None:
            profile.begin((session.end - session.start) // MINUTE_MS)

    def _set_previous_day(self, session: Session) -> None:
        for name in _PREVIOUS_DAY:
            self._levels[name][...] = np.nan
        if self._days is None:
            return
        lanes, bars = self._days
        previous = regular_session_of(self._calendar, self._calendar.trading_days_before(session.trading_day, 1)[0])
        chosen = np.flatnonzero(bars.timestamp == (previous.start if previous else -1))
        if len(chosen):
            self._ensure_lanes(int(lanes[chosen].max()) + 1)
        for name, field in _PREVIOUS_DAY.items():
            self._levels[name][lanes[chosen]] = getattr(bars, field)[chosen]

    def _set_range(self, name: str, high: Floats, low: Floats) -> None:
        self._levels[f"{name}_HIGH"][...] = np.where(np.isfinite(high), high, np.nan)
        self._levels[f"{name}_LOW"][...] = np.where(np.isfinite(low), low, np.nan)

    def _is_half_day(self, session: Session) -> bool:
        regular = regular_session_of(self._calendar, session.trading_day)
        return regular is not None and regular.end - regular.start < FULL_SESSION_MS

    def _ensure_lanes(self, lanes: int) -> None:
        if lanes > self._so_far.capacity:
            self._so_far.ensure(lanes)
            self._levels.ensure(self._so_far.capacity)
            for profile in self._profiles.values():
                profile.ensure_lanes(self._so_far.capacity)


def _ratio(of: Floats, to: Floats) -> Floats:
    there = to > 0
    return np.where(there, of / np.where(there, to, 1.0), np.nan)
