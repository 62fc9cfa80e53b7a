"""The feed's side: frames of every channel up to the ticks that are forwarded, statuses, and the bodies of REST."""

from __future__ import annotations

import json
import logging
from datetime import date
from typing import Any

import msgspec

from tests.fuzz.inputs import Inputs
from tests.fuzz.run import ACCEPTED
from tickstock.errors import FeedBusy, FeedLost, FeedRefused, RestError
from tickstock.feed.feed_items import EARLIEST_MS, HIGHEST_PRICE, LATEST_MS, FeedTick
from tickstock.feed.feed_stream import FeedStream
from tickstock.feed.massive_client import ConnectionState
from tickstock.feed.massive_events import decode_frame
from tickstock.feed.massive_rest import MassiveRest, RestBar
from tickstock.feed.massive_session import MassiveSession
from tickstock.feed.silence import SilenceRule
from tickstock.feed.status_frames import statuses_in
from tickstock.logs import Rejections
from tickstock.market_data.run_sequence import MOST_SHARES, RunSequence
from tickstock.market_hours import AlwaysOpenCalendar
from tickstock.settings import Settings

NOW = 1_763_739_030_000  # 2025-11-21 10:30:30 in New York
RENEW_AFTER = 20_000  # inputs: what is remembered of symbols belongs to a run of the app

TRADE: dict[str, Any] = {
    "ev": "T", "sym": "AAPL", "i": "143541", "x": 4, "p": 297.845, "s": 40, "t": NOW, "pt": NOW - 7, "q": 4938312, "z": 3,
    "trfi": 202, "trft": NOW, "ds": "40.0", "c": [12, 37],
}  # fmt: skip
WINDOW: dict[str, Any] = {
    "ev": "A", "sym": "AAPL", "v": 80, "av": 144673, "vw": 296.32, "o": 296.32, "c": 296.4, "h": 296.5, "l": 296.3, "a": 296.67,
    "z": 80, "s": NOW - 2000, "e": NOW - 1000, "dv": "80.0", "dav": "144673.243177", "op": 295.1, "otc": True,
}  # fmt: skip
QUOTE = {"ev": "Q", "sym": "AAPL", "i": [604], "bx": 15, "ax": 12, "bp": 297.83, "ap": 297.86, "bs": 80, "as": 80, "t": NOW}
STATUS = {"ev": "status", "status": "success", "message": "subscribed to: T.AAPL"}


def _frame(*events: dict[str, Any]) -> bytes:
    return json.dumps(events, separators=(",", ":")).encode()


def _trade(**fields: Any) -> dict[str, Any]:
    return {**TRADE, **fields}


def _window(**fields: Any) -> dict[str, Any]:
    return {**WINDOW, **fields}


MINUTE = _window(ev="AM", s=NOW - 90_000, e=NOW - 30_000)
FRAMES = {
    "T": [
        _frame(_trade()), _frame(_trade(c=None, ds=None, q=4938313), _trade(sym="MSFT", t=NOW - 61_000, c=[5])),
        _frame(STATUS, _trade(q=5), QUOTE), _frame({"ev": "T", "sym": "BRK.B", "p": 412.0, "s": 12.0, "t": NOW - 30_000}),
        _frame(_trade(t=NOW * 1_000_000), _trade(t=NOW + 30_000)),
    ],
    "A": [
        _frame(_window()), _frame(_window(v=90, av=144683), _window(sym="MSFT")), _frame(STATUS, _window(), QUOTE),
        _frame({"ev": "A", "sym": "F", "s": NOW - 3000, "o": 1, "h": 2, "l": 1, "c": 2, "v": 5.0}),
    ],
    "AM": [
        _frame(MINUTE), _frame({**MINUTE, "v": 99, "h": 297.0}, {**MINUTE, "sym": "SPY", "s": NOW - 150_000, "e": NOW - 90_000}),
    ],
}  # fmt: skip


