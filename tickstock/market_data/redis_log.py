"""What is asked of Redis about the log: who may write it, where it ends, what it holds; and the writing of a batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import hiredis
import redis

from tickstock.contract import (
    PUBLISHER_LEASE_KEY,
    TICKS_LOG_KEY,
    TICKS_LOG_MAX_AGE_MS,
    TICKS_LOG_MAX_BYTES,
    TICKS_TAKEN_KEY,
    FeedStatus,
    TakenPosition,
    decode,
    decode_log_entry,
)
from tickstock.errors import MessageError
from tickstock.market_data.redis_link import RedisLink
from tickstock.market_data.tick_batch import EXEC, MULTI, Batch, LogId, LogSpan, command
from tickstock.redis_streams import REFILL_EXPIRES_MS, SPAN_SCRIPT

logger = logging.getLogger(__name__)

LEASE_MS = 5000
_ENTRIES_PER_READ = 200
_ENTRIES_SEARCHED = 4000  # for the last status: one comes at least every second
_REFILL_ENTRIES = 50  # entries in one exchange: a megabyte or two
_REFILL_KEY = TICKS_LOG_KEY + ":refill"
_GET_TAKEN = command("GET", TICKS_TAKEN_KEY)
# Every write is a transaction that Redis carries out only while the lease is as it was when it was watched, and was ours.
_FENCE = command("WATCH", PUBLISHER_LEASE_KEY) + command("GET", PUBLISHER_LEASE_KEY)
_FENCE_REPLIES = 2

# Take the lease, renew it, or name who holds it, in one step: two apps must never both believe they have it.
_CLAIM = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class LeaseLapsed(redis.RedisError):
    """The lease is not ours any more, or was away for a moment: nothing was carried out."""


class EntryRefused(redis.ResponseError):
    """The messages of a batch were published, but Redis refused its entry."""


class RedisLog:
    """The log over one connection. Its methods raise what `RedisLink` raises when the connection is of no more use."""

    def __init__(self, link: RedisLink, *, keep_ms: int = TICKS_LOG_MAX_AGE_MS, keep_bytes: int = TICKS_LOG_MAX_BYTES) -> None:
        self._link = link
        self._keep_ms = keep_ms
        self._keep_bytes = keep_bytes
        self._run = ""
        self._fenced = False  # the lease was this run's when it was watched

    def identify(self) -> tuple[str, int]:
        """The server's run id, which changes when it restarts, and this connection's id."""
        lines = bytes(self._link.ask("INFO", "server")).decode().splitlines()
        server = next((line.partition(":")[2].strip() for line in lines if line.startswith("run_id:")), "")
        return server, int(self._link.ask("CLIENT", "ID"))

    def end_connection(self, client: int) -> None:
        """End another connection of this server; what it sent and was not yet carried out is lost with it."""
        try:
            self._link.ask("CLIENT", "KILL", "ID", client)
        except hiredis.ReplyError as refusal:
            if "No such client" not in str(refusal):  # it is gone already
                raise

    def claim(self, run: str) -> str:
        """Take or renew the lease for a run; returns the run that holds it now.

        Raises:
            LeaseLapsed: it was ours, and gone again at once.
        """
        asked = command("UNWATCH") + command("EVAL", _CLAIM, 1, PUBLISHER_LEASE_KEY, run, LEASE_MS) + _FENCE
        _, holder, _, watched = _no_errors(self._link.exchange(asked, 2 + _FENCE_REPLIES))
        self._run, self._fenced = run, watched == run.encode()
        if bytes(holder).decode() == run and not self._fenced:
            raise LeaseLapsed("the lease was taken away in the moment in which it was given")
        return bytes(holder).decode()

    def release(self, run: str) -> None:
        """Give the lease back, if this run holds it."""
        self._link.ask("EVAL", _RELEASE, 1, PUBLISHER_LEASE_KEY, run)

    def span(self) -> LogSpan:
        """What the log reaches from and to."""
        ids = self._link.ask("EVAL", SPAN_SCRIPT, 1, TICKS_LOG_KEY)
        return LogSpan(*(LogId.parse(each) if each else None for each in ids))

    def holds(self, entry: LogId) -> bool:
        """Whether the log has this entry."""
        return bool(self._link.ask("XRANGE", TICKS_LOG_KEY, str(entry), str(entry)))

    def last_status(self) -> FeedStatus | None:
        """The last status in the log."""
        upper = "+"
        for _ in range(_ENTRIES_SEARCHED // _ENTRIES_PER_READ):
            entries = self._link.ask("XREVRANGE", TICKS_LOG_KEY, upper, "-", "COUNT", _ENTRIES_PER_READ)
            for _, pairs in entries:
                try:
                    messages = decode_log_entry(dict(zip(pairs[::2], pairs[1::2], strict=True))).messages
                except MessageError:
                    continue  # not ours
                for message in reversed(messages):
                    if isinstance(message, FeedStatus):
                        return message
            if len(entries) < _ENTRIES_PER_READ:
                return None
            upper = "(" + entries[-1][0].decode()
        return None

    def append_again(self, batches: Sequence[Batch]) -> None:
        """Put back entries that the log lost at its end, without publishing."""
        for start in range(0, len(batches), _REFILL_ENTRIES):
            part = batches[start : start + _REFILL_ENTRIES]
            self._transaction(b"".join(batch.add_to_log(self._keep_ms) for batch in part), len(part))

    def make_again(self, batches: Sequence[Batch]) -> None:
        """Put these entries in the place of a log that lost its beginning; readers see the old one or all of the new one."""
        self._link.ask("DEL", _REFILL_KEY)
        expire = command("PEXPIRE", _REFILL_KEY, REFILL_EXPIRES_MS)
        for start in range(0, len(batches), _REFILL_ENTRIES):
            part = batches[start : start + _REFILL_ENTRIES]
            adding = b"".join(batch.add_to_log(self._keep_ms, _REFILL_KEY) for batch in part)
            _no_errors(self._link.exchange(adding + expire, len(part) + 1))
        self._transaction(command("PERSIST", _REFILL_KEY) + command("RENAME", _REFILL_KEY, TICKS_LOG_KEY), 2)

    def send(self, batch: Batch, ask_taken: bool) -> TakenPosition | None:
        """Write a batch to the log and publish it, in one transaction; with `ask_taken`, how far TickStockPL has come.

        Raises:
            LeaseLapsed: nothing was carried out, because the lease is not ours.
            EntryRefused: it was published, but is not in the log.
            redis.ResponseError: Redis refused all of it.
        """
        commands, count = batch.commands(self._keep_ms)
        executed, taken = self._executed(commands, count, _GET_TAKEN if ask_taken else b"")
        if isinstance(executed[0], hiredis.ReplyError):
            raise EntryRefused(f"Redis refused an entry of {TICKS_LOG_KEY}: {executed[0]}")
        return _taken(taken[0]) if ask_taken else None

    def _transaction(self, commands: bytes, count: int) -> None:
        _no_errors(self._executed(commands, count)[0])

    def _executed(self, commands: bytes, count: int, then: bytes = b"") -> tuple[list[Any], list[Any]]:
        """Carry out commands in one transaction, only while the lease is ours; the replies to them, and to `then`."""
        if not self._fenced:
            raise LeaseLapsed(f"run {self._run} does not hold the lease")
        asked = b"".join((MULTI, commands, EXEC, _FENCE, then))
        replies = self._link.exchange(asked, count + 2 + _FENCE_REPLIES + bool(then))
        executed, watched = replies[count + 1], replies[count + 3]
        self._fenced = watched == self._run.encode()
        if executed is None:
            raise LeaseLapsed(f"run {self._run} lost the lease")
        if not isinstance(executed, list):
            reason = next((reply for reply in replies if isinstance(reply, hiredis.ReplyError)), executed)
            raise redis.ResponseError(f"Redis refused a transaction of {count} commands: {reason}")
        return executed, replies[count + 4 :]

    def taken(self) -> TakenPosition | None:
        """How far TickStockPL has come; None when it has not said."""
        return _taken(self._link.ask("GET", TICKS_TAKEN_KEY))

    def trim_to_size(self) -> bool:
        """Drop the log's oldest entries when it has outgrown its size; true when it had."""
        try:
            size = int(self._link.ask("MEMORY", "USAGE", TICKS_LOG_KEY, "SAMPLES", 100) or 0)
            if size > self._keep_bytes:
                entries = int(self._link.ask("XLEN", TICKS_LOG_KEY))
                self._link.ask("XTRIM", TICKS_LOG_KEY, "MAXLEN", "~", int(entries * 0.95 * self._keep_bytes / size))
                return True
        except hiredis.ReplyError as refusal:  # a server that does not know or allow it: age still limits the log
            logger.debug("MARKET-DATA-SERVICE: the log's size is not known: %s", refusal)
        return False


def _no_errors(replies: list[Any]) -> list[Any]:
    for reply in replies:
        if isinstance(reply, hiredis.ReplyError):
            raise reply
    return replies


def _taken(reply: bytes | None) -> TakenPosition | None:
    try:
        return decode(reply, TakenPosition) if reply else None
    except MessageError:
        return None
