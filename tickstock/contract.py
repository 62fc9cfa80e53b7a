"""Channel names and message types: the only place that knows the wire format between the two applications.

Messages are UTF-8 JSON objects; every time is an integer of Unix milliseconds UTC. Consumers ignore unknown keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from tickstock.errors import MessageError

TICKS_CHANNEL = "tickstock:market:ticks"
STATUS_CHANNEL = "tickstock:market:status"
STATUS_LATEST_KEY = "tickstock:market:status:latest"
TICKS_LOG_KEY = "tickstock:market:ticks:journal"
TICKS_TAKEN_KEY = "tickstock:market:ticks:taken"
PUBLISHER_LEASE_KEY = "tickstock:market:publisher"

PATTERNS_CHANNEL = "tickstock:patterns:streaming"
INDICATORS_CHANNEL = "tickstock:indicators:streaming"
ALERTS_CHANNEL = "tickstock:alerts:indicators"
HEALTH_CHANNEL = "tickstock:streaming:health"
HEALTH_LATEST_KEY = "tickstock:streaming:health:latest"
RESULTS_LOG_KEY = "tickstock:streaming:journal"

TICKS_LOG_MAX_AGE_MS = 15 * 60_000
TICKS_LOG_MAX_BYTES = 256 * 1024 * 1024


# What a consumer accepts; the rest is dropped like any other malformed message, before it can upset a calendar or an array.
Symbol = Annotated[str, Meta(min_length=1, max_length=32)]
Name = Annotated[str, Meta(max_length=200)]
Words = Annotated[str, Meta(max_length=4_000)]
Price = Annotated[float, Meta(gt=0, lt=1e18)]  # dollars
Volume = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]  # shares
Milliseconds = Annotated[int, Meta(ge=0, lt=4_102_444_800_000)]  # before the year 2100
Count = Annotated[int, Meta(ge=0, lt=1 << 62)]


class MarketTick(Struct, tag_field="type", tag="market_tick", frozen=True, gc=False):
    """One price of one symbol, as published on `tickstock:market:ticks`."""

    symbol: Symbol
    price: Price
    volume: Volume  # 0 when unknown
    timestamp: Milliseconds
    source: Name  # massive | simulated | replay


class SymbolsAt(Struct, frozen=True):
    """Symbols that came or went while the feed was live, and a minute's start from which on that counts."""

    symbols: list[Symbol]
    at: Milliseconds


class FeedStatus(Struct, tag_field="type", tag="feed_status", frozen=True):
    """The state of the feed and the watermark, at its place among the ticks of a run."""

    status: Name  # connecting | live | silent | reconnecting | stopped | ended
    source: Name
    since: Milliseconds  # when this status began
    timestamp: Milliseconds
    watermark: Milliseconds  # a minute that ends at or before it is complete
    run: Annotated[str, Meta(min_length=1, max_length=200)]
    forwarded: Count  # position of the last tick before this status
    detail: Words
    gap: tuple[Milliseconds, Milliseconds] | UnsetType = UNSET  # the feed was away from .. to
    joined: SymbolsAt | UnsetType = UNSET  # confirmed just now: their minutes before `at` are not whole in the log
    left: SymbolsAt | UnsetType = UNSET  # not taken in any more: their minutes from `at` on are not in the log


class StreamingPattern(Struct, tag_field="type", tag="streaming_pattern", frozen=True):
    """A pattern found in a closed bar, or the new state of a chart pattern."""

    id: Name
    symbol: Symbol
    pattern: Name
    direction: Name  # bullish | bearish | neutral
    state: Name  # confirmed | forming | void
    timeframe: Name
    session: Name
    bar_timestamp: Milliseconds
    detection_timestamp: Milliseconds
    price: Price
    quality: Annotated[float, Meta(ge=0, le=1)]
    source: Name
    origin: Name  # live | repair | history
    details: dict[str, Any]


class BarValues(Struct, frozen=True):
    """The prices and the volume of a closed bar."""

    open: Price
    high: Price
    low: Price
    close: Price
    volume: Count


class StreamingIndicator(Struct, tag_field="type", tag="streaming_indicator", frozen=True):
    """The indicator values of one symbol at one closed bar; a value that does not exist yet is left out."""

    symbol: Symbol
    timeframe: Name
    session: Name
    bar_timestamp: Milliseconds
    calculation_timestamp: Milliseconds
    bar: BarValues
    values: dict[Name, float]
    source: Name


class IndicatorAlert(Struct, tag_field="type", tag="indicator_alert", frozen=True):
    """An indicator crossed a threshold."""

    id: Name
    symbol: Symbol
    alert: Name
    indicator: Name
    value: float
    threshold: float
    direction: Name
    timeframe: Name
    session: Name
    bar_timestamp: Milliseconds
    detection_timestamp: Milliseconds
    source: Name
    origin: Name


class StreamingHealth(Struct, tag_field="type", tag="streaming_health", frozen=True):
    """What TickStockPL measures of itself."""

    status: Name  # healthy | degraded | stopped
    issues: list[Words]
    timestamp: Milliseconds
    session_id: Name
    session: Name  # active | waiting | stopped
    uptime_seconds: int
    symbols_active: int
    symbols_stale: int
    ticks_per_second: float
    ticks_total: int
    ticks_rejected: int
    ticks_late: int
    bars_per_minute: int
    lag_ms: dict[str, float]
    patterns_detected: int
    indicators_calculated: int
    alerts_raised: int
    rejected: dict[str, int] = {}  # bad input of every sort, by kind
    day_bars: dict[str, Any] | None = None  # how the bars of the last day that closed stand
    reconciliation: dict[str, Any] | None = None  # the last comparison of minute bars with the vendor's
    waiting: dict[str, int] = {}  # ticks for the engine, minutes to be stored, minutes to be published


