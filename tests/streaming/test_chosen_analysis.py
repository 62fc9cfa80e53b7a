"""Settings choose what the process computes, and what they say wrongly ends it before it touches anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import RedisServer
from tests.streaming.market import T0, Publisher, TinyRest, synthetic_day
from tests.streaming.process import StreamingProcess, rows_of, wait_for_minute, wait_until_warm
from tests.streaming.test_whole_process import publish, vendor_history
from tickstock.analysis.selection import ALWAYS
from tickstock.database.migrate import migrate
from tickstock.market_hours import MINUTE_MS

REPOSITORY = Path(__file__).resolve().parents[2]
MINUTES = 40


def stored(folder: Path, server: RedisServer, rest: TinyRest, **settings: str) -> tuple[set[str], dict[str, set[str]], set[str]]:
    """The names of patterns, of indicator values by timeframe, and of alerts that a process stores of a day."""
    url = f"sqlite:///{(folder / 'tickstock.db').as_posix()}"
    migrate(url)
    publisher = Publisher(server)
    day = synthetic_day(7, 10, MINUTES)
    with StreamingProcess(server, url, rest.url, folder, **settings) as streaming:
        publisher.send(day[:1])
        wait_until_warm(url)
        publish(publisher, day[1:], 1)
        wait_for_minute(url, T0 + (MINUTES - 1) * MINUTE_MS)
        assert streaming.terminate() == 0
    publisher.close()
    values: dict[str, set[str]] = {}
    for row in rows_of(url, "intraday_indicators"):
        values.setdefault(row["timeframe"], set()).update(row["values"])
    patterns = {row["pattern"] for row in rows_of(url, "intraday_patterns")}
    return patterns, values, {row["alert"] for row in rows_of(url, "indicator_alerts")}


def test_a_setting_changes_what_is_computed_stored_and_published(
    tmp_path: Path, redis_server: RedisServer, rest: TinyRest
) -> None:
    rest.minutes = vendor_history(5)
    patterns, values, alerts = stored(
        tmp_path, redis_server, rest,
        TICKSTOCK_PATTERNS="none", TICKSTOCK_ALERTS="SMA_BULLISH_CROSS",
        TICKSTOCK_INDICATORS="EMA_9,5min:BollingerBands_20_2.5",
    )  # fmt: skip
    assert "Doji" in patterns
    assert patterns <= set(ALWAYS)
    assert values["1min"] == {"EMA_9"}
    assert values["5min"] == {"EMA_9", "BB_UPPER_20_2.5", "BB_MIDDLE_20_2.5", "BB_LOWER_20_2.5"}
    assert alerts == {"SMA_BULLISH_CROSS"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TICKSTOCK_PATTERNS", "default,Engulfin", "Did you mean Engulfing?"),
        ("TICKSTOCK_INDICATORS", "SMA_x", "as in SMA_20; got 'SMA_x'"),
        ("TICKSTOCK_ALERTS", "5min:GOLDEN_CROSS", "GOLDEN_CROSS on 5min"),
    ],
)
def test_a_choice_that_does_not_exist_is_said_with_exit_code_2(name: str, value: str, words: str, tmp_path: Path) -> None:
    environment = {**os.environ, name: value, "TICKSTOCK_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tickstock.streaming"], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
