"""Between the simulator's REST interface and TickStock: it hands on, or answers as a vendor in trouble does."""

from __future__ import annotations

import http.client
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_ANSWERS = (
    (500, b'{"status":"ERROR","error":"internal error"}'),
    (429, b'{"status":"ERROR","error":"too many requests"}'),
    (502, b"<html>bad gateway</html>"),
    (200, b"<html>maintenance</html>"),
    (200, b'{"status":"OK","results":"none"}'),
    (200, b'{"status":"ERROR","error":"try again"}'),
    (200, b'{"status":"OK","results":[{"t":17'),
    (0, b""),  # the connection ends without a word
)


class RestProxy:
    """Listens on a port of its own."""

    def __init__(self, simulator_port: int) -> None:
        self._chosen: random.Random | None = None  # chooses a wrong answer; None: hand on
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 120

            def do_GET(self) -> None:
                chosen = proxy._chosen
                status, body = proxy._hand_on(simulator_port, self) if chosen is None else chosen.choice(_ANSWERS)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                pass  # a client that was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def fail(self, chosen: random.Random) -> None:
        """Answer nothing right from now on."""
        self._chosen = chosen

    def recover(self) -> None:
        """Hand on again."""
        self._chosen = None

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _hand_on(self, port: int, request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            headers = {"Authorization": request.headers.get("Authorization", "")}
            connection.request("GET", request.path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()