class Frames:
    """Frames of one channel: decoded, made into ticks, given positions."""

    def __init__(self, channel: str) -> None:
        self.name = f"frames of {channel}"
        self._channel = channel
        self._calendar = AlwaysOpenCalendar()
        self._settings = Settings(channel=channel, calendar="always_open")
        self._renew()

    def inputs(self, seed: int) -> Inputs:
        return Inputs(f"{self.name} {seed}", FRAMES[self._channel])

    def _renew(self) -> None:
        self._taken = 0
        self._bad = Rejections(logging.getLogger("fuzz"), "FUZZ")
        self._sequence = RunSequence(
            "run", "massive", lambda watermark: FeedStream.for_settings(self._settings, self._calendar, watermark),
            self._calendar, SilenceRule(self._settings, self._calendar), previous=None, wall_clock=True, delay_ms=0, now_ms=NOW,
        )  # fmt: skip
        self._sequence.state_changed(ConnectionState("confirmed", "1 of 1"), NOW)
        self._next = 1

    def _rejected(self) -> dict[str, int]:
        counts = dict(self._bad.counts + self._sequence.stream.rejections.counts + self._sequence.rejections.counts)
        return counts | {"too late": self._sequence.stream.counts["too_late"]}

    def _seen(self) -> int:
        """Events of which something came: a tick, or a count that says why there is none."""
        counts = self._sequence.stream.counts
        return (
            counts["trades"] + counts["windows"] + counts["other_channel"] + self._sequence.stream.rejections.total
        )  # fmt: skip

    def take(self, data: bytes) -> str:
        self._taken += 1
        if self._taken > RENEW_AFTER:
            self._renew()
        before, bad, seen = self._rejected(), self._bad.total, self._seen()
        events = decode_frame(data, self._bad)
        assert len(events) + self._bad.total - bad == events_in(data), "an event was lost, or counted twice"
        pieces = self._sequence.add(events, NOW, NOW)
        assert self._seen() - seen == len(events), "an event without a trace"
        for piece in pieces:
            assert piece.first == self._next
            self._next += len(piece.ticks)
            for tick in piece.ticks:
                assert is_valid(tick), tick
        return next((kind for kind, count in self._rejected().items() if count > before.get(kind, 0)), ACCEPTED)


def events_in(frame: bytes) -> int:
    """How many events stand in a frame; one that is no array counts as one."""
    try:
        return len(msgspec.json.decode(frame, type=list[msgspec.Raw]))
    except (ValueError, RecursionError):
        return 1


def is_valid(tick: FeedTick) -> bool:
    """Whether this may be forwarded."""
    return (
        type(tick.price) is float
        and 0 < tick.price < HIGHEST_PRICE
        and type(tick.volume) is int
        and 0 <= tick.volume <= MOST_SHARES
        and type(tick.timestamp) is int
        and EARLIEST_MS <= tick.timestamp < LATEST_MS
        and 0 < len(tick.symbol) <= 32
        and tick.symbol.isprintable()
    )


class FeedStatuses:
    """What the server says about the connection: the session goes on, or ends with an error that says what to do."""

    name = "statuses of the feed"

    def inputs(self, seed: int) -> Inputs:
        words = [
            "connected",
            "auth_success",
            "success",
            "error",
            "auth_failed",
            "auth_timeout",
            "max_connections",
            "slow_consumer",
            "ended",
        ]
        examples = [_frame({**STATUS, "status": word}) for word in words]
        return Inputs(f"{self.name} {seed}", [*examples, _frame(STATUS, TRADE), _frame(STATUS, STATUS)])

    def take(self, data: bytes) -> str:
        statuses, has_data = statuses_in(data)
        session = MassiveSession("secret-key", "T", ["AAPL"], 15.0, 0.0)
        try:
            for each in statuses:
                for message in session.answer(each, 1.0):
                    msgspec.json.decode(message)
            session.check_time(20.0)
        except (FeedLost, FeedRefused, FeedBusy) as problem:
            assert "secret-key" not in str(problem)
            return type(problem).__name__
        return "nothing about the connection" if has_data and not statuses else ACCEPTED


