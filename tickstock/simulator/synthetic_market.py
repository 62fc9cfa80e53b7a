"""The synthetic market: seeded, and the same whichever way it is asked, a day's bars or a minute's trades, today or years ago.

Prices are correlated random walks. A company's daily closes move around its level (a moving average of the last hundred days'
shocks, so that no day needs the days before it); within a day the path is tied to both ends.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tickstock.market_hours import MINUTE_MS, Calendar
from tickstock.simulator.companies import (
    BAD_PRINT,
    FRACTIONAL,
    GAPPER,
    HALTED,
    LATE_AUCTION,
    NASDAQ_TAPE,
    ODD_LOTS_ONLY,
    SECTORS,
    companies_of,
)  # fmt: skip
from tickstock.simulator.halts import HALT, RESUMPTION, HaltEvents
from tickstock.simulator.minute_plan import UNIT, MinutePlan, Rates, plan_minutes
from tickstock.simulator.minute_trades import PrintKinds, trades_of
from tickstock.simulator.randomness import derive, key_of, normal, uniforms
from tickstock.simulator.splits import price_before, splits_of
from tickstock.simulator.trades import SHARE, Bars, Floats, Integers, Trades
from tickstock.simulator.trading_day import TradingDay, TradingDays, minute_of

_TRADES_PER_MINUTE = 57.0  # of the mean symbol, in a mean minute of regular hours
_LEAST_TRADES = 56.0  # on the wall clock nearly every symbol prints every few seconds, at any hour
_TOGETHER = 250  # symbols whose numbers are made at once: more would only take more memory
_GROUP = 16
_FADING, _SHOCKS = 0.97, 100
_DAILY_VOLATILITY = 22.0  # standard deviations of a minute
_RESUMED_MS = 2000  # in its minute; the first print follows
_FIRST_OPEN, _HALT_START, _HALT_END = "09:30", "10:32", "10:47"
_MARKET, _SECTOR = 0.7, 0.3  # how the shared part of the variance is made up


@dataclass(frozen=True)
class _Special:
    """One print that is not like the others: its minute, when in it, and what part of a day's volume it is."""

    minute: int
    condition: int
    offset: int
    share: float


