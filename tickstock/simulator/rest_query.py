"""What a request to the REST interface asks for, read from its path and query; what cannot be read is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from datetime import time as time_of_day

from tickstock.market_hours import new_york_ms


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, name: str, key: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.body = {"status": name, key: text}


def wants_adjusted(query: Mapping[str, str]) -> bool:
    """Whether bars are wanted in the shares of today."""
    return query.get("adjusted", "true") != "false"


def is_split_wanted(ticker: str, day: date, query: Mapping[str, str]) -> bool:
    """Whether a query for events of companies asks for this one."""
    compare: dict[str, Callable[[date], bool]] = {
        "execution_date": lambda bound: day == bound,
        "execution_date.gte": lambda bound: day >= bound, "execution_date.gt": lambda bound: day > bound,
        "execution_date.lte": lambda bound: day <= bound, "execution_date.lt": lambda bound: day < bound,
    }  # fmt: skip
    if query.get("ticker", ticker) != ticker:
        return False
    return all(test(date_of(query[name])) for name, test in compare.items() if query.get(name))


def bad_request(text: str) -> Refused:
    """The answer to a request that cannot be read."""
    return Refused(400, "ERROR", "error", text)


def limit_of(query: Mapping[str, str], default: int, largest: int) -> int:
    """How many rows a page holds."""
    text = query.get("limit", str(default))
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise bad_request(f"limit must be a whole number from 1 to {largest}")
    return int(text)


def cursor_of(query: Mapping[str, str]) -> int | None:
    """Where a following page begins; None on the first."""
    text = query.get("cursor")
    if text is not None and not text.isdigit():
        raise bad_request("cursor is not one of ours")
    return int(text) if text is not None else None


def date_of(text: str) -> date:
    """A date as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad_request(f"Could not parse the date {text!r}; use YYYY-MM-DD") from None


def moment_of(text: str, *, end_of_day: bool = False) -> int:
    """A date, or Unix milliseconds; a date as an end means all of it."""
    if text.isdigit() and len(text) >= 11:
        return int(text)
    day = date_of(text)
    return new_york_ms(day + timedelta(days=1), time_of_day()) - 1 if end_of_day else new_york_ms(day, time_of_day())


def is_ticker_wanted(ticker: str, query: Mapping[str, str]) -> bool:
    """Whether a query for tickers asks for this one."""
    compare: dict[str, Callable[[str], bool]] = {
        "ticker": lambda value: ticker == value,
        "ticker.gte": lambda value: ticker >= value, "ticker.gt": lambda value: ticker > value,
        "ticker.lte": lambda value: ticker <= value, "ticker.lt": lambda value: ticker < value,
        "search": lambda value: value.upper() in ticker.upper(), "active": lambda value: value != "false",
        "market": lambda value: value == "stocks",
    }  # fmt: skip
    return all(test(query[name]) for name, test in compare.items() if query.get(name))
