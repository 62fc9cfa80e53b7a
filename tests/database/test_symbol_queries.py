"""The search in the vendor's reference of symbols: the same on both databases, whatever is typed."""

from __future__ import annotations

import pytest

from tickstock.database.symbol_queries import SymbolQueries
from tickstock.database.writers import Writer

ROWS = [
    ("NV", "Nova <b>Bank</b>", "XNYS", "CS", True),
    ("NVDA", "NVIDIA Corporation", "XNAS", "CS", True),
    ("NVO", "Novo Nordisk A/S", "XNYS", "ADRC", True),
    ("NVX", "Gone Novonix", "XNAS", "CS", False),
    ("KIMpL", "Kimco Realty 5.125% Class L", "XNYS", "PFD", True),
    ("KIM", "Kimco Realty Corp", "XNYS", "CS", True),
    ("BRK.B", "Berkshire Hathaway (Class B)", "XNYS", "CS", True),
    ("KO", "Coca-Cola Company", "XNYS", "CS", True),
    ("A_B", None, None, None, True),
]


@pytest.fixture
def queries(database_url: str) -> SymbolQueries:
    with Writer(database_url) as writer, writer.transaction() as batch:
        assert batch.upsert_symbols(ROWS) == len(ROWS)
    return SymbolQueries(database_url)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nv", ["NV", "NVO", "NVDA", "NVX"]),
        ("NVDA", ["NVDA"]),
        ("kim", ["KIM", "KIMpL"]),
        ("KIMPL", ["KIMpL"]),
        ("nov", ["NV", "NVO", "NVX"]),  # of a word in the name: those whose name begins with it, then active ones
        ("class", ["BRK.B", "KIMpL"]),
        ("cola", ["KO"]),
        ("vidia", []),
        ("5.125%", ["KIMpL"]),
        ("%", []),
        ("_", []),
        ("a_", ["A_B"]),
        ("/s", []),
        ("'; DROP TABLE symbols; --", []),
        ("\\", []),
    ],
)
def test_symbols_come_first_then_words_of_names_and_signs_are_only_signs(
    queries: SymbolQueries, text: str, found: list[str]
) -> None:
    assert [row["symbol"] for row in queries.search(text, 10)] == found


def test_a_row_says_all_that_is_known_and_there_are_as_many_as_asked_for(queries: SymbolQueries) -> None:
    assert queries.search("nv", 1) == [
        {"symbol": "NV", "name": "Nova <b>Bank</b>", "exchange": "XNYS", "type": "CS", "active": True}
    ]
    assert len(queries.search("", 100)) == queries.count() == len(ROWS)


def test_nothing_is_known_before_the_reference_is_complete(queries: SymbolQueries, database_url: str) -> None:
    assert queries.known() == frozenset()
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.set_vendor_progress([("symbols", 1_800_000_000_000)])
    assert queries.known() == {row[0] for row in ROWS}
