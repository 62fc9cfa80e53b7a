"""The catalogue as tables of Markdown: `python -m benchmarks.catalogue_document` writes the one of docs/indicators.md.

The tables of docs/patterns.md hold measured rates; `python -m benchmarks.pattern_rates --write` writes those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.pattern_words import conditions
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.catalog import catalog
from tickstock.analysis.catalog_entry import CatalogEntry
from tickstock.analysis.indicator_kinds import value_names
from tickstock.analysis.selection import DEFAULT_DAY_INDICATORS, DEFAULT_INDICATORS

DOCS = Path(__file__).resolve().parents[1] / "docs"
INDICATORS_MARKER = "<!-- indicators -->"
GROUPS = {1: "One bar", 2: "Two bars", 3: "Three bars", 4: "Four bars", 5: "Five bars", 0: "Chart patterns"}


def pattern_tables(rates_of: Callable[[str], list[str]], columns: list[str]) -> str:
    """Every pattern in groups, each with its picture, conditions and rates, which `rates_of` gives for the columns."""
    parts = []
    for bars, title in GROUPS.items():
        entries = list(_in_group(bars))
        rows = [["", "pattern", "what it is", *columns], [":---:", "---", "---", *("---:" for _ in columns)]]
        rows += [[_picture(entry), _facts(entry), _meaning(entry), *rates_of(entry.name)] for entry in entries]
        parts.append(f"### {title}\n\n{_markdown(rows)}")
    return "\n\n".join(parts)


def indicators_table() -> str:
    """Every kind of indicator."""
    rows = [["name", "parameters", "published as", "first value", "what it is", "source"], ["---"] * 6]
    for entry in catalog():
        if entry.kind == "indicator":
            parameters = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in entry.parameters.items())
            values = "<br>".join(f"`{name}`" for name in value_names(entry.name))
            default = (
                "*" if any(entry.name == name.split("_")[0] for name in (*DEFAULT_INDICATORS, *DEFAULT_DAY_INDICATORS)) else ""
            )
            rows.append([f"**{entry.name}**{default}", parameters, values, f"bar {entry.bars}", entry.description, entry.source])
    return _markdown(rows)


def between_markers(text: str, marker: str, new: str) -> str:
    """A document with what stands between two of these markers replaced.

    Raises:
        ValueError: the markers are not there.
    """
    before, _, after = text.split(marker)
    return f"{before}{marker}\n{new}\n{marker}{after}"


def _in_group(bars: int) -> Iterator[CatalogEntry]:
    for entry in catalog():
        if (entry.kind == "chart_pattern" and not bars) or (
            entry.kind == "candlestick" and CANDLESTICKS[entry.name].bars == bars
        ):
            yield entry


def _picture(entry: CatalogEntry) -> str:
    return f"![{entry.name}](images/patterns/{entry.name}.svg)"


def _facts(entry: CatalogEntry) -> str:
    return f"**{entry.name}**<br>{entry.direction}<br>{entry.family}<br>from bar {entry.bars} on<br>{entry.source}"


def _meaning(entry: CatalogEntry) -> str:
    if entry.kind == "candlestick":
        return f"{entry.description}<br>*{_cell(conditions(CANDLESTICKS[entry.name]))}*"
    limits = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in entry.parameters.items() if name != "version")
    return f"{entry.description}<br>*{limits}*"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    """Write the table of indicators."""
    document = DOCS / "indicators.md"
    text = between_markers(document.read_text(encoding="utf-8"), INDICATORS_MARKER, indicators_table())
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
