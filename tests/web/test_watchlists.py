"""Watchlists with real browsers' connections against the real process: made, switched, edited, deleted, kept over restarts."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from launcher.ports import unused_port
from tests.servers import RedisServer
from tests.web.conftest import TRADES, World
from tests.web.services import WebApp, wait_until
from tests.web.test_socketio import OrderedClient
from tickstock.database.writers import Writer

EVENTS = ("snapshot", "watching", "watchlists", "ticks", "error")


class Page:
    """A client that keeps what it hears."""

    def __init__(self, app: WebApp, auth: Any = None) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.client = OrderedClient(reconnection=False)
        for event in EVENTS:
            self.client.on(event, self._keep(event))
        self.client.connect(app.url, transports=["websocket"], wait_timeout=10, auth=auth)

    def _keep(self, event: str) -> Any:
        return lambda message: self.heard.append((event, message))

    def all(self, event: str) -> list[Any]:
        return [message for name, message in list(self.heard) if name == event]

    def wait_for(self, event: str, count: int = 1) -> Any:
        wait_until(lambda: len(self.all(event)) >= count, f"{count} {event}")
        return self.all(event)[count - 1]

    def wait_until_watching(self, list_id: str) -> Any:
        wait_until(lambda: self.all("watching") and self.all("watching")[-1]["list"] == list_id, f"watching {list_id}")
        return self.all("watching")[-1]


@contextmanager
def page(app: WebApp, auth: Any = None) -> Iterator[Page]:
    made = Page(app, auth)
    try:
        yield made
    finally:
        made.client.disconnect()


def send(
    app: WebApp,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    content: str = "application/json",
) -> tuple[int, Any]:
    """Status and JSON of a request as a page of ours sends it."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    ours = {"Origin": app.url, "Sec-Fetch-Site": "same-origin", **({"Content-Type": content} if data is not None else {})}
    request = urllib.request.Request(app.url + path, data, headers={**ours, **(headers or {})}, method=method)
    return app.ask(request, 30)


def make(app: WebApp, name: str, symbols: Any) -> str:
    status, made = send(app, "POST", "/api/watchlists", {"name": name, "symbols": symbols})
    assert status == 201, made
    return str(made["id"])


@pytest.fixture(scope="module")
def app_settings() -> dict[str, str]:
    return TRADES


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, app_settings: dict[str, str]
) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp(request.param), request.param, **app_settings)
    yield made
    assert made.close() == 0, made.app.process.output()
    assert "Traceback" not in made.app.process.output(), made.app.process.output()[-3000:]


