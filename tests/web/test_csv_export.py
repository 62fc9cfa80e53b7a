"""Lists as CSV: the same rows as the list, safe in a spreadsheet, and a long one in bounded memory beside other requests."""

from __future__ import annotations

import csv
import http.client
import io
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from launcher.ports import unused_port
from tests.servers import RedisServer
from tests.web.services import WebApp, a_pattern, an_alert, row, wait_until
from tickstock.analysis.catalog import rank
from tickstock.database.migrate import migrate
from tickstock.database.models import indicator_alerts, intraday_patterns
from tickstock.database.writers import Writer
from tickstock.settings import Settings
from tickstock.web import csv_export
from tickstock.web.application import create_app

BAR = 1_728_300_000_000
MINUTE = 60_000
MANY = 100_000


def write(url: str, patterns: list[Any], alerts: list[Any] | None = None) -> None:
    with Writer(url) as writer, writer.transaction() as batch:
        batch.upsert_patterns([row(intraday_patterns, each) for each in patterns])
        batch.insert_alerts([row(indicator_alerts, each) for each in alerts or []])


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    details = {"volume_ratio": 2.5, "trend_before": "with", "after_gap": True, "colour": "white"}
    write(
        database_url,
        [a_pattern(f"S{number}", bar=BAR + number * MINUTE, detection_timestamp=BAR + number * MINUTE) for number in range(25)]
        + [a_pattern("NVDA", "Doji", BAR, quality=0.5, session="pre", details=details, detection_timestamp=BAR - 1)],
        [an_alert("AAPL", BAR, value=-0.35, threshold=-0.5, detection_timestamp=BAR)],
    )
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path, async_mode="threading"))
    with app.test_client() as client:
        yield client


def read(client: FlaskClient, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(path).get_data(as_text=True), newline="")))


def test_the_file_has_every_row_of_the_list_in_its_order(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_export, "ROWS_AT_ONCE", 7)
    for query in (
        "",
        "?sort=symbol&order=asc",
        "?session=pre",
        f"?from={BAR + 3 * MINUTE}&to={BAR + 9 * MINUTE}",
        "?symbol=NONE",
    ):
        rows = read(client, f"/api/patterns.csv{query}")
        listed = client.get(f"/api/patterns{query}").get_json()["patterns"]
        assert [each["id"] for each in rows] == [each["id"] for each in listed], query
    assert len(read(client, "/api/patterns.csv")) == 26


def test_the_file_is_named_typed_and_written_as_rfc_4180_says(client: FlaskClient) -> None:
    answer = client.get("/api/patterns.csv")
    assert answer.content_type == "text/csv; charset=utf-8; header=present"
    assert re.fullmatch(r'attachment; filename="tickstock-patterns-\d{4}-\d\d-\d\d\.csv"', answer.headers["Content-Disposition"])
    text = answer.get_data()
    assert text.startswith(b"id,symbol,pattern,direction,state,timeframe,session,bar_time,bar_timestamp,detection_time,")
    assert text.count(b"\r\n") == text.count(b"\n") == 27
    assert client.head("/api/patterns.csv").get_data() == b""


def test_times_are_there_for_people_and_for_programs_and_surroundings_in_columns(client: FlaskClient) -> None:
    (found,) = read(client, "/api/patterns.csv?symbol=NVDA")
    assert (found["bar_time"], found["bar_timestamp"]) == ("2024-10-07T11:20:00.000Z", str(BAR))
    assert (found["detection_time"], found["detection_timestamp"]) == ("2024-10-07T11:19:59.999Z", str(BAR - 1))
    assert (found["volume_ratio"], found["trend_before"], found["after_gap"], found["bar_revised"]) == ("2.5", "with", "true", "")
    assert json.loads(found["details"]) == {"colour": "white"}
    assert float(found["rank"]) == rank("Doji", 0.5)


def test_a_negative_number_stays_a_number(client: FlaskClient) -> None:
    (found,) = read(client, "/api/alerts.csv")
    assert (found["value"], found["threshold"]) == ("-0.35", "-0.5")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    (cells,) = csv.reader(io.StringIO(csv_export.lines(["a", "b"], [{"a": text, "b": 'x,"y"\n'}]).decode(), newline=""))
    assert cells == [f"'{text}", 'x,"y"\n']


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of a great many patterns, to be copied: writing them takes seconds."""
    folder = tmp_path_factory.mktemp("many")
    url = f"sqlite:///{(folder / 'tickstock.db').as_posix()}"
    migrate(url)
    for first in range(0, MANY, 20_000):
        write(url, [a_pattern(f"S{n % 500}", bar=BAR + n, detection_timestamp=BAR + n) for n in range(first, first + 20_000)])
    return folder


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_a_long_file_takes_bounded_memory_beside_other_requests_and_breaks_off_with_the_database(
    tmp_path: Path, many: Path, shared_redis: RedisServer, mode: str
) -> None:
    shutil.copytree(many, tmp_path, dirs_exist_ok=True)
    app = WebApp(tmp_path, shared_redis, feed_port=unused_port(), mode=mode)
    try:
        app.get("/api/patterns?limit=1000")
        before = memory_of(app)
        connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=60)
        connection.request("GET", "/api/patterns.csv?sort=symbol&order=asc")
        answer = connection.getresponse()
        lines, others = answer.read(4096).count(b"\n"), 0
        assert app.get("/api/status")[0] == 200  # while nobody reads on
        while content := answer.read(1 << 20):
            lines += content.count(b"\n")
            others += app.get("/api/patterns?limit=1")[0] == 200
        assert lines == MANY + 1
        assert others > 10
        assert memory_of(app) - before < 30 * 1024  # the file has 20 MB, its rows in Python five times as much
        connection.request("GET", "/api/patterns.csv")
        answer = connection.getresponse()
        answer.read(4096)
        take_away(tmp_path, "intraday_patterns")
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
        connection.close()
        wait_until(lambda: "a file of patterns broke off" in app.process.output(), "the log says it")
        assert app.answers()
    finally:
        assert app.stop() == 0, app.process.output()


def take_away(folder: Path, table: str) -> None:
    with closing(sqlite3.connect(folder / "tickstock.db")) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO elsewhere")


def memory_of(app: WebApp) -> int:
    """The most memory that the app has used so far, in KB."""
    status = Path(f"/proc/{app.process.child.pid}/status")
    if not status.exists():
        pytest.skip("no /proc here to read a process's memory from")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found is not None
    return int(found[1])
