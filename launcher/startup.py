"""The story of a start: what is in the way, set-up, Redis, database, market, TickStockPL, application; then watch, then stop."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from launcher import ports
from launcher.browser_files import BrowserFiles
from launcher.console import Console
from launcher.errors import LauncherError, Stopped
from launcher.locks import lock_data_dir
from launcher.options import Options, read_options
from launcher.processes import run_step
from launcher.readiness import data_folder_of, page_answers, port_answers, redis_answers, reports_health
from launcher.redis_server import RedisCommand, find_redis
from launcher.service import Service, ServicePlan
from launcher.services import Plans, SimulatorPlace, environment_of_services
from launcher.setup import ROOT, Environment
from launcher.stop_request import StopRequest
from launcher.supervisor import Supervisor
from tickstock.settings import without_password

_DATABASE = "Database"
_SECONDS_TO_START = 90.0
_SECONDS_FOR_EXTERNAL_REDIS = 15.0
_MARKETS = {
    "massive": "Market: Massive.com",
    "simulated": "Market: simulated, because there is no MASSIVE_API_KEY",
    "replay": "Market: recorded day {file}, speed {speed}",
}


def main(arguments: Sequence[str]) -> int:
    """Run everything until Ctrl+C or SIGTERM; returns the exit code."""
    console = Console()
    stop = StopRequest()
    stop.listen()
    try:
        options = read_options(arguments)
        return Start(options, console, stop).run()
    except LauncherError as problem:
        console.say(f"ERROR: {problem}")
        return problem.exit_code
    except Stopped:
        console.say("Stopped during set-up; the next start repairs what is unfinished.")
        return 130
    finally:
        console.close()


class Start:
    """One start of TickStock."""

    def __init__(self, options: Options, console: Console, stop: StopRequest) -> None:
        self._options = options
        self._console = console
        self._stop = stop
        self._data_dir = options.settings.data_dir
        self._logs = self._data_dir / "logs"
        self._supervisor = Supervisor(console, stop, self._logs)
        self._python = Path(sys.executable)

    def run(self) -> int:
        """Set up, start, watch, stop; returns the exit code.

        Raises:
            LauncherError: something failed; nothing is left running.
            Stopped: a stop was asked for during set-up.
        """
        settings = self._options.settings
        lock = lock_data_dir(self._data_dir, self._options.dashboard_url)
        try:
            ports.require_free(settings.port, settings.host)
            self._python = self._set_up()
            return self._serve()
        finally:
            lock.release()

    def _set_up(self) -> Path:
        environment = Environment(ROOT / ".venv", self._console, self._stop)
        environment.install([ROOT / "requirements.txt"])
        BrowserFiles(self._console, self._stop).install()
        return environment.python

    def _serve(self) -> int:
        ended_well = True
        try:
            self._start_services()
            self._supervisor.watch()
        except Stopped:
            self._console.say("Stopping; press Ctrl+C again to stop at once.")
        finally:
            ended_well = self._supervisor.stop_all()
        self._console.say("Stopped." if ended_well else "Stopped, but not everything ended as it should.")
        return 0 if ended_well else 1

    def _start_services(self) -> None:
        """In the order in which they need each other; TickStockPL and the application do not wait for each other."""
        began = time.monotonic()
        options, supervisor = self._options, self._supervisor
        redis = find_redis(self._data_dir, self._python) if options.has_own_redis else None
        simulator = None if options.market == "massive" else SimulatorPlace.on(ports.unused_port(), ports.unused_port())
        redis_url = redis.url if redis else options.settings.redis_url
        environment = environment_of_services(options, redis_url, simulator)
        self._console.hide(secrets_in(environment))
        plans = Plans(options, self._python, environment)
        if redis:
            self._start_redis(plans.redis(redis), redis)
        else:
            self._wait_for_redis(redis_url)
        self._migrate(environment)
        self._console.say(_MARKETS[options.market].format(file=options.replay, speed=options.speed))
        if simulator:
            market = supervisor.start(plans.simulator(simulator))
            supervisor.wait_until(lambda: port_answers(simulator.rest_port) and port_answers(simulator.port), market, 60, "")
        streaming = supervisor.start(plans.streaming())
        app = supervisor.start(plans.app())
        supervisor.wait_until(lambda: page_answers(options.dashboard_url), app, _SECONDS_TO_START, "")
        self._console.say(f"Open {options.dashboard_url}  (up in {time.monotonic() - began:.1f} s; Ctrl+C stops everything)")
        self._wait_for_health(streaming, redis_url)

    def _start_redis(self, plan: ServicePlan, redis: RedisCommand) -> None:
        if redis.warning:
            self._console.say(redis.warning)
        service = self._supervisor.start(plan)
        saved = self._data_dir / "redis" / "dump.rdb"

        def ready() -> bool:
            if service.restarts >= 2 and saved.exists():  # saved by a newer version, or damaged
                saved.replace(saved.with_suffix(".unreadable"))
                self._console.say("Redis could not read what it had saved; starting it empty (kept as redis/dump.unreadable).")
            if not redis_answers(redis.url):
                return False
            if not redis.is_stand_in and data_folder_of(redis.url) != str(saved.parent):
                raise LauncherError(f"Another Redis took port {redis.port} at this very moment. Start again.")
            return True

        self._supervisor.wait_until(ready, service, 60, "Set REDIS_URL to use another Redis.")
        saved.unlink(missing_ok=True)  # it is in memory now; should Redis crash, it must not come back as it was long ago
        self._console.say(f"Redis: {redis.url} ({redis.name}; redis-cli -p {redis.port} SUBSCRIBE tickstock:market:ticks)")

    def _wait_for_redis(self, url: str) -> None:
        deadline = time.monotonic() + _SECONDS_FOR_EXTERNAL_REDIS
        while not redis_answers(url):
            if time.monotonic() > deadline:
                raise LauncherError(
                    f"No Redis answers at {without_password(url)}. Start it, or unset REDIS_URL: then one is started here."
                )
            self._stop.pause(0.1)
        self._console.say(f"Redis: {without_password(url)}")

    def _migrate(self, environment: Mapping[str, str]) -> None:
        command = [str(self._python), "-m", "tickstock.database", "migrate"]
        alone = {name: value for name, value in environment.items() if name != "TICKSTOCK_LIFELINE"}
        shown = without_password(self._options.settings.database)
        words: list[str] = []
        if run_step(command, environment=alone, folder=ROOT, stop=self._stop, take=words.append) != 0:
            for line in words:
                self._console.relay(_DATABASE, self._console.printable(line))
            raise LauncherError(f"The database {shown} could not be prepared; the reason stands above (DATABASE_URL).")
        self._console.say(f"Database: {shown}")

    def _wait_for_health(self, streaming: Service, redis_url: str) -> None:
        try:
            self._supervisor.wait_until(
                lambda: reports_health(redis_url, lambda: streaming.started_at),
                streaming,
                _SECONDS_TO_START,
                "The page works without it, but finds no patterns.",
            )
        except LauncherError as problem:
            if problem.exit_code == 2:
                raise
            self._console.say(f"WARNING: {problem}")
        else:
            self._console.say("TickStockPL reports its health: everything is up.")


def secrets_in(environment: Mapping[str, str]) -> list[str]:
    """What must not be shown: the key, and passwords as they stand in URLs."""
    hidden = [environment.get("MASSIVE_API_KEY", "")]
    for name in ("REDIS_URL", "DATABASE_URL"):
        if password := urlsplit(environment.get(name, "")).password:
            hidden.append(f":{password}@")
    return hidden
