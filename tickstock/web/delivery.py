"""What goes to the browsers, and when: every one by its own pace, so that a slow or stalled one costs the others nothing.

Events (patterns and alerts) and states (health, status, counters) are sent at once, as far as they fit into what a browser may
have unacknowledged; else it is behind, and gets a snapshot when it has caught up. Prices, the running minute of the symbol in the
chart and indicator values are conflated: once per interval a browser that has acknowledged gets what changed since the last time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tickstock import cooperation
from tickstock.market_data.live_board import FormingBar, LiveBoard
from tickstock.market_hours import now_ms
from tickstock.web.browser import Browser
from tickstock.web.connections import Connections
from tickstock.web.event_log import EventLog
from tickstock.web.live_state import LatestIndicators
from tickstock.web.message import Message, within
from tickstock.web.watch_sets import Room

FRAME_SECONDS = 0.05
CROWDED_FRAME_SECONDS = 0.25
CROWDED_BROWSERS = 50
SLACK_SECONDS = 0.005  # a frame that is due within it is sent now, and not a round later
ANSWER_BYTES = 64 * 1024  # of events in one part of the answer to `since`
ROOM_BYTES = 64 * 1024  # that an answer leaves for what is told meanwhile: what does not fit makes a browser begin again
GIVE_WAY_SECONDS = 0.005

# Of a slice of the watched symbols: the board's version, and the frame with what changed before it.
Frame = tuple[int, Message | None]


class Round:
    """What browsers that are served together get alike: made once."""

    def __init__(self) -> None:
        self.frames: dict[tuple[Room, int, int], Frame] = {}  # by room, slice, and the version before
        self.forming: dict[str, tuple[FormingBar, Message] | None] = {}  # by symbol


class Delivery:
    """All connected browsers, and what is under way to them."""

    def __init__(self, connections: Connections, board: LiveBoard, log: EventLog, indicators: LatestIndicators) -> None:
        self.lock = threading.RLock()  # numbers leave in their order; a snapshot and what follows it fit together
        self.browsers: dict[str, Browser] = {}
        self.snapshot: Callable[[Browser], Message]  # these two are set by whoever knows what is in them
        self.state: Callable[[], Message]  # a short one
        self.frames_sent = 0
        self.forming_sent = 0
        self.frames_skipped = 0  # due, but the one before was not acknowledged
        self.unacknowledged = 0  # messages whose acknowledgement was given up
        self.resyncs = 0
        self._connections = connections
        self._board = board
        self._log = log
        self._indicators = indicators

    def figures(self) -> dict[str, int]:
        """What has been sent and what has not, for /health."""
        browsers = list(self.browsers.values())
        return {
            "connected": len(browsers),
            "hidden": sum(not browser.is_visible for browser in browsers),
            "behind": sum(browser.is_behind for browser in browsers),
            "frames_sent": self.frames_sent,
            "forming_bars_sent": self.forming_sent,
            "frames_skipped": self.frames_skipped,
            "unacknowledged": self.unacknowledged,
            "resynchronised": self.resyncs,
        }

    # --- browsers come, go, and acknowledge ------------------------------------------------------------------------

    def enter(self, client: str, room: Room) -> Browser:
        """A browser has connected."""
        browser = self.browsers[client] = Browser(client, self._connections.connection_of(client))
        browser.enter(room)
        self._send_snapshot(browser)
        return browser

    def leave(self, client: str) -> None:
        """A browser is gone."""
        self.browsers.pop(client, None)

    def acknowledged(self, client: str, number: int) -> bool:
        """A browser has got a message that asked; False when none did."""
        with self.lock:
            browser = self.browsers.get(client)
            if browser is None:
                return True
            was_asked = browser.flow.acknowledge(number)
            if browser.is_behind and browser.flow.is_ready:
                self._catch_up(browser)
            elif browser.owed:
                self._answer(browser)
            return was_asked

    # --- events and states -----------------------------------------------------------------------------------------

    def tell(self, message: Message, *, hidden_too: bool) -> None:
        """Send an event or a state to all browsers."""
        for browser in list(self.browsers.values()):
            if hidden_too or browser.is_visible:
                self.send(browser, message)

    def send(self, browser: Browser, message: Message) -> None:
        """Send it, or remember that the browser has missed something."""
        if browser.is_behind:
            return
        if browser.flow.fits(message.size):
            self._deliver(browser, message)
        else:
            browser.is_behind = True

    def resynchronise(self, browser: Browser) -> None:
        """Let a browser begin again: now, or when it has caught up."""
        browser.owed = range(0)
        browser.is_behind = True
        if browser.flow.is_ready:
            self._catch_up(browser)

    def owe(self, browser: Browser, numbers: range) -> None:
        """Send these events again, in parts as they fit."""
        browser.owed = numbers
        if numbers:
            self._answer(browser)
        else:
            self.send(browser, self._part(numbers, numbers.start, []))

    def _answer(self, browser: Browser) -> None:
        while browser.owed and not browser.is_behind:
            first, until = browser.owed.start, browser.owed.stop
            if first < self._log.oldest:
                self.resynchronise(browser)
                return
            events = within((entry.payload for entry in self._log.entries(first)), ANSWER_BYTES)[: until - first]
            part = self._part(browser.owed, first + len(events), events)
            if not browser.flow.fits(part.size + ROOM_BYTES):
                return
            browser.owed = range(first + len(events), until)
            self._deliver(browser, part)

    def _part(self, owed: range, stop: int, events: list[Any]) -> Message:
        return Message.of(
            "events",
            {"epoch": self._log.epoch, "from": owed.start, "to": stop - 1, "until": owed.stop - 1, "events": events},
        )

    def _deliver(self, browser: Browser, message: Message) -> None:
        asks = browser.flow.send(message.size, message.number, time.monotonic())
        self._connections.deliver(browser.connection, message.asking if asks else message.plain)

    def _send_snapshot(self, browser: Browser) -> None:
        browser.is_behind = False
        browser.forming = None
        browser.owed = range(0)
        self._deliver(browser, self.snapshot(browser))

    def _catch_up(self, browser: Browser) -> None:
        """Begin again, once nothing is under way any more: a snapshot is large."""
        if browser.flow.unacknowledged:
            self._deliver(browser, self.state())
        else:
            self.resyncs += 1
            self._send_snapshot(browser)

    # --- frames ----------------------------------------------------------------------------------------------------

    @property
    def interval(self) -> float:
        """Seconds between the frames of one browser."""
        return CROWDED_FRAME_SECONDS if len(self.browsers) > CROWDED_BROWSERS else FRAME_SECONDS

    def send_frames(self) -> None:
        """Serve every browser whose frame is due."""
        shared = Round()
        interval = self.interval
        gave_way = time.monotonic()
        for browser in list(self.browsers.values()):
            now = time.monotonic()
            if browser.frame_due <= now + SLACK_SECONDS:
                with self.lock:
                    self._serve(browser, now, interval, shared)
            if now - gave_way > GIVE_WAY_SECONDS:
                cooperation.give_way()
                gave_way = time.monotonic()

    def _serve(self, browser: Browser, now: float, interval: float, shared: Round) -> None:
        if not browser.flow.is_ready and not self._is_given_up(browser, now):
            self.frames_skipped += browser.is_visible and self._board.version not in browser.versions
            browser.frame_due = now + FRAME_SECONDS
            return
        browser.frame_due = now + interval
        if browser.is_behind:
            self._catch_up(browser)
            return
        self._answer(browser)
        if not browser.is_visible or browser.owed:
            return
        frame = self._frame(browser, shared)
        if frame is not None:
            self._deliver(browser, frame)
            self.frames_sent += 1
        self._send_forming_bar(browser, shared)
        if browser.indicators_version < self._indicators.version:
            self._send_indicators(browser)

    def _is_given_up(self, browser: Browser, now: float) -> bool:
        """Whether an acknowledgement is awaited no longer: what was sent has left this process, and none came."""
        if not browser.flow.is_overdue(now) or self._connections.waiting(browser.connection):
            return False
        browser.flow.give_up()
        self.unacknowledged += 1
        return True

    def _frame(self, browser: Browser, shared: Round) -> Message | None:
        """What changed in the next slice that has changed; None when none has."""
        slices = browser.room.slices
        for _ in slices:
            index = browser.next_slice
            browser.next_slice = (index + 1) % len(slices)
            before = browser.versions[index]
            if before == self._board.version:
                continue
            key = (browser.room, index, before)
            found = shared.frames.get(key)
            if found is None:
                found = shared.frames[key] = self._made_frame(before, slices[index])
            browser.versions[index], message = found
            if message is not None:
                return message
        return None

    def _made_frame(self, before: int, symbols: tuple[str, ...]) -> Frame:
        version, states = self._board.changed_since(before, symbols)
        if not states:
            return version, None
        seen = max(state.received for state in states)
        return version, Message.of("ticks", {"time": now_ms(), "seen": seen, "symbols": states})

    def show_chart(self, browser: Browser, symbol: str | None) -> None:
        """A browser wants the running minute of this symbol, from now on and at once; None: of none any more."""
        browser.chart, browser.forming = symbol, None
        if browser.is_visible and not browser.is_behind and not browser.owed:
            self._send_forming_bar(browser, Round())

    def _send_forming_bar(self, browser: Browser, shared: Round) -> None:
        symbol = browser.chart
        if symbol is None:
            return
        if symbol not in shared.forming:
            bar = self._board.forming_bar(symbol)
            shared.forming[symbol] = (bar, forming_bar_message(bar)) if bar is not None else None
        found = shared.forming[symbol]
        if found is None or found[0] == browser.forming or not browser.flow.fits(found[1].size):
            return
        browser.forming = found[0]
        self._deliver(browser, found[1])
        self.forming_sent += 1

    def _send_indicators(self, browser: Browser) -> None:
        for version, payload in self._indicators.changed_since(browser.indicators_version, browser.room.symbols):
            message = Message("streaming_indicator", payload)
            if not browser.flow.fits(message.size):
                return
            self._deliver(browser, message)
            browser.indicators_version = version
        browser.indicators_version = self._indicators.version


def forming_bar_message(bar: FormingBar) -> Message:
    """A running minute as browsers get it."""
    return Message.of("forming_bar", {**msgspec.structs.asdict(bar), "time": now_ms()})
