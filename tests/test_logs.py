"""Faults are counted by kind, said once a minute each, and shown so that they do no harm in a log."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from tickstock.logs import EXAMPLE_LENGTH, Rejections, all_counts, shortened


class Clock:
    """Seconds that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_every_fault_counts_and_each_kind_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    rejections = Rejections(logging.getLogger("test"), "PART", clock)
    for second in range(130):
        clock.now = 1000.0 + second
        rejections.add("a bad frame", b"{")
        rejections.add("a bad tick", "x", 3)
    assert rejections.counts == {"a bad frame": 130, "a bad tick": 390}
    assert rejections.total == 520
    said = [record.getMessage() for record in caplog.records if "a bad tick" in record.getMessage()]
    assert [text.partition("(")[2].split()[0] for text in said] == ["3", "180", "180"]
    assert len(caplog.records) == 6


NESTED: Any = []
for _ in range(100_000):
    NESTED = [NESTED]


EXAMPLES: tuple[object, ...] = (
    "x" * 10_000_000, b"\x00" * 10_000_000, "a\nb\r\x1b[31m\x07", "\u202e\u2028\ud800", b"\xff\n", NESTED, 10**5000,
    {"k": "v\n" * 99}, None,
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_is_one_short_line_of_printable_text(number: int) -> None:
    text = shortened(EXAMPLES[number])
    assert len(text) <= EXAMPLE_LENGTH + 1
    assert text.isprintable()


def test_counts_are_read_while_another_thread_counts() -> None:
    one, two = (Rejections(logging.getLogger("quiet"), "PART", lambda: 0.0) for _ in range(2))
    logging.getLogger("quiet").setLevel(logging.CRITICAL)
    thread = threading.Thread(target=lambda: [one.add(f"kind {number}") for number in range(20_000)])
    thread.start()
    while thread.is_alive():
        assert sum(all_counts(one, two).values()) <= one.total <= 20_000
    thread.join()
    assert all_counts(one, two, one) == {f"kind {number}": 2 for number in range(20_000)}
