"""Requests that no browser would send, over real sockets to the real process in both async modes: refused, counted, survived."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPResponse
from typing import Any

import pytest
import websocket

from launcher.ports import unused_port
from tests.servers import RedisServer
from tests.web.services import WebApp, wait_until
from tickstock.database.migrate import migrate

MARKUP = b"<script>alert(1)</script>"


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_redis: RedisServer) -> Iterator[WebApp]:
    folder = tmp_path_factory.mktemp(request.param)
    migrate(f"sqlite:///{(folder / 'tickstock.db').as_posix()}")
    made = WebApp(folder, shared_redis, feed_port=unused_port(), mode=request.param)
    yield made
    assert made.stop() == 0, made.process.output()
    assert "Traceback" not in made.process.output(), made.process.output()[-3000:]


def ask(app: WebApp, request: bytes, more: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a request as it stands; a Host is added."""
    line, _, headers = request.partition(b"\r\n")
    with socket.create_connection(("127.0.0.1", app.port), timeout=3) as connection:
        host = b"" if b"Host:" in headers else b"Host: 127.0.0.1\r\n"
        connection.sendall(line + b"\r\n" + host + headers + b"Connection: close\r\n\r\n" + more)
        answer = HTTPResponse(connection, method=line.split(b" ")[0].decode("latin-1"))
        answer.begin()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/api/patterns?symbol=" + 2 * MARKUP, 400),
        (b"/api/patterns?" + MARKUP + b"=1", 400),
        (b"/api/bars/" + 2 * MARKUP.replace(b"/", b""), 400),
        (b"/api/bars/%3Cb%20c%3E", 400),
        (b"/api/" + MARKUP, 404),
        (b"/api/patterns?\xa2\xff", 400),
        (b"/api/patterns?limit=\xc2\xb2", 400),
        (b"/api/bars/\xff\xfe,", 400),
        (b"/api/bars/%00", 400),
        (b"/api/bars/%ff%fe", 400),
        (b"/api/bars/A%0d%0aX-Injected:1", 400),
        (b"/api/bars/..%2f..%2fetc%2fpasswd", 404),
        (b"/api/%2e%2e/%2e%2e/app.py", 404),
        (b"/api/patterns?" + b"&".join(b"symbol=A" for _ in range(700)), 400),
        (b"/api/patterns?limit=" + b"9" * 6_000, 400),
        (b"/api/outcomes?horizon=000000001" + b"9" * 30, 400),
        (b"/api", 404),
    ],
)
def test_what_cannot_be_read_is_refused_in_json_without_markup(app: WebApp, target: bytes, expected: int) -> None:
    status, headers, body = ask(app, b"GET " + target + b" HTTP/1.1\r\n")
    assert status == expected, body[:300]
    assert headers["content-type"] == "application/json"
    assert set(json.loads(body)) <= {"error", "parameter"}
    assert b"<" not in body
    assert "x-injected" not in headers
    assert len(body) < 1_000


@pytest.mark.parametrize(
    "path", [b"/" + MARKUP, b"/dashboard/" + MARKUP, b"/static/%00", b"/static/" + b"a" * 3_000, b"/static/../app.py"]
)
def test_pages_that_do_not_exist_do_not_repeat_what_was_asked(app: WebApp, path: bytes) -> None:
    status, headers, body = ask(app, b"GET " + path + b" HTTP/1.1\r\n")
    assert status == 404
    assert b"alert" not in body
    assert "default-src 'none'" in headers["content-security-policy"]


def test_a_request_line_beyond_every_limit_is_refused(app: WebApp) -> None:
    status, _, body = ask(app, b"GET /api/patterns?symbol=" + b"A" * 100_000 + b" HTTP/1.1\r\n")
    assert status == 414
    assert b"AAAA" not in body


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"FOO", b"PROPFIND"])
@pytest.mark.parametrize("path", [b"/api/patterns", b"/api/bars/AAPL", b"/health"])
def test_other_methods_are_refused_in_json(app: WebApp, method: bytes, path: bytes) -> None:
    status, headers, body = ask(app, method + b" " + path + b" HTTP/1.1\r\n")
    assert (status, headers["content-type"]) == (405, "application/json")
    assert "GET" in headers["allow"]
    assert "error" in json.loads(body)


