"""One connected browser: what it was sent, what of that it has acknowledged, and what it is still owed. Pure: the time comes in.

A message asks for an acknowledgement when no other one is awaited. As messages arrive in their order, the answer says that all
before it have arrived too, so what may still be on its way, or wait in this process, is known in bytes.
"""

from __future__ import annotations

from tickstock.market_data.live_board import FormingBar
from tickstock.web.watch_sets import Room

MOST_UNACKNOWLEDGED = 1_280 * 1024  # bytes; further events are dropped, and the browser begins again when it has caught up
PATIENCE_SECONDS = 1.0  # for an acknowledgement


class Flow:
    """Counts what is sent against what is acknowledged."""

    def __init__(self) -> None:
        self._sent = 0
        self._acknowledged = 0
        self._awaited = 0  # number of the message whose acknowledgement is awaited; 0: none
        self._awaited_since = 0.0
        self._sent_with_it = 0
        self._last_asked = 0

    @property
    def unacknowledged(self) -> int:
        """Bytes that may not have arrived."""
        return self._sent - self._acknowledged

    @property
    def is_ready(self) -> bool:
        """Whether the last message that asked has been acknowledged."""
        return self._awaited == 0

    def fits(self, size: int) -> bool:
        """Whether a message may be sent now."""
        waiting = self.unacknowledged
        return waiting == 0 or waiting + size <= MOST_UNACKNOWLEDGED

    def send(self, size: int, number: int, now: float) -> bool:
        """Count a message; True when it is to ask for its acknowledgement."""
        self._sent += size
        if self._awaited:
            return False
        self._awaited = self._last_asked = number
        self._awaited_since = now
        self._sent_with_it = self._sent
        return True

    def acknowledge(self, number: int) -> bool:
        """An acknowledgement has come; False when nothing with this number asked for one."""
        if number == self._awaited:
            self._acknowledged = self._sent_with_it
            self._awaited = 0
        return 0 < number <= self._last_asked

    def is_overdue(self, now: float) -> bool:
        """Whether the acknowledgement is awaited for too long."""
        return self._awaited != 0 and now - self._awaited_since > PATIENCE_SECONDS

    def give_up(self) -> None:
        """Await nothing any more: all that was sent has left this process."""
        self._acknowledged = self._sent
        self._awaited = 0


class Browser:
    """What is known of one page."""

    def __init__(self, client: str, connection: str) -> None:
        self.client = client
        self.connection = connection
        self.flow = Flow()
        self.is_visible = True
        self.is_behind = False  # events were dropped: it gets a snapshot when it has caught up
        self.room = Room(())
        self.wanted_list: str | None = None  # the list it asked for, there or not; None: symbols of its own choice
        self.chart: str | None = None  # the symbol whose running minute it shows
        self.forming: FormingBar | None = None  # of that symbol, as it was sent last
        self.versions: list[int] = []  # of the live board, for each slice of the watched symbols
        self.next_slice = 0
        self.indicators_version = 0
        self.frame_due = 0.0
        self.owed = range(0)  # numbers of the events that were asked for and not yet sent

    def enter(self, room: Room) -> None:
        """Watch other symbols: all that is known of them is owed."""
        self.room = room
        self.versions = [0] * len(room.slices)
        self.next_slice = 0
        self.indicators_version = 0
        self.frame_due = 0.0
