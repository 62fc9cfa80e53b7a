"""The JSON interface: what is stored, filtered and paged, and how the services are.

Lists answer as {"patterns": […], "next": …}, newest first; `next` is null on the last page, else it goes back as a parameter.
Patterns and alerts have `previous` too, can be sorted otherwise, and are there as CSV. A parameter that cannot be read is
answered with 400 and {"error": …, "parameter": …}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

import tickstock
from tickstock.database.detections import ORDERS
from tickstock.database.queries import PAGE_SIZE, Page, Queries
from tickstock.market_hours import new_york_time, now_ms
from tickstock.web import answers, csv_export, parameters
from tickstock.web.answers import Answer, refusal
from tickstock.web.answers import services as _services
from tickstock.web.families import one_of_families
from tickstock.web.health import health_report
from tickstock.web.parameters import BadParameter, Reader
from tickstock.web.system import system_report

api = Blueprint("api", __name__)
answers.refuse_in_words(api)

DIRECTION = parameters.one_of("bullish", "bearish", "neutral")
TIMEFRAME = parameters.one_of(*parameters.TIMEFRAMES)
ORIGIN = parameters.one_of("live", "repair", "history")
QUALITY = parameters.one_of("all", "low", "middle", "high")
NO_REPORT = "No report has been computed yet: TickStockPL does so a minute after its start, after the close, and every hour."
_SPAN: dict[str, Reader] = {"from": parameters.moment, "to": parameters.moment}
_PAGED: dict[str, Reader] = {**_SPAN, "limit": parameters.limit, "next": parameters.token}
_PAGED_BOTH_WAYS: dict[str, Reader] = {**_PAGED, "previous": parameters.token}
_OURS_TO_QUERIES = {"from": "since", "to": "until", "next": "after", "previous": "before", "family": "among"}
_DETECTED: dict[str, Reader] = {
    "symbol": parameters.symbol,
    "direction": DIRECTION,
    "timeframe": TIMEFRAME,
    "session": parameters.one_of("pre", "regular", "post"),
    "origin": ORIGIN,
    "order": parameters.one_of(*ORDERS),
}
_PATTERNS: dict[str, Reader] = {
    **_DETECTED,
    "pattern": parameters.name,
    "family": one_of_families("candlestick", "chart_pattern"),
    "state": parameters.one_of("forming", "confirmed", "void"),
    "quality_from": parameters.share,
    "sort": parameters.one_of("detection", "quality", "symbol", "pattern"),
}
_ALERTS: dict[str, Reader] = {
    **_DETECTED,
    "alert": parameters.name,
    "family": one_of_families("alert"),
    "sort": parameters.one_of("detection", "symbol", "alert"),
}


# The query parameters of every route that has some.
PARAMETERS: dict[str, dict[str, Reader]] = {
    "/api/patterns": {**_PATTERNS, **_PAGED_BOTH_WAYS},
    "/api/alerts": {**_ALERTS, **_PAGED_BOTH_WAYS},
    "/api/patterns.csv": {**_PATTERNS, **_SPAN},
    "/api/alerts.csv": {**_ALERTS, **_SPAN},
    "/api/indicators/<ticker:symbol>": {"timeframe": TIMEFRAME, **_PAGED},
    "/api/bars/<ticker:symbol>": {"timeframe": TIMEFRAME, **_PAGED},
    "/api/gaps": {"from": parameters.moment, "limit": parameters.limit},
    "/api/outcomes": {"pattern": parameters.name, "timeframe": TIMEFRAME, "horizon": parameters.horizon, "quality": QUALITY},
}


@api.get("/api/patterns")
def patterns() -> Answer:
    """Detected patterns, by detection time or as asked."""
    return _detections("patterns", Queries.patterns)


@api.get("/api/alerts")
def alerts() -> Answer:
    """Indicator alerts, by detection time or as asked."""
    return _detections("alerts", Queries.alerts)


@api.get("/api/patterns.csv")
def patterns_csv() -> Answer:
    """All detected patterns that the filters let through, as a file."""
    return _csv("patterns", Queries.patterns)


@api.get("/api/alerts.csv")
def alerts_csv() -> Answer:
    """All indicator alerts that the filters let through, as a file."""
    return _csv("alerts", Queries.alerts)


@api.get("/api/indicators/<ticker:symbol>", merge_slashes=False)
def indicators(symbol: str) -> Answer:
    """Indicator values of one symbol by bar."""
    return _page("indicators", Queries.indicators, _of_symbol(symbol))


@api.get("/api/bars/<ticker:symbol>", merge_slashes=False)
def bars(symbol: str) -> Answer:
    """Bars of one symbol, each in its newest revision."""
    return _page("bars", Queries.bars, _of_symbol(symbol))


@api.get("/api/gaps")
def gaps() -> Answer:
    """Gaps of the feed and of the bus, the newest first: when, why, what repaired them and what is lost."""
    asked = _asked()
    since, limit = asked.get("from"), asked.get("limit", PAGE_SIZE)
    return jsonify({"gaps": _services().stored.ask(lambda queries: queries.gaps(since=since, limit=limit))})


@api.get("/api/outcomes")
def outcomes() -> Answer:
    """What followed live patterns: the rows of the last report, when and on what it was computed; why there are none."""
    asked = _asked()
    report = _services().stored.ask(lambda queries: queries.outcome_report("live", **asked))
    return jsonify(report or {"computed": None, "header": {"empty": NO_REPORT}, "outcomes": []})


@api.get("/api/catalog")
def catalog() -> Answer:
    """Every pattern, indicator and alert; which of them are computed; what the page shows by default."""
    return jsonify(_services().catalog)


@api.get("/api/status")
def status() -> Answer:
    """What the status bar shows: feed, TickStockPL's health, counters, session."""
    live = _services().live
    now = now_ms()
    return jsonify({
        "time": now,
        "version": tickstock.__version__,
        "epoch": live.log.epoch,
        "seq": live.log.seq,
        "feed": live.feed_status(),
        "health": live.health.message(now),
        "session": live.clock.message(),
        "counters": live.day_figures(),
        "watched": len(live.lists.symbols),
        "browsers": live.watch_sets.clients,
    })  # fmt: skip


