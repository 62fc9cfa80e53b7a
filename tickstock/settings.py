"""Every setting: its name, type, default and meaning; read from the environment and from `.env`.

Standard library only, because the launcher reads it before anything is installed. The README's table is checked against this file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tickstock.errors import SettingError

DEFAULT_SYMBOLS = (
    "AAPL MSFT NVDA AMZN GOOGL META TSLA AVGO BRK.B JPM LLY V UNH XOM MA COST HD PG JNJ WMT NFLX BAC CRM ORCL AMD "
    "CVX MRK KO ADBE PEP TMO LIN ACN MCD CSCO ABT QCOM INTC TXN GE AMGN DIS VZ IBM PFE CAT NOW UBER GS MS AIG "
    "C WFC T F GM BA NKE SBUX PYPL PLTR COIN MU SPY QQQ IWM SOXL GME BRK.A SNDL"
).split()


LONGEST_SYMBOL = 32


def _text(value: str) -> str:
    if not value.isprintable():
        raise ValueError("printable text")
    return value


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return value

    return parse


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18 and lowest <= int(value) <= highest):
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return int(value)

    return parse


def _seconds(lowest: float, highest: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = float("nan")
        if not lowest <= seconds <= highest:
            raise ValueError(f"a number from {lowest:g} to {highest:g}")
        return seconds

    return parse


def _auto(parse: Callable[[str], float]) -> Callable[[str], float | None]:
    def parse_or_auto(value: str) -> float | None:
        try:
            return None if value == "auto" else parse(value)
        except ValueError as problem:
            raise ValueError(f"auto or {problem}") from None

    return parse_or_auto


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        expected = "a URL that starts with " + " or ".join(f"{scheme}://" for scheme in schemes)
        if not value.isprintable():
            raise ValueError(f"{expected}, of printable characters")
        try:
            parts = urlsplit(value)
            known, _ = parts.scheme in schemes, parts.port
        except ValueError:  # its own words may hold the password
            raise ValueError(f"{expected}, with a proper host and port") from None
        if not known:
            raise ValueError(expected)
        return value

    return parse


def _symbols(value: str) -> tuple[str, ...]:
    symbols = tuple(dict.fromkeys(part for part in value.replace(",", " ").split() if part))
    if not symbols or not all(len(symbol) <= LONGEST_SYMBOL and symbol.isprintable() for symbol in symbols):
        raise ValueError("at least one ticker, separated by commas, or *")
    return symbols


def _path(value: str) -> Path:
    if not value.isprintable() or len(value) > 1000:
        raise ValueError("a folder, of printable characters")
    return Path(value)


def _words(value: str) -> tuple[str, ...]:
    return tuple(part for part in value.replace(",", " ").split() if part)


def _choice(value: str) -> tuple[str, ...]:
    words = _words(value)
    if not words:
        raise ValueError("default, all, none or names, separated by commas")
    return words


def _timeframes(value: str) -> tuple[str, ...]:
    chosen = _words(value)
    known = ("1min", "5min", "15min", "60min", "1day")
    if not chosen or any(each not in known for each in chosen):
        raise ValueError(f"some of {', '.join(known)}, separated by commas")
    return tuple(each for each in known if each in chosen)


def setting(name: str, default: Any, parse: Callable[[str], Any], meaning: str, *, secret: bool = False) -> Any:
    """A field of `Settings`: the environment's name, how its text is read, and one sentence for the README."""
    return field(default=default, metadata={"name": name, "parse": parse, "meaning": meaning, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one process. `Settings.load()` reads them; tests build them directly."""

    massive_api_key: str = setting(
        "MASSIVE_API_KEY", "", _text, "Key of Massive.com. Without it the market simulator is started.", secret=True
    )
    redis_url: str = setting(
        "REDIS_URL", "redis://127.0.0.1:6379/0", _url("redis", "rediss", "unix"),
        "The Redis to use. Without it the launcher finds or starts one.", secret=True,
    )  # fmt: skip
    database_url: str = setting(
        "DATABASE_URL", "", _url("sqlite", "postgresql", "postgres"),
        "The database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME. Default: tickstock.db in the data directory.",
        secret=True,
    )  # fmt: skip
    data_dir: Path = setting("TICKSTOCK_DATA_DIR", Path("data"), _path, "Folder for database, logs and Redis data.")
    host: str = setting("TICKSTOCK_HOST", "127.0.0.1", _text, "Address the web server listens on. Loopback unless you mean it.")
    port: int = setting("TICKSTOCK_PORT", 5000, _whole(1, 65535), "Port of the web server.")
    allowed_origins: tuple[str, ...] = setting(
        "TICKSTOCK_ALLOWED_ORIGINS",
        (),
        _words,
        "Further origins whose pages may open a Socket.IO connection and edit watchlists, beside the server's own.",
    )
    log_level: str = setting("TICKSTOCK_LOG_LEVEL", "INFO", lambda value: _one_of("DEBUG", "INFO", "WARNING", "ERROR")(value.upper()),
                             "DEBUG, INFO, WARNING or ERROR.")  # fmt: skip
    async_mode: str = setting(
        "TICKSTOCK_ASYNC_MODE",
        "eventlet",
        _one_of("eventlet", "threading"),
        "How the web process runs: eventlet or threading.",
    )

    lifeline: str = setting(
        "TICKSTOCK_LIFELINE",
        "",
        _one_of("stdin"),
        "stdin: stop when standard input closes. Set by the launcher for its services.",
    )

    symbols: tuple[str, ...] = setting(
        "TICKSTOCK_SYMBOLS",
        tuple(DEFAULT_SYMBOLS),
        _symbols,
        "Tickers to watch, separated by commas; * means all of them. Default: 70 well-known ones.",
    )
    timeframes: tuple[str, ...] = setting(
        "TICKSTOCK_TIMEFRAMES",
        ("1min", "5min", "15min", "60min", "1day"),
        _timeframes,
        "Timeframes that are analysed, of 1min, 5min, 15min, 60min, 1day.",
    )
    analysis_sessions: str = setting(
        "TICKSTOCK_ANALYSIS_SESSIONS", "regular", _one_of("regular", "extended"),
        "Which bars feed indicators and patterns: regular (09:30 to 16:00) or extended (pre- and post-market too).",
    )  # fmt: skip
    patterns: tuple[str, ...] = setting(
        "TICKSTOCK_PATTERNS", ("default",), _choice,
        "Patterns to look for (docs/patterns.md): default, all, none, NAME, -NAME, from left to right; 5min:NAME is for one timeframe. "
        "Doji, Hammer and HeadShoulders always are.",
    )  # fmt: skip
    indicators: tuple[str, ...] = setting(
        "TICKSTOCK_INDICATORS", ("default",), _choice,
        "Indicators to compute and publish (docs/indicators.md), in the same way: default,EMA_9,BollingerBands_20_2.5,5min:-VWAP.",
    )  # fmt: skip
    alerts: tuple[str, ...] = setting(
        "TICKSTOCK_ALERTS", ("default",), _choice,
        "Indicator alerts to raise (docs/alerts.md), in the same way.",
    )  # fmt: skip

    feed: str = setting(
        "TICKSTOCK_FEED",
        "massive",
        _one_of("massive", "simulated", "replay"),
        "What the ticks are, as their `source` says. Set by the launcher.",
    )
    feed_url: str = setting("TICKSTOCK_FEED_URL", "wss://socket.massive.com/stocks", _url("ws", "wss"), "WebSocket of the feed.")
    rest_url: str = setting("TICKSTOCK_REST_URL", "https://api.massive.com", _url("http", "https"), "REST interface of the feed.")
    channel: str = setting(
        "TICKSTOCK_CHANNEL", "A", _one_of("T", "A", "AM"), "T trades, A second aggregates, AM minute aggregates."
    )
    feed_clock: str = setting(
        "TICKSTOCK_FEED_CLOCK", "wall", _one_of("wall", "events"),
        "wall: the clock closes minutes too; events: a recorded or virtual day, which follows its events alone. Set by the launcher.",
    )  # fmt: skip
    calendar: str = setting(
        "TICKSTOCK_CALENDAR", "exchange", _one_of("exchange", "always_open"),
        "Trading sessions: exchange (NYSE) or always_open (the simulated market on the wall clock). Set by the launcher.",
    )  # fmt: skip
    hold_seconds: float | None = setting(
        "TICKSTOCK_HOLD_SECONDS",
        None,
        _auto(_seconds(0, 120)),
        "How long a minute stays open for late events; auto stands for 1 s on T, 4 s on A and AM.",
    )
    delay_seconds: float | None = setting(
        "TICKSTOCK_DELAY_SECONDS",
        None,
        _auto(_seconds(0, 3600)),
        "Delay of the feed; auto stands for 900 s on delayed hosts, else 0.",
    )
    ack_seconds: float = setting(
        "TICKSTOCK_ACK_SECONDS", 15.0, _seconds(1, 300), "How long the feed may take to confirm every subscription."
    )
    silent_seconds: float | None = setting(
        "TICKSTOCK_SILENT_SECONDS", None, _auto(_seconds(1, 3600)),
        "Silence after which the feed counts as silent; auto stands for 3 s on T and A, 75 s on AM, with fewer than 20 symbols or outside regular hours.",
    )  # fmt: skip
    watchdog_seconds: float | None = setting(
        "TICKSTOCK_WATCHDOG_SECONDS",
        None,
        _auto(_seconds(1, 3600)),
        "Further silence after which the client reconnects; auto stands for 30 s, on AM 150 s.",
    )
    reconnect_max_seconds: float = setting(
        "TICKSTOCK_RECONNECT_MAX_SECONDS", 30.0, _seconds(0.1, 600), "Longest wait between two attempts to reconnect."
    )
    gap_wait_seconds: float = setting(
        "TICKSTOCK_GAP_WAIT_SECONDS",
        30.0,
        _seconds(0, 600),
        "How long minutes wait for the REST bars of a gap in the feed.",
    )
    rest_requests_per_minute: int = setting(
        "TICKSTOCK_REST_REQUESTS_PER_MINUTE",
        3000,
        _whole(1, 60_000),
        "Pace of REST requests; 5 on Massive's free plan.",
    )

    tick_retention_days: float = setting(
        "TICKSTOCK_TICK_RETENTION_DAYS", 3.0, _seconds(0.01, 3650), "Age at which stored ticks are deleted, in days."
    )
    tick_retention_gigabytes: float = setting(
        "TICKSTOCK_TICK_RETENTION_GB",
        5.0,
        _seconds(0.01, 10_000),
        "Size of stored ticks at which the oldest are deleted, in GB.",
    )
    indicator_retention_days: float = setting(
        "TICKSTOCK_INDICATOR_RETENTION_DAYS",
        30.0,
        _seconds(0.01, 3650),
        "Age at which stored indicator values are deleted, in days.",
    )
    outcome_cost_basis_points: float = setting(
        "TICKSTOCK_OUTCOME_COST_BASIS_POINTS",
        5.0,
        _seconds(0, 1000),
        "What buying and selling once costs, in hundredths of a percent of the price: taken off what followed a pattern.",
    )

    @property
    def hold_ms(self) -> int:
        """How long after its end a minute stays open, in milliseconds."""
        if self.hold_seconds is not None:
            return int(self.hold_seconds * 1000)
        return 1000 if self.channel == "T" else 4000

    @property
    def delay_ms(self) -> int:
        """The feed's delay in milliseconds."""
        if self.delay_seconds is not None:
            return int(self.delay_seconds * 1000)
        return 900_000 if (urlsplit(self.feed_url).hostname or "").startswith("delayed") else 0

    @property
    def database(self) -> str:
        """The database URL in force."""
        url = self.database_url or f"sqlite:///{(self.data_dir / 'tickstock.db').absolute().as_posix()}"
        return url.replace("postgres://", "postgresql://", 1)

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
        """Read the environment, and `.env` for what the environment does not set.

        Raises:
            SettingError: a name that starts with TICKSTOCK_ is unknown, or a value cannot be read.
        """
        given = {**read_dotenv(dotenv), **(os.environ if environment is None else environment)}
        known = {each.metadata["name"]: each for each in fields(cls)}
        for name in sorted(given):
            if name.startswith("TICKSTOCK_") and name not in known:
                shown = name[:60]
                near = get_close_matches(shown, known, n=1)
                hint = f" Did you mean {near[0]}?" if near else " See README, Settings."
                raise SettingError(f"Unknown setting {shown}.{hint}")
        values: dict[str, Any] = {}
        for name, each in known.items():
            text = given.get(name, "").strip()
            if not text or text == str(each.default):
                continue
            try:
                values[each.name] = each.metadata["parse"](text)
            except ValueError as problem:
                shown = "a value that is not shown" if each.metadata["secret"] else repr(text[:120])
                raise SettingError(f"{name} must be {problem}; got {shown}. See README, Settings.") from None
        return cls(**values)


def markdown_table() -> str:
    """The README's table of settings, one row each; `python -m tickstock.settings` prints it."""
    rows = ["| name | default | meaning |", "|---|---|---|"]
    for each in fields(Settings):
        meaning = each.metadata["meaning"].replace("|", "\\|")
        rows.append(f"| `{each.metadata['name']}` | {_shown_default(each.default)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _shown_default(value: Any) -> str:
    if value is None:
        return "`auto`"
    if isinstance(value, tuple):
        return f"{len(value)} tickers" if len(value) > 10 else _shown_default(",".join(value))
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`" if str(value) else "none"


def read_dotenv(path: Path | None) -> dict[str, str]:
    """`NAME=value` lines of a file; comments, blank lines, `export` and matching quotes are understood.

    Raises:
        SettingError: a line that is none of these.
    """
    return dotenv_values(path.read_bytes(), str(path)) if path is not None and path.is_file() else {}


def dotenv_values(content: bytes, path: str) -> dict[str, str]:
    """The same of a file's content; `path` is for messages.

    Raises:
        SettingError: a line that is none of these, or not UTF-8.
    """
    found: dict[str, str] = {}
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise SettingError(f"{path} must be UTF-8 text; byte {problem.start} is not. See README, Settings.") from None
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingError(f"{path} line {number} must read NAME=value, or start with #. See README, Settings.")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip()] = value
    return found


def without_password(url: str) -> str:
    """A URL that may be shown: user and password are left out."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


if __name__ == "__main__":
    sys.stdout.write(markdown_table())
