"""Trading halts, from the feed's LULD events: asked for beside the ticks where the feed has them, and never in their way. Pure.

The vendor tells of halts and resumptions of NASDAQ-listed symbols only, in real time only, and not in every plan. Where it does
not tell, they are unknown, which is no fault of the feed's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tickstock.feed.feed_items import LATEST_MS, MOST_TICKERS, in_milliseconds, is_ticker
from tickstock.feed.massive_events import Event, LimitBand, StatusEvent
from tickstock.feed.massive_session import channel_requests
from tickstock.settings import Settings

HALT, RESUMPTION = 17, 18  # of the indicators of an event
FRAME_MARK = b'"LULD"'  # what has no event of ours costs one search
CLOCK_TOLERANCE_MS = 60_000
_LONGEST_DELAY_MS = 60_000
_TOPIC = "LULD."
_ACKNOWLEDGED = ("subscribed to:", "unsubscribed to:")


def why_unknown(settings: Settings) -> str:
    """Why halts are not asked for at all; empty where they are."""
    if settings.channel not in ("T", "A"):
        return f"unknown: with channel {settings.channel} they are not asked for"
    if settings.delay_ms >= _LONGEST_DELAY_MS:
        return "unknown: a delayed feed does not tell of them"
    return ""


class HaltSubscription:
    """The LULD channels of one connection. A refusal, or no answer, leaves halts unknown on it."""

    def __init__(self, is_wanted: bool, ack_seconds: float) -> None:
        self._is_wanted = is_wanted
        self._ack_seconds = ack_seconds
        self._followed: Sequence[str] = ()
        self._asked: dict[str, None] = {}
        self._held: set[str] = set()
        self._errors_due = 0  # as many channels were asked for and not answered
        self._refusal = ""
        self._deadline = 0.0

    def follow(self, symbols: Sequence[str], now: float) -> list[bytes]:
        """The messages that subscribe these symbols and no others. To be called when the ticks' subscriptions are settled."""
        if symbols is self._followed or not self._is_wanted or self._refusal:
            return []
        self._followed = symbols
        wanted = dict.fromkeys(_TOPIC + symbol for symbol in symbols)
        gone = [channel for channel in self._asked if channel not in wanted]
        new = [channel for channel in wanted if channel not in self._asked]
        self._asked = wanted
        self._held.intersection_update(wanted)
        self._errors_due += len(new)
        self._deadline = now + self._ack_seconds
        return [*channel_requests("unsubscribe", gone), *channel_requests("subscribe", new)]

    def answer(self, event: StatusEvent) -> bool:
        """Whether a status speaks of these channels, and of nothing else that anybody waits for."""
        for prefix in _ACKNOWLEDGED:
            if event.status == "success" and event.message.startswith(prefix):
                return self._acknowledge(event.message.removeprefix(prefix), is_held=prefix == _ACKNOWLEDGED[0])
        # A refusal does not name its channel. The ticks' own were settled before these were asked for.
        if self._errors_due and event.status == "error" and "not authorized" in event.message:
            self._errors_due -= 1
            self._refusal = event.message.strip()
            return True
        return False

    def words(self, now: float) -> str:
        """Of which symbols halts are known, or why they are not."""
        if self._held:
            every = _TOPIC + "*" in self._held
            return f"known of {'all' if every else len(self._held)} symbols, as far as they are listed at NASDAQ"
        if self._refusal:
            return f"unknown: the plan does not include LULD (the feed said: {self._refusal})"
        if self._asked and now >= self._deadline:
            return "unknown: the feed did not answer the subscription to LULD"
        return "unknown: not asked for yet" if not self._asked else "unknown: the subscription to LULD is not answered yet"

    def _acknowledge(self, channels: str, *, is_held: bool) -> bool:
        names = [channel.strip() for channel in channels.split(",")]
        ours = [channel for channel in names if channel.startswith(_TOPIC)]
        for channel in ours:
            if is_held and channel in self._asked and channel not in self._held:
                self._held.add(channel)
                self._errors_due = max(0, self._errors_due - 1)
        return bool(ours) and len(ours) == len(names)


class HaltNews(NamedTuple):
    """Trading of a symbol was halted, or goes on."""

    symbol: str
    at: int  # ms
    is_halted: bool


class HaltReader:
    """Takes what tells of halts out of the feed's events; whichever way they come, a symbol's newest counts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # halts, resumptions, unusable
        self._newest: dict[str, int] = {}

    def take(self, events: Sequence[Event], latest: int = LATEST_MS - 1) -> tuple[list[Event], list[HaltNews]]:
        """The other events, and what is new; an event later than `latest` (ms) cannot be."""
        others: list[Event] = []
        news: list[HaltNews] = []
        for event in events:
            if not isinstance(event, LimitBand):
                others.append(event)
            elif (told := self._read(event, latest)) is not None:
                news.append(told)
        return others, news

    def _read(self, event: LimitBand, latest: int) -> HaltNews | None:
        indicators = event.indicators
        if not indicators or (HALT not in indicators and RESUMPTION not in indicators):
            return None  # the bands moved
        at = in_milliseconds(event.at)
        if not 0 < at <= latest or not is_ticker(event.ticker):
            self.counts["unusable"] += 1
            return None
        if at < self._newest.get(event.ticker, 0):
            return None
        if len(self._newest) >= MOST_TICKERS:
            self._newest.clear()
        self._newest[event.ticker] = at
        is_halted = RESUMPTION not in indicators
        self.counts["halts" if is_halted else "resumptions"] += 1
        return HaltNews(event.ticker, at, is_halted)
