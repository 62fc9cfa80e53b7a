"""`Snapshot`: the engine's state between two minutes, in a file that may shorten a start and never changes it.

The file is a line that says what it is, the length of a header, the header (JSON: what the state is of, and where each array
stands), the arrays as they lie in memory, and a checksum of all that. A file that is damaged, or of other code, settings, days or
bars than those of this start, is no snapshot; to delete it is always safe.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

import tickstock
from tickstock.analysis.selection import enabled_from
from tickstock.analysis.state import Arrays
from tickstock.settings import Settings

logger = logging.getLogger(__name__)

MAGIC = b"TickStock snapshot 1\n"
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_ALIGNED = 64
_CODE = ("analysis", "streaming", "database/windows.py", "market_hours.py")  # what decides the numbers of a state


class SnapshotError(Exception):
    """A file is no snapshot, and why."""


class _Array(msgspec.Struct, frozen=True):
    name: str
    kind: str  # numpy's name of its dtype
    shape: tuple[int, ...]


class _Header(msgspec.Struct, frozen=True):
    fingerprint: str
    day: date
    until: int
    symbols: list[str]
    marks: dict[str, list[int]]
    arrays: list[_Array]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state and what it is of."""

    fingerprint: str  # of the code, the settings and the database
    day: date  # the trading day that the series are anchored for
    until: int  # ms: every minute before is in it
    symbols: Sequence[str]  # by lane
    marks: Mapping[str, Sequence[int]]  # by series: what the stored bars of days before were known by
    arrays: Arrays

    def write(self, path: Path) -> None:
        """Put it in the place of the file, at once or not at all.

        Raises:
            OSError: it cannot be written.
        """
        arrays = [np.ascontiguousarray(each) for each in self.arrays.values()]
        described = [_Array(name, each.dtype.name, each.shape) for name, each in self.arrays.items()]
        header = _Header(
            self.fingerprint, self.day, self.until, list(self.symbols), {k: list(v) for k, v in self.marks.items()}, described
        )
        encoded = msgspec.json.encode(header)
        parts: list[bytes | memoryview] = [MAGIC + _LENGTH.pack(len(encoded)) + encoded]
        parts += [each.reshape(-1).view(np.uint8).data for each in arrays]
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".unfinished")
        try:
            with unfinished.open("wb") as file:
                _write(file, parts)
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)  # on a full disk others need the room more
            raise

    @classmethod
    def read(cls, path: Path) -> Snapshot:
        """What a file holds.

        Raises:
            FileNotFoundError: there is none.
            SnapshotError: it is none, or damaged.
        """
        try:
            content = np.fromfile(path, np.uint8)
        except FileNotFoundError:
            raise
        except OSError as problem:
            raise SnapshotError(f"it cannot be read: {problem}") from None
        whole, begin = content.data, len(MAGIC) + _LENGTH.size
        if bytes(whole[: len(MAGIC)]) != MAGIC or len(content) < begin + _CHECKSUM.size:
            raise SnapshotError("it is none, or of another version")
        if zlib.crc32(whole[: -_CHECKSUM.size]) != _CHECKSUM.unpack(whole[-_CHECKSUM.size :])[0]:
            raise SnapshotError("it is damaged")
        try:
            (length,) = _LENGTH.unpack(whole[len(MAGIC) : begin])
            header = msgspec.json.decode(whole[begin : begin + length], type=_Header)
            arrays = _arrays(content, begin + length, header.arrays)
        except (msgspec.MsgspecError, ValueError, TypeError) as problem:
            raise SnapshotError(f"it is not understood: {problem}") from None
        return cls(header.fingerprint, header.day, header.until, header.symbols, header.marks, arrays)


def _write(file: BinaryIO, parts: Sequence[bytes | memoryview]) -> None:
    checksum = 0
    for part in parts:
        for piece in (part, bytes(-len(part) % _ALIGNED)):
            file.write(piece)
            checksum = zlib.crc32(piece, checksum)
    file.write(_CHECKSUM.pack(checksum))
    file.flush()
    os.fsync(file.fileno())


def _arrays(content: NDArray[np.uint8], begin: int, described: Sequence[_Array]) -> Arrays:
    found: Arrays = {}
    for each in described:
        begin += -begin % _ALIGNED
        kind = np.dtype(each.kind)
        if kind.kind not in "biuf":
            raise ValueError(f"{each.name} is of {each.kind}")
        size = kind.itemsize * int(np.prod(each.shape, dtype=np.int64))
        found[each.name] = content[begin : begin + size].view(kind).reshape(each.shape)
        begin += size
    return found


def fingerprint(settings: Settings) -> str:
    """What decides the numbers of a state beside the bars: the code, and the settings that matter."""
    enabled = {
        timeframe: (sorted(each.patterns), each.indicators, sorted(each.alerts))
        for timeframe, each in enabled_from(settings).items()
    }  # fmt: skip
    chosen = (
        _code(), np.__version__, settings.feed, settings.calendar, settings.timeframes, settings.analysis_sessions,
        settings.symbols, settings.database, sorted(enabled.items()),
    )  # fmt: skip
    return hashlib.sha256(repr(chosen).encode()).hexdigest()


@cache
def _code() -> str:
    """Of the files when the process began, which are those that it runs."""
    digest = hashlib.sha256()
    root = Path(tickstock.__file__).parent
    for place in _CODE:
        path = root / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(f"{file.relative_to(root).as_posix()}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
