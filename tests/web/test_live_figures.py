"""The figures of the live board at a browser: the running minute of its chart, sums of a day that is known in whole, halts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.servers import RedisServer
from tests.web import test_socketio
from tests.web.conftest import TRADES, World
from tests.web.services import KEY, Process, WebApp, this_minute, wait_until
from tests.web.test_socketio import browser
from tickstock.database.migrate import migrate
from tickstock.database.writers import Writer
from tickstock.market_hours import MINUTE_MS, NEW_YORK, new_york_ms, new_york_time


@pytest.fixture(scope="module")
def app_settings() -> dict[str, str]:
    return TRADES


@pytest.fixture(autouse=True)
def with_forming_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_socketio, "EVENTS", (*test_socketio.EVENTS, "forming_bar"))


def without_time(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in bar.items() if name != "time"} for bar in bars]


# --- the running minute ------------------------------------------------------------------------------------------------

BUSY = "TSLA"  # the symbol that trades most often: its running minute changes soon


def test_the_running_minute_of_the_chart_comes_at_once_and_then_when_it_changed(world: World) -> None:
    with browser(world) as page:
        page.wait_for("ticks", 2)
        assert page.all("forming_bar") == []
        page.client.emit("chart", BUSY)
        first = page.wait_for("forming_bar")
        assert set(first) == {"symbol", "timestamp", "open", "high", "low", "close", "volume", "whole", "time"}
        assert first["timestamp"] % MINUTE_MS == 0
        assert first["low"] <= min(first["open"], first["close"]) <= max(first["open"], first["close"]) <= first["high"]
        page.wait_for("forming_bar", 4)
        bars = without_time(page.all("forming_bar"))
        assert {bar["symbol"] for bar in bars} == {BUSY}
        assert all(before != after for before, after in pairwise(bars))


def test_another_symbol_takes_the_charts_place_and_null_ends_it(world: World) -> None:
    with browser(world, auth={"list": None, "chart": BUSY}) as page:
        page.wait_for("forming_bar")
        page.client.emit("chart", "MSFT")
        wait_until(lambda: page.all("forming_bar")[-1]["symbol"] == "MSFT", "a bar of MSFT")
        page.client.emit("chart", None)
        page.client.emit("since", {"epoch": "another", "seq": 0})  # answered by a snapshot: what was said before is done
        page.wait_for("snapshot", 2)
        heard = len(page.all("forming_bar"))
        page.wait_for("ticks", len(page.all("ticks")) + 3)
        assert len(page.all("forming_bar")) == heard


def test_the_chart_that_a_connection_begins_with_needs_no_further_word(world: World) -> None:
    for _ in range(2):
        with browser(world, auth={"list": None, "chart": BUSY}) as page:
            assert page.wait_for("forming_bar", 2)["symbol"] == BUSY


def test_a_hidden_page_gets_no_running_minute_and_gets_it_again_when_it_is_seen(world: World) -> None:
    with browser(world, auth={"list": None, "chart": BUSY}) as page, browser(world) as other:
        page.wait_for("forming_bar")
        page.client.emit("visible", False)
        page.client.emit("since", {"epoch": "another", "seq": 0})  # answered by a snapshot: what was said before is done
        page.wait_for("snapshot", 2)
        heard = len(page.all("forming_bar"))
        other.wait_for("ticks", len(other.all("ticks")) + 3)
        assert len(page.all("forming_bar")) == heard
        page.client.emit("visible", True)
        page.wait_for("forming_bar", heard + 1)


@pytest.mark.parametrize("nonsense", [7, "", ["AAPL"], {"symbol": "AAPL"}, "x" * 33, "A\nB"])
def test_what_is_no_symbol_is_answered_with_what_is_expected(world: World, nonsense: object) -> None:
    with browser(world) as page:
        page.client.emit("chart", nonsense)
        assert page.wait_for("error") == {"event": "chart", "message": "`chart` must be a symbol or null"}


def test_a_symbol_that_never_traded_has_no_running_minute(world: World) -> None:
    with browser(world, auth={"list": None, "chart": "NOTHING"}) as page:
        page.wait_for("ticks", 3)
        assert page.all("forming_bar") == []


def test_a_frame_tells_when_its_newest_tick_was_received(world: World) -> None:
    with browser(world) as page:
        page.wait_for("ticks", 3)
        for frame in page.all("ticks"):
            assert frame["seen"] == max(row["received"] for row in frame["symbols"]) <= frame["time"]


# --- sums --------------------------------------------------------------------------------------------------------------


def test_after_a_restart_the_day_is_unknown_until_its_stored_minutes_are_there(own_world: World) -> None:
    world = own_world
    with browser(world) as page:
        page.wait_for("ticks", 2)
    world.app.process.kill()
    world.app.start()
    with browser(world) as page:
        row = wait_until(lambda: latest(page).get("AAPL"), "a row of AAPL")
        assert [row[name] for name in ("volume", "session_volume", "dollars", "day_open", "high", "low")] == [None] * 6
        run = wait_until(lambda: world.app.get("/health")[1]["stages"]["market_data"].get("run"), "the run")
        now = this_minute()
        store_day(world.app, run, new_york_ms(new_york_time(now).date(), time()), now + MINUTE_MS)
        row = wait_until(lambda: (found := latest(page)["AAPL"])["volume"] and found, "a whole day", 30)
        assert (row["day_open"], row["low"]) == (12.0, 11.0)
        assert row["session_volume"] == row["volume"] >= STORED_VOLUME
        assert row["dollars"] >= 12.0 * 1_000 + 13.0 * 1_000 + 14.0 * 500


def test_stored_minutes_and_the_ticks_since_are_the_whole_day(virtual_day: VirtualDay) -> None:
    friday = date(2026, 11, 20)
    until = new_york_ms(friday, time(10, 31))  # it came within the minute before
    with browser(virtual_day) as page:  # type: ignore[arg-type]
        wait_until(lambda: latest(page).get("AAPL", {}).get("timestamp", 0) >= until, "a tick of a whole minute", 40)
        assert latest(page)["AAPL"]["volume"] is None
        run = virtual_day.app.get("/health")[1]["stages"]["market_data"]["run"]
        store_day(virtual_day.app, run, new_york_ms(friday, time(9, 30)), until)
        wait_until(lambda: virtual_day.feed()["detail"].startswith("ended"), "the day's end", 60)
        wait_until(lambda: latest(page)["AAPL"]["volume"] == STORED_VOLUME + ticked(virtual_day.app, run, until), "the sum", 30)
        assert latest(page)["AAPL"]["day_open"] == 12.0


STORED_VOLUME = 2_500


def latest(page: Any) -> dict[str, dict[str, Any]]:
    """The newest row of each symbol that a browser holds."""
    frames = [message["symbols"] for name, message in list(page.heard) if name in ("snapshot", "ticks")]
    return {row["symbol"]: row for rows in frames for row in rows}


def store_day(app: WebApp, run: str, first: int, until: int) -> None:
    """What TickStockPL stores: bars from `first` on, that all minutes before `until` are closed, that its history has come."""
    bars = [
        (
            "AAPL",
            "1min",
            first + number * MINUTE_MS,
            0,
            price,
            price + 1,
            price - 1,
            price,
            volume,
            7,
            None,
            "simulated",
            None,
            None,
        )
        for number, (price, volume) in enumerate([(12.0, 1_000), (13.0, 1_000), (14.0, 500)])
    ]
    day = first - (new_york_time(first).hour == 9) * 330 * MINUTE_MS  # with an exchange's calendar it begins at 04:00
    with Writer(app.database) as writer, writer.transaction() as batch:
        batch.insert_bars(bars)
        batch.set_coverage([("AAPL", day, first)])
        batch.set_progress(run, 10, until, 11, until)


def ticked(app: WebApp, run: str, since: int) -> int:
    """The volume of the ticks that the app recorded from a moment on."""
    with closing(sqlite3.connect(app.folder / "tickstock.db")) as connection:
        query = "SELECT sum(volume) FROM ticks WHERE run = ? AND symbol = 'AAPL' AND timestamp >= ?"
        return int(connection.execute(query, (run, since)).fetchone()[0] or 0)


# --- halts -------------------------------------------------------------------------------------------------------------


class VirtualDay:
    """An app with the simulator's virtual day, from shortly before the halt on."""

    def __init__(self, folder: Path, *options: str) -> None:
        migrate(f"sqlite:///{(folder / 'tickstock.db').as_posix()}")
        self.redis = RedisServer()
        self.simulator = Process(
            folder / "simulator.log", "-m", "tickstock.simulator", "--port", "0", "--rest-port", "0", "--key", KEY, "--symbols",
            "AAPL,COIN", "--start", "2026-11-20T10:30:30", "--end", "2026-11-20T10:50", "--speed", "150", *options,
        )  # fmt: skip
        wait_until(lambda: "ready" in self.simulator.output(), "the simulator is ready")
        port = int(self.simulator.output().split("/stocks")[0].rsplit(":", 1)[1])
        self.app = WebApp(
            folder, self.redis, feed_port=port, TICKSTOCK_FEED_CLOCK="events", TICKSTOCK_CALENDAR="exchange",
            TICKSTOCK_SYMBOLS="AAPL,COIN",
        )  # fmt: skip

    def feed(self) -> dict[str, Any]:
        """The feed's stage of /health."""
        found: dict[str, Any] = self.app.get("/health")[1]["stages"]["feed_client"]
        return found

    def close(self) -> None:
        self.app.stop()
        self.simulator.stop()
        self.redis.kill()