@pytest.fixture(autouse=True)
def _no_lists(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "world" in request.fixturenames:
        app = request.getfixturevalue("world").app
        for each in send(app, "GET", "/api/watchlists")[1]["lists"]:
            if each["editable"]:
                assert send(app, "DELETE", f"/api/watchlists/{each['id']}")[0] == 200


def test_a_list_is_made_switched_to_and_its_symbols_come_in_their_order(world: World) -> None:
    with page(world.app) as one:
        snapshot = one.wait_for("snapshot")
        assert (snapshot["list"], len(snapshot["watch"])) == ("default", 70)
        default = snapshot["watchlists"]["lists"][0]
        assert (default["id"], default["name"], default["editable"]) == ("default", "Default", False)
        made = make(world.app, "  My   tech ", ["NVDA", "AAPL", "NVDA"])
        told = one.wait_for("watchlists")
        assert [each["name"] for each in told["lists"]] == ["Default", "My tech"]
        one.client.emit("watch", {"list": made})
        assert one.wait_for("watching") == {"list": made, "name": "My tech", "symbols": ["NVDA", "AAPL"]}
        one.heard.clear()
        assert {row["symbol"] for row in one.wait_for("ticks", 2)["symbols"]} <= {"NVDA", "AAPL"}
        one.client.emit("watch", ["AMD"])
        assert one.wait_for("watching") == {"list": None, "name": None, "symbols": ["AMD"]}


def test_an_edit_is_seen_by_everybody_in_the_list_and_by_nobody_else(world: World) -> None:
    made = make(world.app, "Energy", "XOM,CVX\nBRK.B KIMpL")
    with page(world.app, {"list": made}) as one, page(world.app, {"list": made}) as two, page(world.app) as other:
        assert one.wait_for("snapshot")["watch"] == ["XOM", "CVX", "BRK.B", "KIMpL"]
        two.wait_for("snapshot")
        other.wait_for("snapshot")
        status, changed = send(world.app, "PUT", f"/api/watchlists/{made}", {"symbols": ["CVX", "XOM"]})
        assert (status, changed["name"], changed["symbols"]) == (200, "Energy", ["CVX", "XOM"])
        for each in (one, two):
            assert each.wait_for("watching") == {"list": made, "name": "Energy", "symbols": ["CVX", "XOM"]}
        assert send(world.app, "PUT", f"/api/watchlists/{made}", {"name": "Öl & Gas"})[1]["symbols"] == ["CVX", "XOM"]
        assert two.wait_for("watching", 2)["name"] == "Öl & Gas"
        assert other.wait_for("watchlists", 2)["lists"][1]["name"] == "Öl & Gas"
        assert other.all("watching") == []


def test_a_deleted_list_gives_its_browsers_the_default_one_and_says_so(world: World) -> None:
    made = make(world.app, "Short-lived", ["AAPL"])
    with page(world.app, {"list": made, "chart": "AAPL"}) as one:
        assert one.wait_for("snapshot")["list"] == made
        assert send(world.app, "DELETE", f"/api/watchlists/{made}") == (200, {"deleted": made})
        told = one.wait_for("watching")
        assert (told["list"], told["name"], len(told["symbols"])) == ("default", "Default", 70)
        assert told["reason"] == "The watchlist Short-lived was deleted"
        one.client.emit("watch", {"list": made})
        assert "does not exist any more" in one.wait_for("watching", 2)["reason"]
    with page(world.app, {"list": made}) as again:
        assert again.wait_for("snapshot")["list"] == "default"
        assert "does not exist any more" in again.wait_for("watching")["reason"]


@pytest.mark.parametrize("auth", [None, {}, {"list": None, "chart": None}, {"other": 1}])
def test_a_connection_that_asks_for_nothing_gets_the_default_list(world: World, auth: Any) -> None:
    with page(world.app, auth) as one:
        assert one.wait_for("snapshot")["list"] == "default"
        one.wait_for("ticks")
        assert one.all("error") + one.all("watching") == []


@pytest.mark.parametrize("auth", [{"list": 7}, {"chart": "A" * 40}, ["default"], {"list": "a\nb"}])
def test_a_malformed_auth_gets_the_default_list_and_is_told(world: World, auth: Any) -> None:
    with page(world.app, auth) as one:
        assert one.wait_for("snapshot")["list"] == "default"
        assert "`auth` must be" in one.wait_for("error")["message"]


def test_markup_in_a_name_and_in_a_symbol_stays_text(world: World) -> None:
    name, symbol = "<img src=x onerror=alert(1)>", "<b>&</b>"
    made = make(world.app, name, [symbol])
    with page(world.app, {"list": made}) as one:
        assert one.wait_for("snapshot")["watch"] == [symbol]
        assert one.wait_for("snapshot")["watchlists"]["lists"][1]["name"] == name
    status, refused = send(world.app, "POST", "/api/watchlists", {"name": name})
    assert status == 409
    assert name in refused["error"]
    request = urllib.request.Request(f"{world.app.url}/api/watchlists", json.dumps({"name": name}).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    with pytest.raises(urllib.error.HTTPError) as answer, urllib.request.urlopen(request, timeout=10):
        pass
    with answer.value:
        assert b"<" not in answer.value.read()


@pytest.mark.parametrize(
    ("body", "parameter", "said"),
    [
        ({"symbols": ["AAPL"]}, "name", "what the list is to be called"),
        ({"name": ""}, "name", "1 to 60 printable"),
        ({"name": "x" * 61}, "name", "1 to 60 printable"),
        ({"name": "a\u202eb"}, "name", "printable"),
        ({"name": "a\u0000b"}, "name", "printable"),
        ({"name": "x", "symbols": ["*"]}, "symbols", "tickers such as"),
        ({"name": "x", "symbols": [""]}, "symbols", "tickers such as"),
        ({"name": "x", "symbols": ["A,B"]}, "symbols", "tickers such as"),
        ({"name": "x", "symbols": ["A" * 33]}, "symbols", "32 characters"),
        ({"name": "x", "symbols": [f"S{number}" for number in range(1_001)]}, "symbols", "at most 1,000"),
        ({"name": "x", "symbols": [1]}, "the body", "Expected"),
        ({"name": "x", "colour": "red"}, "the body", "colour"),
        (["x"], "the body", "Expected `object`"),
        (b"{", "the body", '"symbols": [text'),
        (b"", "the body", '"name": text'),
        (b"\xff\xfe", "the body", '"name": text'),
        (b"[" * 20_000, "the body", '"name": text'),
        (b'{"name": "\\ud800"}', "the body", '"name": text'),
    ],
)
def test_what_cannot_be_a_list_is_refused_with_what_is_expected(world: World, body: Any, parameter: str, said: str) -> None:
    status, refused = send(world.app, "POST", "/api/watchlists", body)
    assert (status, refused["parameter"]) == (400, parameter)
    assert said in refused["error"]
    assert len(send(world.app, "GET", "/api/watchlists")[1]["lists"]) == 1


def test_a_full_list_of_long_names_fits_into_one_request(world: World) -> None:
    made = make(world.app, "full", [f"{number:032d}" for number in range(1_000)])
    with page(world.app, {"list": made}) as one:
        assert len(one.wait_for("snapshot")["watch"]) == 1_000


def test_what_is_not_there_taken_or_fixed_is_refused(world: World) -> None:
    app = world.app
    made = make(app, "Taken", [])
    assert send(app, "PUT", "/api/watchlists/gone", {"name": "x"})[0] == 404
    assert send(app, "DELETE", "/api/watchlists/gone")[0] == 404
    assert send(app, "DELETE", "/api/watchlists/gone/deeper")[0] == 404
    for refused in (
        send(app, "POST", "/api/watchlists", {"name": "TAKEN"}),
        send(app, "POST", "/api/watchlists", {"name": "default"}),
    ):
        assert refused[0] == 409
        assert "choose another name" in refused[1]["error"]
    for refused in (
        send(app, "PUT", "/api/watchlists/default", {"symbols": ["AAPL"]}),
        send(app, "DELETE", "/api/watchlists/default"),
    ):
        assert refused[0] == 409
        assert "TICKSTOCK_SYMBOLS" in refused[1]["error"]
    status, refused_body = send(app, "PUT", f"/api/watchlists/{made}", {})
    assert (status, refused_body["parameter"]) == (400, "the body")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_origins_change_nothing(world: World, headers: dict[str, str]) -> None:
    made = make(world.app, "Ours", ["AAPL"])
    for method, path, body in (
        ("POST", "/api/watchlists", {"name": "theirs"}),
        ("PUT", f"/api/watchlists/{made}", {"name": "theirs"}),
        ("DELETE", f"/api/watchlists/{made}", None),
    ):
        status, refused = send(world.app, method, path, body, headers)
        assert status == 403
        assert "TICKSTOCK_ALLOWED_ORIGINS" in refused["error"]
    assert [each["name"] for each in send(world.app, "GET", "/api/watchlists")[1]["lists"]] == ["Default", "Ours"]


@pytest.mark.parametrize("content", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_cannot_make_a_list(world: World, content: str) -> None:
    status, refused = send(world.app, "POST", "/api/watchlists", {"name": "form"}, content=content)
    assert status == 415
    assert "application/json" in refused["error"]


def test_a_program_without_a_browser_may_make_a_list(world: World) -> None:
    request = urllib.request.Request(
        f"{world.app.url}/api/watchlists", b'{"name": "curl"}', {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201


def test_unknown_symbols_are_told_as_soon_as_the_reference_is_there_and_not_before(own_world: World) -> None:
    world = own_world
    make(world.app, "Odd", ["AAPL", "NOSUCH", "GONE"])
    with page(world.app) as one:
        told = one.wait_for("snapshot")["watchlists"]
        assert (told["unknown"], told["reference"]) == ([], 0)
        known = [(symbol, f"{symbol} Inc.", "XNAS", "CS", True) for symbol in one.wait_for("snapshot")["watch"]]
        with Writer(world.app.database) as writer, writer.transaction() as batch:
            batch.upsert_symbols([*known, ("GONE", "Gone Corp.", "XNYS", "CS", False)])
            batch.set_vendor_progress([("symbols", 1_800_000_000_000)])
        wait_until(lambda: one.all("watchlists") and one.all("watchlists")[-1]["reference"], "the reference is told")
        assert one.all("watchlists")[-1]["unknown"] == ["NOSUCH"]
        assert one.all("watchlists")[-1]["reference"] == 71
    status, found = send(world.app, "GET", "/api/symbols?search=gon&limit=5")
    assert status == 200
    gone = {"symbol": "GONE", "name": "Gone Corp.", "exchange": "XNYS", "type": "CS", "active": False}
    assert found == {"symbols": [gone], "known": 71}
    assert send(world.app, "GET", "/api/symbols?search=" + "x" * 61)[1]["parameter"] == "search"
    assert len(send(world.app, "GET", "/api/symbols")[1]["symbols"]) == 20


def test_two_apps_on_one_database_and_a_restart_show_the_same_lists(
    database_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    apps = []
    try:
        for mode in ("eventlet", "threading"):
            folder = tmp_path / mode
            folder.mkdir()
            apps.append(WebApp(folder, redis_server, feed_port=unused_port(), mode=mode, DATABASE_URL=database_url))
        first, second = apps
        made = make(first, "Geteilt ö", ["AAPL"])
        with page(second) as one:
            one.wait_for("snapshot")
            one.client.emit("watch", {"list": made})  # which this app may not know yet
            assert one.wait_until_watching(made)["symbols"] == ["AAPL"]
            assert send(first, "PUT", f"/api/watchlists/{made}", {"symbols": ["AAPL", "MSFT"]})[0] == 200
            wait_until(lambda: one.all("watching")[-1]["symbols"] == ["AAPL", "MSFT"], "the edit of another app")
            assert send(first, "DELETE", f"/api/watchlists/{made}")[0] == 200
            assert one.wait_until_watching("default")["reason"] == "The watchlist Geteilt ö was deleted"
        kept = make(second, "Kept", ["SPY"])
        assert first.stop() == 0
        first.start()
        with page(first, {"list": kept}) as again:
            snapshot = again.wait_for("snapshot")
            assert (snapshot["list"], snapshot["watch"]) == (kept, ["SPY"])
    finally:
        codes = [app.stop() for app in apps]
    assert codes == [0, 0]


def test_a_database_that_is_away_is_said_and_the_lists_come_when_it_is_back(own_world: World) -> None:
    world = own_world
    made = make(world.app, "Patient", ["AAPL"])
    assert world.app.stop() == 0
    file = world.folder / "tickstock.db"
    aside = file.rename(file.with_suffix(".aside"))
    file.mkdir()  # a folder where the file should be: it cannot be opened
    world.app.start()
    with page(world.app, {"list": made}) as one:
        assert one.wait_for("snapshot")["list"] == "default"
        assert "could not be read yet" in one.wait_for("watching")["reason"]
        for method, path, body in (("GET", "", None), ("POST", "", {"name": "x"}), ("DELETE", "/gone", None)):
            status, refused = send(world.app, method, f"/api/watchlists{path}", body)
            assert status == 503
            assert "cannot be opened" in refused["error"]
        one.wait_for("ticks", 2)
        file.rmdir()
        aside.rename(file)
        assert one.wait_until_watching(made)["symbols"] == ["AAPL"]
    assert [each["name"] for each in send(world.app, "GET", "/api/watchlists")[1]["lists"]] == ["Default", "Patient"]
