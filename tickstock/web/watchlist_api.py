"""Watchlists and the search for symbols over HTTP.

GET and POST /api/watchlists, PUT and DELETE /api/watchlists/<id>, GET /api/symbols. A change is taken as application/json and
from our own pages only; every page hears of it at once.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import UnsupportedMediaType

from tickstock.database.symbol_queries import SymbolQueries
from tickstock.database.watchlists import DEFAULT_ID
from tickstock.errors import WatchlistConflict, WatchlistUnknown
from tickstock.web import answers, parameters
from tickstock.web.answers import Answer, refusal, services
from tickstock.web.parameters import BadParameter
from tickstock.web.security import refuse_foreign_pages
from tickstock.web.watchlist_text import ListChange, read_change

watchlist_api = Blueprint("watchlists", __name__)
answers.refuse_in_words(watchlist_api)

SYMBOL_PARAMETERS = {"search": parameters.search, "limit": parameters.limit}
SYMBOLS_SHOWN = 20


@watchlist_api.before_request
def _only_our_own_pages_change() -> None:
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        refuse_foreign_pages(services().settings)


@watchlist_api.get("/api/watchlists")
def watchlists() -> Answer:
    """All lists, the symbols that the vendor does not know, and how many it knows."""
    return Response(bytes(services().watchlists.look().message), content_type="application/json")


@watchlist_api.post("/api/watchlists")
def create() -> Answer:
    """Make a list."""
    change = _change()
    if change.name is None:
        raise BadParameter("name", "there: what the list is to be called", "none")
    return jsonify(services().watchlists.create(change.name, change.symbols or ())._asdict()), 201


@watchlist_api.put("/api/watchlists/<list_id>")
def change(list_id: str) -> Answer:
    """Change a list's name, its symbols, or both."""
    _refuse_default(list_id)
    change = _change()
    if change.name is None and change.symbols is None:
        raise BadParameter("the body", "an object with `name`, `symbols` or both: what is to be changed", "neither")
    return jsonify(services().watchlists.change(list_id, change.name, change.symbols)._asdict())


@watchlist_api.delete("/api/watchlists/<list_id>")
def delete(list_id: str) -> Answer:
    """Delete a list; whoever watches it gets the default one."""
    _refuse_default(list_id)
    return jsonify({"deleted": services().watchlists.delete(list_id).id})


@watchlist_api.get("/api/symbols")
def symbols() -> Answer:
    """Symbols of the vendor's reference that begin with a text or have a word in their name that does; how many it knows."""
    wanted = answers.asked(SYMBOL_PARAMETERS)
    search, limit = wanted.get("search", ""), wanted.get("limit", SYMBOLS_SHOWN)
    found, known = services().symbols.ask(lambda queries: _search(queries, search, limit))
    return jsonify({"symbols": found, "known": known})


@watchlist_api.errorhandler(WatchlistUnknown)
def _unknown(problem: WatchlistUnknown) -> Answer:
    return refusal({"error": str(problem)}, 404)


@watchlist_api.errorhandler(WatchlistConflict)
def _conflict(problem: WatchlistConflict) -> Answer:
    return refusal({"error": str(problem)}, 409)


def _search(queries: SymbolQueries, text: str, limit: int) -> tuple[list[dict[str, object]], int]:
    return queries.search(text, limit), queries.count()


def _change() -> ListChange:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("A watchlist is sent as application/json.")
    return read_change(request.get_data())


def _refuse_default(list_id: str) -> None:
    if list_id == DEFAULT_ID:
        raise WatchlistConflict("The list Default is the setting TICKSTOCK_SYMBOLS: change that, or make a list of your own")