def test_head_and_options_answer_without_a_body(app: WebApp) -> None:
    status, headers, body = ask(app, b"HEAD /api/patterns HTTP/1.1\r\n")
    assert (status, body, headers["content-type"]) == (200, b"", "application/json")
    assert ask(app, b"HEAD /api/patterns?limit=0 HTTP/1.1\r\n")[0] == 400
    status, headers, body = ask(app, b"OPTIONS /api/patterns HTTP/1.1\r\n")
    assert (status, body) == (200, b"")
    assert set(headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", [b"/api/patterns", b"/dashboard"])
def test_a_body_beyond_the_limit_is_refused_before_it_is_read(app: WebApp, path: bytes) -> None:
    for method in (b"GET", b"POST"):
        status, _, _ = ask(app, method + b" " + path + b" HTTP/1.1\r\nContent-Length: 1000000\r\n", b"x" * 1_000_000)
        assert status == 413
    assert ask(app, b"POST " + path + b" HTTP/1.1\r\nContent-Length: 10\r\n", b"x" * 10)[0] == 405


@pytest.mark.parametrize("host", [MARKUP, b"a b", b"evil;script-src *", b"[::1", b"a" * 300, b"\xff", b""])
def test_a_host_that_is_none_opens_nothing(app: WebApp, host: bytes) -> None:
    status, headers, body = ask(app, b"GET /dashboard HTTP/1.1\r\nHost: " + host + b"\r\n")
    assert status in (200, 400)
    assert b"alert(1)" not in body
    policy = headers["content-security-policy"]
    assert "script-src *" not in policy
    assert "alert" not in policy
    assert policy.count("connect-src") == 1


def test_health_counts_what_was_refused_by_kind(app: WebApp) -> None:
    def refused() -> dict[str, Any]:
        return dict(app.get("/health")[1]["stages"]["browsers"]["requests_rejected"])

    before = refused()
    for target in (b"/api/patterns?limit=0", b"/api/patterns?limit=x", b"/api/patterns?colour=1", b"/api/nothing"):
        ask(app, b"GET " + target + b" HTTP/1.1\r\n")
    after = refused()
    grown = {kind: count - before.get(kind, 0) for kind, count in after.items() if count != before.get(kind, 0)}
    assert grown == {"a bad limit": 2, "a bad a query parameter": 1, "a request answered with 404": 1}


def test_the_log_says_each_kind_once_a_minute_with_a_short_example(app: WebApp) -> None:
    for _ in range(30):
        ask(app, b"GET /api/patterns?direction=" + b"sideways%0a%1b[31m" * 40 + b" HTTP/1.1\r\n")
    wait_until(lambda: "dropped a bad direction" in app.process.output(), "the log line")
    lines = [line for line in app.process.output().splitlines() if "dropped a bad direction" in line]
    assert len(lines) == 1
    assert len(lines[0]) < 300
    assert lines[0].isprintable()


RUBBISH: list[str | bytes] = [
    "", "x", "9", "4", "4x", "4{", "42", "42[]", '42["disconnect"]', "4" + "[" * 5_000, '451-["watch"]', "43", "439", "43[]",
    "b!", "2" * 50_000, b"\x00", b"42[]",
]  # fmt: skip


def test_packets_that_are_none_end_at_most_their_own_connection(app: WebApp) -> None:
    address = f"ws://127.0.0.1:{app.port}/socket.io/?EIO=4&transport=websocket"

    def joined() -> websocket.WebSocket:
        made = websocket.create_connection(address, timeout=10)
        assert made.recv().startswith("0{")
        made.send("40")
        assert made.recv().startswith("40{")
        return made

    with closing(joined()) as good:
        for packet in RUBBISH:
            with closing(joined()) as bad:
                bad.send(packet, websocket.ABNF.OPCODE_BINARY if isinstance(packet, bytes) else websocket.ABNF.OPCODE_TEXT)
        good.send('42["colour"]')
        good.send('42["since",{"epoch":"another","seq":0}]')
        snapshots = 0
        while snapshots < 2:  # the one of the connection, and the answer
            snapshots += '["snapshot",' in good.recv()[:40]
    rejected = app.get("/health")[1]["stages"]["browsers"]["rejected"]
    assert rejected["an event of an unknown name"] == 1
    assert sum(rejected.values()) >= 10


@pytest.mark.parametrize(
    "query", [b"", b"EIO=4&transport=<b>", b"EIO=4&transport=polling&sid=" + MARKUP, b"EIO=3&transport=polling", b"\xff"]
)
def test_a_handshake_that_is_none_is_refused_without_markup(app: WebApp, query: bytes) -> None:
    status, _, body = ask(app, b"GET /socket.io/?" + query + b" HTTP/1.1\r\n")
    assert status == 400
    assert b"<" not in body
