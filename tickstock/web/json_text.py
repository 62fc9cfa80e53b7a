"""JSON for Socket.IO by msgspec: fast, and bytes that are JSON already (`msgspec.Raw`) go out as they are."""

from __future__ import annotations

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()


def dumps(value: Any, **_options: Any) -> str:
    """Encode; the options that python-socketio passes (separators) are how msgspec writes anyway."""
    return _encoder.encode(value).decode()


def loads(text: str | bytes, **_options: Any) -> Any:
    """Decode.

    Raises:
        ValueError: not JSON.
    """
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
