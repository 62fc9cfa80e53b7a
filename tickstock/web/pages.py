"""The HTML pages: Live Streaming, Patterns, Health, About; and the licences that About names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response as RedirectResponse

import tickstock
from tickstock.web.third_parties import browser_packages, notices, python_packages

pages = Blueprint("pages", __name__)

BROWSER_FILES = ("socket.io.esm.min.js", "lightweight-charts.mjs")


@pages.get("/")
def home() -> RedirectResponse:
    """The dashboard is the home page."""
    return redirect(url_for("pages.dashboard"))


@pages.get("/dashboard")
def dashboard() -> Response:
    """Live Streaming."""
    vendor = Path(current_app.static_folder or "") / "vendor"
    missing = [name for name in BROWSER_FILES if not (vendor / name).is_file()]
    return _page("dashboard.html", missing=missing)


@pages.get("/patterns")
def patterns() -> Response:
    """Patterns: everything that was detected, and what followed."""
    return _page("patterns.html")


@pages.get("/status")
def status() -> Response:
    """Health: the tick's path stage by stage."""
    return _page("status.html")


@pages.get("/about")
def about() -> Response:
    """What TickStock is made of, and under which licences."""
    return _page("about.html", browser=browser_packages(), python=python_packages(), notices=notices())


@pages.get("/about/licence/<kind>/<path:name>")
def licence(kind: str, name: str) -> Response:
    """The licence and notices of one package, word for word."""
    packages = {"browser": browser_packages, "python": python_packages}.get(kind, dict)()
    if name not in packages:
        abort(404, f"{name[:60]} is not among the packages that TickStock uses.")
    return Response(packages[name].text, content_type="text/plain; charset=utf-8")


def _page(template: str, **values: Any) -> Response:
    page = Response(render_template(template, version=tickstock.__version__, **values))
    page.headers["Cache-Control"] = "no-store"
    return page
