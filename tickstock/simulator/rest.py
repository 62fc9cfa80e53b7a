"""The vendor's REST interface, as far as TickStock uses it, without a socket: a request in, a status and JSON out.

What has not ended by the market's clock does not exist yet. A day's bar takes its prices from regular hours and the closing
prints, its volume from the whole day. Bars are adjusted for splits that have taken effect, unless adjusted=false is asked for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec
import numpy as np

from tickstock.market_hours import MINUTE_MS, new_york_ms, new_york_time
from tickstock.simulator.clock import Clock
from tickstock.simulator.reference import reference_of
from tickstock.simulator.rest_query import (
    Refused,
    bad_request,
    cursor_of,
    date_of,
    is_split_wanted,
    is_ticker_wanted,
    limit_of,
    moment_of,
    wants_adjusted,
)  # fmt: skip
from tickstock.simulator.splits import adjusted
from tickstock.simulator.tape import BarSource
from tickstock.simulator.trades import SHARE, Bars, volume_weighted
from tickstock.simulator.trading_day import TradingDay

_FAR_MS = 4 * 366 * 86_400_000  # how far back bars go
_LIMIT, _LARGEST_LIMIT = 5000, 50_000
_TOO_MANY = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue. https://massive.com/pricing"
_NOT_ENTITLED = "You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing"


class _Bar(msgspec.Struct, gc=False, omit_defaults=True):
    v: float
    vw: float
    o: float
    c: float
    h: float
    l: float  # noqa: E741 - the vendor's name
    t: int
    n: int
    T: str = ""


class RestInterface:
    """Answers requests about one market.

    Args:
        base: this server's own address, for `next_url`.
        requests_per_minute: above it the answer is 429; 0 means unlimited.
        not_entitled: paths that begin so are answered with 403.
    """

    def __init__(
        self, source: BarSource, clock: Clock, key: str, *, requests_per_minute: int = 0, not_entitled: Sequence[str] = ()
    ) -> None:
        self.base = ""
        self._source = source
        self._clock = clock
        self._key = key
        self._pace = _Pace(requests_per_minute)
        self._not_entitled = tuple(not_entitled)
        self._symbols = set(source.symbols)
        self._routes: list[tuple[re.Pattern[str], Callable[..., dict[str, Any]]]] = [
            (re.compile(r"/v2/aggs/ticker/([^/]+)/range/(\d+)/(\w+)/([^/]+)/([^/]+)"), self._range),
            (re.compile(r"/v2/aggs/ticker/([^/]+)/prev"), self._previous),
            (re.compile(r"/v2/aggs/grouped/locale/us/market/stocks/([^/]+)"), self._grouped),
            (re.compile(r"/v2/snapshot/locale/us/markets/stocks/tickers"), self._snapshot),
            (re.compile(r"/v1/marketstatus/now"), self._market_status),
            (re.compile(r"/v3/reference/tickers"), self._tickers),
            (re.compile(r"(/stocks/v1/splits)"), self._splits),
            (re.compile(r"(/v3/reference/splits)"), self._splits),
        ]

    def answer(self, target: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """HTTP status and JSON body of a GET request for a path with its query."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        request_id = hashlib.md5(f"{target}{time.monotonic_ns()}".encode(), usedforsecurity=False).hexdigest()
        try:
            self._admit(parts.path, query, headers)
            return 200, msgspec.json.encode(self._route(parts.path, query, request_id))
        except Refused as refused:
            return refused.status, msgspec.json.encode({**refused.body, "request_id": request_id})

    def _admit(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
        given = query.get("apiKey") or (headers.get("Authorization") or "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise Refused(401, "ERROR", "error", "Unknown API Key")
        if not self._pace.allows():
            raise Refused(429, "ERROR", "error", _TOO_MANY)
        if self._not_entitled and path.startswith(self._not_entitled):
            raise Refused(403, "NOT_AUTHORIZED", "message", _NOT_ENTITLED)

    def _route(self, path: str, query: dict[str, str], request_id: str) -> dict[str, Any]:
        for pattern, answer in self._routes:
            match = pattern.fullmatch(path)
            if match:
                return answer(query, request_id, *map(unquote, match.groups()))
        raise Refused(404, "NOT_FOUND", "message", f"The requested resource {path} was not found.")

    # -- bars -------------------------------------------------------------------------------------------------------------

    def _range(
        self, query: dict[str, str], request_id: str, ticker: str, multiplier: str, timespan: str, first: str, last: str
    ) -> dict[str, Any]:
        lengths = {"second": 1000, "minute": MINUTE_MS, "hour": 60 * MINUTE_MS, "day": 0}
        if timespan not in lengths or not 1 <= int(multiplier) <= 10_000:
            raise bad_request(f"timespan must be one of {', '.join(lengths)}, with a multiplier from 1 to 10,000")
        limit, start, end = limit_of(query, _LIMIT, _LARGEST_LIMIT), moment_of(first), moment_of(last, end_of_day=True)
        if start > end:
            raise bad_request("from must not be after to")
        start = max(start, self._clock.now() - _FAR_MS)
        descending = query.get("sort", "asc") == "desc"
        at = cursor_of(query)
        if at is not None:
            start, end = (start, at) if descending else (at, end)
        window = int(multiplier) * lengths[timespan]
        found: list[Bars] = []
        count = 0
        for bars in self._base_bars(ticker, timespan, start, end, descending, wants_adjusted(query)):
            found.append(bars)
            count += len(bars)
            if count > limit:
                break
        base = Bars.join(found).take(slice(limit)) if found else None
        body: dict[str, Any] = {
            "ticker": ticker, "queryCount": min(count, limit), "resultsCount": 0,
            "adjusted": wants_adjusted(query), "status": "OK", "request_id": request_id, "count": 0,
        }  # fmt: skip
        if base is None or not len(base):
            return body
        following = int(Bars.join(found).start[limit]) if count > limit else None
        if window and int(multiplier) > 1:
            base, following = _whole_windows(base, following, window, descending)
        body["results"] = _records(_folded(base, window) if window and int(multiplier) > 1 else base, descending)
        body["resultsCount"] = body["count"] = len(body["results"])
        if following is not None:
            kept = {name: value for name, value in query.items() if name in ("adjusted", "sort", "limit")}
            path = f"/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{start}/{end}"
            body["next_url"] = f"{self.base}{path}?{urlencode({**kept, 'cursor': following})}"
        return body

    def _base_bars(self, ticker: str, timespan: str, start: int, end: int, descending: bool, adjust: bool) -> Iterator[Bars]:
        """The bars of one day after the other that start in a range and have ended; the newest first when descending."""
        if ticker not in self._symbols:
            return
        now = self._clock.now()
        days = self._source.days_between(start, min(end, now))
        for day in reversed(days) if descending else days:
            if timespan == "day":
                bars = self._source.day_bar(ticker, day, now)
            elif timespan == "second":
                bars = self._seconds(ticker, day, start, min(end, now))
            else:
                bars = self._source.minute_bars(ticker, day)
            length = {"day": 0, "second": 1000}.get(timespan, MINUTE_MS)
            chosen = np.flatnonzero(
                (bars.start >= start) & (bars.start <= end) & (bars.start + length <= now) & ~np.isnan(bars.open)
            )
            yield self._in_shares_of_today(bars.take(chosen[::-1] if descending else chosen), ticker, day, adjust)

    def _in_shares_of_today(self, bars: Bars, ticker: str, day: TradingDay, adjust: bool = True) -> Bars:
        splits, today = self._source.splits, new_york_time(self._clock.now()).date()
        return adjusted(bars, splits, ticker, day.day, today) if adjust and splits else bars

    def _seconds(self, ticker: str, day: TradingDay, start: int, end: int) -> Bars:
        first = max(0, (start - day.start) // MINUTE_MS)
        return self._source.second_bars(
            ticker, day, slice(first, max(first, min(day.minutes, (end - day.start) // MINUTE_MS + 1)))
        )

    def _previous(self, query: dict[str, str], request_id: str, ticker: str) -> dict[str, Any]:
        adjust = wants_adjusted(query)
        body: dict[str, Any] = {"ticker": ticker, "queryCount": 0, "resultsCount": 0, "adjusted": adjust, "status": "OK"}
        bars = self._previous_day(ticker, adjust)
        if bars is not None and len(bars):
            results = _records(bars, ticker=ticker)
            body.update(results=results, queryCount=1, resultsCount=1, count=1)
        return {**body, "request_id": request_id}

    def _previous_day(self, ticker: str, adjust: bool = True) -> Bars | None:
        """The bar of the last trading day before the clock's."""
        now = self._clock.now()
        if ticker not in self._symbols:
            return None
        today = new_york_ms(new_york_time(now).date(), time_of_day())
        days = [day for day in self._source.days_between(now - 7 * 86_400_000, now) if day.midnight < today]
        if not days:
            return None
        return self._in_shares_of_today(self._source.day_bar(ticker, days[-1], now), ticker, days[-1], adjust)

    def _grouped(self, query: dict[str, str], request_id: str, day_text: str) -> dict[str, Any]:
        day = date_of(day_text)
        now = self._clock.now()
        start = new_york_ms(day, time_of_day())
        days = self._source.days_between(start, min(now, new_york_ms(day + timedelta(days=1), time_of_day()) - 1))
        results = []
        for each in (one for one in days if one.day == day):
            close = each.start + (int(each.regular()[-1]) + 1) * MINUTE_MS  # the vendor stamps these with the session's end
            for ticker in self._source.symbols:
                bar = self._in_shares_of_today(self._source.day_bar(ticker, each, now), ticker, each, wants_adjusted(query))
                for record in _records(bar, ticker=ticker):
                    record.t = close
                    results.append(record)
        body = {
            "queryCount": len(results),
            "resultsCount": len(results),
            "adjusted": wants_adjusted(query),
            "status": "OK",
            "request_id": request_id,
        }
        return {**body, "count": len(results), **({"results": results} if results else {})}

    def _snapshot(self, query: dict[str, str], request_id: str) -> dict[str, Any]:
        wanted = query.get("tickers", "")
        tickers = [each for each in wanted.split(",") if each in self._symbols] if wanted else self._source.symbols
        now = self._clock.now()
        days = self._source.days_between(now - 7 * 86_400_000, now)
        found = [self._snapshot_of(ticker, days[-1], now) for ticker in tickers] if days else []
        return {"status": "OK", "request_id": request_id, "count": len(found), "tickers": found}

    def _snapshot_of(self, ticker: str, day: TradingDay, now: int) -> dict[str, Any]:
        bars = self._source.minute_bars(ticker, day)
        ended = bars.take((bars.start + MINUTE_MS <= now) & ~np.isnan(bars.open))
        today, before = self._source.day_bar(ticker, day, now), self._previous_day(ticker)
        zero = {"o": 0, "h": 0, "l": 0, "c": 0, "v": 0, "vw": 0}
        last = _plain(ended.take(slice(-1, None))) or {**zero, "t": 0, "n": 0}
        last["av"] = int(bars.volume[bars.start + MINUTE_MS <= now].sum()) // SHARE
        short = [{name: each[name] for name in zero} for each in (_plain(today) or zero, _plain(before) or zero)]
        price, reference = last["c"] or short[0]["c"], short[1]["c"]
        change = round(price - reference, 4) if price and reference else 0.0
        return {
            "ticker": ticker, "day": short[0], "prevDay": short[1], "min": last, "todaysChange": change,
            "todaysChangePerc": round(100 * change / reference, 4) if reference else 0.0, "updated": now * 1_000_000,
        }  # fmt: skip

    # -- references -------------------------------------------------------------------------------------------------------

    def _market_status(self, query: dict[str, str], request_id: str) -> dict[str, Any]:
        now = self._clock.now()
        session = self._source.session_at(now)
        market = {"regular": "open", None: "closed"}.get(session, "extended-hours")
        return {
            "market": market, "earlyHours": session == "pre", "afterHours": session == "post",
            "serverTime": new_york_time(now).isoformat(timespec="seconds"),
            "exchanges": dict.fromkeys(("nasdaq", "nyse", "otc"), market),
            "currencies": {"fx": "open", "crypto": "open"}, "indicesGroups": {},
        }  # fmt: skip

    def _tickers(self, query: dict[str, str], request_id: str) -> dict[str, Any]:
        limit = limit_of(query, 100, 1000)
        names = sorted(each for each in self._source.symbols if is_ticker_wanted(each, query))
        if query.get("order") == "desc":
            names.reverse()
        at = cursor_of(query) or 0
        page = names[at : at + limit]
        updated = datetime.fromtimestamp(self._clock.now() / 1000, UTC).strftime("%Y-%m-%dT00:00:00Z")
        body: dict[str, Any] = {"status": "OK", "request_id": request_id, "count": len(page)}
        body["results"] = [reference_of(name, updated) for name in page]
        if at + limit < len(names):
            kept = {name: value for name, value in query.items() if name not in ("apiKey", "cursor")}
            body["next_url"] = f"{self.base}/v3/reference/tickers?{urlencode({**kept, 'cursor': at + limit})}"
        return body

    def _splits(self, query: dict[str, str], request_id: str, path: str) -> dict[str, Any]:
        limit, at = limit_of(query, 100, 5000), cursor_of(query) or 0
        found = [each for each in self._source.splits if is_split_wanted(each.ticker, each.day, query)]
        found.sort(key=lambda each: (each.day, each.ticker), reverse=True)
        body: dict[str, Any] = {"status": "OK", "request_id": request_id}
        body["results"] = [
            {"id": f"{each.ticker}-{each.day}", "ticker": each.ticker, "execution_date": each.day.isoformat(),
             "split_from": each.split_from, "split_to": each.split_to} for each in found[at : at + limit]
        ]  # fmt: skip
        if at + limit < len(found):
            kept = {name: value for name, value in query.items() if name not in ("apiKey", "cursor")}
            body["next_url"] = f"{self.base}{path}?{urlencode({**kept, 'cursor': at + limit})}"
        return body


class _Pace:
    """At most so many requests in any minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def allows(self) -> bool:
        if not self._per_minute:
            return True
        now = time.monotonic()
        with self._lock:
            while self._times and self._times[0] <= now - 60:
                self._times.popleft()
            if len(self._times) >= self._per_minute:
                return False
            self._times.append(now)
            return True


def _whole_windows(base: Bars, following: int | None, window: int, descending: bool) -> tuple[Bars, int | None]:
    """Without a last window that the limit cut in two, unless it is the only one: that one goes to the next page."""
    if following is None:
        return base, None
    cut = _window_starts(np.array([following]), window)[0]
    kept = base.take(_window_starts(base.start, window) != cut)
    if not len(kept):
        return base, following
    return kept, int(cut + window - 1) if descending else int(cut)


def _window_starts(starts: np.ndarray[Any, np.dtype[np.int64]], window: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Windows are counted from midnight in New York."""
    midnight = new_york_ms(new_york_time(int(starts[0])).date(), time_of_day()) if len(starts) else 0
    return midnight + (starts - midnight) // window * window


def _folded(base: Bars, window: int) -> Bars:
    """Bars of several base bars each, in the order of time."""
    ordered = base.take(np.argsort(base.start, kind="stable"))
    starts = _window_starts(ordered.start, window)
    first = np.concatenate(([0], np.flatnonzero(np.diff(starts)) + 1))
    last = np.append(first[1:], len(starts)) - 1
    return Bars(
        ordered.symbol[first], starts[first], ordered.open[first], np.maximum.reduceat(ordered.high, first),
        np.minimum.reduceat(ordered.low, first), ordered.close[last], np.add.reduceat(ordered.volume, first),
        np.add.reduceat(ordered.dollars, first), np.add.reduceat(ordered.count, first),
    )  # fmt: skip


def _records(bars: Bars, descending: bool = False, ticker: str = "") -> list[_Bar]:
    order = np.argsort(bars.start, kind="stable")
    bars = bars.take(order[::-1] if descending else order)
    columns = (
        bars.volume / SHARE, volume_weighted(bars.dollars, bars.volume), bars.open, bars.close, bars.high, bars.low, bars.start,
        bars.count,
    )  # fmt: skip
    return list(map(_Bar, *(each.tolist() for each in columns), [ticker] * len(bars)))


def _plain(bars: Bars | None) -> dict[str, Any] | None:
    if bars is None or not len(bars):
        return None
    result: dict[str, Any] = msgspec.to_builtins(_records(bars)[0])
    return result