class _Bodies:
    """Answers of REST as they come, without their socket."""

    def __init__(self) -> None:
        self.body = b""

    def get(self, path: str, parameters: dict[str, str] | None = None) -> bytes:
        return self.body

    def next_page(self, url: str) -> bytes:
        return self.body

    def close(self) -> None:
        pass


BAR = {"t": NOW - 90_000, "o": 1.5, "h": 2.0, "l": 1.25, "c": 1.75, "v": 1234.0, "n": 7, "vw": 1.6}
SPLIT = {"id": "E1", "ticker": "AAPL", "execution_date": "2025-11-21", "split_from": 1, "split_to": 4}
REFERENCE = {"ticker": "AAPL", "name": "Apple Inc.", "primary_exchange": "XNAS", "type": "CS", "active": True}
TICKER = {"ticker": "AAPL", "day": {"c": 2.0, "v": 100.5}, "prevDay": {"c": 1.9, "v": 1}, "lastTrade": {"p": 2.01, "t": 1}}


class RestBodies:
    """The bodies of one kind of answer."""

    def __init__(self, kind: str) -> None:
        self.name = f"REST {kind}"
        self._kind = kind
        self._http = _Bodies()
        self._rest = MassiveRest("http://127.0.0.1:1", "key")
        self._rest._http = self._http  # type: ignore[assignment]

    def inputs(self, seed: int) -> Inputs:
        bodies: list[dict[str, Any]] = {
            "bars": [
                {"status": "OK", "ticker": "AAPL", "results": [BAR, {**BAR, "t": NOW - 30_000}], "resultsCount": 2},
                {"status": "DELAYED", "results": [BAR], "next_url": "http://other/v2/aggs?cursor=abc"}, {"status": "OK"},
            ],
            "splits": [{"status": "OK", "results": [SPLIT, {**SPLIT, "split_from": 10.0}], "next_url": None}],
            "snapshots": [{"status": "OK", "count": 1, "tickers": [TICKER, {"ticker": "MSFT"}]}],
            "tickers": [{"status": "OK", "results": [REFERENCE, {"ticker": "KIMpL"}], "next_url": None}],
        }[self._kind]  # fmt: skip
        error = {"status": "ERROR", "error": "something", "message": "else"}
        return Inputs(f"{self.name} {seed}", [json.dumps(body).encode() for body in (*bodies, error)])

    def take(self, data: bytes) -> str:
        self._http.body = data
        try:
            for bar in self._bars():
                assert is_bar(bar), bar
        except RestError:
            return "RestError"
        return ACCEPTED

    def _bars(self) -> list[RestBar]:
        if self._kind == "bars":
            previous = self._rest.previous_day("AAPL")
            day = date(2025, 11, 21)
            return [
                *self._rest.minute_bars("AAPL", NOW - 120_000, NOW),
                *self._rest.day_bars("AAPL", day, day),
                *filter(None, [previous]),
            ]
        if self._kind == "splits":
            for split in self._rest.splits(date(2025, 11, 1), date(2025, 11, 30)):
                assert 0 < split.split_from < 1e9 and 0 < split.split_to < 1e9 and split.symbol, split
        for ticker in self._rest.tickers() if self._kind == "tickers" else ():
            texts = (ticker.symbol, ticker.name or "-", ticker.exchange or "-", ticker.type or "-")
            assert all(1 <= len(text) <= 200 and text.isprintable() for text in texts) and len(ticker.symbol) <= 32, ticker
        for each in self._rest.snapshot(["AAPL"]) if self._kind == "snapshots" else ():
            assert each.previous_close is None or 0 < each.previous_close < HIGHEST_PRICE, each
            assert each.last_price is None or 0 < each.last_price < HIGHEST_PRICE, each
            assert each.day_volume is None or 0 <= each.day_volume <= 1e15, each
        return []


def is_bar(bar: RestBar) -> bool:
    """Whether this can be stored and analysed."""
    return (
        EARLIEST_MS // 2 <= bar.timestamp < LATEST_MS
        and 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high < 1e18
        and 0 <= bar.volume < 1e15
        and (bar.trades is None or 0 <= bar.trades < 1e15)
    )
