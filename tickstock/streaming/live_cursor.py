"""Whether what arrives live is what the log holds. Pure: counts in, a verdict out.

Ticks on the channel carry no position. They are counted, the malformed ones too, and at each status the count must equal
its `forwarded`; any difference sends TickStockPL back to the log.
"""

from __future__ import annotations

from enum import Enum

from tickstock.contract import FeedStatus


class Verdict(Enum):
    """What to do with a status that arrived live."""

    FOLLOW = "in step: process it"
    KNOWN = "the log brought it already"
    RETURN = "out of step: go back to the log"


class LiveCursor:
    """The position in the current run, as counted on the channel."""

    def __init__(self) -> None:
        self.in_step = False
        self.run = ""
        self.position = 0  # of the last tick that arrived
        self._known_until = 0  # the log was processed up to here

    def ticks(self, count: int) -> int:
        """`count` ticks arrived: return how many of the first ones are not to be processed."""
        if not self.in_step:
            return count
        known = min(count, max(0, self._known_until - self.position))
        self.position += count
        return known

    def status(self, status: FeedStatus) -> Verdict:
        """A status arrived."""
        if not self.in_step or status.run != self.run or status.forwarded != self.position:
            self.in_step = False
            return Verdict.RETURN
        return Verdict.KNOWN if self.position < self._known_until else Verdict.FOLLOW

    def returned(self, status: FeedStatus, run: str, position: int) -> bool:
        """The log was processed up to `position` of `run` because of `status`: true when that brings us back in step."""
        self.in_step = run == status.run and position >= status.forwarded
        if self.in_step:
            self.run, self.position, self._known_until = run, status.forwarded, position
        return self.in_step

    def cut(self) -> None:
        """The subscription broke: what came meanwhile is only in the log."""
        self.in_step = False
