"""A day of the simulated market with TickStockPL as a process: final day bars, the comparison, splits over the next nights."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers import RedisServer
from tests.streaming.market import Item, Publisher, Say, eventually, tick
from tests.streaming.process import StreamingProcess, rows_of, wait_for_minute, wait_until_warm
from tickstock.contract import HEALTH_LATEST_KEY, RESULTS_LOG_KEY
from tickstock.database.migrate import migrate
from tickstock.database.queries import Queries
from tickstock.database.vendor_queries import VendorQueries
from tickstock.database.writers import Writer
from tickstock.errors import RestError
from tickstock.feed.massive_rest import MassiveRest, RestBar, Split
from tickstock.logs import Rejections
from tickstock.market_hours import MINUTE_MS, AlwaysOpenCalendar, Calendar, ExchangeCalendar, new_york_ms
from tickstock.simulator.clock import DayClock
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.rest_server import RestServer
from tickstock.simulator.splits import SPLITS
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape
from tickstock.simulator.trades import Bars
from tickstock.simulator.trading_day import TradingDay
from tickstock.streaming import retry_times
from tickstock.streaming.evening import Evening
from tickstock.streaming.final_days import FinalDays, last_final_day
from tickstock.streaming.history_store import HistoryStore
from tickstock.streaming.rest_fetcher import Fetched, RestFetcher
from tickstock.streaming.split_reading import SplitReading
from tickstock.web.day_history import read_previous_closes

CALENDAR = ExchangeCalendar()
SYMBOLS = ["AAPL", "CVX", "F", "IBM", "NOW"]
FRIDAY = max(each.day for each in SPLITS)
WEDNESDAY = FRIDAY - timedelta(days=2)
SETTINGS = {"TICKSTOCK_CALENDAR": "exchange", "TICKSTOCK_SYMBOLS": ",".join(SYMBOLS)}


class YoungTape(SyntheticTape):
    """Its market opened a few months ago, and its minutes are known of the last days: all of them would take the test long."""

    def days_between(self, first: int, last: int) -> list[TradingDay]:
        return super().days_between(max(first, at("04:00", WEDNESDAY - timedelta(days=60))), last)

    def minute_bars(self, ticker: str, day: TradingDay) -> Bars:
        bars = super().minute_bars(ticker, day)
        return bars if day.day >= WEDNESDAY - timedelta(days=1) else bars.take(slice(0, 0))


class Vendor:
    """The simulator's REST interface, with a clock that the test moves."""

    def __init__(self, not_entitled: tuple[str, ...] = ()) -> None:
        self.market = SyntheticMarket(SYMBOLS, 1, CALENDAR)
        self.clock = DayClock(at("15:54"), 1.0)
        interface = RestInterface(YoungTape(self.market), self.clock, "key", not_entitled=not_entitled)
        self.server = RestServer(interface, "127.0.0.1", 0)
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.rest = MassiveRest(self.url, "key")

    def minutes(self, first: int, last: int) -> list[tuple[str, RestBar]]:
        """All symbols' minute bars as they are printed, in order of time."""
        self.clock.move_to(last)
        found = [(symbol, bar) for symbol in SYMBOLS for bar in self.rest.minute_bars(symbol, first, last)]
        return sorted(found, key=lambda each: each[1].timestamp)

    def day_bar(self, symbol: str, day: date) -> RestBar:
        (bar,) = self.rest.day_bars(symbol, day, day)
        return bar

    def __enter__(self) -> Vendor:
        return self

    def __exit__(self, *_: object) -> None:
        self.rest.close()
        self.server.stop()


def at(text: str, day: date = WEDNESDAY) -> int:
    return new_york_ms(day, time.fromisoformat(text))


def as_ticks(symbol: str, bar: RestBar) -> list[Item]:
    """Ticks whose bar is this one."""
    shares = bar.volume // 4
    volumes = (shares, shares, shares, bar.volume - 3 * shares)
    prices = (bar.open, bar.high, bar.low, bar.close)
    return [
        tick(symbol, price, bar.timestamp + 10_000 * n + 5_000, volume)
        for n, (price, volume) in enumerate(zip(prices, volumes, strict=True))
    ]


def stream(publisher: Publisher, bars: list[tuple[str, RestBar]], until: int) -> None:
    items = sorted((each for symbol, bar in bars for each in as_ticks(symbol, bar)), key=lambda each: each.timestamp)  # type: ignore[union-attr]
    publisher.send([*items, Say(until)])


