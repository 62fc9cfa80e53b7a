"""The vendor's reference of symbols, read from the simulator over HTTP and kept in `symbols`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.servers import RedisServer
from tests.streaming.market import Publisher, eventually, synthetic_day
from tests.streaming.process import StreamingProcess, rows_of
from tickstock.database.symbol_queries import SymbolQueries
from tickstock.database.vendor_queries import VendorQueries
from tickstock.errors import RestError
from tickstock.feed.massive_rest import MassiveRest, Ticker
from tickstock.logs import Rejections
from tickstock.market_hours import DAY_MS, ExchangeCalendar
from tickstock.simulator.clock import DayClock
from tickstock.simulator.rest import RestInterface
from tickstock.simulator.rest_server import RestServer
from tickstock.simulator.synthetic_market import SyntheticMarket
from tickstock.simulator.tape import SyntheticTape
from tickstock.streaming.reference import LONGEST_WAIT_MS, Reference, StoredReference
from tickstock.streaming.reference import logger as reference_logger
from tickstock.streaming.rest_fetcher import Fetched, RestFetcher

NOW = 1_795_190_400_000  # 2026-11-20 16:00 in New York
SYMBOLS = [*(f"S{number:04d}" for number in range(2_100)), "BRK.B", "AAPL"]


class Vendor:
    """The simulator's REST interface."""

    def __init__(self, *refused: str) -> None:
        tape = SyntheticTape(SyntheticMarket(SYMBOLS, 1, ExchangeCalendar()))
        interface = RestInterface(tape, DayClock(NOW, 1.0), "key", not_entitled=refused)
        self.server = RestServer(interface, "127.0.0.1", 0)
        self.server.start()
        self.rest = MassiveRest(f"http://127.0.0.1:{self.server.port}", "key")

    def close(self) -> None:
        self.rest.close()
        self.server.stop()


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    started = Vendor()
    yield started
    started.close()


def ticker(symbol: str, name: str | None = "A name") -> Ticker:
    return Ticker(symbol, name, "XNAS", "CS")


def fetcher_for(rest: MassiveRest) -> tuple[RestFetcher, threading.Event]:
    wake = threading.Event()
    fetcher = RestFetcher(rest, Rejections(reference_logger, "TEST"), wake)
    fetcher.start()
    return fetcher, wake


def answer_of(fetcher: RestFetcher) -> Fetched:
    found = eventually(fetcher.take)
    assert isinstance(found, Fetched)
    return found


def test_all_pages_of_the_reference_are_read(vendor: Vendor) -> None:
    found = vendor.rest.tickers()
    assert [each.symbol for each in found] == sorted(SYMBOLS)
    assert {each.exchange for each in found} == {"XNAS", "XNYS", "ARCX"}
    assert {each.type for each in found} <= {"CS", "ETF"}
    assert all(each.name for each in found)


def test_the_table_holds_what_is_traded_and_keeps_what_vanished_as_inactive(database_url: str) -> None:
    stored = StoredReference(database_url, "massive")
    queries = SymbolQueries(database_url)
    assert not stored.is_of(date(2026, 11, 20))
    assert stored.replace([ticker("AAPL"), ticker("OLD"), ticker("KIMpL", None)], NOW) == 3
    assert stored.is_of(date(2026, 11, 20))
    assert queries.known() == {"AAPL", "OLD", "KIMpL"}
    assert not stored.is_of(date(2026, 11, 21))
    assert stored.replace([ticker("AAPL", "Apple Inc."), ticker("KIMpL", None)], NOW + DAY_MS) == 2
    assert sorted(queries.stored()) == [
        ("AAPL", "Apple Inc.", "XNAS", "CS", True), ("KIMpL", None, "XNAS", "CS", True), ("OLD", "A name", "XNAS", "CS", False)
    ]  # fmt: skip
    assert stored.replace([ticker("OLD"), ticker("AAPL", "Apple Inc."), ticker("KIMpL", None)], NOW + DAY_MS) == 1
    assert sorted(queries.stored())[-1][-1] is True


def test_an_empty_answer_is_not_believed(database_url: str) -> None:
    stored = StoredReference(database_url, "massive")
    stored.replace([ticker("AAPL")], NOW)
    with pytest.raises(RestError, match="empty"):
        stored.replace([], NOW + DAY_MS)
    assert SymbolQueries(database_url).stored()[0][-1] is True
    assert VendorQueries(database_url).progress("symbols") == NOW


def test_another_source_knows_other_symbols(database_url: str) -> None:
    StoredReference(database_url, "simulated").replace([ticker("AAPL")], NOW)
    assert not StoredReference(database_url, "massive").is_of(date(2026, 11, 20))
    StoredReference(database_url, "massive").replace([ticker("AAPL"), ticker("MSFT")], NOW + 1)
    assert not StoredReference(database_url, "simulated").is_of(date(2026, 11, 20))


def test_it_is_read_once_a_day_when_the_series_are_loaded_and_again_at_the_next_start_only_if_it_has_to(
    database_url: str, vendor: Vendor
) -> None:
    fetcher, wake = fetcher_for(vendor.rest)
    wall = NOW
    reference = Reference(database_url, "simulated", fetcher, lambda: wall)
    reference.look(False, 0)
    reference.look(False, LONGEST_WAIT_MS)
    assert fetcher.take() is None and not wake.is_set()
    reference.look(True, 1)
    reference.look(True, 2)  # asked already
    reference.answered(answer_of(fetcher), 3)
    assert len(SymbolQueries(database_url).known()) == len(SYMBOLS)
    assert VendorQueries(database_url).progress("symbols") == NOW
    reference.look(True, 4)
    wall = NOW + DAY_MS
    reference.look(True, 5)
    reference.answered(answer_of(fetcher), 6)
    assert VendorQueries(database_url).progress("symbols") == NOW + DAY_MS
    wall = NOW + DAY_MS + 1
    again = Reference(database_url, "simulated", fetcher, lambda: wall)
    again.look(False, 0)
    again.look(False, LONGEST_WAIT_MS + 1)  # a market that is closed
    again.answered(answer_of(fetcher), 7)
    assert VendorQueries(database_url).progress("symbols") == NOW + DAY_MS
    fetcher.stop()


def test_what_failed_is_asked_again_and_what_the_plan_refuses_is_not(database_url: str) -> None:
    refusing = Vendor("/v3/reference")
    fetcher, _ = fetcher_for(refusing.rest)
    reference = Reference(database_url, "massive", fetcher, lambda: NOW)
    reference.look(True, 0)
    reference.answered(Fetched("all symbols", None, ("reference", None)), 0)
    assert answer_of(fetcher).refused
    reference.look(True, 14_999)
    reference.look(True, 15_000)
    answer = answer_of(fetcher)
    assert answer.refused
    reference.answered(answer, 15_001)
    reference.look(True, 10**9)
    fetcher.stop()
    refusing.close()
    assert fetcher.take() is None
    assert SymbolQueries(database_url).known() == frozenset()


def test_a_running_process_fills_the_table(redis_server: RedisServer, database_url: str, tmp_path: Path, vendor: Vendor) -> None:
    publisher = Publisher(redis_server)
    with StreamingProcess(redis_server, database_url, f"http://127.0.0.1:{vendor.server.port}", tmp_path) as streaming:
        publisher.send(synthetic_day(7, 10, 3))
        eventually(lambda: len(rows_of(database_url, "symbols")) == len(SYMBOLS), 60)
        assert streaming.terminate() == 0
    publisher.close()
