"""The synthetic market: deterministic, the same from every side, plausible, with its hard cases."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pytest

from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, ExchangeCalendar
from tickstock.settings import DEFAULT_SYMBOLS
from tickstock.simulator.aggregation import bars_of
from tickstock.simulator.companies import KNOWN, made_up_tickers
from tickstock.simulator.conditions import HIGH_LOW, OPEN_CLOSE, VOLUME
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.trades import SHARE, Bars, Trades
from tickstock.simulator.trading_day import TradingDay

FRIDAY = date(2026, 11, 20)
HALF_DAY = date(2026, 11, 27)
FIELDS = ("open", "high", "low", "close", "volume", "count")


@pytest.fixture(scope="module")
def always_open() -> SyntheticMarket:
    return SyntheticMarket(DEFAULT_SYMBOLS, 1, AlwaysOpenCalendar())


@pytest.fixture(scope="module")
def exchange() -> SyntheticMarket:
    return SyntheticMarket(DEFAULT_SYMBOLS, 1, ExchangeCalendar())


def the_day(market: SyntheticMarket, day: date = FRIDAY) -> TradingDay:
    found = market.days.of(day)
    assert found is not None
    return found


def minute(day: TradingDay, text: str) -> int:
    found = day.at(text)
    assert found is not None
    return found


def bars_from_trades(market: SyntheticMarket, day: TradingDay, number: int) -> Bars:
    trades = market.trades(day, number)
    return bars_of(trades, np.full(len(trades), day.start + number * MINUTE_MS), market.conditions)


def of(market: SyntheticMarket, ticker: str, trades: Trades) -> Trades:
    return trades.take(trades.symbol == market.symbols.index(ticker))


def codes(market: SyntheticMarket, trades: Trades) -> list[tuple[int, ...]]:
    return [market.conditions.codes[kind] for kind in trades.kind]


def test_every_default_symbol_is_known_to_it() -> None:
    assert sorted(DEFAULT_SYMBOLS) == sorted(KNOWN)
    assert len(DEFAULT_SYMBOLS) == 70


@pytest.mark.parametrize("calendar", ["always_open", "exchange"])
def test_minute_bars_are_what_the_vendor_makes_of_the_trades(calendar: str, request: pytest.FixtureRequest) -> None:
    market: SyntheticMarket = request.getfixturevalue(calendar)
    day = the_day(market)
    special = [minute(day, text) for text in ("09:30", "10:32", "10:47", "11:15", "13:17", "16:00", "16:01")]
    for number in (0, 1, 200, day.minutes - 1, *special):
        made = bars_from_trades(market, day, number)
        for index, ticker in enumerate(market.symbols):
            planned = market.minute_bars(ticker, day).take(slice(number, number + 1))
            row = made.take(made.symbol == index)
            if np.isnan(planned.open[0]):
                assert not len(row), f"{ticker} has no bar in minute {number}"
                continue
            assert [getattr(row, name)[0] for name in FIELDS] == [getattr(planned, name)[0] for name in FIELDS], (ticker, number)
            assert planned.dollars[0] == pytest.approx(row.dollars[0], rel=0.03)


def test_it_is_the_same_market_every_time_and_another_with_another_seed() -> None:
    def close_of(seed: int, symbols: list[str]) -> list[float]:
        market = SyntheticMarket(symbols, seed, AlwaysOpenCalendar())
        bars = market.minute_bars("AAPL", the_day(market))
        return [float(each) for each in bars.close]

    assert close_of(1, ["AAPL"]) == close_of(1, ["MSFT", "AAPL"])
    assert close_of(1, ["AAPL"]) != close_of(2, ["AAPL"])


def test_a_symbols_trades_are_the_same_alone_and_among_all(always_open: SyntheticMarket) -> None:
    day = the_day(always_open)
    among_all = of(always_open, "PLTR", always_open.trades(day, 600))
    alone = always_open.trades_of("PLTR", day, slice(600, 601))
    for name in ("time", "price", "size", "kind", "identity", "sequence", "exchange"):
        assert np.array_equal(getattr(among_all, name), getattr(alone, name)), name


def test_days_chain_the_next_opens_near_the_last_close(exchange: SyntheticMarket) -> None:
    for ticker in ("AAPL", "SPY", "SNDL", "BRK.A"):
        friday = exchange.day_bar(ticker, the_day(exchange))
        monday = exchange.day_bar(ticker, the_day(exchange, date(2026, 11, 23)))
        assert abs(monday.open[0] / friday.close[0] - 1) < 0.05
        assert friday.low[0] <= min(friday.open[0], friday.close[0]) and friday.high[0] >= max(friday.open[0], friday.close[0])


def test_levels_stay_where_the_company_is_over_years(exchange: SyntheticMarket) -> None:
    for year in (2016, 2021, 2026):
        day = the_day(exchange, date(year, 3, 2))
        assert 0.2 < exchange.day_bar("SNDL", day).close[0] < 0.8
        assert 500_000 < exchange.day_bar("BRK.A", day).close[0] < 1_200_000


def test_on_the_wall_clock_sixty_symbols_print_every_five_seconds_even_at_night(always_open: SyntheticMarket) -> None:
    day = the_day(always_open)
    for text in ("03:17", "12:40"):
        trades = always_open.trades(day, minute(day, text))
        moving = always_open.conditions.effects(trades.kind, trades.extended_hours) & OPEN_CLOSE != 0
        begin = day.start + minute(day, text) * MINUTE_MS
        for second in range(0, 60, 5):
            inside = (trades.time >= begin + second * 1000) & (trades.time < begin + (second + 5) * 1000)
            assert len(np.unique(trades.symbol[inside])) >= 60
            assert len(np.unique(trades.symbol[inside & moving])) >= 55


def test_activity_is_a_u_over_the_day_and_flat_at_the_head(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    counts = {
        text: len(exchange.trades(day, minute(day, text))) for text in ("04:10", "09:30", "10:30", "12:45", "15:59", "18:00")
    }
    assert counts["09:30"] > 4 * counts["10:30"] > 6 * counts["12:45"] > 20 * counts["04:10"]
    assert counts["15:59"] > 6 * counts["12:45"] > 6 * counts["18:00"]
    by_symbol = Counter(exchange.trades(day, minute(day, "10:30")).symbol.tolist())
    shares = sorted(by_symbol.values(), reverse=True)
    assert shares[0] < 2 * shares[5]


def test_a_half_day_has_its_busy_close_at_one(exchange: SyntheticMarket) -> None:
    day = the_day(exchange, HALF_DAY)
    assert len(exchange.trades(day, minute(day, "12:59"))) > 4 * len(exchange.trades(day, minute(day, "11:30")))
    assert (19,) in codes(exchange, of(exchange, "IBM", exchange.trades(day, minute(day, "13:00"))))


def test_prints_look_like_those_of_a_real_day(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    trades = Trades.join([exchange.trades(day, minute(day, "10:00") + each) for each in range(20)])
    found = codes(exchange, trades)
    odd = np.mean([37 in each for each in found])
    assert 0.5 < odd < 0.65
    assert {(14, 41), (14, 37, 41), (2,), (10,), (22,), (32,), (53,)} <= set(found)
    assert 0.15 < np.mean([not each for each in found]) < 0.3
    shares = trades.size / SHARE
    assert 60 < shares.mean() < 300
    assert 0.15 < np.mean(shares == 100) < 0.35
    assert 0.3 < np.mean(trades.exchange == 4) < 0.42
    assert np.all((trades.trf > 0) == (trades.exchange == 4))
    assert np.all(trades.participant_time <= trades.time)
    assert np.all(np.diff(trades.time) >= 0)
    for symbol in range(3):
        own = trades.take(trades.symbol == symbol)
        assert np.all(np.diff(own.sequence) > 0)
        assert len(set(own.identity.tolist())) == len(own)
    off_grid = np.abs(trades.price * 100 - np.rint(trades.price * 100)) > 1e-6
    assert set(trades.exchange[off_grid & (trades.price > 1)].tolist()) == {4}, "only off-exchange prints have half cents"


def test_prints_outside_regular_hours_carry_form_t(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    assert all(12 in each for each in codes(exchange, exchange.trades(day, minute(day, "09:00"))))
    assert not any(12 in each for each in codes(exchange, exchange.trades(day, minute(day, "12:00"))))


def test_the_gapper_gaps(exchange: SyntheticMarket) -> None:
    for day in (FRIDAY, date(2026, 11, 19)):
        before = exchange.day_bar("GME", the_day(exchange, exchange.days.before(day)))
        first = exchange.minute_bars("GME", the_day(exchange, day)).open
        first = first[~np.isnan(first)][0]
        assert 0.06 < abs(first / before.close[0] - 1) < 0.18


def test_a_halt_ends_with_its_reopening_print(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    first, last = minute(day, "10:32"), minute(day, "10:47")
    bars = exchange.minute_bars("COIN", day)
    assert np.isnan(bars.open[first:last]).all() and (bars.volume[first:last] == 0).all()
    reopening = of(exchange, "COIN", exchange.trades(day, last))
    assert codes(exchange, reopening)[0] == (28,)
    assert reopening.size[0] > 5 * np.median(reopening.size)
    assert abs(bars.open[last] / bars.close[first - 1] - 1) > 0.02


def test_an_auction_prints_after_the_close_and_sets_the_days_close(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    first = of(exchange, "IBM", exchange.trades(day, minute(day, "16:01"))).take(slice(0, 1))
    assert first.time[0] == day.start + minute(day, "16:01") * MINUTE_MS + 4000
    assert codes(exchange, first) == [(19,)]
    assert exchange.day_bar("IBM", day).close[0] == first.price[0]


def test_a_sub_dollar_stock_trades_in_hundredths_of_a_cent(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    prices = of(exchange, "SNDL", exchange.trades(day, minute(day, "12:00"))).price
    assert (prices < 1).all()
    assert np.any(np.abs(prices * 100 - np.rint(prices * 100)) > 1e-6)
    assert np.allclose(prices * 10_000, np.rint(prices * 10_000))


def test_a_stock_of_800_000_dollars_trades_rarely_and_in_single_shares(always_open: SyntheticMarket) -> None:
    day = the_day(always_open)
    trades = always_open.trades(day, minute(day, "12:00"))
    own = of(always_open, "BRK.A", trades)
    assert 0 < len(own) < len(trades) / 200
    assert np.median(own.size) == SHARE and not any(37 in each for each in codes(always_open, own))


def test_a_stock_has_odd_lots_only_for_twenty_minutes(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    first, last = minute(day, "11:10"), minute(day, "11:30")
    bars = exchange.minute_bars("LIN", day)
    assert np.isnan(bars.open[first:last]).all() and (bars.volume[first:last] > 0).all()
    assert not np.isnan(bars.open[[first - 1, last]]).any()


def test_a_bad_print_stands_alone(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    prices = of(exchange, "WMT", exchange.trades(day, minute(day, "13:17"))).price
    assert np.sum(prices > 1.05 * np.median(prices)) == 1


def test_fractional_sizes_add_up(always_open: SyntheticMarket) -> None:
    own = of(always_open, "PLTR", always_open.trades(the_day(always_open), 600))
    assert (own.size % SHARE != 0).any()
    assert own.size.sum() == always_open.minute_bars("PLTR", the_day(always_open)).volume[600]


def test_a_rate_is_met_at_every_hour_over_any_number_of_symbols() -> None:
    market = SyntheticMarket([f"S{each:04d}" for each in range(1, 501)], 1, AlwaysOpenCalendar(), rate=2000)
    day = the_day(market)
    for number in (100, 700):
        assert len(market.trades(day, number)) == pytest.approx(120_000, rel=0.05)


def test_totals_of_the_day_so_far_are_the_sum_of_its_trades(exchange: SyntheticMarket) -> None:
    day = the_day(exchange)
    until = minute(day, "09:33")
    volume, dollars, opening = exchange.totals(day, until)
    summed = sum(exchange.minute_bars("AAPL", day).volume[:until])
    index = exchange.symbols.index("AAPL")
    assert volume[index] == summed
    assert dollars[index] / volume[index] * SHARE == pytest.approx(KNOWN["AAPL"].price, rel=0.5)
    assert opening[index] == exchange.minute_bars("AAPL", day).open[minute(day, "09:30")]


def test_a_remembered_day_bar_does_not_keep_its_minutes_in_memory(exchange: SyntheticMarket) -> None:
    bar = exchange.day_bar("IBM", the_day(exchange))
    assert all(column.base is None for column in vars(bar).values())


def test_a_plain_market_has_nothing_but_prints_that_move_the_price() -> None:
    tickers = made_up_tickers(40)
    market = SyntheticMarket(tickers, 3, AlwaysOpenCalendar(), rate=400.0, plain=True)
    trades = market.trades(the_day(market), 600)
    effects = market.conditions.effects(trades.kind, trades.extended_hours)
    assert len(trades.time) > 10_000
    assert set(effects.tolist()) == {HIGH_LOW + OPEN_CLOSE + VOLUME}