@pytest.fixture
def virtual_day(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[VirtualDay]:
    made = VirtualDay(tmp_path, *getattr(request, "param", ()))
    yield made
    made.close()


def test_a_halt_is_shown_from_its_event_until_trading_goes_on(virtual_day: VirtualDay) -> None:
    with browser(virtual_day) as page:  # type: ignore[arg-type]
        halted = wait_until(lambda: latest(page).get("COIN", {}).get("halted"), "a halt", 40)
        assert halted == new_york_ms(date(2026, 11, 20), time(10, 32))
        assert latest(page)["AAPL"]["halted"] is None
        wait_until(lambda: latest(page)["COIN"]["halted"] is None, "the resumption", 60)
        resumed = new_york_time(latest(page)["AAPL"]["timestamp"]).astimezone(NEW_YORK)
        assert resumed.time() >= time(10, 46, 30)
    assert virtual_day.feed()["halts"] == "known of 2 symbols, as far as they are listed at NASDAQ"


@pytest.mark.parametrize("virtual_day", [["--no-halts"]], indirect=True)
def test_a_plan_without_halts_disturbs_nothing_and_health_says_so(virtual_day: VirtualDay) -> None:
    wait_until(lambda: "does not include LULD" in virtual_day.feed().get("halts", ""), "the refusal", 40)
    with browser(virtual_day) as page:  # type: ignore[arg-type]
        wait_until(lambda: "AAPL" in latest(page), "ticks", 40)
        status = page.wait_for("feed_status", 2)
    assert status["status"] in ("live", "ended")
    assert "not authorized" not in status["detail"]
    assert virtual_day.feed()["status"] == "ok"
