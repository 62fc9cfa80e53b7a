"""create_app(): the Flask application with its pages, its JSON and its Socket.IO."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask_socketio import SocketIO

from tickstock.database.symbol_queries import SymbolQueries
from tickstock.logs import Rejections
from tickstock.market_hours import now_ms
from tickstock.settings import Settings
from tickstock.web import json_text
from tickstock.web.api import api
from tickstock.web.catalog_answer import catalog_answer
from tickstock.web.connections import Connections
from tickstock.web.database_probe import DatabaseProbe
from tickstock.web.day_keeper import DayKeeper
from tickstock.web.handshakes import HandshakeGuard
from tickstock.web.live import LivePage
from tickstock.web.market import Market, NoMarket
from tickstock.web.packets import checked_packets
from tickstock.web.pages import pages
from tickstock.web.parameters import TickerConverter
from tickstock.web.redis_event_subscriber import RedisEventSubscriber
from tickstock.web.redis_probe import RedisProbe
from tickstock.web.security import Origins, add_headers, refuse_large_bodies
from tickstock.web.stored_results import Stored, StoredResults
from tickstock.web.trading_clock import TradingClock
from tickstock.web.watchlist_api import watchlist_api
from tickstock.web.watchlist_keeper import WatchlistKeeper

logger = logging.getLogger(__name__)

REPOSITORY = Path(__file__).resolve().parents[2]
EXTENSION = "tickstock"
JOIN_SECONDS = 3.0
MOST_BODY_BYTES = 64 * 1024  # of a request; nothing that is asked for needs one


@dataclass
class WebServices:
    """What runs beside the requests: `app.extensions["tickstock"]`."""

    settings: Settings
    market: Market
    socketio: SocketIO
    live: LivePage
    keeper: DayKeeper
    watchlists: WatchlistKeeper
    subscriber: RedisEventSubscriber
    stored: StoredResults
    symbols: Stored[SymbolQueries]
    database: DatabaseProbe
    redis: RedisProbe
    catalog: dict[str, Any]  # as /api/catalog tells it
    bad_requests: Rejections = field(default_factory=lambda: Rejections(logger, "WEB"))  # of the JSON interface
    started: int = field(default_factory=now_ms)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Start the threads: watchlists, frames, the day's figures, results from Redis."""
        runs = {
            "watchlists": self.watchlists.run,
            "frames": self.live.run,
            "day": self.keeper.run,
            "results": self.subscriber.run,
        }
        for name, run in runs.items():
            thread = threading.Thread(target=run, name=f"web-{name}", daemon=True)
            thread.start()
            self.threads.append(thread)
        self.watchlists.wait_for_first_look()

    def stop(self) -> None:
        """Stop them; returns within seconds."""
        for part in (self.subscriber, self.keeper, self.watchlists, self.live):
            part.stop()
        for thread in self.threads:
            thread.join(JOIN_SECONDS)
        self.threads.clear()


def create_app(settings: Settings, market: Market | None = None) -> Flask:
    """The web application; its services stand in `extensions["tickstock"]` and are started by whoever serves it.

    Args:
        market: the market data service of this process; without one the pages show what others have stored.

    Raises:
        SettingError: a setting chooses a pattern, indicator or alert that does not exist.
    """
    app = Flask("tickstock", root_path=str(REPOSITORY))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    bad_messages = Rejections(logger, "LIVE-PAGE")
    connections = Connections()
    socketio = SocketIO(
        app,
        client_manager=connections,
        serializer=checked_packets(bad_messages),
        async_mode=settings.async_mode,
        cors_allowed_origins=Origins(settings),
        json=json_text,
        always_connect=True,
        ping_interval=10,
        ping_timeout=10,
        max_http_buffer_size=256 * 1024,
    )
    market = market or NoMarket(settings)
    clock = TradingClock(settings)
    live = LivePage(settings, socketio, connections, market, clock, bad_messages)
    live.register()
    keeper = DayKeeper(live, settings.database)
    watchlists = WatchlistKeeper(live, settings.database)
    subscriber = RedisEventSubscriber(settings.redis_url, live, keeper.read_again)
    stored = StoredResults(settings.database)
    symbols = Stored(SymbolQueries, settings.database)
    probe = DatabaseProbe(stored)
    catalog = catalog_answer(settings)
    redis = RedisProbe(settings.redis_url)
    app.extensions[EXTENSION] = WebServices(
        settings, market, socketio, live, keeper, watchlists, subscriber, stored, symbols, probe, redis, catalog
    )
    app.wsgi_app = HandshakeGuard(app.wsgi_app, bad_messages)  # type: ignore[method-assign]
    app.url_map.converters["ticker"] = TickerConverter
    app.before_request(refuse_large_bodies)
    app.register_blueprint(pages)
    app.register_blueprint(api)
    app.register_blueprint(watchlist_api)
    app.after_request(add_headers)
    return app
