"""The database as something that fails: a SQLite file, a PostgreSQL server."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg2

from tests.servers import PostgresServer

FOLDER_MOVED = "its folder moved away"  # who has the file open does not notice


class Database(Protocol):
    """The database, as far as it can be disturbed."""

    def away(self, chosen: random.Random) -> AbstractContextManager[str]:
        """Nobody reaches it, inside the context; how, in words."""

    def slow(self) -> AbstractContextManager[str]:
        """It answers with long pauses."""


class SqliteFile:
    """A file that another program locks, or whose folder is moved away."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def away(self, chosen: random.Random) -> Iterator[str]:
        if chosen.random() < 0.5:
            with self._locked():
                yield "locked by another program"
            return
        elsewhere = self._file.parent.with_name("moved-away")
        self._file.parent.rename(elsewhere)
        try:
            yield FOLDER_MOVED
        finally:
            elsewhere.rename(self._file.parent)

    @contextmanager
    def slow(self) -> Iterator[str]:
        stop = threading.Event()

        def hold_again_and_again() -> None:
            while not stop.is_set():
                with contextlib.suppress(sqlite3.Error), self._locked():
                    stop.wait(0.6)
                stop.wait(0.15)

        thread = threading.Thread(target=hold_again_and_again, daemon=True)
        thread.start()
        try:
            yield "locked four fifths of the time"
        finally:
            stop.set()
            thread.join()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        connection = sqlite3.connect(self._file, timeout=5, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()


class PostgresDatabase:
    """A server that is killed, stopped or paused, or whose tables somebody locks."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self._server = server
        self._url = url

    @contextmanager
    def away(self, chosen: random.Random) -> Iterator[str]:
        if chosen.random() < 0.5:
            self._server.kill()
            try:
                yield "killed"
            finally:
                self._server.start()
                self._server.wait_until_ready()
            return
        self._server.pause()
        try:
            yield "paused"
        finally:
            self._server.resume()

    @contextmanager
    def slow(self) -> Iterator[str]:
        stop = threading.Event()

        def hold_again_and_again() -> None:
            with contextlib.suppress(psycopg2.Error):
                connection = psycopg2.connect(self._url)
                while not stop.is_set():
                    with connection, connection.cursor() as cursor:
                        cursor.execute("LOCK TABLE ticks, bars, streaming_progress IN EXCLUSIVE MODE")
                        stop.wait(0.6)
                    time.sleep(0.15)
                connection.close()

        thread = threading.Thread(target=hold_again_and_again, daemon=True)
        thread.start()
        try:
            yield "tables locked four fifths of the time"
        finally:
            stop.set()
            thread.join()
