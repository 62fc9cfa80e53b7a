"""`SpillFile`: what waits for the database when memory should not hold it, in a file, in order, also over a restart.

A record is its length, its checksum, its weight and its bytes. What a killed process left half written at the end is cut off when
the file is opened again. Records that were taken out before a kill come once more: what is done with them must bear that, as all
of our writes do.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

_HEADER = struct.Struct("<III")  # length, CRC-32 and weight of the bytes that follow
LARGEST_RECORD = 1 << 30
_SEED = 0x5449434B  # so that zeros, as a failing power leaves them, are no record


class Record(NamedTuple):
    """What is kept as one, and how much it counts."""

    content: bytes
    weight: int = 1


class SpillFile:
    """Records in the order in which they came; one thread at a time. The file exists only while something waits.

    Args:
        path: of the file; its folder is made when needed.
        most_bytes: the size beyond which nothing is accepted.
    """

    def __init__(self, path: Path, most_bytes: int = 5 << 30) -> None:
        self.records = 0  # that wait
        self.weight = 0  # of them together
        self._path = path
        self._most_bytes = most_bytes
        self._first = 0  # where the oldest record that waits begins
        self._end = 0
        self._read: deque[tuple[int, int]] = deque()  # end and weight of the records that `oldest` returned last
        if path.exists():
            self._recover()

    def append(self, records: Sequence[Record]) -> int:
        """Put records behind the others; returns how many there was room for.

        Raises:
            OSError: nothing was written, and why.
        """
        accepted, size = 0, 0
        parts: list[bytes] = []
        for content, weight in records:
            needed = _HEADER.size + len(content)
            if self._end + size + needed > self._most_bytes or len(content) > LARGEST_RECORD:
                break
            parts += (_HEADER.pack(len(content), zlib.crc32(content, _SEED), weight), content)
            accepted, size = accepted + 1, size + needed
        if accepted:
            self._write(b"".join(parts))
            self._end += size
            self.records += accepted
            self.weight += sum(record.weight for record in records[:accepted])
        return accepted

    def oldest(self, most_bytes: int) -> list[bytes]:
        """The oldest records, about so many bytes of them and at least one; they stay until `remove`."""
        found: list[bytes] = []
        self._read.clear()
        if not self.records:
            return found
        with self._path.open("rb") as file:
            file.seek(self._first)
            at = self._first
            for content, weight in _records(file):
                at += _HEADER.size + len(content)
                found.append(content)
                self._read.append((at, weight))
                if at - self._first >= most_bytes or at >= self._end:
                    break
        return found

    def remove(self, count: int) -> None:
        """Take out the first `count` records of what `oldest` returned."""
        for _ in range(count):
            self._first, weight = self._read.popleft()
            self.weight -= weight
        self.records -= count
        if not self.records:
            self._path.unlink(missing_ok=True)
            self._first = self._end = 0

    def _write(self, content: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._path.open("ab", buffering=0) as file:
                if file.write(content) < len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
        except OSError:
            if self._path.exists():
                os.truncate(self._path, self._end)
            raise

    def _recover(self) -> None:
        with self._path.open("rb") as file:
            for content, weight in _records(file):
                self.records += 1
                self.weight += weight
                self._end += _HEADER.size + len(content)
        if not self.records:
            self._path.unlink()
        elif self._end < self._path.stat().st_size:
            os.truncate(self._path, self._end)


def _records(file: BinaryIO) -> Iterator[Record]:
    """The whole records from here on."""
    while len(header := file.read(_HEADER.size)) == _HEADER.size:
        length, checksum, weight = _HEADER.unpack(header)
        content = file.read(length) if length <= LARGEST_RECORD else b""
        if len(content) < length or zlib.crc32(content, _SEED) != checksum:
            return
        yield Record(content, weight)
