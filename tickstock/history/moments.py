"""Times as a user writes them."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from tickstock.logs import shortened
from tickstock.market_hours import NEW_YORK, new_york_ms, new_york_time

LAST_MOMENT = 253_402_300_799_000  # the last second of the year 9999, which is what the databases know

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def moment(text: str) -> int:
    """A time in Unix milliseconds: so given, or as ISO 8601; New York time where no offset is given.

    Raises:
        ValueError: it is neither, or before 1970 or after 9999.
    """
    try:
        if text.isascii() and text.isdigit():
            value = int(text[:20])
        else:
            parsed = datetime.fromisoformat(text)
            value = int((parsed if parsed.tzinfo else parsed.replace(tzinfo=NEW_YORK)).timestamp() * 1000)
    except (ValueError, OverflowError):
        value = -1
    if not 0 <= value <= LAST_MOMENT:
        raise ValueError(f"{shortened(text)} is no time: give Unix milliseconds, 2026-11-20, 2026-11-20T09:30 (New York) or …Z")
    return value


def ending(text: str) -> int:
    """The end of a range, exclusive; a day belongs to it wholly."""
    if not _DAY.fullmatch(text):
        return moment(text)
    return min(new_york_ms(new_york_time(moment(text)).date() + timedelta(days=1), time()), LAST_MOMENT)