class TakenPosition(Struct, frozen=True):
    """How far TickStockPL has come in a run: the value of `tickstock:market:ticks:taken`."""

    run: Name
    position: Count


Message = MarketTick | FeedStatus | StreamingPattern | StreamingIndicator | IndicatorAlert | StreamingHealth

_encoder = msgspec.json.Encoder()
encode = _encoder.encode

# What decoding raises; text that is nested without end is cut off by Python's limit of recursion.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_T = TypeVar("_T", bound=Struct)
_decode_tick_list = msgspec.json.Decoder(list[MarketTick]).decode


def decode(data: bytes | str, message_type: type[_T]) -> _T:
    """Read one message.

    Raises:
        MessageError: it is not JSON, lacks a required key or has a wrong type.
    """
    try:
        message: _T = _decoders[message_type].decode(data)
    except UNREADABLE as problem:
        raise MessageError(f"{message_type.__name__}: {problem}") from None
    return message


def decode_ticks(payloads: Sequence[bytes]) -> tuple[list[MarketTick], list[tuple[bytes, str]]]:
    """Read many tick messages at once; the bad ones come apart, each with what is wrong with it.

    Decoding them as one JSON array costs a third of decoding them one by one.
    """
    try:
        ticks = _decode_tick_list(b"[" + b",".join(payloads) + b"]")
    except UNREADABLE:
        ticks = []
    if len(ticks) == len(payloads):  # else one is bad, or a comma stands where a message should end
        return ticks, []
    ticks, bad = [], []
    for payload in payloads:
        try:
            ticks.append(decode(payload, MarketTick))
        except MessageError as problem:
            bad.append((payload, str(problem)))
    return ticks, bad


# --- the log of ticks -------------------------------------------------------------------------------------------------


MOST_POSITIONS = 1 << 62
LATEST_MS = 4_102_444_800_000


class LogEntry(Struct, frozen=True):
    """One entry of `tickstock:market:ticks:journal`: ticks and statuses of one run, in their order.

    The first tick has position `first`, the next one `first + 1`, and so on; statuses have none.
    """

    run: str
    first: int
    count: int
    source: str
    messages: list[MarketTick | FeedStatus]


def log_tick_line(symbol: str, price: str, volume: int, offset: int) -> str:
    """A tick in the log's compact form: symbol, price, volume, milliseconds after the entry's base, tab-separated."""
    return f"{symbol}\t{price}\t{volume}\t{offset}"


def log_entry_fields(run: str, first: int, count: int, source: str, base: int, lines: Iterable[str]) -> dict[str, str]:
    """The fields of a log entry; `lines` are ticks from `log_tick_line` and statuses as JSON, in order."""
    return {
        "run": run,
        "first": str(first),
        "count": str(count),
        "source": source,
        "base": str(base),
        "messages": "\n".join(lines),
    }


def decode_log_entry(fields: dict[bytes, bytes]) -> LogEntry:
    """Read one entry of the log.

    Raises:
        MessageError: the entry was not written by `log_entry_fields`.
    """
    try:
        run, source = fields[b"run"].decode(), fields[b"source"].decode()
        first, count, base = int(fields[b"first"]), int(fields[b"count"]), int(fields[b"base"])
        messages: list[MarketTick | FeedStatus] = []
        text = fields[b"messages"].decode()
        statuses = 0
        for line in text.split("\n") if text else ():
            if line[0] == "{" and "\t" not in line:
                messages.append(decode(line, FeedStatus))
                statuses += 1
            else:
                symbol, price, volume, offset = line.split("\t")
                messages.append(_logged_tick(symbol, float(price), int(volume), base + int(offset), source))
        if not run or not 0 < first < MOST_POSITIONS or count != len(messages) - statuses:
            raise ValueError(f"{len(messages) - statuses} ticks, said are {count} from position {first} of run {run!r}")
        return LogEntry(run, first, count, source, messages)
    except (KeyError, ValueError, IndexError) as problem:
        raise MessageError(f"log entry: {problem!r}") from None


def _logged_tick(symbol: str, price: float, volume: int, timestamp: int, source: str) -> MarketTick:
    """A tick within the limits that hold on the channel too."""
    if 0 < len(symbol) <= 32 and 0.0 < price < 1e18 and 0 <= volume <= 1_000_000_000_000 and 0 <= timestamp < LATEST_MS:
        return MarketTick(symbol, price, volume, timestamp, source)
    raise ValueError(f"no tick: {symbol[:40]!r} {price!r} {volume} {timestamp}")


# --- the log of results -----------------------------------------------------------------------------------------------


class ResultsEntry(Struct, frozen=True):
    """One closed minute in `tickstock:streaming:journal`: all that was published for it, patterns and alerts first."""

    run: str
    position: int
    minute: int
    patterns: list[StreamingPattern]
    alerts: list[IndicatorAlert]
    indicators: list[StreamingIndicator]


RESULTS_LOG_FIELD = "minute"  # the one field of an entry: a ResultsEntry as JSON


# Made here and not when first needed: msgspec (0.22) ends the process when two threads meet a type for the first time together.
_decoders: dict[type[Struct], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (
        MarketTick, FeedStatus, StreamingPattern, StreamingIndicator, IndicatorAlert, StreamingHealth, TakenPosition, ResultsEntry
    )
}  # fmt: skip
