"""The whole system as the launcher runs it, in a folder of its own: the launcher's code brings killed services back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from benchmarks.redis_server import redis_program
from launcher.console import Console
from launcher.ports import unused_port
from launcher.processes import GUARD
from launcher.service import Service, ServicePlan
from launcher.setup import ROOT
from tests.chaos.day import SOURCE, VirtualDay
from tests.chaos.feed_proxy import FeedProxy
from tests.chaos.rest_proxy import RestProxy
from tickstock.contract import STATUS_LATEST_KEY
from tickstock.database.queries import Queries
from tickstock.database.vendor_queries import VendorQueries
from tickstock.errors import DatabaseError
from tickstock.streaming.final_days import PROGRESS as FINAL_DAYS

KEY = "a-key-of-this-run"
_LOOK_SECONDS = 0.05
_CLOCK_SECONDS = 0.25


class _Simulator(Service):
    """A market that goes on while nobody serves it: started again, it is where its day has come meanwhile."""

    moment: Callable[[], int]
    command: Callable[[int], list[str]]

    def start(self) -> None:
        self.plan = replace(self.plan, command=self.command(self.moment()))
        super().start()


class System:
    """Redis, the simulator behind the feed's proxy, TickStockPL and the app. Use it as a context manager."""

    def __init__(self, folder: Path, day: VirtualDay, speed: str, database_url: str, absent: Collection[str] = ()) -> None:
        """Symbols of the market that are `absent` are watched by nobody until they are added to a list."""
        self.folder = folder
        self.day = day
        self.absent = set(absent)
        self.joined: list[str] = []
        self.database_url = database_url
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        self.port, self.redis_port, self._feed_port, self._rest_port = (unused_port() for _ in range(4))
        self.proxy, self.rest = FeedProxy(self._feed_port), RestProxy(self._rest_port)
        self.redis = redis.Redis(port=self.redis_port, socket_timeout=2, socket_connect_timeout=2)
        self._redis_folder = folder / "redis"
        self._redis_folder.mkdir()
        self._speed = speed
        self._clock = (time.monotonic(), day.start)
        self._environment = self._environment_of(self.redis_port)
        self.services = self._make_services(self.redis_port)
        self._stopping = threading.Event()
        self._watching = threading.Lock()
        self._unwatched: set[str] = set()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._look_after, self._follow_clock)]
        self._queries = Queries(database_url)
        self._vendor_queries = VendorQueries(database_url)

    def _environment_of(self, redis_port: int) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TICKSTOCK_")}
        return {
            **clean,
            "PYTHONUNBUFFERED": "1",
            "MASSIVE_API_KEY": KEY,
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "DATABASE_URL": self.database_url,
            "TICKSTOCK_DATA_DIR": str(self.data),
            "TICKSTOCK_PORT": str(self.port),
            "TICKSTOCK_FEED_URL": f"ws://127.0.0.1:{self.proxy.port}/stocks",
            "TICKSTOCK_REST_URL": f"http://127.0.0.1:{self.rest.port}",
            "TICKSTOCK_FEED": SOURCE,
            "TICKSTOCK_FEED_CLOCK": "events",
            "TICKSTOCK_CALENDAR": "exchange",
            "TICKSTOCK_CHANNEL": "T",
            "TICKSTOCK_SYMBOLS": ",".join(symbol for symbol in self.day.symbols if symbol not in self.absent),
            "TICKSTOCK_TIMEFRAMES": self.day.timeframes,
            "TICKSTOCK_RECONNECT_MAX_SECONDS": "2",
            "TICKSTOCK_LIFELINE": "stdin",
        }

    def _make_services(self, redis_port: int) -> dict[str, Service]:
        self._console_output = (self.folder / "launcher.log").open("a")
        console = Console(self._console_output)
        redis_command = [
            *GUARD, redis_program(), "--port", str(redis_port), "--bind", "127.0.0.1", "--dir", str(self._redis_folder),
            "--save", "", "--appendonly", "yes", "--client-output-buffer-limit", "pubsub 256mb 128mb 60",
        ]  # fmt: skip
        python = sys.executable
        commands = {"redis": redis_command, "simulator": [], "streaming": [python, "-m", "tickstock.streaming"],
                    "app": [python, str(ROOT / "app.py")]}  # fmt: skip
        services = {}
        for name, command in commands.items():
            plan = ServicePlan(name=name, log_name=name, command=command, environment=self._environment, folder=ROOT)
            kind = _Simulator if name == "simulator" else Service
            services[name] = service = kind(plan, console, self.folder / "logs")
            if isinstance(service, _Simulator):
                service.moment, service.command = self._moment_to_start_at, self._simulator_command
        self._second_plan = replace(
            services["app"].plan, log_name="second_app", environment={**self._environment, "TICKSTOCK_PORT": str(unused_port())}
        )
        self._console = console
        return services

    def _simulator_command(self, moment: int) -> list[str]:
        return [sys.executable, "-m", "tickstock.simulator", "--port", str(self._feed_port), "--rest-port",
                str(self._rest_port), "--key", KEY, *self.day.simulator(moment, self._speed)]  # fmt: skip

    def __enter__(self) -> Self:
        try:
            for name, service in self.services.items():
                service.start()
                if name == "redis":
                    self.wait_until(self.redis_answers, 20, "Redis to answer")
            for thread in self._threads:
                thread.start()
            self.wait_until(self.app_answers, 60, "the app to answer")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop everything in order; whoever does not stop is killed."""
        self._stopping.set()
        with self._watching:
            self._unwatched = set(self.services)
        for name in reversed(self.services):
            service = self.services[name]
            if service.process is None:
                continue
            self.signal(name, signal.SIGCONT)
            service.ask_to_stop()
            deadline = time.monotonic() + 15
            while service.exit_code is None and time.monotonic() < deadline:
                time.sleep(0.02)
            service.kill()
            service.finish()
        self.proxy.close()
        self.rest.close()
        self.redis.close()
        self._console.close()
        self._console_output.close()

    # --- what befalls it ----------------------------------------------------------------------------------------------

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to all processes of a service."""
        process = self.services[name].process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)

    def kill(self, *names: str) -> None:
        """SIGKILL; the launcher's code brings them back."""
        for name in names:
            self.signal(name, signal.SIGKILL)

    def kill_redis_and_its_data(self) -> None:
        """Redis comes back empty."""
        with self._watching:
            service = self.services["redis"]
            service.kill()
            if service.process is not None:
                service.process.wait()
            shutil.rmtree(self._redis_folder)
            self._redis_folder.mkdir()

    def start_second_app(self) -> Service:
        """A second app, with the same settings on another port."""
        service = Service(self._second_plan, self._console, self.folder / "logs")
        service.start()
        return service

    def join(self, symbol: str) -> bool:
        """Make a watchlist of an absent symbol; whether the app answered that it is there, now or after an earlier attempt."""
        if not self._ask_for_lists("POST", "", {"name": symbol, "symbols": [symbol]}, HTTPStatus.CONFLICT):
            return False
        self.absent.discard(symbol)
        self.joined.append(symbol)
        return True

    def leave(self, symbol: str) -> bool:
        """Delete the watchlist of a symbol that joined; whether the app answered that it is gone."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            lists = {each["name"]: each["id"] for each in self.get("/api/watchlists")["lists"]}
            if symbol not in lists or self._ask_for_lists("DELETE", f"/{lists[symbol]}", {}, HTTPStatus.NOT_FOUND):
                self.absent.add(symbol)
                self.joined.remove(symbol)
                return True
        return False

    def _ask_for_lists(self, method: str, path: str, body: dict[str, Any], as_good: HTTPStatus) -> bool:
        """Whether the app did it, or answered that an earlier attempt had."""
        url, headers = f"http://127.0.0.1:{self.port}/api/watchlists{path}", {"Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code == as_good
        except OSError:
            return False

    # --- how it is -----------------------------------------------------------------------------------------------------

    def virtual_now(self) -> int:
        """The market's clock."""
        at, moment = self._clock
        if self._speed == "max":
            return moment
        return moment + int((time.monotonic() - at) * 1000 * float(self._speed))

    def committed_minute(self) -> int:
        """The last minute that is stored; 0 when there is none, or the database cannot be asked."""
        try:
            progress = self._queries.progress()
        except DatabaseError:
            return 0
        return progress.minute if progress else 0

    @property
    def is_over(self) -> bool:
        """Whether the day's last minute and its final bars are stored."""
        return self.committed_minute() >= self.day.last_minute and self._has_final_bars()

    def _has_final_bars(self) -> bool:
        try:
            return self._vendor_queries.progress(FINAL_DAYS) is not None
        except DatabaseError:
            return False

    def runs(self) -> bool:
        """Whether every service's process is there."""
        return all(each.process is not None and each.exit_code is None for each in self.services.values())

    def redis_answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self.redis.ping())
        except redis.RedisError:
            return False

    def feed_status(self) -> dict[str, Any]:
        """The feed's latest status; empty when Redis has none."""
        try:
            text: Any = self.redis.get(STATUS_LATEST_KEY)
        except redis.RedisError:
            return {}
        return json.loads(text) if text else {}

    def app_answers(self) -> bool:
        """Whether the app serves pages."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/dashboard", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def get(self, path: str) -> Any:
        """JSON from the app; /health answers 503, with its JSON, while a stage is down."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return json.load(answer)

    def wait_until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for a condition. Raises TimeoutError when it does not come true."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}; logs are in {self.folder}")
            time.sleep(_LOOK_SECONDS)

    # --- threads -------------------------------------------------------------------------------------------------------

    def _look_after(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            with self._watching:
                for name, service in self.services.items():
                    if name not in self._unwatched:
                        service.look_after()

    def _follow_clock(self) -> None:
        url = f"http://127.0.0.1:{self._rest_port}/v1/marketstatus/now?apiKey={KEY}"
        while not self._stopping.wait(_CLOCK_SECONDS):
            try:
                with urllib.request.urlopen(url, timeout=1) as answer:
                    moment = datetime.fromisoformat(json.load(answer)["serverTime"])
            except (OSError, ValueError, KeyError):
                continue  # it goes on by itself
            self._clock = (time.monotonic(), int(moment.timestamp() * 1000))

    def _moment_to_start_at(self) -> int:
        """Where the day has come; behind its end there is nothing more to serve, but somebody must say so."""
        return min(self.virtual_now() // 1000 * 1000, self.day.end - 1000)
