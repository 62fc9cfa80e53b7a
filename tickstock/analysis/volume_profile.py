"""How much a symbol usually trades by each minute of a session: the mean over the sessions before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.results import Floats, Integers
from tickstock.analysis.state import Arrays

LEAST_SESSIONS = 5  # fewer say nothing


class VolumeProfile:
    """Volumes by minute of the session and lane, summed over sessions.

    A lane's mean is over the sessions in which it has a bar; a minute without one counts as no volume. What is added during a
    session is part of the mean from the next one on. Volumes are whole shares, so the sums are exact in whatever order they come.
    """

    def __init__(self) -> None:
        self._added = np.zeros((0, 0))  # [minute, lane] of all sessions, the running one included
        self._until = np.zeros((1, 0))  # of the sessions before, up to the minute
        self._has_bar = np.zeros(0, np.bool_)  # in the running session
        self._sessions = np.zeros(0)  # before it

    def begin(self, minutes: int) -> None:
        """A session of so many minutes begins."""
        self._make_room(minutes, len(self._sessions))
        np.cumsum(self._added, axis=0, out=self._until[1:])
        self._sessions += self._has_bar
        self._has_bar[:] = False

    def ensure_lanes(self, lanes: int) -> None:
        """Make room for lanes 0 to `lanes - 1`."""
        self._make_room(0, lanes)

    def state(self, lanes: int) -> Arrays:
        """All that is remembered of lanes 0 to `lanes - 1`, as copies by name."""
        return {
            "added": self._added[:, :lanes].copy(), "until": self._until[:, :lanes].copy(),
            "has_bar": self._has_bar[:lanes].copy(), "sessions": self._sessions[:lanes].copy(),
        }  # fmt: skip

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Let an untouched profile go on from what `state` gave.

        Raises:
            KeyError, ValueError: it is none.
        """
        rows, lanes = state["added"].shape
        self._make_room(rows, lanes)
        self._added[:rows, :lanes], self._until[: rows + 1, :lanes] = state["added"], state["until"]
        self._has_bar[:lanes], self._sessions[:lanes] = state["has_bar"], state["sessions"]

    def adopt(self, other: VolumeProfile, lanes: Integers) -> None:
        """Let these lanes be what the first lanes of another profile are."""
        rows, many = len(other._added), len(lanes)
        self._make_room(rows, int(lanes.max()) + 1)
        self._added[:rows, lanes], self._added[rows:, lanes] = other._added[:, :many], 0.0
        self._until[: rows + 1, lanes], self._until[rows + 1 :, lanes] = other._until[:, :many], other._until[-1, :many]
        self._has_bar[lanes], self._sessions[lanes] = other._has_bar[:many], other._sessions[:many]

    def add(self, minute: Integers, lanes: Integers, volume: Floats) -> None:
        """Take bars of the running session, at most one of a lane and minute."""
        self._added.reshape(-1)[minute * self._added.shape[1] + lanes] += volume
        self._has_bar[lanes] = True

    def usual(self, first: Integers, last: Integers, lanes: Integers) -> Floats:
        """The mean volume of the minutes from `first` to before `last`; NaN where too few sessions are known."""
        sessions, until, width = self._sessions.take(lanes), self._until.reshape(-1), self._until.shape[1]
        volume = until.take(last * width + lanes) - until.take(first * width + lanes)
        return np.where(sessions >= LEAST_SESSIONS, volume / np.maximum(sessions, 1.0), np.nan)

    def _make_room(self, minutes: int, lanes: int) -> None:
        rows, width = self._added.shape
        if minutes <= rows and lanes <= width:
            return
        added, until = self._added, self._until
        rows, width = max(rows, minutes), max(lanes, width)
        self._added, self._until = np.zeros((rows, width)), np.zeros((rows + 1, width))
        self._added[: added.shape[0], : added.shape[1]] = added
        self._until[: until.shape[0], : until.shape[1]] = until
        for name in ("_has_bar", "_sessions"):
            before = getattr(self, name)
            setattr(self, name, np.concatenate((before, np.zeros(width - len(before), before.dtype))))
