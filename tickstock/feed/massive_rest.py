"""Massive's REST interface: bars, splits, snapshots, which stocks there are.

https://massive.com/docs/rest/stocks
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tickstock.contract import UNREADABLE
from tickstock.errors import RestError, RestNotFound
from tickstock.feed.feed_items import HIGHEST_PRICE, LATEST_MS
from tickstock.feed.massive_http import MassiveHttp
from tickstock.logs import Rejections, shortened
from tickstock.market_hours import DAY_MS
from tickstock.settings import LONGEST_SYMBOL, Settings

_MOST_PER_PAGE = 50_000
_MOST_PAGES = 1_000
_LONGEST_RANGE_MS = 28 * DAY_MS  # the vendor: minute requests of more than about a month may show gaps
_SYMBOLS_PER_SNAPSHOT = 200
_GOOD = ("OK", "DELAYED")
_TICKERS_PER_PAGE = 1_000
_LONGEST_NAME = 200
_MOST_SHARES = 1e15
_OLDEST_BAR_MS = 315_532_800_000  # 1980: a time in seconds lies before it
_HIGHEST_BAR_PRICE = 1e18  # split-adjusted prices of long ago can be far above any that was ever paid

_log = logging.getLogger(__name__)


class RestBar(Struct, frozen=True, gc=False):
    """A bar as the vendor has it."""

    timestamp: int  # start of the bar, Unix ms; of a day bar midnight in New York
    open: float
    high: float
    low: float
    close: float
    volume: int
    trades: int | None


class Split(Struct, frozen=True):
    """Of every `split_from` shares became `split_to` on `day`."""

    symbol: str
    day: date
    split_from: float
    split_to: float


class Ticker(Struct, frozen=True):
    """A stock, fund or other share that is traded; what the vendor left out is None."""

    symbol: str
    name: str | None
    exchange: str | None  # its market identifier code, such as XNAS
    type: str | None  # the vendor's code: CS common stock, ETF, ADRC …


class Snapshot(Struct, frozen=True):
    """The state of one symbol at this moment; what the vendor left out is None."""

    symbol: str
    previous_close: float | None
    last_price: float | None
    day_volume: int | None


class _Bar(Struct, gc=False):
    t: int
    o: float
    h: float
    l: float  # noqa: E741 - the vendor's name
    c: float
    v: float = 0.0
    n: int | None = None


class _BarOfTicker(_Bar, gc=False, kw_only=True):
    T: str


class _SplitRow(Struct):
    ticker: str
    execution_date: date
    split_from: float
    split_to: float


class _Day(Struct):
    c: float = 0.0
    v: float = 0.0


class _LastTrade(Struct):
    p: float = 0.0


class _TickerRow(Struct):
    ticker: str
    day: _Day | None = None
    prevDay: _Day | None = None  # noqa: N815 - the vendor's name
    lastTrade: _LastTrade | None = None  # noqa: N815


class _ReferenceRow(Struct):
    ticker: str
    name: str | None = None
    primary_exchange: str | None = None
    type: str | None = None


class _Page(Struct):
    status: str = "OK"
    error: str = ""
    message: str = ""
    next_url: str | None = None


class _Bars(_Page):
    results: list[_Bar] | None = None  # absent when the range is empty


class _Group(_Page):
    results: list[_BarOfTicker] | None = None


class _Splits(_Page):
    results: list[_SplitRow] | None = None


class _Tickers(_Page):
    tickers: list[_TickerRow] | None = None


class _Reference(_Page):
    results: list[_ReferenceRow] | None = None


_P = TypeVar("_P", bound=_Page)
# Made here and not when first needed: msgspec (0.22) ends the process when two threads meet a type for the first time together.
_decoders: dict[type[_Page], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind, strict=False) for kind in (_Bars, _Group, _Splits, _Tickers, _Reference)
}


class MassiveRest:
    """Thread-safe and bounded in time. Every method raises RestError when the vendor answers with an error, or not at all;
    RestRefused, a RestError, when the key or the plan does not allow it, so that asking again cannot help.

    Args:
        base_url: the interface's address, without a key.
        requests_per_minute: the pace, over all threads.
        deadline_seconds: how long one request may take, with its retries.
    """

    def __init__(self, base_url: str, key: str, requests_per_minute: int = 3000, deadline_seconds: float = 90.0) -> None:
        self.rejections = Rejections(_log, "REST")  # rows of answers that cannot be what they are called
        self._http = MassiveHttp(base_url, key, requests_per_minute, deadline_seconds)

    @classmethod
    def for_settings(cls, settings: Settings) -> MassiveRest:
        """The interface that the settings name."""
        return cls(settings.rest_url, settings.massive_api_key, settings.rest_requests_per_minute)

    def minute_bars(self, symbol: str, from_ms: int, to_ms: int) -> list[RestBar]:
        """Minute bars that start in [from_ms, to_ms), oldest first, split-adjusted."""
        found: dict[int, RestBar] = {}
        for start in range(from_ms, to_ms, _LONGEST_RANGE_MS):
            end = min(start + _LONGEST_RANGE_MS, to_ms)
            for bar in self._bars(symbol, "minute", str(start), str(end - 1)):
                if from_ms <= bar.timestamp < to_ms:
                    found[bar.timestamp] = bar
        return [found[timestamp] for timestamp in sorted(found)]

    def day_bars(self, symbol: str, first: date, last: date) -> list[RestBar]:
        """Day bars of the days first to last, both included, oldest first, split-adjusted."""
        return self._bars(symbol, "day", first.isoformat(), last.isoformat())

    def day_of_all(self, day: date) -> dict[str, RestBar]:
        """The bar of a day of every symbol that traded, split-adjusted; its timestamp is the end of the session."""
        path = f"/v2/aggs/grouped/locale/us/market/stocks/{day.isoformat()}"
        pages = self._pages(path, {"adjusted": "true"}, _Group)
        return {bar.T: good for page in pages for bar in page.results or () for good in self._good_bars([bar])}

    def previous_day(self, symbol: str) -> RestBar | None:
        """The day bar of the trading day before the current one."""
        path = f"/v2/aggs/ticker/{quote(symbol, safe='')}/prev"
        page = _read(self._http.get(path, {"adjusted": "true"}), _Bars, path)
        return next(iter(self._good_bars(page.results or [])), None)

    def snapshot(self, symbols: Sequence[str]) -> list[Snapshot]:
        """The state of these symbols at this moment; one that the vendor does not know is absent."""
        path = "/v2/snapshot/locale/us/markets/stocks/tickers"
        found: list[Snapshot] = []
        for start in range(0, len(symbols), _SYMBOLS_PER_SNAPSHOT):
            names = ",".join(symbols[start : start + _SYMBOLS_PER_SNAPSHOT])
            page = _read(self._http.get(path, {"tickers": names}), _Tickers, path)
            found.extend(self._snapshot(row) for row in page.tickers or ())
        return found

    def splits(self, since: date, until: date, symbol: str | None = None) -> list[Split]:
        """Splits that took effect on the days since to until, both included."""
        parameters = {"execution_date.gte": since.isoformat(), "execution_date.lte": until.isoformat(), "limit": "1000"}
        if symbol is not None:
            parameters["ticker"] = symbol
        try:
            pages = self._pages("/stocks/v1/splits", parameters, _Splits)
        except RestNotFound:
            pages = self._pages("/v3/reference/splits", parameters, _Splits)  # its older name
        rows = [row for page in pages for row in page.results or ()]
        return [Split(row.ticker, row.execution_date, row.split_from, row.split_to) for row in rows if self._is_split(row)]

    def tickers(self) -> list[Ticker]:
        """All that is traded on the stock exchanges now (some 12,000), by symbol."""
        parameters = {"market": "stocks", "active": "true", "sort": "ticker", "order": "asc", "limit": str(_TICKERS_PER_PAGE)}
        pages = self._pages("/v3/reference/tickers", parameters, _Reference)
        return [good for page in pages for row in page.results or () for good in self._good_tickers(row)]

    def close(self) -> None:
        """Close idle connections and end every wait: running calls raise RestError soon."""
        self._http.close()

    def _bars(self, symbol: str, timespan: str, first: str, last: str) -> list[RestBar]:
        path = f"/v2/aggs/ticker/{quote(symbol, safe='')}/range/1/{timespan}/{first}/{last}"
        parameters = {"adjusted": "true", "sort": "asc", "limit": str(_MOST_PER_PAGE)}
        return [bar for page in self._pages(path, parameters, _Bars) for bar in self._good_bars(page.results or [])]

    def _good_bars(self, bars: Sequence[_Bar]) -> list[RestBar]:
        good = []
        for bar in bars:
            if _is_bar(bar):
                good.append(RestBar(bar.t, bar.o, bar.h, bar.l, bar.c, int(bar.v), bar.n))
            else:
                self.rejections.add("a bar that cannot be one", bar)
        return good

    def _is_split(self, row: _SplitRow) -> bool:
        good = 0 < row.split_from < 1e9 and 0 < row.split_to < 1e9 and row.ticker != ""
        if not good:
            self.rejections.add("a split that cannot be one", row)
        return good

    def _good_tickers(self, row: _ReferenceRow) -> list[Ticker]:
        texts = (row.name, row.primary_exchange, row.type)
        if 1 <= len(row.ticker) <= LONGEST_SYMBOL and row.ticker.isprintable():
            return [
                Ticker(
                    row.ticker, *(text if text and len(text) <= _LONGEST_NAME and text.isprintable() else None for text in texts)
                )
            ]
        self.rejections.add("a ticker that cannot be one", row)
        return []

    def _snapshot(self, row: _TickerRow) -> Snapshot:
        """Of a snapshot's figures those that can be; the vendor writes 0 for "none"."""
        previous, last = row.prevDay.c if row.prevDay else 0.0, row.lastTrade.p if row.lastTrade else 0.0
        volume = row.day.v if row.day else None
        if not (0 <= previous < HIGHEST_PRICE and 0 <= last < HIGHEST_PRICE and 0 <= (volume or 0) < _MOST_SHARES):
            self.rejections.add("a snapshot with impossible figures", row)
            return Snapshot(row.ticker, None, None, None)
        return Snapshot(row.ticker, previous or None, last or None, None if volume is None else int(volume))

    def _pages(self, path: str, parameters: dict[str, str], kind: type[_P]) -> list[_P]:
        pages = [_read(self._http.get(path, parameters), kind, path)]
        seen: set[str] = set()
        while (url := pages[-1].next_url) and url not in seen:
            if len(pages) >= _MOST_PAGES:
                raise RestError(f"{path}: more than {_MOST_PAGES} pages; ask for a shorter range")
            seen.add(url)
            pages.append(_read(self._http.next_page(url), kind, path))
        return pages


def _read(body: bytes, kind: type[_P], path: str) -> _P:
    try:
        page: _P = _decoders[kind].decode(body)
    except UNREADABLE as problem:
        raise RestError(f"{path}: an answer that cannot be read ({problem}): {shortened(body[:200])}") from None
    if page.status not in _GOOD:
        said = page.error or page.message
        raise RestError(f"{path}: status {shortened(page.status)}: {shortened(said) if said else 'without an explanation'}")
    return page


def _is_bar(bar: _Bar) -> bool:
    return (
        _OLDEST_BAR_MS <= bar.t < LATEST_MS
        and 0.0 < bar.l <= bar.o <= bar.h < _HIGHEST_BAR_PRICE
        and bar.l <= bar.c <= bar.h
        and 0.0 <= bar.v < _MOST_SHARES
        and (bar.n is None or 0 <= bar.n < _MOST_SHARES)
    )
