"""Whether the database answers, found out within a time that /health can afford."""

from __future__ import annotations

import threading
import time
from typing import Any

from tickstock.database.queries import Queries
from tickstock.errors import DatabaseError
from tickstock.web.stored_results import StoredResults

PATIENCE_SECONDS = 2.0


class DatabaseProbe:
    """Asks the database one question at a time; who looks waits no longer than `PATIENCE_SECONDS` for the answer."""

    def __init__(self, stored: StoredResults) -> None:
        self._stored = stored
        self._asking: threading.Thread | None = None
        self._asked_at = 0.0
        self._stage: dict[str, Any] = {"status": "down", "detail": "not asked yet"}
        self._server: dict[str, str] | None = None  # asked again after it was away

    def stage(self) -> dict[str, Any]:
        """The database's part of the /health report."""
        asking = self._asking
        if asking is None or not asking.is_alive():
            asking = self._asking = threading.Thread(target=self._ask, name="web-database-probe", daemon=True)
            self._asked_at = time.monotonic()
            asking.start()
        asking.join(PATIENCE_SECONDS)
        if asking.is_alive():
            return {"status": "down", "detail": f"no answer for {time.monotonic() - self._asked_at:.0f} s"}
        return self._stage

    def _ask(self) -> None:
        try:
            if self._server is None:
                self._server = self._stored.ask(Queries.server)
            progress = self._stored.ask(Queries.progress)
        except DatabaseError as problem:
            self._server = None
            self._stage = {"status": "down", "detail": str(problem)}
            return
        detail = "answers" if progress is not None else "answers; TickStockPL has stored nothing yet"
        stored = progress._asdict() if progress is not None else None
        self._stage = {"status": "ok", "detail": detail, **self._server, "progress": stored}
