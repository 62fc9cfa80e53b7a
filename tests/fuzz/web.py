"""What browsers send: query strings of every route, and Socket.IO packets."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from werkzeug.wrappers import Request

from tests.fuzz.inputs import Inputs, text_inputs
from tests.fuzz.run import ACCEPTED
from tickstock.database.migrate import migrate
from tickstock.settings import Settings
from tickstock.web import csv_export, parameters
from tickstock.web.api import PARAMETERS
from tickstock.web.application import create_app
from tickstock.web.parameters import BadParameter
from tickstock.web.watchlist_api import SYMBOL_PARAMETERS

ROUTES = {**PARAMETERS, "/api/symbols": SYMBOL_PARAMETERS}
SYMBOL = "<ticker:symbol>"  # where a route has one
ASKED_WHOLLY = 400  # every so many inputs go through the whole application, with its database
QUERIES = (
    b"symbol=AAPL&pattern=Hammer&direction=bullish&state=confirmed&timeframe=1min&origin=live&limit=5",
    b"alert=RSI_OVERBOUGHT&symbol=BRK.B&limit=1000", b"from=1728300000000&to=1728400000000", b"timeframe=5min&limit=5",
    b"from=2024-10-07T07:22&to=2024-10-07T11:24:00Z", b"horizon=5&quality=high&pattern=Doji&timeframe=60min",
    b"search=nv&limit=20", b"next=WzE3MjgzMDAwMDAwMDAsIkFBUEw6MW1pbjpIYW1tZXI6MTcyODMwMDAwMDAwMCJd&limit=10", b"",
    b"session=regular&quality_from=0.85&sort=quality&order=asc&family=candlestick_reversal", b"sort=alert&family=alert_level",
    b"previous=WyJkZXRlY3Rpb24iLCJkZXNjIiwxNzI4MzAwMDAwMDAwLCJBQVBMIl0&sort=detection&order=desc&session=pre",
)  # fmt: skip


class QueryStrings:
    """Query strings of every route: read, or refused with what is expected."""

    name = "query strings"

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{(folder / 'fuzz.db').as_posix()}"
        migrate(url)
        self._app = create_app(Settings(database_url=url, data_dir=folder, async_mode="threading", calendar="always_open"))
        self._client = self._app.test_client()
        self._bad = self._app.extensions["tickstock"].bad_requests
        self._routes = list(ROUTES)
        self._number = 0

    def inputs(self, seed: int) -> Inputs:
        return text_inputs(f"{self.name} {seed}", QUERIES)

    def take(self, data: bytes) -> str:
        self._number += 1
        route = self._routes[self._number % len(self._routes)]
        query = data.decode("latin-1")
        try:
            arguments = Request({"QUERY_STRING": query, "REQUEST_METHOD": "GET"}).args
            values = parameters.read(arguments.to_dict(flat=False), ROUTES[route])
        except UnicodeDecodeError:
            outcome = "bad query string"
        except BadParameter as problem:
            assert len(str(problem)) < 600
            outcome = f"bad {problem.parameter}"
        else:
            outcome = ACCEPTED
            assert 1 <= values.get("limit", 1) <= parameters.MOST_ROWS
            assert 1 <= values.get("horizon", 1) <= parameters.MOST_BARS_AHEAD
            assert 0 <= values.get("quality_from", 0) <= 1
            assert 0 <= values.get("from", 0) <= values.get("to", parameters.LAST_TIME_MS) <= parameters.LAST_TIME_MS
        if self._number % ASKED_WHOLLY == 0:
            self._ask(route, query, outcome)
        return outcome

    def _ask(self, route: str, query: str, outcome: str) -> None:
        before = self._bad.total
        symbol = quote(query[:30], safe="")
        answer = self._client.open(path=route.replace(SYMBOL, symbol or "AAPL"), query_string=query)
        unsure = SYMBOL in route or "next" in query or "previous" in query  # no symbol, or a page that no answer named
        expected = (200, 400, 404) if unsure else (400,) if outcome else (200,)
        assert answer.status_code in expected, (route, answer.status_code, answer.get_data()[:300])
        is_file = route.endswith(".csv") and answer.status_code == 200
        assert answer.content_type == (csv_export.CONTENT_TYPE if is_file else "application/json")
        assert self._bad.total - before == (answer.status_code >= 400)
        assert b"<" not in answer.get_data()


class SocketMessages:
    """Socket.IO packets of a connected browser, from their text to the answer."""

    name = "Socket.IO messages"

    def __init__(self, folder: Path) -> None:
        settings = Settings(
            database_url="sqlite://", data_dir=folder, async_mode="threading", calendar="always_open", symbols=("AAPL",)
        )
        app = create_app(settings)
        services = app.extensions["tickstock"]
        self._server = services.socketio.server
        self._live = services.live
        self._client = services.socketio.test_client(app)
        self._number = 0

    def inputs(self, seed: int) -> Inputs:
        epoch = self._live.log.epoch
        packets: list[tuple[str, Any]] = [
            ("watch", {"list": "default"}), ("watch", ["AAPL", "MSFT"]), ("watch", {"symbols": ["AAPL"]}), ("watch", []),
            ("since", {"epoch": epoch, "seq": 0}), ("since", {"epoch": "other", "seq": 5}), ("colour", "red"),
        ]  # fmt: skip
        texts = [b"2" + msgspec.json.encode(packet) for packet in packets]
        return Inputs(
            f"{self.name} {seed}", [*texts, b'2/,7["watch",["AAPL"]]', b'51-["watch",{"_placeholder":true,"num":0}]', b"3[]"]
        )

    def take(self, data: bytes) -> str:
        self._number += 1
        rejected = self._live.rejections
        before, counts = rejected.total, dict(rejected.counts)
        if self._number % 8 == 0:
            message: str | bytes = data  # a binary frame
        else:
            message = data.decode("utf-8", "ignore")
        if not self._client.is_connected() or self._live.watch_sets.clients == 0:
            self._client.connect()
        self._server._handle_eio_message(self._client.eio_sid, message)
        self._client.queue.clear()
        dropped = rejected.total - before
        assert dropped <= 1, "counted twice"
        assert not self._server._binary_packet, "attachments are waited for"
        return next((kind for kind, count in rejected.counts.items() if count > counts.get(kind, 0)), ACCEPTED)
