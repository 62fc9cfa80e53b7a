"""Families of patterns and alerts, as the catalogue orders them: what a list can be narrowed to by one word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from tickstock.analysis.catalog import catalog
from tickstock.web.parameters import Reader


def families(*kinds: str) -> dict[str, list[str]]:
    """The names in each family of these kinds of entries; a family is called KIND_FAMILY, as candlestick_reversal."""
    found = defaultdict(list)
    for entry in catalog():
        if entry.kind in kinds:
            found[f"{entry.kind}_{entry.family}"].append(entry.name)
    return dict(found)


def one_of_families(*kinds: str) -> Reader:
    """A query parameter that names a family; it reads as the names in it."""
    known = families(*kinds)

    def reader(text: str) -> Collection[str]:
        if text not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return known[text]

    return reader
