"""What a browser may load, who may connect and who may change something: response headers, and the origins of pages."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Response, current_app, request
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from tickstock.settings import Settings

CHART_LIBRARY = Path(__file__).resolve().parents[2] / "static" / "vendor" / "lightweight-charts.mjs"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def refuse_large_bodies() -> None:
    """Refuse a request that announces a body beyond the limit, before anything of it is read."""
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    if request.content_length is not None and request.content_length > limit:
        raise RequestEntityTooLarge(f"A request's body may have at most {limit} bytes.")


def add_headers(response: Response) -> Response:
    """Forbid everything that the pages do not use: other hosts, inline scripts and styles, frames, sniffing."""
    host = request.host
    response.headers["Content-Security-Policy"] = "; ".join((
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self'{chart_style()}",
        "img-src 'self' data:",
        "font-src 'self'",
        f"connect-src 'self' ws://{host} wss://{host}",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types default",
    ))  # fmt: skip
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    return response


@cache
def chart_style() -> str:
    """The one `<style>` that the chart library makes, for its mark: as a source of style-src, by the hash of its text.

    Empty where the library is not installed, or brings no such text any more.
    """
    if not CHART_LIBRARY.is_file():
        return ""
    found = re.search(r'createElement\("style"\),[\w.]+\.innerText="([^"\\]*)"', CHART_LIBRARY.read_text(encoding="utf-8"))
    if found is None:
        return ""
    return f" 'sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}'"


def refuse_foreign_pages(settings: Settings) -> None:
    """Refuse a request that another site's page makes with its visitor's browser. What is no browser says neither header.

    Raises:
        Forbidden: the page is none of ours.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "same-origin")
    if site != "same-origin" or (origin is not None and not Origins(settings)(origin, request.environ)):
        raise Forbidden(
            "Only TickStock's own pages may change this. Open TickStock at an address that it knows, or add yours to "
            "TICKSTOCK_ALLOWED_ORIGINS."
        )


class Origins:
    """Whose pages may open a Socket.IO connection and change something: our own, those on loopback with our port, and those
    of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._listed = {origin.rstrip("/") for origin in settings.allowed_origins}
        self._listed |= {f"http://{host}:{settings.port}" for host in (*LOOPBACK, settings.host)}
        self._is_loopback = settings.host in ("localhost", "127.0.0.1", "::1")

    def __call__(self, origin: str, environ: Mapping[str, str]) -> bool:
        """Decide about the value of an Origin header."""
        if origin in self._listed:
            return True
        # On loopback only loopback names count: a foreign name that resolves to us is somebody else's page.
        host = urlsplit(origin).netloc
        return not self._is_loopback and host != "" and host == environ.get("HTTP_HOST")
