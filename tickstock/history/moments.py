"""Times as a user writes them."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from tickstock.market_hours import NEW_YORK, new_york_ms

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def moment(text: str) -> int:
    """A time in Unix milliseconds: so given, or as ISO 8601; New York time where no offset is given.

    Raises:
        ValueError: it is neither.
    """
    if text.isascii() and text.isdigit():
        return int(text[:20])
    try:
        parsed = datetime.fromisoformat(text)
        return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=NEW_YORK)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time: give Unix milliseconds, 2026-11-20, 2026-11-20T09:30 (New York) or …Z") from None


def ending(text: str) -> int:
    """The end of a range, exclusive; a day belongs to it wholly."""
    if not _DAY.fullmatch(text):
        return moment(text)
    day = datetime.fromisoformat(text).date() + timedelta(days=1)
    return new_york_ms(day, time())
