"""The day that is lived through twice: which part of which virtual day, and the history that stands in the database before it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec

from tickstock.database.migrate import migrate
from tickstock.database.models import DAY_SERIES
from tickstock.database.writers import Writer
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS, Calendar, ExchangeCalendar, new_york_time, regular_session_of
from tickstock.simulator.clock import DayClock
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape

SOURCE = "simulated"
# The simulator's hard cases among them: a gapper, a halt, fractions, odd lots only, a bad print, dear and cheap prices.
SYMBOLS = tuple("AAPL TSLA GME COIN PLTR LIN WMT SNDL BRK.A SPY BAC AMD IBM MSFT NVDA QQQ META INTC F T".split())  # noqa: SIM905
JOINING = (
    "LIN",
    "WMT",
    "QQQ",
    "INTC",
)  # of these the undisturbed day knows from its beginning, the disturbed one when they are added
SHORT_RUN, SHORT_SYMBOLS, SHORT_PACE = 0.5, 10, 30.0  # minutes: below that, fewer symbols, and slower
HISTORY_DAYS, DAY_BARS = 15, 40
FASTEST = 60.0  # virtual minutes a minute
_DAYS = ("2025-11-18", "2025-11-28", "2025-03-10", "2025-06-20", "2025-11-03", "2025-07-03")  # two of them are half days


@dataclass(frozen=True)
class VirtualDay:
    """A part of a virtual day; times are Unix milliseconds."""

    seed: int
    day: date
    start: int
    end: int
    symbols: tuple[str, ...] = SYMBOLS
    timeframes: str = "1min,5min,15min,60min,1day"

    @classmethod
    def of(cls, seed: int, minutes: float) -> VirtualDay:
        """The part that a seed chooses for a run of so many minutes: as much as fits at the highest speed."""
        chosen = random.Random(f"day {seed}")
        calendar = ExchangeCalendar()
        days = [each for each in map(date.fromisoformat, _DAYS) if calendar.sessions_of(each)]
        day = chosen.choice(days)
        regular = next(each for each in calendar.sessions_of(day) if each.name == "regular")
        pace = SHORT_PACE if minutes < SHORT_RUN else FASTEST
        length = min(int(minutes * pace), (regular.end - regular.start) // MINUTE_MS + 20)
        earliest, latest = regular.start - 8 * MINUTE_MS, max(regular.start, regular.end - (length - 6) * MINUTE_MS)
        start = min(earliest + chosen.randrange((latest - earliest) // MINUTE_MS) * MINUTE_MS, latest)
        whole = cls(seed, day, start, start + length * MINUTE_MS)
        return replace(whole, symbols=SYMBOLS[:SHORT_SYMBOLS], timeframes="1min,5min") if minutes < SHORT_RUN else whole

    @property
    def joining(self) -> tuple[str, ...]:
        """The symbols that the disturbed day does not watch from its beginning."""
        return tuple(symbol for symbol in JOINING if symbol in self.symbols)

    @property
    def last_minute(self) -> int:
        """The last minute that is closed: with the recording's end the day ends too."""
        return ExchangeCalendar().sessions_of(self.day)[-1].end - MINUTE_MS

    @property
    def minutes(self) -> int:
        """How many minutes it has."""
        return (self.end - self.start) // MINUTE_MS

    def simulator(self, start: int, speed: str) -> list[str]:
        """The simulator's options for this day from a moment on."""
        return ["--symbols", ",".join(self.symbols), "--seed", str(self.seed), "--start", _iso(start), "--end", _iso(self.end),
                "--speed", speed]  # fmt: skip

    def fill_history(self, url: str) -> None:
        """Make the tables, and store what the vendor knows of the time before, so that a warm-up never waits for REST."""
        migrate(url)
        calendar = ExchangeCalendar()
        market = SyntheticMarket(self.symbols, self.seed, calendar)
        rest = RestInterface(SyntheticTape(market, last_day=self.day), DayClock(self.start, 1.0), "")
        days = [*calendar.trading_days_before(self.day, HISTORY_DAYS), self.day]
        starts = tuple(calendar.sessions_of(each)[0].start for each in days)
        oldest = calendar.trading_days_before(self.day, DAY_BARS)[0]
        for symbol in self.symbols:
            # Of earlier days the regular hours are enough: the others are not analysed, and would triple what is to be stored.
            minutes = [
                bar for bar in _bars(rest, symbol, "minute", str(starts[0]), str(self.start))
                if bar.timestamp >= starts[-1] or _is_regular(calendar, bar.timestamp)
            ]  # fmt: skip
            rows = [_row(symbol, "1min", bar.timestamp, bar) for bar in minutes]
            for bar in _bars(rest, symbol, "day", str(oldest), str(days[-2])):
                session = regular_session_of(calendar, new_york_time(bar.timestamp).date())
                rows += [_row(symbol, "1day", session.start, bar)] if session is not None else []
            covered = [(symbol, start, min(self.start, _end_of_day(calendar, start))) for start in starts]
            with Writer(url) as writer, writer.transaction() as batch:
                batch.insert_bars(rows)
                batch.set_coverage([*covered, (symbol, DAY_SERIES, starts[-1])])

    def __str__(self) -> str:
        return f"{self.day} from {_clock(self.start)} to {_clock(self.end)} New York"


def _bars(rest: RestInterface, symbol: str, timespan: str, first: str, last: str) -> list[RestBar]:
    """What REST answers, split-adjusted."""
    path = f"/v2/aggs/ticker/{symbol}/range/1/{timespan}/{first}/{last}?limit=50000"
    _, body = rest.answer(path, {})
    found = msgspec.json.decode(body).get("results", [])
    return [RestBar(each["t"], each["o"], each["h"], each["l"], each["c"], int(each["v"]), each["n"]) for each in found]


def _row(symbol: str, timeframe: str, start: int, bar: RestBar) -> tuple[Any, ...]:
    """A row of `bars`, as a bar from REST has it."""
    return (symbol, timeframe, start, 0, bar.open, bar.high, bar.low, bar.close, bar.volume, None, bar.trades, SOURCE, None, None)


def _end_of_day(calendar: Calendar, start: int) -> int:
    return calendar.sessions_of(calendar.trading_day_at(start))[-1].end


def _is_regular(calendar: Calendar, moment: int) -> bool:
    session = calendar.session_at(moment)
    return session is not None and session.name == "regular"


def _iso(moment: int) -> str:
    return new_york_time(moment).isoformat()


def _clock(moment: int) -> str:
    return new_york_time(moment).strftime("%H:%M")
