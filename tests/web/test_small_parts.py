"""The pure parts of the web side: who watches what, whose closes are known, how PL's silence is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
import pytest

from tests.web.services import a_report, an_indicator
from tickstock.settings import Settings
from tickstock.web.ingest import TickRate
from tickstock.web.live_state import HealthWatch, LatestIndicators, status_message
from tickstock.web.previous_closes import PreviousCloses
from tickstock.web.security import Origins
from tickstock.web.watch_sets import WatchSets


def test_browsers_with_the_same_list_share_a_room() -> None:
    sets = WatchSets()
    one = sets.watch("a", ["AAPL", "MSFT", "AAPL"])
    assert sets.watch("b", ["AAPL", "MSFT"]) is one
    assert one.symbols == ("AAPL", "MSFT")
    assert sets.clients == 2


def test_an_empty_room_is_forgotten() -> None:
    sets = WatchSets()
    left = sets.watch("a", ["AAPL"])
    entered = sets.watch("a", ["MSFT"])
    assert left is not entered
    assert sets.rooms == [entered]
    sets.leave("a")
    sets.leave("a")
    assert sets.rooms == []


def test_pl_is_down_when_its_last_report_is_older_than_twelve_seconds() -> None:
    watch = HealthWatch(started=1000)
    assert watch.message(2000)["status"] == "waiting"
    watch.take(a_report(status="degraded", issues=["lag 3 s"]), received=5000)
    assert watch.message(17_000)["status"] == "degraded"
    down = watch.message(17_001)
    assert (down["status"], down["since"]) == ("down", 5000)
    assert "stopped reporting" in down["issues"][0]


def test_while_redis_is_away_it_is_redis_that_is_blamed_and_then_pl_has_its_time_to_report() -> None:
    watch = HealthWatch(started=1000)
    watch.take(a_report(), received=5000)
    watch.redis_away(6000, 9000)
    away = watch.message(60_000)
    assert (away["status"], away["since"]) == ("down", 6000)
    assert away["issues"][0].startswith("Redis does not answer")
    watch.redis_away(None, 61_000)
    assert watch.message(61_001)["status"] == "healthy"
    assert "stopped reporting" in watch.message(73_001)["issues"][0]


def test_pl_that_never_reported_is_down_after_twelve_seconds() -> None:
    assert HealthWatch(started=1000).message(13_001)["status"] == "down"


def test_a_new_session_of_pl_is_noticed() -> None:
    watch = HealthWatch(started=0)
    assert watch.take(a_report("one", session="waiting"), 1)
    assert watch.take(a_report("one", session="active"), 2)
    assert not watch.take(a_report("one", session="active"), 3)
    assert watch.take(a_report("two", session="active"), 4)


def test_the_newest_indicators_of_watched_symbols_are_kept_per_timeframe() -> None:
    latest = LatestIndicators()
    latest.take(an_indicator("AAPL", bar=60_000))
    latest.take(an_indicator("AAPL", bar=120_000))
    latest.take(an_indicator("AAPL", bar=0, timeframe="5min"))
    latest.take(an_indicator("MSFT", bar=0))
    held = latest.changed_since(0, ["AAPL", "NVDA"])
    kept = [msgspec.json.decode(payload) for _, payload in held]
    assert [(each["timeframe"], each["bar_timestamp"]) for each in kept] == [("1min", 120_000), ("5min", 0)]
    assert latest.changed_since(held[0][0], ["AAPL"]) == held[1:]


def test_closes_that_are_missing_are_looked_for_and_all_are_read_again_when_they_may_have_changed_and_on_a_new_day() -> None:
    asked: list[tuple[date, list[str]]] = []
    stored, symbols = {"AAPL": 250.0}, ["AAPL", "MSFT"]

    def read(wanted: Sequence[str], day: date) -> dict[str, float]:
        asked.append((day, list(wanted)))
        return {symbol: stored[symbol] for symbol in wanted if symbol in stored}

    closes = PreviousCloses(lambda: tuple(symbols), read)
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    assert closes.refresh(friday, 0.0)
    assert not closes.refresh(friday, 0.9)
    stored["MSFT"] = 498.0
    assert closes.refresh(friday, 1.0)
    assert closes.closes == {"AAPL": 250.0, "MSFT": 498.0}
    stored["AAPL"] = 62.5  # a split
    assert not closes.refresh(friday, 59.0)
    assert closes.refresh(friday, 60.0)
    assert closes.closes == {"AAPL": 62.5, "MSFT": 498.0}
    symbols.append("IBM")  # another watchlist
    stored["IBM"] = 230.0
    assert closes.refresh(friday, 60.5)
    assert not closes.refresh(friday, 120.0)  # read, and nothing changed
    assert closes.refresh(monday, 121.0)
    everything = ["AAPL", "MSFT", "IBM"]
    assert asked == [
        (friday, everything[:2]), (friday, ["MSFT"]), (friday, everything[:2]), (friday, ["IBM"]), (friday, everything),
        (monday, everything),
    ]  # fmt: skip


def test_a_close_that_does_not_come_is_looked_for_less_often() -> None:
    looked: list[float] = []
    closes = PreviousCloses(lambda: ("AAPL",), lambda symbols, day: {})
    for second in range(300):
        before = closes._looked_at
        closes.refresh(date(2026, 11, 20), float(second))
        if closes._looked_at != before:
            looked.append(closes._looked_at)
    assert len([at for at in looked if at < 120]) == 120
    assert len([at for at in looked if at >= 120]) <= 25


def test_an_operator_is_told_of_closes_now_and_then_and_at_once_when_all_are_known_or_the_day_is_another() -> None:
    symbols = tuple(f"S{number}" for number in range(40))
    stored: dict[str, float] = {}
    watched = [symbols]
    closes = PreviousCloses(lambda: watched[0], lambda wanted, day: {each: stored[each] for each in wanted if each in stored})

    def lines(day: date, seconds: range) -> list[tuple[int, str]]:
        told = []
        for second in seconds:
            stored.update(dict.fromkeys(symbols[: min(second, 25)], 1.0))
            if second >= 40:
                stored[symbols[0]] = float(second)  # another close of a symbol that has one is no news
            if second >= 100:
                stored.update(dict.fromkeys(symbols, 2.0))
            closes.refresh(day, float(second))
            if news := closes.news(float(second)):
                told.append((second, news))
        return told

    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    assert lines(friday, range(200)) == [
        (0, "previous close known of 0 of 40 symbols"),
        (15, "previous close known of 15 of 40 symbols"),
        (30, "previous close known of 25 of 40 symbols"),
        (100, "previous close known of 40 of 40 symbols"),
    ]
    assert lines(monday, range(200, 300)) == [(200, "previous close known of 40 of 40 symbols")]
    watched[0] = symbols[:30]  # those that left do not count
    assert lines(monday, range(300, 400)) == [(300, "previous close known of 30 of 30 symbols")]
    watched[0] = ()
    assert lines(monday, range(400, 500)) == []


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://localhost:5000", "127.0.0.1", True),
        ("http://127.0.0.1:5000", "127.0.0.1", True),
        ("https://desk.example", "127.0.0.1", True),
        ("http://localhost:5001", "127.0.0.1", False),
        ("http://evil.example:5000", "127.0.0.1", False),  # a name that was made to point to us
        ("http://scanner.lan:5000", "0.0.0.0", True),
        ("null", "0.0.0.0", False),
    ],
)
def test_only_our_own_pages_may_connect(origin: str, host: str, expected: bool) -> None:
    origins = Origins(Settings(host=host, allowed_origins=("https://desk.example/",)))
    assert origins(origin, {"HTTP_HOST": origin.partition("//")[2]}) is expected


def test_the_tick_rate_is_that_of_the_last_seconds() -> None:
    rate = TickRate(seconds=5)
    assert rate.add(0.0, 0) is None
    for second in range(1, 11):
        last = rate.add(float(second), second * 100)
    assert last == pytest.approx(100)
    for second in range(11, 21):
        last = rate.add(float(second), 1000)
    assert last == 0
    assert rate.add(21.0, 5) is None  # a new run


def test_a_feed_without_a_status_says_why() -> None:
    assert status_message(None, 5, 9, {})["status"] == "connecting"
    passive = status_message(None, 5, 9, {"passive": "another app (run 12ab) ingests"})
    assert (passive["status"], passive["since"]) == ("stopped", 5)
    assert "another app (run 12ab)" in passive["detail"]
