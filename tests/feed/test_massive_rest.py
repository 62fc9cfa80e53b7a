from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tickstock.errors import RestError, RestNotFound, RestRefused
from tickstock.feed.massive_rest import MassiveRest, RestBar, Snapshot, Split, Ticker
from tickstock.feed.request_pace import RequestPace
from tickstock.market_hours import DAY_MS
from tickstock.settings import Settings

KEY = "a-key-of-the-tests"
MINUTE = 1_763_739_000_000

Answer = tuple[int, dict[str, str], bytes]


def body(content: object, status: int = 200, **headers: str) -> Answer:
    return status, headers, json.dumps(content).encode()


def bar(timestamp: int, **more: object) -> dict[str, object]:
    return {"v": 1200.0, "vw": 1.5, "o": 1, "c": 2, "h": 2.5, "l": 0.5, "t": timestamp, "n": 7, **more}


class Vendor:
    """A real HTTP server that answers as a test tells it to."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections: set[tuple[str, int]] = set()
        self.answer: Callable[[str], Answer | None] = lambda path: body({"status": "OK"})
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                vendor.requests.append(self.path)
                vendor.headers.append(dict(self.headers))
                vendor.connections.add(self.client_address)
                told = vendor.answer(self.path)
                if told is None:
                    self.close_connection = True
                    return
                status, headers, content = told
                self.send_response(status)
                for name, value in {"Content_Length": str(len(content)), **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def answers(self, *answers: Answer | None) -> None:
        """Give these answers, one after another; the last for ever."""
        rest = list(answers)
        self.answer = lambda path: rest.pop(0) if len(rest) > 1 else rest[0]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    yield vendor
    vendor.server.shutdown()
    vendor.thread.join(10)
    vendor.server.server_close()


@pytest.fixture
def rest(vendor: Vendor) -> Iterator[MassiveRest]:
    rest = MassiveRest(vendor.url, KEY, deadline_seconds=5.0)
    yield rest
    rest.close()


# --- what is asked, and how an answer is read ---


def test_minute_bars_are_read(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers(body({"status": "OK", "results": [bar(MINUTE), bar(MINUTE + 60_000, n=None, v=7.9)]}))
    assert rest.minute_bars("BRK.B", MINUTE, MINUTE + 120_000) == [
        RestBar(MINUTE, 1.0, 2.5, 0.5, 2.0, 1200, 7),
        RestBar(MINUTE + 60_000, 1.0, 2.5, 0.5, 2.0, 7, None),
    ]
    asked = urlsplit(vendor.requests[0])
    assert asked.path == f"/v2/aggs/ticker/BRK.B/range/1/minute/{MINUTE}/{MINUTE + 119_999}"
    assert parse_qs(asked.query) == {"adjusted": ["true"], "sort": ["asc"], "limit": ["50000"]}


def test_the_key_travels_in_a_header_only(vendor: Vendor, rest: MassiveRest) -> None:
    rest.day_bars("AAPL", date(2025, 11, 3), date(2025, 11, 21))
    assert vendor.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert vendor.requests == ["/v2/aggs/ticker/AAPL/range/1/day/2025-11-03/2025-11-21?adjusted=true&sort=asc&limit=50000"]


def test_an_empty_range_has_no_results(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers(body({"ticker": "AAPL", "queryCount": 0, "resultsCount": 0, "adjusted": True, "status": "OK"}))
    assert rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000) == []
    assert rest.day_bars("AAPL", date(2025, 11, 3), date(2025, 11, 21)) == []
    assert rest.previous_day("AAPL") is None


def test_an_empty_range_of_time_asks_nothing(vendor: Vendor, rest: MassiveRest) -> None:
    assert rest.minute_bars("AAPL", MINUTE, MINUTE) == []
    assert vendor.requests == []


def test_delayed_answers_are_good(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers(body({"status": "DELAYED", "results": [bar(MINUTE)]}))
    assert len(rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)) == 1


def test_bars_outside_the_asked_range_are_left_out_and_repeats_merged(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers(body({"status": "OK", "results": [bar(MINUTE - 60_000), bar(MINUTE), bar(MINUTE), bar(MINUTE + 60_000)]}))
    assert [each.timestamp for each in rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)] == [MINUTE]


def test_long_ranges_are_asked_for_in_parts(vendor: Vendor, rest: MassiveRest) -> None:
    rest.minute_bars("AAPL", MINUTE, MINUTE + 60 * DAY_MS)
    ranges = [urlsplit(request).path.split("/")[-2:] for request in vendor.requests]
    assert len(ranges) == 3
    assert int(ranges[0][0]) == MINUTE
    assert int(ranges[-1][1]) == MINUTE + 60 * DAY_MS - 1
    assert all(int(end) - int(start) < 28 * DAY_MS for start, end in ranges)


def test_a_symbol_is_quoted_in_the_path(vendor: Vendor, rest: MassiveRest) -> None:
    rest.previous_day("A/../B?c")
    assert unquote(urlsplit(vendor.requests[0]).path) == "/v2/aggs/ticker/A/../B?c/prev"
    assert vendor.requests[0].count("/") == 5


def test_pages_are_followed_on_our_own_host_with_our_key(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers(
        body({"status": "OK", "results": [bar(MINUTE)], "next_url": "https://api.massive.com/v2/more?cursor=abc%3D&x=1"}),
        body({"status": "OK", "results": [bar(MINUTE + 60_000)]}),
    )
    assert len(rest.minute_bars("AAPL", MINUTE, MINUTE + 120_000)) == 2
    assert vendor.requests[1] == "/v2/more?cursor=abc%3D&x=1"
    assert vendor.headers[1]["Authorization"] == f"Bearer {KEY}"


def test_pages_that_go_in_a_circle_end(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers(body({"status": "OK", "results": [bar(MINUTE)], "next_url": "https://api.massive.com/v2/more?cursor=1"}))
    assert len(rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)) == 1
    assert len(vendor.requests) == 2


def test_packed_answers_are_unpacked(vendor: Vendor, rest: MassiveRest) -> None:
    packed = gzip.compress(json.dumps({"status": "OK", "results": [bar(MINUTE)]}).encode())
    vendor.answers((200, {"Content_Encoding": "gzip"}, packed))
    assert len(rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)) == 1


def test_a_base_url_may_have_a_prefix(vendor: Vendor) -> None:
    rest = MassiveRest(f"{vendor.url}/massive/", KEY)
    vendor.answers(
        body({"status": "OK", "results": [bar(MINUTE)], "next_url": f"{vendor.url}/massive/v2/more?cursor=1"}),
        body({"status": "OK"}),
    )
    rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)
    rest.close()
    assert vendor.requests[0].startswith("/massive/v2/aggs/")
    assert vendor.requests[1] == "/massive/v2/more?cursor=1"


def test_a_day_of_all_symbols_is_one_request(vendor: Vendor, rest: MassiveRest) -> None:
    rows = [{"T": name, "t": MINUTE, "o": 1, "h": 2, "l": 0.5, "c": 1.5, "v": 10.7, "n": 3} for name in ("AAPL", "BRK.A")]
    vendor.answers(body({"status": "OK", "resultsCount": 2, "results": rows}), body({"status": "OK", "resultsCount": 0}))
    found = rest.day_of_all(date(2025, 11, 21))
    assert found == {name: RestBar(MINUTE, 1.0, 2.0, 0.5, 1.5, 10, 3) for name in ("AAPL", "BRK.A")}
    assert rest.day_of_all(date(2025, 11, 22)) == {}
    parts = urlsplit(vendor.requests[0])
    assert (parts.path, parse_qs(parts.query)) == ("/v2/aggs/grouped/locale/us/market/stocks/2025-11-21", {"adjusted": ["true"]})


def test_snapshots_leave_out_what_the_vendor_left_out(vendor: Vendor, rest: MassiveRest) -> None:
    rows: list[dict[str, Any]] = [
        {"ticker": "AAPL", "day": {"c": 3.0, "v": 9.5}, "prevDay": {"c": 2.0, "v": 1}, "lastTrade": {"p": 3.1, "x": 4}},
        {"ticker": "NEW", "day": {"c": 0, "v": 0}, "prevDay": {"c": 0}},
        {"ticker": "BARE"},
    ]
    vendor.answers(body({"status": "OK", "count": 3, "tickers": rows}))
    assert rest.snapshot(["AAPL", "NEW", "BARE", "GONE"]) == [
        Snapshot("AAPL", 2.0, 3.1, 9),
        Snapshot("NEW", None, None, 0),
        Snapshot("BARE", None, None, None),
    ]
    assert parse_qs(urlsplit(vendor.requests[0]).query) == {"tickers": ["AAPL,NEW,BARE,GONE"]}


def test_tickers_are_read_page_by_page_and_what_cannot_be_one_is_counted(vendor: Vendor, rest: MassiveRest) -> None:
    first = [
        {"ticker": "AAPL", "name": "Apple Inc.", "market": "stocks", "primary_exchange": "XNAS", "type": "CS", "active": True},
        {"ticker": "KIMpL"},
        {"ticker": ""},
        {"ticker": "A" * 33},
        {"ticker": "A\u202eB"},
    ]
    second = [{"ticker": "<b>", "name": "<script>alert(1)</script>"}, {"ticker": "Z", "name": "x" * 201, "type": "a\nb"}]
    following = {"results": first, "next_url": "https://elsewhere/v3/reference/tickers?cursor=5"}
    vendor.answers(body({"status": "OK", **following}), body({"status": "OK", "results": second}))
    assert rest.tickers() == [
        Ticker("AAPL", "Apple Inc.", "XNAS", "CS"),
        Ticker("KIMpL", None, None, None),
        Ticker("<b>", "<script>alert(1)</script>", None, None),
        Ticker("Z", None, None, None),
    ]
    assert rest.rejections.counts == {"a ticker that cannot be one": 3}
    asked = parse_qs(urlsplit(vendor.requests[0]).query)
    assert asked == {"market": ["stocks"], "active": ["true"], "sort": ["ticker"], "order": ["asc"], "limit": ["1000"]}
    assert vendor.requests[1] == "/v3/reference/tickers?cursor=5"


def test_splits_are_read_from_the_older_endpoint_when_there_is_no_newer(vendor: Vendor, rest: MassiveRest) -> None:
    rows = [{"ticker": "TSLA", "execution_date": "2025-08-25", "split_from": 1, "split_to": 3.0, "id": "E1"}]
    expected = [Split("TSLA", date(2025, 8, 25), 1.0, 3.0)]
    vendor.answers(body({"status": "OK", "results": rows}))
    assert rest.splits(date(2025, 8, 1), date(2025, 8, 31)) == expected
    vendor.answers(body({"status": "NOT_FOUND", "message": "no such route"}, 404), body({"status": "OK", "results": rows}))
    assert rest.splits(date(2025, 8, 1), date(2025, 8, 31), "TSLA") == expected
    assert [urlsplit(request).path for request in vendor.requests] == ["/stocks/v1/splits"] * 2 + ["/v3/reference/splits"]
    assert parse_qs(urlsplit(vendor.requests[2]).query)["ticker"] == ["TSLA"]


# --- errors ---


@pytest.mark.parametrize(
    ("status", "content", "kind", "told"),
    [
        (401, {"status": "ERROR", "request_id": "1", "error": "Unknown API Key"}, RestRefused, "Unknown API Key"),
        (403, {"status": "NOT_AUTHORIZED", "message": "You are not entitled to this data."}, RestRefused, "not entitled"),
        (404, {"status": "NOT_FOUND", "message": "Ticker not found."}, RestNotFound, "Ticker not found"),
        (400, {"status": "ERROR", "error": "bad range"}, RestError, "bad range"),
        (301, {}, RestError, "HTTP 301"),
        (200, {"status": "ERROR", "error": "something else"}, RestError, "something else"),
        (200, {"status": "OK", "results": [{"t": "soon"}]}, RestError, "cannot be read"),
        (200, "<html>", RestError, "cannot be read"),
    ],
)
def test_a_final_error_is_told_in_the_vendors_words_and_not_tried_again(
    vendor: Vendor, rest: MassiveRest, status: int, content: object, kind: type[RestError], told: str
) -> None:
    vendor.answers(body(content, status))
    with pytest.raises(RestError, match=told) as problem:
        rest.day_bars("AAPL", date(2025, 11, 3), date(2025, 11, 21))
    assert type(problem.value) is kind
    assert "/v2/aggs/ticker/AAPL" in str(problem.value)
    assert KEY not in str(problem.value)
    assert len(vendor.requests) == 1


GOOD = body({"status": "OK", "results": [bar(MINUTE)]})


@pytest.mark.parametrize(
    "trouble",
    [
        (429, {}, b'{"status":"ERROR","error":"You\'ve exceeded the maximum requests per minute"}'),
        (429, {}, b""),
        (429, {"Retry_After": "0"}, b'{"message":"slow down"}'),
        (500, {}, b"{}"),
        (502, {}, b"<html><body>Bad Gateway</body></html>"),
        None,
    ],
    ids=["429", "429 empty", "429 with Retry-After", "500", "502 as HTML", "no answer"],
)
def test_a_passing_error_is_tried_again(vendor: Vendor, rest: MassiveRest, trouble: Answer | None) -> None:
    vendor.answers(trouble, trouble, GOOD)
    assert len(rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)) == 1
    assert len(vendor.requests) >= 3


def test_retry_after_is_obeyed(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers((429, {"Retry_After": "1"}, b""), GOOD)
    began = time.monotonic()
    rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)
    assert time.monotonic() - began >= 1.0


def test_errors_that_do_not_pass_end_at_the_deadline(vendor: Vendor) -> None:
    vendor.answers((502, {}, b"<html>Bad Gateway</html>"))
    rest = MassiveRest(vendor.url, KEY, deadline_seconds=0.8)
    with pytest.raises(RestError, match=r"HTTP 502: .*Bad Gateway.*given up after 0.8 s"):
        rest.previous_day("AAPL")
    rest.close()


def test_a_wait_beyond_the_deadline_is_not_begun(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers((429, {"Retry_After": "3600"}, b"{}"))
    began = time.monotonic()
    with pytest.raises(RestError, match="HTTP 429"):
        rest.previous_day("AAPL")
    assert time.monotonic() - began < 5.0


def test_a_server_that_hangs_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        rest = MassiveRest(f"http://127.0.0.1:{listening.getsockname()[1]}", KEY, deadline_seconds=0.8)
        with pytest.raises(RestError, match="no answer"):
            rest.previous_day("AAPL")
        rest.close()


def test_a_server_that_is_not_there_ends_at_the_deadline() -> None:
    rest = MassiveRest("http://127.0.0.1:9", KEY, deadline_seconds=0.8)
    with pytest.raises(RestError, match="no answer"):
        rest.previous_day("AAPL")
    rest.close()


def test_an_answer_that_breaks_off_is_tried_again(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers((200, {"Content_Length": "999", "Connection": "close"}, b'{"status":'), GOOD)
    assert len(rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)) == 1
    assert len(vendor.requests) == 2


# --- connections, pace, closing ---


def test_connections_are_kept_and_shared_by_threads(vendor: Vendor, rest: MassiveRest) -> None:
    vendor.answers(GOOD)
    for _ in range(5):
        rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)
    assert len(vendor.connections) == 1
    failures: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(5):
                assert len(rest.minute_bars("AAPL", MINUTE, MINUTE + 60_000)) == 1
        except Exception as problem:
            failures.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert len(vendor.connections) <= 5


def test_the_pace_keeps_every_limit() -> None:
    now = 0.0
    pace = RequestPace((5, 60.0), (2, 1.0), monotonic=lambda: now)
    waits = [pace.reserve() for _ in range(11)]
    assert waits == [0, 0, 1, 1, 2, 60, 60, 61, 61, 62, 120]
    now = 200.0
    assert pace.reserve() == 0


def test_closing_ends_every_wait(vendor: Vendor) -> None:
    rest = MassiveRest(vendor.url, KEY, requests_per_minute=1)
    rest.previous_day("AAPL")
    timer = threading.Timer(0.2, rest.close)
    timer.start()
    began = time.monotonic()
    with pytest.raises(RestError, match="closed"):
        rest.previous_day("AAPL")
    assert time.monotonic() - began < 20
    timer.join()


def test_nothing_secret_is_logged(vendor: Vendor, rest: MassiveRest, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rest.previous_day("AAPL")
    assert KEY not in caplog.text


def test_the_settings_name_the_interface(vendor: Vendor) -> None:
    rest = MassiveRest.for_settings(Settings(massive_api_key=KEY, rest_url=vendor.url))
    assert rest.snapshot(["AAPL"]) == []
    rest.close()
