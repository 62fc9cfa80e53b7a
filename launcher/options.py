"""Flags, environment and `.env`, in this order of precedence, as one set of settings and the environment of the services."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launcher.errors import LauncherError
from launcher.setup import ROOT
from tickstock.analysis.selection import enabled_from
from tickstock.errors import SettingError
from tickstock.settings import Settings, read_dotenv

_DESCRIPTION = """\
Starts TickStock: on the first run it sets everything up, then it starts Redis, the market simulator (when there is no
MASSIVE_API_KEY), TickStockPL and the web application, and watches them. Ctrl+C stops them all, in order."""

_EPILOG = """\
examples:
  python start_all_services.py                               the simulated market, at http://localhost:5000/dashboard
  MASSIVE_API_KEY=... python start_all_services.py           the real market
  python start_all_services.py --replay 2013-10-07.csv.gz --speed 60
                                                             a recorded day (trades_v1 flat file), an hour a minute

Flags win over the environment, and the environment over a file named .env beside this program. The README lists every
setting: MASSIVE_API_KEY, REDIS_URL, DATABASE_URL and TICKSTOCK_*.

exit codes: 0 all was well, 1 something failed, 2 a setting or a flag is wrong"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the person at the terminal asked for."""

    settings: Settings
    environment: Mapping[str, str]  # what the services get: everything that was given, with the flags on top
    replay: Path | None = None
    speed: str = "1"

    @property
    def market(self) -> str:
        """Where the ticks come from: replay, simulated or massive."""
        if self.replay:
            return "replay"
        return "massive" if self.settings.massive_api_key else "simulated"

    @property
    def has_own_redis(self) -> bool:
        """Whether the launcher provides Redis."""
        return not self.environment.get("REDIS_URL", "").strip()

    @property
    def dashboard_url(self) -> str:
        """The page's address, as a person on this machine opens it."""
        host = self.settings.host
        if host in ("127.0.0.1", "0.0.0.0", "::", "::1"):  # noqa: S104
            host = "localhost"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.port}/dashboard"


def parser() -> argparse.ArgumentParser:
    """The command line of start_all_services.py."""
    flags = argparse.ArgumentParser(
        prog="start_all_services.py",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    flags.add_argument("--port", metavar="N", help="port of the web page (TICKSTOCK_PORT, default 5000)")
    flags.add_argument(
        "--data-dir", metavar="FOLDER", help="folder for database, logs and Redis data (TICKSTOCK_DATA_DIR, default ./data)"
    )
    flags.add_argument(
        "--replay", metavar="FILE", help="play a recorded day instead of a live market: a trades_v1 flat file, .csv or .csv.gz"
    )
    flags.add_argument("--speed", metavar="N|max", help="with --replay: N times as fast as it was, or max (default 1)")
    flags.add_argument(
        "--symbols", metavar="LIST", help="tickers to watch, separated by commas (TICKSTOCK_SYMBOLS, default 70 well-known ones)"
    )
    flags.add_argument("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING or ERROR (TICKSTOCK_LOG_LEVEL, default INFO)")
    return flags


def read_options(arguments: Sequence[str], environment: Mapping[str, str] = os.environ, root: Path = ROOT) -> Options:
    """Read flags, environment and `.env`.

    Raises:
        LauncherError: a setting is unknown or bad, or the recorded day cannot be read; exit code 2.
        SystemExit: --help, or an unknown flag.
    """
    flags = parser().parse_args(arguments)
    if flags.speed is not None and flags.replay is None:
        raise LauncherError("--speed needs --replay FILE: only a recorded day can be played faster.", 2)
    try:
        given = {**read_dotenv(root / ".env"), **environment, **_given_flags(flags)}
        settings = Settings.load(given, dotenv=None)
        enabled_from(settings)  # says what is wrong with the choice of patterns before anything is started
    except SettingError as problem:
        raise LauncherError(str(problem), 2) from None
    data_dir = (root / settings.data_dir).resolve()
    given["TICKSTOCK_DATA_DIR"] = str(data_dir)
    return Options(
        settings=Settings.load(given, dotenv=None),
        environment=given,
        replay=_recorded_day(flags.replay),
        speed=_speed(flags.speed),
    )


def _given_flags(flags: argparse.Namespace) -> dict[str, str]:
    found = {
        "TICKSTOCK_PORT": flags.port,
        "TICKSTOCK_DATA_DIR": flags.data_dir and str(Path(flags.data_dir).expanduser().resolve()),
        "TICKSTOCK_SYMBOLS": flags.symbols,
        "TICKSTOCK_LOG_LEVEL": flags.log_level,
    }
    return {name: value for name, value in found.items() if value is not None}


def _recorded_day(name: str | None) -> Path | None:
    if name is None:
        return None
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise LauncherError(f"--replay: there is no file {path}.", 2)
    if not path.name.endswith((".csv", ".csv.gz")):
        raise LauncherError(f"--replay takes a trades_v1 flat file, .csv or .csv.gz; got {path.name}.", 2)
    return path


def _speed(text: str | None) -> str:
    if text is None or text == "max":
        return text or "1"
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.001 <= speed <= 100_000:
        raise LauncherError(f"--speed must be a number of times from 0.001 to 100000, or max; got {text!r}.", 2)
    return f"{speed:g}"
