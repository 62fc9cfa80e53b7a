"""The JSON interface over a real database, on SQLite and PostgreSQL."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from flask.testing import FlaskClient

from tests.web.services import a_pattern, an_alert, an_indicator, row
from tickstock.database.migrate import migrate
from tickstock.database.models import indicator_alerts, intraday_indicators, intraday_patterns
from tickstock.database.writers import Writer
from tickstock.settings import Settings
from tickstock.web import database_probe
from tickstock.web.application import create_app
from tickstock.web.watchlist_text import list_symbols

BAR = 1_728_300_000_000
MINUTE = 60_000


@pytest.fixture
def client(empty_database_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    migrate(empty_database_url)
    writer = Writer(empty_database_url)
    with writer.transaction() as batch:
        found = [
            a_pattern(symbol, name, BAR + number * MINUTE, detection_timestamp=BAR + (number + 1) * MINUTE)
            for number in range(6)
            for symbol, name in (("AAPL", "Hammer"), ("BRK.B", "Doji"))
        ]
        batch.upsert_patterns([row(intraday_patterns, each) for each in found])
        raised = [an_alert("AAPL", BAR + number * MINUTE, detection_timestamp=BAR + (number + 1) * MINUTE) for number in range(3)]
        batch.insert_alerts([row(indicator_alerts, each) for each in raised])
        values = [an_indicator("AAPL", BAR + number * MINUTE) for number in range(4)]
        batch.insert_indicators([row(intraday_indicators, each) for each in values])
        batch.insert_bars([
            ("AAPL", "1min", BAR + number * MINUTE, revision, 1.0, 2.0, 0.5, 1.5, 100 + revision, 7, None, "massive", None, None)
            for number in range(3)
            for revision in range(2)
        ])  # fmt: skip
        batch.upsert_gap(f"feed:{BAR}", BAR, BAR + MINUTE, "the feed was away", "minute bars from REST")
        batch.upsert_gap("bus:run:7", BAR + MINUTE, BAR + MINUTE, "ticks missing", lost="3 ticks")
    writer.close()
    app = create_app(Settings(database_url=empty_database_url, data_dir=tmp_path, async_mode="threading"))
    with app.test_client() as client:
        yield client


def test_patterns_come_newest_first_and_by_pages(client: FlaskClient) -> None:
    seen: list[str] = []
    after, pages = "", 0
    while True:
        answer = client.get(f"/api/patterns?limit=5{after}").get_json()
        seen += [each["id"] for each in answer["patterns"]]
        pages += 1
        if answer["next"] is None:
            break
        after = f"&next={answer['next']}"
    assert (pages, len(seen), len(set(seen))) == (3, 12, 12)
    assert seen[0].endswith(str(BAR + 5 * MINUTE))


def test_a_pattern_reads_as_in_its_message(client: FlaskClient) -> None:
    (answer,) = client.get("/api/patterns?symbol=AAPL&limit=1").get_json()["patterns"]
    expected = msgspec.to_builtins(a_pattern("AAPL", "Hammer", BAR + 5 * MINUTE, detection_timestamp=BAR + 6 * MINUTE))
    assert answer == {name: value for name, value in expected.items() if name != "type"}


def test_patterns_are_filtered(client: FlaskClient) -> None:
    def count(query: str) -> int:
        return len(client.get(f"/api/patterns?{query}").get_json()["patterns"])

    assert count("symbol=BRK.B") == 6
    assert count("pattern=Hammer&direction=bullish&state=confirmed&timeframe=1min&origin=live") == 6
    assert count("direction=bearish") == 0
    assert count(f"from={BAR + 2 * MINUTE}&to={BAR + 4 * MINUTE}") == 4
    assert count("from=2024-10-07T07:22&to=2024-10-07T11:24:00Z") == 4  # New York time, and an offset


def test_patterns_are_sorted_and_gone_through_both_ways(client: FlaskClient) -> None:
    first = client.get("/api/patterns?sort=symbol&order=asc&limit=4").get_json()
    assert [each["symbol"] for each in first["patterns"]] == ["AAPL"] * 4
    assert first["previous"] is None
    second = client.get(f"/api/patterns?sort=symbol&order=asc&limit=4&next={first['next']}").get_json()
    assert [each["symbol"] for each in second["patterns"]] == ["AAPL"] * 2 + ["BRK.B"] * 2
    assert client.get(f"/api/patterns?sort=symbol&order=asc&limit=4&previous={second['previous']}").get_json() == first
    assert client.get("/api/alerts?sort=alert&order=asc&session=regular").get_json()["previous"] is None


def test_patterns_are_filtered_by_session_quality_and_family(client: FlaskClient) -> None:
    def count(query: str, path: str = "patterns") -> int:
        return len(client.get(f"/api/{path}?{query}").get_json()[path])

    assert (count("session=regular"), count("session=pre")) == (12, 0)
    assert (count("quality_from=0.82"), count("quality_from=0.83"), count("quality_from=1")) == (12, 0, 0)
    assert (
        count("family=candlestick_reversal"),
        count("family=candlestick_indecision"),
        count("family=chart_pattern_breakout"),
    ) == (6, 6, 0)
    assert (count("family=alert_crossing", "alerts"), count("family=alert_level", "alerts")) == (3, 0)


def test_alerts_indicators_and_bars_answer_alike(client: FlaskClient) -> None:
    alerts = client.get("/api/alerts?symbol=AAPL&alert=RSI_OVERBOUGHT").get_json()
    assert [each["bar_timestamp"] for each in alerts["alerts"]] == [BAR + 2 * MINUTE, BAR + MINUTE, BAR]
    indicators = client.get("/api/indicators/AAPL?timeframe=1min&limit=2").get_json()
    assert [each["values"]["RSI_14"] for each in indicators["indicators"]] == [71.2, 71.2]
    assert client.get(f"/api/indicators/AAPL?next={indicators['next']}").get_json()["next"] is None
    stored = client.get("/api/bars/AAPL").get_json()["bars"]
    assert [(each["timestamp"], each["revision"], each["volume"]) for each in stored] == [
        (BAR + 2 * MINUTE, 1, 101),
        (BAR + MINUTE, 1, 101),
        (BAR, 1, 101),
    ]


def test_gaps_say_what_repaired_them_and_what_is_lost(client: FlaskClient) -> None:
    found = client.get("/api/gaps").get_json()["gaps"]
    assert [(gap["id"], gap["repair"], gap["lost"]) for gap in found] == [
        ("bus:run:7", None, "3 ticks"),
        (f"feed:{BAR}", "minute bars from REST", None),
    ]
    assert [gap["id"] for gap in client.get(f"/api/gaps?from={BAR + 1}&limit=5").get_json()["gaps"]] == ["bus:run:7"]


def test_a_symbol_without_anything_is_an_empty_list(client: FlaskClient) -> None:
    assert client.get("/api/bars/ZZZZ").get_json() == {"bars": [], "next": None}


@pytest.mark.parametrize("symbol", ["KIMpL", "A" * 32, "<b>&", "Ä+1", "^X", "BRK/B"])
def test_whatever_a_watchlist_may_hold_can_be_asked_for(client: FlaskClient, symbol: str) -> None:
    assert list_symbols([symbol]) == (symbol,)
    assert client.get(f"/api/bars/{quote(symbol)}").get_json() == {"bars": [], "next": None}
    assert client.get(f"/api/indicators/{quote(symbol, safe='')}?limit=5").get_json() == {"indicators": [], "next": None}
    assert client.get("/api/patterns", query_string={"symbol": symbol}).get_json()["patterns"] == []


@pytest.mark.parametrize("text", ["A//B", "/A", "A/", "A/B/C"])
def test_a_path_in_which_no_symbol_stands_is_not_found_and_leads_to_no_other(client: FlaskClient, text: str) -> None:
    for path in (text, quote(text, safe="")):
        answer = client.get(f"/api/bars/{path}")
        assert (answer.status_code, answer.content_type) == (404, "application/json")


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/patterns?limit=0", "limit"),
        ("/api/patterns?limit=1001", "limit"),
        ("/api/patterns?limit=٣", "limit"),
        ("/api/patterns?limit=5&limit=6", "limit"),
        ("/api/patterns?from=yesterday", "from"),
        ("/api/patterns?from=99999999999999999999999", "from"),
        ("/api/patterns?to=-1", "to"),
        ("/api/patterns?from=2000&to=1000", "from"),
        ("/api/patterns?symbol=<b> c", "symbol"),
        ("/api/patterns?symbol=", "symbol"),
        ("/api/patterns?direction=up", "direction"),
        ("/api/patterns?state=maybe", "state"),
        ("/api/patterns?pattern=Ham'mer", "pattern"),
        ("/api/patterns?next=rubbish", "next"),
        ("/api/patterns?next=" + "a" * 500, "next"),
        ("/api/patterns?colour=red", "a query parameter"),
        ("/api/patterns?session=night", "session"),
        ("/api/patterns?quality_from=80", "quality_from"),
        ("/api/patterns?quality_from=1.1", "quality_from"),
        ("/api/patterns?quality_from=-0", "quality_from"),
        ("/api/patterns?quality_from=nan", "quality_from"),
        ("/api/patterns?sort=price", "sort"),
        ("/api/patterns?sort=alert", "sort"),
        ("/api/patterns?order=up", "order"),
        ("/api/patterns?family=alert_level", "family"),
        ("/api/patterns?previous=rubbish", "previous"),
        ("/api/patterns?previous=a&next=b", "previous"),
        ("/api/alerts?sort=quality", "sort"),
        ("/api/alerts?quality_from=0.5", "a query parameter"),
        ("/api/patterns.csv?limit=5", "a query parameter"),
        ("/api/patterns.csv?next=a", "a query parameter"),
        ("/api/patterns.csv?direction=up", "direction"),
        ("/api/alerts.csv?from=2000&to=1000", "from"),
        ("/api/alerts?origin=here", "origin"),
        ("/api/bars/AAPL?timeframe=2min", "timeframe"),
        ("/api/bars/%00", "symbol"),
        ("/api/indicators/" + "A" * 33, "symbol"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_expected(client: FlaskClient, path: str, parameter: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert answer.get_json()["parameter"] == parameter
    assert " must be " in answer.get_json()["error"]


def test_unknown_paths_of_the_interface_answer_in_json(client: FlaskClient) -> None:
    answer = client.get("/api/nothing")
    assert (answer.status_code, answer.content_type) == (404, "application/json")
    assert client.post("/api/patterns").status_code == 405


def test_health_without_redis_and_pl_is_503_and_names_them(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 503
    report = answer.get_json()
    assert report["stages"]["results_subscriber"]["status"] == "down"
    assert report["stages"]["database"]["status"] == "ok"
    assert report["stages"]["tickstock_pl"]["status"] == "waiting"
    assert any("results_subscriber" in issue for issue in report["issues"])


def test_status_says_what_the_status_bar_shows(client: FlaskClient) -> None:
    status = client.get("/api/status").get_json()
    assert status["feed"]["source"] == "massive"
    assert status["counters"]["patterns"] == 0
    assert status["watched"] == 70


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/dashboard", "/api/patterns", "/static/css/tickstock.css", "/nowhere"):
        with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_home_page_is_live_streaming(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/dashboard"
    page = client.get("/dashboard").get_data(as_text=True)
    assert "Live Streaming</a>" in page
    assert "<style" not in page
    assert " style=" not in page


@pytest.mark.parametrize("path", ["/dashboard", "/patterns", "/status", "/about"])
def test_what_names_a_part_of_a_page_stands_there_once(client: FlaskClient, path: str) -> None:
    page = client.get(path).get_data(as_text=True)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert [each for each in set(ids) if ids.count(each) > 1] == []
    named = re.findall(r'\baria-(?:labelledby|describedby|controls)="([^"]+)"', page)
    assert {each for names in named for each in names.split()} <= set(ids)


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    url = "postgresql://nobody:secret@127.0.0.1:1/nothing"
    app = create_app(Settings(database_url=url, data_dir=tmp_path, async_mode="threading"))
    with app.test_client() as client:
        for path in ("/api/patterns", "/api/patterns.csv", "/api/alerts.csv"):
            answer = client.get(path)
            assert (answer.status_code, answer.content_type) == (503, "application/json")
            assert "secret" not in answer.get_data(as_text=True)
        assert client.get("/health").get_json()["stages"]["database"]["status"] == "down"


def test_health_does_not_wait_for_a_database_that_keeps_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_probe, "PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes the connection, and then says nothing
        url = f"postgresql://nobody:secret@127.0.0.1:{listener.getsockname()[1]}/nothing"
        app = create_app(Settings(database_url=url, data_dir=tmp_path, async_mode="threading"))
        with app.test_client() as client:
            stage = client.get("/health").get_json()["stages"]["database"]
    assert (stage["status"], stage["detail"][:13]) == ("down", "no answer for")
