"""What the commands refuse, in one line each."""

from __future__ import annotations

from tickstock.errors import TickStockError


class HistoryError(TickStockError):
    """What was asked for cannot be done; the message says what can."""


class NoBars(HistoryError):
    """There are no bars to search."""


class BadBars(HistoryError):
    """A CSV of bars cannot be read; the message names the lines."""