class SyntheticMarket:
    """Prices, bars and trades of any moment; deterministic in the tickers, the seed, the calendar and the rate."""

    def __init__(
        self, tickers: Sequence[str], seed: int, calendar: Calendar, rate: float | None = None, plain: bool = False
    ) -> None:
        self.symbols = list(tickers)
        self.days = TradingDays(calendar)
        self.splits = splits_of(self.symbols)
        self.kinds = PrintKinds(plain)
        self.conditions = self.kinds.sets
        self._seed = seed
        self._rate = rate
        self._plain = plain
        companies = companies_of(self.symbols)
        self._number = {ticker: number for number, ticker in enumerate(self.symbols)}
        self._key = np.array([key_of(seed, ticker) for ticker in self.symbols], np.uint64)
        self._price = np.array([each.price for each in companies])
        self._volatility = np.array([each.volatility for each in companies])
        self._share = np.array([each.market_share for each in companies])
        self._sector = np.array([each.sector for each in companies])
        self._lot = np.array([each.lot for each in companies], np.int64)
        self.tapes = np.array([each.tape for each in companies], np.int8)
        weights = 1.0 / (np.argsort(np.argsort([each.rank for each in companies], kind="stable")) + 12.0)
        self._weight = weights / weights.mean()
        self._path_of_all = lru_cache(maxsize=2)(self._make_path_of_all)
        self._factors = lru_cache(maxsize=400)(self._make_factors)
        self._specials = lru_cache(maxsize=4096)(self._make_specials)
        self._bars = lru_cache(maxsize=3000)(self._make_bars)
        self._day_bars = lru_cache(maxsize=20_000)(self._make_day_bars)
        self._one_at_a_time = threading.Lock()  # who asks over several connections wants the same groups: each is made once

    # -- what the servers ask -----------------------------------------------------------------------------------------

    def trades(self, day: TradingDay, minute: int) -> Trades:
        """Every print of one minute of all symbols, in the order of time."""
        ends = self._path_of_all(day.day)[:, minute : minute + 2]
        everyone = np.arange(len(self.symbols))
        groups = [everyone[at : at + _TOGETHER] for at in range(0, len(everyone), _TOGETHER)]
        parts = [self._trades(day, group, np.full(len(group), minute), ends[group]) for group in groups]
        if len(parts) == 1:
            return parts[0]
        trades = Trades.join(parts)
        return trades.take(np.argsort(trades.time, kind="stable"))

    def trades_of(self, ticker: str, day: TradingDay, minutes: slice) -> Trades:
        """The prints of some minutes of one symbol, the same as in `trades`."""
        numbers = np.arange(day.minutes)[minutes]
        number = self._number[ticker]
        path = self._paths(day, np.array([number]))[0]
        ends = np.stack((path[numbers], path[numbers + 1]), axis=1)
        return self._trades(day, np.full(len(numbers), number), numbers, ends)

    def minute_bars(self, ticker: str, day: TradingDay) -> Bars:
        """The day's minute bars of one symbol, as its trades make them; windows without a price have NaN."""
        return self._bars(ticker, day.day)

    def day_bar(self, ticker: str, day: TradingDay, until: int | None = None) -> Bars:
        """The day's bar of one symbol (no row when it did not trade); with `until`, of the minutes that ended by then."""
        if until is None or until >= day.end:
            group, place = divmod(self._number[ticker], _GROUP)
            with self._one_at_a_time:
                return self._day_bars(day.day, group)[place]
        return self._fold(day, self._number[ticker], self.minute_bars(ticker, day), until)

    def halts(self, day: TradingDay, minute: int) -> HaltEvents:
        """The halt or the resumption of a minute, of the one symbol that has some."""
        number = self._number.get(HALTED)
        told = {day.at(_HALT_START): (HALT, 0), day.at(_HALT_END): (RESUMPTION, _RESUMED_MS)}.get(minute)
        if number is None or told is None:
            return HaltEvents.none()
        indicator, offset = told
        return HaltEvents(
            np.array([number], np.int32), np.array([day.start + minute * MINUTE_MS + offset], np.int64),
            self._path_of_all(day.day)[[number], minute], np.array([indicator], np.int16), self.tapes[[number]],
        )  # fmt: skip

    def totals(self, day: TradingDay, minute: int) -> tuple[Integers, Floats, Floats]:
        """Of each symbol before a minute of the day: volume (millionths), dollars, and the official open (NaN before it)."""
        volume, dollars = np.zeros(len(self.symbols), np.int64), np.zeros(len(self.symbols))
        opening = np.full(len(self.symbols), np.nan)
        if minute <= 0:
            return volume, dollars, opening
        paths = self._path_of_all(day.day)
        everyone = np.arange(len(self.symbols))
        for number in range(minute):
            plan = self._plan(day, everyone, np.full(len(everyone), number), paths[:, number : number + 2])
            volume += plan.volume()
            dollars += plan.volume() / SHARE * plan.typical_price()
            if not day.extended_hours[number]:
                opening = np.where(np.isnan(opening) & (plan.eligible > 0), plan.open / UNIT, opening)
        return volume, dollars, opening

    # -- a day's path ---------------------------------------------------------------------------------------------------

    def _make_path_of_all(self, day: date) -> Floats:
        trading_day = self.days.of(day)
        assert trading_day is not None
        numbers = np.arange(len(self.symbols))
        return np.concatenate(
            [self._paths(trading_day, numbers[at : at + _TOGETHER]) for at in range(0, len(numbers), _TOGETHER)]
        )

    def _paths(self, day: TradingDay, numbers: Integers) -> Floats:
        """Dollars of the symbols (rows) at the start of each minute and at the end of the last."""
        market, sectors = self._factors(day.day)
        share = self._share[numbers, None]
        own = normal(derive(derive(self._key[numbers], day.day.toordinal())[:, None], np.arange(day.minutes)))
        steps = (
            np.sqrt(share * _MARKET) * market
            + np.sqrt(share * _SECTOR) * sectors[self._sector[numbers]]
            + np.sqrt(1 - share) * own
        )
        steps = steps * (self._volatility[numbers, None] * day.movement)
        self._halt(day, numbers, steps)
        before = self._closing_level(self.days.before(day.day), numbers)
        opening = before + self._gap(day.day, numbers)
        closing = self._closing_level(day.day, numbers)
        walk = np.cumsum(steps, axis=1)
        tied = walk - np.arange(1, day.minutes + 1) / day.minutes * (walk[:, -1:] - (closing - opening)[:, None])
        levels = opening[:, None] + np.concatenate((np.zeros((len(numbers), 1)), tied), axis=1)
        result: Floats = self._price_on(day.day)[numbers, None] * np.exp(levels)
        return result

    def _price_on(self, day: date) -> Floats:
        """Dollars around which the companies move, in the shares of a day."""
        price = self._price.copy()
        for ticker in {each.ticker for each in self.splits}:
            price[self._number[ticker]] *= price_before(self.splits, ticker, day)
        return price

    def _make_factors(self, day: date) -> tuple[Floats, Floats]:
        trading_day = self.days.of(day)
        assert trading_day is not None
        keys = np.array([key_of(self._seed, "factor", day, each) for each in range(1 + len(SECTORS))], np.uint64)
        numbers = normal(derive(keys[:, None], np.arange(trading_day.minutes)))
        return numbers[0], numbers[1:]

    def _closing_level(self, day: date, numbers: Integers) -> Floats:
        """Logarithm of the close relative to the company's level."""
        days = day.toordinal() - np.arange(_SHOCKS)
        shared = normal(derive(key_of(self._seed, "days"), days))
        own = normal(derive(derive(self._key[numbers], -7)[:, None], days))
        share = self._share[numbers, None]
        shocks = np.sqrt(share) * shared + np.sqrt(1 - share) * own
        result: Floats = (
            (shocks * _FADING ** np.arange(_SHOCKS)).sum(axis=1) * self._volatility[numbers] * _DAILY_VOLATILITY * 0.5
        )
        return result

    def _gap(self, day: date, numbers: Integers) -> Floats:
        keys = derive(derive(self._key[numbers], -9), day.toordinal())
        gaps = normal(keys) * self._volatility[numbers] * 5
        size, side = uniforms(keys, 2)
        gapper = numbers == self._number.get(GAPPER, -1)
        result: Floats = np.where(gapper, np.where(side < 0.5, -1, 1) * np.log1p(0.08 + 0.07 * size), gaps)
        return result

    def _halt(self, day: TradingDay, numbers: Integers, steps: Floats) -> None:
        first, last = day.at(_HALT_START), day.at(_HALT_END)
        row = np.flatnonzero(numbers == self._number.get(HALTED, -1))
        if first is not None and last is not None and len(row):
            size, side = uniforms(derive(derive(self._key[numbers[row]], -11), day.day.toordinal()), 2)
            steps[row, first:last] = 0.0
            steps[row, last - 1] = np.where(side < 0.5, -1, 1) * np.log1p(0.03 + 0.02 * size)

    # -- minutes and their trades ---------------------------------------------------------------------------------------

    def _plan(self, day: TradingDay, numbers: Integers, minutes: Integers, ends: Floats) -> MinutePlan:
        keys = derive(derive(derive(self._key[numbers], day.day.toordinal()), -3), minutes)
        return plan_minutes(keys, ends[:, 0], ends[:, 1], self._rates(day, numbers, minutes))

    def _trades(self, day: TradingDay, numbers: Integers, minutes: Integers, ends: Floats) -> Trades:
        plan = self._plan(day, numbers, minutes, ends)
        starts = day.start + minutes * MINUTE_MS
        return trades_of(
            plan, numbers.astype(np.int32), minutes, starts, self.tapes[numbers], day.extended_hours[minutes], self.kinds
        )

    def _rates(self, day: TradingDay, numbers: Integers, minutes: Integers) -> Rates:
        expected = self._expected_trades(day, numbers, minutes)
        condition = np.zeros(len(numbers), np.int16)
        size, offset = np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.int64)
        per_day = self._expected_per_day(numbers)
        lot = self._lot[numbers]
        for each_number in np.unique(numbers) if len(minutes) and self._has_special(day, minutes) else ():
            for print_ in self._specials(day.day, int(each_number)):
                rows = (numbers == each_number) & (minutes == print_.minute)
                condition[rows], offset[rows] = print_.condition, print_.offset
                size[rows] = (lot * np.ceil(print_.share * per_day * 1.5).astype(np.int64))[rows]
        return Rates(
            trades=expected, volatility=self._volatility[numbers] * day.movement[minutes], lot=lot,
            fractional=numbers == self._number.get(FRACTIONAL, -1),
            odd_lots_only=self._during(day, numbers, minutes, ODD_LOTS_ONLY, "11:10", "11:30"),
            halted=self._during(day, numbers, minutes, HALTED, _HALT_START, _HALT_END),
            bad_print=self._during(day, numbers, minutes, BAD_PRINT, "13:17", "13:18"),
            special_kind=condition, special_size=size, special_offset=offset, plain=self._plain,
        )  # fmt: skip

    def _expected_trades(self, day: TradingDay, numbers: Integers, minutes: Integers) -> Floats:
        if self._rate is not None:
            steady: Floats = self._rate * 60.0 * self._weight[numbers] / len(self.symbols)
            return steady
        rare = self._lot[numbers] == 1
        expected = _TRADES_PER_MINUTE * self._weight[numbers] * day.activity[minutes]
        if day.always_open:
            expected = np.maximum(expected, _LEAST_TRADES)
        result: Floats = np.where(rare, expected * 0.15, expected)
        return result

    def _expected_per_day(self, numbers: Integers) -> Floats:
        result: Floats = _TRADES_PER_MINUTE * self._weight[numbers] * 390
        return result

    def _during(
        self, day: TradingDay, numbers: Integers, minutes: Integers, ticker: str, first: str, last: str
    ) -> NDArray[np.bool_]:
        at = day.time_of_day[minutes]
        result: NDArray[np.bool_] = (numbers == self._number.get(ticker, -1)) & (at >= minute_of(first)) & (at < minute_of(last))
        return result

    def _has_special(self, day: TradingDay, minutes: Integers) -> bool:
        regular = day.regular()
        wanted = {int(regular[0]), int(regular[-1]) + 1, day.at("16:01"), day.at(_HALT_END)}
        return any(each is not None and bool((minutes == each).any()) for each in wanted)

    def _make_specials(self, day: date, number: int) -> tuple[_Special, ...]:
        trading_day = self.days.of(day)
        assert trading_day is not None
        ticker, nasdaq = self.symbols[number], bool(self.tapes[number] == NASDAQ_TAPE)
        found = []
        spread = int(derive(derive(self._key[number], -13), day.toordinal())[0] % np.uint64(700))
        if not trading_day.always_open:
            regular = trading_day.regular()
            found.append(_Special(int(regular[0]), 25 if nasdaq else 17, 20 + spread, 0.012))
            if regular[-1] + 1 < trading_day.minutes:
                found.append(_Special(int(regular[-1]) + 1, 8 if nasdaq else 19, 150 + spread, 0.07))
        for case, at, condition, offset, share in ((LATE_AUCTION, "16:01", 19, 4000, 0.04), (HALTED, _HALT_END, 28, 2150, 0.02)):
            minute = trading_day.at(at)
            if ticker == case and minute is not None:
                found.append(_Special(minute, condition, offset, share))
        return tuple(found)

    # -- bars -------------------------------------------------------------------------------------------------------------

    def _make_bars(self, ticker: str, day: date) -> Bars:
        trading_day = self.days.of(day)
        assert trading_day is not None
        return self._bars_of(trading_day, np.array([self._number[ticker]]))

    def _bars_of(self, day: TradingDay, symbols: Integers) -> Bars:
        """The minute bars of some symbols, one symbol after the other."""
        path = self._paths(day, symbols)
        numbers, minutes = np.repeat(symbols, day.minutes), np.tile(np.arange(day.minutes), len(symbols))
        plan = self._plan(day, numbers, minutes, np.stack((path[:, :-1].ravel(), path[:, 1:].ravel()), axis=1))
        priced, volume = plan.eligible > 0, plan.volume()
        opening, high, low, close = (
            np.where(priced, each / UNIT, np.nan) for each in (plan.open, plan.high, plan.low, plan.close)
        )
        return Bars(
            numbers.astype(np.int32), day.start + minutes * MINUTE_MS, opening, high, low, close, volume,
            volume / SHARE * plan.typical_price(), plan.eligible + plan.odd,
        )  # fmt: skip

    def _make_day_bars(self, day: date, group: int) -> list[Bars]:
        """The day bars of a group of symbols: made together they cost a third, and who asks for one asks for the others too."""
        trading_day = self.days.of(day)
        assert trading_day is not None
        numbers = np.arange(group * _GROUP, min((group + 1) * _GROUP, len(self.symbols)))
        bars, length = self._bars_of(trading_day, numbers), trading_day.minutes
        parts = (bars.take(slice(each * length, (each + 1) * length)) for each in range(len(numbers)))
        return [self._fold(trading_day, int(number), part, trading_day.end) for number, part in zip(numbers, parts, strict=True)]

    def _fold(self, day: TradingDay, number: int, bars: Bars, until: int) -> Bars:
        """Regular hours and the closing prints make the price, all of the day the volume."""
        ended = bars.start + MINUTE_MS <= until
        priced = ended & ~np.isnan(bars.open)
        regular = bars.take(priced & ~day.extended_hours)
        nothing = bars.take(slice(0, 0))
        if not len(regular):
            return nothing
        high, low, close = float(regular.high.max()), float(regular.low.min()), float(regular.close[-1])
        for each in self._specials(day.day, number):
            if day.extended_hours[each.minute] and priced[each.minute]:
                close = float(bars.open[each.minute])  # the special print is its minute's first, so its open
                high, low = max(high, close), min(low, close)
        # Copies: a view would keep the day's minutes alive for as long as its bar is remembered.
        symbol, opening = regular.symbol[:1].copy(), regular.open[:1].copy()
        return Bars(
            symbol, np.array([day.midnight]), opening, np.array([high]), np.array([low]), np.array([close]),
            np.array([int(bars.volume[ended].sum())]), np.array([math.fsum(bars.dollars[ended])]),
            np.array([int(bars.count[ended].sum())]),
        )  # fmt: skip
