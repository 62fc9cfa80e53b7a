"""The Market Simulator as a process: `python -m tickstock.simulator --port 8765 --rest-port 8766 --key demo`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

from tickstock import lifeline, logs
from tickstock.errors import SettingError, TickStockError
from tickstock.market_hours import NEW_YORK, AlwaysOpenCalendar, ExchangeCalendar, new_york_time
from tickstock.settings import DEFAULT_SYMBOLS
from tickstock.simulator.clock import MAX_SPEED, Clock, DayClock, EndingClock, WallClock
from tickstock.simulator.companies import made_up_tickers
from tickstock.simulator.recorded_day import RecordedDay
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.rest_server import RestServer
from tickstock.simulator.server import FeedServer, ServerOptions
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape
from tickstock.simulator.timeline import Timeline

log = logging.getLogger(__name__)


def argument_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tickstock.simulator", description="Speaks Massive's protocol on loopback.")
    parser.add_argument("--port", type=int, default=8765, help="port of the WebSocket server (0: any free one)")
    parser.add_argument("--rest-port", type=int, default=8766, help="port of the REST server (0: any free one)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; loopback unless you mean it")
    parser.add_argument("--key", help="the key that clients must give; default: MASSIVE_API_KEY, else simulator")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another market")
    parser.add_argument(
        "--symbols", help="how many made-up tickers (S0001 ...), or tickers separated by commas; default: 70 known ones"
    )
    parser.add_argument(
        "--rate", type=float, help="trades per second of the whole market, at every hour; default: like a real day"
    )
    parser.add_argument(
        "--plain", action="store_true", help="no odd lots and no late prints: every trade moves a price; for load tests"
    )
    parser.add_argument("--start", metavar="TIME", help="a virtual day from this New York time on, such as 2026-11-20T09:25")
    parser.add_argument("--end", metavar="TIME", help="end the virtual day at this New York time, before its last session does")
    parser.add_argument("--replay", metavar="FILE", type=Path, help="play a recorded day: trades_v1, .csv or .csv.gz")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="N|max", help="of a virtual or recorded day; default 1")
    parser.add_argument(
        "--acks", choices=("batched", "single"), default="batched", help="acknowledgements: in one frame, or one frame each"
    )
    parser.add_argument("--no-halts", action="store_true", help="refuse LULD, as a plan without it does; a recording has none")
    parser.add_argument("--auth-seconds", type=float, default=10.0, help="how long a client may take to authenticate")
    parser.add_argument("--ping-seconds", type=float, default=20.0, help="interval of pings of the live market; 0: none")
    parser.add_argument("--buffer-mb", type=float, default=64.0, help="how far a client may fall behind before it is cut off")
    parser.add_argument(
        "--requests-per-minute", type=int, default=0, help="answer 429 above this many REST requests; 0: unlimited"
    )
    parser.add_argument(
        "--not-entitled", action="append", default=[], metavar="PATH", help="answer 403 for REST paths that begin so"
    )
    parser.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    return parser


def _speed(text: str) -> float:
    if text == "max":
        return MAX_SPEED
    speed = float(text)
    if not 0 < speed <= 100_000:
        raise argparse.ArgumentTypeError("a number above 0, or max")
    return speed


def symbols_of(text: str | None) -> list[str]:
    """The tickers that `--symbols` names."""
    if text in (None, "*"):
        return list(DEFAULT_SYMBOLS)
    assert text is not None
    return made_up_tickers(int(text)) if text.isdigit() else list(dict.fromkeys(text.replace(",", " ").split()))


def moment_of(text: str, option: str = "--start") -> int:
    """A time as Unix milliseconds: New York time unless it says otherwise; a date alone is that day's 04:00.

    Raises:
        SettingError: it cannot be read.
    """
    try:
        if len(text) == 10:
            moment = datetime.combine(date.fromisoformat(text), time(4), NEW_YORK)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(f"{option} must be a time such as 2026-11-20T09:25 or a date; got {text!r}.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)).timestamp() * 1000)


def market_of(arguments: argparse.Namespace) -> tuple[SyntheticTape | RecordedDay, Clock, int]:
    """The tape, its clock, and where it starts."""
    if arguments.replay is not None:
        recorded = RecordedDay(arguments.replay)
        return recorded, DayClock(recorded.start, arguments.speed), recorded.start
    symbols = symbols_of(arguments.symbols)
    if arguments.start is None:
        market = SyntheticMarket(symbols, arguments.seed, AlwaysOpenCalendar(), arguments.rate, arguments.plain)
        clock = WallClock()
        return SyntheticTape(market), clock, clock.now()
    start = moment_of(arguments.start)
    end = moment_of(arguments.end, "--end") if arguments.end is not None else None
    if end is not None and end <= start:
        raise SettingError(f"--end must lie after --start; {arguments.end} does not.")
    calendar = ExchangeCalendar()
    day = new_york_time(start).date()
    if not calendar.sessions_of(day) or calendar.sessions_of(day)[-1].end <= start:
        raise SettingError(f"--start must lie on a trading day, before its end; {arguments.start} does not.")
    market = SyntheticMarket(symbols, arguments.seed, calendar, arguments.rate, arguments.plain)
    return SyntheticTape(market, last_day=day, end=end), DayClock(start, arguments.speed), start


async def run(arguments: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    tape, clock, start = market_of(arguments)
    key = arguments.key or os.environ.get("MASSIVE_API_KEY") or "simulator"
    options = ServerOptions(
        key=key, host=arguments.host, port=arguments.port, acks=arguments.acks, auth_seconds=arguments.auth_seconds,
        ping_seconds=arguments.ping_seconds, buffer_bytes=int(arguments.buffer_mb * 1024 * 1024),
        halts=not arguments.no_halts and arguments.replay is None,
    )  # fmt: skip
    server = FeedServer(Timeline(tape, start, repeats=arguments.replay is None), clock, options)
    interface = RestInterface(
        tape, clock if arguments.end is None else EndingClock(clock, moment_of(arguments.end, "--end")), key,
        requests_per_minute=arguments.requests_per_minute, not_entitled=arguments.not_entitled,
    )  # fmt: skip
    rest = RestServer(interface, arguments.host, arguments.rest_port)
    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    await server.start()
    log.info("SIMULATOR: WebSocket ready on ws://%s:%d/stocks (%d symbols)", arguments.host, server.port, len(tape.symbols))
    rest.start()
    log.info("SIMULATOR: REST ready on http://%s:%d", arguments.host, rest.port)
    lifeline.watch()
    await server.until(stopped)
    rest.stop()
    await server.stop()
    log.info("SIMULATOR: Stopped")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 2 when it cannot run with these arguments."""
    chosen = argument_parser().parse_args(arguments)
    logs.configure(chosen.log_level)
    try:
        asyncio.run(run(chosen))
    except TickStockError as problem:  # bad settings, or a file that cannot be played: starting again cannot help
        log.error("SIMULATOR: %s", problem)
        return 2
    except OSError as problem:
        log.error("SIMULATOR: %s", problem)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
