"""The events of Massive's WebSocket, and how a frame of them is read.

Every frame is a JSON array. Only `ev` and the ticker may be relied on; numbers documented as integers can arrive as `12.0`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from tickstock.contract import UNREADABLE
from tickstock.logs import Rejections


class Trade(Struct, tag_field="ev", tag="T", gc=False):
    """One print of the tape (channel T)."""

    sym: str
    p: float = 0.0  # price, dollars
    t: int = 0  # SIP timestamp
    s: float = 0.0  # size, whole shares
    ds: str | float | None = None  # size with its fraction, documented as text
    c: tuple[int, ...] | None = None  # conditions; absent when there are none
    x: int = 0  # exchange
    i: str | int | None = None  # trade id, unique per ticker, exchange and TRF only
    q: int = 0  # sequence number, increasing per ticker; 0 when absent
    trfi: int = 0  # trade reporting facility, of off-exchange prints


class Quote(Struct, tag_field="ev", tag="Q", gc=False):
    """A change of the best bid or offer (channel Q): recognised, and not used."""

    sym: str


class Aggregate(Struct, tag_field="ev", gc=False):
    """One window of trading in one symbol: its prices, its volume and the day's volume so far."""

    sym: str
    s: int = 0  # start of the window, inclusive
    e: int = 0  # end of the window, exclusive
    o: float = 0.0
    h: float = 0.0
    l: float = 0.0  # noqa: E741 - the vendor's name
    c: float = 0.0
    v: float = 0.0  # volume of the window
    av: float | None = None  # volume of the day so far


class SecondAggregate(Aggregate, tag="A", gc=False):
    """A window of one second (channel A)."""


class MinuteAggregate(Aggregate, tag="AM", gc=False):
    """A window of one minute (channel AM)."""


class LimitBand(Struct, tag_field="ev", tag="LULD", gc=False):
    """Limit up, limit down (channel LULD): prices between which a symbol may trade, and halts and resumptions among them."""

    ticker: str = field(name="T")
    at: int = field(name="t", default=0)  # documented as milliseconds, on the wire nanoseconds
    indicators: tuple[int, ...] | None = field(name="i", default=None)


class StatusEvent(Struct, tag_field="ev", tag="status"):
    """What the server says about the connection."""

    status: str = ""
    message: str = ""


Event = Trade | Quote | SecondAggregate | MinuteAggregate | LimitBand | StatusEvent

# Not strict: 12.0 is read where 12 is documented, at no cost.
_decode_events = msgspec.json.Decoder(list[Event], strict=False).decode
_decode_event = msgspec.json.Decoder(Event, strict=False).decode
_decode_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_kind = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

KNOWN_KINDS = ("T", "Q", "A", "AM", "LULD", "status")


def decode_frame(frame: bytes | str, rejections: Rejections) -> list[Event]:
    """All events of a frame, in order. What cannot be read is dropped one event at a time and counted in `rejections`."""
    try:
        return _decode_events(frame)
    except UNREADABLE:
        return _decode_one_by_one(frame, rejections)


def _decode_one_by_one(frame: bytes | str, rejections: Rejections) -> list[Event]:
    try:
        parts = _decode_parts(frame)
    except UNREADABLE:
        rejections.add("a frame that is not a JSON array", frame[:200])
        return []
    events: list[Event] = []
    for part in parts:
        try:
            events.append(_decode_event(part))
        except UNREADABLE:
            rejections.add(_kind_of_fault(part), bytes(part)[:200])
    return events


def _kind_of_fault(part: msgspec.Raw) -> str:
    try:
        kind = msgspec.json.decode(_decode_kind(part)["ev"], type=str)
    except (*UNREADABLE, KeyError):
        return "an event without a kind"
    return f"a bad {kind} event" if kind in KNOWN_KINDS else "an event of an unknown kind"
