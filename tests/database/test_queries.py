"""What the API and TickStockPL read: filters, pages, revisions, counters; and that each question uses an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.database.examples import MINUTE, START, alert, bar, indicators, pattern, tick
from tickstock.database.models import intraday_patterns
from tickstock.database.queries import Coverage, Page, Progress, Queries
from tickstock.database.writers import TickWriter, Writer

DAY = 86_400_000


def write(url: str, **rows: list[tuple[Any, ...]]) -> Queries:
    names = {"patterns": "upsert_patterns"}
    with Writer(url) as writer, writer.transaction() as batch:
        for name, some in rows.items():
            getattr(batch, names.get(name, f"insert_{name}"))(some)
    return Queries(url)


def ids(page: Page) -> list[str]:
    return [row["id"].rpartition(":")[2] for row in page.rows]


def all_pages(ask: Callable[[str | None], Page]) -> Iterator[Page]:
    page = ask(None)
    yield page
    while page.next is not None:
        page = ask(page.next)
        yield page


def test_patterns_come_newest_first_with_every_column_of_the_message(database_url: str) -> None:
    queries = write(database_url, patterns=[pattern(number, at=START + number * MINUTE) for number in (2, 3, 1)])
    page = queries.patterns()
    assert ids(page) == ["3", "2", "1"]
    assert page.next is None
    names = [column.name for column in intraday_patterns.columns]
    assert page.rows[2] == dict(zip(names, pattern(1, at=START + MINUTE), strict=True))


def test_a_pattern_says_when_its_bar_was_revised_since(database_url: str) -> None:
    """And only then: neither another symbol's, timeframe's or minute's revision counts, nor one of a day's bar."""
    later = START + MINUTE
    daily = ("AAPL:1day:Doji:3", "AAPL", "Doji", "neutral", "confirmed", "1day", *pattern(3)[6:])
    queries = write(
        database_url,
        patterns=[pattern(1, details={"colour": "white"}), pattern(2, at=later), pattern(4, symbol="T"), daily],
        bars=[
            bar(), bar(revision=1), bar(revision=2), bar(at=later), bar("T"), bar("MSFT", later, 1),
            bar(timeframe="5min", at=later, revision=1), bar(timeframe="1day"), bar(timeframe="1day", revision=1),
        ],
    )  # fmt: skip
    details = {row["id"]: row["details"] for row in queries.patterns().rows}
    assert details == {
        "AAPL:1min:Hammer:1": {"colour": "white", "bar_revised": True},
        "AAPL:1min:Hammer:2": {},
        "T:1min:Hammer:4": {},
        "AAPL:1day:Doji:3": {},
    }


def test_a_days_bar_is_provisional_until_the_vendors_is_there(database_url: str) -> None:
    day = 24 * 60 * MINUTE
    stored = [bar(timeframe="1day", at=START + n * day) for n in range(3)]
    queries = write(database_url, bars=[*stored, bar("MSFT", timeframe="1day"), bar()])
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.set_coverage([("AAPL", 0, START + 2 * day), ("AAPL", START, START + 9 * day)])
    assert [row["provisional"] for row in queries.bars("AAPL", "1day").rows] == [True, False, False]
    assert [row["provisional"] for row in queries.bars("MSFT", "1day").rows] == [True]
    assert "provisional" not in queries.bars("AAPL", "1min").rows[0]


def test_patterns_are_filtered_by_each_of_their_properties(database_url: str) -> None:
    queries = write(
        database_url,
        patterns=[pattern(1), pattern(2, "forming", symbol="T", name="HeadShoulders", at=START + MINUTE, origin="history")],
    )
    detected = START + MINUTE + 64_504
    matching: list[dict[str, Any]] = [
        {"symbol": "T"}, {"pattern": "HeadShoulders"}, {"state": "forming"}, {"origin": "history"}, {"since": detected},
        {"among": ["HeadShoulders", "Doji"]},
    ]  # fmt: skip
    for wanted in matching:
        assert ids(queries.patterns(**wanted)) == ["2"], wanted
    others: list[dict[str, Any]] = [
        {"symbol": "t"}, {"pattern": "Doji"}, {"direction": "bearish"}, {"timeframe": "5min"}, {"since": detected + 1},
        {"until": START}, {"symbol": "T", "pattern": "Hammer"}, {"session": "pre"}, {"quality_from": 0.83}, {"among": []},
    ]  # fmt: skip
    for wanted in others:
        assert queries.patterns(**wanted).rows == [], wanted
    assert ids(queries.patterns(until=detected)) == ["1"]
    assert ids(queries.patterns(quality_from=0.82, session="regular")) == ["2", "1"]


@pytest.mark.parametrize("size", [1, 3, 10])
def test_paging_gives_every_row_once_though_many_share_one_time(database_url: str, size: int) -> None:
    rows = [pattern(number, at=START + number // 4 * MINUTE) for number in range(11)]
    queries = write(database_url, patterns=rows, alerts=[alert(number) for number in range(5)])
    pages = list(all_pages(lambda after: queries.patterns(limit=size, after=after)))
    assert sorted(number for page in pages for number in ids(page)) == sorted(str(number) for number in range(11))
    assert all(len(page.rows) == size for page in pages[:-1])
    alerts = [number for page in all_pages(lambda after: queries.alerts(limit=2, after=after)) for number in ids(page)]
    assert sorted(alerts) == list("01234")


def test_a_page_continues_where_it_ended_although_newer_rows_came(database_url: str) -> None:
    queries = write(database_url, patterns=[pattern(number, at=START + number) for number in range(4)])
    first = queries.patterns(limit=2)
    write(database_url, patterns=[pattern(9, at=START + 9)])
    assert ids(queries.patterns(limit=2, after=first.next)) == ["1", "0"]


@pytest.mark.parametrize("token", ["", "x", "{}", "WzFd", "WyJhIiwxXQ", "WzE3MjgzMDc4MDAwMDAwMDAwMDAsICIiXQ", "\ud800"])
def test_a_token_that_is_none_is_refused(database_url: str, token: str) -> None:
    with pytest.raises(ValueError, match="after must be the `next`"):
        Queries(database_url).patterns(after=token)


def test_alerts_are_filtered(database_url: str) -> None:
    queries = write(database_url, alerts=[alert(1), alert(2, symbol="T", name="RSI_OVERSOLD", at=START + MINUTE)])
    assert ids(queries.alerts()) == ["2", "1"]
    assert ids(queries.alerts(symbol="T", alert="RSI_OVERSOLD", timeframe="1min", direction="bearish")) == ["2"]
    assert queries.alerts(symbol="T", alert="RSI_OVERBOUGHT").rows == []
    assert queries.alerts(limit=1, symbol="AAPL").rows[0]["value"] == 70.4


def test_indicators_of_a_symbol_are_paged_by_time(database_url: str) -> None:
    rows = [indicators(at=START + number * MINUTE) for number in range(5)]
    queries = write(database_url, indicators=[*rows, indicators("T"), indicators(timeframe="5min")])
    pages = list(all_pages(lambda after: queries.indicators("AAPL", "1min", since=START + MINUTE, limit=3, after=after)))
    times = [row["bar_timestamp"] for page in pages for row in page.rows]
    assert times == [START + number * MINUTE for number in (4, 3, 2, 1)]
    assert pages[0].rows[0]["values"] == {"RSI_14": 61.2, "SMA_20": 256.71}


def test_bars_come_in_their_highest_revision(database_url: str) -> None:
    some = [
        bar(),
        bar(revision=2, close=2.0),
        bar(revision=1, close=1.0),
        bar(at=START + MINUTE),
        bar("T"),
        bar(timeframe="5min"),
    ]
    queries = write(database_url, bars=some)
    page = queries.bars("AAPL", "1min", limit=1)
    assert [(row["timestamp"], row["close"]) for row in page.rows] == [(START + MINUTE, 257.01)]
    page = queries.bars("AAPL", "1min", limit=1, after=page.next)
    assert page.next is None
    assert page.rows == [
        {
            "symbol": "AAPL", "timeframe": "1min", "timestamp": START, "revision": 2, "open": 256.9, "high": 257.2, "low": 256.8,
            "close": 2.0, "volume": 18_400, "ticks": 41, "trades": None, "source": "massive",
        }
    ]  # fmt: skip
    assert queries.bars("AAPL", "1min", since=START + 1, until=START + MINUTE).rows == []


def test_calculated_indicators_carry_their_bar_as_it_was_closed(database_url: str) -> None:
    queries = write(database_url, bars=[bar(), bar(revision=1, close=1.0)], indicators=[indicators(calculated=START + 5)])
    (row,) = queries.calculated_indicators(START + 5, START + 6)
    assert row["bar"] == {"open": 256.9, "high": 257.2, "low": 256.8, "close": 257.01, "volume": 18_400}
    assert row["values"] == {"RSI_14": 61.2, "SMA_20": 256.71}
    assert "close" not in row
    assert queries.calculated_indicators(START + 6, START + 9) == []


def test_coverage_counts_bars_whatever_their_revisions(database_url: str) -> None:
    rows = [
        bar("A"),
        bar("A", revision=1),
        bar("A", START + MINUTE),
        bar("B", START + 2 * MINUTE, revision=1),
        bar("C", START - 1),
    ]
    queries = write(database_url, bars=rows)
    assert queries.coverage("1min", START, START + 10 * MINUTE) == {
        "A": Coverage(2, START, START + MINUTE),
        "B": Coverage(1, START + 2 * MINUTE, START + 2 * MINUTE),
    }


def test_symbols_with_bars_are_those_of_the_timeframe_and_the_time(database_url: str) -> None:
    assert Queries(database_url).symbols_with_bars("1min", START, START + MINUTE) == []
    rows = [
        bar("B"),
        bar("A", START + 9 * MINUTE, revision=1),
        bar("a", START + MINUTE),
        bar("BEFORE", START - 1),
        bar("AFTER", START + 10 * MINUTE),
        bar("OTHER", timeframe="5min"),
    ]
    queries = write(database_url, bars=rows)
    assert queries.symbols_with_bars("1min", START, START + 10 * MINUTE) == ["A", "B", "a"]


def test_the_committed_position_is_the_one_set_last(database_url: str) -> None:
    queries = Queries(database_url)
    assert queries.progress() is None
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.set_progress("new", 10, START + MINUTE, 5, START + 2)
        batch.set_progress("old", 99, START, 90, START + 1)
    assert queries.progress() == Progress("new", 10, START + MINUTE, 5, START + 2)
    assert queries.progress("old") == Progress("old", 99, START, 90, START + 1)
    assert queries.progress("never") is None


def test_stored_ticks_of_a_run_come_in_the_order_of_their_positions(database_url: str) -> None:
    with TickWriter(database_url) as writer:
        writer.insert_ticks([tick(position, START - position) for position in (3, 1, 2, 4)])
        writer.insert_ticks([tick(2, run="another")])
    found = Queries(database_url).stored_ticks("0123456789ab", 2, 3)
    assert [each.position for each in found] == [2, 3]
    assert found[0].late is False


def test_gaps_come_newest_first(database_url: str) -> None:
    with Writer(database_url) as writer, writer.transaction() as batch:
        batch.upsert_gap("feed:1", START, START + 5, "feed away", repair="REST bars")
        batch.upsert_gap("feed:2", START + MINUTE, None, "feed away")
        batch.upsert_gap("bus:run:7", START - DAY, None, "log too short", lost="positions 7 to 9")
    queries = Queries(database_url)
    assert [row["id"] for row in queries.gaps()] == ["feed:2", "feed:1", "bus:run:7"]
    assert [row["id"] for row in queries.gaps(since=START)] == ["feed:2", "feed:1"]
    assert [row["id"] for row in queries.gaps(open_only=True)] == ["feed:2"]


QUESTIONS: dict[str, Callable[[Queries], object]] = {
    "patterns": lambda queries: queries.patterns(limit=10),
    "patterns behind a page": lambda queries: queries.patterns(limit=10, after=queries.patterns(limit=10).next),
    "patterns before a page": lambda queries: queries.patterns(limit=10, before=queries.patterns(limit=10).next),
    "patterns of a symbol": lambda queries: queries.patterns(limit=10, symbol="S7"),
    "patterns by name": lambda queries: queries.patterns(limit=10, pattern="P7"),
    "patterns among names": lambda queries: queries.patterns(limit=10, among=["P7", "P8"]),
    "patterns since": lambda queries: queries.patterns(limit=10, since=START + 2990 * MINUTE),
    "patterns from a quality": lambda queries: queries.patterns(limit=10, quality_from=0.8),
    "patterns by symbol": lambda queries: queries.patterns(limit=10, sort="symbol", order="asc"),
    "patterns by their names": lambda queries: queries.patterns(limit=10, sort="pattern"),
    "alerts": lambda queries: queries.alerts(limit=10),
    "alerts of a symbol": lambda queries: queries.alerts(limit=10, symbol="S7"),
    "alerts by name": lambda queries: queries.alerts(limit=10, alert="A7"),
    "alerts by symbol": lambda queries: queries.alerts(limit=10, sort="symbol", order="asc"),
    "alerts by their names": lambda queries: queries.alerts(limit=10, sort="alert", order="asc"),
    "indicators": lambda queries: queries.indicators("S7", "1min"),
    "calculated indicators": lambda queries: queries.calculated_indicators(START, START + MINUTE),
    "bars": lambda queries: queries.bars("S7", "1min", limit=10),
    "coverage": lambda queries: queries.coverage("1min", START, START + 10 * MINUTE),
    "stored ticks": lambda queries: queries.stored_ticks("0123456789ab", 5, 9),
}


def plans_of(url: str, ask: Callable[[Queries], object]) -> list[str]:
    """The plan of every query that a question asks."""
    queries = Queries(url)
    asked: list[tuple[str, Any]] = []
    listen = lambda _connection, _cursor, statement, values, *_: asked.append((statement, values))  # noqa: E731
    event.listen(queries._engine, "before_cursor_execute", listen)
    ask(queries)
    event.remove(queries._engine, "before_cursor_execute", listen)
    return [explain(queries._engine, statement, values) for statement, values in asked]


def explain(engine: Engine, statement: str, values: Any) -> str:
    prefix = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        return "\n".join(str(row) for row in connection.exec_driver_sql(prefix + statement, values))


def test_every_question_uses_an_index(database_url: str) -> None:
    numbers = range(3000)
    write(
        database_url,
        patterns=[pattern(n, at=START + n * MINUTE, symbol=f"S{n % 60}", name=f"P{n % 60}") for n in numbers],
        alerts=[alert(n, at=START + n * MINUTE, symbol=f"S{n % 60}", name=f"A{n % 60}") for n in numbers],
        indicators=[indicators(f"S{n % 60}", START + n * MINUTE) for n in numbers],
        bars=[bar(f"S{n % 60}", START + n * MINUTE) for n in numbers],
    )
    with TickWriter(database_url) as writer:
        writer.insert_ticks([tick(n, START + n * MINUTE) for n in numbers])
    with Queries(database_url)._engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    for name, ask in QUESTIONS.items():
        for plan in plans_of(database_url, ask):
            assert not re.search(r"SCAN (?!page|.*INDEX)|Seq Scan on (?!bars)", plan), f"{name}:\n{plan}"
