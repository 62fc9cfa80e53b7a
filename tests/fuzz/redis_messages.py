"""What comes from Redis: messages of all channels and entries of both logs, as TickStockPL and the app read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from tests.fuzz.inputs import Inputs
from tests.fuzz.run import ACCEPTED
from tests.web.services import a_pattern, a_report, an_alert, an_indicator
from tickstock import contract
from tickstock.contract import (
    FeedStatus,
    MarketTick,
    ResultsEntry,
    TakenPosition,
    decode,
    decode_log_entry,
    decode_ticks,
    encode,
    log_entry_fields,
    log_tick_line,
)
from tickstock.errors import MessageError
from tickstock.settings import Settings
from tickstock.web.application import create_app
from tickstock.web.redis_event_subscriber import RedisEventSubscriber

T0 = 1_728_300_000_000
TICK = MarketTick("AAPL", 257.01, 150, T0, "massive")
STATUS = FeedStatus("live", "massive", T0, T0, T0, "5f3c", 7, "70 of 70 subscriptions confirmed", (T0 - 60_000, T0))


def is_tick(tick: MarketTick) -> bool:
    """Whether this can go into a bar."""
    return (
        type(tick.price) is float
        and 0 < tick.price < 1e18
        and type(tick.volume) is int
        and 0 <= tick.volume <= 1_000_000_000_000
        and 0 <= tick.timestamp < 4_102_444_800_000
        and 0 < len(tick.symbol) <= 32
    )


class Ticks:
    """Messages of the ticks channel, in a row as they arrive: each is a tick or is told to be bad, whatever stands beside it."""

    name = "ticks"
    _good = encode(TICK)

    def inputs(self, seed: int) -> Inputs:
        examples = [self._good, encode(MarketTick("BRK.B", 1.0, 0, T0, "replay")), self._good[:-1] + b',"more":[{"a":1}]}']
        return Inputs(f"{self.name} {seed}", examples)

    def take(self, data: bytes) -> str:
        ticks, bad = decode_ticks([self._good, data, self._good])
        assert len(ticks) + len(bad) == 3, "a message counts once"
        assert all(is_tick(tick) for tick in ticks), ticks
        assert len(bad) <= 1 and all(payload == data for payload, _ in bad)
        return "malformed tick" if bad else ACCEPTED


class Statuses:
    """Messages of the status channel, and what stands under the keys beside it."""

    name = "statuses"

    def inputs(self, seed: int) -> Inputs:
        return Inputs(f"{self.name} {seed}", [encode(STATUS), encode(msgspec.structs.replace(STATUS, gap=msgspec.UNSET))])

    def take(self, data: bytes) -> str:
        try:
            status = decode(data, FeedStatus)
        except MessageError:
            return "malformed status"
        assert 0 <= status.watermark < 4_102_444_800_000 and status.forwarded < 2**63
        encode(status)
        return ACCEPTED


class Taken:
    """How far TickStockPL says it has come."""

    name = "taken positions"

    def inputs(self, seed: int) -> Inputs:
        return Inputs(f"{self.name} {seed}", [encode(TakenPosition("5f3c", 57810))])

    def take(self, data: bytes) -> str:
        try:
            taken = decode(data, TakenPosition)
        except MessageError:
            return "malformed position"
        assert 0 <= taken.position < 2**63
        return ACCEPTED


class TickLogEntries:
    """Entries of the log of ticks, which both applications read."""

    name = "entries of the log of ticks"

    def inputs(self, seed: int) -> Inputs:
        lines = [log_tick_line("AAPL", "257.01", 150, 0), encode(STATUS).decode(), log_tick_line("BRK.B", "1.0", 0, -250)]
        entries = [log_entry_fields("5f3c", 8, 2, "massive", T0, lines), log_entry_fields("5f3c", 1, 0, "massive", 0, lines[1:2])]
        examples = [b"\x1e".join(f"{name}\x1f{value}".encode() for name, value in entry.items()) for entry in entries]
        return Inputs(f"{self.name} {seed}", examples)

    def take(self, data: bytes) -> str:
        fields = dict(field.partition(b"\x1f")[::2] for field in data.split(b"\x1e"))
        try:
            entry = decode_log_entry(fields)
        except MessageError:
            return "malformed log entry"
        ticks = [message for message in entry.messages if isinstance(message, MarketTick)]
        assert len(ticks) == entry.count and 1 <= entry.first < 2**62 and entry.run, entry
        assert all(is_tick(tick) for tick in ticks), ticks
        return ACCEPTED


class Results:
    """Messages of one of TickStockPL's channels, or entries of its log, up to what browsers get."""

    def __init__(self, channel: str, folder: Path) -> None:
        self.name = "entries of the log of results" if channel == contract.RESULTS_LOG_KEY else f"messages of {channel}"
        self._channel = channel
        app = create_app(Settings(database_url="sqlite://", data_dir=folder, async_mode="threading", calendar="always_open"))
        live = app.extensions["tickstock"].live
        self._subscriber = RedisEventSubscriber("redis://127.0.0.1:1/0", live, lambda: None)
        self._log = live.log
        self._number = 0

    def inputs(self, seed: int) -> Inputs:
        pattern, alert, indicator = (
            a_pattern(bar=T0, details={"points": [[T0, 1.5]], "colour": 1}),
            an_alert(bar=T0),
            an_indicator(bar=T0),
        )
        examples: dict[str, list[Any]] = {
            contract.PATTERNS_CHANNEL: [pattern], contract.ALERTS_CHANNEL: [alert], contract.INDICATORS_CHANNEL: [indicator],
            contract.HEALTH_CHANNEL: [a_report(), a_report(status="degraded", issues=["no ticks yet"])],
            contract.RESULTS_LOG_KEY: [ResultsEntry("5f3c", 7, T0, [pattern], [alert], [indicator, indicator])],
        }  # fmt: skip
        return Inputs(f"{self.name} {seed}", [encode(each) for each in examples[self._channel]])

    def take(self, data: bytes) -> str:
        rejected = self._subscriber.rejections
        before, counts = rejected.total, dict(rejected.counts)
        if self._channel == contract.RESULTS_LOG_KEY:
            self._subscriber.entry({contract.RESULTS_LOG_FIELD.encode(): data})
        else:
            self._subscriber.take(self._channel, data)
        dropped = rejected.total - before
        assert dropped <= 1, "counted twice"
        self._number += 1
        if self._number % 1000 == 0:  # what browsers get can be read as JSON
            for entry in self._log.last_detected(50):
                json.loads(entry.payload)
        return next((kind for kind, count in rejected.counts.items() if count > counts.get(kind, 0)), ACCEPTED)
