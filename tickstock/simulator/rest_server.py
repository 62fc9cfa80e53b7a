"""The REST interface on a port: HTTP/1.1 with connections that stay open, a thread for each."""

from __future__ import annotations

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tickstock.simulator.rest import RestInterface

log = logging.getLogger(__name__)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    interface: RestInterface

    def do_GET(self) -> None:
        try:
            status, body = self.interface.answer(self.path, self.headers)  # type: ignore[arg-type]
        except Exception:
            log.exception("SIMULATOR: A REST request failed: %s", self.path.split("?")[0])
            status, body = 500, b'{"status":"ERROR","error":"internal error"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged: their addresses may hold keys."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nothing to report."""
        log.debug("SIMULATOR: A REST connection ended early", exc_info=True)


class RestServer:
    """Serves until `stop`."""

    def __init__(self, interface: RestInterface, host: str, port: int) -> None:
        handler = type("Handler", (_Handler,), {"interface": interface})
        try:
            self._server = _Server((host, port), handler)
        except OSError as problem:
            raise OSError(f"--rest-port {port} on {host} cannot be used: {problem.strerror}") from problem
        self.port = int(self._server.server_address[1])
        interface.base = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="rest", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
