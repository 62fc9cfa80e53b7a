"""TickStockAppV2: serves the web application, and takes in the feed beside it. Nothing imports this file."""

# fmt: off
import warnings
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")  # known: leaving it is the next line
import os
if os.environ.get("TICKSTOCK_ASYNC_MODE", "eventlet") == "eventlet": import eventlet; eventlet.monkey_patch(psycopg=False)  # noqa: E701, E702
# fmt: on

import dataclasses
import logging
import signal
import sys
import threading
import time

from flask import Flask

from tickstock import cooperation, lifeline, logs
from tickstock.errors import TickStockError
from tickstock.settings import Settings, without_password
from tickstock.web.application import WebServices, create_app
from tickstock.web.ingest import Ingest

logger = logging.getLogger("tickstock.app")

LOOK_SECONDS = 0.1


class Server(threading.Thread):
    """The web server, in a thread, so that the main one hears signals."""

    def __init__(self, app: Flask, services: WebServices) -> None:
        super().__init__(name="web-server", daemon=True)
        self.problem: BaseException | None = None
        self._app = app
        self._services = services

    def run(self) -> None:
        settings = self._services.settings
        options = {"allow_unsafe_werkzeug": True} if settings.async_mode == "threading" else {}
        try:
            self._services.socketio.run(self._app, host=settings.host, port=settings.port, **options)
        except (OSError, SystemExit) as problem:
            self.problem = problem


def main() -> int:
    """Serve until SIGTERM or SIGINT; exit code 0 after an orderly stop, 1 without a port, 2 when a setting is wrong."""
    try:
        settings = Settings.load()
        logs.configure(settings.log_level)
        settings = dataclasses.replace(settings, async_mode="eventlet" if cooperation.is_green() else "threading")
        ingest = Ingest(settings)
        app = create_app(settings, ingest)
    except TickStockError as problem:
        print(f"TickStockAppV2 cannot start: {problem}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2
    services: WebServices = app.extensions["tickstock"]

    asked: list[str] = []  # a plain list: a signal may arrive anywhere, also inside a lock
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: asked.append(signal.Signals(signum).name))
    lifeline.watch()

    server = Server(app, services)
    services.start()  # first, so that a page that comes back finds its watchlist
    server.start()
    ingest.start()
    logger.info("TICKSTOCK-APP: serving http://%s:%d/dashboard (%s), database %s",
                settings.host, settings.port, settings.async_mode, without_password(settings.database))  # fmt: skip
    while not asked and server.is_alive():
        time.sleep(LOOK_SECONDS)
    if asked:
        logger.info("TICKSTOCK-APP: %s, stopping", asked[0])
    ingest.stop()
    services.stop()
    if asked:
        logger.info("TICKSTOCK-APP: stopped")
        return 0
    print(f"TickStockAppV2 cannot serve on port {settings.port} (TICKSTOCK_PORT): {server.problem}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    os._exit(code)  # all is flushed and closed; threads that serve browsers are not waited for
