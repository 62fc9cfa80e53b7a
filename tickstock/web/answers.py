"""What the JSON interface answers with: the parameters it was asked with, and refusals that say what is expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from tickstock.errors import DatabaseError
from tickstock.web import parameters
from tickstock.web.parameters import BadParameter, Reader

Answer = Response | tuple[Response, int]


def services() -> Any:
    """What runs beside the requests."""
    return current_app.extensions["tickstock"]


def asked(readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The query parameters of this request.

    Raises:
        BadParameter: one is unknown or cannot be read.
    """
    try:
        given = request.args.to_dict(flat=False)
    except UnicodeDecodeError:
        raise BadParameter("the query string", "percent-encoded UTF-8", request.query_string.decode("latin-1")) from None
    return parameters.read(given, readers)


def refusal(said: dict[str, Any], code: int) -> Response:
    """An error as JSON in which nothing reads as markup, whatever was asked for."""
    text = json.dumps(said).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Response(text, code, content_type="application/json")


def refuse_in_words(blueprint: Blueprint) -> None:
    """Answer a parameter that cannot be read with 400, and a database that is away with 503."""
    blueprint.register_error_handler(BadParameter, _bad_parameter)
    blueprint.register_error_handler(DatabaseError, _no_database)


def _bad_parameter(problem: BadParameter) -> Answer:
    services().bad_requests.add(f"a bad {problem.parameter}", f"{request.path}: {problem}")
    return refusal({"error": str(problem), "parameter": problem.parameter}, 400)


def _no_database(problem: DatabaseError) -> Answer:
    return jsonify({"error": str(problem)}), 503
