"""The HTML pages."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response as RedirectResponse

import tickstock

pages = Blueprint("pages", __name__)

BROWSER_FILES = ("socket.io.esm.min.js",)


@pages.get("/")
def home() -> RedirectResponse:
    """The dashboard is the home page."""
    return redirect(url_for("pages.dashboard"))


@pages.get("/dashboard")
def dashboard() -> Response:
    """Live Streaming."""
    vendor = Path(current_app.static_folder or "") / "vendor"
    missing = [name for name in BROWSER_FILES if not (vendor / name).is_file()]
    page = Response(render_template("dashboard.html", missing=missing, version=tickstock.__version__))
    page.headers["Cache-Control"] = "no-store"
    return page