@api.get("/api/system")
def system() -> Answer:
    """Versions of what runs here, and the settings in force without their secrets."""
    return jsonify(system_report(_services().settings, now_ms()))


@api.get("/health")
def health() -> Answer:
    """Every stage of a tick's path; 503 as long as one of them is down."""
    report = health_report(_services(), now_ms())
    return jsonify(report), 503 if report["status"] == "down" else 200


@api.app_errorhandler(HTTPException)
def _http_error(problem: HTTPException) -> Any:
    if not request.path.startswith(("/api", "/health")):
        return problem
    code = problem.code or 500
    if code < 500:
        _services().bad_requests.add(f"a request answered with {code}", f"{request.method} {request.path}")
    answer = refusal({"error": f"{problem.name}: {problem.description}"}, code)
    if isinstance(problem, MethodNotAllowed) and problem.valid_methods:
        answer.headers["Allow"] = ", ".join(problem.valid_methods)
    return answer


def _asked() -> dict[str, Any]:
    """The parameters of this request."""
    return answers.asked(PARAMETERS[str(request.url_rule)])


def _for_queries(values: dict[str, Any]) -> dict[str, Any]:
    return {_OURS_TO_QUERIES.get(name, name): value for name, value in values.items()}


def _detections(key: str, query: Callable[..., Page]) -> Answer:
    """A page of a list that can be gone through both ways."""
    values = _asked()
    if "next" in values and "previous" in values:
        raise BadParameter("previous", "left out where `next` is given", values["previous"])
    try:
        page = _services().stored.ask(lambda queries: query(queries, **_for_queries(values)))
    except ValueError:
        name = "previous" if "previous" in values else "next"
        raise BadParameter(name, f"the `{name}` of a page of the same sort and order", str(values.get(name))) from None
    return jsonify({key: page.rows, "next": page.next, "previous": page.previous})


def _csv(kind: str, query: Callable[..., Page]) -> Answer:
    """All rows of a list as CSV. The first part is asked before the answer begins, so that a database that is away is said."""
    asked, stored = _for_queries(_asked()), _services().stored
    file_name = f"tickstock-{kind}-{new_york_time(now_ms()):%Y-%m-%d}.csv"

    def part(after: str | None) -> csv_export.Part:
        found: csv_export.Part = stored.ask(
            lambda queries: csv_export.part(kind, query(queries, limit=csv_export.ROWS_AT_ONCE, after=after, **asked))
        )
        return found

    return Response(
        csv_export.stream(kind, part(None), part),
        content_type=csv_export.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"', "Cache-Control": "no-store"},
    )


def _page(key: str, query: Callable[..., Page], fixed: dict[str, Any]) -> Answer:
    values = _asked()
    asked = {"timeframe": "1min"} | _for_queries(values) | fixed
    try:
        page = _services().stored.ask(lambda queries: query(queries, **asked))
    except ValueError:
        raise BadParameter("next", "the `next` of the page before", str(values.get("next"))) from None
    return jsonify({key: page.rows, "next": page.next})


def _of_symbol(text: str) -> dict[str, str]:
    try:
        return {"symbol": parameters.symbol(text)}
    except ValueError as expected:
        raise BadParameter("symbol", str(expected), text) from None
