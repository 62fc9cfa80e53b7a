"""One connection's conversation with Massive: authenticate, subscribe, count the acknowledgements. Pure: no socket, no clock."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import msgspec

from tickstock.errors import FeedBusy, FeedLost, FeedRefused
from tickstock.feed.massive_events import StatusEvent
from tickstock.logs import shortened

_log = logging.getLogger(__name__)

_CHUNK = 200  # channels per subscribe message; the server's limit of a message is not documented
_ACKNOWLEDGED = "subscribed to:"
_MOST_NAMED = 10


class MassiveSession:
    """What was asked of the server and what it answered, on one connection.

    `answer` and `check_time` raise FeedRefused (asking again cannot help), FeedBusy (wait a minute) or FeedLost (try again).
    """

    def __init__(self, key: str, channel: str, symbols: Sequence[str], ack_seconds: float, now: float) -> None:
        self.authenticated = False
        self.settled = False  # every acknowledgement came, or its time is over
        self.ended = False  # the recorded day is over
        self.last_warning = ""  # the newest status that was not an expected one
        self._key = key
        self._channel = channel
        self._requested = list(dict.fromkeys(f"{channel}.{symbol}" for symbol in symbols))
        self._missing = dict.fromkeys(self._requested)
        self._ack_seconds = ack_seconds
        self._deadline = now + ack_seconds

    @property
    def requested(self) -> int:
        """How many channels were asked for."""
        return len(self._requested)

    @property
    def confirmed(self) -> int:
        """How many of them the server acknowledged."""
        return len(self._requested) - len(self._missing)

    @property
    def detail(self) -> str:
        """What was confirmed and what is missing, in words."""
        text = f"{self.confirmed} of {self.requested} subscriptions confirmed"
        if self._missing:
            names = list(self._missing)
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            text += f"; missing: {', '.join(names[:_MOST_NAMED])}{more}"
            if self.last_warning:
                text += f"; the feed said: {self.last_warning}"
        return text

    def answer(self, event: StatusEvent, now: float) -> list[bytes]:
        """The messages to send after this status."""
        match event.status:
            case "connected":
                return [] if self.authenticated else [_control("auth", self._key)]
            case "auth_success":
                return [] if self.authenticated else self._subscribe(now)
            case "success":
                self._acknowledge(event.message)
            case "ended":
                self.ended = True
            case "auth_failed":
                raise FeedRefused(
                    f"The feed refused the key ({self._shown(event)}). Check MASSIVE_API_KEY and that the plan includes "
                    "WebSocket access, then start again."
                )
            case "max_connections":
                raise FeedBusy(
                    f"The feed says that this account's connections are used up ({self._shown(event)}): another program, or "
                    "another TickStock, is connected with the same key. Massive allows one connection per account."
                )
            case "auth_timeout":
                raise FeedLost(f"the feed did not receive the key in time ({self._shown(event)})")
            case _:
                self.last_warning = self._shown(event)
                _log.warning("MASSIVE-CLIENT: The feed sent status %s; nothing is done about it", self.last_warning)
        return []

    def check_time(self, now: float) -> None:
        """Settle when the acknowledgements' time is over."""
        if self.settled or now < self._deadline:
            return
        if not self.authenticated:
            raise FeedLost(f"the feed did not complete the login within {self._ack_seconds:g} s")
        self.settle()

    def settle(self) -> None:
        """Go on with what is confirmed."""
        if not self.confirmed and "not authorized" in self.last_warning:
            raise FeedRefused(
                f"The plan does not include channel {self._channel} (the feed said: {self.last_warning}). Set "
                "TICKSTOCK_CHANNEL to one that it includes, then start again."
            )
        self.settled = True

    def _subscribe(self, now: float) -> list[bytes]:
        self.authenticated = True
        self._deadline = now + self._ack_seconds
        _log.info("MASSIVE-CLIENT: Connection established successfully")
        return [_control("subscribe", ",".join(chunk)) for chunk in _chunks(self._requested)]

    def _acknowledge(self, message: str) -> None:
        if not message.startswith(_ACKNOWLEDGED):
            return
        for channel in message.removeprefix(_ACKNOWLEDGED).split(","):
            self._missing.pop(channel.strip(), None)
        if not self._missing:
            self.settled = True

    def _shown(self, event: StatusEvent) -> str:
        text = f"{event.status}: {event.message.strip()}"
        return shortened(text.replace(self._key, "…") if self._key else text)


def _control(action: str, params: str) -> bytes:
    return msgspec.json.encode({"action": action, "params": params})


def _chunks(channels: Sequence[str]) -> Iterator[Sequence[str]]:
    return (channels[start : start + _CHUNK] for start in range(0, len(channels), _CHUNK))
