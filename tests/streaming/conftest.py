"""What the tests of TickStockPL share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.streaming.market import TinyRest


@pytest.fixture
def rest() -> Iterator[TinyRest]:
    """A REST interface that knows no bars until a test gives it some."""
    with TinyRest() as server:
        yield server