def in_force(url: str, timeframe: str) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["symbol"], row["timestamp"]): row for row in rows_of(url, "bars") if row["timeframe"] == timeframe}


def health(server: RedisServer) -> dict[str, Any]:
    with server.client() as client:
        found: Any = client.get(HEALTH_LATEST_KEY)
    return json.loads(found) if found else {}


def published(server: RedisServer, timeframe: str) -> dict[str, list[dict[str, Any]]]:
    """What the results' log holds of a timeframe."""
    found: dict[str, list[dict[str, Any]]] = {"patterns": [], "alerts": [], "indicators": []}
    with server.client() as client:
        entries: Any = client.xrange(RESULTS_LOG_KEY)
    for _, fields in entries:
        entry = json.loads(fields[b"minute"])
        for kind, messages in found.items():
            messages += [each for each in entry[kind] if each["timeframe"] == timeframe]
    return found


@pytest.fixture
def sqlite_url(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{(tmp_path / 'tickstock.db').as_posix()}"
    migrate(url)
    yield url


def test_the_vendors_word_after_the_close_and_splits_over_night(
    redis_server: RedisServer, sqlite_url: str, tmp_path: Path
) -> None:
    publisher = Publisher(redis_server)
    with Vendor() as vendor, StreamingProcess(redis_server, sqlite_url, vendor.url, tmp_path, **SETTINGS) as streaming:
        publisher.send([Say(at("15:55"))])
        wait_until_warm(sqlite_url)
        the_day_closes(publisher, vendor, sqlite_url)
        final_bars_are_stored_analysed_and_published(redis_server, publisher, vendor, sqlite_url)
        minutes_are_compared(redis_server, publisher, vendor, sqlite_url)
        once = {name: rows_of(sqlite_url, name) for name in ("bars", "intraday_patterns", "reconciliations")}
        streaming.kill()
        streaming.start()
        streaming.wait_until_subscribed()
        publisher.send([Say(at("16:40"))])
        wait_for_minute(sqlite_url, at("16:39"))
        assert {name: rows_of(sqlite_url, name) for name in once} == once  # nothing is done twice
        two_nights_later_everything_is_in_new_shares(publisher, vendor, sqlite_url)
        assert streaming.terminate() == 0
    assert streaming.text.count("are in new shares now") == 2
    publisher.close()


def the_day_closes(publisher: Publisher, vendor: Vendor, url: str) -> None:
    """What we see of the last minutes is the vendor's, but for one high, one volume and one minute of which nothing came."""
    bars = vendor.minutes(at("15:55"), at("16:03"))
    for number, (symbol, bar) in enumerate(bars):
        if (symbol, bar.timestamp) == ("AAPL", at("15:56")):
            bars[number] = symbol, RestBar(bar.timestamp, bar.open, bar.high + 1, bar.low, bar.close, bar.volume + 50, None)
    bars = [each for each in bars if (each[0], each[1].timestamp) != ("CVX", at("15:57"))]
    stream(publisher, bars, at("16:03"))
    wait_for_minute(url, at("16:02"))
    provisional = in_force(url, "1day")
    opening = at("09:30")
    assert {symbol for symbol, start in provisional if start == opening} == set(SYMBOLS)
    assert Queries(url).bars("AAPL", "1day", limit=1).rows[0]["provisional"] is True


def final_bars_are_stored_analysed_and_published(server: RedisServer, publisher: Publisher, vendor: Vendor, url: str) -> None:
    assert not published(server, "1day")["indicators"]
    publisher.send([Say(at("16:19"))])
    wait_for_minute(url, at("16:18"))
    assert {row["revision"] for (_, start), row in in_force(url, "1day").items() if start == at("09:30")} == {0}
    vendor.clock.move_to(at("16:21"))
    publisher.send([Say(at("16:20:30"))])
    eventually(lambda: len(published(server, "1day")["indicators"]) == len(SYMBOLS))
    for symbol in SYMBOLS:
        bar, row = vendor.day_bar(symbol, WEDNESDAY), in_force(url, "1day")[symbol, at("09:30")]
        assert row["revision"] == 1
        assert [row[name] for name in ("open", "high", "low", "close", "trades")] == [
            bar.open, bar.high, bar.low, bar.close, bar.trades
        ]  # fmt: skip
    auction = vendor.rest.minute_bars("IBM", at("16:01"), at("16:02"))[0]
    assert in_force(url, "1day")["IBM", at("09:30")]["close"] == auction.open  # the print of 16:01:04
    assert Queries(url).bars("AAPL", "1day", limit=1).rows[0]["provisional"] is False
    told = published(server, "1day")
    assert {(each["id"], each["origin"]) for each in told["patterns"]} >= {
        (f"AAPL:1day:Hammer:{at('09:30')}", "live"), (f"AAPL:1day:Engulfing:{at('09:30')}", "live")
    }  # fmt: skip
    assert {(each["symbol"], each["alert"]) for each in told["alerts"]} >= {("CVX", "SMA_BULLISH_CROSS")}
    assert {each["bar_timestamp"] for kind in told.values() for each in kind} == {at("09:30")}
    stored = {row["id"] for row in rows_of(url, "intraday_patterns") if row["timeframe"] == "1day" and row["origin"] == "live"}
    assert stored == {each["id"] for each in told["patterns"]}


def minutes_are_compared(server: RedisServer, publisher: Publisher, vendor: Vendor, url: str) -> None:
    assert not rows_of(url, "reconciliations")
    analysed = rows_of(url, "intraday_indicators")
    vendor.clock.move_to(at("16:26"))
    publisher.send([Say(at("16:25:30"))])
    eventually(lambda: len(rows_of(url, "reconciliations")) == len(SYMBOLS))
    found = in_force(url, "1min")
    for symbol in SYMBOLS:
        for bar in vendor.rest.minute_bars(symbol, at("04:00"), at("16:05")):
            row = found[symbol, bar.timestamp]
            assert [row[name] for name in ("open", "high", "low", "close", "volume")] == [
                bar.open, bar.high, bar.low, bar.close, bar.volume
            ]  # fmt: skip
    assert found["AAPL", at("15:56")]["revision"] == found["CVX", at("15:57")]["revision"] == 1
    hour = in_force(url, "60min")["AAPL", at("15:30")]
    inside = [found["AAPL", start] for start in range(at("15:30"), at("16:00"), MINUTE_MS) if ("AAPL", start) in found]
    assert hour["high"] == max(row["high"] for row in inside)
    sums = VendorQueries(url).last_reconciliation()
    assert sums is not None
    assert (sums["bars"] - sums["high"], sums["bars"] - sums["volume"], sums["bars"] - sums["close"]) == (1, 1, 0)
    assert sums["missing"] >= 1 and sums["extra"] == 0
    shown = eventually(lambda: (told := health(server).get("reconciliation")) and told["waiting"] == 0 and told)
    assert (shown["day"], shown["symbols"], shown["match"]["close"]) == (str(WEDNESDAY), len(SYMBOLS), 1.0)
    assert 0.9 < shown["match"]["high"] < 1.0
    assert health(server)["day_bars"] == {"day": str(WEDNESDAY), "state": "final", "provisional": 0}
    assert rows_of(url, "intraday_indicators") == analysed  # the running day's analysis does not change


def two_nights_later_everything_is_in_new_shares(publisher: Publisher, vendor: Vendor, url: str) -> None:
    opening = at("09:30", FRIDAY)
    bars = vendor.minutes(opening, opening + 3 * MINUTE_MS)
    stream(publisher, bars, opening + 3 * MINUTE_MS)
    wait_for_minute(url, opening + 2 * MINUTE_MS)
    eventually(lambda: {row["symbol"] for row in rows_of(url, "splits") if row["scaled_from"] == 0} == {"F", "NOW"})
    days, minutes = in_force(url, "1day"), in_force(url, "1min")
    closes = read_previous_closes(url, SYMBOLS, FRIDAY)
    for symbol in SYMBOLS:
        for bar in vendor.rest.day_bars(symbol, WEDNESDAY - timedelta(days=40), FRIDAY - timedelta(days=1)):
            row = days[symbol, bar.timestamp + 570 * MINUTE_MS]
            assert [row[name] for name in ("open", "high", "low", "close")] == [bar.open, bar.high, bar.low, bar.close]
            assert row["volume"] == pytest.approx(bar.volume, abs=1)
        for bar in vendor.rest.minute_bars(symbol, at("09:30"), at("16:00")):
            row = minutes[symbol, bar.timestamp]
            assert (row["open"], row["close"]) == (bar.open, bar.close)
        assert closes[symbol] == vendor.day_bar(symbol, FRIDAY - timedelta(days=1)).close
    values = {row["symbol"]: row["values"] for row in rows_of(url, "intraday_indicators") if row["bar_timestamp"] == opening}
    for symbol, bar in bars[: len(SYMBOLS)]:
        assert abs(values[symbol]["SMA_50"] / bar.close - 1) < 0.2  # its fifty bars reach back before the split


class InProcess:
    """What TickStockPL's main thread does with REST, in the test's own."""

    def __init__(self, vendor: Vendor, start: bool = True) -> None:
        self.fetcher = RestFetcher(vendor.rest, Rejections(logging.getLogger(__name__), "TEST"), threading.Event())
        if start:
            self.fetcher.start()

    def next(self) -> Fetched:
        found = eventually(self.fetcher.take)
        assert isinstance(found, Fetched)
        return found


@pytest.fixture
def caught(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_plan_without_splits_is_said_once_and_history_goes_on(sqlite_url: str, caught: pytest.LogCaptureFixture) -> None:
    with Vendor(("/stocks/v1/splits",)) as vendor:
        work = InProcess(vendor)
        with Writer(sqlite_url) as writer, writer.transaction() as batch:
            batch.insert_bars([("F", "1day", at("09:30"), 0, 1.0, 2.0, 0.5, 1.5, 9, None, None, "simulated", None, None)])
        splits = SplitReading(sqlite_url, work.fetcher)
        splits.begin(FRIDAY)
        assert splits.waits and not splits.known
        splits.answered(work.next())
        assert splits.known
        splits.begin(FRIDAY + timedelta(days=3))  # no further question
        assert splits.known and not splits.waits
        work.fetcher.stop()
    assert caught.text.count("does not tell of splits") == 1


def test_splits_that_come_late_have_the_series_built_again(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_times, "FIRST_MS", 50)
    with Vendor() as vendor:
        work = InProcess(vendor)
        with Writer(sqlite_url) as writer, writer.transaction() as batch:
            batch.insert_bars([("F", "1day", at("09:30"), 0, 1.0, 2.0, 0.5, 1.5, 90, None, None, "simulated", None, None)])
        splits = SplitReading(sqlite_url, work.fetcher)
        monkeypatch.setattr(MassiveRest, "splits", _no_answer)
        splits.begin(FRIDAY)
        splits.waited()
        splits.answered(work.next())
        assert not splits.known and splits.has_come_late and splits.waits_long
        splits.has_come_late = False
        monkeypatch.undo()
        eventually(lambda: splits.look() or splits.waits)
        splits.answered(work.next())
        assert splits.known and splits.has_come_late and not splits.waits_long
        work.fetcher.stop()
    assert [(row["revision"], row["close"], row["volume"]) for row in rows_of(sqlite_url, "bars")] == [(0, 1.5, 90), (1, 15.0, 9)]


def _no_answer(*_: object) -> list[Split]:
    raise RestError("no answer")


def test_day_bars_that_the_plan_does_not_have_stay_provisional(sqlite_url: str, caught: pytest.LogCaptureFixture) -> None:
    with Vendor(("/v2/aggs/grouped",)) as vendor:
        work = InProcess(vendor)
        days = FinalDays(sqlite_url, CALENDAR, work.fetcher)
        days.look(at("16:20"), lambda: set(SYMBOLS), 0)
        assert days.answered(work.next(), 0) is None
        for minute in range(21, 50):
            days.look(at(f"16:{minute}"), lambda: set(SYMBOLS), minute * MINUTE_MS)
        assert work.fetcher.take() is None and days.missing == set(SYMBOLS)
        work.fetcher.stop()
    assert caught.text.count("does not tell the day's bars") == 1


def test_symbols_that_the_vendor_does_not_have_yet_are_asked_for_again(sqlite_url: str) -> None:
    with Vendor() as vendor:
        vendor.clock.move_to(at("16:21"))
        work = InProcess(vendor)
        days = FinalDays(sqlite_url, CALENDAR, work.fetcher)
        found = []
        for now in range(0, 3_600_000, 5_000):
            days.look(at("16:21"), lambda: {*SYMBOLS, "NOPE"}, now)
            if days._is_asked:
                found.append((now, days.answered(work.next(), now)))
        first, *others = found
        assert first[1] is not None and set(first[1].bars) == set(SYMBOLS) and not first[1].complete
        assert [(now, final) for now, final in others][:-1] == [(15_000, None), (45_000, None)]
        assert others[-1][1] is not None and others[-1][1].complete and days.missing == {"NOPE"}
        work.fetcher.stop()


HALF_DAY = date(2026, 11, 27)
ALWAYS_OPEN = AlwaysOpenCalendar()


@pytest.mark.parametrize(
    ("calendar", "moment", "day"),
    [
        (CALENDAR, at("16:19:59"), None), (CALENDAR, at("16:20"), WEDNESDAY), (CALENDAR, at("20:00"), WEDNESDAY),
        (CALENDAR, at("04:00", FRIDAY), None),  # the day before is part of the history that this day fetches
        (CALENDAR, at("13:19:59", HALF_DAY), None), (CALENDAR, at("13:20", HALF_DAY), HALF_DAY),
        (CALENDAR, at("12:00", date(2026, 11, 28)), HALF_DAY),  # a Saturday
        (ALWAYS_OPEN, at("00:19", FRIDAY), None), (ALWAYS_OPEN, at("00:20", FRIDAY), FRIDAY - timedelta(days=1)),
        (ALWAYS_OPEN, at("23:59", FRIDAY), FRIDAY - timedelta(days=1)),
    ],
)  # fmt: skip
def test_final_bars_are_due_twenty_minutes_behind_the_days_own_close(
    sqlite_url: str, calendar: Calendar, moment: int, day: date | None
) -> None:
    with Vendor() as vendor:
        session = FinalDays(sqlite_url, calendar, InProcess(vendor).fetcher).due(moment)
    assert (session.trading_day if session else None) == day


def test_a_start_takes_the_days_into_its_history_that_are_final_then() -> None:
    thursday = FRIDAY - timedelta(days=1)
    assert last_final_day(CALENDAR, FRIDAY, at("04:00", FRIDAY)) == thursday
    assert last_final_day(CALENDAR, date(2026, 11, 23), at("09:31", date(2026, 11, 23))) == FRIDAY
    assert last_final_day(ALWAYS_OPEN, FRIDAY, at("00:00", FRIDAY)) == WEDNESDAY
    assert last_final_day(ALWAYS_OPEN, FRIDAY, at("10:00", FRIDAY)) == thursday


def test_the_evenings_questions_end_with_its_day(sqlite_url: str) -> None:
    with Vendor() as vendor:
        vendor.clock.move_to(at("16:26"))
        work = InProcess(vendor, start=False)
        evening = Evening(sqlite_url, CALENDAR, work.fetcher, HistoryStore(sqlite_url, "simulated", CALENDAR))
        evening.look(at("16:24:59"), lambda: set(SYMBOLS), 0)
        assert not evening.waiting
        evening.look(at("16:25"), lambda: set(SYMBOLS), 0)
        assert evening.waiting == set(SYMBOLS)
        evening.day_is_over()  # on a slow plan all of them still wait
        work.fetcher.start()
        assert [evening.answered(work.next(), 0) for _ in SYMBOLS] == [False] * len(SYMBOLS)
        work.fetcher.stop()
    assert rows_of(sqlite_url, "bars") == rows_of(sqlite_url, "reconciliations") == []


def test_a_comparison_that_failed_is_done_again_for_those_alone(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Vendor() as vendor:
        vendor.clock.move_to(at("16:26"))
        work = InProcess(vendor)
        evening = Evening(sqlite_url, CALENDAR, work.fetcher, HistoryStore(sqlite_url, "simulated", CALENDAR))
        answer = MassiveRest.minute_bars

        def minute_bars(rest: MassiveRest, symbol: str, first: int, last: int) -> list[RestBar]:
            return _no_answer() if symbol == "IBM" else answer(rest, symbol, first, last)  # type: ignore[return-value]

        with monkeypatch.context() as patched:
            patched.setattr(MassiveRest, "minute_bars", minute_bars)
            evening.look(at("16:26"), lambda: set(SYMBOLS), 0)
            assert [evening.answered(work.next(), 0) for _ in SYMBOLS] == [False] * (len(SYMBOLS) - 1) + [True]
        assert evening.waiting == {"IBM"}
        evening.look(at("16:26"), lambda: set(SYMBOLS), 14_999)
        assert work.fetcher.take() is None
        evening.look(at("16:26"), lambda: set(SYMBOLS), 15_000)
        assert evening.answered(work.next(), 15_000) and not evening.waiting
        work.fetcher.stop()
    assert {row["symbol"] for row in rows_of(sqlite_url, "bars")} == set(SYMBOLS)
