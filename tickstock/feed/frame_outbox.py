"""Frames and states on their way to the service, in order, held back when it says so."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from msgspec import Struct

_log = logging.getLogger(__name__)


class ConnectionState(Struct, frozen=True):
    """A change in the state of the connection."""

    kind: str  # connecting | confirmed | changed (other subscriptions on the same connection) | halts (what is known
    # of them) | reconnecting | refused | ended
    detail: str  # one sentence for the operator: "70 of 70 subscriptions confirmed"
    confirmed: int = 0  # subscriptions confirmed, of
    requested: int = 0  # subscriptions requested
    symbols: tuple[str, ...] = ()  # of `changed`: those that were confirmed just now


class FrameOutbox:
    """Hands frames and states over, one after another; only the client's thread puts and delivers."""

    def __init__(self, on_frame: Callable[[bytes, int], None], on_state: Callable[[ConnectionState], None]) -> None:
        self.bytes = 0  # of the frames that wait
        self.held = False  # by the service
        self._on_frame = on_frame
        self._on_state = on_state
        self._waiting: deque[tuple[bytes, int] | ConnectionState] = deque()
        self._early: list[tuple[bytes, int]] | None = None  # frames before their connection is confirmed

    @property
    def empty(self) -> bool:
        """Whether everything was delivered."""
        return not self._waiting

    def begin_connection(self) -> None:
        """Frames wait until `confirm`."""
        self._drop_early()
        self._early = []

    def put_frame(self, frame: bytes, received_ms: int) -> None:
        self.bytes += len(frame)
        if self._early is not None:
            self._early.append((frame, received_ms))
        else:
            self._waiting.append((frame, received_ms))
            self.deliver()

    def put_state(self, state: ConnectionState) -> None:
        """A state takes its place behind the frames before it; `confirmed` stands before those that came early."""
        self._waiting.append(state)
        if state.kind == "confirmed" and self._early is not None:
            self._waiting.extend(self._early)
            self._early = None
        elif state.kind == "reconnecting":
            self._drop_early()
        self.deliver()

    def deliver(self) -> None:
        """Hand over until nothing waits or the service holds."""
        while self._waiting and not self.held:
            item = self._waiting.popleft()
            try:
                if isinstance(item, ConnectionState):
                    self._on_state(item)
                else:
                    self.bytes -= len(item[0])
                    self._on_frame(*item)
            except Exception:
                _log.exception("MASSIVE-CLIENT: The service failed on what it was handed; going on")

    def _drop_early(self) -> None:
        # The connection broke before it was confirmed: its frames belong to the gap.
        for frame, _ in self._early or ():
            self.bytes -= len(frame)
        self._early = None
