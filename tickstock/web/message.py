"""One event as Socket.IO text, encoded once for however many browsers get it. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import msgspec
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket

OVERHEAD = 250  # bytes of a waiting packet beside its text
_EVENT = "2"  # of Socket.IO's packet types

_numbers = itertools.count(1)


class TextPacket(EnginePacket):  # type: ignore[misc]
    """An Engine.IO packet that keeps its text once: the library's own keeps the encoded one beside it."""

    def __init__(self, text: str) -> None:
        super().__init__(MESSAGE, text)

    def encode(self, b64: bool = False) -> str:
        return f"{MESSAGE}{self.data}"


class Message:
    """One event with its payload. `number` is what a browser sends back when it is asked to acknowledge it."""

    def __init__(self, event: str, payload: bytes) -> None:
        self.event = event
        self.number = next(_numbers)
        self.size = len(payload) + OVERHEAD
        # Text with other characters than ASCII would take two or four bytes for each of them.
        text = payload.decode() if payload.isascii() else json.dumps(json.loads(payload), separators=(",", ":"))
        self._text = f'["{event}",{text}]'

    @classmethod
    def of(cls, event: str, data: Any) -> Message:
        """The event with something that msgspec can encode."""
        return cls(event, msgspec.json.encode(data))

    @cached_property
    def plain(self) -> TextPacket:
        """The packet for browsers that still have another acknowledgement to send."""
        return TextPacket(_EVENT + self._text)

    @cached_property
    def asking(self) -> TextPacket:
        """The packet that asks for an acknowledgement."""
        return TextPacket(f"{_EVENT}{self.number}{self._text}")


def within(payloads: Iterable[bytes], most: int) -> list[msgspec.Raw]:
    """The first payloads that together are not longer than `most`; at least one, when there is one."""
    taken: list[msgspec.Raw] = []
    size = 0
    for payload in payloads:
        size += len(payload) + 1
        if taken and size > most:
            break
        taken.append(msgspec.Raw(payload))
    return taken
