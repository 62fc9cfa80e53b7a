"""The day that is lived through twice: which part of which virtual day, and the history that stands in the database before it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from tickstock.database.migrate import migrate
from tickstock.feed.massive_rest import RestBar
from tickstock.market_hours import MINUTE_MS, ExchangeCalendar, new_york_time
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.trades import SHARE, Bars
from tickstock.streaming.history_store import HistoryStore

SOURCE = "simulated"
# The simulator's hard cases among them: a gapper, a halt, fractions, odd lots only, a bad print, dear and cheap prices.
SYMBOLS = tuple("AAPL TSLA GME COIN PLTR LIN WMT SNDL BRK.A SPY BAC AMD IBM MSFT NVDA QQQ META INTC F T".split())  # noqa: SIM905
SHORT_RUN, SHORT_SYMBOLS, SHORT_PACE = 0.5, 10, 30.0  # minutes: below that, fewer symbols, and slower
HISTORY_DAYS, DAY_BARS = 15, 40
FASTEST = 60.0  # virtual minutes a minute
_DAYS = ("2026-11-18", "2026-11-27", "2026-03-09", "2026-06-19", "2026-11-02", "2026-07-02")  # 27 November is a half day


@dataclass(frozen=True)
class VirtualDay:
    """A part of a virtual day; times are Unix milliseconds."""

    seed: int
    day: date
    start: int
    end: int
    symbols: tuple[str, ...] = SYMBOLS

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
        return cls(seed, day, start, start + length * MINUTE_MS, SYMBOLS[:SHORT_SYMBOLS] if minutes < SHORT_RUN else SYMBOLS)

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
        store = HistoryStore(url, SOURCE, calendar)
        earlier = calendar.trading_days_before(self.day, HISTORY_DAYS)
        covered = tuple(calendar.sessions_of(each)[0].start for each in (*earlier, self.day))
        days = [found for each in (*earlier, self.day) if (found := market.days.of(each)) is not None]
        older = [
            found for each in calendar.trading_days_before(self.day, DAY_BARS) if (found := market.days.of(each)) is not None
        ]
        for symbol in self.symbols:
            # Of earlier days the regular hours are enough: the others are not analysed, and would triple what is to be stored.
            minutes: list[RestBar] = []
            for each in days:
                bars = market.minute_bars(symbol, each)
                minutes += _rest_bars(bars if each.day == self.day else bars.take(each.regular()), self.start)
            store.store_minutes(symbol, minutes, covered, self.start)
            day_bars = [bar for each in older for bar in _rest_bars(market.day_bar(symbol, each), self.start)]
            store.store_days(symbol, day_bars, covered[-1])

    def __str__(self) -> str:
        return f"{self.day} from {_clock(self.start)} to {_clock(self.end)} New York"


def _rest_bars(bars: Bars, until: int) -> list[RestBar]:
    """As REST serves them."""
    return [
        RestBar(int(bars.start[n]), float(bars.open[n]), float(bars.high[n]), float(bars.low[n]), float(bars.close[n]),
                int(bars.volume[n]) // SHARE, int(bars.count[n]))
        for n in range(len(bars)) if bars.open[n] == bars.open[n] and bars.start[n] + MINUTE_MS <= until
    ]  # fmt: skip


def _iso(moment: int) -> str:
    return new_york_time(moment).isoformat()


def _clock(moment: int) -> str:
    return new_york_time(moment).strftime("%H:%M")
