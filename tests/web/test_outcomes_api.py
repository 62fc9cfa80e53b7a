"""/api/outcomes: the rows of the report in force, when and on what they were computed, and why there are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tickstock.database.writers import Writer
from tickstock.settings import Settings
from tickstock.web.application import create_app

HEADER = {"universe": ["AAPL", "MSFT"], "rows": 3, "empty": None}


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path, async_mode="threading"))
    with app.test_client() as client:
        yield client


@pytest.fixture
def with_report(client: FlaskClient, database_url: str) -> FlaskClient:
    keys = (
        ("1min", "Hammer", "bullish", 5, "all"),
        ("1min", "Hammer", "bullish", 5, "low"),
        ("5min", "Doji", "neutral", 1, "all"),
    )
    with Writer(database_url) as writer, writer.transaction() as batch:
        for computed in (1_000, 2_000):
            batch.insert_outcome_rows([(computed, *key, {"events": computed, "rate": 0.51}) for key in keys])
        batch.set_outcome_report("live", 2_000, HEADER)
    return client


def answer(client: FlaskClient, query: str = "") -> dict[str, Any]:
    response = client.get(f"/api/outcomes{query}")
    assert response.status_code == 200
    told: dict[str, Any] = response.get_json()
    return told


def test_rows_come_with_when_and_on_what_they_were_computed(with_report: FlaskClient) -> None:
    told = answer(with_report)
    assert told["computed"] == 2_000
    assert told["header"] == HEADER
    assert told["outcomes"][0] == {
        "timeframe": "5min", "pattern": "Doji", "direction": "neutral", "horizon": 1, "quality": "all", "events": 2_000,
        "rate": 0.51,
    }  # fmt: skip
    assert [row["pattern"] for row in told["outcomes"]] == ["Doji", "Hammer", "Hammer"]


@pytest.mark.parametrize(
    ("query", "patterns"),
    [
        ("?pattern=Hammer", ["Hammer", "Hammer"]),
        ("?pattern=Hammer&quality=all", ["Hammer"]),
        ("?timeframe=5min", ["Doji"]),
        ("?horizon=5", ["Hammer", "Hammer"]),
        ("?horizon=15", []),
    ],
)
def test_rows_are_chosen_by_pattern_timeframe_horizon_and_quality(
    with_report: FlaskClient, query: str, patterns: list[str]
) -> None:
    told = answer(with_report, query)
    assert [row["pattern"] for row in told["outcomes"]] == patterns
    assert told["header"] == HEADER  # of the whole report


def test_before_the_first_report_it_says_why_there_is_none(client: FlaskClient) -> None:
    told = answer(client)
    assert told["outcomes"] == []
    assert told["computed"] is None
    assert "No report has been computed yet" in told["header"]["empty"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("?horizon=0", "horizon"), ("?horizon=two", "horizon"), ("?quality=best", "quality"), ("?timeframe=2min", "timeframe")],
)
def test_what_cannot_be_read_is_refused(client: FlaskClient, query: str, parameter: str) -> None:
    response = client.get(f"/api/outcomes{query}")
    assert response.status_code == 400
    assert response.get_json()["parameter"] == parameter
