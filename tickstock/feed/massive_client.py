"""The client of Massive's WebSocket: connects, authenticates, subscribes, and comes back for ever."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from tickstock.market_hours import Calendar
from tickstock.settings import Settings


class ConnectionState(Struct, frozen=True):
    """A change in the state of the connection."""

    kind: str  # connecting | confirmed | reconnecting | refused | ended
    detail: str  # one sentence for the operator: "70 of 70 subscriptions confirmed"
    confirmed: int = 0  # subscriptions confirmed, of
    requested: int = 0  # subscriptions requested


class MassiveClient:
    """One connection to the feed, kept up by a thread.

    `on_frame(frame, received_ms)` and `on_state(state)` are called by that thread, in the order in which things happened; no
    frame comes before the `confirmed` state of its connection, and none of an older connection after it.
    """

    def __init__(
        self,
        url: str,
        key: str,
        channel: str,
        symbols: tuple[str, ...],
        *,
        on_frame: Callable[[bytes, int], None],
        on_state: Callable[[ConnectionState], None],
        reconnect_after_ms: Callable[[int], int | None] = lambda now_ms: None,
        ack_seconds: float = 15.0,
        reconnect_max_seconds: float = 30.0,
        busy_seconds: float = 60.0,
        ping_seconds: float = 20.0,
        connect_seconds: float = 10.0,
        held_bytes: int = 8 * 1024 * 1024,
    ) -> None:
        raise NotImplementedError

    @classmethod
    def for_settings(
        cls,
        settings: Settings,
        calendar: Calendar,
        on_frame: Callable[[bytes, int], None],
        on_state: Callable[[ConnectionState], None],
    ) -> MassiveClient:
        """The client that the settings describe."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the thread; it connects at once."""
        raise NotImplementedError

    def stop(self, timeout: float = 5.0) -> None:
        """Close the connection and end the thread, within `timeout` seconds."""
        raise NotImplementedError

    def hold(self) -> None:
        """Deliver nothing until `release`. At most `held_bytes` are read ahead; pings are answered, the watchdog rests."""
        raise NotImplementedError

    def release(self) -> None:
        """Deliver what was held, and go on."""
        raise NotImplementedError
