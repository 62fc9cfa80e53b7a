"""Lists of detections against a plain list: every sort, both ways, with ties, and while rows are added."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cmp_to_key, partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.examples import MINUTE, START, alert, pattern
from tests.database.test_queries import plans_of
from tickstock.database.detections import ORDERS, Page
from tickstock.database.models import intraday_patterns
from tickstock.database.queries import Queries
from tickstock.database.writers import Writer

NAMES = [column.name for column in intraday_patterns.columns]
KEYS = {"detection": "detection_timestamp", "quality": "quality", "symbol": "symbol", "pattern": "pattern"}
SORTS = [(sort, order) for sort in KEYS for order in ORDERS]

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["AAPL", "MSFT", "T"]),
        st.sampled_from(["Doji", "Hammer"]),
        st.sampled_from([0, 0, 1, 2]),  # minutes: most share one
        st.sampled_from([0.0, 0.1, 0.30000000000000004, 1.0]),
    ),
    max_size=25,
)


def a_row(number: int, symbol: str, name: str, minute: int, quality: float) -> tuple[Any, ...]:
    row = dict(zip(NAMES, pattern(number, at=START + minute * MINUTE, symbol=symbol, name=name), strict=True))
    return tuple((row | {"quality": quality}).values())


def write(url: str, rows: list[tuple[Any, ...]]) -> None:
    with Writer(url) as writer, writer.transaction() as batch:
        batch.upsert_patterns(rows)


def emptied(url: str) -> None:
    with Queries(url)._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM intraday_patterns")


def in_order(rows: list[dict[str, Any]], sort: str, order: str) -> list[str]:
    """The ids as a plain list sorts them: by the key, then the newest first; by time the ids go along with it."""

    def compare(one: dict[str, Any], other: dict[str, Any]) -> int:
        keys = [(KEYS[sort], order == "desc")]
        keys += [("id", order == "desc")] if sort == "detection" else [("detection_timestamp", True), ("id", True)]
        for key, falls in keys:
            if one[key] != other[key]:
                return 1 if (one[key] < other[key]) == falls else -1
        return 0

    return [row["id"] for row in sorted(rows, key=cmp_to_key(compare))]


def all_pages(ask: Callable[..., Page]) -> list[Page]:
    pages = [ask()]
    while pages[-1].next is not None:
        pages.append(ask(after=pages[-1].next))
    return pages


def ids(page: Page) -> list[str]:
    return [row["id"] for row in page.rows]


@given(rows=ROWS, sorting=st.sampled_from(SORTS), size=st.integers(1, 7), symbol=st.sampled_from([None, "AAPL"]))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_pages_are_the_sorted_list_forwards_and_backwards(
    database_url: str, rows: list[Any], sorting: tuple[str, str], size: int, symbol: str | None
) -> None:
    emptied(database_url)
    stored = [a_row(number, *row) for number, row in enumerate(rows)]
    write(database_url, stored)
    sort, order = sorting
    queries = Queries(database_url)

    def ask(**where: str | None) -> Page:
        return queries.patterns(sort=sort, order=order, limit=size, symbol=symbol, **where)  # type: ignore[arg-type]

    records = [dict(zip(NAMES, each, strict=True)) for each in stored]
    expected = in_order([record for record in records if symbol in (None, record["symbol"])], sort, order)
    pages = all_pages(ask)
    assert [row for page in pages for row in ids(page)] == expected
    assert all(len(page.rows) == size for page in pages[:-1])
    assert pages[0].previous is None
    for page, following in itertools.pairwise(pages):
        back = ask(before=following.previous)
        assert ids(back) == ids(page)
        assert (back.next, back.previous) == (page.next, page.previous)


@pytest.mark.parametrize(("sort", "order"), SORTS)
def test_rows_that_come_meanwhile_move_no_page(database_url: str, sort: str, order: str) -> None:
    old = [a_row(number, "MSFT", "Doji", number // 3, 0.5) for number in range(9)]
    write(database_url, old)
    queries = Queries(database_url)
    before = all_pages(lambda **where: queries.patterns(sort=sort, order=order, limit=3, **where))
    write(database_url, [a_row(100 + n, symbol, "Doji", n, 0.5) for n, symbol in enumerate(("AAPL", "MSFT", "T"))])
    assert set(ids(before[1])) <= set(ids(queries.patterns(sort=sort, order=order, limit=6, after=before[0].next)))
    again = queries.patterns(sort=sort, order=order, limit=100, after=before[0].next)
    assert [each for each in ids(again) if int(each.rpartition(":")[2]) < 100] == ids(before[1]) + ids(before[2])
    assert not set(ids(again)) & set(ids(before[0]))


def test_a_page_before_the_first_of_new_rows_leads_on_to_them(database_url: str) -> None:
    write(database_url, [a_row(number, "T", "Doji", number, 0.5) for number in range(4)])
    queries = Queries(database_url)
    second = queries.patterns(limit=2, after=queries.patterns(limit=2).next)
    write(database_url, [a_row(number, "T", "Doji", number, 0.5) for number in (4, 5, 6)])
    first = queries.patterns(limit=2, before=second.previous)
    assert [each.rpartition(":")[2] for each in ids(first)] == ["3", "2"]
    assert first.previous is not None
    newer = queries.patterns(limit=2, before=first.previous)
    assert [each.rpartition(":")[2] for each in ids(newer)] == ["5", "4"]


def test_a_token_of_another_order_is_refused(database_url: str) -> None:
    write(database_url, [a_row(number, "T", "Doji", number, 0.5) for number in range(3)])
    queries = Queries(database_url)
    token = queries.patterns(limit=1, sort="quality").next
    for sorting in ({}, {"sort": "symbol"}, {"sort": "quality", "order": "asc"}):
        with pytest.raises(ValueError, match="same sort and order"):
            queries.patterns(limit=1, after=token, **sorting)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="same sort and order"):
            queries.patterns(limit=1, before=token, **sorting)  # type: ignore[arg-type]


def test_alerts_are_sorted_by_symbol_and_by_name(database_url: str) -> None:
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.insert_alerts(
            [alert(1, symbol="T"), alert(2, symbol="AAPL"), alert(3, at=START + 1, symbol="T", name="VOLUME_SPIKE")]
        )
    queries = Queries(database_url)
    found = {sort: [row["id"][-1] for row in queries.alerts(sort=sort, order="asc").rows] for sort in ("symbol", "alert")}
    assert found == {"symbol": ["2", "3", "1"], "alert": ["1", "2", "3"]}
    assert [row["id"][-1] for row in queries.alerts(among=["VOLUME_SPIKE"]).rows] == ["3"]


def test_rare_rows_are_found_in_an_index_alone(sqlite_url: str) -> None:
    """Where no column that is asked for has an index of its own, the one by time holds all that decides."""
    questions: list[dict[str, Any]] = [
        {"session": "pre"},
        {"state": "forming", "direction": "bullish", "timeframe": "1day"},
        {"origin": "repair", "quality_from": 0.9, "order": "asc"},
        {"sort": "quality"},
    ]
    for wanted in questions:
        plan = "\n".join(plans_of(sqlite_url, partial(Queries.patterns, limit=10, **wanted)))
        assert "COVERING INDEX intraday_patterns_detection_timestamp" in plan, plan
    plan = "\n".join(plans_of(sqlite_url, partial(Queries.alerts, session="pre", origin="repair")))
    assert "COVERING INDEX indicator_alerts_detection_timestamp" in plan, plan
