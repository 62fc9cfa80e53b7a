"""Batches of ticks and statuses as Redis takes them: the log's entry, the messages, the transaction around both.

No socket and no clock: ticks in, bytes out. A tick is written twice, as one message of the channel and as one line of the log;
`repr` of its price, the dearest part, is made once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tickstock.contract import (
    STATUS_CHANNEL,
    STATUS_LATEST_KEY,
    TICKS_CHANNEL,
    TICKS_LOG_KEY,
    FeedStatus,
    MarketTick,
    decode_log_entry,
    encode,
    log_entry_fields,
)
from tickstock.feed.feed_items import FeedTick

BATCH_TICKS = 1000  # at most this many ticks in one transaction: about a millisecond of Redis's time
ENTRY_OVERHEAD_BYTES = 400  # a batch's objects in memory, and its keys and nodes in Redis, beside its text


def command(*parts: bytes | str | int) -> bytes:
    """One command as Redis reads it (RESP)."""
    encoded = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in encoded)


MULTI = command("MULTI")
EXEC = command("EXEC")
_PUBLISH_TICK = f"*3\r\n$7\r\nPUBLISH\r\n${len(TICKS_CHANNEL)}\r\n{TICKS_CHANNEL}\r\n$"
_BETWEEN_TICKS = "\r\n" + _PUBLISH_TICK


@dataclass(frozen=True, slots=True, order=True)
class LogId:
    """The id of an entry of a Redis stream: `<ms>-<position of the batch's last tick>`."""

    ms: int
    position: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.position}"

    @classmethod
    def parse(cls, text: bytes) -> LogId:
        """Read `<ms>-<number>`."""
        ms, _, position = text.partition(b"-")
        return cls(int(ms), int(position))


@dataclass(frozen=True, slots=True)
class LogSpan:
    """What a log in Redis reaches from and to; `highest` is the highest id that it ever gave: new ones must be higher."""

    first: LogId | None = None
    last: LogId | None = None
    highest: LogId | None = None


@dataclass(slots=True)
class Batch:
    """Ticks with consecutive positions, and the statuses between them, sealed: nothing is added to it any more."""

    run: str
    source: str
    first: int
    count: int
    base: int
    log: str  # the entry's messages: what is kept of a batch that waits or was acknowledged
    statuses: int
    latest: FeedStatus | None  # the last status in it
    publishes: bytes | None  # PUBLISH of every message, ready to send; None while it waits long, then made from `log`
    id: LogId | None = None  # given when it is first sent, and kept
    published: bool = False  # its messages are out, only its entry is missing in the log
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.log) + len(self.publishes or b"") + ENTRY_OVERHEAD_BYTES

    @property
    def last(self) -> int:
        """Position of the last tick up to its end; that of the tick before it when it holds none."""
        return self.first + self.count - 1

    def shrink(self) -> None:
        """Drop what can be made again from the log's lines: they take a sixth of the memory."""
        self.publishes = None
        self.size = len(self.log) + ENTRY_OVERHEAD_BYTES

    def entry(self) -> dict[str, str]:
        """The fields of its entry in the log."""
        return log_entry_fields(self.run, self.first, self.count, self.source, self.base, (self.log,))

    def add_to_log(self, keep_ms: int, key: str = TICKS_LOG_KEY) -> bytes:
        """The XADD of its entry, which also trims entries older than `keep_ms`."""
        assert self.id is not None
        pairs = (part for pair in self.entry().items() for part in pair)
        return command("XADD", key, "MINID", "~", max(0, self.id.ms - keep_ms), str(self.id), *pairs)

    def commands(self, keep_ms: int) -> tuple[bytes, int]:
        """What its transaction does, and in how many commands: its entry, its messages, the latest status."""
        parts, count = [self.add_to_log(keep_ms)], 1
        if not self.published:
            parts.append(self.publishes if self.publishes is not None else self._publishes_from_log())
            count += self.count + self.statuses
        if self.latest is not None:
            parts.append(command("SET", STATUS_LATEST_KEY, encode(self.latest)))
            count += 1
        return b"".join(parts), count

    def _publishes_from_log(self) -> bytes:
        builder = BatchBuilder(self.run, self.source)
        fields = {name.encode(): value.encode() for name, value in self.entry().items()}
        position = self.first
        for message in decode_log_entry(fields).messages:
            if isinstance(message, MarketTick):
                builder.add_ticks(position, (message,))
                position += 1
            else:
                builder.add_status(position - 1, message)
        again = builder.seal()
        assert again.publishes is not None
        return again.publishes


class _Prefixes(dict[str, str]):
    """The beginning of each symbol's message, up to its price."""

    def __missing__(self, symbol: str) -> str:
        if len(self) > 100_000:
            self.clear()
        self[symbol] = prefix = f'{{"type":"market_tick","symbol":{json.dumps(symbol)},"price":'
        return prefix


class BatchBuilder:
    """The batch that is being filled. The caller seals it before a position is left out, and when it is full."""

    def __init__(self, run: str, source: str) -> None:
        self.run = run
        self.count = 0
        self._source = source
        self._tail = f',"source":{json.dumps(source)}}}'
        self._prefixes = _Prefixes()
        self._clear()

    def _clear(self) -> None:
        self._first = self._base = self.count = self._statuses = 0
        self._lines: list[str] = []
        self._ticks: list[str] = []  # messages with their lengths, since the last status
        self._publishes: list[str] = []
        self._latest: FeedStatus | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to seal."""
        return not self._lines

    @property
    def next_position(self) -> int:
        """The position that the next tick must have to stand in this batch."""
        return self._first + self.count

    @property
    def size(self) -> int:
        """Roughly the bytes that it holds."""
        return self.count * 220 + self._statuses * 600 + ENTRY_OVERHEAD_BYTES

    def add_ticks(self, first: int, ticks: Sequence[FeedTick | MarketTick]) -> None:
        """Append ticks; the first has position `first`."""
        if not self._lines:
            self._first = first
        if not self.count and ticks:
            self._base = ticks[0].timestamp
        self.count += len(ticks)
        base, tail, prefixes = self._base, self._tail, self._prefixes
        add_line: Callable[[str], None] = self._lines.append
        add_message: Callable[[str], None] = self._ticks.append
        for tick in ticks:
            symbol, price, volume, timestamp = tick.symbol, repr(tick.price), tick.volume, tick.timestamp
            # contract.log_tick_line, written out: a call per tick would cost a tenth of everything
            add_line(f"{symbol}\t{price}\t{volume}\t{timestamp - base}")
            message = f'{prefixes[symbol]}{price},"volume":{volume},"timestamp":{timestamp}{tail}'
            add_message(f"{len(message)}\r\n{message}")

    def add_status(self, position: int, status: FeedStatus) -> None:
        """Append a status that stands behind the tick with this position."""
        if not self._lines:
            self._first = position + 1
        text = encode(status)
        self._lines.append(text.decode())
        self._end_ticks()
        self._publishes.append(command("PUBLISH", STATUS_CHANNEL, text).decode())
        self._statuses += 1
        self._latest = status

    def seal(self) -> Batch:
        """What was added, as a batch; the next one starts empty."""
        self._end_ticks()
        publishes = "".join(self._publishes).encode()
        batch = Batch(
            self.run, self._source, self._first, self.count, self._base, "\n".join(self._lines), self._statuses,
            self._latest, publishes,
        )  # fmt: skip
        self._clear()
        return batch

    def _end_ticks(self) -> None:
        if self._ticks:
            self._publishes.append(_PUBLISH_TICK + _BETWEEN_TICKS.join(self._ticks) + "\r\n")
            self._ticks = []
