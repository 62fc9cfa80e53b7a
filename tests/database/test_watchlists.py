"""Watchlists as they are stored: the same on both databases, with two processes changing them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tickstock.database.watchlists import MOST_LISTS, Watchlists
from tickstock.database.writers import Writer
from tickstock.errors import WatchlistConflict, WatchlistUnknown


def test_a_list_comes_back_as_it_was_made_with_its_order_and_case(database_url: str) -> None:
    store = Watchlists(database_url)
    made = store.create('Tech <b>&"ß', ["NVDA", "BRK.B", "KIMpL", "AAPL"])
    other = store.create("empty", [])
    assert Watchlists(database_url).lists() == [other, made]
    assert made.symbols == ("NVDA", "BRK.B", "KIMpL", "AAPL")
    assert store.watched_symbols() == made.symbols


def test_a_list_gets_another_name_or_other_symbols_and_the_marks_tell(database_url: str) -> None:
    store = Watchlists(database_url)
    made = store.create("Tech", ["NVDA"])
    seen = {store.marks()}
    assert store.change(made.id, name="TECH").symbols == ("NVDA",)  # its own name in another case is free
    seen.add(store.marks())
    assert store.change(made.id, symbols=["AMD", "NVDA"]).name == "TECH"
    seen.add(store.marks())
    assert store.change(made.id, symbols=["AMD", "NVDA"]) == store.lists()[0]
    assert store.marks() in seen  # nothing changed
    assert store.delete(made.id).name == "TECH"
    seen.add(store.marks())
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.set_vendor_progress([("symbols", 1_800_000_000_000)])
    seen.add(store.marks())
    assert len(seen) == 5


@pytest.mark.parametrize("taken", ["Tech", "TECH", "Ｔｅｃｈ", "Default", "DEFAULT"])
def test_a_name_is_there_once_whatever_its_case(database_url: str, taken: str) -> None:
    store = Watchlists(database_url)
    store.create("tech", [])
    other = store.create("other", [])
    with pytest.raises(WatchlistConflict, match="already: choose another name"):
        store.create(taken, [])
    with pytest.raises(WatchlistConflict, match="already: choose another name"):
        store.change(other.id, name=taken)
    assert [each.name for each in store.lists()] == ["other", "tech"]


def test_what_is_not_there_cannot_be_changed_or_deleted(database_url: str) -> None:
    store = Watchlists(database_url)
    with pytest.raises(WatchlistUnknown, match="no such watchlist"):
        store.change("gone", name="x")
    for unknown in ("gone", "default"):
        with pytest.raises(WatchlistUnknown, match="no such watchlist"):
            store.delete(unknown)


def test_two_processes_cannot_make_one_name_twice_or_a_list_too_many(database_url: str) -> None:
    def create(name: str) -> bool:
        try:
            Watchlists(database_url).create(name, ["AAPL"])
        except WatchlistConflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(create, ["Same"] * 8)) == 1
        assert sum(pool.map(create, [f"list {number}" for number in range(MOST_LISTS + 3)])) == MOST_LISTS - 1
    with pytest.raises(WatchlistConflict, match="delete one"):
        Watchlists(database_url).create("one more", [])
    assert len(Watchlists(database_url).lists()) == MOST_LISTS
