"""Which frames speak of the connection itself: found by one search, so that data frames cost nothing."""

from __future__ import annotations

import msgspec

from tickstock.contract import UNREADABLE
from tickstock.feed.massive_events import StatusEvent

_MARK = b'"status"'
_decode_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_status = msgspec.json.Decoder(StatusEvent).decode


def statuses_in(frame: bytes) -> tuple[list[StatusEvent], bool]:
    """The status events of a frame, and whether it holds anything else (which may be data, or something unreadable)."""
    if _MARK not in frame:
        return [], True
    try:
        parts = _decode_parts(frame)
    except UNREADABLE:
        return [], True
    statuses = []
    for part in parts:
        if _MARK in bytes(part):
            try:
                statuses.append(_decode_status(part))
            except UNREADABLE:
                continue
    return statuses, len(statuses) < len(parts)
