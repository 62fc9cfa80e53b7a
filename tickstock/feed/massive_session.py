"""One connection's conversation with Massive: authenticate, subscribe, count the acknowledgements. Pure: no socket, no clock.

What is watched may change while the connection stands. A channel has at most one request under way: what is wanted meanwhile is
asked for when the answer is there, so that an unsubscription and a subscription of one channel can never be taken for each other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import msgspec

from tickstock.errors import FeedBusy, FeedLost, FeedRefused
from tickstock.feed.massive_events import StatusEvent
from tickstock.logs import shortened

_log = logging.getLogger(__name__)

_CHUNK = 200  # channels per subscribe message; the server's limit of a message is not documented
_SUBSCRIBED, _UNSUBSCRIBED = "subscribed to:", "unsubscribed to:"
_MOST_NAMED = 10


class MassiveSession:
    """What was asked of the server and what it answered, on one connection.

    `answer` and `check_time` raise FeedRefused (asking again cannot help), FeedBusy (wait a minute) or FeedLost (try again).
    """

    def __init__(self, key: str, channel: str, symbols: Sequence[str], ack_seconds: float, now: float) -> None:
        self.authenticated = False
        self.settled = False  # every subscription was acknowledged, or the time for it is over
        self.ended = False  # the recorded day is over
        self.has_news = False  # since `take_news`: an acknowledgement, or that the time for one is over
        self.last_warning = ""  # the newest status that was not an expected one
        self._key = key
        self._channel = channel
        self._wanted = self._channels(symbols)
        self._missing = dict.fromkeys(self._wanted)  # wanted, not acknowledged
        self._held: dict[str, None] = {}  # acknowledged, wanted or not
        self._asked: dict[str, bool] = {}  # requests under way: whether to subscribe
        self._unanswered: dict[str, None] = {}  # subscriptions that the server said nothing to in time
        self._new: list[str] = []  # symbols
        self._ack_seconds = ack_seconds
        self._deadline = now + ack_seconds

    @property
    def requested(self) -> int:
        """How many channels are asked for."""
        return len(self._wanted)

    @property
    def confirmed(self) -> int:
        """How many of them the server acknowledged."""
        return len(self._wanted) - len(self._missing)

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

    def watch(self, symbols: Sequence[str], now: float) -> list[bytes]:
        """These symbols, and no others, are wanted from now on; the messages to send."""
        self._wanted = self._channels(symbols)
        self._missing = dict.fromkeys(channel for channel in self._wanted if channel not in self._held)
        self.settled = self.settled and not self._missing
        self.has_news = True
        return self._ask(now) if self.authenticated else []

    def take_news(self) -> tuple[str, ...]:
        """The symbols whose subscriptions were acknowledged since the last call."""
        new, self._new, self.has_news = self._new, [], False
        return tuple(symbol for symbol in dict.fromkeys(new) if f"{self._channel}.{symbol}" in self._wanted)

    def answer(self, event: StatusEvent, now: float) -> list[bytes]:
        """The messages to send after this status."""
        match event.status:
            case "connected":
                return [] if self.authenticated else [_control("auth", self._key)]
            case "auth_success":
                return [] if self.authenticated else self._subscribe(now)
            case "success":
                return self._acknowledge(event.message, now)
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

    def check_time(self, now: float) -> list[bytes]:
        """Settle when the acknowledgements' time is over; the messages to send then."""
        if now < self._deadline or (self.settled and not self._asked):
            return []
        if not self.authenticated:
            raise FeedLost(f"the feed did not complete the login within {self._ack_seconds:g} s")
        self.has_news = self.has_news or not self.settled
        asked, self._asked = self._asked, {}
        changed_meanwhile = False
        for channel, subscribes in asked.items():  # what has no answer is under way no more, and may be asked for anew
            if subscribes:
                self._unanswered[channel] = None
            else:
                self._is_gone(channel)
            changed_meanwhile |= subscribes != (channel in self._wanted)
        self.settle()
        return self._ask(now) if changed_meanwhile else []

    def settle(self) -> None:
        """Go on with what is confirmed."""
        if not self._held and "not authorized" in self.last_warning:
            raise FeedRefused(
                f"The plan does not include channel {self._channel} (the feed said: {self.last_warning}). Set "
                "TICKSTOCK_CHANNEL to one that it includes, then start again."
            )
        self.settled = True

    def _subscribe(self, now: float) -> list[bytes]:
        self.authenticated = True
        self._deadline = now + self._ack_seconds
        _log.info("MASSIVE-CLIENT: Connection established successfully")
        return self._ask(now)

    def _ask(self, now: float) -> list[bytes]:
        """Ask for what is wanted and not there, and against what is there and not wanted, where nothing is under way."""
        gone = [each for each in (*self._held, *self._unanswered) if each not in self._wanted and each not in self._asked]
        new = [channel for channel in self._missing if channel not in self._asked]
        for channel in gone:
            self._unanswered.pop(channel, None)
        if (gone or new) and not self._asked:
            self._deadline = now + self._ack_seconds
        self._asked |= dict.fromkeys(gone, False) | dict.fromkeys(new, True)
        self.settled = not self._missing
        return [*channel_requests("unsubscribe", gone), *channel_requests("subscribe", new)]

    def _acknowledge(self, message: str, now: float) -> list[bytes]:
        for prefix, take in ((_SUBSCRIBED, self._is_held), (_UNSUBSCRIBED, self._is_gone)):
            if message.startswith(prefix):
                channels = [channel.strip() for channel in message.removeprefix(prefix).split(",")]
                for channel in channels:
                    take(channel)
                self.settled = self.settled or not self._missing
                if any((each in self._held) != (each in self._wanted) for each in channels):
                    return self._ask(now)  # it changed while its request was under way
        return []

    def _is_held(self, channel: str) -> None:
        if channel not in self._wanted and channel not in self._asked:
            return  # nothing that we asked for
        if self._asked.get(channel):
            del self._asked[channel]
        self._unanswered.pop(channel, None)
        self._held[channel] = None
        if channel in self._missing:
            del self._missing[channel]
            self._new.append(channel.partition(".")[2])
            self.has_news = True

    def _is_gone(self, channel: str) -> None:
        if channel not in self._held:
            return
        self._asked.pop(channel, None)
        del self._held[channel]
        if channel in self._wanted:
            self._missing[channel] = None
        self.has_news = True

    def _channels(self, symbols: Sequence[str]) -> dict[str, None]:
        return dict.fromkeys(f"{self._channel}.{symbol}" for symbol in symbols)

    def _shown(self, event: StatusEvent) -> str:
        text = f"{event.status}: {event.message.strip()}"
        return shortened(text.replace(self._key, "…") if self._key else text)


def _control(action: str, params: str) -> bytes:
    return msgspec.json.encode({"action": action, "params": params})


def channel_requests(action: str, channels: Sequence[str]) -> Iterator[bytes]:
    """The messages that subscribe or unsubscribe these channels."""
    return (_control(action, ",".join(channels[start : start + _CHUNK])) for start in range(0, len(channels), _CHUNK))
