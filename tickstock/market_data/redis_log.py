"""What is asked of Redis about the log: who may write it, where it ends, what it holds; and the writing of a batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence

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
from tickstock.market_data.tick_batch import Batch, LogId, command

logger = logging.getLogger(__name__)

LEASE_MS = 5000
_ENTRIES_PER_READ = 200
_ENTRIES_SEARCHED = 4000  # for the last status: one comes at least every second
_REFILL_ENTRIES = 50  # entries in one exchange: a megabyte or two
_GET_TAKEN = command("GET", TICKS_TAKEN_KEY)

# Take the lease, renew it, or name who holds it, in one step: two apps must never both believe they have it.
_CLAIM = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class EntryRefused(redis.ResponseError):
    """The messages of a batch were published, but Redis refused its entry."""


class RedisLog:
    """The log over one connection. Its methods raise what `RedisLink` raises when the connection is of no more use."""

    def __init__(self, link: RedisLink, *, keep_ms: int = TICKS_LOG_MAX_AGE_MS, keep_bytes: int = TICKS_LOG_MAX_BYTES) -> None:
        self._link = link
        self._keep_ms = keep_ms
        self._keep_bytes = keep_bytes

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
        """Take or renew the lease for a run; returns the run that holds it now."""
        return bytes(self._link.ask("EVAL", _CLAIM, 1, PUBLISHER_LEASE_KEY, run, LEASE_MS)).decode()

    def release(self, run: str) -> None:
        """Give the lease back, if this run holds it."""
        self._link.ask("EVAL", _RELEASE, 1, PUBLISHER_LEASE_KEY, run)

    def end(self) -> tuple[LogId | None, LogId | None]:
        """The id of the last entry, and the highest id ever given, which a trimmed log remembers."""
        last = self._link.ask("XREVRANGE", TICKS_LOG_KEY, "+", "-", "COUNT", 1)
        last_entry = LogId.parse(last[0][0]) if last else None
        try:
            facts = self._link.ask("XINFO", "STREAM", TICKS_LOG_KEY)
        except hiredis.ReplyError:  # there is no log
            return last_entry, last_entry
        generated = dict(zip(facts[::2], facts[1::2], strict=True)).get(b"last-generated-id")
        return last_entry, LogId.parse(generated) if generated else last_entry

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

    def refill(self, batches: Sequence[Batch]) -> None:
        """Put back entries that the log lost, without publishing."""
        for start in range(0, len(batches), _REFILL_ENTRIES):
            part = batches[start : start + _REFILL_ENTRIES]
            replies = self._link.exchange(b"".join(batch.add_to_log(self._keep_ms) for batch in part), len(part))
            for reply in replies:
                if isinstance(reply, hiredis.ReplyError):
                    raise reply

    def send(self, batch: Batch, ask_taken: bool) -> TakenPosition | None:
        """Write a batch to the log and publish it, in one transaction; with `ask_taken`, how far TickStockPL has come.

        Raises:
            EntryRefused: it was published, but is not in the log.
            redis.ResponseError: Redis refused all of it.
        """
        data, commands = batch.transaction(self._keep_ms)
        replies = self._link.exchange(data + _GET_TAKEN if ask_taken else data, commands + 2 + ask_taken)
        executed = replies[commands + 1]
        if not isinstance(executed, list):
            reason = next((reply for reply in replies if isinstance(reply, hiredis.ReplyError)), executed)
            raise redis.ResponseError(f"Redis refused a batch of {batch.count} ticks: {reason}")
        if isinstance(executed[0], hiredis.ReplyError):
            raise EntryRefused(f"Redis refused an entry of {TICKS_LOG_KEY}: {executed[0]}")
        return _taken(replies[-1]) if ask_taken else None

    def taken(self) -> TakenPosition | None:
        """How far TickStockPL has come; None when it has not said."""
        return _taken(self._link.ask("GET", TICKS_TAKEN_KEY))

    def trim_to_size(self) -> None:
        """Drop the log's oldest entries when it has outgrown its size."""
        try:
            size = int(self._link.ask("MEMORY", "USAGE", TICKS_LOG_KEY, "SAMPLES", 100) or 0)
            if size > self._keep_bytes:
                entries = int(self._link.ask("XLEN", TICKS_LOG_KEY))
                self._link.ask("XTRIM", TICKS_LOG_KEY, "MAXLEN", "~", int(entries * 0.95 * self._keep_bytes / size))
        except hiredis.ReplyError as refusal:  # a server that does not know or allow it: age still limits the log
            logger.debug("MARKET-DATA-SERVICE: the log's size is not known: %s", refusal)


def _taken(reply: bytes | None) -> TakenPosition | None:
    try:
        return decode(reply, TakenPosition) if reply else None
    except MessageError:
        return None
