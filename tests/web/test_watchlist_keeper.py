"""What the keeper of the watchlists tells the market, and the pure parts of lists: rooms, unknown symbols, pasted text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tickstock.database.migrate import migrate
from tickstock.database.watchlists import StoredWatchlist
from tickstock.database.writers import Writer
from tickstock.errors import DatabaseError
from tickstock.settings import Settings
from tickstock.web.application import WebServices, create_app
from tickstock.web.browser_messages import read_arrival, read_watch
from tickstock.web.market import NoMarket
from tickstock.web.watch_sets import WatchSets
from tickstock.web.watchlist_text import list_symbols
from tickstock.web.watchlists import Watchlist, Watchlists

DEFAULT = ("AAPL", "MSFT")


class ListeningMarket(NoMarket):
    """A market that keeps what it was told to watch."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.told: list[tuple[str, ...]] = []

    def watch(self, symbols: Sequence[str]) -> None:
        self.told.append(tuple(symbols))


def services_for(folder: Path, symbols: tuple[str, ...] = DEFAULT) -> tuple[WebServices, ListeningMarket]:
    settings = Settings(
        database_url=f"sqlite:///{(folder / 'tickstock.db').as_posix()}",
        symbols=symbols,
        calendar="always_open",
        async_mode="threading",
    )
    market = ListeningMarket(settings)
    services: WebServices = create_app(settings, market).extensions["tickstock"]
    return services, market


def test_the_market_is_told_the_union_at_the_start_and_whenever_it_is_another_one(tmp_path: Path) -> None:
    services, market = services_for(tmp_path)
    migrate(services.settings.database)
    keeper = services.watchlists
    keeper.look()
    keeper.look()
    assert market.told == [DEFAULT]
    made = keeper.create("Tech", ["NVDA", "AAPL"])
    assert market.told[1:] == [("AAPL", "MSFT", "NVDA")]
    keeper.create("same symbols", ["MSFT", "NVDA"])
    keeper.change(made.id, "Chips", None)
    assert len(market.told) == 2
    keeper.change(made.id, None, ["AMD"])
    assert set(market.told[-1]) == {"AAPL", "MSFT", "NVDA", "AMD"}
    keeper.delete(made.id)
    assert set(market.told[-1]) == {"AAPL", "MSFT", "NVDA"}
    assert services.keeper.previous._symbols() == services.live.lists.symbols


def test_with_all_symbols_the_default_list_is_the_well_known_ones(tmp_path: Path) -> None:
    services, market = services_for(tmp_path, ("*",))
    migrate(services.settings.database)
    services.watchlists.look()
    assert len(market.told[0]) == 70


def test_the_market_is_told_the_default_list_while_the_database_is_away(tmp_path: Path) -> None:
    services, market = services_for(tmp_path)
    with pytest.raises(DatabaseError):  # nobody has made its tables
        services.watchlists.look()
    services.start()
    assert market.told == [DEFAULT]
    assert "run python -m tickstock.database migrate" in str(services.watchlists.problem)
    migrate(services.settings.database)
    services.watchlists.create("Tech", ["NVDA"])
    assert market.told[-1] == ("AAPL", "MSFT", "NVDA")
    services.stop()


def test_unknown_are_the_watched_symbols_that_a_loaded_reference_does_not_hold(tmp_path: Path) -> None:
    services, _ = services_for(tmp_path)
    migrate(services.settings.database)
    services.watchlists.create("Odd", ["NOSUCH", "MSFT"])
    assert services.live.lists.unknown == ()
    with Writer(services.settings.database) as writer, writer.transaction() as batch:
        batch.upsert_symbols([("MSFT", None, None, None, False), ("NVDA", None, None, None, True)])
        batch.set_vendor_progress([("symbols", 1)])
    lists = services.watchlists.look()
    assert (lists.unknown, lists.reference) == (("AAPL", "NOSUCH"), 2)


def test_a_message_tells_all_lists_the_default_one_first() -> None:
    lists = Watchlists(DEFAULT, [StoredWatchlist("1", "Tech <b>", ("NVDA",))])
    assert msgspec.json.decode(lists.message) == {
        "lists": [
            {"id": "default", "name": "Default", "symbols": ["AAPL", "MSFT"], "editable": False},
            {"id": "1", "name": "Tech <b>", "symbols": ["NVDA"], "editable": True},
        ],
        "unknown": [],
        "reference": 0,
    }


def test_a_room_is_that_of_a_list_and_of_its_symbols_at_the_time() -> None:
    sets = WatchSets()
    before, after = Watchlist("1", "Tech", ("NVDA",)), Watchlist("1", "Tech", ("NVDA", "AMD"))
    one = sets.watch_list("a", before)
    assert sets.watch_list("b", before) is one
    assert sets.watch("c", ["NVDA"]) is not one
    moved = sets.watch_list("a", after)
    assert (moved.list, moved.symbols) == (after, ("NVDA", "AMD"))
    assert sets.watch_list("b", after) is moved
    sets.leave("c")
    assert sets.rooms == [moved]


@pytest.mark.parametrize(
    "text", ["AAPL,BRK.B KIMpL", "AAPL\nBRK.B\r\nKIMpL\n", "  AAPL ; BRK.B\t,\tKIMpL,, AAPL ", ["AAPL", " BRK.B ", "KIMpL"]]
)
def test_pasted_symbols_keep_their_order_and_case_each_once(text: str | list[str]) -> None:
    assert list_symbols(text) == ("AAPL", "BRK.B", "KIMpL")


def test_what_a_connection_and_a_watch_say_is_read() -> None:
    arrival = read_arrival({"list": "1", "chart": "AAPL", "more": 1})
    assert arrival is not None and (arrival.list, arrival.chart) == ("1", "AAPL")
    watch = read_watch({"list": None, "symbols": ["AAPL"]})
    assert watch is not None and (watch.list, watch.symbols) == (None, ("AAPL",))
    assert read_watch({"list": "x" * 65}) is None
    assert read_watch({"symbols": ["A" * 33]}) is None
    assert read_arrival("text") is None
