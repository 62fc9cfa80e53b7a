"""The WebSocket server: connections, their buffers, and the pump that sends a tape to them at its clock's pace."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tickstock.simulator.clock import MAX_SPEED, Clock, DayClock
from tickstock.simulator.protocol import (
    AUTH_TIMEOUT,
    CONNECTED,
    ENDED,
    EVICTED,
    SLOW_CONSUMER,
    ClientSession,
    Verdict,
    frame,
)  # fmt: skip
from tickstock.simulator.timeline import Timeline

log = logging.getLogger(__name__)

PATH = "/stocks"
STEP_SECONDS = 0.04
LONGEST_STEP_MS = 1000  # so that the channels of a fast day stay in order
SETTLE_SECONDS = 0.5  # a day waits this long after the last subscription, which may come in several frames
_AHEAD_MS = 20_000  # a minute is made this long before it begins
_SLEPT_MS = 60_000
EVENTS_PER_FRAME = 1000  # at most; the client's limit of a frame is about a megabyte


@dataclass(frozen=True)
class ServerOptions:
    """What the vendor leaves open, and how this server is reached."""

    key: str
    host: str = "127.0.0.1"
    port: int = 0
    acks: str = "batched"  # batched | single
    auth_seconds: float = 10.0
    ping_seconds: float = 20.0  # 0: no pings; a recorded or virtual day never pings, for its client may stop reading for long
    buffer_bytes: int = 64 * 1024 * 1024  # per connection
    halts: bool = True  # whether the plan includes LULD


class Subscriber:
    """One connection, what it asked for, and what waits to be sent to it."""

    def __init__(self, socket: ServerConnection, session: ClientSession) -> None:
        self.socket = socket
        self.session = session
        self.subscribed_at: float | None = None
        self.queued_bytes = 0
        self._queue: deque[str] = deque()
        self._filled = asyncio.Event()

    def offer(self, texts: list[str]) -> None:
        """Put events into the buffer."""
        self._queue.extend(texts)
        self.queued_bytes += sum(map(len, texts))
        self._filled.set()

    async def drain(self) -> None:
        """Send what the buffer holds, for ever; the fuller it is, the more events a frame has."""
        while True:
            await self._filled.wait()
            while self._queue:
                events = [self._queue.popleft() for _ in range(min(EVENTS_PER_FRAME, len(self._queue)))]
                await self.socket.send(frame(events))
                self.queued_bytes -= sum(map(len, events))
            self._filled.clear()

    async def drop(self) -> None:
        """Cut the connection without a closing handshake, after what was sent has left."""
        self.socket.transport.close()
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(2):
                await self.socket.wait_closed()
        self.socket.transport.abort()


class FeedServer:
    """Speaks the vendor's protocol on a port and sends the tape's events to its account's one connection."""

    def __init__(self, timeline: Timeline, clock: Clock, options: ServerOptions) -> None:
        self.timeline = timeline
        self.clock = clock
        self.options = options
        self.ended = False
        self._active: Subscriber | None = None  # an account has one connection
        self._preparing: asyncio.Task[None] | None = None
        self._server: Server | None = None
        self._pump: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def start(self) -> None:
        """Listen, and start to send."""
        pings = self.options.ping_seconds if not isinstance(self.clock, DayClock) else 0
        self._server = await serve(
            self._serve_client, self.options.host, self.options.port, compression=None, process_request=self._refuse_other_paths,
            ping_interval=pings or None, ping_timeout=pings or None, max_size=2**22, write_limit=2**20, close_timeout=2,
        )  # fmt: skip
        self._pump = asyncio.create_task(self._run())

    async def until(self, stopped: asyncio.Event) -> None:
        """Wait for the event; an error that stops the market is raised here."""
        assert self._pump is not None
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({waiting, self._pump}, return_when=asyncio.FIRST_COMPLETED)
        if self._pump.done():
            self._pump.result()
        await waiting

    async def stop(self) -> None:
        """Close every connection with code 1001 and stop."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._server is not None:
            self._server.close(code=1001)
            await self._server.wait_closed()

    # -- connections ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _refuse_other_paths(socket: ServerConnection, request: Request) -> Response | None:
        if request.path.split("?")[0] == PATH:
            return None
        return socket.respond(HTTPStatus.NOT_FOUND, f"This server has {PATH} only.\n")

    async def _serve_client(self, socket: ServerConnection) -> None:
        options = self.options
        session = ClientSession(options.key, self.timeline.tape.symbols, acks=options.acks, halts=options.halts)
        subscriber = Subscriber(socket, session)
        sender: asyncio.Task[None] | None = None
        try:
            await socket.send(CONNECTED)
            if await self._authenticate(subscriber):
                sender = asyncio.create_task(subscriber.drain())
                await self._listen(subscriber)
        except ConnectionClosed:
            pass
        finally:
            if self._active is subscriber:
                self._active = None
            if sender is not None:
                sender.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                    await sender

    async def _authenticate(self, subscriber: Subscriber) -> bool:
        try:
            async with asyncio.timeout(self.options.auth_seconds):
                async for text in subscriber.socket:
                    answer = subscriber.session.receive(text)
                    for each in answer.frames:
                        await subscriber.socket.send(each)
                    if answer.verdict is Verdict.AUTHENTICATED:
                        await self._replace_active(subscriber)
                        return True
                    if answer.verdict is Verdict.DROPPED:
                        log.warning("SIMULATOR: A client gave a wrong key and was cut off")
                        await subscriber.drop()
                        return False
        except TimeoutError:
            await subscriber.socket.send(AUTH_TIMEOUT)
            await subscriber.drop()
        return False

    async def _listen(self, subscriber: Subscriber) -> None:
        async for text in subscriber.socket:
            answer = subscriber.session.receive(text)
            for each in answer.frames:
                await subscriber.socket.send(each)
            if answer.verdict is Verdict.DROPPED:
                await subscriber.drop()
                return
            if answer.subscribed:
                subscriber.subscribed_at = asyncio.get_running_loop().time()
                if self.ended:
                    await subscriber.socket.send(ENDED)

    async def _replace_active(self, newcomer: Subscriber) -> None:
        """The newcomer wins; the older connection is told and closed."""
        older, self._active = self._active, newcomer
        if older is None:
            return
        log.info("SIMULATOR: A second client connected; the first one is closed")
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(3):
                await older.socket.send(EVICTED)
                await older.socket.close(1008)
                return
        older.socket.transport.abort()

    # -- sending ----------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            if not isinstance(self.clock, DayClock):
                await self._run_on_the_wall_clock()
                return
            self._check_symbols(await self._settled())
            self.clock.begin()
            log.info("SIMULATOR: The day starts")
            await (self._run_at_full_speed(self.clock) if self.clock.speed == MAX_SPEED else self._run_day(self.clock))
            await self._end()
        except Exception:
            log.exception("SIMULATOR: The market stopped; no more events are sent")
            raise

    def _check_symbols(self, subscriber: Subscriber) -> None:
        """Unknown tickers are acknowledged, as the vendor does: a day of others would pass by without a word."""
        held = self.timeline.tape.symbols
        if not any(wanted.any() for wanted in subscriber.session.wanted.values()):
            shown = " ".join(held[:10]) + (" …" if len(held) > 10 else "")
            log.warning("SIMULATOR: This day holds none of the tickers that the client watches, so it gets nothing; it holds %s "
                        "(--symbols or TICKSTOCK_SYMBOLS)", shown)  # fmt: skip

    async def _run_on_the_wall_clock(self) -> None:
        while True:
            now = self.clock.now()
            if now - self.timeline.position > _SLEPT_MS:  # the machine was asleep: what it missed was sent to nobody
                self.timeline.position = now
            await self._prepare(now)
            self._offer(now)
            if self._active is not None and self._active.queued_bytes > self.options.buffer_bytes:
                await self._cut_slow(self._active)
            await asyncio.sleep(STEP_SECONDS)

    async def _run_day(self, clock: DayClock) -> None:
        while not self.timeline.is_over:
            now = clock.now()
            while self.timeline.position < now and not self.timeline.is_over:
                self._offer(min(now, self.timeline.next_step(LONGEST_STEP_MS)))
                await asyncio.sleep(0)
                if self._is_behind():
                    clock.stand()  # a day is never lost on a client that takes its time
                    while self._is_behind():
                        await asyncio.sleep(STEP_SECONDS)
                    clock.begin()
                    break
            await asyncio.sleep(STEP_SECONDS)

    async def _run_at_full_speed(self, clock: DayClock) -> None:
        """As fast as the client takes it, to nobody nothing; a new connection goes on behind the last frame written."""
        unsent: deque[str] = deque()
        while unsent or not self.timeline.is_over:
            subscriber = await self._settled()
            if not unsent:
                events = self.timeline.advance(self.timeline.next_step(LONGEST_STEP_MS), subscriber.session.wanted)
                unsent.extend(_frames([text for each in events for text in each.texts]))
            with contextlib.suppress(ConnectionClosed):
                while unsent and self._active is subscriber:
                    await subscriber.socket.send(unsent[0])
                    unsent.popleft()
            clock.move_to(self.timeline.position)
            await asyncio.sleep(0)

    def _offer(self, to: int) -> None:
        subscriber = self._active
        events = self.timeline.advance(to, subscriber.session.wanted if subscriber is not None else {})
        if subscriber is not None:
            for each in events:
                subscriber.offer(each.texts)

    def _is_behind(self) -> bool:
        return self._active is not None and self._active.queued_bytes > self.options.buffer_bytes

    async def _prepare(self, now: int) -> None:
        """Make the next minute beforehand, in a thread: with thousands of symbols that takes a second."""
        if self._preparing is not None and (self._preparing.done() or self.timeline.lacks(now)):
            await self._preparing
            self._preparing = None
        if self._preparing is None and self.timeline.lacks(now + _AHEAD_MS):
            channels = list(self._active.session.wanted) if self._active is not None else []
            self._preparing = asyncio.create_task(asyncio.to_thread(self.timeline.prepare, channels))

    async def _settled(self) -> Subscriber:
        """The connection, once its last subscription is a moment ago."""
        while True:
            active, now = self._active, asyncio.get_running_loop().time()
            if active is not None and active.subscribed_at is not None and now - active.subscribed_at >= SETTLE_SECONDS:
                return active
            await asyncio.sleep(0.02)

    async def _cut_slow(self, subscriber: Subscriber) -> None:
        log.warning("SIMULATOR: A client fell behind by %d MB and is cut off", subscriber.queued_bytes >> 20)
        self._active = None
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(1):
                await subscriber.socket.send(SLOW_CONSUMER)
        subscriber.socket.transport.abort()

    async def _end(self) -> None:
        while self._active is not None and self._active.queued_bytes:
            await asyncio.sleep(0.02)
        self.ended = True
        log.info("SIMULATOR: The day is over")
        if self._active is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._active.socket.send(ENDED)


def _frames(texts: list[str]) -> list[str]:
    return [frame(texts[at : at + EVENTS_PER_FRAME]) for at in range(0, len(texts), EVENTS_PER_FRAME)]
