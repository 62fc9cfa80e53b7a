"""What waits in the spill file comes out whole and in order, whatever happens to process and disk."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tickstock.database.spill import Record, SpillFile


class SpilledQueue(RuleBasedStateMachine):
    """A list is the model. A restart may bring back what was taken out since the file was last empty, never lose or reorder."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(os.environ["PYTEST_SPILL_FOLDER"])
        self.path = self.folder / f"{id(self)}.spill"
        self.path.unlink(missing_ok=True)
        self.file = SpillFile(self.path)
        self.waiting: list[bytes] = []
        self.taken: list[bytes] = []  # since the file was last empty

    @rule(contents=st.lists(st.binary(max_size=40), max_size=5))
    def append(self, contents: list[bytes]) -> None:
        assert self.file.append([Record(content, len(content)) for content in contents]) == len(contents)
        self.waiting += contents

    @rule(most_bytes=st.integers(0, 200), share=st.floats(0, 1))
    def take(self, most_bytes: int, share: float) -> None:
        found = self.file.oldest(most_bytes)
        assert found == self.waiting[: len(found)]
        assert bool(found) == bool(self.waiting)
        count = int(len(found) * share)
        self.file.remove(count)
        self.taken += self.waiting[:count]
        del self.waiting[:count]
        if not self.waiting:
            self.taken = []
            assert not self.path.exists()

    @rule(torn=st.binary(max_size=30) | st.just(bytes(100)))
    def kill_and_restart(self, torn: bytes) -> None:
        if self.path.exists():
            with self.path.open("ab") as file:
                file.write(torn)
        self.file = SpillFile(self.path)
        self.waiting = self.taken + self.waiting
        self.taken = []

    @precondition(lambda self: hasattr(self, "file"))
    @rule()
    def counts(self) -> None:
        assert self.file.records == len(self.waiting)
        assert self.file.weight == sum(len(content) for content in self.waiting)

    def teardown(self) -> None:
        if hasattr(self, "path"):
            self.path.unlink(missing_ok=True)


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["PYTEST_SPILL_FOLDER"] = str(tmp_path_factory.mktemp("spill"))


TestSpilledQueue = SpilledQueue.TestCase


def test_nothing_is_accepted_beyond_the_size(tmp_path: Path) -> None:
    file = SpillFile(tmp_path / "spill", most_bytes=100)
    assert file.append([Record(b"x" * 30)] * 5) == 2
    assert file.append([Record(b"x" * 30)]) == 0
    assert file.oldest(1 << 20) == [b"x" * 30] * 2


def test_a_disk_that_is_full_keeps_what_was_there(tmp_path: Path) -> None:
    """The limit of a process's file size stands for the full disk: a write beyond it is cut short, then fails."""
    file = SpillFile(tmp_path / "spill")
    file.append([Record(b"first")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        with pytest.raises(OSError, match=r"No space|too large"):
            file.append([Record(b"y" * 500)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.oldest(1 << 20) == [b"first"]
    assert SpillFile(tmp_path / "spill").oldest(1 << 20) == [b"first"]
    file.append([Record(b"second")])
    assert file.oldest(1 << 20) == [b"first", b"second"]
