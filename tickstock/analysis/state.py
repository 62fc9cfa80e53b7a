"""What the analysis remembers, as named arrays: copied out for a snapshot, and put back.

Everything that is remembered of a lane stands in `LaneArrays`, which are found wherever they are; so a new indicator is part of a
snapshot without a word said for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from tickstock.analysis.lanes import LaneArrays
from tickstock.analysis.results import Integers

Arrays = dict[str, NDArray[Any]]


def state_of(part: object, lanes: int) -> Arrays:
    """Copies of what a part of the analysis, and all parts of it, remember of lanes 0 to `lanes - 1`."""
    return {
        f"{path}.{name}": column
        for path, arrays in lane_arrays_in(part).items()
        for name, column in arrays.copied(lanes).items()
    }  # fmt: skip


def restore(part: object, state: Mapping[str, NDArray[Any]]) -> None:
    """Let an untouched part of the same kind, with room for as many lanes, go on from what `state_of` gave.

    Raises:
        KeyError, ValueError: it is not of the same kind.
    """
    for path, arrays in lane_arrays_in(part).items():
        arrays.restore({name: state[f"{path}.{name}"] for name in arrays.names})


def adopt(part: object, other: object, lanes: Integers) -> None:
    """Let these lanes of a part of the analysis be what the first lanes of another part of the same kind are."""
    theirs = lane_arrays_in(other)
    for path, arrays in lane_arrays_in(part).items():
        arrays.adopt(theirs[path], lanes)


def named(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """The same arrays, each name behind a prefix."""
    return {f"{prefix}/{name}": column for name, column in arrays.items()}


def under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """What stands behind a prefix, without it."""
    return {name.removeprefix(f"{prefix}/"): column for name, column in arrays.items() if name.startswith(f"{prefix}/")}


def lane_arrays_in(part: object) -> dict[str, LaneArrays]:
    """Every `LaneArrays` in an object of the analysis, by the attributes that lead there; each once."""
    return dict(_lane_arrays("", part, set()))


def _lane_arrays(path: str, part: object, seen: set[int]) -> Iterator[tuple[str, LaneArrays]]:
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, LaneArrays):
        yield path, part
        return
    inside: dict[Any, object] = {}
    if isinstance(part, dict):
        inside = part
    elif isinstance(part, list | tuple):
        inside = dict(enumerate(part))
    elif type(part).__module__.startswith("tickstock.analysis."):
        inside = getattr(part, "__dict__", {})
    for name, each in inside.items():
        yield from _lane_arrays(f"{path}.{name}" if path else str(name), each, seen)
