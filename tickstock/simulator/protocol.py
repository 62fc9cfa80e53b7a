"""One client's side of the vendor's WebSocket protocol, without a socket: texts in, frames and a verdict out.

What the vendor leaves unanswered stays unanswered here too: an unknown topic, a channel already held, nonsense.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from tickstock.simulator.encoding import status
from tickstock.simulator.timeline import CHANNELS

_NOT_IN_PLAN = ("NOI", "FMV")
MAX_CONNECTIONS = (
    "Maximum number of websocket connections exceeded. You have reached the connection limit for your account. "
    "Please contact support at https://polygon.io/contact to increase your limit."
)


class Verdict(enum.Enum):
    """What becomes of the connection after its frames were sent."""

    GOES_ON = enum.auto()
    AUTHENTICATED = enum.auto()  # from now on it is the account's connection
    DROPPED = enum.auto()  # cut without a closing handshake, as the vendor does


class _Action(msgspec.Struct):
    action: str
    params: str = ""


@dataclass
class Answer:
    """Frames to send, in their order, and what to do then."""

    frames: list[str] = field(default_factory=list)
    verdict: Verdict = Verdict.GOES_ON
    subscribed: bool = False


def frame(events: Sequence[str]) -> str:
    """A frame: a JSON array of events."""
    return f"[{','.join(events)}]"


CONNECTED = frame([status("connected", "Connected Successfully")])
AUTH_TIMEOUT = frame([status("auth_timeout", "No authentication request received.")])
EVICTED = frame([status("max_connections", MAX_CONNECTIONS)])
SLOW_CONSUMER = frame([status("slow_consumer", "Slow consumer: the buffer of this connection is full.")])
ENDED = frame([status("ended", "end of recording")])


class ClientSession:
    """What one client has asked for."""

    def __init__(self, key: str, symbols: Sequence[str], *, acks: str = "batched", halts: bool = True) -> None:
        self.authenticated = False
        self._key = key
        self._numbers = {symbol: number for number, symbol in enumerate(symbols)}
        self._not_in_plan = _NOT_IN_PLAN if halts else (*_NOT_IN_PLAN, "LULD")
        self._single_acks = acks == "single"
        self._held: dict[str, None] = {}
        self.wanted: dict[str, NDArray[np.bool_]] = {}  # channel: for each symbol, whether this client gets its events

    def receive(self, text: str | bytes) -> Answer:
        """Answer one frame of the client."""
        try:
            request = msgspec.json.decode(text, type=_Action)
        except msgspec.DecodeError:
            return Answer()
        if request.action == "auth":
            return self._authenticate(request.params)
        if request.action in ("subscribe", "unsubscribe") and self.authenticated:
            return self._change(request)
        return Answer()

    def _authenticate(self, key: str) -> Answer:
        if not hmac.compare_digest(key.encode(), self._key.encode()):
            return Answer([frame([status("auth_failed", "authentication failed")])], Verdict.DROPPED)
        first = not self.authenticated
        self.authenticated = True
        answer = Answer([frame([status("auth_success", "authenticated")])])
        return Answer(answer.frames, Verdict.AUTHENTICATED) if first else answer

    def _change(self, request: _Action) -> Answer:
        adding = request.action == "subscribe"
        replies = []
        for channel in (part.strip() for part in request.params.split(",")):
            topic, dot, ticker = channel.partition(".")
            if not dot or not ticker:
                continue
            if topic in self._not_in_plan:
                replies.append(status("error", "not authorized"))
            elif topic in CHANNELS and (channel in self._held) != adding:
                replies.append(status("success", f"{request.action}d to: {channel}"))
                if adding:
                    self._held[channel] = None
                else:
                    del self._held[channel]
        self._find_wanted()
        frames = [frame([each]) for each in replies] if self._single_acks else [frame(replies)] if replies else []
        return Answer(frames, subscribed=adding and bool(replies))

    def _find_wanted(self) -> None:
        self.wanted = {}
        for channel in self._held:
            topic, _, ticker = channel.partition(".")
            mask = self.wanted.setdefault(topic, np.zeros(len(self._numbers), bool))
            if ticker == "*":
                mask[:] = True
            elif ticker in self._numbers:  # an unknown ticker is acknowledged, and silent
                mask[self._numbers[ticker]] = True
