"""Which services there are: their names, commands and environment."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher.options import Options
from launcher.redis_server import RedisCommand
from launcher.service import ServicePlan
from launcher.setup import ROOT

APP = "TickStockAppV2"
STREAMING = "TickStockPL Streaming"
SIMULATOR = "Market Simulator"
REDIS = "Redis"


@dataclass(frozen=True)
class SimulatorPlace:
    """Where the simulator of this start listens, and the key that it takes."""

    port: int
    rest_port: int
    key: str

    @classmethod
    def on(cls, port: int, rest_port: int) -> SimulatorPlace:
        """A place with a key that is made up for this start alone."""
        return cls(port, rest_port, secrets.token_hex(16))


CHILD = {"TICKSTOCK_LIFELINE": "stdin", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
# glibc gives every thread a pool of memory of its own, and each keeps what it once held: the application then grows for hours.
FEW_POOLS = {"MALLOC_ARENA_MAX": "2"}


def environment_of_services(options: Options, redis_url: str, simulator: SimulatorPlace | None) -> dict[str, str]:
    """What every service gets: all that was given, where Redis and the feed are, and how to behave as a child."""
    found = {**FEW_POOLS, **options.environment, "REDIS_URL": redis_url, "DATABASE_URL": options.settings.database}
    if simulator is not None:
        recorded = options.replay is not None
        found |= {
            "MASSIVE_API_KEY": simulator.key,
            "TICKSTOCK_FEED": "replay" if recorded else "simulated",
            "TICKSTOCK_FEED_URL": f"ws://127.0.0.1:{simulator.port}/stocks",
            "TICKSTOCK_REST_URL": f"http://127.0.0.1:{simulator.rest_port}",
            "TICKSTOCK_FEED_CLOCK": "events" if recorded else "wall",
            "TICKSTOCK_CALENDAR": "exchange" if recorded else "always_open",
        }
        if recorded and not options.environment.get("TICKSTOCK_CHANNEL"):
            found["TICKSTOCK_CHANNEL"] = "T"  # a flat file holds trades
    return found | CHILD


@dataclass(frozen=True)
class Plans:
    """The plans of one start."""

    options: Options
    python: Path
    environment: Mapping[str, str]

    def redis(self, redis: RedisCommand) -> ServicePlan:
        """Our own Redis, behind its guard."""
        return self._plan(REDIS, "redis", *redis.guarded, seconds=8)

    def simulator(self, place: SimulatorPlace) -> ServicePlan:
        """The stand-in for Massive: a synthetic market, or a recorded day."""
        command = ["--port", str(place.port), "--rest-port", str(place.rest_port), "--key", place.key]
        if self.options.replay is not None:
            command += ["--replay", str(self.options.replay), "--speed", self.options.speed]
        elif self.options.environment.get("TICKSTOCK_SYMBOLS") and "*" not in self.options.settings.symbols:
            command += ["--symbols", ",".join(self.options.settings.symbols)]
        return self._plan(SIMULATOR, "simulator", str(self.python), "-m", "tickstock.simulator", *command, seconds=3)

    def streaming(self) -> ServicePlan:
        """TickStockPL."""
        return self._plan(STREAMING, "streaming", str(self.python), "-m", "tickstock.streaming", seconds=8)

    def app(self) -> ServicePlan:
        """The web application, which takes in the feed."""
        return self._plan(APP, "app", str(self.python), str(ROOT / "app.py"), seconds=8)

    def _plan(self, name: str, log_name: str, *command: str, seconds: float) -> ServicePlan:
        return ServicePlan(
            name=name, log_name=log_name, command=command, environment=self.environment, folder=ROOT, seconds_to_stop=seconds
        )
